import type { ResolvedTarget } from '../../data/directory/types.ts';
import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { Intake } from '../intake.ts';
import { requireOpenGroups } from '../groups.ts';
import { recordRefusal } from '../journal.ts';
import { BodyTap } from '../outbound/sign.ts';
import { addressText, parseRecipient, resolve } from '../recipient.ts';
import { replies } from '../replies.ts';
import type {
  DataOutcome,
  MailParams,
  MailTransaction,
  MessageSink,
  RcptParams,
  SessionFacts,
  SessionLogin,
} from '../service.ts';
import type { HourlyCounts } from './hourly.ts';
import type { OutgoingWatch } from './outgoing.ts';
import { submit } from './submit.ts';

export interface SubmissionContext {
  readonly deps: FlowDeps;
  readonly hourly: HourlyCounts;
  /** Holds what is unusual; without one nothing is held. */
  readonly outgoing: OutgoingWatch | undefined;
  readonly session: SessionFacts;
  readonly login: SessionLogin;
  readonly reversePath: string;
  readonly params: MailParams;
  readonly messagesPerHour: number;
  readonly recipientsPerHour: number;
  readonly displayName: string;
  readonly trace: string;
}

/** One message from a user of ours: completed, signed, put into local mailboxes and the queue in one commit. */
export class SubmissionTransaction implements MailTransaction {
  readonly #context: SubmissionContext;
  readonly #recipients: PlannedRecipient[] = [];
  #intake: Intake | undefined;

  constructor(context: SubmissionContext) {
    this.#context = context;
  }

  async rcpt(address: string, params: RcptParams): Promise<void> {
    const { deps, session, reversePath } = this.#context;
    try {
      this.#refuseOverLimit();
      const mailbox = parseRecipient(address, this.#context.params.smtputf8, deps.settings.hostname);
      const text = addressText(mailbox);
      this.#recipients.push({
        address: text,
        notify: params.notify,
        orcpt: params.orcpt === undefined ? undefined : `${params.orcpt.type};${params.orcpt.address}`,
        targets: await this.#targets(text, await resolve(deps, mailbox, this.#context.params.size ?? 0)),
      });
    } catch (error) {
      const data = { from: reversePath, to: address.slice(0, 500) };
      recordRefusal(deps, session, 'recipient.refused', error, data, [reversePath, address]);
      throw error;
    }
  }

  #refuseOverLimit(): void {
    const { hourly, login, recipientsPerHour } = this.#context;
    const { recipients, minutesToWait } = hourly.used(login.accountId);
    if (recipients + this.#recipients.length < recipientsPerHour) return;
    throw replies.hourlyLimit('recipients', recipientsPerHour, minutesToWait);
  }

  async #targets(
    text: string,
    found: Awaited<ReturnType<typeof resolve>>,
  ): Promise<readonly ResolvedTarget[]> {
    if (found.status === 'not-local') return [{ kind: 'external', address: text, via: [] }];
    if (found.status === 'unknown')
      throw found.switchedOff === true ? replies.switchedOff(text) : replies.unknownRecipient(text);
    if (found.status === 'loop') throw replies.aliasLoop(text);
    if (found.targets.every((target) => target.kind === 'account' && target.overQuota))
      throw replies.overQuota(text);
    const { deps, login, reversePath } = this.#context;
    const { accountId } = login;
    await requireOpenGroups(deps, found.targets, { sender: reversePath, accountId }, text);
    return found.targets;
  }

  async open(): Promise<MessageSink> {
    const { deps } = this.#context;
    const body = new BodyTap();
    const intake = new Intake({
      bodies: deps.store.bodies,
      maxBytes: deps.settings.maxMessageBytes,
      tap: (chunk) => body.push(chunk),
    });
    this.#intake = intake;
    return {
      write: (chunk) => intake.write(chunk),
      finish: () => this.#finish(intake, body),
      abort: () => this.abandon(),
    };
  }

  async #finish(intake: Intake, body: BodyTap): Promise<DataOutcome> {
    this.#intake = undefined;
    const { deps, session, reversePath } = this.#context;
    try {
      return await submit(this.#context, this.#recipients, await intake.finish(), body);
    } catch (error) {
      const to = this.#recipients.map(({ address }) => address);
      const data = { from: reversePath, to: to.join(', ').slice(0, 500) };
      recordRefusal(deps, session, 'message.refused', error, data, [reversePath, ...to]);
      throw error;
    }
  }

  abandon(): void {
    this.#intake?.abort();
    this.#intake = undefined;
  }
}
