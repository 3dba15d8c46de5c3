import { createGunzip, createInflateRaw } from 'node:zlib';
import { errorText } from '../../base/errors.ts';
import { type ReportLimits, ReportProblem, reportLimits } from './problem.ts';
import { zipEntry } from './zip.ts';

/** Octets given on at a time when nothing has to be unpacked. */
const PIECE = 64 * 1024;

/**
 * The octets of a report as it came: gzip, a zip with one file, or plain. Told apart by what they are, since names and
 * media types are often wrong. Streams; throws ReportProblem 'too-large', 'bomb', 'broken', 'encrypted',
 * 'several-files', 'unsupported'.
 */
export async function* unpack(packed: Buffer, limits: ReportLimits = reportLimits): AsyncGenerator<Buffer> {
  if (packed.length > limits.packedBytes)
    throw new ReportProblem('too-large', `the attachment has ${packed.length} octets`);
  let total = 0;
  for await (const piece of opened(packed)) {
    total += piece.length;
    if (total > limits.inflatedBytes)
      throw new ReportProblem(
        'too-large',
        `unpacked it has more than ${limits.inflatedBytes} octets (${packed.length} packed)`,
      );
    if (total > limits.ratioFloorBytes && total > limits.ratio * packed.length)
      throw new ReportProblem('bomb', `it unpacks to more than ${limits.ratio} times its size`);
    yield piece;
  }
}

function opened(packed: Buffer): AsyncIterable<Buffer> | Iterable<Buffer> {
  if (packed[0] === 0x1f && packed[1] === 0x8b) return inflated(packed, createGunzip());
  if (packed.subarray(0, 2).toString('latin1') !== 'PK') return pieces(packed);
  const { method, data } = zipEntry(packed);
  return method === 'stored' ? pieces(data) : inflated(data, createInflateRaw());
}

function* pieces(octets: Buffer): Generator<Buffer> {
  for (let at = 0; at < octets.length; at += PIECE) yield octets.subarray(at, at + PIECE);
}

/** Works in libuv's pool and only as far as it is read. */
async function* inflated(
  packed: Buffer,
  stream: ReturnType<typeof createGunzip> | ReturnType<typeof createInflateRaw>,
): AsyncGenerator<Buffer> {
  stream.end(packed);
  try {
    for await (const piece of stream) yield piece as Buffer;
  } catch (error) {
    throw new ReportProblem('broken', `it cannot be unpacked: ${errorText(error)}`);
  } finally {
    stream.destroy();
  }
}
