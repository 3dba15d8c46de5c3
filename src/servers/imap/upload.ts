import { Refusal } from '../../base/errors.ts';
import type { FlagSet, NewBlob, ParsedContent } from '../../data/mailstore/types.ts';
import { Right } from '../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../data/sharing/types.ts';
import { needMailbox } from './access.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MessageIntake } from './options.ts';
import { gatherNext } from './read-command.ts';
import { refuse } from './replies.ts';
import { readLine, readOctets, type Session, SessionEnd } from './session.ts';
import { openUrl } from './url-content.ts';
import { dateTime } from './wire/dates.ts';
import { type Decoder, literalHead, type LiteralHead, SyntaxFault } from './wire/decoder.ts';
import { respText } from './wire/encoder.ts';
import { flagList } from './wire/flags.ts';

/** A message that APPEND or REPLACE has brought, whole and durable but in no mailbox yet. */
export interface Uploaded {
  readonly set: FlagSet;
  readonly receivedAt: number;
  readonly blob: NewBlob;
  readonly content: ParsedContent;
  /** It is not going to be stored. */
  drop(): void;
}

/**
 * The messages of one command, for one mailbox, as they come: append-message of RFC 9051 section 9, RFC 4466, and what
 * RFC 3516, RFC 4469 and RFC 6855 add to it. What is wrong is said before a message is asked for, where that is known.
 */
export interface Upload {
  /** The mailbox, once it was found. */
  target: KnownMailbox | undefined;
  /** Octets of all messages that have been let in. */
  admitted: number;
  /** Octets of those before the one at hand that stand in memory. */
  held: number;
  readonly name: string;
  /** Whether the account's quota is looked at before the store does: what is replaced makes room. */
  readonly checkQuota: boolean;
}

export function newUpload(name: string, checkQuota: boolean): Upload {
  return { target: undefined, admitted: 0, held: 0, name, checkQuota };
}

/** A name of a mailbox at the beginning of what streams. */
export async function uploadMailbox(session: Session, d: Decoder): Promise<string> {
  d.sp();
  await gatherNext(session, d);
  return d.mailbox();
}

/** Read one message with its flags and date; `d` stands behind it then. */
export async function readMessage(session: Session, d: Decoder, upload: Upload): Promise<Uploaded> {
  d.sp();
  let set: FlagSet = { flags: 0, keywords: [] };
  if (d.atList) {
    set = flagList(d);
    d.sp();
  }
  let receivedAt = session.options.clock.now();
  if (d.peek() === '"') {
    receivedAt = dateTime(d);
    d.sp();
  }
  const intake = session.options.intake();
  let finished = false;
  try {
    await readData(session, d, upload, intake);
    const { blob, content } = await intake.finish();
    finished = true;
    upload.held += blob.data?.length ?? 0;
    return { set, receivedAt, blob, content, drop: () => intake.drop?.() };
  } finally {
    if (!finished) intake.abort();
  }
}

async function readData(session: Session, d: Decoder, upload: Upload, intake: MessageIntake): Promise<void> {
  const before = upload.admitted;
  if (d.skip('CATENATE (')) {
    await catenate(session, d, upload, intake);
    if (upload.admitted === before) throw noOctets();
    return;
  }
  if (atUtf8(session, d)) {
    await utf8Into(session, d, upload, intake, before);
    if (upload.admitted === before) throw noOctets();
    return;
  }
  // Known before it is asked for.
  const head = literalHead(d.rest());
  if (head?.at === 0 && head.size === 0) throw noOctets();
  await literalInto(session, d, upload, intake, before);
}

/** RFC 6855 section 4: "UTF8 (" before a message, or a part of one, with UTF-8 in its header. */
function atUtf8(session: Session, d: Decoder): boolean {
  return session.enabled.has('UTF8=ACCEPT') && d.skip('UTF8 (');
}

/** A literal8 it must be. */
async function utf8Into(
  session: Session,
  d: Decoder,
  upload: Upload,
  intake: MessageIntake,
  before: number,
): Promise<void> {
  if (d.peek() !== '~') d.fail('a literal8');
  await literalInto(session, d, upload, intake, before);
  d.need(')');
}

/** RFC 3502 section 6.3.11: no octets, no message, and none of the others. */
function noOctets(): Refusal {
  return refuse('bad-input', 'CANNOT', 'An empty message cannot be stored');
}

/** RFC 4469 section 3: a message put together of literals and of parts of other messages; `d` stands behind "(". */
async function catenate(session: Session, d: Decoder, upload: Upload, intake: MessageIntake): Promise<void> {
  const before = upload.admitted;
  let parts = 0;
  do {
    if (++parts > SESSION_LIMITS.catenatedParts)
      throw refuse(
        'limit',
        'LIMIT',
        `A message may have at most ${SESSION_LIMITS.catenatedParts} parts here`,
      );
    if (d.skip('TEXT ')) await literalInto(session, d, upload, intake, before);
    else if (atUtf8(session, d)) await utf8Into(session, d, upload, intake, before);
    else if (d.skip('URL ')) {
      await gatherNext(session, d);
      await urlInto(session, d.astring('a URL').toString('latin1'), upload, intake, before);
    } else d.fail('TEXT or URL');
  } while (d.skip(' '));
  d.need(')');
}

/** A literal goes straight into the store's hands, never held whole. `before`: `admitted` where the message began. */
async function literalInto(
  session: Session,
  d: Decoder,
  upload: Upload,
  intake: MessageIntake,
  before: number,
): Promise<void> {
  const head = literalHead(d.rest());
  if (head === undefined || head.at !== 0) return d.fail('the message as a literal');
  await admit(session, upload, head.size, before);
  if (!head.nonSync) session.out.line('+ Ready for the message');
  const failure = await takeIn(session, intake, head.size);
  await lineBehind(session, d);
  if (failure !== undefined) throw failure;
}

/** Hand on the message. A failure is kept until all of it has come, so that the session stays in step. */
async function takeIn(session: Session, intake: MessageIntake, size: number): Promise<unknown> {
  let failure: unknown;
  for await (const piece of readOctets(session, size)) {
    if (failure !== undefined) continue;
    try {
      const taken = intake.write(piece);
      if (taken === undefined) continue;
      await taken;
      // Nothing of it is kept: see `Input.giveBack`.
      session.input.giveBack();
    } catch (error) {
      failure = error;
    }
  }
  return failure;
}

async function urlInto(
  session: Session,
  url: string,
  upload: Upload,
  intake: MessageIntake,
  before: number,
): Promise<void> {
  const found = await openUrl(session, url);
  // RFC 4469 section 4.
  if (found === undefined)
    throw refuse('bad-input', `BADURL ${quotedUrl(url)}`, 'There is nothing at this URL that may be read');
  await admit(session, upload, found.size, before);
  for await (const piece of found.octets()) await intake.write(Buffer.from(piece));
}

/** resp-text cannot have what a URL cannot. */
function quotedUrl(url: string): string {
  return `"${respText(url.slice(0, 1000))
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/["\\\]]/g, '?')}"`;
}

/**
 * Whether so many octets more may come, asked before they are.
 * @throws Refusal
 */
async function admit(session: Session, upload: Upload, size: number, before: number): Promise<void> {
  const { store, limits } = session.options;
  if (upload.admitted - before + size > limits.messageBytes)
    throw refuse('too-large', 'TOOBIG', `A message may have at most ${limits.messageBytes} octets`);
  if (size === 0) return;
  if (session.options.full?.() === true)
    throw refuse('storage-full', 'UNAVAILABLE', 'The disk of the server is nearly full; try again later');
  if (upload.held > SESSION_LIMITS.appendedBytes)
    throw refuse('limit', 'LIMIT', 'These are too many messages for one command; send them in several');
  upload.target ??= await needMailbox(session, upload.name, Right.Insert, 'TRYCREATE');
  upload.admitted += size;
  if (!upload.checkQuota) return;
  const { accountId } = upload.target.mailbox;
  const { used, limit } = await store.read.run('mailstore.quota', { accountId });
  if (limit > 0 && used + upload.admitted > limit)
    throw refuse('over-quota', 'OVERQUOTA', 'There is not enough room in the account');
}

/** Go on with the line behind a literal. */
async function lineBehind(session: Session, d: Decoder): Promise<void> {
  const line = await readLine(session, session.options.limits.imapLineBytes);
  d.nextLine(line ?? Buffer.alloc(0));
  if (line === undefined) throw new SyntaxFault('command line too long');
}

/** A command ends early: what its client has sent along without waiting must not be taken for commands. */
export async function passOverRest(session: Session, d: Decoder, error: unknown): Promise<void> {
  if (error instanceof SessionEnd) return;
  // A client that waits for our go-ahead gets the answer instead (RFC 9051 section 4.3).
  const head = literalHead(d.rest());
  if (head?.nonSync) await swallow(session, head);
}

/** Throw away messages that are refused but on their way, and the rest of their command. */
async function swallow(session: Session, first: LiteralHead): Promise<void> {
  let head: LiteralHead | undefined = first;
  let room = SESSION_LIMITS.swallowFactor * session.options.limits.messageBytes;
  while (head?.nonSync) {
    room -= head.size;
    if (room < 0) throw new SessionEnd('message far too large', '[TOOBIG] Message far too large');
    for await (const piece of readOctets(session, head.size)) void piece;
    const line = await readLine(session, session.options.limits.imapLineBytes);
    head = line && literalHead(line);
  }
}

/** Whether it is certain that a write which failed has stored nothing. */
export function storedNothing(error: unknown): boolean {
  return error instanceof Refusal && error.kind !== 'unavailable';
}
