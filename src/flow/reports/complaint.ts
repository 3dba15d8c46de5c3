import { ARF_PART_BYTES, type Complaint, parseComplaint } from '../../mail/reports/arf.ts';
import type { FoundReport, PartRange } from '../../mail/reports/find-report.ts';
import { feedbackEvent, sentMessage, type SentMessage, suppressionFor, wasSentTo } from '../feedback/sent.ts';
import { isReportAddress } from './addresses.ts';
import { partOctets, type Taken, type TakeParts, type Taking } from './take.ts';

/** Octets of a part that are read: encoded headers, with room for what stands behind them in the same piece. */
const READ_BYTES = 2 * ARF_PART_BYTES;

/**
 * Keep a complaint: when it came to an address for complaints, or is about a message that an account of ours sent.
 * Failure reports (RFC 6591) hold others' mail; they are counted and nothing of them is kept.
 */
export async function takeComplaint(
  parts: TakeParts,
  { recipients, receivedAt, reporter, blobId }: Taking,
  found: Extract<FoundReport, { kind: 'arf' }>,
): Promise<Taken> {
  const report = await headOf(parts, blobId, found.part);
  const original =
    found.original === undefined ? Buffer.alloc(0) : await headOf(parts, blobId, found.original);
  const complaint = parseComplaint(report, original);
  const addressed = await isReportAddress(parts, 'arf', recipients, undefined);
  const sent =
    complaint && (await sentMessage(parts.store.read, { messageId: complaint.original.messageId }));
  const accountId = sent?.accountId;
  if (complaint === undefined || (!addressed && accountId === undefined)) return 'not-addressed';
  if (complaint.type === 'auth-failure' || complaint.type === 'dmarc') return 'counted';
  const { first } = await parts.store.write.run('reports.complain', {
    at: receivedAt,
    accountId,
    feedbackType: complaint.type,
    reporter: reporter.domain,
    recipient: complaint.originalRcptTo[0] ?? '',
    messageId: complaint.original.messageId,
    sourceIp: complaint.sourceIp,
    data: JSON.stringify({ ...dataOf(complaint), genuine: reporter.genuine }),
  });
  if (complaint.type === 'abuse' && reporter.genuine && sent !== undefined)
    await suppressComplainers(parts, sent, complaint.originalRcptTo, reporter.domain);
  return first ? 'stored' : 'duplicate';
}

/** Who reports a message as spam gets no more of them; only those it was sent to can have done so. */
async function suppressComplainers(
  { store, clock }: TakeParts,
  sent: SentMessage,
  recipients: readonly string[],
  reporter: string,
): Promise<void> {
  for (const address of recipients.filter((one) => wasSentTo(sent, one))) {
    const detail = `a complaint of ${reporter}`;
    await store.write.run('suppression.feedback', {
      key: `arf ${sent.trace} ${address.toLowerCase()}`,
      entries: [
        suppressionFor(sent, address, { reason: 'complaint', source: 'arf', detail, until: undefined }),
      ],
      events: [
        feedbackEvent(sent, clock.now(), 'delivery.complained', address, detail, 'a complaint by mail'),
      ],
      outgoing: [],
    });
  }
}

function dataOf({
  original,
  incidents,
  userAgent,
  originalMailFrom,
  reportedDomains,
  arrivedAt,
}: Complaint): object {
  const { from, subject, listUnsubscribe, listId, feedbackId } = original;
  return {
    incidents,
    userAgent,
    originalMailFrom,
    reportedDomains,
    from,
    subject,
    listUnsubscribe,
    ...(listId !== '' && { listId }),
    ...(feedbackId !== '' && { feedbackId }),
    ...(arrivedAt !== undefined && { arrivedAt }),
  };
}

/** The beginning of a part, decoded: only header fields are wanted of it. */
function headOf(parts: TakeParts, blobId: number, part: PartRange): Promise<Buffer> {
  return partOctets(parts, blobId, { ...part, end: Math.min(part.end, part.start + READ_BYTES) }, READ_BYTES);
}
