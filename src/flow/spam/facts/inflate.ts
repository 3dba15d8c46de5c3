/** The start of a compressed file, bounded. */
import { constants, gunzipSync, inflateRawSync } from 'node:zlib';
import { factLimits } from './limits.ts';

const OPTIONS = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: factLimits.unpackBytes };
/** Compressed octets that are ever unpacked: enough for the first names in a tar. */
const MAX_INPUT = 2048;

/**
 * The first octets of a gzip file. At most 2 KiB of input, which gives 2 MiB at the very most and is stopped at 1 MiB; empty
 * where it is broken. A file that goes beyond gives 1 MiB of zeros' worth: an empty buffer of that length.
 */
export function gunzipStart(head: Buffer): Buffer {
  return guarded(() => gunzipSync(head.subarray(0, MAX_INPUT), OPTIONS));
}

/** The same for raw deflate, as in zip; at most 16 KiB of input. */
export function inflateStart(head: Buffer): Buffer {
  return guarded(() => inflateRawSync(head.subarray(0, 16 * 1024), OPTIONS));
}

function guarded(unpack: () => Buffer): Buffer {
  try {
    return unpack();
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    return Buffer.alloc(tooLarge ? factLimits.unpackBytes : 0);
  }
}
