import type { JournalData, JournalValue } from '../../../data/journal/types.ts';
import type { Scope } from './scope.ts';

/** What of the journal somebody sees who administers some domains only: events that name an address of theirs. */

/** What stands in place of an address of other people here. */
export const ELSEWHERE = '(somebody else here)';

/** Addresses in a text. Each is looked at once: no quantifier meets the same octet twice. */
const ADDRESS = /[^\s<>@,;:"'()[\]]{1,64}@[^\s<>@,;:"'()[\]]{1,255}/g;

interface Event {
  readonly data: JournalData;
}

/** The events that are theirs to see, with other people's addresses taken out; none when no event names one of theirs. */
export function eventsInScope<E extends Event>(scope: Scope, events: readonly E[]): E[] {
  if (scope.all) return [...events];
  const looked = events.map((event) => ({ event, found: look(scope, event.data) }));
  if (!looked.some(({ found }) => found.own)) return [];
  return looked
    .filter(({ found }) => found.own || !found.others)
    .map(({ event }) => ({ ...event, data: redact(scope, event.data) as JournalData }));
}

/** One event by itself: undefined unless it names an address of theirs. */
export function eventInScope<E extends Event>(scope: Scope, event: E): E | undefined {
  return eventsInScope(scope, [event])[0];
}

interface Looked {
  own: boolean;
  others: boolean;
}

function look(scope: Scope, value: JournalValue, found: Looked = { own: false, others: false }): Looked {
  if (typeof value === 'string') {
    for (const address of value.match(ADDRESS) ?? []) {
      const domain = domainOf(address);
      if (scope.names.has(domain)) found.own = true;
      else if (scope.others.has(domain)) found.others = true;
    }
  } else if (typeof value === 'object' && value !== null)
    for (const inner of Object.values(value)) look(scope, inner as JournalValue, found);
  return found;
}

function domainOf(address: string): string {
  return address
    .slice(address.lastIndexOf('@') + 1)
    .replace(/[.]$/, '')
    .toLowerCase();
}

function redact(scope: Scope, value: JournalValue): JournalValue {
  if (typeof value === 'string')
    return value.replace(ADDRESS, (address) => (scope.others.has(domainOf(address)) ? ELSEWHERE : address));
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((inner: JournalValue) => redact(scope, inner));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      redact(scope, name) as string,
      redact(scope, inner as JournalValue),
    ]),
  );
}
