import type { TypeNames } from '../sql.ts';

/** Addresses that nothing is sent to, because what was sent came back or was complained of. */
export function suppression(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // address: lower case. reason: bounce | complaint | manual. source: dsn | ses | arf | admin. detail: the words that
    // came. queue_id: of the message it was about. until: NULL for ever.
    `CREATE TABLE suppressions (address ${t.text} PRIMARY KEY, reason ${t.text} NOT NULL, source ${t.text} NOT NULL,
      detail ${t.text} NOT NULL, queue_id ${t.text}, account_id ${t.int}, created_at ${t.int} NOT NULL,
      until ${t.int})${clustered}`,
    // Reports about mail of ours that were acted upon: each tells people once, however often it comes.
    `CREATE TABLE feedback_seen (key ${t.text} PRIMARY KEY, at ${t.int} NOT NULL)${clustered}`,
    `CREATE INDEX feedback_seen_at ON feedback_seen(at)`,
    `CREATE INDEX suppressions_until ON suppressions(until) WHERE until IS NOT NULL`,
  ];
}
