import { parseAddressList } from '../../../mail/message/addresses.ts';
import { guessText } from '../../../mail/charset.ts';
import { parseDate } from '../../../mail/message/dates.ts';
import { parseFields, unfold } from '../../../mail/message/headers.ts';
import { messageIds, newestMessageIds } from '../../../mail/message/ids.ts';
import { decodeWords } from '../../../mail/message/words.ts';
import type { Json, JsonObject } from '../json.ts';

/** Header fields in the forms of RFC 8621 section 4.1.2. */
export type HeaderForm = 'Raw' | 'Text' | 'Addresses' | 'GroupedAddresses' | 'MessageIds' | 'Date' | 'URLs';

/** What a property `header:Name:asForm:all` asks for. */
export interface HeaderProperty {
  /** In lower case. */
  readonly field: string;
  readonly form: HeaderForm;
  readonly all: boolean;
}

/** Forms that fields of RFC 5322 and RFC 2369 may be asked in beside Raw; any form for fields that are neither. */
const ADDRESSES: readonly HeaderForm[] = ['Addresses', 'GroupedAddresses'];
const FORMS: ReadonlyMap<string, readonly HeaderForm[]> = new Map([
  ...[
    'from',
    'sender',
    'reply-to',
    'to',
    'cc',
    'bcc',
    'resent-from',
    'resent-sender',
    'resent-reply-to',
    'resent-to',
    'resent-cc',
    'resent-bcc',
  ].map((name): [string, readonly HeaderForm[]] => [name, ADDRESSES]),
  ...['message-id', 'in-reply-to', 'references', 'resent-message-id'].map(
    (name): [string, readonly HeaderForm[]] => [name, ['MessageIds']],
  ),
  ...['date', 'resent-date'].map((name): [string, readonly HeaderForm[]] => [name, ['Date']]),
  ...['list-help', 'list-unsubscribe', 'list-subscribe', 'list-post', 'list-owner', 'list-archive'].map(
    (name): [string, readonly HeaderForm[]] => [name, ['URLs']],
  ),
  ...['subject', 'comments', 'keywords', 'list-id'].map((name): [string, readonly HeaderForm[]] => [
    name,
    ['Text'],
  ]),
  ['return-path', []],
  ['received', []],
]);

const ALL_FORMS: readonly string[] = [
  'Raw',
  'Text',
  'Addresses',
  'GroupedAddresses',
  'MessageIds',
  'Date',
  'URLs',
];

/** Undefined when it is no such property. */
export function headerProperty(name: string): HeaderProperty | undefined {
  const [, field = '', form = 'Raw', all] =
    /^header:([\x21-\x39\x3b-\x7e]{1,200})(?::as([A-Za-z]+))?(:all)?$/.exec(name) ?? [];
  if (field === '' || !ALL_FORMS.includes(form)) return undefined;
  const wanted = form as HeaderForm;
  const permitted = FORMS.get(field.toLowerCase());
  if (wanted !== 'Raw' && permitted !== undefined && !permitted.includes(wanted)) return undefined;
  return { field: field.toLowerCase(), form: wanted, all: all !== undefined };
}

/** One header section, read once. */
export interface HeaderView {
  /** Name as it stands, value from the colon on, in order. */
  readonly fields: readonly { readonly name: string; readonly lower: string; readonly raw: string }[];
}

export function headerView(octets: Buffer): HeaderView {
  const text = octets.toString('latin1');
  const fields = parseFields(text)
    .filter(({ name }) => name !== '')
    .map(({ name, start, valueStart, end }) => ({
      name: text.slice(start, valueStart - 1).trimEnd(),
      lower: name,
      raw: text.slice(valueStart, end).replace(/\r?\n$/, ''),
    }));
  return { fields };
}

/** EmailHeader objects (RFC 8621 section 4.1.3). */
export function allHeaders({ fields }: HeaderView): Json {
  return fields.map(({ name, raw }) => ({ name, value: rawText(raw) }));
}

/** RFC 8621 section 4.1.2.2: what encoded words bring of these is dropped; a tab may stand in a field as it is. */
function withoutControls(text: string): string {
  let plain = '';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if ((code >= 0x20 || code === 0x09) && (code < 0x7f || code > 0x9f)) plain += character;
  }
  return plain;
}

function rawText(raw: string): string {
  return guessText(Buffer.from(raw, 'latin1')).replaceAll('\0', '');
}

/** The value of a property: of the last such field, or of all. */
export function headerValue(header: HeaderView, { field, form, all }: HeaderProperty): Json {
  const found = header.fields.filter(({ lower }) => lower === field);
  if (all) return found.map(({ raw }) => inForm(raw, form, field));
  const last = found.at(-1);
  return last === undefined ? null : inForm(last.raw, form, field);
}

function inForm(raw: string, form: HeaderForm, field: string): Json {
  switch (form) {
    case 'Raw':
      return rawText(raw);
    case 'Text':
      return withoutControls(decodeWords(unfold(raw)).trim()).normalize('NFC');
    case 'Addresses':
      return grouped(raw).flatMap((group) => group.addresses);
    case 'GroupedAddresses':
      return grouped(raw).map(({ name, addresses }) => ({ name, addresses }));
    case 'MessageIds': {
      const value = unfold(raw);
      const ids = field === 'references' ? newestMessageIds(value) : messageIds(value);
      return ids.length === 0 ? null : ids;
    }
    case 'Date':
      return dateText(unfold(raw));
    case 'URLs': {
      const urls = [
        ...unfold(raw)
          .slice(0, 8192)
          .matchAll(/<([^<>\s]{1,2000})>/g),
      ].map(([, url = '']) => url);
      return urls.length === 0 ? null : urls;
    }
    default:
      return form satisfies never;
  }
}

/** Addresses of a field that are told. */
const MAX_ADDRESSES = 5000;

interface Group {
  readonly name: string | null;
  readonly addresses: JsonObject[];
}

function grouped(raw: string): Group[] {
  const groups: Group[] = [];
  let open: Group | undefined;
  let named = false;
  for (const entry of parseAddressList(raw, MAX_ADDRESSES)) {
    if (entry.kind === 'group') {
      groups.push((open = { name: withoutControls(decodeWords(entry.name)), addresses: [] }));
      named = true;
    } else if (entry.kind === 'group-end') {
      open = undefined;
      named = false;
    } else {
      if (open === undefined || (open.name !== null && !named))
        groups.push((open = { name: null, addresses: [] }));
      const address =
        entry.domain === undefined ? (entry.local ?? '') : `${entry.local ?? ''}@${entry.domain}`;
      const name = entry.name === undefined ? '' : withoutControls(decodeWords(entry.name).trim());
      if (address === '' && name === '') continue;
      open.addresses.push({
        name: name === '' ? null : name,
        email: guessText(Buffer.from(address, 'latin1')),
      });
    }
  }
  return groups;
}

/** RFC 3339 with the zone as it was written. */
function dateText(value: string): string | null {
  const date = parseDate(value);
  if (date === undefined) return null;
  const local = new Date(date.ms + date.zone * 60_000);
  if (Number.isNaN(local.getTime())) return null;
  const text = local.toISOString().slice(0, 19);
  if (date.zone === 0) return `${text}Z`;
  const minutes = Math.abs(date.zone);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${text}${date.zone < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
