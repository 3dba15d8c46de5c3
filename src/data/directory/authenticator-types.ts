import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Authenticator, LoginAccount, LoginAttempt, TokenAttempt } from '../../mail/sasl/types.ts';
import type { LoginGuard } from '../bans/guard.ts';
import type { Recorder } from '../journal/recorder.ts';
import type { Store } from '../store.ts';

export interface AuthenticatorOptions {
  readonly store: Pick<Store, 'read' | 'write' | 'changes'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes login.succeeded and login.failed. */
  readonly journal: Pick<Recorder, 'event'>;
  /** Counts failures and slows strangers; without one nothing is counted. */
  readonly guard?: Pick<LoginGuard, 'admit' | 'failed' | 'succeeded'> | undefined;
  /** What a login without an @ is completed with; '': it is nobody's. */
  readonly loginDomain?: (() => Promise<string>) | undefined;
  /** Milliseconds a verified login is remembered. */
  readonly memoryMs?: number;
  /** For tests: checks of own and of imported hashes. */
  readonly hasher?: {
    own(password: string, hash: string): Promise<boolean>;
    imported(password: string, hash: string): Promise<boolean>;
  };
}

/** What signing in at a web page needs besides: there the second factor is asked for in steps of its own. */
export interface SignInAuthenticator extends Authenticator {
  token(request: TokenAttempt): Promise<LoginAccount>;
  /**
   * The account's own password, and nothing else. With `secondFactor` nobody is in yet: nothing is noted, and
   * `succeeded` or `failed` follows. Throws like `password`.
   */
  firstFactor(
    request: LoginAttempt & { readonly password: string },
  ): Promise<LoginAccount & { readonly secondFactor: boolean }>;
  /** Somebody is in by a second factor or a passkey. Throws Refusal 'suspended'. */
  succeeded(attempt: LoginAttempt, how: string): Promise<LoginAccount>;
  failed(attempt: LoginAttempt, reason?: string): Promise<void>;
  /** What `password` does before it looks at one: may wait, or throw Refusal 'limit'. */
  admit(attempt: LoginAttempt): Promise<void>;
  close(): void;
}
