import type { Decoder } from './decoder.ts';
import { type FetchAtt, fetchAtts } from './fetch-att.ts';
import { type PartialRange, partialRange } from './partial.ts';

/** What RETURN asks for (RFC 4731, RFC 5182, RFC 5267, RFC 9394). */
export interface ReturnOptions {
  readonly min: boolean;
  readonly max: boolean;
  readonly all: boolean;
  readonly count: boolean;
  readonly save: boolean;
  readonly update: boolean;
  readonly partial: PartialRange | undefined;
  /** What UPDATE fetches of messages that come (RFC 5465 section 7). */
  readonly atts: readonly FetchAtt[];
}

type Name = Exclude<keyof ReturnOptions, 'partial' | 'atts'>;

const NAMES: Readonly<Record<string, Name>> = {
  MIN: 'min',
  MAX: 'max',
  ALL: 'all',
  COUNT: 'count',
  SAVE: 'save',
  UPDATE: 'update',
};

const NOTHING: ReturnOptions = {
  min: false,
  max: false,
  all: false,
  count: false,
  save: false,
  update: false,
  partial: undefined,
  atts: [],
};

/** RFC 4731 section 3.1: "()", and a command without RETURN that is answered with ESEARCH, mean ALL. */
export const RETURN_ALL: ReturnOptions = { ...NOTHING, all: true };

/** "RETURN (MIN MAX) " when it is there. */
export function returnOptions(d: Decoder): ReturnOptions | undefined {
  if (!d.skip('RETURN ')) return undefined;
  const found: { -readonly [K in keyof ReturnOptions]: ReturnOptions[K] } = { ...NOTHING };
  let count = 0;
  d.list(
    () => {
      const word = d.keyword('a RETURN option');
      count++;
      const name = Object.hasOwn(NAMES, word) ? NAMES[word] : undefined;
      if (name !== undefined) {
        found[name] = true;
        if (name !== 'update' || d.rest().toString('latin1', 0, 2) !== ' (') return;
        d.sp();
        found.atts = fetchAtts(d);
      } else if (word === 'PARTIAL') {
        // RFC 9394 section 3.1: one page at most, and not beside all.
        if (found.partial !== undefined) d.fail('PARTIAL once, before this');
        d.sp();
        found.partial = partialRange(d);
      } else if (word !== 'CONTEXT')
        // RFC 5267 section 4.2: CONTEXT is a hint that the same may be asked again.
        d.fail('MIN, MAX, ALL, COUNT, SAVE, PARTIAL, CONTEXT or UPDATE before this');
    },
    { empty: true },
  );
  if (found.partial !== undefined && found.all) d.fail('PARTIAL without ALL before this');
  d.sp();
  return count === 0 ? RETURN_ALL : found;
}

/** Whether any result is to be told; SAVE and UPDATE alone ask for none (RFC 5182 section 2.1). */
export function asksForResult(options: ReturnOptions): boolean {
  const { min, max, all, count, partial } = options;
  return min || max || all || count || partial !== undefined;
}
