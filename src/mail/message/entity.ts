/** Fills in a part from its header section: the Content-* fields of RFC 2045, 2183, 3282, 2557 and 1864. */
import { firstToken, parseContentType, parseParams, skipCfws } from './params.ts';
import { forEachField, unfold } from './headers.ts';
import {
  type EnvelopeFields,
  type EnvelopeName,
  envelopeNames,
  type HeaderField,
  type Part,
} from './structure.ts';

/** Languages of one part that are kept. */
const MAX_LANGUAGES = 20;

const isEnvelopeName = new Set<string>(envelopeNames);
const addressNames = new Set<string>(['from', 'sender', 'reply-to', 'to', 'cc', 'bcc']);

function setContentType(part: Part, value: string): void {
  const { type, subtype, asSent, params } = parseContentType(value);
  part.params = params;
  if (type !== '' && subtype !== '') {
    part.type = type;
    part.subtype = subtype;
  } else if (type === 'multipart') {
    // "multipart" or "multipart/": RFC 2046 5.1.7 has unknown subtypes treated as mixed.
    part.type = 'multipart';
    part.subtype = 'mixed';
    return;
  } else if (type === '' || type === 'text') {
    // RFC 2045 5.2: what is not valid is taken as the default.
    part.type = 'text';
    part.subtype = 'plain';
    return;
  } else {
    part.type = 'application';
    part.subtype = 'octet-stream';
    return;
  }
  part.typeAsSent = asSent === `${type}/${subtype}` ? undefined : asSent;
}

function setEncoding(part: Part, value: string): void {
  const asSent = firstToken(value);
  const rest = skipCfws(value, value.indexOf(asSent) + asSent.length);
  // "quoted printable" or "text/html" says nothing (RFC 2045 6.1 then means 7bit); a stray ";" does no harm.
  if (asSent === '' || (rest < value.length && value[rest] !== ';')) return;
  part.encoding = asSent.toLowerCase();
  part.encodingAsSent = asSent === part.encoding ? undefined : asSent;
}

function setDisposition(part: Part, value: string): void {
  const asSent = firstToken(value);
  if (asSent === '') return;
  const kind = asSent.toLowerCase();
  part.disposition = { kind, asSent: asSent === kind ? undefined : asSent, params: parseParams(value, 0) };
}

function setLanguage(part: Part, value: string): void {
  const tags = value.split(',', MAX_LANGUAGES).map(firstToken);
  const language = tags.filter((tag) => tag !== '');
  if (language.length > 0) part.language = language;
}

type Setter = (part: Part, value: string) => void;

/** The first field of a name counts, as with Dovecot: which one a filter looks at and a reader shows is the same. */
const setters: Record<string, Setter> = {
  'content-type': setContentType,
  'content-transfer-encoding': setEncoding,
  'content-disposition': setDisposition,
  'content-language': setLanguage,
  'content-id': (part, value) => void (part.id = value),
  'content-description': (part, value) => void (part.description = value),
  'content-location': (part, value) => void (part.location = value),
  'content-md5': (part, value) => void (part.md5 = value),
};

/**
 * Reads a header section into `part` and hands each field to `visit`. With `withEnvelope` the fields of ENVELOPE are
 * kept too. `base` is the offset of the section in the message.
 */
export function readEntityHeader(
  part: Part,
  text: string,
  base: number,
  withEnvelope: boolean,
  visit: (field: HeaderField) => void,
): void {
  const seen = new Set<string>();
  const envelope: Partial<Record<EnvelopeName, string>> = {};
  forEachField(text, base, (field) => {
    visit(field);
    const { name } = field;
    if (name.startsWith('content-') && Object.hasOwn(setters, name) && !seen.has(name)) {
      seen.add(name);
      setters[name]?.(part, unfold(text.slice(field.valueStart - base, field.end - base)));
    } else if (withEnvelope && isEnvelopeName.has(name)) {
      addEnvelopeField(
        envelope,
        name as EnvelopeName,
        unfold(text.slice(field.valueStart - base, field.end - base)),
      );
    }
    return true;
  });
  if (withEnvelope) part.envelope = envelope;
}

/** Cuts each list of `part`'s parameters to what is left of `room`, or to `floor` if that is more; how many are kept. */
export function boundParams(part: Part, room: number, floor: number): number {
  part.params = part.params.slice(0, Math.max(room, floor));
  const { disposition } = part;
  if (disposition === undefined) return part.params.length;
  const params = disposition.params.slice(0, Math.max(room - part.params.length, floor));
  part.disposition = { ...disposition, params };
  return part.params.length + params.length;
}

/**
 * Of repeated fields the last one counts; addresses are joined, so that nobody is hidden by a second field of the same
 * name. Dovecot does the same.
 */
export function addEnvelopeField(
  envelope: Partial<Record<EnvelopeName, string>>,
  name: EnvelopeName,
  value: string,
): void {
  const before = envelope[name];
  envelope[name] = before !== undefined && addressNames.has(name) ? `${before},${value}` : value;
}

/** The ENVELOPE fields of a header section. */
export function envelopeOf(header: string): EnvelopeFields {
  const envelope: Partial<Record<EnvelopeName, string>> = {};
  forEachField(header, 0, ({ name, valueStart, end }) => {
    if (isEnvelopeName.has(name))
      addEnvelopeField(envelope, name as EnvelopeName, unfold(header.slice(valueStart, end)));
    return true;
  });
  return envelope;
}
