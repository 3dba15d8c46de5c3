import type { SmtpReply } from '../../base/errors.ts';
import { sendBody } from './body.ts';
import type { Session } from './client.ts';
import { mailCommand, missingCapability, rcptCommand } from './envelope.ts';
import { failureOf, SessionBroken, type ClientFailure } from './failure.ts';

export interface OutgoingRecipient {
  readonly address: string;
  readonly notify?: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[];
  /** Address type and decoded address. */
  readonly orcpt?: { readonly type: string; readonly address: string };
}

export interface OutgoingParams {
  /** Octets of the message, CRLFs counted, dots not doubled. */
  readonly size?: number;
  readonly body?: '7BIT' | '8BITMIME' | 'BINARYMIME';
  readonly smtputf8?: boolean;
  readonly requiretls?: boolean;
  readonly ret?: 'FULL' | 'HDRS';
  readonly envid?: string;
}

export interface OutgoingMessage {
  /** '' is the null reverse-path. */
  readonly reversePath: string;
  readonly params: OutgoingParams;
  readonly recipients: readonly OutgoingRecipient[];
  readonly body: Buffer | AsyncIterable<Buffer>;
}

/** What became of one recipient. */
export type RecipientOutcome =
  /** The server has the message for this recipient and is answerable for it. */
  | { readonly status: 'accepted'; readonly reply: SmtpReply }
  /** `local`: nothing was sent, the server lacks an extension the message needs. 4xx may be tried again. */
  | {
      readonly status: 'refused';
      readonly stage: 'local' | 'mail' | 'rcpt' | 'data';
      readonly reply: SmtpReply;
    }
  /** One transaction too many recipients (RFC 5321 section 4.5.3.1.10, RFC 9422): send again at once in another. */
  | { readonly status: 'another-transaction'; readonly reply?: SmtpReply }
  /** No answer; see `failure.phase`, 'after-data' above all. */
  | { readonly status: 'lost'; readonly failure: ClientFailure };

export interface SendOutcome {
  /** In the order of the message's recipients. */
  readonly recipients: readonly RecipientOutcome[];
  /** Set when the session broke; it cannot be used again. */
  readonly failure?: ClientFailure;
}

type Outcomes = (RecipientOutcome | undefined)[];

/** Run one transaction; `dirty` says that RSET is due before the next. */
export async function sendTransaction(
  session: Session,
  message: OutgoingMessage,
): Promise<{ outcome: SendOutcome; dirty: boolean }> {
  const { capabilities, tls, wire } = session;
  const missing = missingCapability(message, capabilities, tls !== undefined);
  if (missing !== undefined) {
    const refused: RecipientOutcome = { status: 'refused', stage: 'local', reply: missing };
    return { outcome: { recipients: message.recipients.map(() => refused) }, dirty: false };
  }
  const limit = capabilities.recipientMax ?? message.recipients.length;
  const outcomes: Outcomes = message.recipients.map((_, i) =>
    i < limit ? undefined : { status: 'another-transaction' },
  );
  const commands: Commands = {
    mail: mailCommand(message, capabilities),
    rcpts: message.recipients.slice(0, limit).map((recipient) => rcptCommand(recipient, capabilities)),
  };
  try {
    const dirty = await run(session, message, outcomes, commands);
    return { outcome: { recipients: settled(outcomes, undefined) }, dirty };
  } catch (error) {
    wire.connection.destroy();
    const failure = failureOf(error);
    return { outcome: { recipients: settled(outcomes, failure), failure }, dirty: false };
  }
}

/** MAIL and RCPT without a message to follow. */
export async function tryRecipient(
  session: Session,
  reversePath: string,
  recipient: string,
): Promise<{ replies: SmtpReply[]; failure?: ClientFailure }> {
  const { wire, capabilities } = session;
  const smtputf8 = /[^\0-\x7f]/.test(recipient);
  const message = { reversePath, params: { smtputf8 }, recipients: [], body: Buffer.alloc(0) };
  const replies: SmtpReply[] = [];
  try {
    const mail = await wire.command(mailCommand(message, capabilities), 'mail', wire.timeouts.mail);
    replies.push(mail);
    if (mail.code !== 250) return { replies };
    const rcpt = rcptCommand({ address: recipient }, capabilities);
    replies.push(await wire.command(rcpt, 'rcpt', wire.timeouts.rcpt));
    return { replies };
  } catch (error) {
    wire.connection.destroy();
    return { replies, failure: failureOf(error) };
  }
}

function settled(outcomes: Outcomes, failure: ClientFailure | undefined): RecipientOutcome[] {
  return outcomes.map((outcome) => {
    if (outcome !== undefined) return outcome;
    if (failure === undefined) throw new Error('a recipient without outcome');
    return { status: 'lost', failure };
  });
}

interface Commands {
  readonly mail: string;
  readonly rcpts: readonly string[];
}

/** Everything between MAIL and the last reply. Fills in `outcomes`; returns whether RSET is due. */
async function run(
  session: Session,
  message: OutgoingMessage,
  outcomes: Outcomes,
  { mail, rcpts }: Commands,
): Promise<boolean> {
  const { wire, capabilities } = session;
  const pipelining = capabilities.has('PIPELINING');
  const binary = message.params.body === 'BINARYMIME';
  // RFC 2920 section 3.1: DATA may only be the last of a group.
  if (pipelining) wire.send([mail, ...rcpts, ...(binary ? [] : ['DATA'])]);

  const refuseRest = (stage: 'mail' | 'data', reply: SmtpReply): void => {
    for (const i of rcpts.keys()) outcomes[i] ??= { status: 'refused', stage, reply };
  };
  if (!pipelining) wire.send([mail]);
  const mailReply = await wire.expect('mail', wire.timeouts.mail);
  const opened = mailReply.code === 250;
  if (!opened) refuseRest('mail', mailReply);
  if (!opened && !pipelining) return false;

  const accepted = await recipients(session, rcpts, pipelining, outcomes);
  const takers = opened ? accepted : [];
  if (takers.length === 0 && (!pipelining || binary)) return opened;
  if (!binary) {
    if (!pipelining) wire.send(['DATA']);
    const go = await wire.expect('data', wire.timeouts.dataInit);
    if (go.code !== 354) {
      refuseRest('data', go);
      return true;
    }
    if (takers.length === 0) {
      // RFC 2920 section 3.1: a server may say 354 without a recipient; an empty message ends it, to nobody.
      wire.send(['.']);
      await wire.expect('data', wire.timeouts.dataEnd);
      return true;
    }
  }
  return finish(session, message, takers, outcomes, binary);
}

/** RCPT replies, in order. Returns the indices of those accepted. */
async function recipients(
  session: Session,
  rcpts: readonly string[],
  pipelining: boolean,
  outcomes: Outcomes,
): Promise<number[]> {
  const { wire } = session;
  const accepted: number[] = [];
  for (const [i, rcpt] of rcpts.entries()) {
    if (!pipelining) wire.send([rcpt]);
    const reply = await wire.expect('rcpt', wire.timeouts.rcpt);
    if (outcomes[i] !== undefined) continue; // MAIL was refused
    if (reply.code === 250 || reply.code === 251) accepted.push(i);
    else if (accepted.length > 0 && isTooMany(reply)) outcomes[i] = { status: 'another-transaction', reply };
    else outcomes[i] = { status: 'refused', stage: 'rcpt', reply };
  }
  return accepted;
}

/** 452, or 552 as older servers say (RFC 5321 section 4.5.3.1.10); 452 4.2.2 is a full mailbox, not this. */
function isTooMany(reply: SmtpReply): boolean {
  if (reply.code !== 452 && reply.code !== 552) return false;
  return reply.enhanced === undefined ? reply.code === 452 : /^[45]\.5\.3$/.test(reply.enhanced);
}

/** The message itself and the reply, or with LMTP one reply for each accepted recipient (RFC 2033 section 4.2). */
async function finish(
  session: Session,
  message: OutgoingMessage,
  takers: readonly number[],
  outcomes: Outcomes,
  binary: boolean,
): Promise<boolean> {
  const { wire } = session;
  const early = await sendBody(wire, message.body, binary);
  if (early !== undefined) {
    for (const i of takers) outcomes[i] = { status: 'refused', stage: 'data', reply: early };
    return true;
  }
  let last: SmtpReply | undefined;
  for (const i of takers) {
    if (last === undefined || session.protocol === 'lmtp') last = await lastReply(session);
    outcomes[i] =
      last.code === 250
        ? { status: 'accepted', reply: last }
        : { status: 'refused', stage: 'data', reply: last };
  }
  return false;
}

/** A 421 here is an answer about the message, a clear one; the session is over all the same. */
async function lastReply(session: Session): Promise<SmtpReply> {
  const { wire } = session;
  try {
    return await wire.expect('after-data', wire.timeouts.dataEnd);
  } catch (error) {
    if (error instanceof SessionBroken && error.failure.reply !== undefined) return error.failure.reply;
    throw error;
  }
}
