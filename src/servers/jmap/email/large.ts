import type { Worker } from 'node:worker_threads';
import { Refusal } from '../../../base/errors.ts';
import { spawnThread } from '../../../base/threads.ts';
import { MethodError } from '../errors.ts';
import type { Json } from '../json.ts';
import { type EmailWish, messageProperties } from './properties.ts';
import { octetSource } from './source.ts';

/** Octets of a message that is read in place: about a millisecond. */
const IN_PLACE = 256 * 1024;
/** Messages that wait for the thread. */
const WAITING = 64;
/** Heap of the thread, MiB: a message of 50 MB and what is made of it. */
const HEAP_MIB = 512;

export interface LargeJob {
  readonly id: number;
  readonly octets: Uint8Array;
  readonly blobId: string;
  readonly wish: EmailWish;
}

export type LargeAnswer = { readonly id: number } & (
  | { readonly properties: Record<string, Json | undefined>; readonly left: number }
  | { readonly failed: string }
  | { readonly tooLarge: string }
);

type Answered = Extract<LargeAnswer, { readonly left: number }>;

interface Waiting {
  resolve(answer: Answered): void;
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
  if (waiting.size >= WAITING) throw new Refusal('unavailable', 'Too much is being read; try again later.');
  const id = ++serial;
  const copy = new Uint8Array(octets.length);
  copy.set(octets);
  const answer = await new Promise<Answered>((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    const thread = largeThread();
    thread.ref();
    thread.postMessage({ id, octets: copy, blobId, wish } satisfies LargeJob, [copy.buffer]);
  });
  wish.left = answer.left;
  return answer.properties;
}
