import { isUtf8 } from 'node:buffer';
import type { Input } from './input.ts';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const DEL = 0x7f;

/**
 * What is wrong with a command line. After 'bare-lf', 'bare-cr' and 'flood' nobody knows where the next command
 * begins: the session must end. After the others it is in step.
 */
export type LineFault = 'bare-lf' | 'bare-cr' | 'flood' | 'too-long' | 'control' | 'not-utf8';

export type Line = { readonly text: string } | { readonly fault: LineFault };

/**
 * Cuts command lines out of the input: CRLF and nothing else ends one (RFC 5321 section 2.3.8). Lines are ASCII or,
 * with SMTPUTF8 (RFC 6531 section 3.3), UTF-8; control characters other than TAB are refused.
 */
export class LineReader {
  readonly #input: Input;
  readonly #discardLimit: number;
  /** Octets thrown away of a line that was too long; -1 when not in one. */
  #discarded = -1;
  #lastDiscarded = 0;

  constructor(input: Input, discardLimit: number) {
    this.#input = input;
    this.#discardLimit = discardLimit;
  }

  /** The next line of at most `max` octets with its CRLF, or undefined when the input must be filled first. */
  take(max: number): Line | undefined {
    if (this.#discarded >= 0) return this.#discard();
    const { chunk, pos } = this.#input;
    const end = chunk.length;
    let high = 0;
    let control = false;
    for (let i = pos; i < end; i++) {
      const byte = chunk[i] as number;
      if (byte >= SPACE && byte !== DEL) {
        high |= byte;
      } else if (byte === CR) {
        if (i + 1 === end) break;
        if (chunk[i + 1] !== LF) return { fault: 'bare-cr' };
        this.#input.pos = i + 2;
        if (i + 2 - pos > max) return { fault: 'too-long' };
        if (control) return { fault: 'control' };
        return high < 0x80 ? { text: chunk.toString('latin1', pos, i) } : utf8Line(chunk.subarray(pos, i));
      } else if (byte === LF) {
        return { fault: 'bare-lf' };
      } else if (byte !== TAB) {
        control = true;
      }
    }
    if (end - pos > max) {
      this.#discarded = 0;
      return this.#discard();
    }
    return undefined;
  }

  #discard(): Line | undefined {
    const { chunk, pos } = this.#input;
    const lf = chunk.indexOf(LF, pos);
    if (lf !== -1) {
      const before = lf > pos ? chunk[lf - 1] : this.#lastDiscarded;
      this.#input.pos = lf + 1;
      this.#discarded = -1;
      return { fault: before === CR ? 'too-long' : 'bare-lf' };
    }
    if (chunk.length > pos) {
      this.#discarded += chunk.length - pos;
      this.#lastDiscarded = chunk[chunk.length - 1] ?? 0;
      this.#input.pos = chunk.length;
    }
    return this.#discarded > this.#discardLimit ? { fault: 'flood' } : undefined;
  }
}

function utf8Line(bytes: Buffer): Line {
  return isUtf8(bytes) ? { text: bytes.toString('utf8') } : { fault: 'not-utf8' };
}
