import { timeId } from '../../../base/ids.ts';
import type { LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import type { SendEnd } from '../../../data/routing/record.ts';
import type { Usage } from '../../../data/routing/types.ts';
import type { FlowDeps } from '../../deps.ts';
import { deferred, failed, type MessageContent, type Outcome, withAdvice } from '../transport.ts';
import type { CapKeeper } from './caps.ts';
import { causeOf } from './classify.ts';
import { type Circumstances, mayCure } from './cure.ts';
import type { WayMemory } from './memory.ts';
import type { Obstacle, Plan, PlannedWay } from './plan.ts';

/**
 * Give a message to the ways of its route, one after the other: another one gets those recipients alone whose refusal
 * it may cure, and nobody whom one may have reached. What was delivered is settled before the next way is tried, so
 * that no crash makes it happen twice.
 */

export interface DeliverParts {
  readonly deps: FlowDeps;
  readonly memory: WayMemory;
  readonly caps: CapKeeper;
  /** Milliseconds until a way that is refused is tried again. */
  readonly probeMs: number;
  /** Make outcomes durable for these recipients, who are through. */
  readonly settle: (part: LeasedWork, done: Attempted) => Promise<void>;
}

/** What an attempt came to, before it is settled. */
export interface Attempted {
  readonly outcomes: ReadonlyMap<number, Outcome>;
  readonly usage: readonly ({ readonly way: string } & Usage)[];
  readonly sends: readonly SendEnd[];
}

/** All of a delivery: what is still to be settled, and who is settled already. */
export interface Delivery extends Attempted {
  readonly settled: ReadonlySet<number>;
}

/** One recipient on its way. */
interface Passage {
  readonly recipient: QueueRecipient;
  /** Refusals so far, in order. */
  readonly tried: { readonly way: PlannedWay; readonly outcome: Outcome }[];
}

/** Milliseconds to wait when a way has no place in its speed limit. */
const BUSY_MS = 30_000;

export async function deliverByPlan(
  parts: DeliverParts,
  plan: Plan,
  work: LeasedWork,
  content: MessageContent,
  stopping: AbortSignal,
): Promise<Delivery> {
  const settled = new Set<number>();
  const before: string[] = [];
  const usage: ({ way: string } & Usage)[] = [];
  const sends: SendEnd[] = [];
  const outcomes = new Map<number, Outcome>();
  let left: Passage[] = work.recipients.map((recipient) => ({ recipient, tried: [] }));
  for (const [index, way] of plan.ways.entries()) {
    const { name } = way.transport;
    if (left.length === 0 || stopping.aborted) break;
    if (way.obstacle !== undefined) {
      before.push(`${name}: ${way.obstacle.reason}`);
      continue;
    }
    const mine = left.filter((passage) => curable(parts, work, passage, way));
    for (const group of groups(mine, way.transport.maxRecipients)) {
      if (stopping.aborted) break;
      const done = await attemptGroup(parts, way, work, group, content, stopping);
      if (done === undefined) continue;
      usage.push(...done.usage);
      sends.push(...done.sends);
      const via = { route: plan.route, transport: name, before: [...before] };
      for (const passage of group) {
        const outcome = done.outcomes.get(passage.recipient.id);
        if (outcome === undefined) continue;
        const told: Outcome = { ...outcome, via };
        if (outcome.outcome === 'delivered' || isUnsure(outcome)) outcomes.set(passage.recipient.id, told);
        else passage.tried.push({ way, outcome: told });
      }
    }
    left = left.filter(({ recipient }) => !outcomes.has(recipient.id));
    before.push(...newRefusals(left, way));
    const more = plan.ways.slice(index + 1).some(({ obstacle }) => obstacle === undefined);
    if (more && left.length > 0 && outcomes.size > 0) {
      await parts.settle(only(work, outcomes), {
        outcomes: new Map(outcomes),
        usage: usage.splice(0),
        sends: sends.splice(0),
      });
      for (const id of outcomes.keys()) settled.add(id);
      outcomes.clear();
    }
  }
  for (const passage of left) {
    const outcome = finalOutcome(parts, plan, work, passage, before, stopping);
    if (outcome !== undefined) outcomes.set(passage.recipient.id, outcome);
  }
  return { outcomes, usage, sends, settled };
}

/** The part of the work whose recipients have an outcome. */
export function only(work: LeasedWork, outcomes: ReadonlyMap<number, Outcome>): LeasedWork {
  return { ...work, recipients: work.recipients.filter(({ id }) => outcomes.has(id)) };
}

function isUnsure(outcome: Outcome): boolean {
  return outcome.outcome === 'deferred' && outcome.lostReply;
}

function curable(
  parts: DeliverParts,
  work: LeasedWork,
  { recipient, tried }: Passage,
  way: PlannedWay,
): boolean {
  const last = tried.at(-1);
  if (last === undefined) return true;
  const about: Circumstances = {
    attempts: recipient.attempts,
    worksElsewhere: parts.memory.worksElsewhere(last.way.transport.name, work.destination),
    requireTls: work.message.requireTls,
  };
  return mayCure(causeOf(last.outcome), last.way.transport, way.transport, about);
}

function groups(passages: readonly Passage[], size = Number.POSITIVE_INFINITY): readonly Passage[][] {
  if (passages.length <= size) return passages.length === 0 ? [] : [[...passages]];
  const made: Passage[][] = [];
  for (let at = 0; at < passages.length; at += size) made.push(passages.slice(at, at + size));
  return made;
}

/** Undefined: the way has no place for it now. */
async function attemptGroup(
  parts: DeliverParts,
  way: PlannedWay,
  work: LeasedWork,
  group: readonly Passage[],
  content: MessageContent,
  stopping: AbortSignal,
): Promise<Attempted | undefined> {
  const { transport, caps } = way;
  const recipients = group.map(({ recipient }) => recipient);
  const expected = usageOf(work, recipients.length);
  if (caps !== undefined && !(await parts.caps.turn(transport.name, caps, recipients.length, stopping))) {
    const outcome = busy(transport.name);
    return { outcomes: new Map(recipients.map(({ id }) => [id, outcome])), usage: [], sends: [] };
  }
  const tag = timeId(parts.deps.clock.now());
  const graceMs = transport.reportsWithinMs;
  if (graceMs !== undefined) await beginSend(parts.deps, tag, way, work, recipients, graceMs);
  const release = parts.caps.hold(transport.name, expected);
  try {
    const found = await transport.attempt({ ...work, recipients }, content, stopping, { tag });
    const outcomes = waiting(advised(found), graceMs);
    await parts.memory.learn(transport.name, work.destination, outcomes.values(), parts.probeMs);
    const taken = [...outcomes.values()].filter(({ outcome }) => outcome === 'delivered').length;
    const used = taken === 0 ? [] : [{ way: transport.name, ...usageOf(work, taken) }];
    const sends = graceMs === undefined ? [] : [sendEnd(tag, recipients, outcomes)];
    return { outcomes, usage: used, sends };
  } finally {
    release();
  }
}

function busy(name: string): Outcome {
  return { ...deferred(`451 4.4.5 ${name} sends as fast as it may`), cause: 'rate', pauseMs: BUSY_MS };
}

/** Here are several ways: what is advised about them is said. */
function advised(found: ReadonlyMap<number, Outcome>): ReadonlyMap<number, Outcome> {
  return new Map(
    [...found].map(([id, { advice, ...outcome }]) => [
      id,
      { ...outcome, reply: withAdvice(outcome.reply, advice) },
    ]),
  );
}

/** An attempt that may have been a delivery waits for the report that says so. */
function waiting(
  found: ReadonlyMap<number, Outcome>,
  graceMs: number | undefined,
): ReadonlyMap<number, Outcome> {
  if (graceMs === undefined || ![...found.values()].some(isUnsure)) return found;
  return new Map(
    [...found].map(([id, outcome]) => [id, isUnsure(outcome) ? { ...outcome, pauseMs: graceMs } : outcome]),
  );
}

/** Octets count once a recipient, as those who charge for them do. */
function usageOf({ message }: LeasedWork, recipients: number): Usage {
  return { messages: 1, recipients, octets: message.size * recipients };
}

async function beginSend(
  deps: FlowDeps,
  tag: string,
  { transport }: PlannedWay,
  { message }: LeasedWork,
  recipients: readonly QueueRecipient[],
  graceMs: number,
): Promise<void> {
  const { id: messageId, queueId, trace, accountId, reversePath } = message;
  await deps.store.write.run('routing.begin', {
    tag,
    way: transport.name,
    messageId,
    queueId,
    trace,
    accountId,
    reversePath,
    recipients: recipients.map(({ id, address }) => ({ id, address })),
    graceMs,
  });
}

function sendEnd(
  tag: string,
  recipients: readonly QueueRecipient[],
  outcomes: ReadonlyMap<number, Outcome>,
): SendEnd {
  const reached = recipients.filter(({ id }) => {
    const outcome = outcomes.get(id);
    return outcome !== undefined && (outcome.outcome === 'delivered' || isUnsure(outcome));
  });
  const all = [...outcomes.values()];
  const taken = all.find((outcome) => outcome.outcome === 'delivered');
  const state = taken !== undefined ? 'sent' : all.some(isUnsure) ? 'unsure' : 'failed';
  const remoteId = taken?.outcome === 'delivered' ? taken.remoteId : undefined;
  return { tag, state, remoteId, recipients: reached.map(({ id, address }) => ({ id, address })) };
}

/** For the journal: why the next way was taken, once for each cause. */
function newRefusals(left: readonly Passage[], way: PlannedWay): string[] {
  const said = new Set<string>();
  for (const { tried } of left) {
    const last = tried.at(-1);
    if (last?.way !== way) continue;
    said.add(`${way.transport.name}: ${causeOf(last.outcome)}: ${last.outcome.reply.slice(0, 200)}`);
  }
  return [...said];
}

/** What the recipient's state follows from, when no way took it. Undefined: it was not tried at all. */
function finalOutcome(
  parts: DeliverParts,
  plan: Plan,
  work: LeasedWork,
  passage: Passage,
  before: readonly string[],
  stopping: AbortSignal,
): Outcome | undefined {
  const last = passage.tried.at(-1);
  if (last === undefined) return stopping.aborted ? undefined : noWay(plan, before);
  // A refusal for good by one way is none while another may still take it.
  if (last.outcome.outcome === 'failed') {
    const hope = plan.ways.find(
      (way) => way.obstacle?.pauseMs !== undefined && curable(parts, work, passage, way),
    );
    if (hope !== undefined) return later(last.outcome, hope.obstacle?.pauseMs);
    const waits = passage.tried.find(({ outcome }) => outcome.outcome === 'deferred');
    if (waits !== undefined && isOfWay(last.outcome)) return { ...waits.outcome, via: last.outcome.via };
  }
  return last.outcome;
}

/** Whether a refusal speaks of the way it came by, not of the recipient or the message. */
function isOfWay(outcome: Outcome): boolean {
  return ['sender', 'auth', 'quota', 'size', 'reputation', 'tls', 'network', 'rate'].includes(
    causeOf(outcome),
  );
}

function later(outcome: Outcome, pauseMs: number | undefined): Outcome {
  const { reply, host, answered, via } = outcome;
  return { outcome: 'deferred', reply, host, answered, via, pauseMs, lostReply: false };
}

function noWay(plan: Plan, before: readonly string[]): Outcome {
  const via = { route: plan.route, transport: 'none', before };
  const obstacles = plan.ways.flatMap(({ obstacle }) => obstacle ?? []);
  const said = before.join('; ') || `route "${plan.route}" leads to no transport that exists`;
  const pauses = obstacles.flatMap(({ pauseMs }) => pauseMs ?? []);
  if (pauses.length > 0 || obstacles.length === 0) {
    const outcome = deferred(`451 4.4.5 No way to send is open now (${said})`);
    return { ...outcome, via, ...(pauses.length > 0 && { pauseMs: Math.min(...pauses) }) };
  }
  return { ...failed(statusOf(obstacles), `No way to send can carry this message (${said})`), via };
}

/** RFC 3463: 5.3.4, too large for the system; 5.7.1, not authorised. */
function statusOf(obstacles: readonly Obstacle[]): string {
  return obstacles.every(({ cause }) => cause === 'size') ? '5.3.4' : '5.7.1';
}
