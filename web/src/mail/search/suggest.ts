import { OPERATORS } from './parse.ts';

export interface Suggestion {
  readonly kind: 'recent' | 'saved' | 'operator' | 'contact';
  readonly text: string;
}

const VALUES: Readonly<Record<string, readonly string[]>> = {
  is: ['is:unread', 'is:starred', 'is:read', 'is:answered', 'is:draft'],
  has: ['has:attachment'],
  in: ['in:inbox', 'in:sent', 'in:archive', 'in:junk', 'in:trash', 'in:anywhere'],
  before: ['before:today', 'before:yesterday'],
  after: ['after:yesterday', 'after:today'],
  newer: ['newer:7d', 'newer:1m', 'newer:1y'],
  older: ['older:1m', 'older:1y'],
  larger: ['larger:1M', 'larger:10M'],
};

/** What can be suggested without asking anybody. */
export function suggest(
  typed: string,
  known: { readonly recent: readonly string[]; readonly saved: readonly string[] },
): Suggestion[] {
  const plain = typed.trim().toLowerCase();
  const matches = (kind: 'recent' | 'saved', all: readonly string[]): Suggestion[] =>
    all
      .filter((each) => each.toLowerCase().startsWith(plain) && each !== typed.trim())
      .map((text) => ({ kind, text }));
  const before = [...matches('saved', known.saved), ...matches('recent', known.recent)];
  if (plain === '') return before.slice(0, 8);
  const word = (typed.split(/\s/).at(-1) ?? '').toLowerCase();
  const bare = word.replace(/^-/, '');
  if (bare === '') return before.slice(0, 8);
  const colon = bare.indexOf(':');
  const operators =
    colon > 0
      ? (VALUES[bare.slice(0, colon)] ?? []).filter((each) => each.startsWith(bare) && each !== bare)
      : OPERATORS.filter((name) => name.startsWith(bare)).map((name) => `${name}:`);
  return [
    ...operators
      .slice(0, 6)
      .map((text): Suggestion => ({ kind: 'operator', text: word.startsWith('-') ? `-${text}` : text })),
    ...before.slice(0, 4),
  ];
}
