import { isIP } from 'node:net';
import { readHeader } from '../../mail/message/headers.ts';
import type { SpfResult, SpfStatus } from '../../mail/spf/check.ts';
import { canonicalAddress } from '../../net/ip.ts';
import { type SesVerdict, type SesVerdicts, verdictOf } from './notice.ts';

/**
 * The header fields that SES puts before a message it received, in front of everything its sender wrote. They are above
 * what a sender's DKIM signature covers, so the object is stored as it is. Whatever stands below them was written by
 * strangers, even under the same names, and is not looked at.
 */
export interface SesFields {
  /** Envelope sender, '' the null one; undefined when there is none of these fields. */
  readonly sender: string | undefined;
  /** Of the client that SES had it from. */
  readonly ip: string | undefined;
  readonly helo: string | undefined;
  /** Of the envelope: SES names it when there was one. */
  readonly recipient: string | undefined;
  readonly verdicts: SesVerdicts;
  /** What SES says of SPF. */
  readonly spf: SpfResult | undefined;
  /** Octets of its Return-Path: ours says the same, and there must be one only. */
  readonly returnPath: readonly [number, number] | undefined;
}

/** Characters of a field that are read. */
const VALUE_LENGTH = 2000;
/** Fields that SES writes; none of them twice. */
const OWN = new Set([
  'return-path',
  'received',
  'received-spf',
  'authentication-results',
  'x-ses-spam-verdict',
  'x-ses-virus-verdict',
  'x-ses-receipt',
  'x-ses-dkim-signature',
]);
/** The last of them. */
const LAST = 'x-ses-dkim-signature';
const SES_HOST = /\bby inbound-smtp\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?\b/i;
const SPF_STATUS: ReadonlySet<string> = new Set([
  'pass',
  'fail',
  'softfail',
  'neutral',
  'none',
  'temperror',
  'permerror',
]);

/** Read them off the header section of an object. Without SES's own Received there are none. */
export function readSesFields(header: Buffer): SesFields {
  const read = readHeader(header);
  const values = new Map<string, string>();
  let returnPath: readonly [number, number] | undefined;
  for (const field of read.fields) {
    if (!OWN.has(field.name) || values.has(field.name)) break;
    const value = read.value(field).slice(0, VALUE_LENGTH);
    if (field.name === 'received' && !SES_HOST.test(value)) break;
    if (field.name === 'authentication-results' && !/^\s*amazonses\.com\s*;/i.test(value)) break;
    values.set(field.name, value);
    if (field.name === 'return-path') returnPath = [field.start, field.end];
    if (field.name === LAST) break;
  }
  const received = values.get('received');
  if (received === undefined) return NONE;
  const spf = readReceivedSpf(values.get('received-spf'));
  const client = clientOf(received);
  return {
    sender: values.has('return-path') ? bare(values.get('return-path') ?? '') : spf?.sender,
    ip: client.ip ?? spf?.ip,
    helo: spf?.helo ?? client.helo,
    recipient: /\sfor <?([^\s<>;]{3,320}@[^\s<>;]{1,255})>?\s*;/i.exec(received)?.[1],
    verdicts: verdictsOf(values),
    spf: spf?.result,
    returnPath,
  };
}

const NONE: SesFields = {
  sender: undefined,
  ip: undefined,
  helo: undefined,
  recipient: undefined,
  verdicts: {},
  spf: undefined,
  returnPath: undefined,
};

function verdictsOf(values: ReadonlyMap<string, string>): SesVerdicts {
  const spam = verdictOf(values.get('x-ses-spam-verdict') ?? '');
  const virus = verdictOf(values.get('x-ses-virus-verdict') ?? '');
  const results = values.get('authentication-results') ?? '';
  const of = (method: string): SesVerdict | undefined => {
    const word = new RegExp(`(?:^|[;\\s])${method}=([a-z]{1,12})`, 'i').exec(results)?.[1]?.toLowerCase();
    if (word === undefined) return undefined;
    return word === 'pass' ? 'PASS' : word === 'fail' ? 'FAIL' : 'GRAY';
  };
  const [spf, dkim, dmarc] = [of('spf'), of('dkim'), of('dmarc')];
  return {
    ...(spam !== undefined && { spam }),
    ...(virus !== undefined && { virus }),
    ...(spf !== undefined && { spf }),
    ...(dkim !== undefined && { dkim }),
    ...(dmarc !== undefined && { dmarc }),
  };
}

/** "from HELO (NAME [ADDRESS]) by inbound-smtp...": the address in brackets is what SES saw. */
function clientOf(received: string): { readonly ip: string | undefined; readonly helo: string | undefined } {
  const by = received.search(SES_HOST);
  const origin = received.slice(0, by);
  const bracketed = /\[(?:IPv6:)?([0-9a-f:.]{2,45})\]\)?\s*$/i.exec(origin)?.[1] ?? '';
  const helo = /^\s*from ([^\s()]{1,255})/i.exec(origin)?.[1];
  return { ip: isIP(bracketed) === 0 ? undefined : canonicalAddress(bracketed), helo };
}

interface SpfField {
  readonly result: SpfResult | undefined;
  readonly ip: string | undefined;
  readonly helo: string | undefined;
  readonly sender: string | undefined;
}

/** RFC 7208 section 9.1, as SES writes it: `pass (spfCheck: ...) client-ip=...; envelope-from=...; helo=...;` */
function readReceivedSpf(value: string | undefined): SpfField | undefined {
  if (value === undefined) return undefined;
  const word = /^\s*([a-z]{1,12})\b/i.exec(value)?.[1]?.toLowerCase() ?? '';
  const close = value.indexOf(')');
  const pairs = value.slice(close + 1);
  const of = (name: string): string | undefined =>
    new RegExp(`(?:^|[;\\s])${name}=([^\\s;]{1,320})`, 'i').exec(pairs)?.[1]?.replaceAll(/^"|"$/g, '');
  const ip = canonicalAddress(of('client-ip') ?? '');
  const sender = of('envelope-from');
  const helo = of('helo');
  const domain = (sender ?? '').includes('@')
    ? (sender ?? '').slice((sender ?? '').lastIndexOf('@') + 1)
    : helo;
  const result: SpfResult | undefined = isSpfStatus(word)
    ? {
        result: word,
        identity: (sender ?? '').includes('@') ? 'mailfrom' : 'helo',
        domain: (domain ?? '').toLowerCase(),
        reason: `as Amazon SES saw it, where the client's address is not known here`,
        lookups: 0,
        voidLookups: 0,
      }
    : undefined;
  return { result, ip, helo, sender: sender === undefined ? undefined : bare(sender) };
}

function isSpfStatus(word: string): word is SpfStatus {
  return SPF_STATUS.has(word);
}

function bare(path: string): string {
  return path.trim().replace(/^<|>$/g, '').trim();
}
