import { isIPv4, isIPv6 } from 'node:net';
import { txtStrings } from '../../mail/dns-records.ts';
import type { RecordType } from './types.ts';

/**
 * Values of records as text. The canonical form is that of `DnsRecord`: host names in lower case without the final dot,
 * TXT as one piece without quotes; two values are the same when their canonical forms are.
 */

/** A name without its final dot, lower case. */
export function bareName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}

/** Whether a name is a zone's own or lies in it. */
export function inZone(name: string, zone: string): boolean {
  return name === zone || name.endsWith(`.${zone}`);
}

/** The longest of these zones that the name lies in. */
export function longestZone(name: string, zones: readonly string[]): string | undefined {
  const bare = bareName(name);
  return zones.filter((zone) => inZone(bare, zone)).toSorted((a, b) => b.length - a.length)[0];
}

/** The part of a name in front of its zone; '' for the zone's own. */
export function relativeName(name: string, zone: string): string {
  return name === zone ? '' : name.slice(0, -(zone.length + 1));
}

/** The whole name, where a provider gives the part in front of the zone ("", "@") or all of it. */
export function fullName(name: string, zone: string): string {
  const bare = bareName(name);
  if (bare === '' || bare === '@' || bare === zone) return zone;
  return inZone(bare, zone) ? bare : `${bare}.${zone}`;
}

/** The canonical form of a value that is written as in a zone file, with or without final dots, TXT without quotes. */
export function canonicalValue(type: RecordType, value: string): string {
  switch (type) {
    case 'TXT':
      return value;
    case 'A':
      return value.trim();
    case 'AAAA':
      return canonicalIPv6(value.trim());
    case 'CNAME':
      return bareName(value.trim());
    case 'MX':
    case 'SRV': {
      const parts = value.trim().split(/\s+/);
      const host = parts.pop() ?? '';
      return [...parts.map(number), host === '.' ? '.' : bareName(host)].join(' ');
    }
    case 'TLSA': {
      const [usage = '', selector = '', matching = '', ...hex] = value.trim().split(/\s+/);
      return [number(usage), number(selector), number(matching), hex.join('').toLowerCase()].join(' ');
    }
    case 'CAA': {
      const { flags, tag, value: text } = caaParts(value);
      return `${flags} ${tag} "${text}"`;
    }
  }
}

function number(text: string): string {
  return /^\d{1,10}$/.test(text) ? String(Number(text)) : text;
}

function canonicalIPv6(address: string): string {
  if (!isIPv6(address) || address.includes('%')) return address.toLowerCase();
  return new URL(`http://[${address}]/`).hostname.slice(1, -1);
}

export interface CaaParts {
  readonly flags: number;
  readonly tag: string;
  readonly value: string;
}

/** RFC 8659 section 4.1.1. */
export function caaParts(value: string): CaaParts {
  const [flags = '0', tag = '', ...rest] = value.trim().split(/\s+/);
  const text = rest.join(' ');
  const bare = text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
  return { flags: Number(flags) || 0, tag: tag.toLowerCase(), value: bare };
}

/** "10 mail.example.org" in two. */
export function mxParts(value: string): { readonly preference: number; readonly host: string } {
  const [preference = '0', host = ''] = value.split(' ');
  return { preference: Number(preference), host };
}

export interface SrvParts {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

export function srvParts(value: string): SrvParts {
  const [priority = '0', weight = '0', port = '0', target = ''] = value.split(' ');
  return { priority: Number(priority), weight: Number(weight), port: Number(port), target };
}

export interface TlsaParts {
  readonly usage: number;
  readonly selector: number;
  readonly matchingType: number;
  readonly data: string;
}

export function tlsaParts(value: string): TlsaParts {
  const [usage = '0', selector = '0', matching = '0', data = ''] = value.split(' ');
  return { usage: Number(usage), selector: Number(selector), matchingType: Number(matching), data };
}

/** A host name with its final dot; the root is the dot alone. */
export function dotted(host: string): string {
  return host === '.' || host.endsWith('.') ? host : `${host}.`;
}

/** A canonical value as in a zone file (RFC 1035 section 5.1): TXT in quotes and pieces, host names with final dots. */
export function zoneFileValue(type: RecordType, value: string): string {
  switch (type) {
    case 'TXT':
      return txtStrings(value).map(quoted).join(' ');
    case 'CNAME':
      return dotted(value);
    case 'MX':
    case 'SRV': {
      const parts = value.split(' ');
      const host = parts.pop() ?? '';
      return [...parts, dotted(host)].join(' ');
    }
    default:
      return value;
  }
}

function quoted(octets: string): string {
  const text = octets
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`);
  return `"${text}"`;
}

/** The canonical form of a value that is written as in a zone file, TXT in quotes. */
export function fromZoneFile(type: RecordType, text: string): string {
  return type === 'TXT' ? unquoted(text) : canonicalValue(type, text);
}

/** The character-strings of a TXT value put together; one that is not in quotes is taken as it stands. */
export function unquoted(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('"')) return trimmed;
  const octets: number[] = [];
  let inside = false;
  const bytes = Buffer.from(trimmed, 'utf8');
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes[at] ?? 0;
    if (octet === 0x22) inside = !inside;
    else if (octet === 0x5c) {
      const digits = bytes.toString('latin1', at + 1, at + 4);
      if (/^[0-2]\d\d$/.test(digits) && Number(digits) < 256) {
        octets.push(Number(digits));
        at += 3;
      } else octets.push(bytes[++at] ?? 0x5c);
    } else if (inside) octets.push(octet);
  }
  return textOf(Buffer.from(octets));
}

/** Octets of a TXT record as text: UTF-8, or where they are not, one character an octet. */
export function textOf(octets: Buffer): string {
  const text = octets.toString('utf8');
  return text.includes('\ufffd') ? octets.toString('latin1') : text;
}

/** Whether a value is an address of its type at all. */
export function isAddressOf(type: 'A' | 'AAAA', value: string): boolean {
  return type === 'A' ? isIPv4(value) : isIPv6(value);
}

/** Whether two lists hold the same values, in whatever order. */
export function sameValues(a: readonly string[], b: readonly string[]): boolean {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((value) => right.has(value));
}
