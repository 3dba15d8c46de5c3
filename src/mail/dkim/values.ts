/** Values of the tags that DKIM and ARC signatures share (RFC 6376 section 3.5, RFC 8617 section 4.1). */
import type { Canonicalization } from './body-hash.ts';
import type { SigningAlgorithm } from './signature.ts';
import { decodeBase64, type TagList } from './tags.ts';

/** Text of `i=` and `a=` that goes into results: no controls, bounded. */
export function printable(text: string, most: number): string {
  return text.slice(0, most).replace(/[^\x21-\x7e]/g, '?');
}

/** What is wrong with a field; thrown by the readers below and caught by the parser that called them. */
export class Malformed extends Error {}

export function required(tags: TagList, name: string): string {
  const tag = tags.get(name);
  if (tag === undefined) throw new Malformed(`no ${name}= tag`);
  if (tag.value === '') throw new Malformed(`an empty ${name}= tag`);
  return tag.value;
}

/** Digits a number may have: sections 3.5 `l=` 76, but a JavaScript integer ends at 15. */
const MAX_DIGITS = 15;

export function decimal(tags: TagList, name: string): number | undefined {
  const value = tags.get(name)?.value;
  if (value === undefined) return undefined;
  if (value.length > 76 || !/^[0-9]+$/.test(value)) throw new Malformed(`${name}= is not a number`);
  const digits = value.replace(/^0+(?=.)/, '');
  return digits.length > MAX_DIGITS ? Number.MAX_SAFE_INTEGER : Number(digits);
}

export function algorithm(value: string): SigningAlgorithm {
  const name = value.toLowerCase();
  if (name === 'rsa-sha256' || name === 'ed25519-sha256') return name;
  // RFC 8301 section 3.1: such a signature has permanently failed.
  if (name === 'rsa-sha1') throw new Malformed('rsa-sha1 is no longer accepted (RFC 8301)');
  throw new Malformed('an unknown algorithm in a=');
}

function isCanonicalization(name: string): name is Canonicalization {
  return name === 'simple' || name === 'relaxed';
}

export function canonicalizations(value: string | undefined): [Canonicalization, Canonicalization] {
  const [header = 'simple', body = 'simple', ...rest] = (value ?? 'simple/simple').toLowerCase().split('/');
  if (!isCanonicalization(header) || !isCanonicalization(body) || rest.length > 0) {
    throw new Malformed('an unknown canonicalization in c=');
  }
  return [header, body];
}

export function base64(value: string, name: string): Buffer {
  const octets = decodeBase64(value);
  if (octets === undefined) throw new Malformed(`${name}= is not base64`);
  return octets;
}
