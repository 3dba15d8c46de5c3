import { limits } from '../../base/limits.ts';
import { type JournalEvent, type JournalKind, terms } from '../../data/journal/types.ts';
import type { LeasedWork, NewOutgoing, QueueRecipient, Settlement } from '../../data/queue/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import type { FlowDeps } from '../deps.ts';
import { backoff } from './backoff.ts';
import { firstOctets } from './content.ts';
import { type Notice, notification, wants, whySilent } from './notify.ts';
import { deferred, type MessageContent, type Outcome } from './transport.ts';

export type SettleRequest = WriteArgs<'queue.settle'>;

/** Octets of the original read for a notification: its header is within them. */
const ORIGINAL_BYTES = limits.headerBytes + 64 * 1024;

interface Judged {
  readonly recipient: QueueRecipient;
  readonly settlement: Settlement;
  readonly kind: JournalKind | undefined;
  readonly notice: Notice | undefined;
  readonly tls: string | undefined;
}

/**
 * What an attempt means: a state and a next time for each recipient, the journal's words, and the notifications it
 * calls for. All of it is one commit, so a failure and its bounce are never apart.
 */
export async function judgeAttempt(
  deps: FlowDeps,
  owner: string,
  work: LeasedWork,
  outcomes: ReadonlyMap<number, Outcome>,
  content: MessageContent,
  transport: string,
): Promise<SettleRequest> {
  const now = deps.clock.now();
  const judged = work.recipients.map((recipient) => judge(work, recipient, outcomes.get(recipient.id), now));
  const notices = judged.flatMap(({ notice }) => notice ?? []);
  const silent = notices.length === 0 ? undefined : whySilent(work.message);
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
    const settlement: Settlement = {
      recipientId,
      outcome: 'released',
      nextAt: now,
      reply: '',
      host: undefined,
    };
    return { recipient, settlement, kind: undefined, notice: undefined, tls: undefined };
  }
  const { reply, host } = outcome;
  if (outcome.outcome === 'delivered') {
    const tells = outcome.dsnEndsHere && wants(recipient.notify, 'SUCCESS');
    const notice: Notice = { recipient, action: 'relayed', status: '2.0.0', reply, host };
    const settlement: Settlement = { recipientId, outcome: 'delivered', reply, host };
    return {
      recipient,
      settlement,
      kind: 'delivery.delivered',
      notice: tells ? notice : undefined,
      tls: outcome.tls,
    };
  }
  const { expiresAt } = work.message;
  const expired = expiresAt !== undefined && expiresAt <= now;
  if (outcome.outcome === 'failed' || expired) {
    const status = outcome.outcome === 'failed' ? outcome.status : '4.4.7';
    const settlement: Settlement = { recipientId, outcome: 'failed', reply, host };
    const notice: Notice = { recipient, action: 'failed', status, reply, host };
    const tells = wants(recipient.notify, 'FAILURE');
    return {
      recipient,
      settlement,
      kind: 'delivery.failed',
      notice: tells ? notice : undefined,
      tls: undefined,
    };
  }
  return judgeDeferred(work, recipient, outcome, now);
}

function judgeDeferred(work: LeasedWork, recipient: QueueRecipient, outcome: Outcome, now: number): Judged {
  const { warnAt, expiresAt } = work.message;
  const { reply, host } = outcome;
  const wait = backoff(recipient.attempts + 1, Math.random());
  // The last attempt is made when the time is over, not some hours after it.
  const nextAt = Math.min(now + wait, Math.max(expiresAt ?? Number.POSITIVE_INFINITY, now + 1000));
  const warns =
    warnAt !== undefined && warnAt <= now && !recipient.warned && wants(recipient.notify, 'DELAY');
  const status = /^\d{3} (4\.\d{1,3}\.\d{1,3})/.exec(reply)?.[1] ?? '4.4.1';
  const notice: Notice = { recipient, action: 'delayed', status, reply, host };
  const settlement: Settlement = { recipientId: recipient.id, outcome: 'deferred', nextAt, reply, host };
  return {
    recipient,
    settlement,
    kind: 'delivery.deferred',
    notice: warns ? notice : undefined,
    tls: undefined,
  };
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
  const original = await firstOctets(content, Math.min(content.size, ORIGINAL_BYTES));
  const made: NewOutgoing[] = [];
  for (const action of ['failed', 'delayed', 'relayed'] as const) {
    const alike = notices.filter((notice) => notice.action === action);
    if (alike.length > 0) made.push(await notification(deps, work, alike, original));
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
    const key = `${one.kind} ${one.settlement.host} ${one.settlement.reply}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((group) => {
    const first = group[0];
    if (first?.kind === undefined) return [];
    const { settlement, tls } = first;
    const data = {
      queueId,
      transport,
      to: group.map(({ recipient }) => recipient.address),
      host: settlement.host ?? null,
      reply: settlement.reply,
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

/** The outcome of a recipient whose time was over before an attempt could be made. */
export function expiredOutcome(recipient: QueueRecipient): Outcome {
  return deferred(recipient.lastReply ?? 'No attempt succeeded within the time allowed', recipient.lastHost);
}
