/**
 * Wildcards of :matches (RFC 5228 2.7.1, RFC 5229 3.2): "*" any characters, as few as will do, "?" one, "\" before one
 * of them makes it a character. Pieces between stars are looked for from left to right and none twice, so that time is
 * that of finding each piece once, whatever the pattern.
 */

/** Text made comparable, with the way back. */
export interface Folded {
  readonly text: string;
  /** Where each unit of `text` comes from, and the length at the end; undefined where both have the same units. */
  readonly origin: readonly number[] | undefined;
}

interface Segment {
  /** Folded; what stands at the places of "?" means nothing. */
  readonly text: string;
  /** 1 at the places of "?". */
  readonly any: Uint8Array;
  readonly hasAny: boolean;
}

/** The pieces between the stars of a pattern. */
export function parseGlob(pattern: string, fold: (text: string) => string): Segment[] {
  const segments: Segment[] = [];
  let text = '';
  let literal = '';
  let any: number[] = [];
  const flush = (): void => {
    text += fold(literal);
    literal = '';
  };
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i] ?? '';
    if (char === '\\' && i + 1 < pattern.length) literal += pattern[++i] ?? '';
    else if (char === '?') {
      flush();
      any.push(text.length);
      text += '?';
    } else if (char === '*') {
      flush();
      segments.push(segment(text, any));
      text = '';
      any = [];
    } else literal += char;
  }
  flush();
  segments.push(segment(text, any));
  return segments;
}

function segment(text: string, places: readonly number[]): Segment {
  const any = new Uint8Array(text.length);
  for (const place of places) any[place] = 1;
  return { text, any, hasAny: places.length > 0 };
}

/** Counts characters that were looked at; may throw when that is too many. */
export type Meter = (characters: number) => void;

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** The end of the character that starts at `pos`. */
function characterEnd(subject: Folded, pos: number): number {
  const { text, origin } = subject;
  let end = pos + 1;
  if (origin !== undefined) while (end < text.length && origin[end] === origin[pos]) end++;
  else if (isHigh(text.charCodeAt(pos)) && isLow(text.charCodeAt(end))) end++;
  return end;
}

function characterStart(subject: Folded, end: number): number {
  const { text, origin } = subject;
  let start = end - 1;
  if (origin !== undefined) while (start > 0 && origin[start - 1] === origin[start]) start--;
  else if (start > 0 && isLow(text.charCodeAt(start)) && isHigh(text.charCodeAt(start - 1))) start--;
  return start;
}

interface Hit {
  readonly start: number;
  readonly end: number;
  /** Ranges that "?" took. */
  readonly taken: readonly (readonly [number, number])[];
}

/** The segment at `pos`, or undefined. */
function matchAt(subject: Folded, pos: number, piece: Segment): Hit | undefined {
  const taken: [number, number][] = [];
  let at = pos;
  for (let i = 0; i < piece.text.length; i++) {
    if (at >= subject.text.length) return undefined;
    if (piece.any[i] === 1) {
      const end = characterEnd(subject, at);
      taken.push([at, end]);
      at = end;
    } else if (subject.text.charCodeAt(at) === piece.text.charCodeAt(i)) at++;
    else return undefined;
  }
  return { start: pos, end: at, taken };
}

/** The segment that ends at the end of the text and begins at `floor` or behind it. */
function matchAtEnd(subject: Folded, floor: number, piece: Segment): Hit | undefined {
  const taken: [number, number][] = [];
  let at = subject.text.length;
  for (let i = piece.text.length - 1; i >= 0; i--) {
    if (at <= floor) return undefined;
    if (piece.any[i] === 1) {
      const start = characterStart(subject, at);
      taken.unshift([start, at]);
      at = start;
    } else if (subject.text.charCodeAt(at - 1) === piece.text.charCodeAt(i)) at--;
    else return undefined;
  }
  return at < floor ? undefined : { start: at, end: subject.text.length, taken };
}

/** Pieces up to this long are left to the built-in search. */
const SHORT = 16;

/** `indexOf` in time linear to the text, whatever is looked for (Knuth, Morris, Pratt). */
export function find(text: string, wanted: string, from: number): number {
  if (wanted.length <= SHORT || text.length - from < 1024) return text.indexOf(wanted, from);
  const border = new Int32Array(wanted.length);
  for (let i = 1, k = 0; i < wanted.length; i++) {
    while (k > 0 && wanted.charCodeAt(i) !== wanted.charCodeAt(k)) k = border[k - 1] ?? 0;
    if (wanted.charCodeAt(i) === wanted.charCodeAt(k)) k++;
    border[i] = k;
  }
  for (let i = from, k = 0; i < text.length; i++) {
    while (k > 0 && text.charCodeAt(i) !== wanted.charCodeAt(k)) k = border[k - 1] ?? 0;
    if (text.charCodeAt(i) === wanted.charCodeAt(k)) k++;
    if (k === wanted.length) return i - k + 1;
  }
  return -1;
}

/** The first place of the segment at `from` or behind it. */
function search(subject: Folded, from: number, piece: Segment, meter: Meter): Hit | undefined {
  if (!piece.hasAny) {
    const start = find(subject.text, piece.text, from);
    meter((start === -1 ? subject.text.length : start) - from + piece.text.length);
    return start === -1 ? undefined : { start, end: start + piece.text.length, taken: [] };
  }
  // With "?" each place may cost the segment's length: that is what is counted.
  let looked = 0;
  for (let pos = from; pos < subject.text.length; pos = characterEnd(subject, pos)) {
    const length = agreeing(subject, pos, piece);
    if (length === piece.text.length) return matchAt(subject, pos, piece);
    looked += length + 1;
    if (looked < METER_EVERY) continue;
    meter(looked);
    looked = 0;
  }
  meter(looked);
  return undefined;
}

const METER_EVERY = 4096;

/** How many places of the segment agree with the text at `pos`. */
function agreeing(subject: Folded, pos: number, piece: Segment): number {
  let at = pos;
  for (let i = 0; i < piece.text.length; i++) {
    if (at >= subject.text.length) return i;
    if (piece.any[i] === 1) at = characterEnd(subject, at);
    else if (subject.text.charCodeAt(at) === piece.text.charCodeAt(i)) at++;
    else return i;
  }
  return piece.text.length;
}

/** The text and what each wildcard took of it, or undefined when it does not match. `original` is what was folded. */
export function matchGlob(
  segments: readonly Segment[],
  subject: Folded,
  original: string,
  meter: Meter,
): string[] | undefined {
  const hits: Hit[] = [];
  const [first, ...rest] = segments;
  const last = rest.pop();
  if (first === undefined) return undefined;
  const head = matchAt(subject, 0, first);
  if (head === undefined || (last === undefined && head.end !== subject.text.length)) return undefined;
  hits.push(head);
  let pos = head.end;
  for (const piece of rest) {
    const hit = piece.text === '' ? { start: pos, end: pos, taken: [] } : search(subject, pos, piece, meter);
    if (hit === undefined) return undefined;
    hits.push(hit);
    pos = hit.end;
  }
  if (last !== undefined) {
    const tail = matchAtEnd(subject, pos, last);
    if (tail === undefined) return undefined;
    hits.push(tail);
  }
  return captures(hits, subject, original);
}

function captures(hits: readonly Hit[], subject: Folded, original: string): string[] {
  const place = (pos: number): number => subject.origin?.[pos] ?? pos;
  const out = [original];
  let end = 0;
  for (const [index, hit] of hits.entries()) {
    if (index > 0) out.push(original.slice(place(end), place(hit.start)));
    for (const [from, to] of hit.taken) out.push(original.slice(place(from), place(to)));
    end = hit.end;
  }
  return out;
}
