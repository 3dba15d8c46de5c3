import type { DnsRecord } from './dns-records.ts';

/** Octets of one character-string of a TXT record (RFC 1035 3.3). */
const TXT_STRING_OCTETS = 255;

/** Seconds that resolvers may keep the records; short enough to mend a mistake within the hour. */
const TTL_SECONDS = 3600;

/** The records as a list for a person: what to enter, and why. */
export function formatRecordsText(records: readonly DnsRecord[]): string {
  return records
    .map(({ name, type, value, why, elsewhere, onlyIf }) => {
      const note = elsewhere ? ' (not in this zone)' : onlyIf === undefined ? '' : ` (only if ${onlyIf})`;
      return `${name}  ${type}${note}\n    ${value}\n    # ${why}\n`;
    })
    .join('\n');
}

/** The records as lines of a zone file (RFC 1035 5.1), those that belong elsewhere as comments. */
export function formatZone(records: readonly DnsRecord[]): string {
  return records
    .map((record) => {
      const off = record.elsewhere === true || record.onlyIf !== undefined;
      const condition = record.onlyIf === undefined ? '' : `; only if ${record.onlyIf}:\n`;
      return `; ${record.why}\n${condition}${off ? '; ' : ''}${zoneLine(record)}\n`;
    })
    .join('');
}

/** One record as a line of a zone file. */
export function zoneLine(record: Pick<DnsRecord, 'name' | 'type' | 'value'>): string {
  return `${record.name}. ${TTL_SECONDS} IN ${record.type} ${recordValue(record)}`;
}

/** Types whose value ends in the name of a host. */
const NAMING: ReadonlySet<DnsRecord['type']> = new Set(['MX', 'PTR', 'SRV', 'CNAME']);

/** The value as in a zone file: text in quotes, host names with their final dot. */
export function recordValue({ type, value }: Pick<DnsRecord, 'type' | 'value'>): string {
  if (type === 'TXT') return txtStrings(value).map(quoteString).join(' ');
  return NAMING.has(type) ? `${value}.` : value;
}

/** The character-strings of a TXT record: readers put them together without a space (RFC 7208 3.3, RFC 6376 3.6.2.2). */
export function txtStrings(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const strings: string[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += TXT_STRING_OCTETS) {
    strings.push(bytes.subarray(at, at + TXT_STRING_OCTETS).toString('latin1'));
  }
  return strings;
}

/** Quoted, with octets beyond printable ASCII as \DDD. `text` is latin-1, one character an octet. */
function quoteString(text: string): string {
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`);
  return `"${escaped}"`;
}
