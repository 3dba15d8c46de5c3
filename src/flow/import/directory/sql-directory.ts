import { Refusal } from '../../../base/errors.ts';
import { Gathering } from './gather.ts';
import { readDump, type SqlRow } from './sql-dump.ts';
import type { ForeignDirectory } from './types.ts';

const TABLES = ['domains', 'users', 'aliases', 'mailbox', 'alias', 'domain', 'alias_domain'] as const;

/**
 * Users and aliases in a dump of MariaDB: the schema of the essay "Email Alchemy" and of many how-tos for Postfix and
 * Dovecot (domains, users, aliases), or that of PostfixAdmin and mailcow (domain, mailbox, alias, alias_domain).
 */
export function readSqlDirectory(dump: string): ForeignDirectory {
  const tables = readDump(dump, TABLES);
  const rows = (name: (typeof TABLES)[number]): readonly SqlRow[] => tables.get(name) ?? [];
  const into = new Gathering();
  if (rows('users').length + rows('mailbox').length === 0)
    throw new Refusal(
      'bad-input',
      'There is no table "users" or "mailbox" with rows in it. Is it a dump with data (not --no-data)?',
    );
  for (const row of rows('domains')) into.domain(row.get('name') ?? row.get('domain') ?? '');
  for (const row of rows('users'))
    into.account({ address: first(row, 'email', 'username'), hash: first(row, 'password') });
  for (const row of rows('aliases'))
    alias(into, first(row, 'source'), first(row, 'destinations', 'destination'));
  for (const row of rows('domain')) if (first(row, 'domain') !== 'ALL') into.domain(first(row, 'domain'));
  for (const row of rows('mailbox')) mailbox(into, row);
  for (const row of rows('alias')) if (isActive(row)) alias(into, first(row, 'address'), first(row, 'goto'));
  for (const row of rows('alias_domain'))
    alias(into, `@${first(row, 'alias_domain')}`, `@${first(row, 'target_domain')}`);
  return into.done();
}

function first(row: SqlRow, ...names: readonly string[]): string {
  for (const name of names) {
    const value = row.get(name);
    if (value !== undefined) return value;
  }
  return '';
}

function isActive(row: SqlRow): boolean {
  return first(row, 'active') !== '0';
}

function mailbox(into: Gathering, row: SqlRow): void {
  const address = first(row, 'username');
  // Resources of mailcow (rooms, projectors) are no people.
  if (['location', 'thing', 'group'].includes(first(row, 'kind')) && first(row, 'kind') !== '') return;
  if (!isActive(row))
    return into.leave(
      `account ${address}`,
      'it is switched off there',
      'postern account add, if it is wanted',
    );
  const quota = Number(first(row, 'quota'));
  return into.account({
    address,
    hash: first(row, 'password'),
    displayName: first(row, 'name'),
    quota: Number.isSafeInteger(quota) && quota > 0 ? quota : undefined,
  });
}

function alias(into: Gathering, address: string, goto: string): void {
  const targets = goto.split(/[\s,]+/).filter((target) => target !== '');
  // mailcow's own: thrown away, or learned.
  if (targets.some((target) => /^(?:null|spam|ham)@localhost$/.test(target)))
    return into.leave(`alias ${address}`, `it leads to ${goto}`, 'no such thing is here');
  return into.alias(address, targets, undefined);
}
