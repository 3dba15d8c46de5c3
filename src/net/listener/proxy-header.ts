import { isIP } from 'node:net';
import type { Connection } from '../connection.ts';
import { canonicalAddress } from '../ip.ts';
import type { Endpoints } from '../socket-connection.ts';

/**
 * The PROXY protocol of HAProxy, versions 1 and 2: the addresses of the client, said by a balancer before anything else.
 * It is read from listed peers only, and from those it is required: guessing would let a client write its own.
 */
export type ProxyHeader =
  /** `endpoints` undefined: the balancer speaks for itself (LOCAL, UNKNOWN, UNSPEC, UNIX); keep the socket's own. */
  | { readonly kind: 'header'; readonly endpoints: Endpoints | undefined; readonly length: number }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string };

/** "PROXY UNKNOWN" with the longest addresses, CRLF included: section 2.1 of the specification. */
const V1_MAX_BYTES = 107;
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;
/** Octets behind the fixed part of version 2: addresses and extensions. HAProxy's own stay under 1 KiB. */
const V2_MAX_BYTES = 4096;
const PROXY = Buffer.from('PROXY ', 'latin1');

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };

function malformed(reason: string): ProxyHeader {
  return { kind: 'malformed', reason };
}

/** Parse the header at the beginning of `bytes`, which may hold less or more than it. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, V2_SIGNATURE)) return bytes.length < V2_FIXED_BYTES ? INCOMPLETE : parseV2(bytes);
  if (startsLike(bytes, PROXY)) return bytes.length < PROXY.length ? INCOMPLETE : parseV1(bytes);
  return malformed('no PROXY header');
}

/** Whether `bytes` begins with `prefix` as far as it goes. */
function startsLike(bytes: Buffer, prefix: Buffer): boolean {
  const length = Math.min(bytes.length, prefix.length);
  return bytes.compare(prefix, 0, length, 0, length) === 0;
}

function parseV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX_BYTES).indexOf('\r\n');
  if (end === -1) return bytes.length >= V1_MAX_BYTES ? malformed('PROXY line too long') : INCOMPLETE;
  const length = end + 2;
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return { kind: 'header', endpoints: undefined, length };
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : 0;
  if (version === 0 || more.length > 0) return malformed('unknown PROXY line');
  if (isIP(source) !== version || isIP(destination) !== version || source.includes('%')) {
    return malformed('bad address in PROXY line');
  }
  const ports = [port(sourcePort), port(destinationPort)];
  if (ports.includes(-1)) return malformed('bad port in PROXY line');
  return { kind: 'header', endpoints: endpoints(source, ports[0] ?? 0, destination, ports[1] ?? 0), length };
}

function port(text: string): number {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : -1;
}

function endpoints(
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): Endpoints {
  return {
    remoteAddress: canonicalAddress(source) ?? source,
    remotePort: sourcePort,
    localAddress: canonicalAddress(destination) ?? destination,
    localPort: destinationPort,
  };
}

/** Octets of both addresses and ports by address family (the high nibble of the 14th octet). */
const V2_ADDRESS_BYTES = [0, 12, 36, 216];
const STREAM = 1;
const LOCAL = 0;

function parseV2(bytes: Buffer): ProxyHeader {
  const versionAndCommand = bytes.readUInt8(12);
  const familyAndProtocol = bytes.readUInt8(13);
  const rest = bytes.readUInt16BE(14);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2 || command > 1) return malformed('unknown PROXY version or command');
  if (rest > V2_MAX_BYTES) return malformed('PROXY header too long');
  const length = V2_FIXED_BYTES + rest;
  const family = familyAndProtocol >> 4;
  const needed = V2_ADDRESS_BYTES[family];
  // A LOCAL header's addresses are to be ignored, whatever they are (section 2.2).
  if (command !== LOCAL) {
    if (needed === undefined || (familyAndProtocol & 0x0f) > 2)
      return malformed('unknown PROXY address family');
    if (rest < needed) return malformed('PROXY header too short for its addresses');
    if (family !== 0 && (familyAndProtocol & 0x0f) !== STREAM)
      return malformed('PROXY header not of a stream');
  }
  if (bytes.length < length) return INCOMPLETE;
  const spoken = command === LOCAL ? undefined : v2Endpoints(bytes, family);
  return { kind: 'header', endpoints: spoken, length };
}

/** Extensions (TLVs) behind the addresses are skipped with the length. */
function v2Endpoints(bytes: Buffer, family: number): Endpoints | undefined {
  const at = V2_FIXED_BYTES;
  if (family === 1) {
    const four = (from: number): string => bytes.subarray(from, from + 4).join('.');
    return endpoints(four(at), bytes.readUInt16BE(at + 8), four(at + 4), bytes.readUInt16BE(at + 10));
  }
  if (family === 2) {
    const six = (from: number): string =>
      Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(from + 2 * i).toString(16)).join(':');
    return endpoints(six(at), bytes.readUInt16BE(at + 32), six(at + 16), bytes.readUInt16BE(at + 34));
  }
  return undefined;
}

/**
 * Read the header off a fresh connection and give back what follows it. Returns undefined when all is well, otherwise
 * what is wrong. `timeoutMs` is for all of it, so that a byte at a time does not hold the place for ever.
 */
export async function readProxyHeader(
  connection: Connection & { unread(bytes: Buffer): void; setEndpoints(endpoints: Endpoints): void },
  timeoutMs: number,
  monotonic: () => number,
): Promise<string | undefined> {
  const deadline = monotonic() + timeoutMs;
  let bytes = Buffer.alloc(0);
  for (;;) {
    const left = deadline - monotonic();
    if (left <= 0) return 'no complete PROXY header in time';
    let chunk: Buffer | undefined;
    try {
      chunk = await connection.read({ timeoutMs: left });
    } catch {
      return 'no complete PROXY header in time';
    }
    if (chunk === undefined) return 'closed before the PROXY header was complete';
    bytes = Buffer.concat([bytes, chunk]);
    const header = parseProxyHeader(bytes);
    if (header.kind === 'malformed') return header.reason;
    if (header.kind === 'incomplete') continue;
    connection.unread(bytes.subarray(header.length));
    if (header.endpoints !== undefined) connection.setEndpoints(header.endpoints);
    return undefined;
  }
}
