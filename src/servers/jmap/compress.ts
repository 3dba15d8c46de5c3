import { randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';

/** Octets from which an answer is worth compressing: below it travels in one or two packets anyway. */
const WORTH_BYTES = 2048;
/** Octets of padding at most; see below. */
const PADDING_BYTES = 128;

const compress = promisify(gzip);

/**
 * An answer of the API as it travels: compressed for who takes that, which makes a list of mail a fifth of its size on
 * a bad line. In another thread, at the quickest level.
 *
 * Compression tells something by the length (BREACH). No other site can make a browser send these requests (a cookie
 * of SameSite=Strict, and X-Postern), no answer has a token in it, and what a stranger puts into one has to be sent as
 * mail, one guess a message. A padding of random length takes what is left: the difference of some octets between a
 * right guess and a wrong one goes under in it.
 */
export async function jsonAnswer(json: object, acceptEncoding: string | undefined): Promise<Response> {
  const text = JSON.stringify(json);
  const headers: Record<string, string> = { 'Content-Type': 'application/json', Vary: 'Accept-Encoding' };
  if (text.length < WORTH_BYTES || !takesGzip(acceptEncoding)) return new Response(text, { headers });
  const octets = await compress(text, { level: constants.Z_BEST_SPEED });
  headers['Content-Encoding'] = 'gzip';
  headers['Content-Length'] = String(octets.length);
  headers['X-Padding'] = randomBytes(PADDING_BYTES)
    .toString('hex')
    .slice(0, randomInt(1, PADDING_BYTES * 2));
  return new Response(octets, { headers });
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
