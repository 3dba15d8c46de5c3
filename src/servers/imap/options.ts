import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { LoginGuard } from '../../data/bans/guard.ts';
import type { MailSearch } from '../../data/search/mail-search.ts';
import type { NewBlob, ParsedContent } from '../../data/mailstore/types.ts';
import type { Store } from '../../data/store.ts';
import type { Authenticator, SessionLogin } from '../../flow/service.ts';
import type { TlsFacts, TlsSource } from '../../net/tls.ts';
import type { ImapLimits } from './limits.ts';

/** What one listener's sessions have in common. */
export interface ImapOptions {
  readonly store: Store;
  readonly authenticator: Authenticator;
  /** Whose clients may not come in at present. */
  readonly guard?: Pick<LoginGuard, 'banned'> | undefined;
  /** The search index; without it SEARCH reads the messages. */
  readonly search?: MailSearch | undefined;
  /** Takes the message of an APPEND as it arrives. */
  readonly intake: () => MessageIntake;
  /** Whether new messages are put off: the disk is nearly full. */
  readonly full?: (() => boolean) | undefined;
  /** Our name in the greeting. */
  readonly hostname: string;
  readonly limits: ImapLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Certificates for STARTTLS; without one (or while it has no context) STARTTLS is not offered. */
  readonly tls?: TlsSource | undefined;
  /** Log in under TLS only, else LOGINDISABLED. False is for a try-out's measuring tools. Default true. */
  readonly requireTlsForLogin?: boolean | undefined;
  readonly hooks?: ImapHooks | undefined;
}

/** A message on its way into the store; flow/intake.ts has this shape. */
export interface MessageIntake {
  /** Await a returned promise before the next call. May throw a Refusal ('too-large', 'storage-full'). */
  write(chunk: Buffer): void | Promise<void>;
  /** Resolves when what does not fit into a row is durable. */
  finish(): Promise<{ readonly blob: NewBlob; readonly content: ParsedContent; readonly size: number }>;
  /** Drop what was kept. Never throws. */
  abort(): void;
  /** After `finish`: the message is not stored; what was made durable of it goes. Never throws. */
  drop?(): void;
}

/** What is known of a session, for the journal and metrics. Live object: read it at the time of the call. */
export interface ImapSessionFacts {
  /** Trace id of the session. */
  readonly id: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  tls: TlsFacts | undefined;
  login: SessionLogin | undefined;
}

/** Told as things happen, for metrics and the journal; must be fast and must not throw. */
export interface ImapHooks {
  sessionStarted?(session: ImapSessionFacts): void;
  /** `reason` in plain words: "client said LOGOUT". */
  sessionEnded?(session: ImapSessionFacts, reason: string, durationMs: number): void;
  /** A tagged reply was given. `status`: OK, NO or BAD. */
  command?(session: ImapSessionFacts, name: string, status: string, durationMs: number): void;
  /** A login succeeded, or failed for `reason`. `subject` is the name that was tried; bounded, never a secret. */
  login?(
    session: ImapSessionFacts,
    mechanism: string,
    failure?: { reason: string; subject: string | undefined },
  ): void;
  tlsStarted?(session: ImapSessionFacts): void;
}
