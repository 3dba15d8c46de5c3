import { formatMessage } from './message-format.ts';
import { sizeText, spanText, timeText } from './quantities.ts';

/**
 * Sentences that reach people. The server has no languages: beside its English each sentence has a code ("area.key") and
 * the facts in it, and whoever shows it may have the same sentence in another language (docs/adr/0023).
 */
export interface Said {
  /** "events.message.queued"; '' for text that has no code, such as what another host said. */
  readonly code: string;
  readonly args?: Readonly<Record<string, Arg>>;
  /** English. */
  readonly text: string;
}

/** A fact in a sentence; `text` is how English writes it. */
export type Arg =
  | string
  | number
  | { readonly at: number; readonly text: string }
  /** The day of a time, UTC. */
  | { readonly day: number; readonly text: string }
  | { readonly octets: number; readonly text: string }
  | { readonly ms: number; readonly text: string }
  /** Some, the first of them by name. */
  | { readonly names: readonly string[]; readonly more: number; readonly text: string }
  /** Several that stand side by side. */
  | { readonly list: readonly Said[]; readonly text: string }
  | Said;

export type Args = Readonly<Record<string, Arg>>;

export function moment(at: number, timeZone: string | undefined): Arg {
  return { at, text: timeText(at, timeZone) };
}

export function octets(count: number): Arg {
  return { octets: count, text: sizeText(count) };
}

export function span(ms: number): Arg {
  return { ms, text: spanText(ms) };
}

/** Text that is nobody's sentence: what another host said, what somebody wrote. */
export function verbatim(text: string): Said {
  return { code: '', text };
}

export interface Words<C> {
  say(key: keyof C & string, args?: Args): Said;
  /** The sentence that a text was made of; undefined where it is none of these. */
  find(text: string): Said | undefined;
  /** The same, or the text as it is. */
  of(text: string): Said;
}

/** An area of sentences: said by their keys, and recognised in text that was written before. */
export function wordsOf<C extends Readonly<Record<string, string>>>(area: string, catalogue: C): Words<C> {
  const find = recogniser(area, catalogue);
  return {
    say(key, args) {
      const values = Object.entries(args ?? {}).map(([name, arg]) => [name, english(arg)] as const);
      const text = formatMessage(catalogue[key] ?? key, Object.fromEntries(values), 'en');
      return { code: `${area}.${key}`, ...(args !== undefined && { args }), text };
    },
    find,
    of: (text) => find(text) ?? verbatim(text),
  };
}

function english(arg: Arg): string | number {
  return typeof arg === 'object' ? arg.text : arg;
}

interface Template {
  readonly key: string;
  /** What stands before, between and behind the placeholders. */
  readonly literals: readonly string[];
  readonly names: readonly string[];
}

/** Letters of its own that a text must have, to be known by them. */
const OWN_LETTERS = 6;

function recogniser(
  area: string,
  catalogue: Readonly<Record<string, string>>,
): (text: string) => Said | undefined {
  const whole = new Map<string, string>();
  const templates: Template[] = [];
  for (const [key, text] of Object.entries(catalogue)) {
    const names = [...text.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);
    // Plurals are said, not read.
    if (text.includes(', plural,')) continue;
    if (names.length === 0) whole.set(text, key);
    else templates.push({ key, names, literals: text.split(/\{\w+\}/) });
  }
  const own = ({ literals }: Template): number => literals.reduce((sum, { length }) => sum + length, 0);
  // The one that says most by itself fits best.
  const ordered = templates
    .filter((each) => own(each) >= OWN_LETTERS)
    .toSorted((a, b) => own(b) - own(a) || a.names.length - b.names.length);
  return (text) => {
    const exact = whole.get(text);
    if (exact !== undefined) return { code: `${area}.${exact}`, text };
    for (const each of ordered) {
      const args = matched(each, text);
      if (args !== undefined) return { code: `${area}.${each.key}`, args, text };
    }
    return undefined;
  };
}

/** What stands at the placeholders, each as short as it can be. One pass: the text may be a stranger's. */
function matched({ literals, names }: Template, text: string): Record<string, string> | undefined {
  const [first = '', ...others] = literals;
  if (!text.startsWith(first)) return undefined;
  const args: Record<string, string> = {};
  let at = first.length;
  for (const [i, literal] of others.entries()) {
    const last = i === others.length - 1;
    const end = last ? text.length - literal.length : text.indexOf(literal, at + 1);
    if (end <= at || (last && !text.endsWith(literal))) return undefined;
    args[names[i] ?? ''] = text.slice(at, end);
    at = end + literal.length;
  }
  return args;
}
