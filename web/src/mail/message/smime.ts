import { fromBER, ObjectIdentifier, OctetString } from 'asn1js';
import {
  type Attribute,
  Certificate,
  CertificateChainValidationEngine,
  ContentInfo,
  ExtKeyUsage,
  GeneralNames,
  AltName,
  IssuerAndSerialNumber,
  type RelativeDistinguishedNames,
  RSAPublicKey,
  SignedData,
  SignedDataVerifyError,
  type SignerInfo,
} from 'pkijs';
import { fromBase64, latin1 } from './security-find.ts';
import type { Checked, OldReason, Signer } from './security-verdict.ts';

/**
 * Signatures of S/MIME (RFC 8551) and the certificates behind them, checked by PKI.js. Fetched only when there is one. Whether
 * a certificate was revoked is not asked: its issuer would learn who reads.
 */

type Octets = Uint8Array<ArrayBuffer>;

/** Authorities known to the server that issued one of some certificates; all in DER. */
export type Authorities = (certificates: readonly Octets[]) => Promise<readonly Octets[]>;

/** Octets of a detached signature, and of one with its message in it. */
const SIGNATURE_OCTETS = 256 * 1024;
const OPAQUE_OCTETS = 20_000_000;
const MOST_SIGNERS = 4;
const MOST_CERTIFICATES = 10;
/** Issuers that are looked for on the way to an authority: those that vouch for each other would go in a circle. */
const MOST_STEPS = 40;
const MIN_RSA_BITS = 2048;

const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  enveloped: /^1\.2\.840\.113549\.1\.(?:7\.3|9\.16\.1\.23)$/,
  contentType: '1.2.840.113549.1.9.3',
  signingTime: '1.2.840.113549.1.9.5',
  email: '1.2.840.113549.1.9.1',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectAltName: '2.5.29.17',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  extKeyUsage: '2.5.29.37',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  anyPurpose: '2.5.29.37.0',
} as const;

/** SHA-256, SHA-384 and SHA-512: of digests nothing else is good any more. */
const GOOD_DIGESTS: ReadonlySet<string> = new Set([1, 2, 3].map((n) => `2.16.840.1.101.3.4.2.${n}`));
/** Signatures over certificates with MD2, MD4, MD5 and SHA-1: PKCS #1, ECDSA, DSA. */
const WEAK_SIGNATURES = /^1\.2\.840\.(?:113549\.1\.1\.[2-5]|10045\.4\.1|10040\.4\.3)$/;

/** It is not known who stands behind a certificate: the server could not be asked. */
class Unasked extends Error {}

export type Opened =
  | { readonly kind: 'signed'; readonly content: Octets; readonly checks: readonly Checked[] }
  | { readonly kind: 'enveloped' }
  | { readonly kind: 'other' };

function buffer(octets: Uint8Array): ArrayBuffer {
  return new Uint8Array(octets).buffer;
}

function contentInfo(octets: Uint8Array): ContentInfo {
  const { offset, result } = fromBER(buffer(octets));
  if (offset === -1) throw new Error('that is not BER');
  return new ContentInfo({ schema: result });
}

/**
 * Check a detached signature (RFC 8551 section 3.5.3). `content`: the octets that were signed. `at`: when the message came,
 * ms since the epoch; certificates must have been valid then. Rejects when `authorities` does.
 */
export async function checkSmime(
  signature: Uint8Array,
  content: Uint8Array,
  at: number,
  authorities: Authorities,
): Promise<readonly Checked[]> {
  if (signature.length > SIGNATURE_OCTETS) return [];
  try {
    const info = contentInfo(signature);
    if (info.contentType !== OID.signedData) return [];
    const signed = new SignedData({ schema: info.content });
    // With a content of its own the signature would be one over that, whatever is shown beside it.
    if (signed.encapContentInfo.eContent !== undefined) return [];
    return await checkSigners(signed, content, at, authorities);
  } catch (error) {
    if (error instanceof Unasked) throw error;
    return [];
  }
}

/** Take a message out of its signature (RFC 8551 section 3.5.2) and check that. */
export async function openSmime(octets: Uint8Array, at: number, authorities: Authorities): Promise<Opened> {
  if (octets.length > OPAQUE_OCTETS) return { kind: 'other' };
  try {
    const info = contentInfo(octets);
    if (OID.enveloped.test(info.contentType)) return { kind: 'enveloped' };
    if (info.contentType !== OID.signedData) return { kind: 'other' };
    const signed = new SignedData({ schema: info.content });
    const { eContent } = signed.encapContentInfo;
    if (!(eContent instanceof OctetString)) return { kind: 'other' };
    const content = new Uint8Array(eContent.getValue());
    return { kind: 'signed', content, checks: await checkSigners(signed, content, at, authorities) };
  } catch (error) {
    if (error instanceof Unasked) throw error;
    return { kind: 'other' };
  }
}

async function checkSigners(
  signed: SignedData,
  content: Uint8Array,
  at: number,
  authorities: Authorities,
): Promise<readonly Checked[]> {
  if (signed.encapContentInfo.eContentType !== OID.data) return [];
  const known = (signed.certificates ?? []).filter((each) => each instanceof Certificate);
  if (known.length > MOST_CERTIFICATES) return [];
  const checks: Checked[] = [];
  for (const [i, info] of signed.signerInfos.slice(0, MOST_SIGNERS).entries())
    checks.push(await checkSigner(signed, i, info, known, content, at, authorities));
  return checks;
}

async function checkSigner(
  signed: SignedData,
  number: number,
  info: SignerInfo,
  known: readonly Certificate[],
  content: Uint8Array,
  at: number,
  authorities: Authorities,
): Promise<Checked> {
  if (!isOverData(info)) return { state: 'unreadable' };
  byKeyId(info, known);
  let certificate: Certificate | null | undefined;
  try {
    const found = await signed.verify({
      signer: number,
      data: buffer(content),
      extendedMode: true,
    });
    if (found.signatureVerified !== true) return { state: 'broken' };
    certificate = found.signerCertificate;
  } catch (error) {
    if (!(error instanceof SignedDataVerifyError)) return { state: 'unreadable' };
    if (error.code === 2 || error.code === 3) return { state: 'unknown', keyId: serialOf(info) };
    return { state: /digest doesn't match/.test(error.message) ? 'broken' : 'unreadable' };
  }
  if (certificate == null) return { state: 'unreadable' };
  const weakDigest = !GOOD_DIGESTS.has(info.digestAlgorithm.algorithmId);
  const reason = weakDigest ? 'hash' : whyOld(certificate, at);
  const others = known.filter((each) => each !== certificate);
  const authority = reason === undefined && (await hasAuthority(certificate, others, at, authorities));
  const signer = { ...(await describeCertificate(certificate)), authority };
  return reason === undefined
    ? { state: 'good', signer, at: signingTime(info) }
    : { state: 'old', reason, signer };
}

/** What is signed must be plain data (RFC 5652 section 5.3): the library does not look. */
function isOverData({ signedAttrs }: SignerInfo): boolean {
  if (signedAttrs === undefined) return true;
  const types = signedAttrs.attributes.filter(({ type }) => type === OID.contentType);
  const [value] = types[0]?.values ?? [];
  return types.length === 1 && value instanceof ObjectIdentifier && value.getValue() === OID.data;
}

/** The library takes a key id for the SHA-1 of the key; it is whatever the certificate says (RFC 5652 section 5.3). */
function byKeyId(info: SignerInfo, known: readonly Certificate[]): void {
  const { sid } = info;
  if (sid instanceof IssuerAndSerialNumber) return;
  const wanted = hex(keyIdOf(sid));
  const meant = known.find((each) => {
    const extension = each.extensions?.find(({ extnID }) => extnID === OID.subjectKeyId);
    const value = extension?.parsedValue as unknown;
    return value instanceof OctetString && hex(new Uint8Array(value.getValue())) === wanted;
  });
  if (meant !== undefined)
    info.sid = new IssuerAndSerialNumber({ issuer: meant.issuer, serialNumber: meant.serialNumber });
}

function keyIdOf(sid: unknown): Uint8Array {
  const { valueBlock } = sid as { valueBlock: { valueHexView?: Uint8Array; value?: OctetString[] } };
  const [inner] = valueBlock.value ?? [];
  return inner === undefined
    ? (valueBlock.valueHexView ?? new Uint8Array())
    : new Uint8Array(inner.getValue());
}

function serialOf({ sid }: SignerInfo): string {
  return sid instanceof IssuerAndSerialNumber
    ? hex(sid.serialNumber.valueBlock.valueHexView)
    : hex(keyIdOf(sid));
}

function hex(octets: Uint8Array): string {
  return [...octets].map((each) => each.toString(16).padStart(2, '0')).join('');
}

function signingTime({ signedAttrs }: SignerInfo): number | undefined {
  const found: Attribute | undefined = signedAttrs?.attributes.find(({ type }) => type === OID.signingTime);
  const value = found?.values[0] as { toDate?: () => Date } | undefined;
  return value?.toDate?.().getTime();
}

function whyOld(certificate: Certificate, at: number): OldReason | undefined {
  if (at < certificate.notBefore.value.getTime() || at > certificate.notAfter.value.getTime())
    return 'expired';
  const key = certificate.subjectPublicKeyInfo.parsedKey;
  if (key instanceof RSAPublicKey) {
    const [first = 0, ...rest] = key.modulus.valueBlock.valueHexView;
    if ((rest.length + (first === 0 ? 0 : 1)) * 8 < MIN_RSA_BITS) return 'weak';
  }
  return isForMail(certificate) && maySign(certificate) ? undefined : 'purpose';
}

/** RFC 8550 section 4.4.4: without the extension it is for everything. */
function isForMail(certificate: Certificate): boolean {
  const extension = certificate.extensions?.find(({ extnID }) => extnID === OID.extKeyUsage);
  if (extension === undefined) return true;
  const usage = extension.parsedValue as unknown;
  return (
    usage instanceof ExtKeyUsage &&
    usage.keyPurposes.some((each) => each === OID.emailProtection || each === OID.anyPurpose)
  );
}

/** digitalSignature or nonRepudiation (RFC 8550 section 4.4.2), where anything is said. */
function maySign(certificate: Certificate): boolean {
  const extension = certificate.extensions?.find(({ extnID }) => extnID === OID.keyUsage);
  if (extension === undefined) return true;
  const bits = (extension.parsedValue as { valueBlock?: { valueHexView?: Uint8Array } } | undefined)
    ?.valueBlock?.valueHexView;
  return ((bits?.[0] ?? 0) & 0xc0) !== 0;
}

/** Whether a chain leads to an authority that the server knows, with everything in it valid then and made for this. */
async function hasAuthority(
  certificate: Certificate,
  others: readonly Certificate[],
  at: number,
  authorities: Authorities,
): Promise<boolean> {
  const found = await authorities([certificate, ...others].map(derOf)).catch((error: unknown) => {
    throw new Unasked('The server could not be asked for authorities.', { cause: error });
  });
  const trustedCerts = found.map((der) => Certificate.fromBER(buffer(der)));
  if (trustedCerts.length === 0) return false;
  let steps = 0;
  const engine = new CertificateChainValidationEngine({
    trustedCerts,
    certs: [...others, certificate],
    checkDate: new Date(at),
  });
  const usual = engine.findIssuer;
  engine.findIssuer = async (...args) => (++steps > MOST_STEPS ? [] : usual.apply(engine, args));
  const outcome = await engine.verify({ passedWhenNotRevValues: true }).catch(() => undefined);
  const path = outcome?.certificatePath ?? [];
  if (outcome?.result !== true || path.length < 2) return false;
  const roots = new Set(trustedCerts.map((each) => hex(derOf(each))));
  // Not what vouches for itself: that is trusted by being known, not by its signature.
  const judged = path.filter((each) => !roots.has(hex(derOf(each))));
  return (
    judged.length < path.length &&
    judged.some((each) => hex(derOf(each)) === hex(derOf(certificate))) &&
    judged.every((each) => !WEAK_SIGNATURES.test(each.signatureAlgorithm.algorithmId) && isForMail(each))
  );
}

function derOf(certificate: Certificate): Octets {
  return new Uint8Array(certificate.toSchema().toBER(false));
}

function nameOf(name: RelativeDistinguishedNames, ...types: readonly string[]): string {
  for (const type of types) {
    const value = name.typesAndValues.find((each) => each.type === type)?.value.valueBlock.value as unknown;
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}

async function describeCertificate(certificate: Certificate): Promise<Signer> {
  const octets = derOf(certificate);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', octets));
  const addresses = new Set<string>();
  const extension = certificate.extensions?.find(({ extnID }) => extnID === OID.subjectAltName);
  const alternatives = extension?.parsedValue as unknown;
  if (alternatives instanceof AltName || alternatives instanceof GeneralNames) {
    const names = alternatives instanceof AltName ? alternatives.altNames : alternatives.names;
    // rfc822Name is [1].
    for (const { type, value } of names)
      if (type === 1 && typeof value === 'string') addresses.add(value.toLowerCase());
  }
  const inName = nameOf(certificate.subject, OID.email);
  if (inName !== '') addresses.add(inName.toLowerCase());
  return {
    kind: 'smime',
    fingerprint: hex(digest),
    name: nameOf(certificate.subject, OID.commonName, OID.organization),
    addresses: [...addresses].filter((each) => !each.includes('\0')),
    octets,
    issuer: nameOf(certificate.issuer, OID.commonName, OID.organization),
    selfSigned: certificate.subject.isEqual(certificate.issuer),
  };
}

/** Certificates of a file or a paste, in PEM or DER. */
export async function readCertificates(octets: Uint8Array): Promise<readonly Signer[]> {
  const text = latin1(octets.subarray(0, SIGNATURE_OCTETS));
  const pems = [...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END/g)];
  const ders =
    pems.length === 0 ? [octets] : pems.map(([, base64 = '']) => fromBase64(base64) ?? new Uint8Array());
  const found: Signer[] = [];
  for (const der of ders.slice(0, MOST_CERTIFICATES)) {
    try {
      found.push(await describeCertificate(Certificate.fromBER(buffer(der))));
    } catch {
      // That is no certificate.
    }
  }
  return found;
}
