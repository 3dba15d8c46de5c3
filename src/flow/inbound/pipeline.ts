import { type SmtpReply, smtpReply } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import { limits } from '../../base/limits.ts';
import { type JournalData, terms } from '../../data/journal/types.ts';
import type { DepositResult } from '../../data/mailstore/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { checkHost } from '../../mail/spf/check.ts';
import { claimingFields, hiddenOctets } from '../delivery/hidden.ts';
import { type Plan, type PlannedRecipient, planDelivery, queueRecipients } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import type { TakenMessage } from '../intake.ts';
import { envelopeTerms, sessionData, TraceEvents } from '../journal.ts';
import { replies } from '../replies.ts';
import type { DataOutcome, MailParams, SessionFacts } from '../service.ts';
import { forwardedReversePath } from '../srs.ts';
import { receivedField } from '../trace-header.ts';

/** What the pipeline knows of a transaction when the message has arrived. */
export interface Envelope {
  readonly deps: FlowDeps;
  readonly session: SessionFacts;
  readonly reversePath: string;
  readonly params: MailParams;
  readonly trace: string;
  readonly recipients: readonly PlannedRecipient[];
}

/** The life of a received message: check it, plan where it goes, commit all of it at once, answer. */
export async function receive(envelope: Envelope, message: TakenMessage): Promise<DataOutcome> {
  const { deps, session, trace } = envelope;
  refuseLoops(envelope, message);
  const received = receivedFor(envelope);
  const hidden = claimingFields(message.structure, message.header, deps.settings.hostname);
  const plan = planDelivery({ ...envelope, received, hidden, nowMs: deps.clock.now() });
  const forward =
    plan.forwards.length === 0 ? undefined : await forwardMessage(envelope, message, plan, received);
  const events = acceptedEvents(envelope, message, plan, forward);
  const done = await deps.store.write.run('delivery.accept', {
    blob: message.blob,
    content: message.content,
    deposits: plan.deposits.map(({ deposit }) => deposit),
    overQuota: session.protocol === 'lmtp' ? 'report' : 'junk',
    queue: forward === undefined ? [] : [forward],
    events: events.list(),
  });
  return outcome(envelope, plan, done.deposits);
}

/** RFC 5321 6.3: too many hosts passed, or an alias sends out what it has sent out before. */
function refuseLoops(envelope: Envelope, message: TakenMessage): void {
  if (message.structure.receivedFields > limits.receivedFields)
    throw replies.mailLoop(message.structure.receivedFields);
  const forwards = envelope.recipients.filter(({ targets }) =>
    targets.some(({ kind }) => kind === 'external'),
  );
  if (forwards.length === 0) return;
  const seen = new Set(
    readHeader(message.header)
      .all('delivered-to')
      .map((value) => value.trim().toLowerCase()),
  );
  for (const { address } of forwards) if (seen.has(address.toLowerCase())) throw replies.forwardLoop(address);
}

function receivedFor(envelope: Envelope): string {
  const { deps, session, recipients, trace, params } = envelope;
  return receivedField({
    session,
    hostname: deps.settings.hostname,
    trace,
    nowMs: deps.clock.now(),
    smtputf8: params.smtputf8,
    recipient: recipients.length === 1 ? recipients[0]?.address : undefined,
  });
}

/** One queue message for all external addresses of the plan, with the original octets and an SRS reverse-path. */
async function forwardMessage(
  envelope: Envelope,
  message: TakenMessage,
  plan: Plan,
  received: string,
): Promise<Enqueue> {
  const { deps, reversePath, params } = envelope;
  const now = deps.clock.now();
  const first = plan.forwards[0];
  const via = first?.recipient ?? '';
  const prefix = Buffer.from(`Delivered-To: ${via}\r\n${received}`);
  const { warnAfterMs, expireAfterMs, holdOutgoing } = deps.settings;
  return {
    queueId: timeId(now),
    trace: envelope.trace,
    origin: 'forward',
    accountId: undefined,
    reversePath: await forwardedReversePath(deps, reversePath, via),
    mayBounce: reversePath !== '' && (await senderIsGenuine(envelope)),
    prefix,
    hidden: [],
    ret: params.ret,
    envid: params.envid,
    body: params.body,
    smtputf8: params.smtputf8,
    requireTls: params.requireTls,
    originated: false,
    messageId: message.content.messageId,
    size: message.size + prefix.length,
    warnAt: warnAfterMs === undefined ? undefined : now + warnAfterMs,
    expiresAt: expireAfterMs === undefined ? undefined : now + expireAfterMs,
    holdReason: holdOutgoing,
    recipients: queueRecipients(plan.forwards),
  };
}

/** Whether a failure may be told to the reverse-path after our 250: only when SPF says it is its own. */
async function senderIsGenuine(envelope: Envelope): Promise<boolean> {
  const { deps, session, reversePath } = envelope;
  if (deps.dns === undefined) return false;
  const spf = await checkHost({
    ip: session.remoteAddress,
    helo: session.helo,
    mailFrom: reversePath,
    dns: deps.dns,
    nowMs: deps.clock.now(),
    receiver: deps.settings.hostname,
  });
  return spf.result === 'pass';
}

function acceptedEvents(
  envelope: Envelope,
  message: TakenMessage,
  plan: Plan,
  forward: Enqueue | undefined,
): TraceEvents {
  const { deps, session, reversePath, recipients, trace } = envelope;
  const now = deps.clock.now();
  const events = new TraceEvents(trace);
  const addresses = [reversePath, ...recipients.map(({ address }) => address)];
  const found = envelopeTerms(session, addresses);
  if (message.content.messageId !== undefined) found.push(terms.messageId(message.content.messageId));
  events.add(now, 'message.accepted', acceptedData(envelope, message), found);
  for (const { address, recipients: from, via } of plan.deposits) {
    events.add(
      now,
      'message.deposited',
      { account: address, recipients: from, via: [...via], mailbox: 'INBOX' },
      [terms.address(address)],
    );
  }
  if (forward !== undefined) {
    const to = forward.recipients.map(({ address }) => address);
    const data = {
      queueId: forward.queueId,
      from: forward.reversePath,
      to,
      held: forward.holdReason ?? null,
    };
    events.add(now, 'message.queued', data, [terms.queueId(forward.queueId), ...to.map(terms.address)]);
  }
  return events;
}

function acceptedData(envelope: Envelope, message: TakenMessage): JournalData {
  return {
    ...sessionData(envelope.session),
    from: envelope.reversePath,
    to: envelope.recipients.map(({ address }) => address),
    size: message.size,
    messageId: message.content.messageId ?? null,
    hidden: hiddenOctets(claimingFields(message.structure, message.header, envelope.deps.settings.hostname)),
  };
}

/** RFC 2033 4.2 wants an answer for each recipient; SMTP one for all. */
function outcome(envelope: Envelope, plan: Plan, results: readonly DepositResult[]): DataOutcome {
  const reply = smtpReply(250, '2.0.0', `Ok: queued as ${envelope.trace}`);
  const failed = new Map<number, SmtpReply>();
  plan.deposits.forEach(({ deposit, address }, index) => {
    const status = results[index]?.status;
    if (status === 'over-quota')
      failed.set(deposit.accountId, smtpReply(452, '4.2.2', `<${address}>: mailbox is full`));
    if (status === 'no-account')
      failed.set(deposit.accountId, smtpReply(550, '5.1.1', `<${address}>: no such recipient`));
  });
  const perRecipient = envelope.recipients.map(({ targets }) => {
    // An alias to several is refused only when none of them took the message.
    const refusals = targets.map((target) =>
      target.kind === 'account' ? failed.get(target.accountId) : undefined,
    );
    return refusals.includes(undefined) ? reply : (refusals[0] ?? reply);
  });
  return { reply, perRecipient };
}
