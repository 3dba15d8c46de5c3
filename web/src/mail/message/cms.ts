/** Signatures of S/MIME (RFC 8551): as much of CMS (RFC 5652) and X.509 (RFC 5280) as it takes to check one. */

export type CmsResult =
  /** The signature fits the message; nothing is said of who stands behind the certificate. */
  | { readonly state: 'fits'; readonly signer: Signer }
  /** It does not: the message is not what was signed. */
  | { readonly state: 'broken' }
  /** It could not be checked: an algorithm that is unknown or too weak, or a form we do not read. */
  | { readonly state: 'unchecked' };

export interface Signer {
  readonly name: string;
  /** Addresses that the certificate names, in lower case. */
  readonly addresses: readonly string[];
  readonly issuer: string;
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** It vouches for itself. */
  readonly selfSigned: boolean;
}

type Octets = Uint8Array<ArrayBuffer>;

/** One element of DER. */
interface Node {
  readonly tag: number;
  /** The whole of it, and its content. */
  readonly whole: Octets;
  readonly content: Octets;
}

/** Octets of a signature that is looked at, and elements of one. */
const MOST_OCTETS = 256 * 1024;
const MOST_NODES = 2000;

class Unreadable extends Error {}

/** The element at the beginning of some octets (DER: lengths are definite). */
function readNode(octets: Octets, at: number): Node {
  const tag = octets[at];
  const first = octets[at + 1];
  // Tags of several octets are not used here.
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw new Unreadable();
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new Unreadable();
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (octets[start + i] ?? 0);
    start += count;
  }
  const end = start + length;
  if (end > octets.length) throw new Unreadable();
  return { tag, whole: octets.subarray(at, end), content: octets.subarray(start, end) };
}

function children(node: Node): Node[] {
  const found: Node[] = [];
  for (let at = 0; at < node.content.length; ) {
    const child = readNode(node.content, at);
    found.push(child);
    at += child.whole.length;
    if (found.length > MOST_NODES) throw new Unreadable();
  }
  return found;
}

function need(node: Node | undefined, tag?: number): Node {
  if (node === undefined || (tag !== undefined && node.tag !== tag)) throw new Unreadable();
  return node;
}

function oid(node: Node | undefined): string {
  const { content } = need(node, 0x06);
  const [first = 0] = content;
  const numbers = [Math.min(2, Math.floor(first / 40)), first - 40 * Math.min(2, Math.floor(first / 40))];
  let value = 0;
  for (const octet of content.subarray(1)) {
    value = value * 128 + (octet & 0x7f);
    if (octet < 0x80) {
      numbers.push(value);
      value = 0;
    }
  }
  return numbers.join('.');
}

const OID = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  email: '1.2.840.113549.1.9.1',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectAltName: '2.5.29.17',
  subjectKeyId: '2.5.29.14',
  rsaPss: '1.2.840.113549.1.1.10',
  ecKey: '1.2.840.10045.2.1',
  mgf1: '1.2.840.113549.1.1.8',
} as const;

/** Digests that are still good: SHA-1 and MD5 are not. */
const DIGESTS: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};
const RSA: Readonly<Record<string, string | undefined>> = {
  '1.2.840.113549.1.1.1': undefined,
  '1.2.840.113549.1.1.11': 'SHA-256',
  '1.2.840.113549.1.1.12': 'SHA-384',
  '1.2.840.113549.1.1.13': 'SHA-512',
};
const ECDSA: Readonly<Record<string, string>> = {
  '1.2.840.10045.4.3.2': 'SHA-256',
  '1.2.840.10045.4.3.3': 'SHA-384',
  '1.2.840.10045.4.3.4': 'SHA-512',
};
const CURVES: Readonly<Record<string, { readonly name: string; readonly octets: number }>> = {
  '1.2.840.10045.3.1.7': { name: 'P-256', octets: 32 },
  '1.3.132.0.34': { name: 'P-384', octets: 48 },
  '1.3.132.0.35': { name: 'P-521', octets: 66 },
};

interface Certificate {
  readonly serial: Octets;
  readonly issuer: Node;
  readonly subject: Node;
  readonly key: Node;
  readonly keyId: Octets | undefined;
  readonly signer: Signer;
}

function text(node: Node): string {
  // BMPString is UTF-16; the others are UTF-8 or what is the same in ASCII.
  if (node.tag === 0x1e) return new TextDecoder('utf-16be').decode(node.content);
  return new TextDecoder(node.tag === 0x14 ? 'windows-1252' : 'utf-8').decode(node.content);
}

/** Values of a Name (RFC 5280 section 4.1.2.4) by their OID. */
function names(name: Node): Map<string, string> {
  const found = new Map<string, string>();
  for (const set of children(name))
    for (const pair of children(set)) {
      const [type, value] = children(pair);
      if (value !== undefined) found.set(oid(type), text(value));
    }
  return found;
}

function shownName(name: Node): string {
  const all = names(name);
  return all.get(OID.commonName) ?? all.get(OID.organization) ?? all.get(OID.email) ?? '';
}

function time(node: Node): number {
  const shown = new TextDecoder().decode(node.content);
  const match = /^(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})?Z$/.exec(shown);
  if (match === null) throw new Unreadable();
  const [, y = '', ...rest] = match;
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = rest.map((each) => Number(each ?? 0));
  const year = y.length === 4 ? Number(y) : Number(y) + (Number(y) < 50 ? 2000 : 1900);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function readCertificate(node: Node): Certificate {
  const [tbs] = children(need(node, 0x30));
  const parts = children(need(tbs, 0x30));
  // The version is there unless it is the first.
  const from = parts[0]?.tag === 0xa0 ? 1 : 0;
  const [serial, , issuer, validity, subject, key, ...more] = parts.slice(from);
  const [notBefore, notAfter] = children(need(validity, 0x30));
  const extensions = more.find(({ tag }) => tag === 0xa3);
  const list = extensions === undefined ? [] : children(need(children(extensions)[0], 0x30));
  const byOid = new Map(
    list.map((each) => {
      const all = children(each);
      return [oid(all[0]), need(all.at(-1), 0x04)];
    }),
  );
  const altNames = byOid.get(OID.subjectAltName);
  const addresses = new Set<string>();
  if (altNames !== undefined)
    // rfc822Name is [1].
    for (const each of children(readNode(altNames.content, 0)))
      if (each.tag === 0x81) addresses.add(text(each).toLowerCase());
  const subjectNode = need(subject, 0x30);
  const issuerNode = need(issuer, 0x30);
  const email = names(subjectNode).get(OID.email);
  if (email !== undefined) addresses.add(email.toLowerCase());
  const keyIdNode = byOid.get(OID.subjectKeyId);
  return {
    serial: need(serial, 0x02).content,
    issuer: issuerNode,
    subject: subjectNode,
    key: need(key, 0x30),
    keyId: keyIdNode && readNode(keyIdNode.content, 0).content,
    signer: {
      name: shownName(subjectNode),
      addresses: [...addresses],
      issuer: shownName(issuerNode),
      notBefore: time(need(notBefore)),
      notAfter: time(need(notAfter)),
      selfSigned: same(subjectNode.whole, issuerNode.whole),
    },
  };
}

function same(a: Octets, b: Octets): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/**
 * Check a detached signature over a message part. `content`: the part's octets as they were signed, with CRLF. Who issued
 * the certificate is NOT checked.
 */
export async function checkSignature(signature: Octets, content: Octets): Promise<CmsResult> {
  if (signature.length > MOST_OCTETS || globalThis.crypto?.subtle === undefined)
    return { state: 'unchecked' };
  try {
    return await check(signature, content);
  } catch {
    return { state: 'unchecked' };
  }
}

async function check(signature: Octets, content: Octets): Promise<CmsResult> {
  const [type, wrapped] = children(need(readNode(signature, 0), 0x30));
  if (oid(type) !== OID.signedData) throw new Unreadable();
  const parts = children(need(children(need(wrapped, 0xa0))[0], 0x30));
  const certificates = parts.find(({ tag }) => tag === 0xa0);
  // The last set is that of the signers (RFC 5652 section 5.1); the first that of the digests.
  const signers = children(need(parts.at(-1), 0x31));
  // Whether all of several signers would have to hold is for people to say: we know one.
  if (signers.length !== 1) throw new Unreadable();
  const known = (certificates === undefined ? [] : children(certificates))
    .filter(({ tag }) => tag === 0x30)
    .map(readCertificate);
  const info = children(need(signers[0], 0x30));
  const certificate = known.find((each) => isMeant(need(info[1]), each));
  if (certificate === undefined) throw new Unreadable();
  const digest = DIGESTS[oid(children(need(info[2], 0x30))[0])];
  if (digest === undefined) throw new Unreadable();
  const attributes = info[3]?.tag === 0xa0 ? info[3] : undefined;
  const [algorithm, value] = info.slice(attributes === undefined ? 3 : 4);
  const signed = attributes === undefined ? content : await signedAttributes(attributes, digest, content);
  if (signed === undefined) return { state: 'broken' };
  const fits = await verify(need(algorithm, 0x30), digest, certificate, need(value, 0x04).content, signed);
  return fits ? { state: 'fits', signer: certificate.signer } : { state: 'broken' };
}

/** Whether a SignerIdentifier (RFC 5652 section 5.3) means a certificate. */
function isMeant(id: Node, { issuer, serial, keyId }: Certificate): boolean {
  if (id.tag === 0x80) return keyId !== undefined && same(id.content, keyId);
  const [name, number] = children(need(id, 0x30));
  return (
    name !== undefined &&
    number !== undefined &&
    same(name.whole, issuer.whole) &&
    same(number.content, serial)
  );
}

/** What is signed where there are attributes; undefined when the digest among them is not the content's. */
async function signedAttributes(
  attributes: Node,
  digest: string,
  content: Octets,
): Promise<Octets | undefined> {
  const byOid = new Map(
    children(attributes).map((each) => {
      const [type, values] = children(each);
      const all = children(need(values, 0x31));
      if (all.length !== 1) throw new Unreadable();
      return [oid(type), need(all[0])];
    }),
  );
  // Both must be there (RFC 5652 section 5.3), and the content type be that of plain data.
  if (oid(byOid.get(OID.contentType)) !== OID.data) throw new Unreadable();
  const told = need(byOid.get(OID.messageDigest), 0x04).content;
  const real = new Uint8Array(await crypto.subtle.digest(digest, content));
  if (!same(told, real)) return undefined;
  // As a SET, not as [0] (RFC 5652 section 5.4).
  const set = new Uint8Array(attributes.whole);
  set[0] = 0x31;
  return set;
}

async function verify(
  algorithm: Node,
  digest: string,
  { key }: Certificate,
  signature: Octets,
  signed: Octets,
): Promise<boolean> {
  const [type, parameters] = children(algorithm);
  const name = oid(type);
  const { subtle } = crypto;
  const spki = key.whole;
  if (name in RSA) {
    if (RSA[name] !== undefined && RSA[name] !== digest) throw new Unreadable();
    const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: digest };
    const imported = await subtle.importKey('spki', spki, rsa, false, ['verify']);
    return subtle.verify(rsa.name, imported, signature, signed);
  }
  if (name === OID.rsaPss) {
    const imported = await subtle.importKey('spki', spki, { name: 'RSA-PSS', hash: digest }, false, [
      'verify',
    ]);
    return subtle.verify(
      { name: 'RSA-PSS', saltLength: pssSalt(parameters, digest) },
      imported,
      signature,
      signed,
    );
  }
  const hash = ECDSA[name];
  if (hash === undefined) throw new Unreadable();
  const [keyType, curveOid] = children(need(children(key)[0], 0x30));
  const curve = oid(keyType) === OID.ecKey ? CURVES[oid(curveOid)] : undefined;
  if (curve === undefined) throw new Unreadable();
  const imported = await subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: curve.name }, false, [
    'verify',
  ]);
  return subtle.verify({ name: 'ECDSA', hash }, imported, rawEcdsa(signature, curve.octets), signed);
}

/** Salt length of RSASSA-PSS-params (RFC 4055 section 3.1), whose digests must be ours. */
function pssSalt(parameters: Node | undefined, digest: string): number {
  let salt = 20;
  let hash: string | undefined;
  for (const each of children(need(parameters, 0x30))) {
    const [inner] = children(each);
    if (each.tag === 0xa0) hash = DIGESTS[oid(children(need(inner, 0x30))[0])];
    else if (each.tag === 0xa1) {
      const [mgf, of] = children(need(inner, 0x30));
      if (oid(mgf) !== OID.mgf1 || DIGESTS[oid(children(need(of, 0x30))[0])] !== digest)
        throw new Unreadable();
    } else if (each.tag === 0xa2)
      salt = need(inner, 0x02).content.reduce((sum, octet) => sum * 256 + octet, 0);
  }
  if (hash !== digest) throw new Unreadable();
  return salt;
}

/** ECDSA-Sig-Value as WebCrypto has it: two numbers of one length. */
function rawEcdsa(der: Octets, octets: number): Octets {
  const raw = new Uint8Array(octets * 2);
  const numbers = children(need(readNode(der, 0), 0x30));
  numbers.slice(0, 2).forEach(({ content }, i) => {
    let number = content;
    while (number.length > octets && number[0] === 0) number = number.subarray(1);
    if (number.length > octets) throw new Unreadable();
    raw.set(number, octets * (i + 1) - number.length);
  });
  return raw;
}

/** The first part of a multipart message and its octets as they were signed; undefined when the message is not one. */
export function signedPart(message: Octets): Octets | undefined {
  const view = new TextDecoder('latin1').decode(message);
  const headEnd = view.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = view.slice(0, headEnd).replaceAll(/\r\n[ \t]+/g, ' ');
  const field = /^content-type:([^\r\n]*)/im.exec(head)?.[1] ?? '';
  const match = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(field);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary === undefined) return undefined;
  const delimiter = `\r\n--${boundary}`;
  const first = view.indexOf(delimiter, headEnd + 2);
  const start = first === -1 ? -1 : view.indexOf('\r\n', first + delimiter.length) + 2;
  if (start < 2) return undefined;
  const end = view.indexOf(delimiter, start - 2);
  // TextDecoder's "latin1" is windows-1252: one character an octet as well.
  return end <= start ? undefined : message.subarray(start, end);
}
