import { statement } from '../db/sql.ts';

const of = (text: string) => statement<[accountId: number]>(text);

/** All that the filter knows of an account. */
export const forgetAccountStatements = [
  of('DELETE FROM spam_models WHERE owner = ?'),
  of('DELETE FROM spam_training WHERE account_id = ?'),
  of('DELETE FROM spam_learned WHERE account_id = ?'),
  of('DELETE FROM correspondents WHERE account_id = ?'),
  of('DELETE FROM sent_message_ids WHERE account_id = ?'),
  of('DELETE FROM sender_lists WHERE account_id = ?'),
];
