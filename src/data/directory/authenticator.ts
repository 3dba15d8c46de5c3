import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal, smtpReply } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import { authenticationFailed } from '../../mail/sasl/refusals.ts';
import type { Authenticator, LoginAccount, ScramKeys } from '../../mail/sasl/types.ts';
import type { Recorder } from '../journal/recorder.ts';
import { type JournalKind, terms } from '../journal/types.ts';
import type { Store } from '../store.ts';
import { createGate } from './gate.ts';
import { createHashThread } from './hash-thread.ts';
import { createLoginMemory } from './login-memory.ts';
import {
  decoyHash,
  hashPassword,
  isOwnHash,
  matchesOwn,
  MAX_PASSWORD_OCTETS,
  SCRAM_ITERATIONS,
  SCRAM_SALT_OCTETS,
} from './passwords.ts';
import type { StoredCredential } from './types.ts';

/** Slow hashes computed at a time: sixteen at once starve libuv's threads, and with them every file and fsync. */
const HASHES_RUNNING = 2;
/** Logins that wait for a hash; about a second's worth. */
const HASHES_WAITING = 100;
/** Octets of a login. */
const MAX_LOGIN_OCTETS = 320;

const DECOY_KEY = 'auth.decoy-key';

export interface AuthenticatorOptions {
  readonly store: Pick<Store, 'read' | 'write' | 'changes'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Takes login.succeeded and login.failed. */
  readonly journal: Pick<Recorder, 'event'>;
  /** Milliseconds a verified login is remembered. */
  readonly memoryMs?: number;
  /** For tests: checks of own and of imported hashes. */
  readonly hasher?: {
    own(password: string, hash: string): Promise<boolean>;
    imported(password: string, hash: string): Promise<boolean>;
  };
}

interface Attempt {
  readonly login: string;
  readonly remoteAddress: string;
  readonly protocol: string;
}

/**
 * Checks logins (RFC 4954, 4616, 5802) with bounded CPU. Wrong passwords, unknown logins and logins with no password
 * get one answer, in about the same time; only who knows the password learns that an account is suspended.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { store, clock, logger, journal } = options;
  const hasher = options.hasher ?? { own: matchesOwn, imported: createHashThread(clock) };
  const gate = createGate(HASHES_RUNNING, HASHES_WAITING);
  const memory = createLoginMemory(clock, options.memoryMs ?? limits.loginMemoryMs);
  const decoy = decoyHash();
  let decoyKey: Promise<string> | undefined;

  function find(login: string): Promise<StoredCredential | undefined> {
    if (Buffer.byteLength(login) > MAX_LOGIN_OCTETS) return Promise.resolve(undefined);
    return store.read.run('directory.credential', { login });
  }

  function note(kind: JournalKind, attempt: Attempt, data: Readonly<Record<string, string>>): void {
    const { login, remoteAddress, protocol } = attempt;
    const found = [terms.address(login)];
    if (remoteAddress !== '') found.push(terms.network(remoteAddress));
    const at = clock.now();
    journal.event({
      trace: timeId(at),
      at,
      kind,
      data: { login, remoteAddress, protocol, ...data },
      terms: found,
    });
  }

  function fail(attempt: Attempt, reason: string): Refusal {
    note('login.failed', attempt, { reason });
    return authenticationFailed();
  }

  async function slowCheck(credential: StoredCredential | undefined, password: string): Promise<boolean> {
    const hash = credential?.hash ?? decoy;
    const check = gate(() =>
      isOwnHash(hash) ? hasher.own(password, hash) : hasher.imported(password, hash),
    );
    if (check === undefined) throw tooBusy();
    const matches = await check;
    if (!matches || credential === undefined) return false;
    // It took a while: the account may have been suspended or got another password meanwhile.
    const now = await find(credential.address);
    return (
      now?.accountId === credential.accountId &&
      now.hash === credential.hash &&
      now.status === credential.status
    );
  }

  /** Imported hashes give way to our own as soon as the password is known; failing at it costs nobody the login. */
  async function upgrade(credential: StoredCredential, password: string): Promise<void> {
    try {
      const secrets = await gate(() => hashPassword(password, { minLength: 1 }));
      if (secrets === undefined) return;
      const { accountId, hash: oldHash } = credential;
      await store.write.run('directory.upgradeCredential', { accountId, oldHash, ...secrets });
    } catch (error) {
      logger.warn(
        { account: credential.address, error: errorText(error) },
        'an imported password stays as it is',
      );
    }
  }

  function succeed(
    credential: StoredCredential,
    attempt: Attempt,
    revoked: AbortSignal,
    how: string,
  ): LoginAccount {
    if (credential.status !== 'active') {
      note('login.failed', attempt, { reason: 'the account is suspended' });
      throw suspended();
    }
    const { accountId, address } = credential;
    note('login.succeeded', { ...attempt, login: address }, { how });
    return { accountId, address, revoked };
  }

  async function decoyKeys(login: string): Promise<ScramKeys> {
    decoyKey ??= store.write
      .run('directory.ensureSetting', { name: DECOY_KEY, value: randomBytes(32).toString('hex') })
      .catch((error: unknown) => {
        decoyKey = undefined;
        throw error;
      });
    const key = Buffer.from(await decoyKey, 'hex');
    const name = login.trim().normalize('NFC').toLowerCase();
    const make = (what: string): Buffer => createHmac('sha256', key).update(`${what}\0${name}`).digest();
    return {
      salt: make('salt').subarray(0, SCRAM_SALT_OCTETS),
      iterations: SCRAM_ITERATIONS,
      storedKey: make('stored key'),
      serverKey: make('server key'),
    };
  }

  return {
    async password({ password, ...attempt }) {
      if (password === '' || Buffer.byteLength(password) > MAX_PASSWORD_OCTETS) {
        throw fail(attempt, 'the password is empty or too long');
      }
      const credential = await find(attempt.login);
      if (credential === undefined) {
        await slowCheck(undefined, password);
        throw fail(attempt, 'unknown login');
      }
      const revoked = store.changes.revocation(credential.accountId);
      if (memory.knows(credential, password)) return succeed(credential, attempt, revoked, 'remembered');
      if (!(await slowCheck(credential, password))) throw fail(attempt, 'wrong password');
      const account = succeed(credential, attempt, revoked, 'password');
      memory.remember(credential, password, revoked);
      if (!isOwnHash(credential.hash) || credential.scram === undefined) void upgrade(credential, password);
      return account;
    },

    async scramKeys(login) {
      const [credential, decoyed] = await Promise.all([find(login), decoyKeys(login)]);
      if (credential?.scram === undefined) return decoyed;
      const { salt, iterations, storedKey, serverKey } = credential.scram;
      return {
        salt: Buffer.from(salt),
        iterations,
        storedKey: Buffer.from(storedKey),
        serverKey: Buffer.from(serverKey),
      };
    },

    async scramSucceeded(login, remoteAddress, protocol) {
      const attempt = { login, remoteAddress, protocol };
      const credential = await find(login);
      if (credential === undefined) throw fail(attempt, 'unknown login');
      return succeed(credential, attempt, store.changes.revocation(credential.accountId), 'SCRAM-SHA-256');
    },

    failed(login, remoteAddress, protocol) {
      note('login.failed', { login, remoteAddress, protocol }, { reason: 'wrong SCRAM proof' });
    },
  };
}

/** RFC 4954 section 6: 454 4.7.0. */
function tooBusy(): Refusal {
  const text = 'Too many logins at once; try again in a minute';
  return new Refusal('unavailable', text, { smtp: smtpReply(454, '4.7.0', text), imapCode: 'UNAVAILABLE' });
}

/** RFC 5248 section 2.4 registered 5.7.13 for 525; RFC 5530 CONTACTADMIN. */
function suspended(): Refusal {
  const text = 'This account is suspended; ask your administrator';
  return new Refusal('suspended', text, { smtp: smtpReply(525, '5.7.13', text), imapCode: 'CONTACTADMIN' });
}
