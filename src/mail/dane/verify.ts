import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { TlsaRecord } from '../dns.ts';
import { spkiOf } from './spki.ts';
import { tlsaMatches } from './tlsa.ts';

/** Whether the certificates a server showed are what its TLSA records say (RFC 7671, RFC 7672 section 3). */

/** Certificates of a chain that are looked at. */
const CHAIN_MAX = 10;

export interface DaneInput {
  /** DER, the server's own certificate first, the rest in any order. */
  readonly chain: readonly Buffer[];
  /** Usable records (`usableTlsa`). */
  readonly records: readonly TlsaRecord[];
  /**
   * Names one of which a certificate below a DANE-TA record must have (RFC 7672 section 3.2.2): the TLSA base domain
   * first, then the domain of the recipient and what that is an alias of.
   */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
}

export type DaneResult =
  /** `by`: the record that matched. */
  | { readonly status: 'ok'; readonly by: TlsaRecord }
  /** In the words of RFC 8460 section 4.3.1, and in plain ones. */
  | {
      readonly status: 'failed';
      readonly type: 'certificate-expired' | 'certificate-host-mismatch' | 'validation-failure';
      readonly reason: string;
    };

interface Certificate {
  readonly der: Buffer;
  readonly spki: Buffer;
  readonly x509: X509Certificate;
}

/** Check a server's certificates against its TLSA records: one that matches is enough. */
export function verifyDane(input: DaneInput): DaneResult {
  const chain = input.chain.slice(0, CHAIN_MAX).flatMap((der) => parsed(der) ?? []);
  const leaf = chain[0];
  if (leaf === undefined || !input.chain[0]?.equals(leaf.der))
    return failed('validation-failure', 'the server showed no certificate that can be read');
  for (const record of input.records) {
    // RFC 7672 section 3.1.1: DANE-EE(3) speaks of the key alone. Names and dates of the certificate mean nothing.
    if (record.usage === 3 && tlsaMatches(record, subjectOf(leaf))) return { status: 'ok', by: record };
  }
  let failure = failed('validation-failure', 'no TLSA record matches a certificate of the server');
  for (const record of input.records) {
    if (record.usage !== 2) continue;
    const result = verifyAnchor(record, leaf, chain, input);
    if (result?.status === 'ok') return result;
    // That a record matched and then something else was wrong says more than that others did not match.
    if (result !== undefined) failure = result;
  }
  return failure;
}

/** DANE-TA(2): the matching certificate, or the record's own, anchors a chain; undefined when it does not match. */
function verifyAnchor(
  record: TlsaRecord,
  leaf: Certificate,
  chain: readonly Certificate[],
  input: DaneInput,
): DaneResult | undefined {
  const bare = record.matchingType === 0 ? anchorKey(record) : undefined;
  const path = pathToAnchor(record, bare, leaf, chain);
  if (path === undefined) return undefined;
  const outside = path.find(({ x509 }) => !validAt(x509, input.nowMs));
  if (outside !== undefined) {
    const what = outside === leaf ? 'the certificate' : 'a certificate of the chain';
    return failed('certificate-expired', `${what} is expired or not yet valid`);
  }
  // RFC 7672 section 3.2.3: CN counts where there is no DNS name.
  const named = input.names.some(
    (name) => leaf.x509.checkHost(name, { partialWildcards: false }) !== undefined,
  );
  if (!named)
    return failed(
      'certificate-host-mismatch',
      `the certificate does not name ${input.names[0] ?? 'the host'}`,
    );
  return { status: 'ok', by: record };
}

/**
 * The certificates from the server's own up to the anchor, each signed by the next; undefined without such a path.
 * The server's own certificate is no anchor of itself (RFC 7671 section 5.2 speaks of issuers).
 */
function pathToAnchor(
  record: TlsaRecord,
  bare: KeyObject | undefined,
  leaf: Certificate,
  chain: readonly Certificate[],
): Certificate[] | undefined {
  const path = [leaf];
  for (let current = leaf; path.length <= CHAIN_MAX; ) {
    // RFC 7671 section 5.2.2: an anchor given whole need not be in the chain.
    if (bare !== undefined && signedBy(current.x509, bare)) return path;
    const below = path.length - 1;
    const issuers = chain.filter((each) => !path.includes(each) && issues(each, current, below));
    // Cross-signed authorities come as two certificates of one name and key.
    const issuer = issuers.find((each) => tlsaMatches(record, subjectOf(each))) ?? issuers[0];
    if (issuer === undefined) return undefined;
    path.push(issuer);
    if (tlsaMatches(record, subjectOf(issuer))) return path;
    current = issuer;
  }
  return undefined;
}

/** Whether `issuer` may issue certificates, with `below` others between it and the server's, and signed `subject`. */
function issues(issuer: Certificate, subject: Certificate, below: number): boolean {
  if (!issuer.x509.ca || below > CHAIN_MAX) return false;
  return subject.x509.checkIssued(issuer.x509) && signedBy(subject.x509, issuer.x509.publicKey);
}

function signedBy(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.verify(key);
  } catch {
    return false;
  }
}

/** The public key of a record that holds a whole certificate or key. */
function anchorKey(record: TlsaRecord): KeyObject | undefined {
  try {
    return record.selector === 0
      ? new X509Certificate(record.data).publicKey
      : createPublicKey({ key: record.data, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function parsed(der: Buffer): Certificate | undefined {
  try {
    const spki = spkiOf(der);
    return spki === undefined ? undefined : { der, spki, x509: new X509Certificate(der) };
  } catch {
    return undefined;
  }
}

function subjectOf({ der, spki }: Certificate): { certificate: Buffer; spki: Buffer } {
  return { certificate: der, spki };
}

function validAt({ validFromDate, validToDate }: X509Certificate, nowMs: number): boolean {
  return validFromDate.getTime() <= nowMs && nowMs <= validToDate.getTime();
}

function failed(type: Extract<DaneResult, { status: 'failed' }>['type'], reason: string): DaneResult {
  return { status: 'failed', type, reason };
}
