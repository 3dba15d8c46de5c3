import type { Scope } from '../../mail/sasl/types.ts';
import type { ScramSecret } from '../directory/types.ts';

/** What app passwords may be for: the program that has one talks a mail protocol. */
export const APP_SCOPES = ['mail', 'send', 'settings'] as const;
/** What a client may be granted by OAuth; an account's own security stays with its web pages. */
export const GRANT_SCOPES = ['mail', 'send', 'settings', 'admin'] as const;
export type AppScope = (typeof APP_SCOPES)[number];
export type GrantScope = (typeof GRANT_SCOPES)[number];

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const ACCESS_LIMITS = {
  /** Milliseconds a web session lives without being used, and with "remember me". */
  sessionMs: 12 * HOUR,
  rememberedMs: 14 * DAY,
  /** Milliseconds after a sign-in in which sensitive settings may be changed. */
  confirmedMs: 15 * MINUTE,
  codeMs: MINUTE,
  accessTokenMs: HOUR,
  /** Milliseconds from the last use. */
  refreshTokenMs: 90 * DAY,
  /** Milliseconds a client that nobody granted anything is remembered. */
  idleClientMs: 30 * DAY,
  /** Milliseconds in which a client that has registered may be about to be let in. */
  freshClientMs: 20 * MINUTE,
  /** Clients that registered themselves and have no grant, at a time. */
  idleClients: 1000,
  appPasswords: 50,
  sessions: 100,
  passkeys: 20,
  grants: 50,
  /** Milliseconds between two notes of when something was used last. */
  noteMs: 5 * MINUTE,
  /** UTF-16 units. */
  name: 100,
  userAgent: 300,
} as const;

/** Password of one program, as logins are checked against it. */
export interface AppPassword {
  readonly id: number;
  readonly scopes: readonly AppScope[];
  readonly scram: ScramSecret;
  readonly expiresAt: number | undefined;
  readonly usedAt: number | undefined;
  readonly usedFrom: string | undefined;
}

/** What a login needs to know of an account besides its password. */
export interface LoginFactors {
  /** It has TOTP or a passkey: the password alone is not enough anywhere. */
  readonly secondFactor: boolean;
  readonly appPasswords: readonly AppPassword[];
}

export interface Totp {
  /** Base 32. */
  readonly secret: string;
  readonly confirmedAt: number | undefined;
  readonly lastStep: number;
}

export interface Passkey {
  readonly id: number;
  readonly accountId: number;
  /** Base64url. */
  readonly credentialId: string;
  readonly publicKey: Uint8Array;
  readonly counter: number;
  readonly transports: readonly string[];
  readonly name: string;
  readonly createdAt: number;
  readonly usedAt: number | undefined;
}

/** The second factors of an account. */
export interface Factors {
  readonly totp: Totp | undefined;
  readonly recoveryCodes: number;
  readonly passkeys: readonly Passkey[];
}

export interface WebSession {
  readonly id: number;
  readonly accountId: number;
  readonly address: string;
  readonly userAgent: string;
  readonly remember: boolean;
  readonly createdAt: number;
  readonly confirmedAt: number;
  readonly usedAt: number;
  readonly expiresAt: number;
}

export interface OauthClient {
  readonly id: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
}

/** An access token that holds. */
export interface AccessToken {
  readonly grantId: number;
  readonly accountId: number;
  readonly clientId: string;
  readonly scopes: readonly GrantScope[];
  readonly expiresAt: number;
  readonly usedAt: number | undefined;
}

/** What an account sees of what it may be signed in with. */
export interface SecurityOverview {
  readonly passwordChangedAt: number | undefined;
  readonly totpSince: number | undefined;
  readonly recoveryCodes: number;
  readonly passkeys: readonly Omit<Passkey, 'publicKey' | 'counter' | 'transports' | 'accountId'>[];
  readonly appPasswords: readonly {
    readonly id: number;
    readonly name: string;
    readonly scopes: readonly AppScope[];
    readonly createdAt: number;
    readonly expiresAt: number | undefined;
    readonly usedAt: number | undefined;
    readonly usedFrom: string | undefined;
  }[];
  readonly sessions: readonly WebSession[];
  readonly grants: readonly {
    readonly id: number;
    readonly client: string;
    readonly scopes: readonly GrantScope[];
    readonly createdAt: number;
    readonly usedAt: number | undefined;
  }[];
}

/** Tokens of a grant that was just made or renewed; none of them is kept. */
export interface TokenDigests {
  readonly access: string;
  readonly refresh: string;
}

/** What became of a code or refresh token. `reused`: it was spent before, and its grant has ended. */
export type Redeemed =
  | { readonly ok: true; readonly accountId: number; readonly scopes: readonly GrantScope[] }
  | { readonly ok: false; readonly error: 'invalid_grant' | 'invalid_scope'; readonly reused?: true };

export function wordsOf<T extends Scope>(text: string, known: readonly T[]): T[] {
  const words = new Set(text.split(' '));
  return known.filter((one) => words.has(one));
}
