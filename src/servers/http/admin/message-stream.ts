import { createHash } from 'node:crypto';
import type { Context, Hono } from 'hono';
import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { givenAway } from '../../../data/blobs/given.ts';
import { isAdmin } from '../../../data/directory/permission.ts';
import type { Account } from '../../../data/directory/types.ts';
import { MAX_UID, type MessageRow } from '../../../data/mailstore/types.ts';
import { frameHead, FrameReader } from '../../../flow/import/frames.ts';
import { IMPORT_MESSAGE_BYTES } from '../../../flow/import/spool.ts';
import type { AddResult } from '../../../flow/import/target.ts';
import { visibleOctets } from '../../../flow/import/visible.ts';
import { writtenBefore } from '../../../flow/written-to.ts';
import { dropBody, Intake, storeOrDrop } from '../../../flow/intake.ts';
import type { AdminEnv } from './app.ts';
import { requireRoom } from './disk-room.ts';
import { flagBits, keywordList, messageKey, needAccount, sourceIdOf, sourceName } from './importing-mail.ts';
import { type AdminContext, API_PREFIX } from './operation.ts';
import { address } from './schemas.ts';

/** Mail in and out in streams of messages: what the operations, which are JSON both ways, cannot carry. */
export const IMPORT_PATH = `${API_PREFIX}/import/messages`;
export const EXPORT_PATH = `${API_PREFIX}/export/messages`;

/** Messages of a stream that are being stored at a time: they share commits. */
const UNDER_WAY = 64;
/** Messages of one request. */
const MESSAGES = 1000;
/** Rows read at a time for an export. */
const ROWS = 100;

const incomingHead = z.object({
  key: messageKey,
  mailboxIds: z.array(z.number().int().positive()).min(1).max(100),
  flags: flagBits,
  keywords: keywordList,
  receivedAt: z.number(),
  size: z.number(),
});
type IncomingHead = z.output<typeof incomingHead>;

const importQuery = z.object({ account: address, source: sourceName });
const exportQuery = z.object({
  account: address,
  mailbox: z.coerce.number().int().positive(),
  after: z.coerce.number().int().min(0).default(0),
  /** '1': heads with digests, without the octets. */
  digests: z.string().default(''),
});

/** One message of an export: its octets follow, `size` of them. */
export interface OutgoingHead {
  readonly uid: number;
  readonly flags: number;
  readonly keywords: readonly string[];
  readonly receivedAt: number;
  readonly size: number;
  /** SHA-256 in hex, when digests were asked for. */
  readonly digest?: string;
}

export function mountMessageStreams(app: Hono<AdminEnv>, context: AdminContext): void {
  app.post(IMPORT_PATH, async (c) => c.json({ results: await takeMessages(context, c) }));
  app.get(EXPORT_PATH, (c) => giveMessages(context, c));
}

function parseQuery<T extends z.ZodType>(c: Context<AdminEnv>, shape: T): z.output<T> {
  if (!isAdmin(c.get('actor')))
    throw new Refusal('not-permitted', 'You may not do this; an administrator can.');
  const query = shape.safeParse(c.req.query());
  if (!query.success)
    throw new Refusal('bad-input', query.error.issues.map(({ message }) => message).join('; '));
  return query.data;
}

/** Results stand in the order of the messages; one that fails costs the others nothing. */
async function takeMessages(context: AdminContext, c: Context<AdminEnv>): Promise<AddResult[]> {
  const query = parseQuery(c, importQuery);
  requireRoom(context);
  const account = await needAccount(context, query.account);
  const sourceId = await sourceIdOf(context, c.get('actor'), account, query.source);
  const boxes = await context.store.read.run('mailstore.mailboxes', { accountId: account.id });
  const sent = new Set(boxes.filter(({ specialUse }) => specialUse === '\\Sent').map(({ id }) => id));
  if (c.req.raw.body === null) return [];
  const reader = new FrameReader(c.req.raw.body);
  const results: Promise<AddResult>[] = [];
  const underWay = new Set<Promise<unknown>>();
  try {
    for (let value = await reader.next(); value !== undefined; value = await reader.next()) {
      const head = incomingHead.safeParse(value);
      if (!head.success)
        throw new Refusal('bad-input', 'The stream has a message that is not described rightly.');
      if (results.length >= MESSAGES)
        throw new Refusal('limit', `A request has at most ${MESSAGES} messages.`);
      while (underWay.size >= UNDER_WAY) await Promise.race(underWay);
      const { stored } = await takeOne(context, { account, sourceId, sent }, head.data, reader.octets());
      const settled = stored.finally(() => underWay.delete(settled));
      underWay.add(settled);
      results.push(settled);
    }
  } finally {
    await Promise.allSettled(results);
  }
  return Promise.all(results);
}

interface Target {
  readonly account: Account;
  readonly sourceId: number;
  /** Mailboxes of what the account sent. */
  readonly sent: ReadonlySet<number>;
}

/** Resolves when the octets are taken in; `stored` tells what becomes of them. */
async function takeOne(
  context: AdminContext,
  { account, sourceId, sent }: Target,
  head: IncomingHead,
  octets: AsyncIterable<Buffer>,
): Promise<{ stored: Promise<AddResult> }> {
  const { store, clock } = context;
  const { key, mailboxIds, flags, keywords } = head;
  const hash = createHash('sha256');
  const intake = new Intake({
    bodies: store.bodies,
    maxBytes: IMPORT_MESSAGE_BYTES,
    tap: (chunk) => void hash.update(chunk),
  });
  let taken: Awaited<ReturnType<Intake['finish']>>;
  try {
    for await (const piece of octets) await intake.write(piece);
    taken = await intake.finish();
  } catch (error) {
    intake.abort();
    return { stored: Promise.resolve(failed(key, error)) };
  }
  const { blob, content, header } = taken;
  const args = {
    accountId: account.id,
    sourceId,
    key,
    mailboxIds,
    blob,
    content,
    digest: hash.digest(),
    set: { flags, keywords },
    ...(mailboxIds.some((id) => sent.has(id)) && { wrote: writtenBefore(header) }),
    receivedAt: head.receivedAt > 0 ? head.receivedAt : (content.sentAt ?? clock.now()),
  };
  const write = async (): Promise<AddResult> => {
    const { status } = await storeOrDrop(store.bodies, blob, () =>
      store.write.run('importing.add', args, givenAway(blob)),
    );
    if (status !== 'stored') await dropBody(store.bodies, blob);
    return { key, status };
  };
  return { stored: write().catch((error: unknown) => failed(key, error)) };
}

/** What a message is refused for is told of it; what ails the server ends the whole. */
function failed(key: string, error: unknown): AddResult {
  if (!(error instanceof Refusal) || error.kind === 'unavailable' || error.kind === 'storage-full')
    throw error;
  return { key, status: 'failed', why: error.message };
}

async function giveMessages(context: AdminContext, c: Context<AdminEnv>): Promise<Response> {
  const { account: name, mailbox: mailboxId, after, digests } = parseQuery(c, exportQuery);
  const account = await needAccount(context, name);
  const mailbox = await context.store.read.run('mailstore.mailboxById', { mailboxId });
  if (mailbox === undefined || mailbox.accountId !== account.id)
    throw new Refusal('no-such-mailbox', 'There is no such mailbox.');
  if (digests === '') {
    const note = { actor: c.get('actor'), address: account.address, mailbox: mailbox.name };
    await context.store.write.run('importing.noteExport', note);
  }
  const pieces = outgoing(context, mailboxId, after, digests !== '')[Symbol.asyncIterator]();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(new Uint8Array(next.value));
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
  return c.body(body, 200, { 'Content-Type': 'application/octet-stream' });
}

async function* outgoing(
  context: AdminContext,
  mailboxId: number,
  after: number,
  digests: boolean,
): AsyncGenerator<Buffer, void> {
  for (let uid = after; ; ) {
    const rows = await context.store.read.run('mailstore.fetch', {
      mailboxId,
      ranges: [{ from: uid + 1, to: MAX_UID }],
      want: ['content'],
      limit: ROWS,
    });
    for (const row of rows) {
      uid = row.uid;
      if (digests) yield await digestFrame(context, row);
      else if (row.content !== undefined) {
        yield frameHead(headOf(row, row.size));
        yield* visibleOctets(context.store.blobs, row.content);
      }
    }
    if (rows.length < ROWS) return;
  }
}

function headOf({ uid, flags, keywords, receivedAt }: MessageRow, size: number): OutgoingHead {
  return { uid, flags, keywords, receivedAt, size };
}

async function digestFrame({ store }: AdminContext, row: MessageRow): Promise<Buffer> {
  const hash = createHash('sha256');
  if (row.content !== undefined)
    for await (const piece of visibleOctets(store.blobs, row.content)) hash.update(piece);
  return frameHead({ ...headOf(row, 0), digest: hash.digest('hex') });
}
