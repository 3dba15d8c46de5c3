const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const HIGH_BITS = 0x80808080 | 0;
/** Subtracted from four octets at once: the high bit of those below 14 (LF, CR, NUL among them) is set. */
const BELOW_14 = 0x0e0e0e0e;

/** Why message data cannot be taken. */
export type DataFault = 'bare-cr' | 'bare-lf' | 'nul' | 'line-too-long';

/** Where the last octet left us. A line starts after CRLF only, never after a lone CR or LF. */
const LINE_START = 0;
const IN_LINE = 1;
const AFTER_CR = 2;
const AFTER_DOT = 3;
const AFTER_DOT_CR = 4;

/**
 * Finds the end of DATA and takes off dot-stuffing (RFC 5321 sections 4.1.1.4 and 4.5.2) in one pass over the chunks
 * as they come. Only CRLF.CRLF is the end. A CR without LF, an LF without CR, a NUL or a line that is too long is
 * noted in `fault`; the framer then goes on to the true end, so that the refusal reaches the client where it expects
 * an answer and not a byte of the message is ever taken for a command.
 */
export class DataFramer {
  /** End of the unstuffed octets of the last `scan`, which begin where it was told to. */
  outEnd = 0;
  ended = false;
  fault: DataFault | undefined;
  readonly #maxLine: number;
  #state = LINE_START;
  /** Octets of the current line that were in earlier chunks. */
  #lineBefore = 0;
  /** Where the current line begins in the chunk looked at; negative when in an earlier one. */
  #lineFrom = 0;

  /** `maxLine`: octets of a line as sent, CRLF included. */
  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /**
   * Look at `chunk` from `from` on, moving its octets together in place where stuffed dots go. Returns the position
   * after the last octet that belongs to the data; `ended` says whether that was the end of it.
   */
  scan(chunk: Buffer, from: number): number {
    const end = chunk.length;
    const view = new DataView(chunk.buffer, chunk.byteOffset, end);
    let state = this.#state;
    let lineFrom = from - this.#lineBefore;
    let out = from;
    let i = from;
    while (i < end) {
      const byte = chunk[i++] as number;
      if (byte > CR && state === IN_LINE) {
        // The bulk of every message, whole lines of it, without looking at the state.
        const runFrom = i - 1;
        this.#lineFrom = lineFrom;
        i = this.#passPlain(chunk, view, i);
        lineFrom = this.#lineFrom;
        if (out !== runFrom) chunk.copyWithin(out, runFrom, i);
        out += i - runFrom;
        continue;
      }
      if (byte === LF) {
        if (state === AFTER_DOT_CR) {
          this.ended = true;
          break;
        }
        if (state === AFTER_CR) {
          state = LINE_START;
          if (i - lineFrom > this.#maxLine) this.fault ??= 'line-too-long';
          lineFrom = i;
        } else {
          this.fault ??= 'bare-lf';
          state = IN_LINE;
        }
      } else if (state === AFTER_CR || state === AFTER_DOT_CR) {
        this.fault ??= 'bare-cr';
        state = byte === CR ? AFTER_CR : IN_LINE;
      } else if (byte === CR) {
        if (state === AFTER_DOT) {
          // Not copied yet: it is the terminator's CR or, if no LF follows, a bare one and the message is refused.
          state = AFTER_DOT_CR;
          continue;
        }
        state = AFTER_CR;
      } else if (byte === DOT && state === LINE_START) {
        state = AFTER_DOT;
        continue;
      } else {
        if (byte === NUL) this.fault ??= 'nul';
        state = IN_LINE;
      }
      chunk[out++] = byte;
    }
    if (i - lineFrom > this.#maxLine) this.fault ??= 'line-too-long';
    this.#state = state;
    this.#lineBefore = i - lineFrom;
    this.outEnd = out;
    return i;
  }

  /**
   * From inside a line to the next octet that needs care, which is none of a CRLF between two lines of ordinary octets.
   * Eight octets at a time.
   */
  #passPlain(chunk: Buffer, view: DataView, from: number): number {
    const end = chunk.length;
    let i = from;
    for (;;) {
      while (i + 8 <= end) {
        const a = view.getInt32(i, true);
        const b = view.getInt32(i + 4, true);
        if ((((a - BELOW_14) & ~a) | ((b - BELOW_14) & ~b)) & HIGH_BITS) break;
        i += 8;
      }
      while (i < end && (chunk[i] as number) > CR) i++;
      if (i + 2 >= end || chunk[i] !== CR || chunk[i + 1] !== LF) return i;
      const first = chunk[i + 2] as number;
      if (first <= CR || first === DOT) return i;
      i += 2;
      if (i - this.#lineFrom > this.#maxLine) this.fault ??= 'line-too-long';
      this.#lineFrom = i;
    }
  }
}

/**
 * The same rules for BDAT without BINARYMIME (RFC 3030 section 2), where the octets are counted and nothing is
 * stuffed: lines of bounded length, ended by CRLF, without NUL.
 */
export class TextChecker {
  fault: DataFault | undefined;
  readonly #maxLine: number;
  #afterCr = false;
  #lineBefore = 0;

  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /** Look at the octets `from` to `to` of `chunk`, which follow those of the last call. */
  scan(chunk: Buffer, from: number, to: number): void {
    let afterCr = this.#afterCr;
    let lineFrom = from - this.#lineBefore;
    for (let i = from; i < to; i++) {
      const byte = chunk[i] as number;
      if (byte > CR && !afterCr) continue;
      if (byte === LF) {
        if (!afterCr) this.fault ??= 'bare-lf';
        afterCr = false;
        if (i + 1 - lineFrom > this.#maxLine) this.fault ??= 'line-too-long';
        lineFrom = i + 1;
        continue;
      }
      if (afterCr) this.fault ??= 'bare-cr';
      afterCr = byte === CR;
      if (byte === NUL) this.fault ??= 'nul';
    }
    if (to - lineFrom > this.#maxLine) this.fault ??= 'line-too-long';
    this.#afterCr = afterCr;
    this.#lineBefore = to - lineFrom;
  }

  /** The last octet has been seen: a CR that waits for its LF waits in vain. */
  end(): void {
    if (this.#afterCr) this.fault ??= 'bare-cr';
  }
}
