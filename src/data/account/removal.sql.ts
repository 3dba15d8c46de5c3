import { statement } from '../db/sql.ts';

const of = (text: string) => statement<[accountId: number]>(text);

/** All that an account keeps for itself. */
export const forgetAccountStatements = [
  of('DELETE FROM snoozes WHERE account_id = ?'),
  of('DELETE FROM masked_addresses WHERE account_id = ?'),
  of('DELETE FROM account_settings WHERE account_id = ?'),
  of('DELETE FROM correspondent_keys WHERE account_id = ?'),
];
