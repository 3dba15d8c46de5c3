import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Connection } from '../connection.ts';
import { dialPartner, PARTNER_MS, PartnerFailed, type PartnerMessage } from './dial.ts';

/** Milliseconds for the verdict, from the last octet on: large archives take their time. */
const VERDICT_MS = 60_000;
/** Octets of an answer. */
const ANSWER_MAX = 4096;
const CHUNK_MAX = 64 * 1024;

export type ClamdVerdict =
  | { readonly status: 'clean' }
  /** Larger than its StreamMaxLength: it never will be scanned. */
  | { readonly status: 'too-large' }
  /** Name of what was found, printable. */
  | { readonly status: 'infected'; readonly name: string };

/**
 * Have a message scanned by clamd (INSTREAM: pieces with their length before them, ended by an empty one).
 * @throws PartnerFailed when it cannot be reached, breaks off, or takes no streams of this size
 */
export async function askClamd(
  place: string,
  message: Pick<PartnerMessage, 'read'>,
  clock: Clock,
): Promise<ClamdVerdict> {
  const connection = await dialPartner(place, clock);
  const whole = clock.setTimer(PARTNER_MS, () => connection.destroy('it took too long'));
  try {
    await connection.write('zINSTREAM\0');
    for await (const piece of message.read()) await send(connection, piece);
    await connection.write(Buffer.alloc(4));
    return parseAnswer(await answer(connection), place);
  } catch (error) {
    throw error instanceof PartnerFailed ? error : new PartnerFailed(`${place}: ${errorText(error)}`);
  } finally {
    whole.cancel();
    connection.destroy();
  }
}

async function send(connection: Connection, piece: Buffer): Promise<void> {
  for (let at = 0; at < piece.length; at += CHUNK_MAX) {
    const chunk = piece.subarray(at, at + CHUNK_MAX);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(chunk.length);
    await connection.write(length);
    await connection.write(chunk);
    // It says "size limit exceeded" and closes: what it said is read below.
    if (connection.closed) return;
  }
}

async function answer(connection: Connection): Promise<string> {
  let text = '';
  while (!text.includes('\0') && text.length < ANSWER_MAX) {
    const piece = await connection.read({ timeoutMs: VERDICT_MS });
    if (piece === undefined) break;
    text += piece.toString('latin1');
  }
  return text.split('\0')[0] ?? '';
}

function parseAnswer(text: string, place: string): ClamdVerdict {
  const found = /^stream: (.*) FOUND$/.exec(text);
  if (found !== null) return { status: 'infected', name: printable(found[1] ?? '') };
  if (text === 'stream: OK') return { status: 'clean' };
  if (text.startsWith('INSTREAM size limit exceeded')) return { status: 'too-large' };
  if (text === '') throw new PartnerFailed(`${place} closed the connection without an answer`);
  throw new PartnerFailed(`${place} says: ${printable(text)}`);
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 200);
}
