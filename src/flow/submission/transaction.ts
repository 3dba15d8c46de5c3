import { smtpReply } from '../../base/errors.ts';
import type { ResolvedTarget } from '../../data/directory/types.ts';
import { terms } from '../../data/journal/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import { hiddenOctets, privateFields, visibleHeader } from '../delivery/hidden.ts';
import { type Plan, type PlannedRecipient, planDelivery, queueRecipients } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { Intake, type TakenMessage } from '../intake.ts';
import { envelopeTerms, recordRefusal, sessionData, TraceEvents } from '../journal.ts';
import { BodyTap, signMessage } from '../outbound/sign.ts';
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
import { receivedField } from '../trace-header.ts';
import { checkAuthors } from './author.ts';
import type { HourlyCounts } from './hourly.ts';

export interface SubmissionContext {
  readonly deps: FlowDeps;
  readonly hourly: HourlyCounts;
  readonly session: SessionFacts;
  readonly login: SessionLogin;
  readonly reversePath: string;
  readonly params: MailParams;
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
    if (found.status === 'unknown') throw replies.unknownRecipient(text);
    if (found.status === 'loop') throw replies.aliasLoop(text);
    if (found.targets.every((target) => target.kind === 'account' && target.overQuota))
      throw replies.overQuota(text);
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

/** Check the authors, complete the header, sign, plan, commit, answer. */
async function submit(
  context: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  message: TakenMessage,
  body: BodyTap,
): Promise<DataOutcome> {
  const { deps, session, login, reversePath, params, trace } = context;
  const authors = await checkAuthors(deps, login, context.displayName, message.header);
  const hidden = privateFields(message.structure);
  const smtputf8 = params.smtputf8;
  const received = receivedField({
    session,
    hostname: deps.settings.hostname,
    trace,
    nowMs: deps.clock.now(),
    smtputf8,
    recipient: undefined,
  });
  const visible = Buffer.concat([Buffer.from(authors.added), visibleHeader(message.header, hidden)]);
  const signed = await signMessage(
    deps,
    authors.fromDomain,
    visible,
    body.hash(message.structure.root.bodyStart),
  );
  const added = Buffer.concat([signed.fields, Buffer.from(received + authors.added)]);
  const plan = planDelivery({
    recipients,
    reversePath,
    received: added.toString('latin1'),
    hidden,
    nowMs: deps.clock.now(),
    trace,
  });
  const queued =
    plan.forwards.length === 0
      ? undefined
      : outgoing(context, message, plan, added, hidden, authors.messageId);
  await deps.store.write.run('delivery.accept', {
    blob: message.blob,
    content: { ...message.content, messageId: message.content.messageId ?? authors.messageId },
    deposits: plan.deposits.map(({ deposit }) => deposit),
    overQuota: 'junk',
    queue: queued === undefined ? [] : [queued],
    events: submissionEvents(context, recipients, message, plan, queued, signed.selectors).list(),
  });
  context.hourly.add(login.accountId, recipients.length);
  const reply = smtpReply(250, '2.0.0', `Ok: queued as ${trace}`);
  return { reply, perRecipient: recipients.map(() => reply) };
}

function outgoing(
  context: SubmissionContext,
  message: TakenMessage,
  plan: Plan,
  prefix: Buffer,
  hidden: Enqueue['hidden'],
  messageId: string | undefined,
): Enqueue {
  const { deps, params, trace, login, reversePath } = context;
  const now = deps.clock.now();
  const { warnAfterMs, expireAfterMs, holdOutgoing } = deps.settings;
  return {
    queueId: trace,
    trace,
    origin: 'submission',
    accountId: login.accountId,
    reversePath,
    mayBounce: reversePath !== '',
    prefix,
    hidden,
    ret: params.ret,
    envid: params.envid,
    body: params.body,
    smtputf8: params.smtputf8,
    requireTls: params.requireTls,
    originated: true,
    messageId: message.content.messageId ?? messageId,
    size: message.size + prefix.length - hiddenOctets(hidden),
    warnAt: warnAfterMs === undefined ? undefined : now + warnAfterMs,
    expiresAt: expireAfterMs === undefined ? undefined : now + expireAfterMs,
    holdReason: holdOutgoing,
    recipients: queueRecipients(plan.forwards),
  };
}

function submissionEvents(
  context: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  message: TakenMessage,
  plan: Plan,
  queued: Enqueue | undefined,
  selectors: readonly string[],
): TraceEvents {
  const { deps, session, reversePath, trace } = context;
  const now = deps.clock.now();
  const to = recipients.map(({ address }) => address);
  const events = new TraceEvents(trace);
  const found = envelopeTerms(session, [reversePath, ...to]);
  if (message.content.messageId !== undefined) found.push(terms.messageId(message.content.messageId));
  const data = {
    ...sessionData(session),
    from: reversePath,
    to,
    size: message.size,
    messageId: message.content.messageId ?? null,
  };
  events.add(now, 'message.accepted', data, found);
  if (selectors.length > 0) events.add(now, 'message.signed', { selectors: [...selectors] });
  for (const { address, recipients: via } of plan.deposits) {
    events.add(now, 'message.deposited', { account: address, recipients: via, via: [], mailbox: 'INBOX' }, [
      terms.address(address),
    ]);
  }
  if (queued !== undefined) {
    const outside = queued.recipients.map(({ address }) => address);
    const about = {
      queueId: queued.queueId,
      from: reversePath,
      to: outside,
      held: queued.holdReason ?? null,
    };
    events.add(now, 'message.queued', about, [terms.queueId(queued.queueId), ...outside.map(terms.address)]);
  }
  return events;
}
