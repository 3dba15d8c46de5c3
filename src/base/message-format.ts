/** Values of the placeholders in a text. */
export type Values = Readonly<Record<string, string | number>>;

const PLURAL = /^(\w+), plural, (.*)$/s;

/**
 * A text with its placeholders filled: `{name}`, and `{count, plural, =0 {none} one {# message} other {# messages}}`
 * with the categories of the language (Intl.PluralRules); `#` is the number as the language writes it.
 */
export function formatMessage(text: string, values: Values = {}, language = 'en'): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf('{', at);
    if (open === -1) return out + text.slice(at);
    const close = closing(text, open);
    out += text.slice(at, open) + placeholder(text.slice(open + 1, close), values, language);
    at = close + 1;
  }
  return out;
}

/** Where the brace opened at `open` closes; the end of the text when it never does. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return text.length;
}

function placeholder(inner: string, values: Values, language: string): string {
  const [, name, choices] = PLURAL.exec(inner) ?? [];
  if (name === undefined || choices === undefined) {
    const value = values[inner.trim()];
    return typeof value === 'number' ? value.toLocaleString(language) : (value ?? `{${inner}}`);
  }
  const count = Number(values[name] ?? 0);
  const all = branches(choices);
  const chosen =
    all.get(`=${count}`) ?? all.get(new Intl.PluralRules(language).select(count)) ?? all.get('other') ?? '';
  return formatMessage(chosen.replaceAll('#', count.toLocaleString(language)), values, language);
}

function branches(text: string): Map<string, string> {
  const all = new Map<string, string>();
  let at = 0;
  for (;;) {
    const open = text.indexOf('{', at);
    if (open === -1) return all;
    const close = closing(text, open);
    all.set(text.slice(at, open).trim(), text.slice(open + 1, close));
    at = close + 1;
  }
}
