import type { JournalEvent } from '../../data/journal/types.ts';
import type { NewOutgoing } from '../../data/queue/types.ts';
import type { Send } from '../../data/routing/types.ts';
import { formatDate } from '../../mail/message/build.ts';
import type { WriteArgs } from '../../data/store.ts';
import type { FlowDeps } from '../deps.ts';
import { complaintNotices } from './complaint-notice.ts';
import { queuedContent } from '../outbound/content.ts';
import { type Notice, notification, type Original, originalOf } from '../outbound/notify.ts';
import type { SesEvent } from './ses-event.ts';
import { feedbackEvent, suppressionFor } from './sent.ts';

/** What SES reports of mail it took from us: it joins the message that was sent, and its sender hears of it. */

const DAY_MS = 86_400_000;

export type SesFeedback = 'confirmed' | 'noted' | 'bounced' | 'complained' | 'known' | 'unknown';

export interface FeedbackParts {
  readonly deps: FlowDeps;
  /** Days that an address that bounced is not written to. */
  readonly bounceDays: number;
}

/** Act upon one event; the same event again changes nothing. `unknown`: about no message of ours. */
export async function takeSesEvent(parts: FeedbackParts, event: SesEvent): Promise<SesFeedback> {
  const { deps } = parts;
  const { store, logger } = deps;
  const send = await findSend(deps, event);
  if (send === undefined) {
    logger.warn({ kind: event.kind, messageId: event.messageId }, 'ses: an event about no message of ours');
    return 'unknown';
  }
  if (send.state !== 'sent') {
    // That SES speaks of it proves that it took it.
    const { tag, way } = send;
    const { messageId: remoteId, destination } = event;
    const { delivered } = await store.write.run('routing.confirm', { tag, way, remoteId, destination });
    if (delivered > 0) logger.info({ tag, delivered }, 'ses: an attempt without an answer had been taken');
  }
  if (event.kind === 'sent') return 'confirmed';
  const { isNew } = await store.write.run('suppression.feedback', await feedbackOf(parts, event, send));
  if (!isNew) return 'known';
  if (event.kind === 'bounced' || event.kind === 'rejected') return 'bounced';
  return event.kind === 'complained' ? 'complained' : 'noted';
}

async function findSend({ store }: FlowDeps, event: SesEvent): Promise<Send | undefined> {
  const byTag =
    event.tag === undefined ? undefined : await store.read.run('routing.sendByTag', { tag: event.tag });
  return byTag ?? store.read.run('routing.sendByRemoteId', { remoteId: event.messageId });
}

async function feedbackOf(
  { deps, bounceDays }: FeedbackParts,
  event: SesEvent,
  send: Send,
): Promise<Feedback> {
  const now = deps.clock.now();
  const kind = JOURNAL[event.kind];
  const addresses = event.recipients.map(({ address }) => address.toLowerCase()).toSorted();
  const until = event.kind === 'complained' ? undefined : now + bounceDays * DAY_MS;
  const reason = event.kind === 'complained' ? 'complaint' : 'bounce';
  const suppresses = event.kind === 'complained' || (event.kind === 'bounced' && event.permanent);
  return {
    key: `ses ${event.messageId} ${event.kind} ${addresses.join(' ')}`.slice(0, 2000),
    entries: suppresses
      ? event.recipients.map(({ address, words }) =>
          suppressionFor(send, address, { reason, source: 'ses', detail: words, until }),
        )
      : [],
    events: event.recipients.map(({ address, words }) =>
      feedbackEvent(send, now, kind, address, wordsOf(event, words), event.by),
    ),
    outgoing: await notices(deps, event, send),
    notices:
      event.kind === 'complained'
        ? await complaintNotices(deps, send, addressesOf(event), event.subject)
        : [],
  };
}

interface Feedback {
  readonly key: string;
  readonly entries: ReturnType<typeof suppressionFor>[];
  readonly events: JournalEvent[];
  readonly outgoing: NewOutgoing[];
  readonly notices: WriteArgs<'delivery.accept'>[];
}

function addressesOf({ recipients }: SesEvent): string[] {
  return recipients.map(({ address }) => address);
}

const JOURNAL = {
  sent: 'delivery.confirmed',
  delivered: 'delivery.confirmed',
  delayed: 'delivery.confirmed',
  bounced: 'delivery.bounced',
  rejected: 'delivery.bounced',
  complained: 'delivery.complained',
} as const;

function wordsOf({ kind }: SesEvent, words: string): string {
  return kind === 'delayed' ? `late: ${words}` : words;
}

/**
 * The sender is told of what came back as of any bounce. SES itself has given up by then, also where it calls the cause
 * temporary.
 */
async function notices(deps: FlowDeps, event: SesEvent, send: Send): Promise<NewOutgoing[]> {
  if (event.kind !== 'bounced' && event.kind !== 'rejected') return [];
  if (send.reversePath === '') return [];
  const found = await deps.store.read.run('queue.show', { queueId: send.queueId });
  const original = found && (await originalOf(queuedContent(deps.store.blobs, found.message)));
  const made = event.recipients.map(({ address, words }): Notice => {
    const status = /\b(5\.\d{1,3}\.\d{1,3})\b/.exec(words)?.[1] ?? '5.0.0';
    const reply = /^\d{3}/.test(words) ? words : `550 ${status} ${words}`;
    return {
      recipient: { id: 0, address, orcpt: undefined },
      action: 'failed',
      status,
      reply,
      host: event.by,
      answered: true,
      attemptedAt: send.startedAt,
    };
  });
  if (made.length === 0) return [];
  const source = found?.message ?? {
    trace: send.trace,
    accountId: send.accountId,
    reversePath: send.reversePath,
    ret: undefined,
    envid: undefined,
    smtputf8: false,
    createdAt: send.startedAt,
    expiresAt: undefined,
  };
  return [await notification(deps, source, made, original ?? headerOnly(event, send))];
}

/** What is left to return of a message that is gone from the queue. */
function headerOnly(event: SesEvent, send: Send): Original {
  const subject = (event.subject ?? '').replaceAll(/[\r\n]+/g, ' ').slice(0, 500);
  const lines = [`Date: ${formatDate(send.startedAt)}`, `Subject: ${subject}`, '', ''];
  return { header: Buffer.from(lines.join('\r\n'), 'utf8') };
}
