import { Refusal } from '../../base/errors.ts';
import { type NamedAddress, noteAuthor } from '../account/contacts.ts';
import { type MaskedMail, noteMasked } from '../account/masked.ts';
import type { WriteTx } from '../db/sql.ts';
import { noteIntake } from '../intake/note.ts';
import type { IntakePart } from '../intake/types.ts';
import { putObject } from '../jmap/objects.ts';
import { record } from '../journal/record.ts';
import { type JournalEvent, terms } from '../journal/types.ts';
import { depositAll, type Incoming, incoming } from '../mailstore/deposit.ts';
import type { Deposit, DepositResult, NewBlob, ParsedContent } from '../mailstore/types.ts';
import { enqueue } from '../queue/enqueue.ts';
import { linkSubmission } from '../queue/queue.sql.ts';
import { send, settle, type SettleRequest } from '../queue/settle.ts';
import type { Enqueue, NewOutgoing } from '../queue/types.ts';
import { noteSent } from '../spam/senders.ts';
import { once } from '../sieve/memory.ts';
import type { Memory } from '../sieve/types.ts';
import type { Sent } from '../spam/types.ts';
import { keep } from '../vault/keep.ts';
import type { NewVaultEntry } from '../vault/types.ts';
import { applyScripted, lockScripted, type Scripted } from './scripted.ts';

/** One message accepted: its octets once, its deposits, its queue rows and its journal, in one commit. */
export interface Accept {
  /** New octets, or those of a message that is stored already (a queued one delivered here). */
  readonly blob: NewBlob | { readonly id: number; readonly size: number };
  readonly content: ParsedContent;
  readonly deposits: readonly Deposit[];
  /**
   * What a met quota means. `junk`: SMTP has one answer for all, so when anybody takes the message the others' copies
   * go to their Junk all the same; when nobody does, Refusal 'over-quota' and nothing is kept. `report`: LMTP answers
   * each recipient; the result says so.
   */
  readonly overQuota: 'junk' | 'report';
  readonly queue: readonly Enqueue[];
  /** Queued too when somebody takes it; by themselves they are no reason to. For archives. */
  readonly copies?: readonly Enqueue[];
  /** Not recorded when it was for somebody and nobody took it. */
  readonly events: readonly JournalEvent[];
  /** What to record of each deposit that went where it was meant to, in their order. */
  readonly depositEvents?: readonly JournalEvent[];
  /** Notifications that go out with the accept; one about a deposit (its index) only if that was stored. */
  readonly notices?: readonly (NewOutgoing & { readonly deposit: number | undefined })[];
  /** A queue attempt that this delivery ends. Refusal 'conflict', and nothing is kept, when its lease is lost. */
  readonly settle?: SettleRequest;
  /** Kept as an EmailSubmission of the account; with a message of it in the queue it follows that. `data`: JSON. */
  readonly submission?: {
    readonly accountId: number;
    readonly queueId: string;
    readonly data: string;
    /** The state that the submissions of the account must be at; else Refusal 'conflict', and nothing is kept. */
    readonly ifSeq?: number | undefined;
  };
  /** Of a submission: whom the account writes to, remembered when the message is taken. */
  readonly sent?: Sent;
  /**
   * Kept to be looked at. What is `held` counts as taken; what is `refused` is kept whoever takes the rest, and needs
   * no deposits at all.
   */
  readonly vault?: NewVaultEntry;
  /** Of mail that another host put into a bucket for us: who has got it. Refusal 'conflict' when somebody had it. */
  readonly intake?: IntakePart;
  /** Masked addresses that it came to, to be counted when it is taken. */
  readonly masked?: MaskedMail;
  /** Who has proven to have written it, for the names of correspondents. */
  readonly author?: NamedAddress;
  /** What Sieve scripts did with it besides the deposits, forwards and notices. */
  readonly scripted?: Scripted & {
    /** Mail to owners whose scripts failed, once while it is remembered. */
    readonly troubles: readonly { readonly memory: Memory; readonly notice: Accept }[];
  };
}

/**
 * The commit behind a 250. Deposits come before queue rows, accounts in ascending order: the order of locks under
 * PostgreSQL. Nothing is stored of a message that nobody took; a file of its octets is then the caller's to unlink,
 * unless the vault keeps it (`vault` was given).
 */
export async function accept(
  tx: WriteTx,
  args: Accept,
): Promise<{
  deposits: readonly DepositResult[];
  replied?: readonly boolean[];
  submissionId?: number;
}> {
  const message = 'id' in args.blob ? stored(args.blob, args.content) : incoming(tx, args.blob, args.content);
  if (args.scripted !== undefined) await lockScripted(tx, args.scripted, args.deposits);
  const first = await depositAll(tx, message, args.deposits);
  const deposits = args.overQuota === 'junk' ? await fullOnesToJunk(tx, message, args, first) : first;
  if (args.settle !== undefined && deposits.some(({ status }) => status !== 'stored')) {
    throw new Refusal('no-such-account', 'The account was removed during the delivery.');
  }
  if (args.vault !== undefined) await keep(tx, message, args.vault);
  if (!isTaken(args, deposits) && (args.vault === undefined || deposits.length > 0)) return { deposits };
  for (const queued of [...args.queue, ...(args.copies ?? [])])
    await enqueue(tx, await message.blobId(), queued);
  for (const { deposit, ...notice } of args.notices ?? []) {
    if (deposit === undefined || deposits[deposit]?.status === 'stored') await send(tx, notice);
  }
  if (args.sent !== undefined) await noteSent(tx, args.sent);
  if (args.masked !== undefined) await noteMasked(tx, args.masked);
  if (args.author !== undefined) {
    const to = args.deposits.flatMap(({ accountId }, i) =>
      deposits[i]?.status === 'stored' ? [accountId] : [],
    );
    await noteAuthor(tx, to, args.author);
  }
  const replied = args.scripted && (await runScripted(tx, message, args.scripted));
  if (args.intake !== undefined) await noteIntake(tx, args.intake, deposits);
  const events = [...args.events, ...args.deposits.flatMap((_, i) => depositEvent(args, first, i))];
  if (events.length > 0) await record(tx, events);
  if (args.settle !== undefined) {
    const { stale } = await settle(tx, args.settle);
    if (stale.length > 0) throw new Refusal('conflict', 'The lease on this delivery was lost.');
  }
  const submissionId = args.submission && (await putSubmission(tx, args.submission));
  return {
    deposits,
    ...(replied !== undefined && { replied }),
    ...(submissionId !== undefined && { submissionId }),
  };
}

async function putSubmission(
  tx: WriteTx,
  { accountId, queueId, data, ifSeq }: NonNullable<Accept['submission']>,
): Promise<number> {
  const { id } = await putObject(tx, { accountId, kind: 'submission', data, ifSeq });
  await tx.run(linkSubmission, id, queueId);
  return id;
}

async function runScripted(
  tx: WriteTx,
  message: Incoming,
  scripted: NonNullable<Accept['scripted']>,
): Promise<boolean[]> {
  const replied = await applyScripted(tx, message, scripted);
  for (const { memory, notice } of scripted.troubles) {
    if (await once(tx, memory, false)) await accept(tx, notice);
  }
  return replied;
}

function isTaken(args: Accept, deposits: readonly DepositResult[]): boolean {
  if (args.queue.length > 0 || args.vault?.kind === 'held' || args.scripted?.taken === true) return true;
  return deposits.some(({ status }) => status === 'stored');
}

function depositEvent(args: Accept, results: readonly DepositResult[], index: number): JournalEvent | [] {
  return (results[index]?.status === 'stored' && args.depositEvents?.[index]) || [];
}

function stored(blob: { readonly id: number; readonly size: number }, content: ParsedContent): Incoming {
  return { size: blob.size, content, blobId: () => Promise.resolve(blob.id) };
}

async function fullOnesToJunk(
  tx: WriteTx,
  message: Incoming,
  args: Accept,
  results: readonly DepositResult[],
): Promise<DepositResult[]> {
  const full = args.deposits.filter((_, index) => results[index]?.status === 'over-quota');
  if (full.length === 0) return [...results];
  if (!isTaken(args, results)) throw new Refusal('over-quota', 'Mailbox is full, try again later');
  const junk = full.map((deposit) => ({
    ...deposit,
    mailbox: { specialUse: '\\Junk' } as const,
    ignoreQuota: true,
  }));
  const instead = await depositAll(tx, message, junk);
  await record(
    tx,
    junk.map((deposit) => overQuotaEvent(tx, args, deposit)),
  );
  let next = 0;
  return results.map((result) => (result.status === 'over-quota' ? (instead[next++] ?? result) : result));
}

function overQuotaEvent(tx: WriteTx, args: Accept, deposit: Deposit): JournalEvent {
  return {
    trace: deposit.trace ?? '',
    at: tx.now,
    kind: 'message.deposited',
    data: {
      accountId: deposit.accountId,
      mailbox: 'Junk',
      reason: 'its quota was met while the message arrived; others had taken it, so it could not be refused',
    },
    terms: args.content.messageId === undefined ? [] : [terms.messageId(args.content.messageId)],
  };
}
