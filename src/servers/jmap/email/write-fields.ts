import { encodeWords, foldField, formatAddress, formatDate } from '../../../mail/message/build.ts';
import { parseUtc } from '../args.ts';
import { invalidProperties, SetError } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { headerProperty, type HeaderProperty } from './headers.ts';

/** Header fields of new messages, from properties of emails and their parts (RFC 8621 section 4.6). */

/** "reply-to" to "Reply-To". */
function properName(field: string): string {
  if (field === 'message-id') return 'Message-ID';
  return field.replace(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

/** Characters of header fields that an email may still have. */
export interface HeaderRoom {
  left: number;
}

/** Characters in a value, however deep. */
function lengthOf(value: Json | undefined): number {
  if (typeof value === 'string') return value.length;
  const inside = Array.isArray(value)
    ? (value as readonly Json[])
    : isObject(value)
      ? Object.values(value)
      : [];
  return inside.reduce<number>((sum, each) => sum + lengthOf(each), 1);
}

/** @throws SetError */
export function fieldsFor(name: string, property: HeaderProperty, value: Json, room: HeaderRoom): string[] {
  room.left -= name.length + lengthOf(value);
  if (room.left < 0) throw new SetError('tooLarge', 'Its header fields are too large.');
  const given = /^header:([^:]+)/.exec(name)?.[1] ?? properName(property.field);
  if (!property.all) return [oneField(name, given, property, value)];
  if (!Array.isArray(value)) throw invalidProperties([name], `${name} must be a list.`);
  return (value as readonly Json[]).map((each) => oneField(name, given, property, each));
}

function oneField(name: string, field: string, { form }: HeaderProperty, value: Json): string {
  const bad = (what: string): SetError => invalidProperties([name], `${name} must be ${what}.`);
  switch (form) {
    case 'Raw':
      // A line end is a fold, or it would end the field.
      if (typeof value !== 'string' || /\r(?!\n)|(?<!\r)\n|\r\n(?![ \t])|\0/.test(value))
        throw bad('text of one field');
      return `${field}:${/^[ \t]/.test(value) ? '' : ' '}${value}\r\n`;
    case 'Text':
      if (typeof value !== 'string') throw bad('a string');
      return foldField(field, encodeWords(value));
    case 'Date': {
      const ms = parseUtc(value);
      if (ms === undefined || typeof value !== 'string') throw bad('a date');
      const [, sign, hours = '0', minutes = '0'] = /([+-])(\d{2}):(\d{2})$/.exec(value) ?? [];
      const zone = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
      return foldField(field, formatDate(ms, zone));
    }
    case 'MessageIds':
    case 'URLs': {
      if (
        !Array.isArray(value) ||
        !value.every((each) => typeof each === 'string' && /^[^\s<>]{1,900}$/.test(each))
      )
        throw bad('a list without white space and angle brackets');
      return foldField(field, value.map((each) => `<${String(each)}>`).join(form === 'URLs' ? ', ' : ' '));
    }
    case 'Addresses':
      return foldField(field, addressText(value, bad));
    case 'GroupedAddresses': {
      if (!Array.isArray(value)) throw bad('a list of groups');
      const groups = (value as readonly Json[]).map((group) => {
        if (!isObject(group)) throw bad('a list of groups');
        const list = addressText(group['addresses'] ?? null, bad);
        return typeof group['name'] === 'string' ? `${phrase(group['name'])}: ${list};` : list;
      });
      return foldField(field, groups.join(', '));
    }
    default:
      return form satisfies never;
  }
}

function phrase(name: string): string {
  const safe = encodeWords(name);
  return /^[A-Za-z0-9 =?.-]*$/.test(safe) ? safe : `"${safe.replace(/["\\]/g, '\\$&')}"`;
}

function addressText(value: Json, bad: (what: string) => SetError): string {
  if (!Array.isArray(value)) throw bad('a list of addresses');
  const list = (value as readonly Json[]).map((each) => {
    if (!isObject(each) || typeof each['email'] !== 'string') throw bad('a list of addresses');
    const { name } = each;
    if (name !== undefined && name !== null && typeof name !== 'string') throw bad('a list of addresses');
    return formatAddress(name ?? '', each['email']);
  });
  return list.join(', ');
}

const OURS = ['content-type', 'content-transfer-encoding', 'content-disposition', 'content-id'];
/** Properties of a part that are fields of its header. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ['language', 'content-language'],
  ['location', 'content-location'],
]);

/**
 * `header:*` properties of a part. `above`: the fields of the message, where the part is its root. RFC 8621 section 4.6:
 * nothing is said twice, nor in a form that the field has not. @throws SetError
 */
export function ownFields(part: JsonObject, above: ReadonlySet<string>, room: HeaderRoom): string {
  let fields = '';
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(part)) {
    const bad = (): SetError => invalidProperties([name], `${name.slice(0, 100)} cannot be set here.`);
    if (value === undefined || value === null) continue;
    const property = headerProperty(name);
    const field = property?.field ?? SHORT.get(name);
    if (name === 'headers' || (name.startsWith('header:') && property === undefined)) throw bad();
    if (field === undefined) continue;
    if (seen.has(field) || above.has(field)) throw bad();
    seen.add(field);
    // Its own Content-Type has it already.
    if (property === undefined || (field === 'content-type' && typeof part['partId'] === 'string')) continue;
    if (OURS.includes(field)) throw bad();
    fields += fieldsFor(name, property, value, room).join('');
  }
  return fields;
}
