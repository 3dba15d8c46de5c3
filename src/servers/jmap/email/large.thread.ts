import { parentPort } from 'node:worker_threads';
import { errorText } from '../../../base/errors.ts';
import { MethodError } from '../errors.ts';
import type { LargeAnswer, LargeJob } from './large.ts';
import { partWithin } from './parts.ts';
import { messageProperties } from './properties.ts';
import { octetSource } from './source.ts';

/** Reads large messages beside the event loop, one after the other. */
let before: Promise<void> = Promise.resolve();

parentPort?.on('message', (job: LargeJob) => {
  before = before.then(() => answer(job));
});

async function answer(job: LargeJob): Promise<void> {
  const { octets } = job;
  let told: LargeAnswer;
  try {
    const message = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
    if ('partId' in job) {
      const part = partWithin(message, job.partId);
      // On its own: a view would take the whole message along.
      told = { part: part && Uint8Array.from(part) };
    } else {
      const { wish } = job;
      const source = octetSource(message, job.blobId);
      told = { properties: await messageProperties(source, wish, undefined), left: wish.left };
    }
  } catch (error) {
    const large = error instanceof MethodError && error.type === 'requestTooLarge';
    told = large ? { tooLarge: error.message } : { failed: errorText(error) };
  }
  parentPort?.postMessage(told);
}
