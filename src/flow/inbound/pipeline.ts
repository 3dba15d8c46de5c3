import { Refusal, type SmtpReply, smtpReply } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { traced } from '../../base/tracing.ts';
import { givenAway } from '../../data/blobs/given.ts';
import type { DepositResult } from '../../data/mailstore/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { claimingFields } from '../delivery/hidden.ts';
import { archiveCopies } from '../archive.ts';
import { isNowhere } from '../sieve/apply.ts';
import type { ScriptOutcome } from '../sieve/types.ts';
import { type Plan, type PlannedRecipient, planDelivery } from '../delivery/plan.ts';
import { dropBody, storeOrDrop, type TakenMessage } from '../intake.ts';
import { acceptCommitted, envelopeTerms, recordRefusal, sessionData } from '../journal.ts';
import { neededParams, queueTimes } from '../outbound/enqueue.ts';
import { replies } from '../replies.ts';
import type { DataOutcome } from '../service.ts';
import { type Envelope, type Failures, receivedFor } from './envelope.ts';
import type { Evidence } from './authenticate.ts';
import { correspondent, maskedMail } from './correspondents.ts';
import { joinedRanges } from './elsewhere.ts';
import { acceptedEvents } from './events.ts';
import { forwardMessages } from './forward.ts';
import { senderIsGenuine } from './genuine.ts';
import { type Judgement, judge } from './judge.ts';
import { waitingEvent } from './judged.ts';
import { inboundNotices } from './notices.ts';
import { observe, recognise, take } from './reported.ts';
import { refusalBy, refusedByScript, scriptsFor } from './scripts.ts';
import { deferUnproven, type Findings, isRefused, keepRefused, placeOf } from './outcome.ts';

/** The life of a received message: check it, judge it, plan where it goes, commit all of it at once, answer. */
export async function receive(envelope: Envelope, message: TakenMessage): Promise<DataOutcome> {
  const { bodies } = envelope.deps.store;
  const outcome = await storeOrDrop(bodies, message.blob, async () => {
    const loops = findLoops(envelope, message);
    const recipients = envelope.recipients.filter((recipient) => !loops.has(recipient));
    const { span } = envelope.session;
    const evidence = await traced(span, 'authenticate', () => envelope.authentication.finish(message.header));
    const judgement = await traced(span, 'judge', async (part) => {
      const found = await judged(envelope, message, evidence);
      part?.set({ 'postern.action': found?.site.action ?? 'none' });
      return found;
    });
    if (judgement !== undefined && isRefused(envelope, judgement)) {
      const refusal = await keepRefused(envelope, message, judgement);
      observe(envelope, evidence, judgement);
      return envelope.elsewhere === undefined ? refusal : setAside(envelope, refusal);
    }
    const plan = planFor(envelope, message, recipients, { evidence, judgement });
    const { results, scripted } = await deliver(envelope, message, plan, { loops, evidence, judgement });
    observe(envelope, evidence, judgement);
    if (isForNobody(envelope)) await throwAway(envelope, message);
    const gone = refused(recipients, scripted, results);
    const failures = new Map([...loops, ...gone]);
    if (failures.size < envelope.recipients.length) return answer(envelope, failures, gone);
    const first = failures.values().next().value;
    if (first !== undefined && !answersEach(envelope)) throw first;
    await dropBody(bodies, message.blob);
    return answer(envelope, failures, gone);
  });
  if (outcome instanceof Refusal) throw outcome;
  return outcome;
}

/** A host that asked for us is told what became of each recipient. */
function answersEach({ session, elsewhere }: Envelope): boolean {
  return session.protocol === 'lmtp' || elsewhere !== undefined;
}

/** Kept as unwanted, though it was taken: the words are for whoever asks what became of it. */
function setAside({ recipients }: Envelope, refusal: Refusal): DataOutcome {
  const reply = smtpReply(250, '2.6.0', `Set aside: ${refusal.message}`);
  return { reply, perRecipient: recipients.map(() => reply) };
}

/** An answer to what we send without wanting any: reports. */
function isForNobody({ recipients }: Envelope): boolean {
  return recipients.every(({ targets }) => targets.length === 0);
}

async function throwAway(envelope: Envelope, message: TakenMessage): Promise<void> {
  const { deps, session, trace, reversePath, recipients } = envelope;
  await dropBody(deps.store.bodies, message.blob);
  const to = recipients.map(({ address }) => address);
  deps.recorder.event({
    trace,
    at: deps.clock.now(),
    kind: 'message.accepted',
    data: {
      ...sessionData(session),
      from: reversePath,
      to,
      size: message.size,
      messageId: message.content.messageId ?? null,
      discarded: 'nobody reads what comes to this address',
    },
    terms: envelopeTerms(session, [reversePath, ...to]),
  });
}

/** What the filter makes of it; undefined where there is none, or it is off. */
async function judged(
  envelope: Envelope,
  message: TakenMessage,
  evidence: Evidence,
): Promise<Judgement | undefined> {
  const { filter } = envelope.deps;
  if (filter === undefined || !(await filter.current()).enabled) return undefined;
  const judgement = await judge(envelope, message, evidence, filter);
  try {
    if (envelope.elsewhere?.patienceOver !== true) deferUnproven(judgement);
    await envelope.gate.greylist(judgement);
  } catch (error) {
    if (error instanceof Refusal) envelope.deps.recorder.event(waitingEvent(envelope, judgement));
    throw error;
  }
  return judgement;
}

/** RFC 5321 6.3: too many hosts passed; or an alias that would send out what it has sent out before. */
function findLoops(envelope: Envelope, message: TakenMessage): Failures {
  const { receivedFields } = message.structure;
  if (receivedFields > limits.receivedFields) throw replies.mailLoop(receivedFields);
  const forwarding = envelope.recipients.filter(({ targets }) =>
    targets.some(({ kind }) => kind === 'external'),
  );
  if (forwarding.length === 0) return new Map();
  const passed = readHeader(message.header).all('delivered-to');
  const seen = new Set(passed.map((value) => value.trim().toLowerCase()));
  const looping = forwarding.filter(({ address }) => seen.has(address.toLowerCase()));
  return new Map(looping.map((recipient) => [recipient, replies.forwardLoop(recipient.address)]));
}

function planFor(
  envelope: Envelope,
  message: TakenMessage,
  recipients: readonly PlannedRecipient[],
  { evidence, judgement }: Findings,
): Plan {
  const { deps, reversePath, trace } = envelope;
  const { hostname } = deps.settings;
  return planDelivery({
    recipients,
    reversePath,
    received: receivedFor(envelope),
    hidden: joinedRanges(
      claimingFields(message.structure, message.header, hostname, judgement !== undefined),
      envelope.elsewhere?.hidden ?? [],
    ),
    nowMs: deps.clock.now(),
    trace,
    place: (accountId) => placeOf(evidence, judgement, accountId, hostname),
  });
}

/** The commit behind the 250: deposits, queue, notifications, journal. */
async function deliver(
  envelope: Envelope,
  message: TakenMessage,
  planned: Plan,
  { loops, evidence, judgement }: Findings & { readonly loops: Failures },
): Promise<{ readonly results: readonly DepositResult[]; readonly scripted: ScriptOutcome }> {
  const { deps, session, reversePath } = envelope;
  const genuine = senderIsGenuine(session, reversePath, evidence);
  const scripted = await scriptsFor(envelope, message, planned, { evidence, judgement }, genuine);
  const { plan } = scripted;
  const queue = [...(await forwardMessages(envelope, message, plan, genuine)), ...scripted.queue];
  const refusedThere = refusedByScript(envelope.recipients, scripted);
  const told = await inboundNotices(envelope, message, plan, loops, genuine, refusedThere);
  const notices = [...told, ...scripted.notices];
  const copies = copiesFor(envelope, message, planned);
  const { header } = message;
  const more = await envelope.elsewhere?.commit({ kind: 'taken', plan, loops, genuine, header });
  const queued = [...queue, ...copies];
  const events = acceptedEvents(envelope, message, plan, { queue: queued, loops, evidence, judgement });
  events.events.push(...scripted.events);
  try {
    const accept: WriteArgs<'delivery.accept'> = {
      blob: message.blob,
      content: message.content,
      deposits: plan.deposits.map(({ deposit }) => deposit),
      overQuota: session.protocol === 'lmtp' ? 'report' : 'junk',
      queue,
      copies,
      ...events,
      ...(more !== undefined && { events: [...more.events, ...events.events], intake: more.intake }),
      notices: [...notices, ...(more?.notices ?? [])],
      ...(scripted.scripted !== undefined && { scripted: scripted.scripted }),
      ...maskedMail(envelope, evidence),
      ...correspondent(evidence, judgement),
    };
    const report = recognise(envelope, message);
    const { deposits, replied } = await traced(session.span, 'commit', async (span) => {
      span?.set({ 'postern.trace': envelope.trace, 'messaging.message.body.size': message.size });
      deps.tracer?.carry(envelope.trace, session.span);
      return deps.store.write.run('delivery.accept', accept, givenAway(message.blob));
    });
    const at = plan.deposits[0]?.deposit.receivedAt ?? deps.clock.now();
    take(envelope, report, evidence, { deposits, queue, at });
    acceptCommitted(deps, accept, deposits, okReply(envelope.trace), replied);
    if (isNowhere(scripted, deposits, copies.length)) await dropBody(deps.store.bodies, message.blob);
    return { results: deposits, scripted };
  } catch (error) {
    throw error instanceof Refusal && error.kind === 'over-quota' ? replies.allOverQuota() : error;
  }
}

/** What the archives of our domains get of it. */
function copiesFor(envelope: Envelope, message: TakenMessage, plan: Plan): Enqueue[] {
  const { deps, trace, reversePath, params, elsewhere } = envelope;
  if (plan.deposits.length + plan.forwards.length === 0) return [];
  return archiveCopies(deps, {
    trace,
    reversePath,
    recipients: envelope.recipients,
    message,
    prefix: receivedFor(envelope),
    hidden: elsewhere?.hidden ?? [],
    outbound: false,
    needs: (to) => ({ ...neededParams(message.structure, params, to, false), ...queueTimes(deps) }),
  });
}

/** Recipients none of whose targets took the message: an alias to several is refused only when all refuse. */
function refused(
  recipients: readonly PlannedRecipient[],
  outcome: ScriptOutcome,
  results: readonly DepositResult[],
): [PlannedRecipient, Refusal][] {
  const { plan } = outcome;
  const statuses = new Map(plan.deposits.map(({ deposit }, i) => [deposit.accountId, results[i]?.status]));
  return recipients.flatMap((recipient): [PlannedRecipient, Refusal][] => {
    const outcomes = recipient.targets.map((target) =>
      target.kind === 'account' ? (statuses.get(target.accountId) ?? dealtWith(plan, target)) : 'stored',
    );
    if (recipient.targets.length === 0 || outcomes.includes('stored')) return [];
    const byScript = refusalBy(outcome, recipient);
    if (byScript !== undefined) return [[recipient, byScript]];
    const full = outcomes.includes('over-quota');
    return [[recipient, (full ? replies.overQuota : replies.unknownRecipient)(recipient.address)]];
  });
}

/** What a script threw away or sent on was taken. */
function dealtWith({ handled }: Plan, { accountId }: { readonly accountId: number }): 'stored' | undefined {
  return handled?.has(accountId) === true ? 'stored' : undefined;
}

function okReply(trace: string): SmtpReply {
  return smtpReply(250, '2.0.0', `Ok: queued as ${trace}`);
}

/** RFC 2033 4.2 wants an answer for each recipient; SMTP one for all. */
function answer(
  envelope: Envelope,
  failures: Failures,
  /** Who could not be given it after all: an account that went between RCPT and now, a quota met meanwhile. */
  gone: Iterable<readonly [PlannedRecipient, Refusal]>,
): DataOutcome {
  const { deps, session, reversePath, recipients, trace } = envelope;
  const reply = okReply(trace);
  const lmtp = answersEach(envelope);
  // SMTP has told the sender 250 for the others' sake: the journal at least says whom that does not hold for.
  for (const [{ address }, refusal] of lmtp ? failures : gone) {
    const data = { from: reversePath, to: address };
    recordRefusal(deps, session, 'message.refused', refusal, data, [reversePath, address], trace);
  }
  if (!lmtp) return { reply, perRecipient: recipients.map(() => reply) };
  const perRecipient = recipients.map((recipient): SmtpReply => failures.get(recipient)?.smtp ?? reply);
  return { reply, perRecipient };
}
