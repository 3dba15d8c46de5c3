/** Header sections (RFC 5322 2.2): cut into fields, found by name, unfolded. Text is latin1, one character an octet. */
import type { HeaderField } from './structure.ts';

/** Fields of a header section that are listed; the rest of a header this long is not mail. */
const MAX_FIELDS = 2000;

function isBlank(char: number): boolean {
  return char === 32 || char === 9;
}

/** The field that stands in `text[start, end)`. A line without a colon has an empty name and is all value. */
function fieldAt(text: string, start: number, end: number, base: number): HeaderField {
  let colon = start;
  while (colon < end) {
    const char = text.charCodeAt(colon);
    if (char === 58 || char === 10 || char === 13) break;
    colon++;
  }
  if (text.charCodeAt(colon) !== 58 || colon >= end || isBlank(text.charCodeAt(start))) {
    return { name: '', start: base + start, valueStart: base + start, end: base + end };
  }
  let nameEnd = colon;
  // RFC 5322 4.5: obsolete syntax allows white space before the colon.
  while (nameEnd > start && isBlank(text.charCodeAt(nameEnd - 1))) nameEnd--;
  const name = text.slice(start, nameEnd).toLowerCase();
  return { name, start: base + start, valueStart: base + colon + 1, end: base + end };
}

/** Calls `visit` with each field of a header section, up to the blank line; stops early when it returns false. */
export function forEachField(text: string, base: number, visit: (field: HeaderField) => boolean): void {
  let start = 0;
  while (start < text.length) {
    const first = text.charCodeAt(start);
    if (first === 10 || (first === 13 && text.charCodeAt(start + 1) === 10)) return; // the blank line
    let end = start;
    do {
      const newline = text.indexOf('\n', end);
      end = newline === -1 ? text.length : newline + 1;
    } while (end < text.length && isBlank(text.charCodeAt(end)));
    if (!visit(fieldAt(text, start, end, base))) return;
    start = end;
  }
}

/**
 * The fields of a header section in order, at most `max` of them. Offsets are relative to the section's first octet
 * plus `base`.
 */
export function parseFields(header: Buffer | string, base = 0, max = MAX_FIELDS): HeaderField[] {
  const fields: HeaderField[] = [];
  const text = typeof header === 'string' ? header : header.toString('latin1');
  forEachField(text, base, (field) => {
    if (fields.length >= max) return false;
    fields.push(field);
    return true;
  });
  return fields;
}

/**
 * A field's body on one line: the line ends of folding removed (RFC 5322 2.2.3), leading white space and the final
 * line end dropped, trailing white space kept. No CR or LF remains. `raw` is latin1 text.
 */
export function unfold(raw: string): string {
  let start = 0;
  while (start < raw.length && (isBlank(raw.charCodeAt(start)) || isLineEnd(raw.charCodeAt(start)))) start++;
  let end = raw.length;
  while (end > start && isLineEnd(raw.charCodeAt(end - 1))) end--;
  const text = raw.slice(start, end);
  if (!text.includes('\n') && !text.includes('\r')) return text;
  // Octet by octet: `replaceAll` takes 10 times as long on a field that is folded everywhere.
  const octets = Buffer.from(text, 'latin1');
  let used = 0;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] ?? 0;
    if (!isLineEnd(octet)) octets[used++] = octet;
  }
  return octets.toString('latin1', 0, used);
}

function isLineEnd(char: number): boolean {
  return char === 10 || char === 13;
}

/** Access by name to one header section. Values are unfolded latin1 text. */
export interface Header {
  readonly fields: readonly HeaderField[];
  /** The unfolded value of one of `fields`. */
  value(field: HeaderField): string;
  /** Value of the first, or the last, field of that (lower-case) name. */
  first(name: string): string | undefined;
  last(name: string): string | undefined;
  all(name: string): string[];
}

/** Reads a header section; `header` may run on into the body, which is ignored. */
export function readHeader(header: Buffer): Header {
  const text = header.toString('latin1');
  const fields = parseFields(text);
  const value = (field: HeaderField): string => unfold(text.slice(field.valueStart, field.end));
  return {
    fields,
    value,
    first(name) {
      const field = fields.find((f) => f.name === name);
      return field && value(field);
    },
    last(name) {
      const field = fields.findLast((f) => f.name === name);
      return field && value(field);
    },
    all: (name) => fields.filter((f) => f.name === name).map(value),
  };
}
