/** The fields of the top header. */
import { parseFields, unfold } from '../../../mail/message/headers.ts';
import { decodeWords } from '../../../mail/message/words.ts';
import { factLimits } from './limits.ts';
import type { FieldFact } from './types.ts';

/** Fields that are counted. */
const MAX_COUNTED = 2000;
const MAX_NAMES = 100;
/** Octets of one field that are unfolded. */
const MAX_OCTETS = 16 * 1024;

export interface Fields {
  readonly list: readonly FieldFact[];
  readonly count: number;
  readonly counts: ReadonlyMap<string, number>;
  /** Raw unfolded values of the fields of a name, the first 20, longer than those of `list`. */
  all(name: string): string[];
  first(name: string): string | undefined;
}

/** Reads a header section. */
export function readFields(header: Buffer): Fields {
  const text = header.toString('latin1');
  const fields = parseFields(text, 0, MAX_COUNTED);
  const counts = new Map<string, number>();
  const list: FieldFact[] = [];
  for (const field of fields) {
    const before = counts.get(field.name);
    if (before !== undefined || counts.size < MAX_NAMES) counts.set(field.name, (before ?? 0) + 1);
    if (list.length >= factLimits.fields) continue;
    const end = Math.min(field.end, field.valueStart + factLimits.fieldChars * 2);
    const raw = unfold(text.slice(field.valueStart, end)).slice(0, factLimits.fieldChars);
    list.push({ name: field.name.slice(0, 100), value: readable(raw), raw });
  }
  const all = (name: string): string[] =>
    fields
      .filter((field) => field.name === name)
      .slice(0, 20)
      .map((field) =>
        unfold(text.slice(field.valueStart, Math.min(field.end, field.valueStart + MAX_OCTETS))),
      );
  return { list, count: fields.length, counts, all, first: (name) => list.find((f) => f.name === name)?.raw };
}

/** Decoded for reading; nearly all values need nothing done. */
export function readable(raw: string): string {
  if (raw.includes('=?')) return decodeWords(raw).slice(0, factLimits.fieldChars);
  for (let i = 0; i < raw.length; i++) {
    if (raw.charCodeAt(i) > 127) return decodeWords(raw);
  }
  return raw;
}
