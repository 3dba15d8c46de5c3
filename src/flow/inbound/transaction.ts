import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { Intake } from '../intake.ts';
import { recordRefusal } from '../journal.ts';
import { addressText, parseRecipient } from '../recipient.ts';
import type {
  DataOutcome,
  MailParams,
  MailTransaction,
  MessageSink,
  RcptParams,
  SessionFacts,
} from '../service.ts';
import { type Authentication, createAuthentication } from './authenticate.ts';
import type { EnvelopeFacts } from './envelope.ts';
import type { EnvelopeGate } from './gate/envelope.ts';
import { pipelineFacts } from './gate/pipeline-facts.ts';
import { receive } from './pipeline.ts';
import { recipientTargets } from './targets.ts';

export interface InboundParts {
  readonly deps: FlowDeps;
  readonly session: SessionFacts;
  readonly reversePath: string;
  readonly params: MailParams;
  readonly trace: string;
  readonly envelopeGate: EnvelopeGate;
}

/** One MAIL transaction from another host: recipients are judged one by one, the message once, at its end. */
export class InboundTransaction implements MailTransaction {
  readonly deps: FlowDeps;
  readonly session: SessionFacts;
  readonly reversePath: string;
  readonly params: MailParams;
  readonly trace: string;
  readonly recipients: PlannedRecipient[] = [];
  readonly gate: EnvelopeFacts;
  readonly #envelopeGate: EnvelopeGate;
  #authentication: Authentication | undefined;
  #intake: Intake | undefined;

  constructor(parts: InboundParts) {
    this.deps = parts.deps;
    this.session = parts.session;
    this.reversePath = parts.reversePath;
    this.params = parts.params;
    this.trace = parts.trace;
    this.#envelopeGate = parts.envelopeGate;
    this.gate = pipelineFacts(parts.envelopeGate, () => this.recipients[0]?.address ?? '');
  }

  async rcpt(address: string, params: RcptParams): Promise<void> {
    try {
      const mailbox = parseRecipient(address, this.params.smtputf8, this.deps.settings.hostname);
      this.recipients.push({
        address: addressText(mailbox),
        notify: params.notify,
        orcpt: params.orcpt === undefined ? undefined : `${params.orcpt.type};${params.orcpt.address}`,
        targets: await recipientTargets(this.deps, mailbox, this.reversePath, this.params.size ?? 0),
      });
      void this.authentication;
      await this.#envelopeGate.accepted();
    } catch (error) {
      const refused = await this.#envelopeGate.refused(error);
      const { waitedMs } = refused;
      const data = { from: this.reversePath, to: address.slice(0, 500), ...(waitedMs > 0 && { waitedMs }) };
      const about = [this.reversePath, address];
      recordRefusal(this.deps, this.session, 'recipient.refused', refused.error, data, about);
      throw refused.error;
    }
  }

  /** Begun with the first recipient that is taken: DNS is asked while the message is on its way. */
  get authentication(): Authentication {
    const { deps, session, reversePath } = this;
    // A program beside us hands on what was taken elsewhere: its own address proves nothing.
    const remote = session.protocol === 'smtp';
    return (this.#authentication ??= createAuthentication({
      dns: remote ? deps.dns : undefined,
      clock: deps.clock,
      receiver: deps.settings.hostname,
      ip: session.remoteAddress,
      helo: session.helo,
      reversePath,
    }));
  }

  async open(): Promise<MessageSink> {
    const { deps, authentication } = this;
    const intake = new Intake({
      bodies: deps.store.bodies,
      maxBytes: deps.settings.maxMessageBytes,
      tap: (chunk) => authentication.push(chunk),
    });
    this.#intake = intake;
    return {
      write: (chunk) => intake.write(chunk),
      finish: () => this.#finish(intake),
      abort: () => this.abandon(),
    };
  }

  async #finish(intake: Intake): Promise<DataOutcome> {
    this.#intake = undefined;
    try {
      return await receive(this, await intake.finish());
    } catch (error) {
      const data = {
        from: this.reversePath,
        to: this.recipients
          .map(({ address }) => address)
          .join(', ')
          .slice(0, 500),
      };
      const addresses = [this.reversePath, ...this.recipients.map(({ address }) => address)];
      recordRefusal(this.deps, this.session, 'message.refused', error, data, addresses, this.trace);
      throw error;
    }
  }

  abandon(): void {
    this.#authentication?.abandon();
    this.#envelopeGate.abandon();
    this.#intake?.abort();
    this.#intake = undefined;
  }
}
