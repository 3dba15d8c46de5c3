import type { Canonicalization } from './body-hash.ts';
import type { RawField } from './fields.ts';
import { isWithin, toALabels } from './names.ts';
import { colonList, hasBareLf, isTagError, parseTags, type TagList } from './tags.ts';
import { algorithm, base64, canonicalizations, decimal, Malformed, printable, required } from './values.ts';

/** RFC 6376 section 3.3, RFC 8463. rsa-sha1 is historic (RFC 8301) and never evaluated. */
export type SigningAlgorithm = 'rsa-sha256' | 'ed25519-sha256';

/** A DKIM-Signature field whose syntax is in order. */
export interface Signature {
  readonly algorithm: SigningAlgorithm;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  /** `d=`, lower case, A-labels. */
  readonly domain: string;
  /** `s=`, lower case, A-labels. */
  readonly selector: string;
  /** The domain of `i=`. */
  readonly identityDomain: string;
  /** `i=` as text, or "@" and the domain. */
  readonly identity: string;
  /** `h=` in lower case, in order, with repetitions. */
  readonly signedNames: readonly string[];
  readonly signature: Buffer;
  readonly bodyHash: Buffer;
  /** `l=`: octets of the canonicalised body that are signed. */
  readonly bodyLength: number | undefined;
  /** `t=` and `x=`, seconds since the epoch. */
  readonly signedAt: number | undefined;
  readonly expiresAt: number | undefined;
}

/** What can be said of a field that is not a usable signature. */
export interface SignatureError {
  readonly error: string;
  /** Where they could be read. */
  readonly domain?: string;
  readonly selector?: string;
  readonly algorithm?: string;
}

export function isSignatureError(parsed: Signature | SignatureError): parsed is SignatureError {
  return 'error' in parsed;
}

/** Octets of a DKIM-Signature field. Real ones stay below 4 KiB. */
const MAX_SIGNATURE_OCTETS = 128 * 1024;
/** Names in one `h=`. A sender that over-signs everything stays below a hundred. */
const MAX_SIGNED_NAMES = 10_240;

function signedNames(value: string): string[] {
  const names = colonList(value.toLowerCase());
  if (names.length > MAX_SIGNED_NAMES) throw new Malformed(`more than ${MAX_SIGNED_NAMES} names in h=`);
  // RFC 6376 section 5.4: a signature that does not cover From says nothing about the author.
  if (!names.includes('from')) throw new Malformed('h= does not cover From');
  return names;
}

/** `i=` must be at `d=` or below it (section 3.5). */
function identity(value: string | undefined, domain: string): { identity: string; identityDomain: string } {
  if (value === undefined) return { identity: `@${domain}`, identityDomain: domain };
  const at = value.lastIndexOf('@');
  const identityDomain = at < 0 ? undefined : toALabels(value.slice(at + 1), 1);
  if (identityDomain === undefined) throw new Malformed('i= is not an address');
  if (!isWithin(identityDomain, domain)) throw new Malformed('i= is not within d=');
  return { identity: printable(value, 320), identityDomain };
}

function checkVersionAndQuery(tags: TagList): void {
  if (required(tags, 'v') !== '1') throw new Malformed('an unknown version in v=');
  const methods = tags.get('q')?.value;
  if (methods !== undefined && !colonList(methods.toLowerCase()).includes('dns/txt')) {
    throw new Malformed('q= does not offer dns/txt');
  }
}

function times(tags: TagList): { signedAt: number | undefined; expiresAt: number | undefined } {
  const signedAt = decimal(tags, 't');
  const expiresAt = decimal(tags, 'x');
  if (signedAt !== undefined && expiresAt !== undefined && expiresAt <= signedAt) {
    throw new Malformed('x= is not after t=');
  }
  return { signedAt, expiresAt };
}

function build(tags: TagList, domain: string | undefined, selector: string | undefined): Signature {
  checkVersionAndQuery(tags);
  const [headerCanonicalization, bodyCanonicalization] = canonicalizations(tags.get('c')?.value);
  const signed = algorithm(required(tags, 'a'));
  const signature = base64(required(tags, 'b'), 'b');
  const bodyHash = base64(required(tags, 'bh'), 'bh');
  if (bodyHash.length !== 32) throw new Malformed('bh= is not the length of a SHA-256');
  required(tags, 'd');
  if (domain === undefined) throw new Malformed('d= is not a domain');
  required(tags, 's');
  if (selector === undefined) throw new Malformed('s= is not a selector');
  return {
    algorithm: signed,
    headerCanonicalization,
    bodyCanonicalization,
    domain,
    selector,
    ...identity(tags.get('i')?.value, domain),
    signedNames: signedNames(required(tags, 'h')),
    signature,
    bodyHash,
    bodyLength: decimal(tags, 'l'),
    ...times(tags),
  };
}

/** Read a DKIM-Signature field (RFC 6376 sections 3.5 and 6.1.1). Never throws. Linear in its octets. */
export function parseSignature(field: RawField): Signature | SignatureError {
  if (field.raw.length > MAX_SIGNATURE_OCTETS) return { error: 'the signature field is too long' };
  const text = field.raw.toString('latin1', field.valueStart);
  if (hasBareLf(text)) return { error: 'the signature holds an LF alone' };
  const tags = parseTags(text);
  if (isTagError(tags)) return tags;
  const domain = toALabels(tags.get('d')?.value ?? '', 2);
  const selector = toALabels(tags.get('s')?.value ?? '', 1);
  try {
    return build(tags, domain, selector);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const named = tags.get('a')?.value;
    return {
      error: error.message,
      ...(domain !== undefined && { domain }),
      ...(selector !== undefined && { selector }),
      ...(named !== undefined && { algorithm: printable(named, 40) }),
    };
  }
}

/**
 * The field with the value of its `b=` emptied, as it is hashed (section 3.7). The white space around the value goes too
 * (section 3.5), the CRLF at the end of the field is the caller's to leave out.
 */
export function withoutSignatureValue(field: RawField): RawField {
  const end = field.raw.length - (field.raw.toString('latin1', field.raw.length - 2) === '\r\n' ? 2 : 0);
  const tags = parseTags(field.raw.toString('latin1', field.valueStart, end));
  const value = isTagError(tags) ? undefined : tags.get('b');
  if (value === undefined) return field;
  const { raw, valueStart } = field;
  const parts = [raw.subarray(0, valueStart + value.start), raw.subarray(valueStart + value.end)];
  return { name: field.name, raw: Buffer.concat(parts), valueStart };
}
