/** The TXT record that says that a domain has an MTA-STS policy, and which version of it (RFC 8461 section 3.1). */

/** What the TXT records at _mta-sts say. */
export type StsRecord =
  /** `id` changes whenever the policy does. */
  | { readonly status: 'ok'; readonly id: string }
  | { readonly status: 'none' }
  /** There is one, but not as it must be; it counts as none. */
  | { readonly status: 'invalid'; readonly reason: string };

/** Octets of a record that are looked at. */
const RECORD_OCTETS = 1024;
/** sts-id: 1*32(ALPHA / DIGIT). */
const ID = /^[A-Za-z0-9]{1,32}$/;
/** sts-ext-name and sts-ext-value; values have no "=" , ";" or blank. */
const EXTENSION_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/;
const EXTENSION_VALUE = /^[\x21-\x3a\x3c\x3e-\x7e]+$/;

/** The name whose TXT records are to be asked for. */
export function stsRecordName(domain: string): string {
  return `_mta-sts.${domain}`;
}

/** Read the texts of all TXT records at `stsRecordName`. Exactly one may begin with "v=STSv1;" (section 3.1). */
export function parseStsRecords(texts: readonly string[]): StsRecord {
  const ours = texts.filter((text) => /^v=STSv1[ \t]*;/.test(text.slice(0, RECORD_OCTETS)));
  const [text, second] = ours;
  if (text === undefined) return { status: 'none' };
  if (second !== undefined) return { status: 'invalid', reason: 'there is more than one MTA-STS record' };
  if (text.length > RECORD_OCTETS) return { status: 'invalid', reason: 'the MTA-STS record is too long' };
  return parseFields(text);
}

function parseFields(text: string): StsRecord {
  const [, ...parts] = text.split(';').map(trimBlanks);
  if (parts.at(-1) === '') parts.pop(); // the delimiter at the end is optional
  let id: string | undefined;
  for (const part of parts) {
    const at = part.indexOf('=');
    const name = part.slice(0, Math.max(at, 0));
    const value = part.slice(at + 1);
    // Of a field that is there twice the first counts, as in policies (section 3.2); of records nothing is said.
    if (name === 'id') id ??= value;
    else if (!EXTENSION_NAME.test(name) || !EXTENSION_VALUE.test(value))
      return { status: 'invalid', reason: `the MTA-STS record has a field that is none: ${printable(part)}` };
  }
  if (id === undefined || !ID.test(id))
    return { status: 'invalid', reason: 'the MTA-STS record has no usable id' };
  return { status: 'ok', id };
}

/** Without blanks and tabs at both ends, in linear time. */
export function trimBlanks(text: string): string {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return text.slice(start, end);
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
