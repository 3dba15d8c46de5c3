import { Refusal } from '../../../base/errors.ts';
import { givenAway } from '../../../data/blobs/given.ts';
import { permittedSet } from '../../../data/mailstore/across.ts';
import type { FlagSet } from '../../../data/mailstore/types.ts';
import { Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { needMailbox, permittedFlags } from '../access.ts';
import { SESSION_LIMITS } from '../limits.ts';
import type { MessageIntake } from '../options.ts';
import { gatherNext } from '../read-command.ts';
import { refresh } from '../refresh.ts';
import { refuse } from '../replies.ts';
import { readLine, readOctets, type Session, SessionEnd } from '../session.ts';
import { dateTime } from '../wire/dates.ts';
import { type Decoder, literalHead, type LiteralHead, SyntaxFault } from '../wire/decoder.ts';
import { flagList } from '../wire/flags.ts';
import { type Command, LOGGED_IN, type Outcome } from './command.ts';

const NO_BYTES = new Uint8Array(0);

/** APPEND (RFC 9051 section 6.3.12): the message goes straight into the store's hands, never held whole. */
export const append: Command = {
  name: 'APPEND',
  states: LOGGED_IN,
  streams: true,
  run: receive,
};

interface Arguments {
  readonly name: string;
  readonly set: FlagSet;
  readonly receivedAt: number;
  readonly head: LiteralHead;
}

async function parse(session: Session, d: Decoder): Promise<Arguments> {
  d.sp();
  await gatherNext(session, d);
  const name = d.mailbox();
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
  const rest = d.rest();
  const head = literalHead(rest);
  if (head === undefined || head.at !== 0) return d.fail('the message as a literal');
  return { name, set, receivedAt, head };
}

async function receive(session: Session, d: Decoder): Promise<Outcome> {
  let args: Arguments;
  try {
    args = await parse(session, d);
  } catch (error) {
    // What comes along with a bad command must not be taken for commands.
    const head = literalHead(d.rest());
    if (error instanceof SyntaxFault && head?.nonSync) await swallow(session, head);
    throw error;
  }
  const { head } = args;
  const refusal = await check(session, args);
  if (refusal instanceof Refusal) {
    // A client that waits for our go-ahead gets NO instead (RFC 9051 section 4.3).
    if (head.nonSync) await swallow(session, head);
    throw refusal;
  }
  if (!head.nonSync) session.out.line('+ Ready for the message');
  const intake = session.options.intake();
  let finished = false;
  try {
    const failure = await takeIn(session, intake, head.size);
    await endOfCommand(session);
    if (failure !== undefined) throw failure;
    const { blob, content } = await intake.finish();
    finished = true;
    return await deposit(session, refusal, args, blob, content);
  } finally {
    if (!finished) intake.abort();
  }
}

/** The mailbox it goes to, or why not: known before the message is asked for. */
async function check(session: Session, { name, head }: Arguments): Promise<KnownMailbox | Refusal> {
  const { store, limits } = session.options;
  if (head.size > limits.messageBytes)
    return refuse('too-large', 'TOOBIG', `A message may have at most ${limits.messageBytes} octets`);
  // RFC 3502 section 6.3.11: no octets, no message.
  if (head.size === 0) return refuse('bad-input', 'CANNOT', 'An empty message cannot be stored');
  if (session.options.full?.() === true)
    return refuse('storage-full', 'UNAVAILABLE', 'The disk of the server is nearly full; try again later');
  const target = await targetOf(session, name);
  if (target instanceof Refusal) return target;
  const { accountId } = target.mailbox;
  const { used, limit } = await store.read.run('mailstore.quota', { accountId });
  if (limit > 0 && used + head.size > limit)
    return refuse('over-quota', 'OVERQUOTA', 'There is not enough room in the account');
  return target;
}

async function targetOf(session: Session, name: string): Promise<KnownMailbox | Refusal> {
  try {
    return await needMailbox(session, name, Right.Insert, 'TRYCREATE');
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** Hand on the message. A failure is kept until all of it has come, so that the session stays in step. */
async function takeIn(session: Session, intake: MessageIntake, size: number): Promise<unknown> {
  let failure: unknown;
  for await (const piece of readOctets(session, size)) {
    if (failure !== undefined) continue;
    try {
      await intake.write(piece);
    } catch (error) {
      failure = error;
    }
  }
  return failure;
}

async function endOfCommand(session: Session): Promise<void> {
  const rest = await readLine(session, session.options.limits.imapLineBytes);
  if (rest?.length === 0) return;
  const head = rest && literalHead(rest);
  if (head?.nonSync) await swallow(session, head);
  throw new SyntaxFault('expected the end of the command behind the message');
}

async function deposit(
  session: Session,
  { mailbox, rights }: KnownMailbox,
  { set, receivedAt }: Arguments,
  blob: Awaited<ReturnType<MessageIntake['finish']>>['blob'],
  content: Awaited<ReturnType<MessageIntake['finish']>>['content'],
): Promise<Outcome> {
  const { accountId, id: mailboxId } = mailbox;
  const where = {
    accountId,
    mailbox: { id: mailboxId },
    prefix: NO_BYTES,
    hidden: [],
    // RFC 4314 section 4: flags that the account may not set are left out.
    set: permittedSet(set, permittedFlags(rights)),
    receivedAt,
    trace: session.facts.id,
    ignoreQuota: false,
  };
  const request = { accountId, mailboxId, blob, content, deposit: where };
  const { uidvalidity, uid } = await session.options.store.write.run(
    'mailstore.append',
    request,
    givenAway(blob),
  );
  // RFC 9051 section 6.3.12: into the selected mailbox, it is told of at once.
  await refresh(session, session.view?.mailboxId === mailboxId);
  return { code: `APPENDUID ${uidvalidity} ${uid}`, text: 'APPEND completed' };
}

/** Throw away a message that is refused but on its way, and the rest of its command. */
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
