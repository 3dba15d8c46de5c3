import { type JournalEvent, type JournalKind, terms } from '../../data/journal/types.ts';
import type { Store } from '../../data/store.ts';
import type { NewSuppression } from '../../data/suppression/suppression.ts';

/** Which message of ours a report speaks of. The journal knows, for as long as it remembers. */

/** Traces of one Message-ID that are looked at for its sender. */
const TRACES_MAX = 5;

export interface SentMessage {
  readonly trace: string;
  readonly queueId: string | undefined;
  /** The account of ours that sent it. */
  readonly accountId: number | undefined;
  readonly reversePath: string;
  /** Everybody it was queued for. */
  readonly to: readonly string[];
}

/** A message that an account of ours sent, by its Message-ID (without angle brackets) or queue id. */
export async function sentMessage(
  read: Store['read'],
  by: { readonly messageId?: string | undefined; readonly queueId?: string | undefined },
): Promise<SentMessage | undefined> {
  const wanted = [
    ...(by.queueId === undefined || by.queueId === '' ? [] : [terms.queueId(by.queueId)]),
    ...(by.messageId === undefined || by.messageId === '' ? [] : [terms.messageId(by.messageId)]),
  ];
  for (const term of wanted) {
    for (const { trace } of await read.run('journal.find', { term, limit: TRACES_MAX })) {
      const found = await sentInTrace(read, trace);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function sentInTrace(read: Store['read'], trace: string): Promise<SentMessage | undefined> {
  const rows = await read.run('journal.byTrace', { trace });
  const login = rows.find(({ kind }) => kind === 'message.accepted')?.data['login'];
  if (typeof login !== 'string') return undefined;
  const queued = rows.filter(({ kind }) => kind === 'message.queued');
  const first = queued[0]?.data;
  const to = queued.flatMap(({ data }) => (Array.isArray(data['to']) ? data['to'].map(String) : []));
  return {
    trace,
    queueId: typeof first?.['queueId'] === 'string' ? first['queueId'] : undefined,
    accountId: (await read.run('directory.account', { address: login }))?.id,
    reversePath: typeof first?.['from'] === 'string' ? first['from'] : login,
    to,
  };
}

/** Whether it was sent to that address: a report about anybody else is none of ours. */
export function wasSentTo({ to }: SentMessage, address: string): boolean {
  const name = address.toLowerCase();
  return to.some((one) => one.toLowerCase() === name);
}

export function suppressionFor(
  sent: Pick<SentMessage, 'queueId' | 'accountId'>,
  address: string,
  why: Pick<NewSuppression, 'reason' | 'source' | 'detail' | 'until'>,
): NewSuppression {
  return { address, queueId: sent.queueId, accountId: sent.accountId, ...why };
}

/** What came back belongs to the trace of the message that was sent. */
export function feedbackEvent(
  sent: Pick<SentMessage, 'trace' | 'queueId'>,
  at: number,
  kind: Extract<JournalKind, 'delivery.bounced' | 'delivery.complained' | 'delivery.confirmed'>,
  address: string,
  reply: string,
  by: string,
): JournalEvent {
  const { trace, queueId } = sent;
  return {
    trace,
    at,
    kind,
    data: { queueId: queueId ?? '', to: [address], reply: reply.slice(0, 500), by },
    terms: [terms.address(address)],
  };
}
