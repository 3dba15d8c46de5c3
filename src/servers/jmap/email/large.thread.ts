import { parentPort } from 'node:worker_threads';
import { errorText } from '../../../base/errors.ts';
import { MethodError } from '../errors.ts';
import type { LargeAnswer, LargeJob } from './large.ts';
import { messageProperties } from './properties.ts';
import { octetSource } from './source.ts';

/** Reads large messages beside the event loop, one after the other. */
let before: Promise<void> = Promise.resolve();

parentPort?.on('message', (job: LargeJob) => {
  before = before.then(() => answer(job));
});

async function answer({ id, octets, blobId, wish }: LargeJob): Promise<void> {
  let told: LargeAnswer;
  try {
    const source = octetSource(Buffer.from(octets.buffer, octets.byteOffset, octets.length), blobId);
    told = { id, properties: await messageProperties(source, wish, undefined), left: wish.left };
  } catch (error) {
    const large = error instanceof MethodError && error.type === 'requestTooLarge';
    told = large ? { id, tooLarge: error.message } : { id, failed: errorText(error) };
  }
  parentPort?.postMessage(told);
}
