import type { CloudFormationTemplate, Json } from './types.ts';

export function templateJson(template: CloudFormationTemplate): string {
  return `${JSON.stringify(template, undefined, 2)}\n`;
}

/** YAML with the functions in their long form. Only what a template has: maps with plain keys, lists, scalars. */
export function templateYaml(template: CloudFormationTemplate): string {
  return `${block(JSON.parse(JSON.stringify(template)) as Json, 0).join('\n')}\n`;
}

function isMap(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && !Array.isArray(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Lines of a map or list. */
function block(value: Json, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (isList(value)) {
    return value.flatMap((item) => {
      const [first = '', ...rest] =
        inline(item) === undefined ? block(item, depth + 1) : [inline(item) ?? ''];
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  if (!isMap(value)) return [indent + scalar(value)];
  return Object.entries(value).flatMap(([name, item]) => {
    const here = inline(item);
    const key = `${indent}${scalar(name)}:`;
    return here === undefined ? [key, ...block(item, depth + 1)] : [`${key} ${here}`];
  });
}

/** What fits behind a key: scalars and what is empty. */
function inline(value: Json): string | undefined {
  if (isList(value)) return value.length === 0 ? '[]' : undefined;
  if (isMap(value)) return Object.keys(value).length === 0 ? '{}' : undefined;
  return scalar(value);
}

/** Text that no YAML reader, of 1.1 or 1.2, takes for anything but this text. */
const PLAIN = /^[A-Za-z][A-Za-z0-9_./-]*(:{1,2}[A-Za-z][A-Za-z0-9_./-]*)*$/;
/** Words that YAML 1.1 takes for truth or nothing. */
const WORDS = new Set(['y', 'n', 'yes', 'no', 'true', 'false', 'on', 'off', 'null']);

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value);
  return PLAIN.test(value) && !WORDS.has(value.toLowerCase()) ? value : JSON.stringify(value);
}
