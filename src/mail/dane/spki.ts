/**
 * The SubjectPublicKeyInfo of a certificate as its octets stand there (RFC 6698 section 1.3 selects those; a key that was
 * read and written anew may differ). The walk through the DER stays at the two outer levels.
 */

const SEQUENCE = 0x30;
const VERSION = 0xa0;
/** Fields of a TBSCertificate before the key: serial number, signature, issuer, validity, subject (RFC 5280 4.1). */
const FIELDS_BEFORE = 5;

interface Element {
  readonly tag: number;
  /** Of the contents. */
  readonly start: number;
  readonly end: number;
}

/** The DER of the key, a view into `certificate`; undefined when that is no certificate. */
export function spkiOf(certificate: Buffer): Buffer | undefined {
  const outer = element(certificate, 0, certificate.length);
  if (outer?.tag !== SEQUENCE) return undefined;
  const body = element(certificate, outer.start, outer.end);
  if (body?.tag !== SEQUENCE) return undefined;
  let at = body.start;
  const version = element(certificate, at, body.end);
  if (version?.tag === VERSION) at = version.end;
  for (let i = 0; i < FIELDS_BEFORE; i++) {
    const field = element(certificate, at, body.end);
    if (field === undefined) return undefined;
    at = field.end;
  }
  const key = element(certificate, at, body.end);
  return key?.tag === SEQUENCE ? certificate.subarray(at, key.end) : undefined;
}

/** The element at `at`, which must end by `limit`; undefined when it does not, or has no definite short length. */
function element(bytes: Buffer, at: number, limit: number): Element | undefined {
  if (at + 2 > limit) return undefined;
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1] ?? 0;
  let start = at + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    if (count < 1 || count > 3 || start + count > limit) return undefined;
    length = bytes.readUIntBE(start, count);
    start += count;
  }
  const end = start + length;
  return end <= limit ? { tag, start, end } : undefined;
}
