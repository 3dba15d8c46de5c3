import type { TypeNames } from '../sql.ts';

/** Devices that are told of changes by push (RFC 8620 section 7.2). */
export function push(t: TypeNames): string[] {
  return [
    // p256dh, auth: keys of the device, base64url, NULL where pushes are not encrypted. types: JSON, NULL for all.
    // login_kind, login_id: what made it was logged in by; with that login it ends. code: what the device has to say back
    // before anything is told. told_at: the last push that was taken. failures: in a row, since then.
    `CREATE TABLE push_subscriptions (id ${t.id}, account_id ${t.int} NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
      device ${t.text} NOT NULL, url ${t.text} NOT NULL, p256dh ${t.text}, auth ${t.text}, types ${t.text},
      code ${t.text} NOT NULL, verified ${t.int} NOT NULL, login_kind ${t.text} NOT NULL, login_id ${t.int} NOT NULL,
      created_at ${t.int} NOT NULL, expires_at ${t.int} NOT NULL, told_at ${t.int},
      failures ${t.int} NOT NULL)${t.table}`,
    'CREATE INDEX push_subscriptions_account ON push_subscriptions(account_id)',
    'CREATE INDEX push_subscriptions_expires ON push_subscriptions(expires_at)',
  ];
}
