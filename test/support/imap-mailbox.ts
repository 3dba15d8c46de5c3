import assert from 'node:assert/strict';
import { type ImapClient, imapClient } from './imap-client.ts';

/** Log in on the IMAPS port and open a mailbox. */
export async function openMailbox(
  port: number | undefined,
  options: { user: string; password: string; mailbox?: string },
): Promise<ImapClient> {
  assert.ok(port, 'there is no IMAP server');
  const client = await imapClient(port, { tls: true });
  await client.next(/^\* OK /);
  await client.ok(`LOGIN ${options.user} "${options.password}"`);
  await client.ok(`SELECT ${options.mailbox ?? 'INBOX'}`);
  return client;
}

/** The octets of messages of the open mailbox, by UID. */
export async function fetchBodies(client: ImapClient, uids = '1:*'): Promise<Map<number, Buffer>> {
  const bodies = new Map<number, Buffer>();
  for (const text of await client.ok(`UID FETCH ${uids} (UID BODY.PEEK[])`)) {
    // Others may change the mailbox meanwhile: EXISTS, EXPUNGE, FETCH of flags.
    if (!/^\d+ FETCH \([^{]*BODY\[\] /.test(text)) continue;
    const [head = '', before = '', count = ''] =
      /^\d+ FETCH \(([^{]*)BODY\[\] \{(\d+)\}\r\n/.exec(text) ?? [];
    assert.notEqual(head, '', `no FETCH with a literal: ${text.slice(0, 100)}`);
    const end = head.length + Number(count);
    const uid = /UID (\d+)/.exec(before + text.slice(end))?.[1];
    bodies.set(Number(uid), Buffer.from(text.slice(head.length, end), 'latin1'));
  }
  return bodies;
}
