import { z } from 'zod';
import type { SpecialUse } from '../../data/mailstore/types.ts';
import { frameHead, FrameReader } from '../../flow/import/frames.ts';
import type { AddResult, ImportTarget, KnownRow, NewMessage } from '../../flow/import/target.ts';
import { EXPORT_PATH, IMPORT_PATH } from '../../servers/http/admin/message-stream.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import type { AdminClient } from '../cli/client.ts';

const { importing } = operations;

const answer = z.object({
  results: z.array(
    z.object({
      key: z.string(),
      status: z.enum(['stored', 'linked', 'known', 'over-quota', 'no-account', 'failed']),
      why: z.string().optional(),
    }),
  ),
});
const digestHead = z.object({ uid: z.number(), digest: z.string() });

/** An account of the running server, for mail to be brought into. */
export function adminTarget(admin: AdminClient, account: string): ImportTarget {
  return {
    async mailbox({ name, specialUse, subscribed }) {
      const use = storedUse(specialUse);
      const input = { account, name, subscribed, ...(use !== undefined && { specialUse: use }) };
      return (await admin.call(importing.ensureMailbox, input)).mailbox;
    },
    mailboxes: async () => (await admin.call(importing.mailboxes, { account })).mailboxes,
    known: (source) => allKnown(admin, account, source),
    add: (source, messages) => addAll(admin, account, source, messages),
    setFlags: async (source, changes) => {
      const input = {
        account,
        source,
        changes: changes.map((each) => ({ ...each, keywords: [...each.keywords] })),
      };
      return (await admin.call(importing.setFlags, input)).changed;
    },
    place: async (source, key, mailboxIds) =>
      (await admin.call(importing.place, { account, source, key, mailboxIds: [...mailboxIds] })).placed,
    remove: async (source, items) =>
      (await admin.call(importing.remove, { account, source, items: [...items] })).removed,
    async digests(mailboxId) {
      const query = { account, mailbox: String(mailboxId), digests: '1' };
      const reader = new FrameReader(await admin.stream({ method: 'GET', path: EXPORT_PATH, query }));
      const digests = new Map<number, string>();
      for (let value = await reader.next(); value !== undefined; value = await reader.next()) {
        const { uid, digest } = digestHead.parse(value);
        digests.set(uid, digest);
      }
      return digests;
    },
  };
}

function storedUse(use: SpecialUse | undefined): Exclude<SpecialUse, '\\All' | '\\Flagged'> | undefined {
  return use === '\\All' || use === '\\Flagged' ? undefined : use;
}

async function allKnown(admin: AdminClient, account: string, source: string): Promise<KnownRow[]> {
  const rows: KnownRow[] = [];
  let after = '';
  let afterMailbox = 0;
  for (;;) {
    const page = await admin.call(importing.known, { account, source, after, afterMailbox });
    for (const { now, ...row } of page.messages) rows.push({ ...row, now });
    const last = page.messages.at(-1);
    if (!page.more || last === undefined) return rows;
    after = last.key;
    afterMailbox = last.mailboxId;
  }
}

async function addAll(
  admin: AdminClient,
  account: string,
  source: string,
  messages: readonly NewMessage[],
): Promise<readonly AddResult[]> {
  const query = { account, source };
  const stream = await admin.stream({ method: 'POST', path: IMPORT_PATH, query, body: frames(messages) });
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return answer.parse(JSON.parse(Buffer.concat(pieces).toString('utf8'))).results;
}

/** Small messages go together in pieces: a write for each would cost more than the message. */
const PIECE = 64 * 1024;

async function* frames(messages: readonly NewMessage[]): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  let size = 0;
  for (const { octets, ...head } of messages) {
    held.push(frameHead({ ...head, size: octets.size }));
    for await (const piece of octets.chunks()) {
      held.push(piece);
      size += piece.length;
      if (size < PIECE) continue;
      yield Buffer.concat(held);
      held = [];
      size = 0;
    }
  }
  if (held.length > 0) yield Buffer.concat(held);
}
