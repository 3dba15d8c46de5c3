import { RESULT_LENGTH } from './types.ts';

/** A result as it is made: text, and numbers of groups of the pattern. */
export type Template = readonly (string | number)[];

/**
 * The result of a rule with its $1, ${1}, $(1) and $$ (pcre_table(5), TEXT SUBSTITUTION). A name runs as far as letters,
 * digits and underscores go. The text of a problem for what Postfix would leave the rule out for.
 */
export function parseTemplate(text: string, groups: number): Template | { readonly problem: string } {
  const parts: (string | number)[] = [];
  let literal = '';
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) {
      literal += text.slice(at);
      break;
    }
    literal += text.slice(at, dollar);
    if (text[dollar + 1] === '$') {
      literal += '$';
      at = dollar + 2;
      continue;
    }
    const macro = macroAt(text, dollar + 1);
    if (macro === undefined)
      return { problem: 'a $ in the result is not followed by a number (write $$ for a dollar sign)' };
    const { name, end } = macro;
    if (!/^[0-9]{1,5}$/.test(name))
      return { problem: `"$${name}" in the result names no group; write \${1}` };
    const group = Number(name);
    if (group < 1 || group > groups)
      return { problem: `the result names group ${name}, the pattern has ${groups}` };
    if (literal !== '') parts.push(literal);
    literal = '';
    parts.push(group);
    at = end;
  }
  if (literal !== '') parts.push(literal);
  return parts;
}

function macroAt(text: string, at: number): { name: string; end: number } | undefined {
  const close = { '{': '}', '(': ')' }[text[at] ?? ''];
  if (close !== undefined) {
    const end = text.indexOf(close, at);
    return end < 0 ? undefined : { name: text.slice(at + 1, end), end: end + 1 };
  }
  let end = at;
  while (/[A-Za-z0-9_]/.test(text[end] ?? '')) end++;
  return end === at ? undefined : { name: text.slice(at, end), end };
}

/** Groups that took no part in the match are empty. The result keeps the letters of the key as they were. */
export function fill(template: Template, groups: readonly (string | undefined)[]): string {
  let result = '';
  for (const part of template) result += typeof part === 'string' ? part : (groups[part] ?? '');
  return result.slice(0, RESULT_LENGTH);
}
