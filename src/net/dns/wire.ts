import { randomInt } from 'node:crypto';
import {
  AUTHENTIC_DATA,
  decode,
  encode,
  RECURSION_DESIRED,
  type Answer,
  type DecodedPacket,
  type OptAnswer,
  type SoaData,
} from 'dns-packet';
import type { DnsRecords, DnsType, SoaRecord } from '../../mail/dns.ts';

/** EDNS0 payload size: fits any path without fragments (DNS flag day 2020, RFC 9715). */
export const EDNS_PAYLOAD_BYTES = 1232;
/** CNAMEs followed from one question. Resolvers stop at 8 to 17. */
export const MAX_CNAMES = 12;
/** The issuer critical flag (RFC 8659 section 4.1). */
const CAA_CRITICAL = 0x80;
const MAX_NAME_OCTETS = 253;
const MAX_LABEL_OCTETS = 63;

export interface Query {
  readonly id: number;
  /** As it stands in the packet, so with its mixed case. */
  readonly name: string;
  readonly type: DnsType;
  readonly packet: Buffer;
}

/** What a response says about a question, before caching. */
export type Reading =
  | {
      readonly kind: 'records';
      readonly records: readonly Answer[];
      readonly ttl: number;
      readonly owner: string;
      readonly ad: boolean;
    }
  /** A CNAME chain that ends outside this response: ask again for `target`. */
  | {
      readonly kind: 'chain';
      readonly target: string;
      readonly hops: number;
      readonly ttl: number;
      readonly ad: boolean;
    }
  | { readonly kind: 'nodata' | 'nxdomain'; readonly ttl: number | undefined; readonly ad: boolean }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'no-edns' }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * A name fit for a question: no final dot, lower case; undefined when it cannot be asked for (RFC 1035 section 2.3.4),
 * which includes anything but printable ASCII: U-labels must have become A-labels before.
 */
export function askableName(name: string): string | undefined {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  if (bare.length === 0 || bare.length > MAX_NAME_OCTETS || !/^[\x21-\x7e]+$/.test(bare)) return undefined;
  for (const label of bare.split('.')) {
    if (label.length === 0 || label.length > MAX_LABEL_OCTETS) return undefined;
  }
  return bare.toLowerCase();
}

/** Build a query with a random id; AD asks for the bit without RRSIGs being needed (RFC 6840 section 5.7), DO as well. */
export function buildQuery(name: string, type: DnsType, options: { edns: boolean; mixCase: boolean }): Query {
  const id = randomInt(0x10000);
  const asked = options.mixCase ? mixedCase(name) : name;
  const opt: OptAnswer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: EDNS_PAYLOAD_BYTES,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0x8000,
    flag_do: true,
    options: [],
  };
  const packet = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ name: asked, type, class: 'IN' }],
    additionals: options.edns ? [opt] : [],
  });
  return { id, name: asked, type, packet };
}

/** Random case, which an answer must repeat: some more bits for a forger to guess (draft-vixie-dnsext-dns0x20). */
function mixedCase(name: string): string {
  let out = '';
  for (const char of name) out += randomInt(2) === 1 ? char.toUpperCase() : char;
  return out;
}

/** The response to `query`, or undefined when the bytes are anything else (forged, late, broken). */
export function decodeResponse(query: Query, bytes: Buffer): DecodedPacket | undefined {
  if (bytes.length < 12 || bytes.readUInt16BE(0) !== query.id) return undefined;
  let packet: DecodedPacket;
  try {
    packet = decode(bytes);
  } catch {
    return undefined;
  }
  if (!packet.flag_qr) return undefined;
  const questions = packet.questions ?? [];
  const question = questions[0];
  // A server that rejects the packet as a whole may leave the question out.
  if (question === undefined) return rcodeOf(packet) === 'NOERROR' ? undefined : packet;
  const same =
    question.name === query.name && question.type === query.type && (question.class ?? 'IN') === 'IN';
  return questions.length === 1 && same ? packet : undefined;
}

function rcodeOf(packet: DecodedPacket): string {
  return 'rcode' in packet && typeof packet.rcode === 'string' ? packet.rcode : 'NOERROR';
}

function hasTtl(answer: Answer): answer is Answer & { ttl: number; data: unknown } {
  return 'ttl' in answer && typeof answer.ttl === 'number' && 'data' in answer;
}

/** RFC 2181 section 8: a TTL with the top bit set counts as zero. */
function ttlOf(answer: Answer): number {
  return hasTtl(answer) && answer.ttl < 2 ** 31 ? answer.ttl : 0;
}

function sameName(a: string, b: string): boolean {
  return a.length === b.length && a.toLowerCase() === b.toLowerCase();
}

/** Read the answer to `query` out of a checked response, following CNAMEs inside it. */
export function readResponse(query: Query, packet: DecodedPacket): Reading {
  if (packet.flag_tc) return { kind: 'truncated' };
  const rcode = rcodeOf(packet);
  // RFC 6891 section 7: a server without EDNS answers FORMERR or NOTIMP; ask it again without.
  if (rcode === 'FORMERR' || rcode === 'NOTIMP') return { kind: 'no-edns' };
  const opt = packet.additionals?.find((extra): extra is OptAnswer => extra.type === 'OPT');
  if (opt !== undefined && opt.extendedRcode !== 0) return { kind: 'failed', reason: 'extended error code' };
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') return { kind: 'failed', reason: rcode };
  const ad = packet.flag_ad;
  const answers = packet.answers ?? [];
  let owner = query.name;
  let ttl = Number.POSITIVE_INFINITY;
  for (let hops = 0; hops <= MAX_CNAMES; hops++) {
    const records = answers.filter((answer) => answer.type === query.type && sameName(answer.name, owner));
    if (records.length > 0) {
      for (const record of records) ttl = Math.min(ttl, ttlOf(record));
      return { kind: 'records', records, ttl, owner, ad };
    }
    const alias = answers.find((answer) => answer.type === 'CNAME' && sameName(answer.name, owner));
    if (alias === undefined || alias.type !== 'CNAME') return endOfChain(packet, rcode, owner, hops, ttl);
    ttl = Math.min(ttl, ttlOf(alias));
    owner = alias.data;
  }
  return { kind: 'failed', reason: 'CNAME chain too long' };
}

function endOfChain(packet: DecodedPacket, rcode: string, owner: string, hops: number, ttl: number): Reading {
  const soa = packet.authorities?.find((record) => record.type === 'SOA');
  const negative = soa?.type === 'SOA' ? Math.min(ttl, ttlOf(soa), soa.data.minimum ?? 0) : undefined;
  if (rcode === 'NXDOMAIN') return { kind: 'nxdomain', ttl: negative, ad: packet.flag_ad };
  // Forwarders exist that give the alias and leave its target to us.
  if (hops > 0 && negative === undefined)
    return { kind: 'chain', target: owner, hops, ttl, ad: packet.flag_ad };
  return { kind: 'nodata', ttl: negative, ad: packet.flag_ad };
}

/** One record in the shape of mail/dns.ts; undefined when the codec gave something else for this type. */
export function recordData(answer: Answer): DnsRecords[DnsType] | undefined {
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return answer.data;
    case 'PTR':
    case 'CNAME':
    case 'NS':
      return bareName(answer.data);
    case 'MX':
      return { preference: answer.data.preference ?? 0, exchange: bareName(answer.data.exchange) };
    case 'TXT':
      return txtRecord(answer.data);
    case 'TLSA': {
      const { usage, selector, matchingType, certificate } = answer.data;
      return { usage, selector, matchingType, data: Buffer.from(certificate) };
    }
    case 'SOA':
      return soaRecord(answer.data);
    case 'SRV': {
      const { priority = 0, weight = 0, port, target } = answer.data;
      return { priority, weight, port, target: bareName(target) };
    }
    case 'CAA': {
      const { flags = 0, tag, value } = answer.data;
      return { critical: (flags & CAA_CRITICAL) !== 0, tag: tag.toLowerCase(), value };
    }
    default:
      return undefined;
  }
}

function soaRecord(data: SoaData): SoaRecord {
  return {
    mname: bareName(data.mname),
    rname: bareName(data.rname),
    serial: data.serial ?? 0,
    refresh: data.refresh ?? 0,
    retry: data.retry ?? 0,
    expire: data.expire ?? 0,
    minimum: data.minimum ?? 0,
  };
}

function txtRecord(data: string | Buffer | (string | Buffer)[]): DnsRecords['TXT'] {
  const parts = Array.isArray(data) ? data : [data];
  // Copied: the codec's buffers are views that would keep the whole packet in the cache.
  const chunks = parts.map((part) =>
    typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
  );
  return { text: chunks.map((chunk) => chunk.toString('latin1')).join(''), chunks };
}

/**
 * The root, which the codec writes ".", becomes ''. Lower case, since compression lets the case of our question show up
 * in the names of the answer.
 */
function bareName(name: string): string {
  return (name.endsWith('.') ? name.slice(0, -1) : name).toLowerCase();
}
