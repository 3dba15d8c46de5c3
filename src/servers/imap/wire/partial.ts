import type { Decoder } from './decoder.ts';

/** A page of a result (RFC 9394 section 4): from the front, counted from 1, or from the end. */
export interface PartialRange {
  /** The smaller number first. */
  readonly from: number;
  readonly to: number;
  readonly fromEnd: boolean;
  /** As it was asked for. */
  readonly text: string;
}

/** "1:100" or "-1:-100". */
export function partialRange(d: Decoder): PartialRange {
  const fromEnd = d.skip('-');
  const a = d.nzNumber('a position');
  d.need(':');
  if (fromEnd) d.need('-');
  const b = d.nzNumber('a position');
  const sign = fromEnd ? '-' : '';
  return { from: Math.min(a, b), to: Math.max(a, b), fromEnd, text: `${sign}${a}:${sign}${b}` };
}

/** Where the page of `length` results begins and ends (exclusive). */
export function pageOf(range: PartialRange, length: number): { start: number; end: number } {
  if (range.fromEnd)
    return { start: Math.max(0, length - range.to), end: Math.max(0, length - range.from + 1) };
  return { start: Math.min(range.from - 1, length), end: Math.min(range.to, length) };
}
