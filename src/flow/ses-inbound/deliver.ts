import { Refusal } from '../../base/errors.ts';
import type { IntakePart, RecipientOutcome } from '../../data/intake/types.ts';
import type { JournalEvent } from '../../data/journal/types.ts';
import type { NewOutgoing } from '../../data/queue/types.ts';
import type { Plan, PlannedRecipient } from '../delivery/plan.ts';
import type { ElsewhereCommit, Ending, TakenElsewhere } from '../inbound/elsewhere.ts';
import type { Envelope } from '../inbound/envelope.ts';
import { senderIsGenuine } from '../inbound/genuine.ts';
import { openGate } from '../inbound/gate/envelope.ts';
import { pipelineFacts } from '../inbound/gate/pipeline-facts.ts';
import { receive } from '../inbound/pipeline.ts';
import { dropBody } from '../intake.ts';
import type { Decision } from '../spam/verdict.ts';
import type { Arrival } from './arrival.ts';
import { bounce, refusedEvent } from './bounce.ts';
import { type IntakeCase, intakeEvent, partOf } from './case.ts';
import type { SesVerdicts } from './notice.ts';
import { type Addressed, isForeign, recipientId, type Unreachable } from './recipients.ts';
import type { IntakeParts } from './types.ts';
import { sesDecisions, sesFacts, verdictsText } from './verdicts.ts';
import { PATIENCE_MS, removalAt, retryAt } from './times.ts';

export interface Delivery {
  readonly parts: IntakeParts;
  readonly one: IntakeCase;
  readonly arrival: Arrival;
  readonly addressed: Addressed;
  /** Nobody told us whom it is for: more may be named later. */
  readonly guessed: boolean;
}

/** The message through the pipeline of port 25, to those who can have it. Throws what the pipeline throws. */
export async function deliver(delivery: Delivery): Promise<void> {
  const { addressed, arrival, one } = delivery;
  if (addressed.reached.length === 0) return nobody(delivery);
  const envelope = await envelopeOf(delivery);
  const { perRecipient } = await receive(envelope, arrival.message);
  const failed = addressed.reached.flatMap(({ address }, index): Unreachable[] => {
    const reply = perRecipient[index];
    if (reply === undefined || reply.code < 500) return [];
    return [{ address, refusal: new Refusal('not-permitted', reply.lines.join(' '), { smtp: reply }) }];
  });
  await settleRest(
    delivery,
    failed,
    perRecipient.map(({ code }) => code),
  );
  delivery.parts.metrics.lag(one.source.settings.name, one.deps.clock.now() - one.receivedAt);
}

async function envelopeOf(delivery: Delivery): Promise<Envelope> {
  const { parts, one, arrival, addressed } = delivery;
  const { deps, trace } = one;
  const { session, reversePath, authentication, message } = arrival;
  // Of a client that is not known nothing can be asked.
  const known = session.remoteAddress !== '' && session.helo !== '';
  const late = known ? await parts.gate?.late(session, reversePath) : undefined;
  const gate = pipelineFacts(late?.gate ?? openGate, () => addressed.reached[0]?.address ?? '');
  return {
    deps,
    session,
    reversePath,
    params: {
      size: message.size,
      body: '8BITMIME',
      smtputf8: ![reversePath, ...addressed.reached.map(({ address }) => address)].every(isAscii),
      requireTls: false,
      ret: undefined,
      envid: undefined,
      auth: undefined,
    },
    trace,
    recipients: addressed.reached,
    authentication,
    // SES has answered: there is nobody who could come again.
    gate: { ...gate, greylist: async () => undefined },
    elsewhere: elsewhere(delivery, late?.refusal),
  };
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function elsewhere(delivery: Delivery, refusal: Refusal | undefined): TakenElsewhere {
  const { one, arrival } = delivery;
  const verdicts: SesVerdicts = { ...arrival.fields.verdicts, ...one.notice?.verdicts };
  const refused: Decision[] =
    refusal === undefined
      ? []
      : [{ action: 'refuse', reason: { name: 'GATE', score: 0, text: refusal.message } }];
  return {
    facts: (evidence) => sesFacts(verdicts, evidence),
    decisions: [...sesDecisions(verdicts), ...refused],
    onRefuse: one.source.settings.on_refuse,
    hidden: arrival.fields.returnPath === undefined ? [] : [arrival.fields.returnPath],
    patienceOver: one.deps.clock.now() - one.receivedAt > PATIENCE_MS,
    commit: (ending) => commit(delivery, ending, verdicts),
  };
}

async function commit(delivery: Delivery, ending: Ending, verdicts: SesVerdicts): Promise<ElsewhereCommit> {
  const { one, arrival, addressed } = delivery;
  const { unknown } = addressed;
  const mayTell = ending.kind === 'taken' && ending.genuine;
  const told = await tell(delivery, unknown, mayTell);
  const settled: IntakePart['settled'] = [
    ...addressed.reached.map((recipient) => settledOf(one, recipient, ending)),
    ...settledAs(one, unknown, told.outcome),
  ];
  const lag = Math.max(0, one.deps.clock.now() - one.receivedAt);
  const received = intakeEvent(one, 'intake.received', {
    via: arrival.session.via ?? '',
    lagMs: lag,
    size: arrival.message.size,
    sesMessageId: one.notice?.sesMessageId ?? '',
    verdicts: verdictsText(verdicts),
    ip: arrival.session.remoteAddress,
    guessed: delivery.guessed,
    ...(addressed.later.length > 0 && { later: addressed.later.map(({ refusal }) => refusal.message) }),
  });
  return {
    intake: partOf(one, { ...standing(delivery), settled, size: arrival.message.size }),
    notices: told.notices.map((notice) => ({ ...notice, deposit: undefined })),
    events: [received, ...told.events],
  };
}

/** How the object stands when this is committed. */
function standing({
  one,
  addressed,
  guessed,
}: Delivery): Pick<IntakePart, 'state' | 'nextAt' | 'reason' | 'attempt'> {
  const [first] = addressed.later;
  if (first !== undefined)
    return { state: 'waiting', nextAt: retryAt(one), reason: first.refusal.message, attempt: true };
  // What is for another system to take stays where it is.
  const foreign = addressed.unknown.some(({ refusal }) => isForeign(refusal));
  const nextAt = foreign ? undefined : removalAt(one, guessed);
  return { state: guessed ? 'guessed' : 'done', nextAt, reason: '', attempt: false };
}

function settledOf(
  { deps }: IntakeCase,
  recipient: PlannedRecipient,
  ending: Ending,
): IntakePart['settled'][number] {
  const id = recipientId(recipient.address, deps.settings.hostname);
  if (ending.kind === 'set-aside')
    return { recipient: id, outcome: ending.caseNumber === undefined ? 'dropped' : 'vault' };
  if (ending.loops.has(recipient)) return { recipient: id, outcome: 'failed' };
  if (recipient.targets.length === 0) return { recipient: id, outcome: 'dropped' };
  return { recipient: id, outcome: 'taken', deposits: depositsOf(recipient, ending.plan) };
}

/** Places of a recipient's deposits; undefined when one of its targets is in the queue. */
function depositsOf({ targets }: PlannedRecipient, plan: Plan): readonly number[] | undefined {
  // A script of theirs has dealt with it: there may be nothing to look for.
  const isHandled = (id: number): boolean => plan.handled?.has(id) === true;
  if (targets.some((target) => target.kind === 'external' || isHandled(target.accountId))) return undefined;
  return targets.flatMap((target) => {
    const place = plan.deposits.findIndex(
      ({ deposit }) => target.kind === 'account' && deposit.accountId === target.accountId,
    );
    return place < 0 ? [] : [place];
  });
}

export function settledAs(
  { deps }: IntakeCase,
  about: readonly Unreachable[],
  outcome: RecipientOutcome,
): IntakePart['settled'] {
  return about.map(({ address }) => ({
    recipient: recipientId(address, deps.settings.hostname),
    outcome,
  }));
}

interface ToldSender {
  readonly outcome: RecipientOutcome;
  readonly notices: readonly NewOutgoing[];
  readonly events: readonly JournalEvent[];
}

/** Tell the sender of recipients that do not get it, where the site wants that and the sender is proven. */
async function tell(
  { one, arrival }: Delivery,
  about: readonly Unreachable[],
  genuine: boolean,
): Promise<ToldSender> {
  const { deps, trace, source, receivedAt } = one;
  const { reversePath, message } = arrival;
  const bounces = source.settings.unknown_recipients === 'bounce';
  const foreign = about.some(({ refusal }) => isForeign(refusal));
  const tells = about.length > 0 && bounces && genuine && reversePath !== '' && !foreign;
  const events = about.map((each) => refusedEvent(deps, trace, each, tells));
  if (!tells) return { outcome: 'dropped', notices: [], events };
  const made = await bounce(deps, { trace, reversePath, about, receivedAt, header: message.header });
  return { outcome: 'bounced', notices: [made.outgoing], events: [...events, made.event] };
}

/** No recipient can have it now: nothing is stored here. */
async function nobody(delivery: Delivery): Promise<void> {
  const { one, arrival, addressed } = delivery;
  const { deps } = one;
  const evidence = await arrival.authentication.finish(arrival.message.header);
  await dropBody(deps.store.bodies, arrival.message.blob);
  const wanted = { ...arrival.fields.verdicts, ...one.notice?.verdicts };
  const genuine =
    senderIsGenuine(arrival.session, arrival.reversePath, evidence) &&
    wanted.virus !== 'FAIL' &&
    wanted.spam !== 'FAIL';
  const told = await tell(delivery, addressed.unknown, genuine);
  const settled = settledAs(one, addressed.unknown, told.outcome);
  const state = standing(delivery);
  const part = partOf(one, { ...state, settled, size: arrival.message.size });
  const kind = state.state === 'waiting' ? 'intake.waiting' : 'intake.ended';
  const reason = state.state === 'waiting' ? state.reason : 'none of its recipients exists here';
  const next = state.state === 'waiting' ? { nextAt: state.nextAt ?? 0 } : {};
  const events = [intakeEvent(one, kind, { reason, ...next }), ...told.events];
  await deps.store.write.run('intake.settle', { part, notices: told.notices, events });
  deps.recorder.committed(events);
}

/**
 * Recipients of the pipeline that its commit did not settle: all were refused after all (a loop, an account that went
 * meanwhile), or nobody reads what comes to them.
 */
async function settleRest(
  delivery: Delivery,
  failed: readonly Unreachable[],
  codes: readonly number[],
): Promise<void> {
  const { one, arrival, addressed } = delivery;
  const { deps, source, told } = one;
  const { hostname } = deps.settings;
  const known = await deps.store.read.run('intake.object', { bucket: source.settings.bucket, key: told.key });
  const has = new Set(known?.settled.map(({ recipient }) => recipient));
  const open = addressed.reached.filter(({ address }) => !has.has(recipientId(address, hostname)));
  const rest = addressed.unknown.filter(({ address }) => !has.has(recipientId(address, hostname)));
  if (open.length === 0 && rest.length === 0) return;
  const isOpen = new Set(open.map(({ address }) => address));
  const about = [...failed.filter(({ address }) => isOpen.has(address)), ...rest];
  const read = open.filter(({ address }) => !about.some((each) => each.address === address));
  const later = read.filter(({ address }) => {
    const code = codes[addressed.reached.findIndex((each) => each.address === address)] ?? 450;
    return code >= 400;
  });
  const discarded = read.filter((each) => !later.includes(each));
  // Not told: what was refused only now is a loop, or a matter of a moment ago.
  const sender = await tell(delivery, about, false);
  const state =
    later.length > 0
      ? {
          state: 'waiting' as const,
          nextAt: retryAt(one),
          reason: 'it could not be stored for all',
          attempt: true,
        }
      : standing(delivery);
  const settled = [
    ...settledAs(one, about, 'failed'),
    ...discarded.map(({ address }) => ({
      recipient: recipientId(address, hostname),
      outcome: 'dropped' as const,
    })),
  ];
  const part = partOf(one, { ...state, settled, size: arrival.message.size });
  await deps.store.write.run('intake.settle', { part, notices: sender.notices, events: sender.events });
  deps.recorder.committed(sender.events);
}
