import { Refusal, type SmtpReply, smtpReply } from '../../base/errors.ts';
import { traced } from '../../base/tracing.ts';
import { givenAway } from '../../data/blobs/given.ts';
import { type JournalEvent, terms } from '../../data/journal/types.ts';
import type { DepositResult } from '../../data/mailstore/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import type { Sent } from '../../data/spam/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import { hiddenOctets, visibleHeader } from '../delivery/hidden.ts';
import {
  depositIndexes,
  type Plan,
  type PlanInput,
  type PlannedRecipient,
  planDelivery,
  queueRecipients,
} from '../delivery/plan.ts';
import { namesIn } from '../written-to.ts';
import { archiveCopies } from '../archive.ts';
import { dropBody, storeOrDrop, type TakenMessage } from '../intake.ts';
import { acceptCommitted, depositEvents, envelopeTerms, queuedEvent, sessionData } from '../journal.ts';
import { neededParams, queueTimes } from '../outbound/enqueue.ts';
import type { NoticeSource } from '../outbound/notify.ts';
import type { BodyTap } from '../outbound/sign.ts';
import { successNotices } from '../outbound/success.ts';
import { replies } from '../replies.ts';
import { applyScripts, isNowhere } from '../sieve/apply.ts';
import type { ScriptOutcome } from '../sieve/types.ts';
import type { DataOutcome } from '../service.ts';
import { complete, type Completed } from './complete.ts';
import type { OutgoingJudgement } from './outgoing.ts';
import type { SubmissionContext } from './transaction.ts';

/** Count it, check the authors, complete the header, sign, plan, commit, answer. */
export function submit(
  context: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  message: TakenMessage,
  body: BodyTap,
): Promise<DataOutcome> {
  const { deps, trace } = context;
  return storeOrDrop(deps.store.bodies, message.blob, async () => {
    const takeBack = count(context, recipients.length);
    let judged: OutgoingJudgement | undefined;
    let recordId: number | undefined;
    try {
      const { span } = context.session;
      const completed = await traced(span, 'sign', () => complete(context, message, body));
      judged = await traced(span, 'judge', async () => judge(context, recipients, message));
      const { results, recordId: id } = await store(context, recipients, completed, judged?.holdReason);
      if (results.length > 0 && results.every(({ status }) => status === 'no-account')) {
        throw replies.unknownRecipient(recipients[0]?.address ?? '');
      }
      recordId = id;
    } catch (error) {
      judged?.takeBack();
      takeBack();
      throw error;
    }
    judged?.sent();
    const reply = okReply(trace);
    return { reply, perRecipient: recipients.map(() => reply), recordId };
  });
}

function okReply(trace: string): SmtpReply {
  return smtpReply(250, '2.0.0', `Ok: queued as ${trace}`);
}

/**
 * Sessions side by side have each passed MAIL and RCPT within the limits: here, before anything is awaited, the sum is
 * checked. Returns how to take the count back.
 */
function count(context: SubmissionContext, recipients: number): () => void {
  const { hourly, login, messagesPerHour, recipientsPerHour } = context;
  const used = hourly.used(login.accountId);
  if (used.messages >= messagesPerHour)
    throw replies.hourlyLimit('messages', messagesPerHour, used.minutesToWait);
  if (used.recipients + recipients > recipientsPerHour)
    throw replies.hourlyLimit('recipients', recipientsPerHour, used.minutesToWait);
  return hourly.add(login.accountId, recipients);
}

/** Whether the account sends what it usually does. */
function judge(
  { outgoing, session, login, reversePath, trace }: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  message: TakenMessage,
): Promise<OutgoingJudgement> | undefined {
  return outgoing?.judge({ session, login, reversePath, trace, recipients, message });
}

async function store(
  context: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  completed: Completed,
  holdReason: string | undefined,
): Promise<{ readonly results: readonly DepositResult[]; readonly recordId: number | undefined }> {
  const { deps, reversePath, trace } = context;
  const { message, prefix, hidden } = completed;
  // What leaves later waits in the queue as a whole, what is for people here too: it may yet be taken back.
  const held = holdReason !== undefined || context.params.releaseAt !== undefined;
  const planned = (held ? planHeld : planDelivery)({
    recipients,
    reversePath,
    received: prefix,
    hidden,
    nowMs: deps.clock.now(),
    trace,
  });
  const scripted = await scriptsFor(context, planned, recipients, completed);
  const { plan } = scripted;
  const [refusal] = scripted.refusals.values();
  if (refusal !== undefined) throw refusal;
  const onward =
    plan.forwards.length === 0 ? [] : [outgoing(context, plan, recipients, completed, holdReason)];
  const queue = [...onward, ...scripted.queue];
  const copies = copiesFor(context, recipients, completed);
  const header = visibleHeader(message.header, hidden);
  const silent = reversePath === '' || held;
  const notices = silent
    ? []
    : await successNotices(deps, sourceOf(context), recipients, depositIndexes(plan), header);
  try {
    const accept: WriteArgs<'delivery.accept'> = {
      blob: message.blob,
      content: message.content,
      deposits: plan.deposits.map(({ deposit }) => deposit),
      overQuota: 'junk',
      queue,
      copies,
      events: [...acceptedEvents(context, recipients, completed, [...queue, ...copies]), ...scripted.events],
      depositEvents: depositEvents(plan, trace, deps.clock.now()),
      notices: [...notices, ...scripted.notices],
      ...(scripted.scripted !== undefined && { scripted: scripted.scripted }),
      ...(holdReason === undefined && { sent: writtenTo(context, recipients, completed) }),
      ...submissionOf(context, recipients, held),
    };
    const { span: command } = context.session;
    const done = await traced(command, 'commit', async (span) => {
      span?.set({ 'postern.trace': trace, 'messaging.message.body.size': message.size });
      deps.tracer?.carry(trace, command);
      return deps.store.write.run('delivery.accept', accept, givenAway(message.blob));
    });
    const { deposits, submissionId: recordId } = done;
    acceptCommitted(deps, accept, deposits, okReply(trace), done.replied);
    if (isNowhere(scripted, deposits, copies.length)) await dropBody(deps.store.bodies, message.blob);
    return { results: queue.length > 0 ? [] : deposits, recordId };
  } catch (error) {
    throw error instanceof Refusal && error.kind === 'over-quota' ? replies.allOverQuota() : error;
  }
}

/** What the Sieve scripts of people here make of it. The sender has logged in: they may be told of anything. */
function scriptsFor(
  { deps, reversePath, params, trace }: SubmissionContext,
  plan: Plan,
  recipients: readonly PlannedRecipient[],
  { message, prefix, hidden }: Completed,
): Promise<ScriptOutcome> {
  return applyScripts(deps, {
    trace,
    reversePath,
    auth: params.auth,
    envid: params.envid,
    ret: params.ret,
    open: () => Promise.resolve(message),
    passed: Buffer.alloc(0),
    // Where our own people are is nobody's business, not even a script's.
    client: { ip: '', name: '', helo: '' },
    plan,
    recipients,
    answers: 'one',
    verdictOf: () => undefined,
    mayTell: reversePath !== '',
    forged: false,
    onward: {
      prefix,
      hidden,
      requireTls: params.requireTls,
      originated: true,
      needs: (addresses) => neededParams(message.structure, params, addresses, true),
    },
  });
}

/** What the archives of our domains get of it, held or not. */
function copiesFor(
  context: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  { message, prefix, hidden }: Completed,
): Enqueue[] {
  const { deps, params, reversePath, trace } = context;
  return archiveCopies(deps, {
    trace,
    reversePath,
    recipients,
    message,
    prefix,
    hidden,
    outbound: true,
    needs: (to) => ({ ...neededParams(message.structure, params, to, true), ...laterTimes(context) }),
  });
}

/** Whom the account writes to: they are strangers to it no longer. What is held may be a thief's. */
function writtenTo(
  { login }: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  { message }: Completed,
): Sent {
  return {
    accountId: login.accountId,
    addresses: recipients.map(({ address }) => address),
    messageId: message.content.messageId,
    names: namesIn(message.header),
  };
}

/** What JMAP keeps of it: with where those went that are not in the queue under their own address. */
function submissionOf(
  { login, params, trace }: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  held: boolean,
): Pick<WriteArgs<'delivery.accept'>, 'submission'> {
  if (params.record === undefined) return {};
  const here: Record<string, 'yes' | 'unknown'> = {};
  for (const { address, targets } of recipients) {
    if (held || isElsewhere({ address, targets })) continue;
    here[address.toLowerCase()] = targets.every(({ kind }) => kind === 'account') ? 'yes' : 'unknown';
  }
  const { data: given, ifSeq } = params.record;
  const data = JSON.stringify({ ...(JSON.parse(given) as object), queueId: trace, here });
  return { submission: { accountId: login.accountId, queueId: trace, data, ifSeq } };
}

/** No address of ours: it is in the queue under its own name. */
function isElsewhere({ address, targets }: Pick<PlannedRecipient, 'address' | 'targets'>): boolean {
  return targets.some((target) => target.kind === 'external' && target.address === address);
}

/** All of it waits in the queue, also what is for people here: a thief writes to them first. */
function planHeld({ recipients }: PlanInput): Plan {
  const forwards = new Map(
    recipients.map(({ address, orcpt, notify }) => {
      return [address.toLowerCase(), { address, recipient: address, orcpt, notify, via: [] }];
    }),
  );
  return { deposits: [], forwards: [...forwards.values()] };
}

function sourceOf({ deps, trace, login, reversePath, params }: SubmissionContext): NoticeSource {
  return {
    trace,
    accountId: login.accountId,
    reversePath,
    ret: params.ret,
    envid: params.envid,
    smtputf8: params.smtputf8,
    createdAt: deps.clock.now(),
    expiresAt: undefined,
  };
}

function outgoing(
  context: SubmissionContext,
  plan: Plan,
  envelope: readonly PlannedRecipient[],
  completed: Completed,
  holdReason: string | undefined,
): Enqueue {
  const { deps, params, trace, login, reversePath } = context;
  const { message, prefix, hidden } = completed;
  const addresses = [reversePath, ...plan.forwards.map(({ address }) => address)];
  const here = new Set(envelope.flatMap((each) => (isElsewhere(each) ? [] : each.address.toLowerCase())));
  // Where nothing may leave at all, what waits for its time and is for people here still comes to them.
  const comes = (address: string): boolean =>
    params.releaseAt !== undefined && holdReason === undefined && here.has(address.toLowerCase());
  const waiting = queueRecipients(plan.forwards).map((each) => ({ ...each, unheld: comes(each.address) }));
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
    ...neededParams(message.structure, params, addresses, true),
    requireTls: params.requireTls,
    originated: true,
    messageId: message.content.messageId,
    size: message.size + prefix.length - hiddenOctets(hidden),
    ...laterTimes(context),
    // An attempt that is cut short leaves its recipient held where the message is.
    holdReason: waiting.every(({ unheld }) => unheld)
      ? undefined
      : (holdReason ?? deps.settings.holdOutgoing),
    recipients: waiting,
  };
}

/** Its time to be delivered in begins when it may leave. */
function laterTimes({ deps, params: { releaseAt } }: SubmissionContext) {
  const times = queueTimes(deps);
  if (releaseAt === undefined) return times;
  const later = Math.max(0, releaseAt - deps.clock.now());
  const { warnAt, expiresAt } = times;
  return {
    warnAt: warnAt === undefined ? undefined : warnAt + later,
    expiresAt: expiresAt === undefined ? undefined : expiresAt + later,
    releaseAt,
  };
}

function acceptedEvents(
  context: SubmissionContext,
  recipients: readonly PlannedRecipient[],
  { message, selectors }: Completed,
  queue: readonly Enqueue[],
): JournalEvent[] {
  const { deps, session, reversePath, trace } = context;
  const at = deps.clock.now();
  const to = recipients.map(({ address }) => address);
  const { messageId } = message.content;
  const found = envelopeTerms(session, [reversePath, ...to]);
  if (messageId !== undefined) found.push(terms.messageId(messageId));
  const data = {
    ...sessionData(session),
    from: reversePath,
    to,
    size: message.size,
    messageId: messageId ?? null,
  };
  const events: JournalEvent[] = [{ trace, at, kind: 'message.accepted', data, terms: found }];
  if (selectors.length > 0)
    events.push({ trace, at, kind: 'message.signed', data: { selectors: [...selectors] }, terms: [] });
  return [...events, ...queue.map((queued) => queuedEvent(queued, at))];
}
