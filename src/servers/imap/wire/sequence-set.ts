import type { UidRange } from '../../../data/mailstore/types.ts';

/** `*` in a parsed set: the largest number in use. */
export const STAR = 0x1_0000_0000;

/** A sequence-set as written (RFC 9051 section 9), or "$", the saved search result. Numbers are 1 to 2^32-1, or STAR. */
export type SequenceSet = '$' | readonly { readonly from: number; readonly to: number }[];

/** The set with `*` put in, as ascending, disjoint, non-adjacent ranges. */
export function tidy(set: Exclude<SequenceSet, '$'>, largest: number): UidRange[] {
  const at = (n: number): number => (n === STAR ? largest : n);
  const ranges = set
    .map(({ from, to }) => {
      const [a, b] = [at(from), at(to)];
      // RFC 9051 section 9: 4:2 is the same as 2:4, and so is n:* with n above the largest.
      return a <= b ? { from: a, to: b } : { from: b, to: a };
    })
    .toSorted((a, b) => a.from - b.from);
  const out: { from: number; to: number }[] = [];
  for (const range of ranges) {
    const last = out.at(-1);
    if (last !== undefined && range.from <= last.to + 1) last.to = Math.max(last.to, range.to);
    else out.push({ ...range });
  }
  return out;
}

/** Ranges as a set: "1:3,7". */
export function formatRanges(ranges: readonly UidRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}:${to}`)).join(',');
}

/** Ascending numbers as a uid-set or sequence-set: "1:3,7". */
export function formatSet(numbers: Iterable<number>): string {
  const parts: string[] = [];
  let from = 0;
  let to = 0;
  const push = (): void => {
    if (from > 0) parts.push(from === to ? String(from) : `${from}:${to}`);
  };
  for (const number of numbers) {
    if (from > 0 && number === to + 1) {
      to = number;
      continue;
    }
    push();
    from = number;
    to = number;
  }
  push();
  return parts.join(',');
}
