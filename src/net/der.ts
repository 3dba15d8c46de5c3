import { isIP } from 'node:net';
import { ipv6Groups } from './ip.ts';

/**
 * As much of DER (X.690) as certificates take: Node's crypto reads certificates, but makes neither them nor requests
 * for them, and does not show all of their fields.
 */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** GeneralName choices [2] dNSName and [7] iPAddress (RFC 5280 section 4.2.1.6). */
  dnsName: 0x82,
  ipAddress: 0x87,
  /** Context-specific [0] and [3], constructed. */
  context0: 0xa0,
  context3: 0xa3,
} as const;

/** Tag, definite length, contents. Contents of 65,536 octets or more are not for us. */
export function der(tag: number, contents: Buffer): Buffer {
  const { length } = contents;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), contents]);
  const octets = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...octets]), contents]);
}

export function sequence(...parts: readonly Buffer[]): Buffer {
  return der(TAG.sequence, Buffer.concat(parts));
}

export function integer(bytes: Buffer): Buffer {
  return der(TAG.integer, bytes);
}

export function bitString(bytes: Buffer): Buffer {
  return der(TAG.bitString, Buffer.concat([Buffer.from([0]), bytes]));
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

/** An X.509 extension (RFC 5280 section 4.1). */
export function extension(id: string, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [der(TAG.boolean, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...flag, der(TAG.octetString, value));
}

/** The subjectAltName extension for DNS names and IP addresses. */
export function subjectAltName(names: readonly string[]): Buffer {
  return extension('2.5.29.17', false, sequence(...names.map(generalName)));
}

function generalName(name: string): Buffer {
  const family = isIP(name);
  if (family === 0) return der(TAG.dnsName, Buffer.from(name, 'latin1'));
  if (family === 4) return der(TAG.ipAddress, Buffer.from(name.split('.').map(Number)));
  return der(TAG.ipAddress, Buffer.from(ipv6Groups(name).flatMap((group) => [group >> 8, group & 0xff])));
}

export function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** One value: its tag and contents, and where the next one begins. */
export interface DerValue {
  readonly tag: number;
  readonly contents: Buffer;
  readonly next: number;
}

/** The value at `at`; undefined where none fits. */
export function readDer(bytes: Buffer, at = 0): DerValue | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined) return undefined;
  let [start, length] = [at + 2, first];
  if (first >= 0x80) {
    const octets = first & 0x7f;
    // Indefinite lengths are not DER, and nothing here is longer than 3 octets can tell.
    if (octets === 0 || octets > 3 || start + octets > bytes.length) return undefined;
    length = bytes.readUIntBE(start, octets);
    start += octets;
  }
  if (start + length > bytes.length) return undefined;
  return { tag, contents: bytes.subarray(start, start + length), next: start + length };
}

/** All values of a constructed one; those before the first that does not fit. */
export function derChildren(contents: Buffer): DerValue[] {
  const children: DerValue[] = [];
  for (let at = 0; at < contents.length; ) {
    const child = readDer(contents, at);
    if (child === undefined) break;
    children.push(child);
    at = child.next;
  }
  return children;
}
