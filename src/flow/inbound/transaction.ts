import type { ResolvedTarget } from '../../data/directory/types.ts';
import type { Mailbox } from '../../mail/address/path.ts';
import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { Intake } from '../intake.ts';
import { recordRefusal } from '../journal.ts';
import { addressText, parseRecipient, resolve } from '../recipient.ts';
import { replies } from '../replies.ts';
import type {
  DataOutcome,
  MailParams,
  MailTransaction,
  MessageSink,
  RcptParams,
  SessionFacts,
} from '../service.ts';
import { DkimTap } from './genuine.ts';
import { receive } from './pipeline.ts';
import { srsTarget } from '../srs.ts';

/** One MAIL transaction from another host: recipients are judged one by one, the message once, at its end. */
export class InboundTransaction implements MailTransaction {
  readonly deps: FlowDeps;
  readonly session: SessionFacts;
  readonly reversePath: string;
  readonly params: MailParams;
  readonly trace: string;
  readonly recipients: PlannedRecipient[] = [];
  dkim: DkimTap | undefined;
  #intake: Intake | undefined;

  constructor(deps: FlowDeps, session: SessionFacts, reversePath: string, params: MailParams, trace: string) {
    this.deps = deps;
    this.session = session;
    this.reversePath = reversePath;
    this.params = params;
    this.trace = trace;
  }

  async rcpt(address: string, params: RcptParams): Promise<void> {
    try {
      const mailbox = parseRecipient(address, this.params.smtputf8, this.deps.settings.hostname);
      this.recipients.push({
        address: addressText(mailbox),
        notify: params.notify,
        orcpt: params.orcpt === undefined ? undefined : `${params.orcpt.type};${params.orcpt.address}`,
        targets: (await srsTarget(this.deps, mailbox, this.reversePath)) ?? (await this.#targets(mailbox)),
      });
    } catch (error) {
      const data = { from: this.reversePath, to: address.slice(0, 500) };
      recordRefusal(this.deps, this.session, 'recipient.refused', error, data, [this.reversePath, address]);
      throw error;
    }
  }

  /** Accounts and external addresses behind a recipient; throws the refusal for this recipient alone. */
  async #targets(mailbox: Mailbox): Promise<readonly ResolvedTarget[]> {
    const found = await resolve(this.deps, mailbox, this.params.size ?? 0);
    const text = addressText(mailbox);
    if (found.status === 'not-local') throw replies.relayDenied(text);
    if (found.status === 'unknown') throw replies.unknownRecipient(text);
    if (found.status === 'loop') throw replies.aliasLoop(text);
    if (found.targets.every((target) => target.kind === 'account' && target.overQuota))
      throw replies.overQuota(text);
    return found.targets;
  }

  async open(): Promise<MessageSink> {
    const { deps } = this;
    // Whether a sender may be written to is only asked for mail that can come back, or that asks for news.
    const asks =
      this.session.protocol === 'smtp' &&
      this.reversePath !== '' &&
      this.recipients.some(
        ({ targets, notify }) =>
          notify.includes('SUCCESS') || targets.some(({ kind }) => kind === 'external'),
      );
    const dkim = asks && deps.dns !== undefined ? new DkimTap(deps, deps.dns) : undefined;
    this.dkim = dkim;
    const intake = new Intake({
      bodies: deps.store.bodies,
      maxBytes: deps.settings.maxMessageBytes,
      ...(dkim !== undefined && { tap: (chunk: Buffer) => dkim.push(chunk) }),
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
      recordRefusal(this.deps, this.session, 'message.refused', error, data, addresses);
      throw error;
    }
  }

  abandon(): void {
    this.#intake?.abort();
    this.#intake = undefined;
  }
}
