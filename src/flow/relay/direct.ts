import { createHash } from 'node:crypto';
import type { Logger } from '../../base/log.ts';
import { Refusal, type SmtpReply } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { isAscii } from '../../mail/address/domain.ts';
import { readAuthor } from '../../mail/author/author.ts';
import { readHeader } from '../../mail/message/headers.ts';
import type { SesMessage, SesSource } from '../../net/aws/types.ts';
import { relayLogLine } from './log.ts';
import type { RelayCounts } from './metrics.ts';
import type { RelayRules } from './rules.ts';
import type { RelayEnvelope, RelayOutlet, RelaySink } from './outlet.ts';
import { RECEIVED_MAX, relayReceived } from './received.ts';
import { logText, relayReplies, replyFor } from './replies.ts';
import { type SendParts, type Sent, sendInCalls } from './send.ts';
import type { SentMemory } from './sent-memory.ts';

/** Octets of all messages that are on the way at one time: each is held until SES has answered. */
const OCTETS_AT_ONCE = 256 * 1024 * 1024;

export type SesExtras = Pick<SesMessage, 'configurationSet' | 'sourceArn' | 'fromArn' | 'returnPathArn'>;

export interface DirectOptions extends SendParts {
  readonly hostname: string;
  /** Name of the service in the Received field. */
  readonly service: string;
  readonly extras: SesExtras;
  readonly rules: RelayRules;
  readonly memory: SentMemory;
  /** Send again what may have been sent: rather twice than not at all. */
  readonly resendUnsure: boolean;
  readonly counts: RelayCounts;
  readonly logger: Logger;
  /** Takes the lines of the JSON log. */
  readonly log: (line: string) => void;
}

/** Send each message while its client waits: the answer to DATA is that of SES. */
export function createDirectOutlet(options: DirectOptions): RelayOutlet {
  const room = { octets: OCTETS_AT_ONCE };
  return { open: (envelope) => new DirectSink(options, envelope, room) };
}

class DirectSink implements RelaySink {
  readonly #options: DirectOptions;
  readonly #envelope: RelayEnvelope;
  readonly #room: { octets: number };
  readonly #hash = createHash('sha256');
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(options: DirectOptions, envelope: RelayEnvelope, room: { octets: number }) {
    this.#options = options;
    this.#envelope = envelope;
    this.#room = room;
    this.#hash.update(`${envelope.from}\0`);
  }

  write(chunk: Buffer): void {
    if (this.#size + chunk.length > this.#options.ses.maxMessageBytes - RECEIVED_MAX)
      throw relayReplies.tooLarge();
    if (chunk.length > this.#room.octets) throw relayReplies.memory();
    this.#size += chunk.length;
    this.#room.octets -= chunk.length;
    this.#hash.update(chunk);
    // A small piece must not hold the large buffer it stands in.
    this.#chunks.push(chunk.buffer.byteLength > 2 * chunk.length ? Buffer.from(chunk) : chunk);
  }

  abort(): void {
    this.#chunks = [];
    this.#room.octets += this.#size;
    this.#size = 0;
  }

  async finish(): Promise<SmtpReply> {
    try {
      return await this.#deliver(this.#chunks);
    } catch (error) {
      if (error instanceof Refusal) this.#log(this.#envelope.recipients, error.message);
      throw error;
    } finally {
      this.abort();
    }
  }

  async #deliver(chunks: readonly Buffer[]): Promise<SmtpReply> {
    const { hostname, service, clock, memory, rules, extras, resendUnsure } = this.#options;
    const { recipients } = this.#envelope;
    const received = relayReceived({ ...this.#envelope, hostname, service, nowMs: clock.now() });
    const raw = sourceOf([Buffer.from(received, 'latin1'), ...chunks]);
    const header = headerOf(chunks);
    const from = this.#envelope.from === '' ? senderOf(header, rules) : this.#envelope.from;
    const unique = readHeader(header).first('message-id') !== undefined;
    return memory.handle(this.#hash.digest('base64'), async (sentBefore) => {
      const rest = recipients.filter((recipient) => !sentBefore.has(recipient));
      const served = recipients.length - rest.length;
      if (served > 0) this.#tell(rest);
      const went = await sendInCalls(this.#options, { ...extras, from, recipients: rest, raw });
      sentBefore.add(went.sent);
      if (went.error?.kind === 'unsure' && !resendUnsure) sentBefore.add(went.failed);
      return { result: this.#answer(went, served), complete: went.error === undefined, unique };
    });
  }

  /** Another try of a message that was sent to some. */
  #tell(rest: readonly string[]): void {
    const { from, trace, session } = this.#envelope;
    this.#options.logger.info(
      { trace, ip: session.remoteAddress, from, rest: rest.length },
      'this message was here before: it is sent to those only whom it has not reached',
    );
  }

  #answer({ sent, failed, untried, error }: Sent, before: number): SmtpReply {
    const { counts } = this.#options;
    if (sent.length > 0) {
      counts.sent();
      this.#log(sent, undefined);
    }
    if (error === undefined) return relayReplies.queued;
    counts.failed();
    const text = logText(error);
    this.#log([...failed, ...untried], text);
    if (error.kind === 'auth' || error.kind === 'missing' || error.kind === 'unsure')
      this.#options.logger.error({ trace: this.#envelope.trace, kind: error.kind, error: text }, 'not sent');
    return replyFor(error, sent.length + before, this.#envelope.recipients.length);
  }

  #log(to: readonly string[], error: string | undefined): void {
    const { session, from } = this.#envelope;
    const at = this.#options.clock.now();
    this.#options.log(relayLogLine({ at, ip: session.remoteAddress, from, to, error }));
  }
}

/** The octets in the pieces they came in: read, not copied. */
function sourceOf(pieces: readonly Buffer[]): SesSource {
  return {
    async *open() {
      yield* pieces;
    },
  };
}

/** The header section, or as much of it as one may be long. */
function headerOf(chunks: readonly Buffer[]): Buffer {
  const head: Buffer[] = [];
  let size = 0;
  for (const chunk of chunks) {
    head.push(chunk);
    size += chunk.length;
    if (size >= limits.headerBytes) break;
  }
  const octets = Buffer.concat(head).subarray(0, limits.headerBytes);
  const end = octets.indexOf('\r\n\r\n');
  return end === -1 ? octets : octets.subarray(0, end + 4);
}

/** SES takes no null reverse-path: a notice is sent as the address its From field shows, if that may send. */
export function senderOf(header: Buffer, { senderAllowed }: Pick<RelayRules, 'senderAllowed'>): string {
  const { address } = readAuthor(header);
  if (address === undefined || address === '' || !isAscii(address)) throw relayReplies.noSender();
  if (!senderAllowed(address)) throw relayReplies.deniedSender();
  return address;
}
