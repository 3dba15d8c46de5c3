import { errorText } from '../../../base/errors.ts';
import { RECODE_MAX_BYTES } from '../../../mail/message/recode.ts';
import type { LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import { type Aws, AwsError, type SesApi } from '../../../net/aws/types.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import type { FlowDeps } from '../../deps.ts';
import { recodedFor7bit } from '../recode.ts';
import type { SesApiSettings } from '../routing/settings.ts';
import { arnsFor } from '../ses-identities.ts';
import { openSesAccess, type SesAccess } from '../ses-account.ts';
import { judgeRefusal, type Judgement, outcomeOf, type RefusalContext, NOT_ASCII } from '../ses-refusals.ts';
import { type Prepared, prepareForSes, sesObjection } from '../ses-senders.ts';
import type { Attempt, MessageContent, Outcome, Transport } from '../transport.ts';

/** Recipients that one call may name. */
const RECIPIENTS_MAX = 50;
/** Calls for one message at most: one for each recipient, and the halvings that find those SES does not take. */
const CALLS_MAX = 200;

/** Sending by SES's API. */
export function createSesApi(
  deps: () => FlowDeps,
  name: string,
  settings: SesApiSettings,
  options: { readonly aws?: Aws | undefined } = {},
): Transport {
  const { clock, logger } = deps();
  const access = openSesAccess(name, settings, { clock, logger, ask: true, aws: options.aws });
  const api = access.aws.ses(settings.version);
  return {
    name,
    kind: 'ses-api',
    maxBytes: api.maxMessageBytes,
    maxRecipients: RECIPIENTS_MAX,
    ...(access.reportsWithinMs !== undefined && { reportsWithinMs: access.reportsWithinMs }),
    objection: (facts) => sesObjection(deps(), access.rules, facts),
    async attempt(work, content, stopping, attempt) {
      const sending = new Sending({ deps: deps(), settings, access, api }, work, stopping);
      await sending.run(content, attempt);
      return sending.outcomes;
    },
    close() {
      if (options.aws === undefined) access.aws.close();
      return Promise.resolve();
    },
  };
}

interface Parts {
  readonly deps: FlowDeps;
  readonly settings: SesApiSettings;
  readonly access: SesAccess;
  readonly api: SesApi;
}

/** One attempt: the message in calls of at most 50 recipients, one after the other. */
class Sending {
  readonly outcomes = new Map<number, Outcome>();
  readonly #parts: Parts;
  readonly #work: LeasedWork;
  readonly #stopping: AbortSignal;
  readonly #host: string;
  #calls = 0;

  constructor(parts: Parts, work: LeasedWork, stopping: AbortSignal) {
    this.#parts = parts;
    this.#work = work;
    this.#stopping = stopping;
    this.#host = `SES ${parts.settings.region}`;
  }

  async run(content: MessageContent, attempt: Attempt | undefined): Promise<void> {
    const { deps, access, api } = this.#parts;
    const { recipients } = this.#work;
    const lines = await asLines(deps, this.#work, content);
    if (lines === undefined) {
      const reason = 'SES takes no binary message (BINARYMIME), and this one is not ours to re-encode';
      return this.#all(recipients, { cause: 'message', status: '5.6.1', reason });
    }
    const prepared = await prepareForSes(deps, access.rules, this.#work.message, lines);
    if ('reason' in prepared) return this.#all(recipients, { ...prepared, status: '5.7.1' });
    if (prepared.content.size > api.maxMessageBytes) {
      const reason = `the message has ${megabytes(prepared.content.size)} MB; SES takes ${megabytes(api.maxMessageBytes)} by this API`;
      return this.#all(recipients, { cause: 'size', status: '5.3.4', reason });
    }
    const able = recipients.filter((recipient) => this.#isAble(recipient));
    for (let at = 0; at < able.length && !this.#stopping.aborted; at += RECIPIENTS_MAX)
      await this.#send(prepared, able.slice(at, at + RECIPIENTS_MAX), attempt);
  }

  #isAble(recipient: QueueRecipient): boolean {
    if (sesAddress(recipient.address) !== undefined) return true;
    this.#all([recipient], NOT_ASCII);
    return false;
  }

  #all(recipients: readonly QueueRecipient[], judgement: Judgement, pauseMs?: number): void {
    const outcome = outcomeOf(judgement, this.#host, pauseMs);
    for (const { id } of recipients) this.outcomes.set(id, outcome);
  }

  /** One call; again for those it was not about, when SES refuses it for some of its recipients. */
  async #send(
    prepared: Prepared,
    recipients: readonly QueueRecipient[],
    attempt: Attempt | undefined,
  ): Promise<void> {
    const { settings, access, api } = this.#parts;
    const turn = await access.limits.take(recipients.length, this.#stopping);
    if (turn === 'stopped') return;
    if (turn !== 'go') {
      return this.#all(recipients, { ...turn, status: undefined }, turn.pauseMs);
    }
    this.#calls++;
    try {
      const { messageId } = await api.send({
        from: prepared.from,
        recipients: recipients.map(({ address }) => sesAddress(address) ?? address),
        raw: prepared.content,
        configurationSet: settings.configuration_set,
        tags: { ...settings.tags, ...(attempt !== undefined && { 'postern-attempt': attempt.tag }) },
        ...arnsFor(settings, prepared.from, prepared.author),
      });
      access.limits.sent(recipients.length);
      for (const { id } of recipients) this.outcomes.set(id, this.#taken(messageId));
    } catch (error) {
      if (error instanceof AwsError) await this.#refused(error, prepared, recipients, attempt);
      else this.#fault(error, recipients);
    }
  }

  #taken(messageId: string): Outcome {
    return {
      outcome: 'delivered',
      reply: messageId === '' ? '250 2.0.0 Ok (without a message id)' : `250 2.0.0 Ok ${messageId}`,
      host: this.#host,
      answered: true,
      // SES has no DSN option (RFC 3461): what we know is that it was handed on.
      success: 'relayed',
      tls: this.#parts.settings.endpoint?.startsWith('http:') === true ? 'plain' : 'https',
      ...(messageId !== '' && { remoteId: messageId }),
    };
  }

  async #refused(
    error: AwsError,
    prepared: Prepared,
    recipients: readonly QueueRecipient[],
    attempt: Attempt | undefined,
  ): Promise<void> {
    if (error.kind === 'unsure' || error.kind === 'network') return this.#unanswered(error, recipients);
    const { limits, rules } = this.#parts.access;
    const context = this.#context(prepared, recipients);
    const judgement = judgeRefusal({ code: error.code, text: error.message, kind: error.kind }, context);
    if (judgement.cause === 'sender') rules.identities.doubt();
    const { only } = judgement;
    const guilty = only && recipients.filter(({ address }) => only.includes(address.toLowerCase()));
    if (guilty !== undefined && guilty.length > 0 && guilty.length < recipients.length) {
      this.#all(guilty, judgement);
      const others = recipients.filter((recipient) => !guilty.includes(recipient));
      return this.#again(prepared, others, judgement, attempt);
    }
    // A call is refused whole for one bad address, and does not always say which: halve it until that is found.
    if (judgement.cause === 'recipient' && recipients.length > 1) {
      const half = Math.ceil(recipients.length / 2);
      await this.#again(prepared, recipients.slice(0, half), judgement, attempt);
      return this.#again(prepared, recipients.slice(half), judgement, attempt);
    }
    const pauseMs =
      judgement.cause === 'rate'
        ? limits.throttled()
        : judgement.cause === 'quota'
          ? limits.usedUp()
          : undefined;
    this.#all(recipients, judgement, pauseMs);
  }

  /** A refused call has sent nothing, so the rest may be tried at once. */
  async #again(
    prepared: Prepared,
    recipients: readonly QueueRecipient[],
    judgement: Judgement,
    attempt: Attempt | undefined,
  ): Promise<void> {
    if (this.#calls >= CALLS_MAX) return this.#all(recipients, { ...judgement, status: undefined });
    await this.#send(prepared, recipients, attempt);
  }

  /** The fault is ours (the store could not be read): nothing was sent. */
  #fault(error: unknown, recipients: readonly QueueRecipient[]): void {
    const text = errorText(error).slice(0, 200);
    const { queueId } = this.#work.message;
    this.#parts.deps.logger.error({ queueId, error: text }, 'ses: a message could not be sent');
    const reason = `The attempt failed here: ${text}`;
    this.#all(recipients, { cause: 'ours', status: undefined, reason });
  }

  #unanswered(error: AwsError, recipients: readonly QueueRecipient[]): void {
    const lostReply = error.kind === 'unsure';
    const outcome: Outcome = {
      outcome: 'deferred',
      reply: lostReply
        ? `451 4.4.2 ${error.message}; the message may have been sent`
        : `451 4.4.1 ${error.message}`,
      cause: 'network',
      host: this.#host,
      answered: false,
      lostReply,
    };
    for (const { id } of recipients) this.outcomes.set(id, outcome);
  }

  #context(prepared: Prepared, recipients: readonly QueueRecipient[]): RefusalContext {
    const { settings, access } = this.#parts;
    return {
      region: settings.region,
      sandbox: access.limits.account()?.production === false,
      senders: prepared.senders,
      recipients: recipients.map(({ address }) => sesAddress(address) ?? address),
      configurationSet: settings.configuration_set,
    };
  }
}

/** The address with its domain as A-labels; undefined when SES cannot take it. */
export function sesAddress(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const domain = normalizeDomain(address.slice(at + 1)) ?? address.slice(at + 1);
  const text = `${address.slice(0, at)}@${domain}`;
  return /^[\x21-\x7e]+$/.test(text) ? text : undefined;
}

/** The message in lines: SES takes 7-bit and 8-bit ones, never binary. Undefined: it cannot be had. */
async function asLines(
  deps: FlowDeps,
  { message }: LeasedWork,
  content: MessageContent,
): Promise<MessageContent | undefined> {
  if (message.body !== 'BINARYMIME') return content;
  if (!message.originated || content.size > RECODE_MAX_BYTES) return undefined;
  const recoded = await recodedFor7bit(deps, message, content);
  if (recoded === undefined) return undefined;
  return {
    size: recoded.length,
    async *open() {
      yield recoded;
    },
  };
}

function megabytes(octets: number): string {
  return (octets / 1_048_576).toFixed(1).replace(/\.0$/, '');
}
