import { parseAuthenticationResults, propertyOf } from '../../mail/authentication-results/parse.ts';
import type { MethodResult } from '../../mail/authentication-results/build.ts';
import { readAuthor } from '../../mail/author/author.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { type Said, sayWhy } from './say.ts';

/** What stands in front of a stored message: our own fields, which nobody else can have written. */

export interface StoredVerdict {
  readonly action: 'inbox' | 'junk';
  readonly probability: number;
  /** Rule that decided, when it was no sum. */
  readonly decidedBy: string | undefined;
  readonly reasons: readonly { readonly name: string; readonly score: number }[];
}

export interface StoredEvidence {
  readonly verdict: StoredVerdict | undefined;
  readonly results: readonly MethodResult[];
  /** Addresses it was delivered to, as the envelope had them. */
  readonly deliveredTo: readonly string[];
}

/** Reasons that a field names at most. */
const REASONS = 20;

/** `prefix`: the octets we put before a message. */
export function storedEvidence(prefix: Buffer): StoredEvidence {
  const header = readHeader(prefix);
  const results = header.all('authentication-results');
  return {
    verdict: verdictOf(header.first('x-postern-verdict')),
    results: results.flatMap((value) => parseAuthenticationResults(value)?.results ?? []),
    deliveredTo: header.all('delivered-to').map((value) => value.trim()),
  };
}

/** `inbox|junk; probability=0.0123; by=RULE; reasons=A:1.2,B:-0.5` (flow/inbound/judged.ts). */
function verdictOf(value: string | undefined): StoredVerdict | undefined {
  const parts = value?.split(';').map((part) => part.trim()) ?? [];
  const [action] = parts;
  if (action !== 'inbox' && action !== 'junk') return undefined;
  const of = (name: string): string | undefined =>
    parts.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1);
  const probability = Number(of('probability'));
  const reasons = (of('reasons') ?? '')
    .split(',')
    .map((text) => text.trim())
    .slice(0, REASONS)
    .flatMap((text) => {
      const colon = text.lastIndexOf(':');
      const score = Number(text.slice(colon + 1));
      return colon > 0 && Number.isFinite(score) ? [{ name: text.slice(0, colon), score }] : [];
    });
  return {
    action,
    probability: Number.isFinite(probability) ? Math.min(Math.max(probability, 0), 1) : 0,
    decidedBy: of('by'),
    reasons,
  };
}

export interface SenderFacts {
  readonly name: string;
  readonly address: string;
  readonly domain: string;
  readonly authenticated: 'pass' | 'fail' | 'none';
  readonly words: Said;
}

/** Who wrote it, and whether that is proven. `header`: of the message as its reader sees it. */
export function senderFacts(
  header: Buffer,
  results: readonly MethodResult[],
  /** Account that signed in here to send it; '' for mail from elsewhere. */
  login: string,
): SenderFacts {
  const author = readAuthor(header);
  const address = author.address ?? '';
  const domain = author.domains[0] ?? address.slice(address.lastIndexOf('@') + 1 || address.length);
  const who = { name: author.displayName, address, domain };
  // Whoever signs in may write under addresses of theirs only.
  if (login !== '') return { ...who, authenticated: 'pass', words: sayWhy('writtenHere', { login }) };
  const state = author.doubt === undefined && author.domains.length <= 1 ? stateOf(results, domain) : 'fail';
  return { ...who, authenticated: state, words: wordsOf(state, address, domain) };
}

function stateOf(results: readonly MethodResult[], domain: string): SenderFacts['authenticated'] {
  const dmarc = results.find(({ method }) => method === 'dmarc')?.result;
  if (dmarc === 'pass' || dmarc === 'fail') return dmarc;
  // Where the domain asks for nothing, a signature or a server of that very domain proves the same.
  const own = (result: MethodResult, property: string): boolean => {
    const value = propertyOf(result, property)?.toLowerCase() ?? '';
    return value !== '' && value.slice(value.lastIndexOf('@') + 1) === domain.toLowerCase();
  };
  const proven = results.some(
    (each) =>
      each.result === 'pass' &&
      ((each.method === 'dkim' && own(each, 'header.d')) ||
        (each.method === 'spf' && own(each, 'smtp.mailfrom'))),
  );
  return proven ? 'pass' : 'none';
}

function wordsOf(state: SenderFacts['authenticated'], address: string, domain: string): Said {
  if (address === '') return sayWhy('noAuthor');
  if (state === 'pass') return sayWhy('proven', { domain });
  return sayWhy(state === 'fail' ? 'unproven' : 'notProven', { address });
}
