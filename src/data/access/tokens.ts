import { createHash, randomBytes } from 'node:crypto';
import { randomToken } from '../../base/ids.ts';

/** Octets of randomness in a token: nobody guesses 256 bits, so a plain hash of it may be looked up. */
const TOKEN_OCTETS = 32;

/**
 * Tokens begin with what they are, so that one kind is never taken for another and a leaked one is recognised by tools
 * that look through repositories.
 */
export const TOKEN_PREFIX = {
  session: 'pst_ws_',
  code: 'pst_ac_',
  access: 'pst_at_',
  refresh: 'pst_rt_',
} as const;
export type TokenKind = keyof typeof TOKEN_PREFIX;

export interface NewToken {
  /** What its owner is given, once. */
  readonly token: string;
  /** What is kept. */
  readonly digest: string;
}

export function newToken(kind: TokenKind): NewToken {
  const token = TOKEN_PREFIX[kind] + randomBytes(TOKEN_OCTETS).toString('base64url');
  return { token, digest: digestOf(token) };
}

/** The digest of a token of this kind; undefined for what is none. */
export function tokenDigest(kind: TokenKind, token: string): string | undefined {
  const prefix = TOKEN_PREFIX[kind];
  const random = token.slice(prefix.length);
  return token.startsWith(prefix) && /^[A-Za-z0-9_-]{43}$/.test(random) ? digestOf(token) : undefined;
}

/** SHA-256 in base64url; of a verifier of PKCE it is its S256 challenge (RFC 7636 section 4.2). */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('base64url');
}

/** Letters of 5 bits each. */
const APP_PASSWORD_LETTERS = 24;
const RECOVERY_LETTERS = 12;
/** Recovery codes made at a time. */
const RECOVERY_CODES = 10;
/** UTF-16 units of something typed that may be one of these. */
const TYPED = 64;

function grouped(letters: string): string {
  return letters.match(/.{1,4}/g)?.join('-') ?? letters;
}

/** The letters of something typed, where there are so many: hyphens and spaces do not count, nor what is easily misread. */
function lettersOf(typed: string, length: number): string | undefined {
  if (typed.length > TYPED) return undefined;
  const letters = typed.toLowerCase().replace(/[\s-]/g, '').replaceAll('o', '0').replace(/[il]/g, '1');
  return letters.length === length && /^[0-9a-hjkmnp-tv-z]+$/.test(letters) ? letters : undefined;
}

/** A password for one program: "abcd-efgh-jkmn-pqrs-tvwx-yz23", 120 bits. */
export function newAppPassword(): string {
  return grouped(randomToken(APP_PASSWORD_LETTERS));
}

/** An app password as it was made; undefined for what cannot be one. */
export function appPasswordIn(password: string): string | undefined {
  const letters = lettersOf(password, APP_PASSWORD_LETTERS);
  return letters === undefined ? undefined : grouped(letters);
}

export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => grouped(randomToken(RECOVERY_LETTERS)));
}

/** What is kept of a recovery code; undefined for what cannot be one. */
export function recoveryDigest(accountId: number, code: string): string | undefined {
  const letters = lettersOf(code, RECOVERY_LETTERS);
  return letters === undefined ? undefined : digestOf(`recovery ${accountId} ${letters}`);
}
