/**
 * What a login may be used for. mail: read and change mail (IMAP, POP3, JMAP). send: submit. settings: Sieve, vacation,
 * identities and the like. account: passwords, second factors, sessions (web sessions only). admin: the admin API, as far
 * as the account's role goes.
 */
export type Scope = 'mail' | 'send' | 'settings' | 'account' | 'admin';

/** Who tries to log in, and where from. */
export interface LoginAttempt {
  readonly login: string;
  /** '' on a Unix socket. */
  readonly remoteAddress: string;
  /** "submission", "imap", ... */
  readonly protocol: string;
  /** Id of the session; what the journal says of the login stands with the session's other events. */
  readonly trace: string;
  /** What the login is for; by default what the protocol needs. */
  readonly scope?: Scope | undefined;
}

/** A bearer token instead of a password. `login`: whose it is said to be; '': the token alone tells. */
export type TokenAttempt = LoginAttempt & { readonly token: string };

/** Checks credentials for SASL; implemented by data/directory with bounded CPU. */
export interface Authenticator {
  /**
   * PLAIN and LOGIN. Throws Refusal 'authentication-failed', 'suspended', 'unavailable' (too many at once), or 'limit'
   * (somebody guesses at the account, and this client is not known to it).
   */
  password(request: LoginAttempt & { readonly password: string }): Promise<LoginAccount>;
  /**
   * SCRAM-SHA-256: the stored keys of a login, or stable decoy keys for an unknown one (no enumeration). With `attempt`
   * it may wait or throw Refusal 'limit', as `password` may, before any proof is looked at.
   */
  scramKeys(login: string, attempt?: LoginAttempt): Promise<ScramKeys>;
  /** After a SCRAM proof was verified against a stored key of these. Throws like `password`. */
  scramSucceeded(attempt: LoginAttempt, storedKey?: Buffer): Promise<LoginAccount>;
  /**
   * OAUTHBEARER and XOAUTH2 (RFC 7628): an access token. Without this method there are no such mechanisms. Throws
   * Refusal 'authentication-failed', or 'not-permitted' for a token that is not for this protocol.
   */
  token?(request: TokenAttempt): Promise<LoginAccount>;
  /**
   * CRAM-MD5 (RFC 2195): `digest` is what the client made of `challenge` and its password. Only for those who keep the
   * password itself; without this method there is no such mechanism. Throws like `password`.
   */
  cramMd5?(
    request: LoginAttempt & { readonly challenge: Buffer; readonly digest: Buffer },
  ): Promise<LoginAccount>;
  /** A failed attempt that did not pass through `password` (bad SCRAM proof). Await it before the answer. */
  failed(attempt: LoginAttempt): void | Promise<void>;
}

export interface LoginAccount {
  readonly accountId: number;
  /** Primary address of the account. */
  readonly address: string;
  /** Aborted when the account is suspended or its password changed, or what it logged in with is revoked. */
  readonly revoked: AbortSignal;
  /** By what; default: the account's password. */
  readonly how?: 'password' | 'app-password' | 'token' | 'session' | undefined;
  /** What it may do; undefined: everything that a password of the account may. */
  readonly scopes?: ReadonlySet<Scope> | undefined;
  /** Id of the web session, grant or app password. */
  readonly sessionId?: number | undefined;
}

/** RFC 5802 section 3. */
export interface ScramKeyPair {
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export interface ScramKeys extends ScramKeyPair {
  readonly salt: Buffer;
  readonly iterations: number;
  /** Of further passwords of the login, under the same salt: whichever fits the proof is the one. */
  readonly others?: readonly ScramKeyPair[];
}

/** Channel binding data of a TLS connection; net/tls.ts TlsFacts has this shape. Undefined where not available. */
export interface ChannelBindings {
  /** tls-exporter (RFC 9266), TLS 1.3 only. */
  readonly exporter: Buffer | undefined;
  /** tls-server-end-point (RFC 5929 section 4). */
  readonly serverEndPoint: Buffer | undefined;
}
