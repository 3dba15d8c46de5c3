import { Flag, type FlagSet } from '../../../data/mailstore/types.ts';
import type { Decoder } from './decoder.ts';

const SYSTEM: Readonly<Record<string, number>> = {
  ANSWERED: Flag.Answered,
  FLAGGED: Flag.Flagged,
  DELETED: Flag.Deleted,
  SEEN: Flag.Seen,
  DRAFT: Flag.Draft,
  // RFC 3501 section 2.3.2: clients cannot set it. Some copy it along with the others, so it is passed over.
  RECENT: 0,
};

function addFlag(d: Decoder, set: { flags: number; keywords: string[] }): void {
  if (!d.skip('\\')) {
    set.keywords.push(d.atom('a flag'));
    return;
  }
  const bit = SYSTEM[d.keyword('a system flag')];
  if (bit === undefined) d.fail('one of the flags \\Answered \\Flagged \\Deleted \\Seen \\Draft before this');
  set.flags |= bit;
}

/** flag-list: "(" [flag *(SP flag)] ")". */
export function flagList(d: Decoder): FlagSet {
  const set = { flags: 0, keywords: [] as string[] };
  d.list(() => addFlag(d, set), { empty: true });
  return set;
}

/** store-att-flags: a flag-list, or flags without parentheses. */
export function storeFlags(d: Decoder): FlagSet {
  if (d.atList) return flagList(d);
  const set = { flags: 0, keywords: [] as string[] };
  do addFlag(d, set);
  while (d.skip(' '));
  return set;
}
