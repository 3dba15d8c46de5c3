/**
 * One pass over the bytes of a message, in pieces of any size, that finds its MIME structure (RFC 2045, 2046) and
 * counts what limits care for. Only header sections and the start of lines that may be delimiters are kept.
 *
 * Lines are told apart by LF alone, so that a message with bare LF has a structure too. As in RFC 2046 5.1.1 a line is a
 * delimiter when it begins with "--" and the boundary; among several open boundaries an exact match wins, then the
 * longest, then the innermost.
 */
import { boundParams, readEntityHeader } from './entity.ts';
import { type MimeLimits, mimeLimits } from './limits.ts';
import { rawParameter } from './params.ts';
import { emptyPart, type HeaderField, isMessageType, type MessageStructure, type Part } from './structure.ts';

const CR = 13;
const LF = 10;
const DASH = 45;
const HIGH_BITS = 0x80808080 | 0;
/** Subtracted from four octets at once: the high bit of those below 14 (all of TAB, LF, VT, FF, CR, NUL) is set. */
const BELOW_14 = 0x0e0e0e0e;
const EMPTY = Buffer.alloc(0);

/** A part that is still open. Its boundary is absent for leaves, and gone once the close delimiter was seen. */
interface Frame {
  readonly part: Part;
  boundary: Buffer | undefined;
  /** LF seen before the body. */
  linesBefore: number;
  /** Header octets of this part that may be kept. */
  readonly headerRoom: number;
  /** The top part of a message: has an envelope. */
  readonly isMessageTop: boolean;
}

function sameBytes(boundary: Buffer, line: Buffer, at: number): boolean {
  const length = boundary.length;
  const quick = length < 16 ? length : 16;
  for (let i = 0; i < quick; i++) if (boundary[i] !== line[at + i]) return false;
  return length === quick || boundary.compare(line, at + quick, at + length, quick, length) === 0;
}

/** Finds the structure of a message given in pieces. Use once: `push` all of it, then `end`. Never throws on input. */
export class MessageScanner {
  private readonly limits: MimeLimits;
  private readonly fields: HeaderField[] = [];
  private readonly frames: Frame[] = [];
  private readonly root: Part;
  private parts = 1;
  private openBoundaries = 0;
  private inHeader = true;

  /** Offset of the current piece in the message. */
  private base = 0;
  private lineStart = 0;
  private lines = 0;
  /** Octets of the line end before the current line: 0, 1 or 2. */
  private lastEnd = 0;
  /** Last octet of the piece before. */
  private lastByte = -1;
  /** First octets of a line that began in an earlier piece and may be a delimiter. */
  private carry: Buffer = EMPTY;
  /** Octets of the current header from earlier pieces. */
  private head: Buffer = EMPTY;
  private headUsed = 0;
  private partHeaderRoom: number;
  private paramRoom: number;

  /** Or of all octets since the last change between header and body; bit 7 of each octet counts. */
  private octets = 0;
  private crs = 0;
  private crlfs = 0;
  private receivedFields = 0;
  private headerTruncated = false;
  private eightBitHeader = false;
  private eightBitPartHeader = false;
  private eightBitBody = false;
  private hasNul = false;
  private hasBareLf = false;
  private longestLine = 0;

  constructor(limits: Partial<MimeLimits> = {}) {
    this.limits = { ...mimeLimits, ...limits };
    this.partHeaderRoom = this.limits.allPartHeaderBytes;
    this.paramRoom = this.limits.params;
    this.root = emptyPart(0, false);
    this.frames.push({
      part: this.root,
      boundary: undefined,
      linesBefore: 0,
      headerRoom: this.limits.headerBytes,
      isMessageTop: false,
    });
  }

  /** Takes the next piece of the message. Nothing of it is kept by reference. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    const end = chunk.length;
    let octets = 0;
    let pos = 0;
    while (pos < end) {
      // Eight octets at a time up to the next one below 14.
      while (pos + 8 <= end) {
        const a = view.getInt32(pos, true);
        const b = view.getInt32(pos + 4, true);
        if ((((a - BELOW_14) & ~a) | ((b - BELOW_14) & ~b)) & HIGH_BITS) break;
        octets |= a | b;
        pos += 8;
      }
      let byte = 255;
      while (pos < end) {
        byte = chunk[pos] ?? 0;
        if (byte < 14) break;
        octets |= byte;
        pos++;
      }
      if (pos >= end) break;
      if (byte === LF) {
        this.octets |= octets;
        octets = 0;
        this.lineEnd(chunk, pos);
      } else if (byte === CR) this.crs++;
      else if (byte === 0) this.hasNul = true;
      pos++;
    }
    this.octets |= octets;
    this.keepUnfinishedLine(chunk);
    this.base += end;
    this.lastByte = chunk[end - 1] ?? -1;
  }

  /** The structure of all that was pushed. */
  end(): MessageStructure {
    const rest = this.base - this.lineStart;
    if (rest > this.longestLine) this.longestLine = rest;
    // A close delimiter often lacks its line end.
    if (this.carry.length > 0) this.delimiterLine(this.carry, 0, this.carry.length, EMPTY, this.base);
    while (this.frames.length > 0) this.closeTop(this.base, this.lines, EMPTY);
    this.noteOctets();
    return {
      size: this.base,
      root: this.root,
      fields: this.fields,
      receivedFields: this.receivedFields,
      headerTruncated: this.headerTruncated,
      eightBitHeader: this.eightBitHeader,
      eightBitPartHeader: this.eightBitPartHeader,
      eightBitBody: this.eightBitBody,
      hasNul: this.hasNul,
      hasBareCr: this.crs !== this.crlfs,
      hasBareLf: this.hasBareLf,
      longestLine: this.longestLine,
    };
  }

  /** An LF stands at `pos` of `chunk`. */
  private lineEnd(chunk: Buffer, pos: number): void {
    const hasCr = (pos > 0 ? chunk[pos - 1] : this.lastByte) === CR;
    if (hasCr) this.crlfs++;
    else this.hasBareLf = true;
    const next = this.base + pos + 1;
    const length = next - this.lineStart;
    if (length > this.longestLine) this.longestLine = length;
    if (!this.isDelimiter(chunk, pos, hasCr) && this.inHeader && length === (hasCr ? 2 : 1)) {
      this.endHeader(chunk, pos + 1);
    }
    if (this.carry.length > 0) this.carry = EMPTY;
    this.lines++;
    this.lineStart = next;
    this.lastEnd = hasCr ? 2 : 1;
  }

  /** Acts on the line that ends at `pos` when it is a delimiter. */
  private isDelimiter(chunk: Buffer, pos: number, hasCr: boolean): boolean {
    if (this.openBoundaries === 0) return false;
    const from = this.lineStart - this.base;
    const next = this.base + pos + 1;
    if (from >= 0) {
      if (chunk[from] !== DASH || chunk[from + 1] !== DASH) return false;
      return this.delimiterLine(chunk, from, hasCr ? pos - 1 : pos, chunk, next);
    }
    if (this.carry.length === 0) return false;
    const line = this.extendCarry(chunk, 0, pos);
    const lineLength = next - this.lineStart - (hasCr ? 2 : 1);
    return this.delimiterLine(line, 0, Math.min(line.length, lineLength), chunk, next);
  }

  /** `line[from, to)` has begun a line (its end may be cut when that is far away); true if it was a delimiter. */
  private delimiterLine(line: Buffer, from: number, to: number, chunk: Buffer, next: number): boolean {
    if (to - from < 2 || line[from] !== DASH || line[from + 1] !== DASH) return false;
    const level = this.matchBoundary(line, from + 2, to);
    if (level === -1) return false;
    const frame = this.frames[level];
    if (frame?.boundary === undefined) return false;
    const after = from + 2 + frame.boundary.length;
    const isClose = after + 2 <= to && line[after] === DASH && line[after + 1] === DASH;
    // The line end before a delimiter belongs to it (RFC 2046 5.1.1), unless it ends a header.
    const top = this.frames.at(-1)?.part;
    const floor = (this.inHeader ? top?.headerStart : top?.bodyStart) ?? 0;
    const bodyEnd = Math.max(floor, this.lineStart - this.lastEnd);
    const lines = bodyEnd === this.lineStart ? this.lines : this.lines - 1;
    while (this.frames.length > level + 1) this.closeTop(bodyEnd, lines, chunk);
    this.noteOctets();
    if (isClose) {
      frame.boundary = undefined;
      this.openBoundaries--;
    } else {
      this.openPart(frame.part, next);
    }
    return true;
  }

  /** Index of the frame whose boundary `line[at, to)` begins with, or -1. */
  private matchBoundary(line: Buffer, at: number, to: number): number {
    let best = -1;
    let bestLength = -1;
    for (let level = this.frames.length - 1; level >= 0; level--) {
      const boundary = this.frames[level]?.boundary;
      if (boundary === undefined || boundary.length <= bestLength || boundary.length > to - at) continue;
      if (!sameBytes(boundary, line, at)) continue;
      const rest = to - at - boundary.length;
      const exact = rest === 0 || (rest === 2 && line[to - 1] === DASH && line[to - 2] === DASH);
      if (exact) return level;
      best = level;
      bestLength = boundary.length;
    }
    return best;
  }

  /** Begins a part of a multipart whose header starts at `start`. */
  private openPart(parent: Part, start: number): void {
    const part = emptyPart(start, parent.subtype === 'digest');
    parent.children.push(part);
    this.parts++;
    if (this.parts >= this.limits.mimeParts) {
      this.takeAllTheRest(part);
      return;
    }
    this.pushFrame(part, false);
  }

  private pushFrame(part: Part, isMessageTop: boolean): void {
    const { partHeaderBytes, partHeaderFloor } = this.limits;
    const headerRoom = Math.max(partHeaderFloor, Math.min(partHeaderBytes, this.partHeaderRoom));
    this.frames.push({ part, boundary: undefined, linesBefore: this.lines + 1, headerRoom, isMessageTop });
    this.inHeader = true;
    this.headUsed = 0;
  }

  /** The last part that the limit allows: no delimiter counts any more. */
  private takeAllTheRest(part: Part): void {
    part.type = 'application';
    part.subtype = 'octet-stream';
    part.opaque = true;
    for (const frame of this.frames) frame.boundary = undefined;
    this.openBoundaries = 0;
    this.frames.push({
      part,
      boundary: undefined,
      linesBefore: this.lines + 1,
      headerRoom: 0,
      isMessageTop: false,
    });
    this.inHeader = false;
  }

  /** The blank line of the current header ends before `chunkEnd` of `chunk`. */
  private endHeader(chunk: Buffer, chunkEnd: number): void {
    const frame = this.frames.at(-1);
    if (frame === undefined) return;
    const bodyStart = this.base + chunkEnd;
    this.finishHeader(frame, bodyStart, chunk);
    frame.linesBefore = this.lines + 1;
    const { part } = frame;
    if (part.type === 'multipart') this.openMultipart(frame);
    else if (isMessageType(part.type, part.subtype)) this.openMessage(part);
  }

  private openMultipart(frame: Frame): void {
    const { part } = frame;
    const boundary = rawParameter(part.params, 'boundary');
    if (this.frames.length > this.limits.mimeDepth || this.parts + 1 >= this.limits.mimeParts) {
      part.opaque = true;
    } else if (boundary !== undefined) {
      frame.boundary = Buffer.from(boundary.slice(0, this.limits.boundaryBytes), 'latin1');
      this.openBoundaries++;
    }
  }

  private openMessage(part: Part): void {
    if (this.frames.length > this.limits.mimeDepth || this.parts + 1 >= this.limits.mimeParts) {
      part.opaque = true;
      return;
    }
    const inner = emptyPart(part.bodyStart, false);
    part.children.push(inner);
    this.parts++;
    this.pushFrame(inner, true);
  }

  /** Reads the header of `frame`, which ends at `bodyStart`; its last octets stand in `chunk`. */
  private finishHeader(frame: Frame, bodyStart: number, chunk: Buffer): void {
    const { part } = frame;
    part.bodyStart = bodyStart;
    this.inHeader = false;
    const text = this.headerText(frame, part.bodyStart - part.headerStart, chunk);
    const isRoot = part === this.root;
    if (isRoot) {
      readEntityHeader(part, text, 0, false, (field) => this.noteField(field));
    } else {
      this.partHeaderRoom -= text.length;
      readEntityHeader(part, text, part.headerStart, frame.isMessageTop, () => undefined);
    }
    this.paramRoom -= boundParams(part, this.paramRoom, this.limits.paramsFloor);
    if ((this.octets & HIGH_BITS) !== 0) {
      if (isRoot) this.eightBitHeader = true;
      else this.eightBitPartHeader = true;
    }
    this.octets = 0;
  }

  /** The first `length` octets of the header, no more than there is room for. */
  private headerText(frame: Frame, length: number, chunk: Buffer): string {
    const wanted = Math.min(length, frame.headerRoom);
    if (length > frame.headerRoom && frame.part === this.root) this.headerTruncated = true;
    const from = frame.part.headerStart - this.base;
    if (from >= 0) return chunk.toString('latin1', from, from + wanted);
    const kept = this.head.toString('latin1', 0, Math.min(this.headUsed, wanted));
    return kept + chunk.toString('latin1', 0, Math.max(0, wanted - this.headUsed));
  }

  private noteField(field: HeaderField): void {
    if (field.name === 'received') this.receivedFields++;
    if (this.fields.length < this.limits.fields) this.fields.push(field);
  }

  private noteOctets(): void {
    if ((this.octets & HIGH_BITS) !== 0) this.eightBitBody = true;
    this.octets = 0;
  }

  /** Ends the innermost open part at `bodyEnd`, before which `lines` LF stand. */
  private closeTop(bodyEnd: number, lines: number, chunk: Buffer): void {
    const frame = this.frames.pop();
    if (frame === undefined) return;
    const { part } = frame;
    if (this.inHeader) {
      this.finishHeader(frame, bodyEnd, chunk);
      part.bodyEnd = part.bodyStart;
    } else {
      part.bodyEnd = bodyEnd;
      part.lines = lines - frame.linesBefore;
    }
    if (frame.boundary !== undefined) this.openBoundaries--;
  }

  /** Keeps what the next piece will need: the header so far, and the head of a line that may be a delimiter. */
  private keepUnfinishedLine(chunk: Buffer): void {
    const frame = this.frames.at(-1);
    if (this.inHeader && frame !== undefined) {
      const from = Math.max(0, frame.part.headerStart - this.base);
      this.keepHeader(chunk, from, frame.headerRoom);
    }
    if (this.openBoundaries === 0) return;
    const from = this.lineStart - this.base;
    if (from >= chunk.length) return;
    if (from >= 0 ? chunk[from] === DASH : this.carry.length > 0) {
      this.carry = Buffer.from(this.extendCarry(chunk, Math.max(0, from), chunk.length));
    }
  }

  private extendCarry(chunk: Buffer, from: number, to: number): Buffer {
    // Dashes before and after, and one octet more, so that a longer line does not look like an exact match.
    const room = this.limits.boundaryBytes + 5 - this.carry.length;
    const more = chunk.subarray(from, Math.min(to, from + Math.max(0, room)));
    return this.carry.length === 0 ? more : Buffer.concat([this.carry, more]);
  }

  private keepHeader(chunk: Buffer, from: number, room: number): void {
    const length = Math.min(chunk.length - from, room - this.headUsed);
    if (length <= 0) return;
    const needed = this.headUsed + length;
    if (needed > this.head.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.head.length * 2, 2048));
      this.head.copy(larger, 0, 0, this.headUsed);
      this.head = larger;
    }
    chunk.copy(this.head, this.headUsed, from, from + length);
    this.headUsed = needed;
  }
}

/** The structure of a message that is at hand as a whole. */
export function scanMessage(message: Buffer, limits: Partial<MimeLimits> = {}): MessageStructure {
  const scanner = new MessageScanner(limits);
  scanner.push(message);
  return scanner.end();
}
