import { randomBytes, randomInt } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { constants, createGzip, gzip } from 'node:zlib';
import type { JsonObject } from './json.ts';
import { isLarge, jsonPieces } from './json-pieces.ts';

/** Octets from which an answer is worth compressing: below it travels in one or two packets anyway. */
const WORTH_BYTES = 2048;
/** Octets of padding at most; see below. */
const PADDING_BYTES = 128;

const compress = promisify(gzip);
const LEVEL = { level: constants.Z_BEST_SPEED };

/**
 * An answer of the API as it travels: compressed for who takes that, which makes a list of mail a fifth of its size on
 * a bad line. In another thread, at the quickest level.
 *
 * Compression tells something by the length (BREACH). No other site can make a browser send these requests (a cookie
 * of SameSite=Strict, and X-Postern), no answer has a token in it, and what a stranger puts into one has to be sent as
 * mail, one guess a message. A padding of random length takes what is left: the difference of some octets between a
 * right guess and a wrong one goes under in it.
 */
export async function jsonAnswer(json: JsonObject, acceptEncoding: string | undefined): Promise<Response> {
  const headers: Record<string, string> = { 'Content-Type': 'application/json', Vary: 'Accept-Encoding' };
  const zipped = takesGzip(acceptEncoding);
  if (isLarge(json)) return largeAnswer(json, zipped, headers);
  const text = JSON.stringify(json);
  if (text.length < WORTH_BYTES || !zipped) return new Response(text, { headers });
  const octets = await compress(text, LEVEL);
  Object.assign(headers, compressed(), { 'Content-Length': String(octets.length) });
  return new Response(octets, { headers });
}

/** Written as it is sent. */
function largeAnswer(json: JsonObject, zipped: boolean, headers: Record<string, string>): Response {
  const pieces = Readable.from(jsonPieces(json), { objectMode: false });
  // What goes wrong with one ends the other; it shows where it is read.
  const stream = zipped ? pipeline(pieces, createGzip(LEVEL), () => undefined) : pieces;
  if (zipped) Object.assign(headers, compressed());
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, { headers });
}

function compressed(): Record<string, string> {
  const padding = randomBytes(PADDING_BYTES).toString('hex');
  return { 'Content-Encoding': 'gzip', 'X-Padding': padding.slice(0, randomInt(1, PADDING_BYTES * 2)) };
}

/** RFC 9110 section 12.5.3, as far as browsers and libraries use it. */
export function takesGzip(field: string | undefined): boolean {
  return (field ?? '')
    .slice(0, 500)
    .toLowerCase()
    .split(',')
    .some((each) => {
      const [name = '', ...parameters] = each.split(';').map((part) => part.trim());
      return name === 'gzip' && !parameters.some((part) => /^q=0(?:\.0*)?$/.test(part));
    });
}
