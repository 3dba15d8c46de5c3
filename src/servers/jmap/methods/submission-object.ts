import type { SubmissionReport, SubmissionRow } from '../../../data/jmap/submissions.ts';
import type { Store } from '../../../data/store.ts';
import { formatUtc } from '../args.ts';
import { formatId } from '../ids.ts';
import { emailBlobId } from './email-get.ts';
import type { Json, JsonObject } from '../json.ts';
import { formatState } from '../state.ts';
import type { View } from '../view.ts';

/** What is kept of an EmailSubmission (RFC 8621 section 7); how it stands is the queue's to say. */
export interface Submission {
  readonly identityId: string;
  readonly emailId: string;
  readonly threadId: string;
  readonly envelope: JsonObject;
  /** Milliseconds since the epoch. */
  readonly sendAt: number;
  /** Recipients, in lower case, that the queue has not under their own address: they went into mailboxes at once. */
  /** Message-ID of the email, by which notifications find it. */
  readonly messageId?: string;
  /** What came back, in the order in which it came. */
  readonly reports?: readonly SubmissionReport[];
  readonly here?: Readonly<Record<string, 'yes' | 'unknown'>>;
}

export interface KeptSubmission extends Omit<SubmissionRow, 'data'> {
  readonly submission: Submission;
}

export const SUBMISSION_PROPERTIES: readonly string[] = [
  'id',
  'identityId',
  'emailId',
  'threadId',
  'envelope',
  'sendAt',
  'undoStatus',
  'deliveryStatus',
  'dsnBlobIds',
  'mdnBlobIds',
];

export interface Submissions {
  readonly seq: number;
  readonly all: ReadonlyMap<number, KeptSubmission>;
}

/** Submissions of an account: those of `ids`, or all of them. */
export async function submissions(
  read: Store['read'],
  accountId: number,
  ids: readonly number[] | null,
): Promise<Submissions> {
  const { seq, found } = await read.run('jmap.submissions', { accountId, ids });
  return {
    seq,
    all: new Map(
      found.map(({ id, data, undoStatus, deliveries }) => [
        id,
        { id, undoStatus, deliveries, submission: JSON.parse(data) as Submission },
      ]),
    ),
  };
}

export async function submissionState(read: Store['read'], view: View): Promise<string> {
  return formatState(
    view,
    await read.run('jmap.objectState', { accountId: view.accountId, kind: 'submission' }),
  );
}

/** RFC 8621 section 7, deliveryStatus: by address as the envelope has it. */
function deliveryStatus({ submission, deliveries, undoStatus }: KeptSubmission): JsonObject {
  const queued = new Map(deliveries.map((each) => [each.address.toLowerCase(), each]));
  const { rcptTo } = submission.envelope;
  const status: Record<string, Json> = {};
  for (const each of Array.isArray(rcptTo) ? (rcptTo as readonly JsonObject[]) : []) {
    const email = String(each['email']);
    const found = queued.get(email.toLowerCase());
    const here = submission.here?.[email.toLowerCase()];
    const told = reported(submission, email);
    const known = found?.delivered ?? here ?? 'unknown';
    status[email] = {
      smtpReply:
        undoStatus === 'canceled'
          ? '250 2.0.0 Queued; taken back before it was sent'
          : (found?.reply ?? (here === 'yes' ? '250 2.1.5 Delivered here' : '250 2.0.0 Taken')),
      // What we know ourselves is better than what somebody writes.
      delivered: known === 'unknown' ? (told.delivered ?? known) : known,
      displayed: told.displayed ? 'yes' : 'unknown',
    };
  }
  return status;
}

/** What notifications say of a recipient, the last one first. */
function reported(
  { reports = [] }: Submission,
  email: string,
): { readonly delivered: string | undefined; readonly displayed: boolean } {
  const all = reports
    .flatMap(({ recipients }) => recipients)
    .filter(({ address }) => address.toLowerCase() === email.toLowerCase());
  return {
    delivered: all.findLast(({ delivered }) => delivered !== undefined)?.delivered,
    displayed: all.some(({ displayed }) => displayed === true),
  };
}

function reportBlobs({ reports = [] }: Submission, kind: SubmissionReport['kind']): string[] {
  return reports.filter((each) => each.kind === kind).map(({ emailId }) => emailBlobId(emailId));
}

export function submissionObject(kept: KeptSubmission): JsonObject {
  const { identityId, emailId, threadId, envelope, sendAt } = kept.submission;
  return {
    id: formatId('submission', kept.id),
    identityId,
    emailId,
    threadId,
    envelope,
    sendAt: formatUtc(sendAt),
    undoStatus: kept.undoStatus,
    deliveryStatus: deliveryStatus(kept),
    dsnBlobIds: reportBlobs(kept.submission, 'dsn'),
    mdnBlobIds: reportBlobs(kept.submission, 'mdn'),
  };
}
