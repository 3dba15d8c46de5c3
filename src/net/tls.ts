import type { SecureContext } from 'node:tls';

/** What a finished TLS handshake tells. */
export interface TlsFacts {
  /** "TLSv1.3". */
  readonly version: string;
  /** "TLS_AES_256_GCM_SHA384". */
  readonly cipher: string;
  /** Server name the client asked for (SNI), if any. */
  readonly serverName: string | undefined;
  /** Channel binding data for SCRAM-PLUS: tls-exporter (RFC 9266) on 1.3; undefined where not available. */
  readonly exporter: Buffer | undefined;
  /** tls-server-end-point (RFC 5929 4): hash of our certificate; undefined when its hash function is unknown. */
  readonly serverEndPoint: Buffer | undefined;
}

/** Where servers get their certificate; contexts may change at any time (reload), sessions keep what they have. */
export interface TlsSource {
  /** The context for a server name (SNI); undefined or an unknown name gives the default. Undefined: no certificate yet. */
  context(serverName?: string): SecureContext | undefined;
  /** Validations of our names by TLS; undefined: none is ever answered. */
  readonly validations?: TlsValidations | undefined;
}

/** Answers to authorities that want to see a name proven by a handshake (TLS-ALPN-01, RFC 8737). */
export interface TlsValidations {
  /** Whether any name is being proven: else nobody looks into first messages. */
  pending(): boolean;
  /** The context that proves a name. */
  context(serverName: string): SecureContext | undefined;
}
