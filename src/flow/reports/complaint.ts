import { terms } from '../../data/journal/types.ts';
import type { Store } from '../../data/store.ts';
import { ARF_PART_BYTES, type Complaint, parseComplaint } from '../../mail/reports/arf.ts';
import type { FoundReport, PartRange } from '../../mail/reports/find-report.ts';
import { isReportAddress } from './addresses.ts';
import { partOctets, type Taken, type TakeParts, type Taking } from './take.ts';

/** Traces of one Message-ID that are looked at for its sender. */
const TRACES_MAX = 5;
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
  const accountId = complaint && (await senderOf(parts.store, complaint.original.messageId));
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
  return first ? 'stored' : 'duplicate';
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

/** The account that sent a message, by the journal; undefined when it was none, or longer ago than events are kept. */
async function senderOf({ read }: Pick<Store, 'read'>, messageId: string): Promise<number | undefined> {
  if (messageId === '') return undefined;
  for (const { trace } of await read.run('journal.find', {
    term: terms.messageId(messageId),
    limit: TRACES_MAX,
  })) {
    for (const { kind, data } of await read.run('journal.byTrace', { trace })) {
      const login = kind === 'message.accepted' ? data['login'] : undefined;
      if (typeof login !== 'string') continue;
      return (await read.run('directory.account', { address: login }))?.id;
    }
  }
  return undefined;
}
