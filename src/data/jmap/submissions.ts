import type { ReadTx, WriteTx } from '../db/sql.ts';
import * as objects from './objects.sql.ts';
import * as sql from './submissions.sql.ts';

/** How it stands with one recipient of a submission (RFC 8621 section 7, DeliveryStatus). */
export interface Delivery {
  readonly address: string;
  readonly reply: string;
  /** `unknown`: another host took it, and whether its reader has it nobody tells us. */
  readonly delivered: 'queued' | 'yes' | 'no' | 'unknown';
}

export type UndoStatus = 'pending' | 'final' | 'canceled';

/** What the queue says of a submission. */
export interface Standing {
  readonly undoStatus: UndoStatus;
  readonly deliveries: readonly Delivery[];
}

/** What the queue's part of a submission is kept under, in its data, when the queue has forgotten the message. */
interface Outcome {
  readonly outcome?: Standing;
}

/**
 * Messages of the queue have changed in what is told of the submissions that they are: a new state of these. Must come
 * last in a transaction: it takes the counters of accounts, in ascending order.
 */
export async function touchSubmissions(tx: WriteTx, messageIds: Iterable<number>): Promise<void> {
  const found: { accountId: number; id: number }[] = [];
  for (const messageId of messageIds) {
    const row = await tx.get(sql.submissionOf, messageId);
    if (row !== undefined) found.push({ accountId: row.account_id, id: row.submission_id });
  }
  found.sort((a, b) => a.accountId - b.accountId || a.id - b.id);
  for (const { accountId, id } of found) {
    const counter = await tx.get(sql.takeCounter, accountId, 'submission');
    await tx.run(sql.changeSubmission, counter?.modseq ?? 0, tx.now, accountId, id);
    tx.touch(accountId);
  }
}

/** What waits for its time of release is pending until the first attempt, which ends that time; what was dropped before is canceled. */
export function undoStatusOf(row: Omit<sql.QueuedRow, 'message_id' | 'submission_id'>): UndoStatus {
  if (row.release_at === null) return 'final';
  if (row.settled_at === null && row.dropped_at === null) return 'pending';
  return 'canceled';
}

async function standingOf(tx: ReadTx, row: sql.QueuedRow): Promise<Standing> {
  const recipients = await tx.all(sql.recipientsQueued, row.message_id);
  return {
    undoStatus: undoStatusOf(row),
    deliveries: recipients.map(({ address, state, last_reply: reply, last_host: host }) => ({
      address,
      reply: reply ?? '250 2.0.0 Queued',
      delivered: deliveredOf(state, host, reply ?? ''),
    })),
  };
}

/** The words of flow/outbound/transports/local.ts for what lies in a mailbox here. */
const HERE = '250 2.0.0 delivered here';

function deliveredOf(state: string, host: string | null, reply: string): Delivery['delivered'] {
  if (state === 'delivered') return host === null && reply.startsWith(HERE) ? 'yes' : 'unknown';
  return state === 'failed' || state === 'dropped' ? 'no' : 'queued';
}

/** How a submission stands, by the queue or by what was kept of it; undefined: all of it was done at once. */
export async function standing(
  tx: ReadTx,
  accountId: number,
  id: number,
  data: string,
): Promise<Standing | undefined> {
  const row = await tx.get(sql.queuedSubmission, accountId, id);
  return row === undefined ? (JSON.parse(data) as Outcome).outcome : standingOf(tx, row);
}

/** Before the queue forgets a message: what it says of it stays with the submission, unchanged for who looks. */
export async function keepOutcome(tx: WriteTx, messageId: number): Promise<void> {
  const found = await tx.get(sql.submissionOf, messageId);
  if (found === undefined) return;
  const { account_id: accountId, submission_id: id } = found;
  const row = await tx.get(sql.queuedSubmission, accountId, id);
  const object = await tx.get(objects.objectById, accountId, 'submission', id);
  if (row === undefined || object === undefined || object.data === null) return;
  const data = { ...(JSON.parse(object.data) as object), outcome: await standingOf(tx, row) };
  await tx.run(sql.rewriteSubmission, JSON.stringify(data), accountId, id);
}

export interface SubmissionRow extends Standing {
  readonly id: number;
  readonly data: string;
}

/** Submissions of an account with how they stand: those of `ids`, or all; and the modseq of their last change. */
export async function submissions(
  tx: ReadTx,
  { accountId, ids }: { accountId: number; ids: readonly number[] | null },
): Promise<{ seq: number; found: SubmissionRow[] }> {
  const seq = (await tx.get(sql.counterOf, accountId, 'submission'))?.modseq ?? 0;
  const rows =
    ids === null
      ? await tx.all(objects.objectsOf, accountId, 'submission')
      : await Promise.all(ids.map((id) => tx.get(objects.objectById, accountId, 'submission', id)));
  const found: SubmissionRow[] = [];
  for (const row of rows) {
    if (row?.data == null) continue;
    const { id, data } = row;
    const stands = await standing(tx, accountId, id, data);
    found.push({ id, data, undoStatus: 'final', deliveries: [], ...stands });
  }
  return { seq, found };
}

/** What a notification says of one recipient, by its address as the envelope of the submission has it. */
export interface Reported {
  readonly address: string;
  readonly delivered?: 'queued' | 'yes' | 'no' | undefined;
  readonly displayed?: boolean | undefined;
}

/** A notification that came back for a submission (RFC 8621 section 7, dsnBlobIds and mdnBlobIds). */
export interface SubmissionReport {
  readonly kind: 'dsn' | 'mdn';
  /** The email that it is. */
  readonly emailId: number;
  readonly recipients: readonly Reported[];
}

/** Reports that are kept with one submission. */
const REPORTS = 100;

interface WithReports {
  readonly messageId?: string;
  readonly reports?: readonly SubmissionReport[];
}

/** Keep a notification with the newest submission of that Message-ID (no angle brackets); false: there is none. */
export async function noteReport(
  tx: WriteTx,
  args: SubmissionReport & { accountId: number; messageId: string },
): Promise<boolean> {
  const { accountId, messageId, ...report } = args;
  const rows = await tx.all(objects.objectsOf, accountId, 'submission');
  for (const { id, data } of rows.toReversed()) {
    if (data?.includes(JSON.stringify(messageId)) !== true) continue;
    const now = JSON.parse(data) as WithReports;
    const { reports = [] } = now;
    if (now.messageId !== messageId || reports.length >= REPORTS) continue;
    if (reports.some(({ emailId }) => emailId === report.emailId)) return true;
    const counter = await tx.get(sql.takeCounter, accountId, 'submission');
    await tx.run(
      sql.rewriteSubmission,
      JSON.stringify({ ...now, reports: [...reports, report] }),
      accountId,
      id,
    );
    await tx.run(sql.changeSubmission, counter?.modseq ?? 0, tx.now, accountId, id);
    tx.touch(accountId);
    return true;
  }
  return false;
}

/** Objects of a kind that an account may have; then the oldest are forgotten, and states from before with them. */
const MOST = 5000;
const AT_ONCE = 100;

/** Make room for one more object. */
export async function makeRoom(tx: WriteTx, accountId: number, kind: string): Promise<void> {
  if (((await tx.get(sql.countObjects, accountId, kind))?.count ?? 0) < MOST) return;
  for (const { id } of await tx.all(sql.oldestObjects, accountId, kind, AT_ONCE))
    await tx.run(sql.forgetObject, accountId, kind, id);
  await tx.run(sql.raiseFloor, accountId, kind);
}
