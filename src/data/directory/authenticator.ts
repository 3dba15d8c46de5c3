import { createHmac, randomBytes } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal, smtpReply } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import { authenticationFailed } from '../../mail/sasl/refusals.ts';
import type { Authenticator, LoginAccount, LoginAttempt, ScramKeys } from '../../mail/sasl/types.ts';
import { canonicalAddress, clientNetwork, isLoopback } from '../../net/ip.ts';
import type { LoginGuard, Tried } from '../bans/guard.ts';
import type { Recorder } from '../journal/recorder.ts';
import { type JournalKind, terms } from '../journal/types.ts';
import type { Store } from '../store.ts';
import { createGate, GATE_FULL } from './gate.ts';
import { createHashThread, type HashThread } from './hash-thread.ts';
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
/** Of these, logins from one network: who guesses passwords from one place does not keep the others out. */
const HASHES_WAITING_PER_NETWORK = 25;
/** Stands for all clients on this machine, who may be one program that many people sign in by. */
const THIS_MACHINE = 'this machine';
/** Octets of a login. */
const MAX_LOGIN_OCTETS = 320;

const DECOY_KEY = 'auth.decoy-key';

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

/**
 * Checks logins (RFC 4954, 4616, 5802) with bounded CPU. Wrong passwords, unknown logins and logins with no password
 * get one answer, in about the same time; only who knows the password learns that an account is suspended.
 */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator & { close(): void } {
  return new DirectoryAuthenticator(options);
}

class DirectoryAuthenticator implements Authenticator {
  readonly #store: AuthenticatorOptions['store'];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #journal: AuthenticatorOptions['journal'];
  readonly #guard: AuthenticatorOptions['guard'];
  readonly #loginDomain: () => Promise<string>;
  readonly #hasher: NonNullable<AuthenticatorOptions['hasher']>;
  readonly #thread: HashThread;
  readonly #memory: ReturnType<typeof createLoginMemory>;
  readonly #gate = createGate({
    running: HASHES_RUNNING,
    waiting: HASHES_WAITING,
    share: HASHES_WAITING_PER_NETWORK,
    exempt: (network) => network === THIS_MACHINE,
  });
  readonly #decoy = decoyHash();
  #decoyKey: Promise<string> | undefined;

  constructor(options: AuthenticatorOptions) {
    const { store, clock, logger, journal, memoryMs = limits.loginMemoryMs } = options;
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#journal = journal;
    this.#guard = options.guard;
    this.#loginDomain = options.loginDomain ?? (async () => '');
    this.#thread = createHashThread(clock);
    this.#hasher = options.hasher ?? { own: matchesOwn, imported: this.#thread };
    this.#memory = createLoginMemory(clock, memoryMs);
  }

  /** End the thread for imported hashes: nobody signs in any more. */
  close(): void {
    this.#thread.close();
  }

  async password(request: LoginAttempt & { readonly password: string }): Promise<LoginAccount> {
    const { password, ...attempt } = request;
    if (password === '' || Buffer.byteLength(password) > MAX_PASSWORD_OCTETS) {
      throw this.#fail(attempt, undefined, undefined, 'the password is empty or too long');
    }
    const credential = await this.#find(attempt.login);
    await this.#admit(attempt, credential);
    if (credential === undefined) {
      await this.#slowCheck(undefined, attempt, password);
      throw this.#fail(attempt, undefined, password, 'unknown login');
    }
    const revoked = this.#store.changes.revocation(credential.accountId);
    if (this.#memory.knows(credential, password)) {
      return this.#succeed(credential, attempt, revoked, 'remembered');
    }
    if (!(await this.#slowCheck(credential, attempt, password)))
      throw this.#fail(attempt, credential, password, 'wrong password');
    const account = this.#succeed(credential, attempt, revoked, 'password');
    this.#memory.remember(credential, password, revoked);
    if (!isOwnHash(credential.hash) || credential.scram === undefined) {
      void this.#upgrade(credential, attempt, password);
    }
    return account;
  }

  async scramKeys(login: string, attempt?: LoginAttempt): Promise<ScramKeys> {
    const [credential, decoyed] = await Promise.all([this.#find(login), this.#decoyKeys(login)]);
    if (attempt !== undefined) await this.#admit(attempt, credential);
    if (credential?.scram === undefined) return decoyed;
    const { salt, iterations, storedKey, serverKey } = credential.scram;
    return {
      salt: Buffer.from(salt),
      iterations,
      storedKey: Buffer.from(storedKey),
      serverKey: Buffer.from(serverKey),
    };
  }

  async scramSucceeded(attempt: LoginAttempt): Promise<LoginAccount> {
    const credential = await this.#find(attempt.login);
    if (credential === undefined) throw this.#fail(attempt, undefined, undefined, 'unknown login');
    const revoked = this.#store.changes.revocation(credential.accountId);
    return this.#succeed(credential, attempt, revoked, 'SCRAM-SHA-256');
  }

  async failed(attempt: LoginAttempt): Promise<void> {
    this.#note('login.failed', attempt, { reason: 'wrong SCRAM proof' });
    // Before the answer goes out: the session asks right after it whether its network is banned now.
    const credential = await this.#find(attempt.login).catch(() => undefined);
    this.#count(attempt, credential, undefined);
  }

  /** Strangers wait, or are turned away, while somebody guesses at the account. Throws Refusal 'limit'. */
  async #admit(attempt: LoginAttempt, credential: StoredCredential | undefined): Promise<void> {
    if (this.#guard === undefined) return;
    let waitMs: number;
    try {
      waitMs = this.#guard.admit(attempt.remoteAddress, triedBy(attempt, credential));
    } catch (error) {
      if (error instanceof Refusal) this.#note('login.failed', attempt, { reason: error.message });
      throw error;
    }
    if (waitMs > 0) await this.#clock.sleep(waitMs);
  }

  #count(
    attempt: LoginAttempt,
    credential: StoredCredential | undefined,
    password: string | undefined,
  ): void {
    const { remoteAddress, protocol, trace } = attempt;
    this.#guard?.failed({ remoteAddress, protocol, trace, password, tried: triedBy(attempt, credential) });
  }

  async #find(login: string): Promise<StoredCredential | undefined> {
    if (Buffer.byteLength(login) > MAX_LOGIN_OCTETS) return undefined;
    const domain = login.includes('@') ? '' : await this.#loginDomain();
    const name = domain === '' ? login : `${login.trim()}@${domain}`;
    return this.#store.read.run('directory.credential', { login: name });
  }

  /** One event of the session, its facts under the names that the session's other events use (flow/journal.ts). */
  #note(kind: JournalKind, attempt: LoginAttempt, data: Readonly<Record<string, string>>): void {
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

  #fail(
    attempt: LoginAttempt,
    credential: StoredCredential | undefined,
    password: string | undefined,
    reason: string,
  ): Refusal {
    this.#note('login.failed', attempt, { reason });
    this.#count(attempt, credential, password);
    return authenticationFailed();
  }

  /** The password is right: let in whoever is not suspended. */
  #succeed(
    credential: StoredCredential,
    attempt: LoginAttempt,
    revoked: AbortSignal,
    how: string,
  ): LoginAccount {
    if (credential.status !== 'active') {
      this.#note('login.failed', attempt, { reason: 'the account is suspended' });
      throw suspended();
    }
    const { accountId, address } = credential;
    this.#guard?.succeeded(attempt.remoteAddress, accountId);
    this.#note('login.succeeded', { ...attempt, login: address }, { how });
    return { accountId, address, revoked };
  }

  /** Compute a hash, for an unknown login too, so that it takes as long. Throws when too many are waiting. */
  async #slowCheck(
    credential: StoredCredential | undefined,
    { remoteAddress }: LoginAttempt,
    password: string,
  ): Promise<boolean> {
    const hash = credential?.hash ?? this.#decoy;
    const matches = await this.#gate(loginNetwork(remoteAddress), () =>
      isOwnHash(hash) ? this.#hasher.own(password, hash) : this.#hasher.imported(password, hash),
    );
    if (matches === GATE_FULL) throw tooBusy();
    if (!matches || credential === undefined) return false;
    // It took a while: the account may have been suspended or got another password meanwhile.
    const now = await this.#find(credential.address);
    return (
      now?.accountId === credential.accountId &&
      now.hash === credential.hash &&
      now.status === credential.status
    );
  }

  /** Imported hashes give way to our own as soon as the password is known; failing at it costs nobody the login. */
  async #upgrade(
    credential: StoredCredential,
    { remoteAddress }: LoginAttempt,
    password: string,
  ): Promise<void> {
    try {
      const secrets = await this.#gate(loginNetwork(remoteAddress), () =>
        hashPassword(password, { minLength: 1 }),
      );
      if (secrets === GATE_FULL) return;
      const { accountId, hash: oldHash } = credential;
      await this.#store.write.run('directory.upgradeCredential', { accountId, oldHash, ...secrets });
    } catch (error) {
      this.#logger.warn(
        { account: credential.address, error: errorText(error) },
        'an imported password stays as it is',
      );
    }
  }

  /** Keys of a login that has none: always the same ones for a name, and nobody's password fits them. */
  async #decoyKeys(login: string): Promise<ScramKeys> {
    this.#decoyKey ??= this.#store.write
      .run('directory.ensureSetting', { name: DECOY_KEY, value: randomBytes(32).toString('hex') })
      .catch((error: unknown) => {
        this.#decoyKey = undefined;
        throw error;
      });
    const key = Buffer.from(await this.#decoyKey, 'hex');
    const name = login.trim().normalize('NFC').toLowerCase();
    const make = (what: string): Buffer => createHmac('sha256', key).update(`${what}\0${name}`).digest();
    return {
      salt: make('salt').subarray(0, SCRAM_SALT_OCTETS),
      iterations: SCRAM_ITERATIONS,
      storedKey: make('stored key'),
      serverKey: make('server key'),
    };
  }
}

/** Whom a login is for, as far as the guard is concerned. */
function triedBy({ login }: LoginAttempt, credential: StoredCredential | undefined): Tried {
  const name = credential?.address ?? login.slice(0, MAX_LOGIN_OCTETS);
  return { accountId: credential?.accountId, name };
}

/** Whose logins count together: those of an IPv4 /24, of an IPv6 /64, of this machine (a Unix socket too). */
function loginNetwork(remoteAddress: string): string {
  const address = canonicalAddress(remoteAddress) ?? '';
  if (address === '' || isLoopback(address)) return THIS_MACHINE;
  if (!isIPv4(address)) return clientNetwork(address);
  return `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
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
