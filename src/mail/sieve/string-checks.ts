/** What may stand in strings of certain meaning. Each check gives what is wrong, or undefined. */
import { parseMailbox } from '../address/path.ts';

export type StringCheck = (text: string) => string | undefined;

const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);

export const RELATIONS: readonly string[] = ['gt', 'ge', 'lt', 'le', 'eq', 'ne'];

/** RFC 5231 4. */
export const checkRelation: StringCheck = (text) =>
  RELATIONS.includes(text.toLowerCase())
    ? undefined
    : `found the relation ${shown(text)} where "gt", "ge", "lt", "le", "eq" or "ne" was expected`;

export const COMPARATORS: readonly string[] = [
  'i;octet',
  'i;ascii-casemap',
  'i;unicode-casemap',
  'i;ascii-numeric',
];

export const checkComparator: StringCheck = (text) =>
  COMPARATORS.includes(text)
    ? undefined
    : `there is no comparator ${shown(text)}; there are ${COMPARATORS.join(', ')}`;

/** RFC 5322 3.6.8. */
export const checkFieldName: StringCheck = (text) =>
  /^[\x21-\x39\x3b-\x7e]{1,100}$/.test(text) ? undefined : `${shown(text)} is not the name of a header field`;

/** One address to send to. */
export const checkAddress: StringCheck = (text) => {
  const read = parseMailbox(text.trim(), { smtputf8: true });
  return read.kind === 'error' ? `${shown(text)} is not an address to send to: ${read.reason}` : undefined;
};

/** An address that may have a display name: "Ann <ann@example.org>". */
export const checkFromAddress: StringCheck = (text) => checkAddress(bareAddress(text));

/** The address in "Name <address>", or the text itself. */
export function bareAddress(text: string): string {
  const trimmed = text.trim();
  const open = trimmed.lastIndexOf('<');
  return trimmed.endsWith('>') && open !== -1 ? trimmed.slice(open + 1, -1) : trimmed;
}

const MAX_MAILBOX = 1000;

export const checkMailbox: StringCheck = (text) => {
  if (text === '') return 'the name of a mailbox is empty';
  if (text.length > MAX_MAILBOX) return 'the name of a mailbox is too long';
  if (/\p{Cc}/u.test(text)) return `the mailbox name ${shown(text)} has a control character`;
  return undefined;
};

/** RFC 5228 8.1 identifier; RFC 6609 3.4 adds "global.". */
export const checkVariable: StringCheck = (text) =>
  /^(?:global\.)?[a-z_][a-z0-9_]{0,79}$/i.test(text)
    ? undefined
    : `${shown(text)} is not the name of a variable`;

export const ENVELOPE_PARTS: Readonly<Record<string, string>> = {
  from: '',
  to: '',
  auth: '',
  notify: 'envelope-dsn',
  orcpt: 'envelope-dsn',
  ret: 'envelope-dsn',
  envid: 'envelope-dsn',
  bytimeabsolute: 'envelope-deliverby',
  bytimerelative: 'envelope-deliverby',
  bymode: 'envelope-deliverby',
  bytrace: 'envelope-deliverby',
};

export const checkEnvelopePart: StringCheck = (text) =>
  Object.hasOwn(ENVELOPE_PARTS, text.toLowerCase())
    ? undefined
    : `found the envelope part ${shown(text)} where "from", "to" or "auth" was expected`;

export const DATE_PARTS: readonly string[] = [
  'year',
  'month',
  'day',
  'date',
  'julian',
  'hour',
  'minute',
  'second',
  'time',
  'iso8601',
  'std11',
  'zone',
  'weekday',
];

/** RFC 5260 4.2. */
export const checkDatePart: StringCheck = (text) =>
  DATE_PARTS.includes(text.toLowerCase())
    ? undefined
    : `found the date part ${shown(text)} where one of ${DATE_PARTS.join(', ')} was expected`;

/** RFC 5260 4: "+hhmm". */
export const checkZone: StringCheck = (text) =>
  /^[+-]\d\d[0-5]\d$/.test(text)
    ? undefined
    : `found the zone ${shown(text)} where one like "+0100" was expected`;

/** RFC 5232 2: a keyword is an atom, a system flag has a backslash before it. */
export const checkFlags: StringCheck = (text) => {
  for (const flag of text.split(' ')) {
    if (flag !== '' && !isFlag(flag)) return `${shown(flag)} is not a flag, and is left out`;
  }
  return undefined;
};

const SYSTEM_FLAGS = ['\\answered', '\\flagged', '\\deleted', '\\seen', '\\draft'];

export function isFlag(flag: string): boolean {
  if (flag.startsWith('\\')) return SYSTEM_FLAGS.includes(flag.toLowerCase());
  return /^[\x21\x23\x24\x26\x27\x2b-\x5a\x5e-\x7a\x7c\x7e]{1,100}$/.test(flag);
}

/** RFC 8579: a special-use attribute. */
export const checkSpecialUse: StringCheck = (text) =>
  /^\\[a-z][a-z0-9-]{0,60}$/i.test(text)
    ? undefined
    : `${shown(text)} is not a special use such as "\\\\Junk"`;

export const checkImportance: StringCheck = (text) =>
  /^[123]$/.test(text) ? undefined : `found the importance ${shown(text)} where "1", "2" or "3" was expected`;

/** RFC 6609 3.2: what a script may be called (RFC 5804 1.6). */
export const checkScriptName: StringCheck = (text) =>
  text === '' || text.length > 200 || /[\p{Cc}\u2028\u2029]/u.test(text)
    ? `${shown(text)} is not the name of a script`
    : undefined;
