/** Checks credentials for SASL; implemented by data/directory with bounded CPU. */
export interface Authenticator {
  /** PLAIN and LOGIN. Throws Refusal 'authentication-failed' or 'suspended'. */
  password(request: {
    login: string;
    password: string;
    remoteAddress: string;
    protocol: string;
  }): Promise<LoginAccount>;
  /** SCRAM-SHA-256: the stored keys of a login, or stable decoy keys for an unknown one (no enumeration). */
  scramKeys(login: string): Promise<ScramKeys>;
  /** After a SCRAM proof was verified against these keys. Throws like `password`. */
  scramSucceeded(login: string, remoteAddress: string, protocol: string): Promise<LoginAccount>;
  /** A failed attempt that did not pass through `password` (bad SCRAM proof). */
  failed(login: string, remoteAddress: string, protocol: string): void;
}

export interface LoginAccount {
  readonly accountId: number;
  /** Primary address of the account. */
  readonly address: string;
  /** Aborted when the account is suspended or its password changed. */
  readonly revoked: AbortSignal;
}

/** RFC 5802 section 3. */
export interface ScramKeys {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Channel binding data of a TLS connection; net/tls.ts TlsFacts has this shape. Undefined where not available. */
export interface ChannelBindings {
  /** tls-exporter (RFC 9266), TLS 1.3 only. */
  readonly exporter: Buffer | undefined;
  /** tls-server-end-point (RFC 5929 section 4). */
  readonly serverEndPoint: Buffer | undefined;
}
