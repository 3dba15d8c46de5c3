import type { WriteTx } from '../db/sql.ts';
import { record } from '../journal/record.ts';
import type { JournalEvent } from '../journal/types.ts';
import { lockAccount } from '../mailstore/account.sql.ts';
import { depositAll, type Incoming, incoming } from '../mailstore/deposit.ts';
import type { Deposit, NewBlob, ParsedContent } from '../mailstore/types.ts';
import { send } from '../queue/settle.ts';
import type { NewOutgoing } from '../queue/types.ts';
import { countSent, note, once } from '../sieve/memory.ts';
import type { Memory } from '../sieve/types.ts';

/** Another message that goes into mailboxes with the accept: what a script made of it, a copy of what it sent. */
export interface OtherMessage {
  /** 'same': the octets of the message itself; what is different of it stands in prefix and hidden ranges. */
  readonly blob: NewBlob | 'same';
  readonly content: ParsedContent;
  /** Of one account; the quota was asked when the recipient was accepted. */
  readonly deposits: readonly Deposit[];
  /** Recorded of each deposit that came about, in their order. */
  readonly depositEvents: readonly JournalEvent[];
}

/** What a script sends to somebody who did not expect it. */
export interface ScriptedReply {
  readonly accountId: number;
  /** Set: only once while it is remembered (vacation). */
  readonly memory: Memory | undefined;
  readonly outgoing: NewOutgoing;
  /** For a mailbox of the account, when it is sent (RFC 8580). */
  readonly copy: OtherMessage | undefined;
  readonly events: readonly JournalEvent[];
}

/** What scripts did with a message besides its deposits, to be committed with them. */
export interface Scripted {
  /** They have dealt with it: it counts as taken though nothing of it may be stored. */
  readonly taken: boolean;
  readonly others: readonly OtherMessage[];
  readonly replies: readonly ScriptedReply[];
  readonly remember: readonly Memory[];
  readonly redirects: readonly { readonly accountId: number; readonly count: number }[];
}

/** Accounts that more than one part of the write changes are locked first, in ascending order. */
export async function lockScripted(
  tx: WriteTx,
  scripted: Scripted,
  deposits: readonly Deposit[],
): Promise<void> {
  const more = [...scripted.others, ...scripted.replies.flatMap(({ copy }) => copy ?? [])];
  if (more.length === 0) return;
  const all = [...deposits, ...more.flatMap((each) => each.deposits)].map(({ accountId }) => accountId);
  for (const accountId of [...new Set(all)].toSorted((a, b) => a - b)) await tx.run(lockAccount, accountId);
}

/** Everything but the deposits of the message itself. Returns for each reply whether it was sent. */
export async function applyScripted(tx: WriteTx, message: Incoming, scripted: Scripted): Promise<boolean[]> {
  for (const other of scripted.others) await putOther(tx, message, other);
  for (const memory of scripted.remember) await note(tx, memory);
  for (const { accountId, count } of scripted.redirects)
    await countSent(tx, { accountId, redirects: count, replies: 0 });
  const replied: boolean[] = [];
  for (const reply of scripted.replies) replied.push(await answer(tx, message, reply));
  return replied;
}

async function putOther(
  tx: WriteTx,
  message: Incoming,
  { blob, content, deposits, depositEvents }: OtherMessage,
): Promise<void> {
  const given = deposits.map((deposit) => ({ ...deposit, ignoreQuota: true }));
  const other = blob === 'same' ? { ...message, content } : incoming(tx, blob, content);
  const results = await depositAll(tx, other, given);
  const events = depositEvents.filter((_, i) => results[i]?.status === 'stored');
  if (events.length > 0) await record(tx, events);
}

async function answer(tx: WriteTx, message: Incoming, reply: ScriptedReply): Promise<boolean> {
  const { accountId, memory, outgoing, copy, events } = reply;
  if (memory === undefined) await countSent(tx, { accountId, redirects: 0, replies: 1 });
  else if (!(await once(tx, memory, true))) return false;
  await send(tx, outgoing);
  if (copy !== undefined) await putOther(tx, message, copy);
  if (events.length > 0) await record(tx, events);
  return true;
}
