/** What is looked for in the history, as it stands in the address of the page, so that it can be linked to. */

export const OUTCOMES = ['delivered', 'junk', 'refused', 'deferred', 'failed'] as const;

export interface TraceQuery {
  /** Message-ID, queue id, case number, address, IP address. */
  readonly q: string;
  readonly sender: string;
  readonly recipient: string;
  readonly outcome: string;
  /** As an input of date and time has them: local, "2026-11-22T01:15". */
  readonly from: string;
  readonly to: string;
  /** Beginning of the kinds of events that are watched. */
  readonly kind: string;
}

const NAMES = ['q', 'sender', 'recipient', 'outcome', 'from', 'to', 'kind'] as const;

export function readQuery(query: URLSearchParams): TraceQuery {
  const found = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? '']));
  return found as unknown as TraceQuery;
}

export function isEmpty(query: TraceQuery): boolean {
  return NAMES.every((name) => name === 'kind' || query[name].trim() === '');
}

/** Path of the page that shows this. */
export function tracePath(query: Partial<TraceQuery>, live = false): string {
  const given = NAMES.flatMap((name): [string, string][] => {
    const value = query[name]?.trim() ?? '';
    return value === '' ? [] : [[name, value]];
  });
  const text = new URLSearchParams([...(live ? [['live', '']] : []), ...given]).toString();
  return text === '' ? '/admin/trace' : `/admin/trace?${text}`;
}

/** Input of the operation. */
export function traceInput({
  q,
  sender,
  recipient,
  outcome,
  from,
  to,
}: TraceQuery): Record<string, string | number> {
  const given = Object.entries({ term: q, sender, recipient, outcome })
    .map(([name, value]) => [name, value.trim()] as const)
    .filter(([, value]) => value !== '');
  const times = Object.entries({ from, to })
    .map(([name, value]) => [name, value === '' ? Number.NaN : new Date(value).getTime()] as const)
    .filter(([, at]) => Number.isFinite(at));
  return Object.fromEntries([...given, ...times]);
}

interface Told {
  readonly data: unknown;
}

/** Places of these pages that tell more of a message: where it waits, where it is kept. */
export function linksOf(events: readonly Told[]): { readonly queueIds: string[]; readonly cases: string[] } {
  const of = (name: string): string[] => [
    ...new Set(
      events.flatMap(({ data }) => {
        const value = (data as Readonly<Record<string, unknown>> | null)?.[name];
        return typeof value === 'string' && value !== '' ? [value] : [];
      }),
    ),
  ];
  return { queueIds: of('queueId'), cases: of('case') };
}

/** One event on each line, as programs read them: facts without their words. */
export function jsonLines(traces: readonly { readonly events: readonly object[] }[]): string {
  const facts = (event: object): object =>
    Object.fromEntries(Object.entries(event).filter(([name]) => name !== 'words'));
  return traces.flatMap(({ events }) => events.map((event) => `${JSON.stringify(facts(event))}\n`)).join('');
}
