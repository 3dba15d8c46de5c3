import type { MethodResult } from '../authentication-results/build.ts';
import { propertyOf } from '../authentication-results/parse.ts';
import { splitFields } from '../dkim/fields.ts';
import { isSignatureError, parseSignature } from '../dkim/signature.ts';
import { readHeader } from './headers.ts';

/** How a mailing list is left (RFC 2369 section 3.2, RFC 8058). */

export type UnsubscribeWay =
  /** POST `UNSUBSCRIBE_BODY` there; nothing else is asked. */
  | { readonly kind: 'one-click'; readonly url: string }
  | { readonly kind: 'mail'; readonly to: string; readonly subject: string; readonly body: string }
  /** A page that a person has to look at. */
  | { readonly kind: 'page'; readonly url: string };

/** RFC 8058 section 3.2. */
export const UNSUBSCRIBE_BODY = 'List-Unsubscribe=One-Click';

const MAX_LINKS = 10;
const MAX_LINK = 4000;
const MAX_TEXT = 500;
/** Signatures of one message that are looked at. */
const MAX_SIGNATURES = 20;

/**
 * The ways that a message offers, the best first. One click only where a signature that holds covers both fields (RFC 8058
 * section 4): nobody but its sender is to have us call a URL. `results`: what we found of its signatures.
 */
export function unsubscribeWays(octets: Buffer, results: readonly MethodResult[]): UnsubscribeWay[] {
  const header = readHeader(octets);
  const fields = header.all('list-unsubscribe');
  const [value = '', second] = fields;
  // Which one of several the signature covers is anybody's guess.
  const links = second === undefined ? linksOf(value) : [];
  const posts = header.all('list-unsubscribe-post');
  const wanted = posts.length === 1 && /^\s*List-Unsubscribe\s*=\s*One-Click\s*$/i.test(posts[0] ?? '');
  const oneClick = wanted && isCovered(octets, results);
  const ways = links.flatMap((link): UnsubscribeWay[] => {
    const url = URL.parse(link);
    if (url === null) return [];
    if (url.protocol === 'https:' && oneClick) return [{ kind: 'one-click', url: url.href }];
    if (url.protocol === 'https:' || url.protocol === 'http:') return [{ kind: 'page', url: url.href }];
    return url.protocol === 'mailto:' ? mailWay(url) : [];
  });
  const order = ['one-click', 'mail', 'page'];
  return ways.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** What stands between angle brackets; anything else is a comment (RFC 2369 section 2). */
function linksOf(value: string): string[] {
  const found: string[] = [];
  for (let at = 0; found.length < MAX_LINKS; ) {
    const start = value.indexOf('<', at);
    const end = start < 0 ? -1 : value.indexOf('>', start);
    if (end < 0) break;
    if (end - start <= MAX_LINK) found.push(value.slice(start + 1, end).replaceAll(/\s/g, ''));
    at = end + 1;
  }
  return found;
}

function mailWay(url: URL): UnsubscribeWay[] {
  const to = decoded(url.pathname).split(',', 1)[0]?.trim() ?? '';
  if (!to.includes('@')) return [];
  // oxlint-disable-next-line no-control-regex -- no line end may get into a header
  const clean = (text: string): string => text.replaceAll(/[\x00-\x1f\x7f]+/g, ' ').slice(0, MAX_TEXT);
  const subject = clean(url.searchParams.get('subject') ?? '') || 'unsubscribe';
  return [{ kind: 'mail', to, subject, body: clean(url.searchParams.get('body') ?? '') || 'unsubscribe' }];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** A signature that we found to hold, by its domain, selector and beginning, covers both fields. */
function isCovered(octets: Buffer, results: readonly MethodResult[]): boolean {
  const held = results.filter(({ method, result }) => method === 'dkim' && result === 'pass');
  const fields = splitFields(octets).filter(({ name }) => name === 'dkim-signature');
  return fields.slice(0, MAX_SIGNATURES).some((field) => {
    const signature = parseSignature(field);
    if (isSignatureError(signature)) return false;
    const { signedNames, domain, selector } = signature;
    if (!signedNames.includes('list-unsubscribe') || !signedNames.includes('list-unsubscribe-post'))
      return false;
    const start = signature.signature.toString('base64');
    return held.some((result) => {
      const b = propertyOf(result, 'header.b') ?? '';
      return (
        propertyOf(result, 'header.d')?.toLowerCase() === domain.toLowerCase() &&
        propertyOf(result, 'header.s')?.toLowerCase() === selector.toLowerCase() &&
        b.length >= 8 &&
        start.startsWith(b)
      );
    });
  });
}
