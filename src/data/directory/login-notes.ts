import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { authenticationFailed } from '../../mail/sasl/refusals.ts';
import type { LoginAttempt } from '../../mail/sasl/types.ts';
import type { LoginGuard, Tried } from '../bans/guard.ts';
import type { Recorder } from '../journal/recorder.ts';
import { type JournalKind, terms } from '../journal/types.ts';
import type { StoredCredential } from './types.ts';

/** Octets of a login. */
export const MAX_LOGIN_OCTETS = 320;

/** What the journal and the guard are told of logins. */
export class LoginNotes {
  readonly #clock: Clock;
  readonly #journal: Pick<Recorder, 'event'>;
  readonly #guard: Pick<LoginGuard, 'admit' | 'failed' | 'succeeded'> | undefined;

  constructor(
    clock: Clock,
    journal: Pick<Recorder, 'event'>,
    guard: Pick<LoginGuard, 'admit' | 'failed' | 'succeeded'> | undefined,
  ) {
    this.#clock = clock;
    this.#journal = journal;
    this.#guard = guard;
  }

  /** Strangers wait, or are turned away, while somebody guesses at the account. Throws Refusal 'limit'. */
  async admit(attempt: LoginAttempt, credential: StoredCredential | undefined): Promise<void> {
    if (this.#guard === undefined) return;
    let waitMs: number;
    try {
      waitMs = this.#guard.admit(attempt.remoteAddress, triedBy(attempt, credential));
    } catch (error) {
      if (error instanceof Refusal) this.note('login.failed', attempt, { reason: error.message });
      throw error;
    }
    if (waitMs > 0) await this.#clock.sleep(waitMs);
  }

  count(attempt: LoginAttempt, credential: StoredCredential | undefined, password: string | undefined): void {
    const { remoteAddress, protocol, trace } = attempt;
    this.#guard?.failed({ remoteAddress, protocol, trace, password, tried: triedBy(attempt, credential) });
  }

  /** The secret is right, and yet nobody comes in: said to whoever knows it, and counted as no guess. */
  turnAway(attempt: LoginAttempt, refusal: Refusal): Refusal {
    this.note('login.failed', attempt, { reason: refusal.message });
    return refusal;
  }

  /** One event of the session, its facts under the names that the session's other events use (flow/journal.ts). */
  note(kind: JournalKind, attempt: LoginAttempt, data: Readonly<Record<string, string | number>>): void {
    const { login, remoteAddress, protocol, trace } = attempt;
    const found = [terms.address(login)];
    if (remoteAddress !== '') found.push(terms.network(remoteAddress));
    this.#journal.event({
      trace,
      at: this.#clock.now(),
      kind,
      data: { session: trace, protocol, ip: remoteAddress, login, ...data },
      terms: found,
    });
  }

  fail(
    attempt: LoginAttempt,
    credential: StoredCredential | undefined,
    password: string | undefined,
    reason: string,
  ): Refusal {
    this.note('login.failed', attempt, { reason });
    this.count(attempt, credential, password);
    return authenticationFailed();
  }

  succeeded(attempt: LoginAttempt, { accountId, address }: StoredCredential, how: string): void {
    this.#guard?.succeeded(attempt.remoteAddress, accountId);
    this.note('login.succeeded', { ...attempt, login: address }, { how });
  }
}

/** Whom a login is for, as far as the guard is concerned. */
function triedBy({ login }: LoginAttempt, credential: StoredCredential | undefined): Tried {
  const name = credential?.address ?? login.slice(0, MAX_LOGIN_OCTETS);
  return { accountId: credential?.accountId, name };
}
