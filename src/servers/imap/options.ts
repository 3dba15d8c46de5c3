import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { LoginGuard } from '../../data/bans/guard.ts';
import type { MailSearch } from '../../data/search/mail-search.ts';
import type { NewBlob, ParsedContent } from '../../data/mailstore/types.ts';
import type { Store } from '../../data/store.ts';
import type { Authenticator } from '../../flow/service.ts';
import type { TlsSource } from '../../net/tls.ts';
import type { AccountSessionFacts, AccountSessionHooks } from '../account-session.ts';
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
  /** URL of the JMAP session, where it is known under which one clients reach it. */
  readonly jmapUrl?: (() => string | undefined) | undefined;
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

export type ImapSessionFacts = AccountSessionFacts;
/** `status` of a command: OK, NO or BAD. */
export type ImapHooks = AccountSessionHooks;
