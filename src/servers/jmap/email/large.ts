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
/** Messages that wait for the thread. */
const WAITING = 64;
/** Heap of the thread, MiB: a message of 50 MB and what is made of it. */
const HEAP_MIB = 512;

export type LargeJob = { readonly id: number; readonly octets: Uint8Array } & (
  | { readonly blobId: string; readonly wish: EmailWish }
  /** A part of it, as a blob id names it. */
  | { readonly partId: string }
);

export type LargeAnswer = { readonly id: number } & (
  | { readonly properties: Record<string, Json | undefined>; readonly left: number }
  | { readonly part: Uint8Array | undefined }
  | { readonly failed: string }
  | { readonly tooLarge: string }
);

interface Waiting {
  resolve(answer: LargeAnswer): void;
  reject(error: Error): void;
}

let thread: Worker | undefined;
let serial = 0;
const waiting = new Map<number, Waiting>();

/** One thread for the program, made when it is first needed; it does not keep the program from ending. */
function largeThread(): Worker {
  if (thread !== undefined) return thread;
  const made = spawnThread(import.meta.url, './large.thread', {
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  made.on('message', (answer: LargeAnswer) => {
    const one = waiting.get(answer.id);
    waiting.delete(answer.id);
    // What nobody waits for does not keep the program from ending.
    if (waiting.size === 0) made.unref();
    if ('tooLarge' in answer) one?.reject(new MethodError('requestTooLarge', answer.tooLarge));
    else if ('failed' in answer) one?.reject(new Error(answer.failed));
    else one?.resolve(answer);
  });
  const lost = (): void => {
    if (thread !== made) return;
    thread = undefined;
    for (const one of waiting.values())
      one.reject(new Refusal('unavailable', 'The message could not be read; try again later.'));
    waiting.clear();
  };
  made.on('error', lost);
  made.on('exit', lost);
  thread = made;
  return made;
}

/**
 * What Email/parse tells of a message: a large one is read in a thread. The octets are given away.
 * @throws Refusal 'unavailable' when too many wait, or the thread ended
 */
export async function parsedProperties(
  octets: Buffer,
  blobId: string,
  wish: EmailWish,
): Promise<Record<string, Json | undefined>> {
  if (octets.length <= IN_PLACE) return messageProperties(octetSource(octets, blobId), wish, undefined);
  const answer = await ask(octets, { blobId, wish });
  if (!('left' in answer)) throw new Error('the thread answered something else');
  wish.left = answer.left;
  return answer.properties;
}

/**
 * A part of a message by what a blob id says of it, decoded; undefined: there is none. Of a large one in the thread.
 * @throws Refusal 'unavailable' when too many wait, or the thread ended
 */
export async function partOctets(octets: Buffer, partId: string): Promise<Buffer | undefined> {
  if (octets.length <= IN_PLACE) return partWithin(octets, partId);
  const answer = await ask(octets, { partId });
  if (!('part' in answer)) throw new Error('the thread answered something else');
  const { part } = answer;
  return part && Buffer.from(part.buffer, part.byteOffset, part.length);
}

type Question = { readonly blobId: string; readonly wish: EmailWish } | { readonly partId: string };

async function ask(octets: Buffer, question: Question): Promise<LargeAnswer> {
  if (waiting.size >= WAITING) throw new Refusal('unavailable', 'Too much is being read; try again later.');
  const id = ++serial;
  const copy = new Uint8Array(octets.length);
  copy.set(octets);
  return new Promise<LargeAnswer>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    const thread = largeThread();
    thread.ref();
    thread.postMessage({ id, octets: copy, ...question } satisfies LargeJob, [copy.buffer]);
  });
}
