import type { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';

/** Settings that are kept as JSON, changed one dotted name at a time, and what is wrong with them in words. */

export type Stored = Record<string, unknown>;

/** Dotted names of all that is set. */
export function leaves(value: Stored, prefix = ''): string[] {
  return Object.entries(value).flatMap(([name, inner]) =>
    isRecord(inner) ? leaves(inner, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}

function isRecord(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy with one dotted name set, or removed; sections that become empty go too. */
export function withValue(from: Stored, path: readonly string[], value: unknown): Stored {
  const [name = '', ...rest] = path;
  const { [name]: before, ...others } = from;
  if (rest.length === 0) return value === undefined ? others : { ...others, [name]: value };
  const inner = withValue(isRecord(before) ? before : {}, rest, value);
  return Object.keys(inner).length === 0 ? others : { ...others, [name]: inner };
}

/** The settings as they are given, if they will do. `listing`: the command that shows them all. Refusal 'bad-input'. */
export function checkedSettings(schema: z.ZodType, settings: Stored, listing: string): Stored {
  const result = schema.safeParse(settings);
  if (result.success) return settings;
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, settings, listing));
  throw new Refusal('bad-input', [...new Set(problems)].join('; '));
}

function problemsOf(issue: z.core.$ZodIssue, settings: Stored, listing: string): string[] {
  const at = placeOf(issue.path, settings);
  if (issue.code === 'unrecognized_keys') {
    const [name = ''] = issue.keys;
    return [`there is no setting "${at === '' ? name : `${at}.${name}`}"; "${listing}" lists all`];
  }
  return [at === '' ? wantedBy(issue, listing) : `${at}: ${wantedBy(issue, listing)}`];
}

/** "sources.main.region": of a list with names, the name instead of the number. */
function placeOf(path: readonly PropertyKey[], settings: Stored): string {
  let value: unknown = settings;
  return path
    .map((part) => {
      value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
      const name = typeof part === 'number' && isRecord(value) ? value['name'] : undefined;
      return typeof name === 'string' ? name : String(part);
    })
    .join('.');
}

/** What was wanted instead, for a person at the command line. */
function wantedBy(issue: z.core.$ZodIssue, listing: string): string {
  switch (issue.code) {
    case 'invalid_value':
      return `it takes one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return issue.origin === 'string' ? 'it must not be empty' : `it takes ${issue.minimum} or more`;
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `it takes at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`
        : `it takes ${issue.maximum} or less`;
    case 'invalid_type':
      if (issue.message.endsWith('received undefined')) return 'it is missing';
      if (issue.expected === 'object')
        return `it is a group of settings; name one of them ("${listing}" lists all)`;
      return TYPES[issue.expected] ?? issue.message;
    case 'invalid_format':
      return issue.format === 'url' && issue.message === 'Invalid URL'
        ? 'it takes a URL such as https://example.org/path'
        : issue.message;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'invalid_union':
      return 'it is missing or of no kind that is known';
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'it takes true or false',
  number: 'it takes a number',
  int: 'it takes a whole number',
  string: 'it takes a text',
  array: 'it takes a list in JSON, such as ["one", "two"]; [] for none',
  record: 'it takes an object in JSON',
};
