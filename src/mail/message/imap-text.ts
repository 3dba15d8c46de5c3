/**
 * ENVELOPE, BODY and BODYSTRUCTURE as RFC 9051 9 and RFC 3501 9 write them. Where the RFCs leave a choice the text is
 * what Dovecot 2.3 gives, so that clients which cached one server's answers find the same at ours.
 */
import { type AddressEntry, parseAddressList } from './addresses.ts';
import { envelopeOf } from './entity.ts';
import {
  type Disposition,
  type EnvelopeFields,
  isMessage,
  isMessageType,
  isMultipart,
  type MessageStructure,
  type Param,
  type Part,
} from './structure.ts';

/** Characters to escape beyond which a literal is shorter to read. */
const MAX_ESCAPES = 4;

/**
 * Octets and entries of address lists that are read for one ENVELOPE, and again for all of those in one BODYSTRUCTURE;
 * what comes after is left out. Lists are made of tiny objects, so that they cost a hundred times what other text does:
 * without this a header section of the permitted size stalls everybody for 100 ms, with it for one. Mail to 600 people
 * is shown whole, and who asks for the header itself gets it all.
 */
export const ENVELOPE_ADDRESS_OCTETS = 32 * 1024;
export const ENVELOPE_ADDRESSES = 1000;

/** What may still be read. */
interface AddressBudget {
  octets: number;
  entries: number;
}

function fullBudget(): AddressBudget {
  return { octets: ENVELOPE_ADDRESS_OCTETS, entries: ENVELOPE_ADDRESSES };
}

/** What an ENVELOPE's string cannot hold as it is: what must be escaped, replaced or sent as a literal. */
const NOT_PLAIN = /["\\\0\r\n\x80-\xff]/;

/** RFC 9051 9 `string`: quoted, or a literal for 8-bit text, CR, LF and NUL-free text full of quotes. */
function imapString(text: string): string {
  if (!NOT_PLAIN.test(text)) return `"${text}"`;
  let escapes = 0;
  let literal = false;
  for (let i = 0; i < text.length && !literal; i++) {
    const char = text.charCodeAt(i);
    if (char === 34 || char === 92) literal = ++escapes > MAX_ESCAPES;
    else literal = char > 127 || char === 13 || char === 10;
  }
  const clean = withoutNul(text);
  if (literal) return `{${clean.length}}\r\n${clean}`;
  return escapes === 0 ? `"${clean}"` : `"${clean.replace(/["\\]/g, '\\$&')}"`;
}

/** CHAR8 (RFC 9051 9) has no NUL. Octet by octet: `replaceAll` takes 30 times as long where there are many. */
function withoutNul(text: string): string {
  if (!text.includes('\0')) return text;
  const octets = Buffer.from(text, 'latin1');
  for (let i = 0; i < octets.length; i++) if (octets[i] === 0) octets[i] = 63;
  return octets.toString('latin1');
}

/** Runs of white space become one space; octet by octet, as above. */
function collapse(text: string): string {
  if (!/[\t\r\n]| {2}/.test(text)) return text;
  const octets = Buffer.from(text, 'latin1');
  let used = 0;
  let blank = false;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] ?? 0;
    const isBlank = octet === 32 || octet === 9 || octet === 13 || octet === 10;
    if (!isBlank) octets[used++] = octet;
    else if (!blank) octets[used++] = 32;
    blank = isBlank;
  }
  return octets.toString('latin1', 0, used);
}

function nstring(text: string | undefined): string {
  return text === undefined ? 'NIL' : imapString(text);
}

/**
 * Text that people read (subjects, names): runs of white space become one space, none stands at the ends. Dovecot writes
 * a literal as soon as it changed or would have to escape anything, and so do we.
 */
function humanString(text: string | undefined): string {
  if (text === undefined) return 'NIL';
  const shown = collapse(text).trim();
  if (shown === '') return '""';
  if (shown === text && !NOT_PLAIN.test(text)) return `"${text}"`;
  const clean = withoutNul(shown);
  return `{${clean.length}}\r\n${clean}`;
}

// --- ENVELOPE ---

/** RFC 9051 7.5.2: a group is its name with NIL as host, then its members, then all NIL. */
function addressText(entry: AddressEntry): string {
  if (entry.kind === 'group') return `(NIL NIL ${imapString(entry.name)} NIL)`;
  if (entry.kind === 'group-end') return '(NIL NIL NIL NIL)';
  const name = entry.name === '' ? undefined : entry.name;
  // NIL would make it look like a group: the words are Dovecot's.
  const local = entry.local ?? 'MISSING_MAILBOX';
  const domain =
    entry.domain ??
    (entry.broken && entry.local !== undefined && name !== undefined ? 'SYNTAX_ERROR' : 'MISSING_DOMAIN');
  return `(${humanString(name)} ${nstring(entry.route)} ${imapString(local)} ${imapString(domain)})`;
}

function addressList(value: string | undefined, budget: AddressBudget): string {
  if (value === undefined) return 'NIL';
  const entries = parseAddressList(value, budget.entries, budget.octets);
  budget.octets = Math.max(0, budget.octets - value.length);
  budget.entries = Math.max(0, budget.entries - entries.length);
  return entries.length === 0 ? 'NIL' : `(${entries.map(addressText).join('')})`;
}

function envelopeText(fields: EnvelopeFields, budget: AddressBudget): string {
  const from = addressList(fields.from, budget);
  // RFC 9051 7.5.2: absent or empty, Sender and Reply-To are From.
  const orFrom = (value: string | undefined): string => {
    const text = addressList(value, budget);
    return text === 'NIL' ? from : text;
  };
  const parts = [
    nstring(fields.date),
    humanString(fields.subject),
    from,
    orFrom(fields.sender),
    orFrom(fields['reply-to']),
    addressList(fields.to, budget),
    addressList(fields.cc, budget),
    addressList(fields.bcc, budget),
    nstring(fields['in-reply-to']),
    nstring(fields['message-id']),
  ];
  return `(${parts.join(' ')})`;
}

/**
 * The ENVELOPE of a message, parentheses included; addresses beyond ENVELOPE_ADDRESSES are left out. `header` is its header section (what follows is ignored).
 */
export function renderEnvelope(_structure: MessageStructure, header: Buffer): Buffer {
  return Buffer.from(envelopeText(envelopeOf(header.toString('latin1')), fullBudget()), 'latin1');
}

// --- BODY and BODYSTRUCTURE ---

/** A multipart must have a part (RFC 9051 9 body-type-mpart): for one without, an empty text. */
const EMPTY_TEXT = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0)';
const EMPTY_TEXT_EXTENDED = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)';

function paramText(params: readonly Param[]): string {
  if (params.length === 0) return 'NIL';
  return `(${params.map(([name, value]) => `${imapString(name)} ${imapString(value)}`).join(' ')})`;
}

function dispositionText(disposition: Disposition | undefined): string {
  if (disposition === undefined) return 'NIL';
  return `(${imapString(disposition.asSent ?? disposition.kind)} ${paramText(disposition.params)})`;
}

/** body-fld-dsp, body-fld-lang, body-fld-loc. */
function extensionText(part: Part): string {
  const language = part.language === undefined ? 'NIL' : `(${part.language.map(imapString).join(' ')})`;
  return `${dispositionText(part.disposition)} ${language} ${nstring(part.location)}`;
}

function mediaType(part: Part): string {
  // Not looked into: as message/rfc822 or multipart it would owe an envelope or parts.
  if (part.opaque) return '"application" "octet-stream"';
  const [type = '', subtype = ''] = (part.typeAsSent ?? `${part.type}/${part.subtype}`).split('/');
  return `${imapString(type)} ${imapString(subtype)}`;
}

/** RFC 2045 5.2: text without a charset is us-ascii. */
function withCharset(part: Part): readonly Param[] {
  if (part.type !== 'text' || part.params.some(([name]) => name.toLowerCase() === 'charset'))
    return part.params;
  return [...part.params, ['charset', 'us-ascii']];
}

function multipartText(part: Part, extensible: boolean, budget: AddressBudget): string {
  const children = part.children.map((child) => bodyText(child, extensible, budget)).join('');
  const parts = children === '' ? (extensible ? EMPTY_TEXT_EXTENDED : EMPTY_TEXT) : children;
  const subtype = part.typeAsSent?.split('/', 2)[1] ?? part.subtype;
  const text = `(${parts} ${imapString(subtype)}`;
  return extensible ? `${text} ${paramText(part.params)} ${extensionText(part)})` : `${text})`;
}

function bodyText(part: Part, extensible: boolean, budget: AddressBudget): string {
  if (isMultipart(part)) return multipartText(part, extensible, budget);
  const encoding = imapString(part.encodingAsSent ?? part.encoding);
  const params = part.opaque ? [] : withCharset(part);
  let text = `(${mediaType(part)} ${paramText(params)} ${nstring(part.id)} ${nstring(part.description)} ${encoding} ${part.bodyEnd - part.bodyStart}`;
  if (isMessage(part) && isMessageType(part.type, part.subtype)) {
    const inner = part.children[0];
    const envelope = envelopeText(inner?.envelope ?? {}, budget); // before those of what it holds
    const body = inner ? bodyText(inner, extensible, budget) : extensible ? EMPTY_TEXT_EXTENDED : EMPTY_TEXT;
    text += ` ${envelope} ${body} ${part.lines}`;
  } else if (part.type === 'text' && !part.opaque) {
    text += ` ${part.lines}`;
  }
  return extensible ? `${text} ${nstring(part.md5)} ${extensionText(part)})` : `${text})`;
}

/** BODYSTRUCTURE (`extensible`) or BODY, parentheses included. */
export function renderBody(structure: MessageStructure, extensible: boolean): Buffer {
  return Buffer.from(bodyText(structure.root, extensible, fullBudget()), 'latin1');
}
