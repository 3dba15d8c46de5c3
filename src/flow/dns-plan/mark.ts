import type { RecordSet } from '../../net/dns-providers/types.ts';
import type { ZoneValue } from './types.ts';

/**
 * The mark of ownership: a TXT record beside the zone's own name that says which installation writes in the zone. A value
 * is ours when the store remembers that we wrote it AND our mark is there. Whoever takes the mark out tells us to keep
 * our hands off what we wrote; a zone that was made anew has none either.
 */
const LABEL = '_postern';

export function markOf(zone: string, id: string): ZoneValue {
  return { name: `${LABEL}.${zone}`, type: 'TXT', value: `v=postern1; id=${id}` };
}

export function hasMark(zone: string, id: string, present: readonly RecordSet[]): boolean {
  const mark = markOf(zone, id);
  return present.some(({ name, type, values }) => {
    return name === mark.name && type === mark.type && values.includes(mark.value);
  });
}
