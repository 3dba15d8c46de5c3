import { type JournalEvent, type JournalKind, terms } from '../../data/journal/types.ts';
import type { LeasedWork, NewOutgoing, QueueRecipient, Settlement } from '../../data/queue/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import type { FlowDeps } from '../deps.ts';
import { backoff } from './backoff.ts';
import { type Notice, notification, originalOf, wants, whySilent } from './notify.ts';
import { causeOf } from './routing/classify.ts';
import { type Cause, deferred, failed, type MessageContent, type Outcome, type Via } from './transport.ts';

export type SettleRequest = WriteArgs<'queue.settle'>;

/** Milliseconds that a pause holds an attempt back at most. */
const PAUSE_MAX_MS = 86_400_000;

interface Judged {
  readonly recipient: QueueRecipient;
  readonly settlement: Settlement;
  readonly kind: JournalKind | undefined;
  readonly notice: Notice | undefined;
  readonly tls: string | undefined;
  /** Whether the reply is the remote's own words, where that is known. */
  readonly answered: boolean | undefined;
  readonly via?: Via | undefined;
  /** Why it was not taken, for the journal. */
  readonly cause?: Cause | undefined;
}

/**
 * What an attempt means: a state and a next time for each recipient, the journal's words, and the notifications it
 * calls for. All of it is one commit, so a failure and its bounce are never apart. `mute`: why no notification is to be
 * made whatever happened.
 */
export async function judgeAttempt(
  deps: FlowDeps,
  owner: string,
  work: LeasedWork,
  outcomes: ReadonlyMap<number, Outcome>,
  content: MessageContent,
  transport: string,
  mute?: string,
  more: Pick<SettleRequest, 'usage' | 'sends'> = {},
): Promise<SettleRequest> {
  const now = deps.clock.now();
  const judged = work.recipients.map((recipient) => {
    const outcome = outcomes.get(recipient.id);
    const cause = outcome === undefined || outcome.outcome === 'delivered' ? undefined : causeOf(outcome);
    return { ...judge(work, recipient, outcome, now), via: outcome?.via, cause };
  });
  const notices = judged.flatMap(({ notice }) => notice ?? []);
  const silent = notices.length === 0 ? undefined : (mute ?? whySilent(work.message));
  const outgoing = silent === undefined ? await notifications(deps, work, notices, content) : [];
  return {
    owner,
    settlements: judged.map(({ settlement }) => settlement),
    warned: silent === undefined ? warnedIds(notices) : [],
    outgoing,
    events: [
      ...attemptEvents(work, judged, transport, now),
      ...noticeEvents(work, notices, outgoing, silent, now),
    ],
    ...more,
  };
}

function judge(
  work: LeasedWork,
  recipient: QueueRecipient,
  outcome: Outcome | undefined,
  now: number,
): Judged {
  const { id: recipientId } = recipient;
  if (outcome === undefined) {
    const settlement = {
      recipientId,
      outcome: 'released',
      nextAt: now,
      reply: '',
      host: undefined,
    } as const;
    return { recipient, settlement, kind: undefined, notice: undefined, tls: undefined, answered: undefined };
  }
  const { reply, host, answered } = outcome;
  const about = { recipient, reply, host, answered, attemptedAt: now };
  if (outcome.outcome === 'delivered') {
    const { success, tls } = outcome;
    const tells = success !== undefined && wants(recipient.notify, 'SUCCESS');
    return {
      recipient,
      settlement: { recipientId, outcome: 'delivered', reply, host },
      kind: 'delivery.delivered',
      notice: tells ? { ...about, action: success, status: '2.0.0' } : undefined,
      tls,
      answered,
    };
  }
  const { expiresAt } = work.message;
  if (outcome.outcome === 'deferred' && (expiresAt === undefined || expiresAt > now))
    return judgeDeferred(work, recipient, outcome, now);
  // RFC 3463 3.5: X.4.7, delivery time expired; the class says that the cause was temporary.
  const status = outcome.outcome === 'failed' ? outcome.status : '4.4.7';
  return {
    recipient,
    settlement: { recipientId, outcome: 'failed', reply, host },
    kind: 'delivery.failed',
    notice: wants(recipient.notify, 'FAILURE') ? { ...about, action: 'failed', status } : undefined,
    tls: undefined,
    answered,
  };
}

function judgeDeferred(work: LeasedWork, recipient: QueueRecipient, outcome: Outcome, now: number): Judged {
  const { warnAt, expiresAt } = work.message;
  const { reply, host, answered } = outcome;
  const pauseMs = Math.min(outcome.pauseMs ?? 0, PAUSE_MAX_MS);
  const nextAt = nextAttempt(recipient, now, pauseMs, recipient.warned ? [expiresAt] : [warnAt, expiresAt]);
  const warns =
    warnAt !== undefined && warnAt <= now && !recipient.warned && wants(recipient.notify, 'DELAY');
  const status = /^\d{3} (4\.\d{1,3}\.\d{1,3})/.exec(reply)?.[1] ?? '4.4.1';
  const notice: Notice = { recipient, action: 'delayed', status, reply, host, answered, attemptedAt: now };
  return {
    recipient,
    settlement: { recipientId: recipient.id, outcome: 'deferred', nextAt, reply, host },
    kind: 'delivery.deferred',
    notice: warns ? notice : undefined,
    tls: undefined,
    answered,
  };
}

/**
 * After the backoff, and after the pause that was asked for, but not past a time at which the sender is to be told: an
 * attempt is made then, and news sent.
 */
function nextAttempt(
  recipient: QueueRecipient,
  now: number,
  pauseMs: number,
  times: readonly (number | undefined)[],
): number {
  const ahead = times.filter((time) => time !== undefined && time > now) as number[];
  return Math.min(now + Math.max(pauseMs, backoff(recipient.attempts + 1, Math.random())), ...ahead);
}

function warnedIds(notices: readonly Notice[]): number[] {
  return notices.filter(({ action }) => action === 'delayed').map(({ recipient }) => recipient.id);
}

/** One notification for each kind of news, whatever the number of recipients. */
async function notifications(
  deps: FlowDeps,
  work: LeasedWork,
  notices: readonly Notice[],
  content: MessageContent,
): Promise<NewOutgoing[]> {
  if (notices.length === 0) return [];
  const original = await originalOf(content);
  const made: NewOutgoing[] = [];
  for (const action of ['failed', 'delayed', 'relayed', 'delivered', 'expanded'] as const) {
    const alike = notices.filter((notice) => notice.action === action);
    if (alike.length > 0) made.push(await notification(deps, work.message, alike, original));
  }
  return made;
}

function attemptEvents(
  work: LeasedWork,
  judged: readonly Judged[],
  transport: string,
  now: number,
): JournalEvent[] {
  const { trace, queueId } = work.message;
  const groups = new Map<string, Judged[]>();
  for (const one of judged) {
    if (one.kind === undefined) continue;
    const { kind, answered, via } = one;
    const key = `${kind} ${answered} ${via?.transport} ${one.settlement.host} ${one.settlement.reply}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const first = group[0];
    if (first?.kind === undefined) return [];
    const { settlement, tls, answered, via, cause } = first;
    const data = {
      queueId,
      transport: via?.transport ?? transport,
      ...(via !== undefined && { route: via.route }),
      ...(via !== undefined && via.before.length > 0 && { before: via.before }),
      ...(cause !== undefined && { cause }),
      to: group.map(({ recipient }) => recipient.address),
      host: settlement.host ?? null,
      reply: settlement.reply,
      ...(answered !== undefined && { answered }),
      tls: tls ?? null,
      attempt: first.recipient.attempts + 1,
      nextAt: settlement.outcome === 'deferred' ? settlement.nextAt : null,
    };
    return [{ trace, at: now, kind: first.kind, data, terms: [] }];
  });
}

function noticeEvents(
  work: LeasedWork,
  notices: readonly Notice[],
  outgoing: readonly NewOutgoing[],
  silent: string | undefined,
  now: number,
): JournalEvent[] {
  const { trace, queueId, reversePath } = work.message;
  if (notices.length === 0) return [];
  const about = notices.map(({ recipient, action }) => `${recipient.address}: ${action}`);
  if (silent !== undefined) {
    return [
      { trace, at: now, kind: 'bounce.suppressed', data: { queueId, about, reason: silent }, terms: [] },
    ];
  }
  return outgoing.map(({ enqueue }) => ({
    trace,
    at: now,
    kind: 'bounce.sent',
    data: { queueId, notice: enqueue.queueId, to: reversePath, about },
    terms: [terms.queueId(enqueue.queueId), terms.address(reversePath)],
  }));
}

/**
 * Recipients whose time is over are failed without another attempt, with the last reply they got; undefined while
 * there is time. One that was never tried gets its attempt, however late: after a long outage of ours mail is not lost
 * unsent. An expiry that never was in the future is an administrator's order to give up.
 */
export function outcomesWithoutAttempt(work: LeasedWork, now: number): Map<number, Outcome> | undefined {
  const { expiresAt, createdAt } = work.message;
  if (expiresAt === undefined || expiresAt > now) return undefined;
  if (expiresAt <= createdAt) {
    const outcome = failed('5.3.0', 'The administrator of this server has given up on the message');
    return new Map(work.recipients.map(({ id }) => [id, outcome]));
  }
  if (work.recipients.some(({ attempts }) => attempts === 0)) return undefined;
  const outcomes = work.recipients.map(({ id, lastReply, lastHost }): [number, Outcome] => {
    if (lastReply === undefined) return [id, deferred('No attempt succeeded within the time allowed')];
    return [
      id,
      // The queue does not keep whose words the last reply was.
      { outcome: 'deferred', reply: lastReply, host: lastHost, answered: undefined, lostReply: false },
    ];
  });
  return new Map(outcomes);
}
