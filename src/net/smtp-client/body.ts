import type { SmtpReply } from '../../base/errors.ts';
import { createDataEncoder } from './data-encoder.ts';
import { broken } from './failure.ts';
import type { Wire } from './wire.ts';

/** Octets taken of a body at a time: a slice of it must not hold the event loop. */
const SLICE_BYTES = 64 * 1024;
/** Octets of a BDAT chunk; each costs a round trip. */
const BDAT_BYTES = 1024 * 1024;

/**
 * Send the message. Returns undefined once its end is handed to the network, with the reply still to be read, or the
 * server's refusal when that came before. Throws the `Refusal` of the encoder, or what the body's source throws, with
 * the connection closed: a message cut short must never look complete.
 */
export async function sendBody(
  wire: Wire,
  body: Buffer | AsyncIterable<Buffer>,
  binary: boolean,
): Promise<SmtpReply | undefined> {
  try {
    return binary ? await sendChunks(wire, body) : await sendData(wire, body);
  } catch (error) {
    wire.connection.destroy('the message could not be sent to its end');
    throw error;
  }
}

async function sendData(wire: Wire, body: Buffer | AsyncIterable<Buffer>): Promise<SmtpReply | undefined> {
  const encoder = createDataEncoder();
  let octets = 0;
  for await (const slice of slices(body)) {
    if (wire.unasked) return earlyReply(wire);
    octets += slice.length;
    for (const piece of encoder.encode(slice)) await wire.connection.write(piece);
    checkOpen(wire);
  }
  if (wire.unasked) return earlyReply(wire);
  const end = encoder.end();
  checkOpen(wire);
  wire.note(`${octets} octets of message, then a dot`);
  // From here on the server may have the message: what goes wrong now is of phase 'after-data'.
  void wire.connection.write(end);
  return undefined;
}

/** BDAT (RFC 3030): the only way for octets that are not lines. */
async function sendChunks(wire: Wire, body: Buffer | AsyncIterable<Buffer>): Promise<SmtpReply | undefined> {
  let held: Buffer[] = [];
  let bytes = 0;
  for await (const slice of slices(body)) {
    if (bytes + slice.length > BDAT_BYTES) {
      await sendChunk(wire, held, bytes, false);
      const reply = await wire.expect('data', wire.timeouts.dataEnd);
      if (reply.code !== 250) return reply;
      held = [];
      bytes = 0;
    }
    held.push(slice);
    bytes += slice.length;
  }
  await sendChunk(wire, held, bytes, true);
  return undefined;
}

async function sendChunk(wire: Wire, parts: readonly Buffer[], bytes: number, last: boolean): Promise<void> {
  checkOpen(wire);
  wire.send([`BDAT ${bytes}${last ? ' LAST' : ''}`]);
  const final = parts.at(-1);
  for (const part of parts) {
    if (last && part === final) checkOpen(wire);
    await wire.connection.write(part);
  }
  if (!last) checkOpen(wire);
}

function checkOpen(wire: Wire): void {
  if (!wire.connection.closed) return;
  const why = wire.connection.closeReason ?? 'closed by the server';
  throw broken('data', 'lost', `connection lost (data): ${why}`);
}

/**
 * The server spoke before the end of the data: it has given up on the message. There is no way to stop but to close,
 * for a dot would say that what was sent is all of it.
 */
async function earlyReply(wire: Wire): Promise<SmtpReply> {
  const reply = await wire.reply('data', wire.timeouts.dataEnd);
  wire.connection.destroy('refused in the middle of the data');
  if (reply.code < 400) throw broken('data', 'protocol', 'the server answered before the end of the data');
  return reply;
}

async function* slices(body: Buffer | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(body)) {
    for (let at = 0; at < body.length; at += SLICE_BYTES) yield body.subarray(at, at + SLICE_BYTES);
    return;
  }
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) yield chunk.subarray(at, at + SLICE_BYTES);
  }
}
