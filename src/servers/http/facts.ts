import type { CertificateInfo } from '../../net/tls-store.ts';

/** A place where the server listens. */
export interface ListenerFacts {
  /** "smtp", "submissions", "imaps", "http": as in the metrics. */
  readonly name: string;
  /** '' for a Unix socket. */
  readonly address: string;
  readonly port: number;
  /** Encryption a client finds there. */
  readonly security: 'tls' | 'starttls' | 'none';
  readonly open: boolean;
}

/** What the program knows of itself; functions, where it changes while it runs. */
export interface ServerFacts {
  readonly version: string;
  /** Try-out or real use. */
  readonly mode: 'try' | 'serve';
  readonly hostname: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly dataDirectory: string;
  /** Public addresses of this host, for the DNS records it should have; empty when not known. */
  publicAddresses(): readonly string[];
  /** Who gets the reports that others send about a domain; undefined: the first administrator, else its postmaster. */
  adminAddress(): string | undefined;
  listeners(): readonly ListenerFacts[];
  certificates(): readonly CertificateInfo[];
  /** The last time background events could not be stored. */
  lastJournalError?(): { readonly at: number; readonly message: string } | undefined;
  /** Milliseconds that events stay in the journal. */
  journalAgeMs?(): number;
  /** Why all mail to other hosts is held, with the remedy, when it is. */
  outgoingHeld?(): string | undefined;
  /** Everything that leaves goes through the relay of the configuration. */
  relayed?(): boolean;
  /** True while the server stops: no longer ready for new work. */
  stopping?(): boolean;
}
