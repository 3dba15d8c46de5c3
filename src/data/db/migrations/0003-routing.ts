import type { TypeNames } from '../sql.ts';

/** What is known of the ways to send. */
export function routing(t: TypeNames): string[] {
  const clustered = t.dialect === 'sqlite' ? ' STRICT, WITHOUT ROWID' : '';
  return [
    // Ways that a destination ('*': everybody) refuses for a reason that is the way's. until: when to probe it again.
    // failures: refusals in a row, which make the wait longer.
    `CREATE TABLE way_refusals (way ${t.text} NOT NULL, destination ${t.text} NOT NULL, cause ${t.text} NOT NULL,
      reply ${t.text} NOT NULL, since ${t.int} NOT NULL, until ${t.int} NOT NULL, failures ${t.int} NOT NULL,
      PRIMARY KEY (way, destination))${clustered}`,
    // What a way carried in a period: "2026-11-21" or "2026-11" (UTC).
    `CREATE TABLE way_usage (way ${t.text} NOT NULL, period ${t.text} NOT NULL, messages ${t.int} NOT NULL,
      recipients ${t.int} NOT NULL, octets ${t.int} NOT NULL, PRIMARY KEY (way, period))${clustered}`,
    // Calls to services that report later what they did, by a tag of ours. state: started | sent | unsure | failed.
    // recipients: JSON list of [queue recipient id, address]. remote_id: theirs. confirmed: JSON
    // list of addresses that it reported to have taken it for. grace_ms: how long its report is
    // waited for before a call whose end is unknown is made again.
    `CREATE TABLE sends (tag ${t.text} PRIMARY KEY, way ${t.text} NOT NULL, state ${t.text} NOT NULL,
      remote_id ${t.text}, message_id ${t.int} NOT NULL, queue_id ${t.text} NOT NULL, trace ${t.text} NOT NULL,
      account_id ${t.int}, reverse_path ${t.text} NOT NULL, recipients ${t.text} NOT NULL,
      started_at ${t.int} NOT NULL, grace_ms ${t.int} NOT NULL,
      confirmed ${t.text} NOT NULL DEFAULT '[]')${t.table}`,
    `CREATE INDEX sends_remote ON sends(remote_id) WHERE remote_id IS NOT NULL`,
    `CREATE INDEX sends_message ON sends(message_id)`,
    `CREATE INDEX sends_started ON sends(started_at)`,
  ];
}
