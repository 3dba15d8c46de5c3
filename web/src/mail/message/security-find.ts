import type { Email, EmailBodyPart } from '../../jmap/types.ts';
import { typeParameter } from './plain.ts';

/** What of a message is signed or encrypted, by its structure alone. */

export type Found =
  | {
      readonly kind: 'pgp' | 'smime';
      /** The signed part with its header, as it stands in the message. */
      readonly signedBlob: string;
      readonly signatureBlob: string;
      readonly whole: boolean;
    }
  /** PGP's cleartext framework within a text. */
  | { readonly kind: 'inline'; readonly part: EmailBodyPart; readonly whole: boolean }
  /** CMS with the message in it. */
  | { readonly kind: 'opaque'; readonly part: EmailBodyPart; readonly whole: boolean }
  | { readonly kind: 'encrypted'; readonly how: 'pgp' | 'smime' };

type Structure = Pick<Email, 'blobId' | 'bodyStructure' | 'bodyValues' | 'textBody' | 'htmlBody'>;
type Part = EmailBodyPart & { readonly 'header:Content-Type'?: string | null };

const PKCS7 = /^application\/(?:x-)?pkcs7-mime$/i;
const SIGNATURES: readonly (readonly [RegExp, 'pgp' | 'smime'])[] = [
  [/^application\/pgp-signature$/i, 'pgp'],
  [/^application\/(?:x-)?pkcs7-signature$/i, 'smime'],
];
const CLEAR = '-----BEGIN PGP SIGNED MESSAGE-----';
const DEPTH = 10;

/** Undefined: nothing that is known here. What covers most comes first. */
export function findSecurity(email: Structure): Found | undefined {
  return inParts(email, email.bodyStructure, [], true) ?? inTexts(email);
}

/** `alone`: nothing beside this part is shown. `path`: numbers of parts from the message down to it. */
function inParts(email: Structure, part: Part, path: readonly number[], alone: boolean): Found | undefined {
  if (path.length > DEPTH) return undefined;
  const type = part.type.toLowerCase();
  const parts = part.subParts ?? [];
  if (type === 'multipart/encrypted' || type === 'application/pgp-encrypted')
    return { kind: 'encrypted', how: 'pgp' };
  if (PKCS7.test(type)) {
    const kind = typeParameter(part['header:Content-Type'] ?? undefined, 'smime-type');
    if (kind === 'certs-only') return undefined;
    if (kind === 'enveloped-data' || kind === 'authenveloped-data')
      return { kind: 'encrypted', how: 'smime' };
    return part.blobId === null ? undefined : { kind: 'opaque', part, whole: alone };
  }
  if (type === 'multipart/signed') {
    const [, signature] = parts;
    const kind = SIGNATURES.find(([pattern]) => signature !== undefined && pattern.test(signature.type))?.[1];
    if (kind !== undefined && signature?.blobId != null) {
      const place = [...path, 1].join('_');
      // Exactly two (RFC 1847 section 2.1): what stands behind the signature is not signed, and is shown.
      const whole = alone && parts.length === 2;
      return { kind, signedBlob: `${email.blobId}-e${place}`, signatureBlob: signature.blobId, whole };
    }
  }
  for (const [i, each] of parts.entries()) {
    const found = inParts(email, each, [...path, i + 1], alone && parts.length === 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function inTexts(email: Structure): Found | undefined {
  for (const part of email.textBody) {
    const value = part.partId === null ? undefined : email.bodyValues[part.partId]?.value;
    if (value === undefined || part.blobId === null) continue;
    if (/^-----BEGIN PGP MESSAGE-----$/m.test(value)) return { kind: 'encrypted', how: 'pgp' };
    if (!value.includes(CLEAR)) continue;
    // Of a message with several parts, or with HTML, nobody could tell what is signed.
    const whole =
      part.type === 'text/plain' && email.bodyStructure.partId === part.partId && email.htmlBody.length === 1;
    return { kind: 'inline', part, whole };
  }
  return undefined;
}

export interface ClearSigned {
  /** From its first line to its last, one octet a character. */
  readonly block: string;
  /** Nothing but blanks stands before and behind it. */
  readonly alone: boolean;
}

/** The first block of the cleartext framework (RFC 9580 section 7) in octets of a text. */
export function clearSigned(octets: Uint8Array): ClearSigned | undefined {
  const text = latin1(octets);
  const start = lineAt(text, CLEAR, 0);
  if (start === -1) return undefined;
  const last = '-----END PGP SIGNATURE-----';
  const end = lineAt(text, last, start);
  if (end === -1) return undefined;
  const block = `${text.slice(start, end)}${last}\n`;
  const rest = text.slice(0, start) + text.slice(end + last.length);
  return { block, alone: /^[ \t\r\n]*$/.test(rest) };
}

/** Where a line begins that is this and nothing else but blanks behind it. */
function lineAt(text: string, line: string, from: number): number {
  for (let at = text.indexOf(line, from); at !== -1; at = text.indexOf(line, at + 1)) {
    if (at > 0 && text[at - 1] !== '\n') continue;
    let end = at + line.length;
    while (text[end] === ' ' || text[end] === '\t' || text[end] === '\r') end++;
    if (end === text.length || text[end] === '\n') return at;
  }
  return -1;
}

/** One octet a character. */
export function latin1(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; at += 8192)
    text += String.fromCharCode(...octets.subarray(at, at + 8192));
  return text;
}

/**
 * Whether the octets of a text mean the same whatever a header says of them. The charset of a clear-signed text is not
 * signed: with another one the same octets can be another text.
 */
export function meansOneText(octets: Uint8Array, charset: string | null): boolean {
  const name = (charset ?? 'us-ascii').toLowerCase();
  if (name === 'utf-8' || name === 'utf8') return true;
  if (octets.some((octet) => octet >= 0x80 || octet === 0x1b)) return false;
  // Others write Latin letters with other octets than ASCII (UTF-16, EBCDIC), or hide letters in ASCII (UTF-7, HZ).
  return /^(?:us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d|latin1)$/.test(name);
}

/** Octets of base64, blanks in it or not; undefined for what is none. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll(/\s+/g, '')), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}

export function toBase64(octets: Uint8Array): string {
  return btoa(latin1(octets));
}
