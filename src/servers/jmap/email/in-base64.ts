import { encodeBase64 } from '../../../mail/message/build.ts';

/** Octets of a line of base64, times some lines. */
const LINES = 57 * 256;

/** Octets as lines of base64 (RFC 2045 section 6.8), a piece at a time. */
export async function* inBase64(octets: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const piece of octets) {
    held = Buffer.concat([held, piece]);
    const whole = held.length - (held.length % LINES);
    for (let at = 0; at < whole; at += LINES) yield encodeBase64(held.subarray(at, at + LINES));
    held = held.subarray(whole);
  }
  if (held.length > 0) yield encodeBase64(held);
}
