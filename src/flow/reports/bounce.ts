import { parseDsn, type ParsedRecipient } from '../../mail/dsn/parse.ts';
import { feedbackEvent, sentMessage, type SentMessage, suppressionFor, wasSentTo } from '../feedback/sent.ts';
import { causeOf } from '../outbound/routing/classify.ts';
import type { Taken, TakeParts, Taking } from './take.ts';

/** Octets of a notification that are read: its report stands before the returned message. */
const DSN_OCTETS = 256 * 1024;
/** Recipients of one notification that are looked at. */
const RECIPIENTS_MAX = 100;
const DAY_MS = 86_400_000;

/**
 * A bounce that came by mail joins the message it is about, and a mailbox that is not there is not written to for a
 * while. All of it is the sender's word, so it must name a message that an account of ours sent to that very address.
 */
export async function takeBounce(parts: TakeParts, { blobId }: Taking): Promise<Taken> {
  const dsn = parseDsn(await head(parts, blobId));
  if (dsn === undefined) return 'not-ours';
  const messageId = dsn.originalMessageId?.replace(/^<|>$/g, '');
  const sent = await sentMessage(parts.store.read, { messageId, queueId: dsn.envid });
  if (sent === undefined) return 'not-ours';
  let isNew = false;
  for (const recipient of dsn.recipients.slice(0, RECIPIENTS_MAX)) {
    const address = [recipient.originalRecipient, recipient.finalRecipient].find(
      (one) => one !== undefined && wasSentTo(sent, one),
    );
    if (address === undefined || recipient.action !== 'failed') continue;
    if (await takeOne(parts, sent, address, recipient)) isNew = true;
  }
  return isNew ? 'stored' : 'duplicate';
}

async function takeOne(
  { store, clock, bounceDays }: TakeParts,
  sent: SentMessage,
  address: string,
  recipient: ParsedRecipient,
): Promise<boolean> {
  const words = recipient.diagnostic ?? recipient.status;
  const now = clock.now();
  const until = now + (bounceDays?.() ?? 30) * DAY_MS;
  const entry = suppressionFor(sent, address, { reason: 'bounce', source: 'dsn', detail: words, until });
  const { isNew } = await store.write.run('suppression.feedback', {
    key: `dsn ${sent.trace} ${address.toLowerCase()}`,
    entries: isHard(recipient) ? [entry] : [],
    events: [
      feedbackEvent(sent, now, 'delivery.bounced', address, words, recipient.remoteMta ?? 'a bounce by mail'),
    ],
    outgoing: [],
  });
  return isNew;
}

/** The mailbox is not there: a full one, or a message that was not liked, says nothing about the next. */
function isHard({ status, diagnostic }: ParsedRecipient): boolean {
  if (!status.startsWith('5') || status === '5.2.2') return false;
  if (/^5\.1\.(?:1|3|6|10)$|^5\.2\.1$/.test(status)) return true;
  if (!/^5\.[01]\.0$/.test(status)) return false;
  const reply = /^\d{3}/.test(diagnostic ?? '') ? (diagnostic ?? '') : `550 ${diagnostic ?? ''}`;
  const outcome = { outcome: 'failed', status, reply, host: undefined, answered: true } as const;
  return !/full|quota/i.test(reply) && causeOf(outcome) === 'recipient';
}

async function head({ store }: TakeParts, blobId: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of store.blobs.read(blobId)) {
    pieces.push(piece);
    size += piece.length;
    if (size >= DSN_OCTETS) break;
  }
  return Buffer.concat(pieces).subarray(0, DSN_OCTETS);
}
