import type { Answer } from 'dns-packet';
import { Refusal } from '../../base/errors.ts';
import { txtStrings } from '../../mail/dns-records.ts';
import { isRecordType, type RecordType } from './types.ts';
import { caaParts, canonicalValue, mxParts, srvParts, textOf, tlsaParts } from './values.ts';

/** DNS messages as RFC 2136 needs them: what the codec for questions cannot write. */

const NAME_OCTETS = 255;
const LABEL_OCTETS = 63;

/** A name on the wire, uncompressed and in lower case (RFC 1035 section 3.1). Refusal 'bad-input'. */
export function encodeName(name: string): Buffer {
  const labels = name === '' || name === '.' ? [] : name.toLowerCase().replace(/\.$/, '').split('.');
  const parts: Buffer[] = [];
  for (const label of labels) {
    const octets = Buffer.from(label, 'latin1');
    if (octets.length === 0 || octets.length > LABEL_OCTETS)
      throw new Refusal('bad-input', `"${name}" is not a name that DNS can hold.`);
    parts.push(Buffer.from([octets.length]), octets);
  }
  const whole = Buffer.concat([...parts, Buffer.alloc(1)]);
  if (whole.length > NAME_OCTETS) throw new Refusal('bad-input', `"${name}" is too long for DNS.`);
  return whole;
}

/** Where what follows a name begins; undefined when the message is broken. Pointers are not followed. */
export function skipName(packet: Buffer, start: number): number | undefined {
  let at = start;
  while (at < packet.length) {
    const octet = packet[at] ?? 0;
    if (octet === 0) return at + 1;
    if (octet >= 0xc0) return at + 2;
    if (octet > LABEL_OCTETS) return undefined;
    at += octet + 1;
  }
  return undefined;
}

export const TYPES: Readonly<Record<RecordType | 'SOA', number>> = {
  A: 1,
  AAAA: 28,
  CNAME: 5,
  MX: 15,
  TXT: 16,
  SRV: 33,
  TLSA: 52,
  CAA: 257,
  SOA: 6,
};

export const CLASSES = { in: 1, none: 254, any: 255 } as const;

/** The data of a record on the wire from its canonical value. Refusal 'bad-input' for what cannot be meant. */
export function encodeData(type: RecordType, value: string): Buffer {
  switch (type) {
    case 'A':
      return Buffer.from(value.split('.').map(Number));
    case 'AAAA':
      return ipv6Octets(value);
    case 'CNAME':
      return encodeName(value);
    case 'TXT':
      return Buffer.concat(txtStrings(value).map((text) => characterString(Buffer.from(text, 'latin1'))));
    case 'MX': {
      const { preference, host } = mxParts(value);
      return Buffer.concat([numbers(preference), encodeName(host)]);
    }
    case 'SRV': {
      const { priority, weight, port, target } = srvParts(value);
      return Buffer.concat([numbers(priority, weight, port), encodeName(target)]);
    }
    case 'TLSA': {
      const { usage, selector, matchingType, data } = tlsaParts(value);
      return Buffer.concat([Buffer.from([usage, selector, matchingType]), Buffer.from(data, 'hex')]);
    }
    case 'CAA': {
      const { flags, tag, value: text } = caaParts(value);
      return Buffer.concat([Buffer.from([flags]), characterString(Buffer.from(tag)), Buffer.from(text)]);
    }
  }
}

function numbers(...values: readonly number[]): Buffer {
  const octets = Buffer.alloc(2 * values.length);
  values.forEach((value, i) => octets.writeUInt16BE(value & 0xffff, 2 * i));
  return octets;
}

function characterString(octets: Buffer): Buffer {
  return Buffer.concat([Buffer.from([octets.length]), octets]);
}

function ipv6Octets(address: string): Buffer {
  const bare = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = '', tail] = bare.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return numbers(...groups.map((group) => Number.parseInt(group, 16)));
}

/** A record that was read: its canonical value, and its data as it has to stand in an update. */
export interface WireRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly ttl: number;
  readonly value: string;
  readonly data: Buffer;
}

/** A decoded answer; undefined for types that are left alone. */
export function wireRecord(answer: Answer): WireRecord | undefined {
  if (!isRecordType(answer.type) || !('ttl' in answer)) return undefined;
  const base = { name: answer.name.toLowerCase(), ttl: answer.ttl ?? 0 };
  const of = (type: RecordType, text: string): WireRecord => {
    const value = canonicalValue(type, text);
    return { ...base, type, value, data: encodeData(type, value) };
  };
  switch (answer.type) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
      return of(answer.type, answer.data);
    case 'MX':
      return of('MX', `${answer.data.preference ?? 0} ${answer.data.exchange}`);
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return of('SRV', `${priority} ${weight} ${port} ${target}`);
    }
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = answer.data;
      return of('TLSA', `${usage} ${selector} ${matchingType} ${certificate.toString('hex')}`);
    }
    case 'CAA':
      return of('CAA', `${answer.data.flags ?? 0} ${answer.data.tag} "${answer.data.value}"`);
    case 'TXT': {
      const given = Array.isArray(answer.data) ? answer.data : [answer.data];
      const strings = given.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
      // The pieces stay as they are: another division would be another value to the server.
      const data = Buffer.concat(strings.map(characterString));
      return { ...base, type: 'TXT', value: textOf(Buffer.concat(strings)), data };
    }
    default:
      return undefined;
  }
}

/** One record of an update message (RFC 2136 sections 2.4 and 2.5); no data: it stands for a whole set. */
export interface UpdateRecord {
  readonly name: string;
  readonly type: RecordType;
  readonly class: number;
  readonly ttl: number;
  readonly data?: Buffer;
}

const OPCODE_UPDATE = 5 << 11;

/** An update message (RFC 2136 section 2), unsigned. */
export function encodeUpdate(
  id: number,
  zone: string,
  prerequisites: readonly UpdateRecord[],
  updates: readonly UpdateRecord[],
): Buffer {
  const header = numbers(id, OPCODE_UPDATE, 1, prerequisites.length, updates.length, 0);
  const question = [encodeName(zone), numbers(TYPES.SOA, CLASSES.in)];
  return Buffer.concat([header, ...question, ...[...prerequisites, ...updates].map(encodeRecord)]);
}

function encodeRecord({ name, type, class: klass, ttl, data = Buffer.alloc(0) }: UpdateRecord): Buffer {
  const seconds = Buffer.alloc(4);
  seconds.writeUInt32BE(ttl);
  return Buffer.concat([encodeName(name), numbers(TYPES[type], klass), seconds, numbers(data.length), data]);
}
