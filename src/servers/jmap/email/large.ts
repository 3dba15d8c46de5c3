import type { Worker } from 'node:worker_threads';
import { Refusal } from '../../../base/errors.ts';
import { spawnThread } from '../../../base/threads.ts';
import { MethodError } from '../errors.ts';
import type { Json } from '../json.ts';
import { partWithin } from './parts.ts';
import { type EmailWish, messageProperties } from './properties.ts';
import { octetSource } from './source.ts';

/** Octets of a message that is read in place: about a millisecond. */
const IN_PLACE = 256 * 1024;
/** Messages that wait for the thread: of everybody, and of one account. Each stands in memory. */
const WAITING = 64;
const WAITING_OF_ONE = 8;
/** Heap of the thread, MiB: a message of 50 MB and what is made of it. */
const HEAP_MIB = 512;

type Question = { readonly blobId: string; readonly wish: EmailWish } | { readonly partId: string };
export type LargeJob = { readonly octets: Uint8Array } & Question;

export type LargeAnswer =
  | { readonly properties: Record<string, Json | undefined>; readonly left: number }
  | { readonly part: Uint8Array | undefined }
  | { readonly failed: string }
  | { readonly tooLarge: string };

interface Waiting {
  readonly octets: Buffer;
  readonly question: Question;
  resolve(answer: LargeAnswer): void;
  reject(error: Error): void;
}

let thread: Worker | undefined;
let atWork: Waiting | undefined;
/** Whose message came to its turn last. */
let last: number | undefined;
/** By account, in the order in which they come to their turn: who has many waits behind everybody who has one. */
const queues = new Map<number, Waiting[]>();

/** One thread for the program, made when it is first needed; it does not keep the program from ending. */
function largeThread(): Worker {
  if (thread !== undefined) return thread;
  const made = spawnThread(import.meta.url, './large.thread', {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  made.on('message', (answer: LargeAnswer) => {
    const one = atWork;
    atWork = undefined;
    next();
    // What nobody waits for does not keep the program from ending.
    if (atWork === undefined) made.unref();
    if ('tooLarge' in answer) one?.reject(new MethodError('requestTooLarge', answer.tooLarge));
    else if ('failed' in answer) one?.reject(new Error(answer.failed));
    else one?.resolve(answer);
  });
  const lost = (): void => {
    if (thread !== made) return;
    thread = undefined;
    // It was this one's doing, if anybody's: the others are read by the next thread.
    const one = atWork;
    atWork = undefined;
    one?.reject(new Refusal('unavailable', 'The message could not be read; try again later.'));
    next();
  };
  made.on('error', lost);
  made.on('exit', lost);
  thread = made;
  return made;
}

/** Give the thread the next message, if it has none. */
function next(): void {
  if (atWork !== undefined) return;
  // Whoever has just had a turn waits behind those who came meanwhile.
  const before = last === undefined ? undefined : queues.get(last);
  if (last !== undefined && before !== undefined) {
    queues.delete(last);
    queues.set(last, before);
  }
  const [first] = queues;
  if (first === undefined) return;
  const [accountId, mine] = first;
  const one = mine.shift();
  if (mine.length === 0) queues.delete(accountId);
  if (one === undefined) return;
  last = accountId;
  atWork = one;
  const octets = given(one.octets);
  const worker = largeThread();
  worker.ref();
  worker.postMessage({ octets, ...one.question } satisfies LargeJob, [octets.buffer]);
}

/** As it can be handed to a thread: without a copy where nothing else stands in its memory. */
function given(octets: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = octets;
  return buffer instanceof ArrayBuffer && buffer.byteLength === octets.length
    ? new Uint8Array(buffer)
    : Uint8Array.from(octets);
}

/**
 * What Email/parse tells of a message: a large one is read in a thread. The octets are given away.
 * @throws Refusal 'unavailable' when too many wait, or the thread ended
 */
export async function parsedProperties(
  accountId: number,
  octets: Buffer,
  blobId: string,
  wish: EmailWish,
): Promise<Record<string, Json | undefined>> {
  if (octets.length <= IN_PLACE) return messageProperties(octetSource(octets, blobId), wish, undefined);
  const answer = await ask(accountId, octets, { blobId, wish });
  if (!('left' in answer)) throw new Error('the thread answered something else');
  wish.left = answer.left;
  return answer.properties;
}

/**
 * A part of a message by what a blob id says of it, decoded; undefined: there is none. Of a large one in the thread; the
 * octets are given away.
 * @throws Refusal 'unavailable' when too many wait, or the thread ended
 */
export async function partOctets(
  accountId: number,
  octets: Buffer,
  partId: string,
): Promise<Buffer | undefined> {
  if (octets.length <= IN_PLACE) return partWithin(octets, partId);
  const answer = await ask(accountId, octets, { partId });
  if (!('part' in answer)) throw new Error('the thread answered something else');
  const { part } = answer;
  return part && Buffer.from(part.buffer, part.byteOffset, part.length);
}

function ask(accountId: number, octets: Buffer, question: Question): Promise<LargeAnswer> {
  const mine = queues.get(accountId) ?? [];
  let all = 0;
  for (const each of queues.values()) all += each.length;
  if (all >= WAITING || mine.length >= WAITING_OF_ONE)
    return Promise.reject(new Refusal('unavailable', 'Too much is being read; try again later.'));
  return new Promise<LargeAnswer>((resolve, reject) => {
    mine.push({ octets, question, resolve, reject });
    queues.set(accountId, mine);
    next();
  });
}
