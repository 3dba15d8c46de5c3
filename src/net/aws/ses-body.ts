import { createHash } from 'node:crypto';
import type { SesSource } from './types.ts';

/** Octets of a message encoded at a time: a multiple of 3, so that base64 of the slices joins up. */
const SLICE_BYTES = 48 * 1024;

/**
 * Stands for the message when the SDK makes the request, and is replaced by it on the way out. Its base64 has no
 * character that a form would have to encode, and no padding.
 */
export const PLACEHOLDER = Buffer.from('postern: the message itself goes here now...', 'latin1').subarray(
  0,
  42,
);
const ENCODED = PLACEHOLDER.toString('base64');

/** The message could not be read. `cause` is why. */
export class BadSource extends Error {
  override readonly name = 'BadSource';
  constructor(cause: unknown) {
    super('the message could not be read', { cause });
  }
}

/** How the base64 text of the message stands in the request: as it is (JSON), or in a form (v1). */
export type Encoding = 'json' | 'form';

/** What the SDK's middleware sees of a request. */
interface Request {
  headers: Record<string, string>;
  body?: unknown;
}

/**
 * Put the message where the placeholder stands in a request that the SDK has made and not yet signed. The message is
 * never held: it is read once for the signature, which covers the body's SHA-256, and once more when it is sent. Returns
 * the request to go on with.
 */
export async function withMessage<R extends Request>(
  request: R,
  source: SesSource,
  encoding: Encoding,
): Promise<R> {
  const text = textOf(request.body);
  const at = text.indexOf(ENCODED);
  if (at === -1) throw new Error('the SDK has left the message out of the request');
  const before = Buffer.from(text.slice(0, at));
  const after = Buffer.from(text.slice(at + ENCODED.length));
  const open = (): AsyncGenerator<Buffer> => pieces(before, source, after, encoding);
  const hash = createHash('sha256');
  let length = 0;
  try {
    for await (const piece of open()) {
      hash.update(piece);
      length += piece.length;
      await breath();
    }
  } catch (error) {
    throw new BadSource(error);
  }
  const headers = { ...without(request.headers, 'content-length'), 'content-length': String(length) };
  request.headers = { ...headers, 'x-amz-content-sha256': hash.digest('hex') };
  request.body = { [Symbol.asyncIterator]: open };
  return request;
}

/** Nobody else waits long: a slice costs about a tenth of a millisecond. */
function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  // Its own methods of the SDK's array print warnings.
  if (body instanceof Uint8Array)
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  throw new Error('the SDK has made a request without a body');
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name));
}

async function* pieces(
  before: Buffer,
  source: SesSource,
  after: Buffer,
  encoding: Encoding,
): AsyncGenerator<Buffer> {
  yield before;
  for await (const slice of slices(source.open())) {
    const text = slice.toString('base64');
    yield Buffer.from(encoding === 'form' ? formEncoded(text) : text, 'latin1');
  }
  yield after;
}

function formEncoded(base64: string): string {
  return base64.replaceAll(/[+/=]/g, (char) => (char === '+' ? '%2B' : char === '/' ? '%2F' : '%3D'));
}

/** The octets in slices of `SLICE_BYTES`, the last one shorter. */
async function* slices(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    let at = 0;
    if (held.length > 0) {
      at = Math.min(chunk.length, SLICE_BYTES - held.length);
      held = Buffer.concat([held, chunk.subarray(0, at)]);
      if (held.length < SLICE_BYTES) continue;
      yield held;
      held = Buffer.alloc(0);
    }
    for (; chunk.length - at >= SLICE_BYTES; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES);
    held = Buffer.from(chunk.subarray(at));
  }
  if (held.length > 0) yield held;
}

/** A message in memory as a source. */
export function asSource(raw: Buffer | SesSource): SesSource {
  if (!Buffer.isBuffer(raw)) return raw;
  return {
    async *open() {
      for (let at = 0; at < raw.length; at += SLICE_BYTES) yield raw.subarray(at, at + SLICE_BYTES);
    },
  };
}
