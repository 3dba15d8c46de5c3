import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import { authenticationFailed } from '../../mail/sasl/refusals.ts';
import type { Authenticator, LoginAccount, LoginAttempt } from '../../mail/sasl/types.ts';
import { createBrake } from './brake.ts';
import type { RelayCounts } from './metrics.ts';

/** Bcrypt hashes computed or waited for at one time: each takes a tenth of a second of one thread. */
const HASHES_AT_ONCE = 50;

/** The one login of the relay. */
export interface RelayLogin {
  readonly user: string;
  /** One of them at least. With both, LOGIN and PLAIN are checked by the hash, CRAM-MD5 by the password. */
  readonly password: string | undefined;
  readonly bcryptHash: string | undefined;
}

export interface RelayAuthenticatorOptions {
  /** Undefined: any login will do, for clients that must log in although nothing asks them to. */
  readonly login: RelayLogin | undefined;
  /** Clients listed by address: others may not log in, and these are not slowed down. */
  readonly mayConnect: ((address: string) => boolean) | undefined;
  /** Whether a password belongs to a bcrypt hash, off the event loop. */
  readonly checkHash: (password: string, hash: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: RelayCounts;
}

/** Mechanisms in the order of aws-smtp-relay's EHLO. Passwords in clear only under TLS, unless LOGIN is forced. */
export function relayMechanisms(
  login: RelayLogin | undefined,
  plainLogin: boolean,
): (tls: boolean) => string[] {
  const cram = login === undefined || login.password !== undefined ? ['CRAM-MD5'] : [];
  return (tls) => {
    if (tls) return ['LOGIN', 'PLAIN', ...cram];
    return plainLogin ? ['LOGIN', ...cram] : cram;
  };
}

/** Checks the relay's login in constant time, with a brake on guessing. */
export function createRelayAuthenticator(options: RelayAuthenticatorOptions): Authenticator {
  const { login, mayConnect, clock, logger, counts } = options;
  const brake = createBrake(clock);
  const account: Omit<LoginAccount, 'address'> = { accountId: 0, revoked: new AbortController().signal };
  const check = passwordCheck(options);

  function admit(attempt: LoginAttempt): void {
    if (mayConnect?.(attempt.remoteAddress) === false) {
      counts.deniedIp();
      logger.warn({ ip: attempt.remoteAddress }, 'login refused: the address is not on the list');
      throw authenticationFailed();
    }
    const wait = mayConnect === undefined ? brake.waitMs(attempt.remoteAddress) : undefined;
    if (wait === undefined) return;
    const minutes = Math.ceil(wait / 60_000);
    throw new Refusal('limit', `Too many failed logins from your address; try again in ${minutes} min`);
  }

  function settle(attempt: LoginAttempt, right: boolean, guess: string): LoginAccount {
    if (right) return { ...account, address: attempt.login };
    counts.loginFailed();
    brake.failed(attempt.remoteAddress, guess);
    logger.warn({ ip: attempt.remoteAddress, user: attempt.login.slice(0, 100) }, 'login failed');
    throw authenticationFailed();
  }

  return {
    async password(attempt) {
      admit(attempt);
      if (login === undefined) return settle(attempt, true, '');
      const right = await check(attempt.login, attempt.password);
      return settle(attempt, right, digest(`${attempt.login}\0${attempt.password}`).toString('base64'));
    },
    async cramMd5(attempt) {
      admit(attempt);
      if (login === undefined) return settle(attempt, true, '');
      if (login.password === undefined) throw new Refusal('unavailable', 'CRAM-MD5 is not possible here');
      const wanted = createHmac('md5', login.password).update(attempt.challenge).digest();
      const named = sameText(attempt.login, login.user);
      const right = timingSafeEqual(wanted, attempt.digest) && named;
      return settle(attempt, right, attempt.digest.toString('hex'));
    },
    // SCRAM is not offered.
    scramKeys: () => Promise.reject(new Refusal('unavailable', 'SCRAM is not possible here')),
    scramSucceeded: () => Promise.reject(new Refusal('unavailable', 'SCRAM is not possible here')),
    failed: () => undefined,
  };
}

/**
 * Compares user and password. A hash is computed whatever the user, so that the time tells nothing; a password that was
 * right is remembered for some minutes as a keyed digest, for a program logs in anew for each message.
 */
function passwordCheck({ login, checkHash, clock }: RelayAuthenticatorOptions) {
  const key = randomBytes(32);
  const remembered = (password: string): Buffer => createHmac('sha256', key).update(password).digest();
  let known: { readonly digest: Buffer; readonly until: number } | undefined;
  let hashing = 0;
  return async (user: string, password: string): Promise<boolean> => {
    if (login === undefined) return true;
    const named = sameText(user, login.user);
    if (login.bcryptHash === undefined) return sameText(password, login.password ?? '') && named;
    if (known !== undefined && known.until > clock.monotonic()) {
      if (timingSafeEqual(known.digest, remembered(password)) && named) return true;
    }
    if (hashing >= HASHES_AT_ONCE)
      throw new Refusal('unavailable', 'Too many logins at once, try again later');
    hashing++;
    try {
      const right = await checkHash(password, login.bcryptHash);
      if (right) known = { digest: remembered(password), until: clock.monotonic() + limits.loginMemoryMs };
      return right && named;
    } finally {
      hashing--;
    }
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** In a time that depends on neither. */
function sameText(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}
