import { createHash } from 'node:crypto';
import type { TlsaRecord } from '../dns.ts';

/** TLSA records for SMTP (RFC 6698, 7671, 7672): which of them mean something, and what one matches. */

/** Records of one name that are looked at; each costs a comparison per certificate. */
const RECORDS_MAX = 50;
/** Octets of a whole certificate or key in a record. */
const DATA_MAX = 16 * 1024;
/** Octets of a digest by matching type (RFC 6698 section 2.1.3): SHA2-256, SHA2-512. */
const DIGEST_OCTETS: Readonly<Record<number, number>> = { 1: 32, 2: 64 };

/** The name of a service's records (RFC 6698 section 3). */
export function tlsaName(host: string, port: number): string {
  return `_${port}._tcp.${host}`;
}

/**
 * Records that a sender can use: DANE-TA(2) and DANE-EE(3) with known selectors and matching types. PKIX-TA(0) and
 * PKIX-EE(1) are unusable for SMTP (RFC 7672 section 3.1.3).
 */
export function usableTlsa(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.slice(0, RECORDS_MAX).filter(({ usage, selector, matchingType, data }) => {
    if (usage !== 2 && usage !== 3) return false;
    if (selector !== 0 && selector !== 1) return false;
    if (matchingType === 0) return data.length > 0 && data.length <= DATA_MAX;
    return DIGEST_OCTETS[matchingType] === data.length;
  });
}

/** A certificate as records are compared with it: DER of the whole and of its SubjectPublicKeyInfo. */
export interface TlsaSubject {
  readonly certificate: Buffer;
  readonly spki: Buffer;
}

/** Whether a usable record is about this certificate. */
export function tlsaMatches(record: TlsaRecord, subject: TlsaSubject): boolean {
  const selected = record.selector === 0 ? subject.certificate : subject.spki;
  if (record.matchingType === 0) return selected.equals(record.data);
  const hash = record.matchingType === 1 ? 'sha256' : 'sha512';
  return createHash(hash).update(selected).digest().equals(record.data);
}

/** Presentation form (RFC 6698 section 2.2), as reports have it: "3 1 1 ab12…". */
export function tlsaText({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${data.toString('hex')}`;
}
