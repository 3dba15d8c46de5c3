import type { Connection } from '../connection.ts';
import type { Input } from './input.ts';
import type { Output } from './output.ts';

/** What a session of a protocol in lines reads and writes with. */
export interface Talk {
  readonly connection: Connection;
  readonly out: Output;
  readonly input: Input;
  /** Set from outside: the session must say this as its last words and end as soon as it can. */
  cut: { readonly text: string; readonly reason: string } | undefined;
}

/** Thrown to leave whatever is going on: the session is over. `bye` is said first, if it can be. */
export class SessionEnd extends Error {
  override readonly name = 'SessionEnd';
  readonly bye: string | undefined;

  constructor(reason: string, bye?: string) {
    super(reason);
    this.bye = bye;
  }
}

/** Tell the session from outside to end: at once if it waits for its client, else after the response in hand. */
export function cutSession(talk: Talk, text: string, reason: string): void {
  talk.cut ??= { text, reason };
  talk.input.wake();
}

function checkCut(talk: Talk): void {
  if (talk.connection.closed) throw new SessionEnd(talk.connection.closeReason ?? 'connection lost');
  if (talk.cut !== undefined) throw new SessionEnd(talk.cut.reason, talk.cut.text);
}

/** Send what is held, and wait until the client has taken enough of it. Throws SessionEnd when there is no point. */
export async function flush(talk: Talk): Promise<void> {
  await talk.out.flush();
  checkCut(talk);
}

/** As `flush`, when there is enough for a write. */
export async function flushIfFull(talk: Talk): Promise<void> {
  if (talk.out.full) await flush(talk);
}

/**
 * Wait for octets. True when some came, false when woken (look at what changed). Throws SessionEnd, also when none came
 * within the milliseconds that `silence` gives when everything has been said.
 */
export async function moreOctets(talk: Talk, silence: () => number): Promise<boolean> {
  await flush(talk);
  talk.input.release();
  const filled = await talk.input.fill(silence());
  if (filled === 'data') return true;
  checkCut(talk);
  if (filled === 'woken') return false;
  if (filled === 'end') throw new SessionEnd('client closed the connection');
  throw new SessionEnd('client was silent for too long', 'Autologout: idle for too long');
}

/**
 * The next line without its CRLF, a copy. Undefined when it was longer than `max` octets: then nothing of it has been
 * taken, and `restOfLine` throws it away.
 */
export async function nextLine(talk: Talk, max: number, silence: () => number): Promise<Buffer | undefined> {
  for (;;) {
    const line = talk.input.takeLine(max);
    if (line === 'bare-lf') throw new SessionEnd('bare LF in a command', 'Lines must end in CRLF');
    if (line === 'too-long') return undefined;
    if (line !== undefined) return Buffer.from(line);
    await moreOctets(talk, silence);
  }
}

/** Octets of a line's end that show whether a literal follows. */
const TAIL_BYTES = 48;

/** Throws away a line of at most `max` octets more. Returns its last octets, CRLF included. Throws SessionEnd. */
export async function restOfLine(talk: Talk, max: number, silence: () => number): Promise<Buffer> {
  let count = 0;
  let tail = Buffer.alloc(0);
  for (;;) {
    const { octets, found } = talk.input.discardLine();
    count += octets.length;
    tail = Buffer.concat([tail, octets.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
    if (found) return tail;
    if (count > max) throw new SessionEnd('command line without end', 'Command line too long');
    await moreOctets(talk, silence);
  }
}

/** The next `size` octets, piece by piece; pieces are valid until the next one is asked for. */
export async function* nextOctets(
  talk: Talk,
  size: number,
  silence: () => number,
): AsyncGenerator<Buffer, void> {
  let left = size;
  while (left > 0) {
    const piece = talk.input.takeOctets(left);
    if (piece.length === 0) {
      await moreOctets(talk, silence);
      continue;
    }
    left -= piece.length;
    yield piece;
  }
}
