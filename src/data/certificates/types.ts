/** Certificates that authorities issue by ACME. Times in milliseconds since the epoch. */

export interface AcmeAccount {
  /** URL of the authority's directory. */
  readonly directory: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  /** The account's own URL; undefined until it is made. */
  readonly url: string | undefined;
  /** Addresses the authority was told. */
  readonly contact: readonly string[];
}

/** What is in use of one certificate. */
export interface IssuedCertificate {
  readonly names: readonly string[];
  /** PEM: the certificate, then its chain. */
  readonly chain: string;
  /** PEM, PKCS #8. */
  readonly privateKey: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issuedAt: number;
  /** When the next one is due. */
  readonly renewAt: number;
}

/** How the authority wants it renewed (RFC 9773). */
export interface RenewalWish {
  readonly start: number;
  readonly end: number;
  readonly explanation: string | undefined;
}

export interface AcmeCertificate {
  /** Its first name, by which it is known. */
  readonly name: string;
  readonly directory: string;
  readonly issued: IssuedCertificate | undefined;
  readonly wish: RenewalWish | undefined;
  /** When the authority is asked for its wish again. */
  readonly askAt: number | undefined;
  /** Attempts in a row that failed, the last of them, and when the next may be made. */
  readonly failures: number;
  readonly failedAt: number | undefined;
  readonly failure: string | undefined;
  readonly retryAt: number | undefined;
}
