/** Header fields that claim to come from us: found at reception, hidden on reading, never cut out. */
import { unfold } from './headers.ts';
import type { ByteRange } from './section.ts';
import type { HeaderField } from './structure.ts';

/**
 * The ranges of the fields for which `claims` answers true; ranges that touch are joined. `fields` have offsets into
 * `header` (a message's octets from its first on). `value` gives the unfolded latin1 text.
 */
export function claimedRanges(
  fields: readonly HeaderField[],
  header: Buffer,
  claims: (name: string, value: () => string) => boolean,
): ByteRange[] {
  const ranges: { start: number; end: number }[] = [];
  for (const field of fields) {
    const value = (): string => unfold(header.toString('latin1', field.valueStart, field.end));
    if (!claims(field.name, value)) continue;
    const last = ranges.at(-1);
    if (last?.end === field.start) last.end = field.end;
    else ranges.push({ start: field.start, end: field.end });
  }
  return ranges;
}
