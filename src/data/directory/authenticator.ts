import { timingSafeEqual } from 'node:crypto';
import { isIPv4 } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { Logger } from '../../base/log.ts';
import { deriveScramKeys } from '../../mail/sasl/scram.ts';
import type { LoginAccount, LoginAttempt, Scope, ScramKeys, TokenAttempt } from '../../mail/sasl/types.ts';
import { canonicalAddress, clientNetwork, isLoopback } from '../../net/ip.ts';
import { sameSalt } from '../access/app-passwords.ts';
import { appPasswordIn, tokenDigest } from '../access/tokens.ts';
import { ACCESS_LIMITS, type AccessToken, type AppPassword, type LoginFactors } from '../access/types.ts';
import type { AuthenticatorOptions, SignInAuthenticator } from './authenticator-types.ts';
import { createDecoyKeys, type DecoyKeys } from './decoy-keys.ts';
import { createGate, GATE_FULL } from './gate.ts';
import { createHashThread, type HashThread } from './hash-thread.ts';
import { createLoginMemory } from './login-memory.ts';
import {
  appPasswordOver,
  insufficientScope,
  neededScope,
  secondFactorNeeded,
  suspended,
  tokenFailed,
  tooBusy,
  wrongScope,
} from './login-refusals.ts';
import { LoginNotes, MAX_LOGIN_OCTETS } from './login-notes.ts';
import { decoyHash, hashPassword, isOwnHash, matchesOwn, MAX_PASSWORD_OCTETS } from './passwords.ts';
import type { StoredCredential } from './types.ts';

export type { AuthenticatorOptions, SignInAuthenticator } from './authenticator-types.ts';

/** Slow hashes computed at a time: sixteen at once starve libuv's threads, and with them every file and fsync. */
const HASHES_RUNNING = 2;
/** Logins that wait for a hash; about a second's worth. */
const HASHES_WAITING = 100;
/** Of these, logins from one network: who guesses passwords from one place does not keep the others out. */
const HASHES_WAITING_PER_NETWORK = 25;
/** Stands for all clients on this machine, who may be one program that many people sign in by. */
const THIS_MACHINE = 'this machine';
const NO_FACTORS: LoginFactors = { secondFactor: false, appPasswords: [] };

/**
 * Checks logins (RFC 4954, 4616, 5802, 7628) with bounded CPU. Wrong passwords, unknown logins and logins with no password
 * get one answer, in about the same time; only who knows the password learns that an account is suspended.
 */
export function createAuthenticator(options: AuthenticatorOptions): SignInAuthenticator {
  return new DirectoryAuthenticator(options);
}

class DirectoryAuthenticator implements SignInAuthenticator {
  readonly #store: AuthenticatorOptions['store'];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #notes: LoginNotes;
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
  readonly #decoyKeys: DecoyKeys;

  constructor(options: AuthenticatorOptions) {
    const { store, clock, logger, journal, memoryMs = limits.loginMemoryMs } = options;
    this.#store = store;
    this.#clock = clock;
    this.#logger = logger;
    this.#notes = new LoginNotes(clock, journal, options.guard);
    this.#loginDomain = options.loginDomain ?? (async () => '');
    this.#thread = createHashThread(clock);
    this.#hasher = options.hasher ?? { own: matchesOwn, imported: this.#thread };
    this.#memory = createLoginMemory(clock, memoryMs);
    this.#decoyKeys = createDecoyKeys(store);
  }

  /** End the thread for imported hashes: nobody signs in any more. */
  close(): void {
    this.#thread.close();
  }

  async password(request: LoginAttempt & { readonly password: string }): Promise<LoginAccount> {
    const { password, ...attempt } = request;
    const credential = await this.#begin(attempt, password);
    const factors = await this.#factors(credential);
    const ofApp = await this.#asAppPassword(credential, factors, attempt, password);
    if (ofApp !== undefined) return ofApp;
    const { revoked, how, known } = await this.#checkOwn(credential, attempt, password);
    if (factors.secondFactor) throw this.#notes.turnAway(attempt, secondFactorNeeded());
    return this.#succeed(known, attempt, { revoked, how: 'password' }, how);
  }

  async firstFactor(
    request: LoginAttempt & { readonly password: string },
  ): Promise<LoginAccount & { readonly secondFactor: boolean }> {
    const { password, ...attempt } = request;
    const credential = await this.#begin(attempt, password);
    const { revoked, how, known } = await this.#checkOwn(credential, attempt, password);
    const { secondFactor } = await this.#factors(known);
    if (secondFactor) {
      const { accountId, address, status } = known;
      if (status !== 'active') throw this.#notes.turnAway(attempt, suspended());
      return { accountId, address, revoked, secondFactor };
    }
    return { ...this.#succeed(known, attempt, { revoked, how: 'password' }, how), secondFactor };
  }

  async token(request: TokenAttempt): Promise<LoginAccount> {
    const { token, ...attempt } = request;
    const digest = tokenDigest('access', token);
    const read = async (): Promise<AccessToken | undefined> => {
      if (digest === undefined) return undefined;
      return this.#store.read.run('access.token', { digest, now: this.#clock.now() });
    };
    const first = await read();
    const revoked = first && this.#store.changes.revocation(first.accountId, `grant:${first.grantId}`);
    // Again: it may have been revoked before we listened for that.
    const found = await read();
    const account = found && (await this.#store.read.run('directory.account', { id: found.accountId }));
    const named = attempt.login === '' ? undefined : await this.#find(attempt.login);
    const meant = attempt.login === '' || named?.accountId === found?.accountId;
    if (found === undefined || revoked === undefined || account?.status !== 'active' || !meant) {
      this.#notes.note('login.failed', attempt, {
        reason: 'the token is unknown, over, or of somebody else',
      });
      this.#notes.count(attempt, named, undefined);
      throw tokenFailed();
    }
    const { address } = account;
    if (!found.scopes.includes(neededScope(attempt) as never))
      throw this.#notes.turnAway({ ...attempt, login: address }, insufficientScope(neededScope(attempt)));
    this.#noteGrant(found);
    this.#notes.note(
      'login.succeeded',
      { ...attempt, login: address },
      { how: 'token', grant: found.grantId },
    );
    const { accountId, grantId: sessionId } = found;
    return { accountId, address, revoked, how: 'token', scopes: new Set(found.scopes), sessionId };
  }

  async scramKeys(login: string, attempt?: LoginAttempt): Promise<ScramKeys> {
    const [credential, decoyed] = await Promise.all([this.#find(login), this.#decoyKeys(login)]);
    if (attempt !== undefined) await this.#notes.admit(attempt, credential);
    const { appPasswords } = await this.#factors(credential);
    const salted = appPasswords[0]?.scram ?? credential?.scram;
    if (salted === undefined) return decoyed;
    const main = credential?.scram;
    const now = this.#clock.now();
    const keys = [
      ...(main !== undefined && sameSalt(salted, main) ? [main] : []),
      ...appPasswords.filter((one) => isCurrent(one, now)).map(({ scram }) => scram),
    ].map(({ storedKey, serverKey }) => ({
      storedKey: Buffer.from(storedKey),
      serverKey: Buffer.from(serverKey),
    }));
    const [first = decoyed, ...others] = keys;
    const { storedKey, serverKey } = first;
    return { salt: Buffer.from(salted.salt), iterations: salted.iterations, storedKey, serverKey, others };
  }

  async scramSucceeded(attempt: LoginAttempt, storedKey?: Buffer): Promise<LoginAccount> {
    const credential = await this.#find(attempt.login);
    if (credential === undefined) throw this.#notes.fail(attempt, undefined, undefined, 'unknown login');
    const revoked = this.#store.changes.revocation(credential.accountId);
    const factors = await this.#factors(credential);
    const isOwn = credential.scram !== undefined && sameKey(storedKey, credential.scram.storedKey);
    if (storedKey === undefined || isOwn) {
      if (factors.secondFactor) throw this.#notes.turnAway(attempt, secondFactorNeeded());
      return this.#succeed(credential, attempt, { revoked, how: 'password' }, 'SCRAM-SHA-256');
    }
    const app = factors.appPasswords.find(({ scram }) => sameKey(storedKey, scram.storedKey));
    if (app === undefined) throw this.#notes.fail(attempt, credential, undefined, 'the password has changed');
    return this.#succeedApp(credential, attempt, app, 'app password by SCRAM-SHA-256');
  }

  async succeeded(attempt: LoginAttempt, how: string): Promise<LoginAccount> {
    const credential = await this.#find(attempt.login);
    if (credential === undefined) throw this.#notes.fail(attempt, undefined, undefined, 'unknown login');
    const revoked = this.#store.changes.revocation(credential.accountId);
    return this.#succeed(credential, attempt, { revoked, how: 'session' }, how);
  }

  async failed(attempt: LoginAttempt, reason = 'wrong SCRAM proof'): Promise<void> {
    this.#notes.note('login.failed', attempt, { reason });
    // Before the answer goes out: the session asks right after it whether its network is banned now.
    const credential = await this.#find(attempt.login).catch(() => undefined);
    this.#notes.count(attempt, credential, undefined);
  }

  async admit(attempt: LoginAttempt): Promise<void> {
    await this.#notes.admit(attempt, await this.#find(attempt.login));
  }

  /** Whose password it may be, when one is looked at at all. */
  async #begin(attempt: LoginAttempt, password: string): Promise<StoredCredential | undefined> {
    if (password === '' || Buffer.byteLength(password) > MAX_PASSWORD_OCTETS) {
      throw this.#notes.fail(attempt, undefined, undefined, 'the password is empty or too long');
    }
    const credential = await this.#find(attempt.login);
    await this.#notes.admit(attempt, credential);
    return credential;
  }

  async #factors(credential: StoredCredential | undefined): Promise<LoginFactors> {
    if (credential === undefined) return NO_FACTORS;
    return this.#store.read.run('access.ofLogin', { accountId: credential.accountId });
  }

  /** Check the password itself. Throws the refusal for a wrong one. */
  async #checkOwn(credential: StoredCredential | undefined, attempt: LoginAttempt, password: string) {
    if (credential === undefined) {
      await this.#slowCheck(undefined, attempt, password);
      throw this.#notes.fail(attempt, undefined, password, 'unknown login');
    }
    const revoked = this.#store.changes.revocation(credential.accountId);
    if (this.#memory.knows(credential, password)) return { revoked, how: 'remembered', known: credential };
    if (!(await this.#slowCheck(credential, attempt, password)))
      throw this.#notes.fail(attempt, credential, password, 'wrong password');
    if (credential.status === 'active') {
      this.#memory.remember(credential, password, revoked);
      if (!isOwnHash(credential.hash) || credential.scram === undefined) {
        void this.#upgrade(credential, attempt, password);
      }
    }
    return { revoked, how: 'password', known: credential };
  }

  /**
   * An app password, where it looks like one: then, for an unknown login too, keys are derived from it, so that it takes
   * as long. One derivation answers for all of the account's, which have one salt.
   */
  async #asAppPassword(
    credential: StoredCredential | undefined,
    { appPasswords }: LoginFactors,
    attempt: LoginAttempt,
    given: string,
  ): Promise<LoginAccount | undefined> {
    const password = appPasswordIn(given);
    if (password === undefined) return undefined;
    const remembered = appPasswords.find(
      (one) => credential && this.#memory.knows(asRemembered(credential, one), password),
    );
    if (credential && remembered) return this.#succeedApp(credential, attempt, remembered, 'app password');
    const { salt, iterations } = appPasswords[0]?.scram ?? (await this.#decoyKeys(attempt.login));
    const derived = await this.#gate(loginNetwork(attempt.remoteAddress), () =>
      deriveScramKeys(password, Buffer.from(salt), iterations),
    );
    if (derived === GATE_FULL) throw tooBusy();
    // All of them are compared, whichever it is.
    const [app] = appPasswords.filter(({ scram }) => sameKey(derived.storedKey, scram.storedKey));
    if (app === undefined || credential === undefined) return undefined;
    const account = await this.#succeedApp(credential, attempt, app, 'app password');
    this.#memory.remember(asRemembered(credential, app), password, account.revoked);
    return account;
  }

  async #succeedApp(
    credential: StoredCredential,
    attempt: LoginAttempt,
    app: AppPassword,
    how: string,
  ): Promise<LoginAccount> {
    const { accountId } = credential;
    const now = this.#clock.now();
    const revoked = this.#store.changes.revocation(accountId, `app:${app.id}`);
    const still = (await this.#factors(credential)).appPasswords.some(({ id }) => id === app.id);
    if (!still) throw this.#notes.fail(attempt, credential, undefined, 'the app password has been removed');
    if (!isCurrent(app, now)) throw this.#notes.turnAway(attempt, appPasswordOver());
    const needed = neededScope(attempt);
    if (!(app.scopes as readonly Scope[]).includes(needed))
      throw this.#notes.turnAway(attempt, wrongScope(needed));
    const scopes = new Set<Scope>(app.scopes);
    const login = { revoked, how: 'app-password', scopes, sessionId: app.id } as const;
    const account = this.#succeed(credential, attempt, login, how);
    if (now - (app.usedAt ?? 0) > ACCESS_LIMITS.noteMs || app.usedFrom !== attempt.remoteAddress) {
      const { remoteAddress } = attempt;
      this.#inBackground(
        this.#store.write.run('access.noteAppPassword', { id: app.id, address: remoteAddress }),
      );
    }
    return account;
  }

  #noteGrant({ grantId, usedAt }: AccessToken): void {
    if (this.#clock.now() - (usedAt ?? 0) > ACCESS_LIMITS.noteMs)
      this.#inBackground(this.#store.write.run('access.noteGrant', { id: grantId }));
  }

  /** A note of when something was used: a store that is down costs it, and nobody their login. */
  #inBackground(write: Promise<unknown>): void {
    write.catch((error: unknown) =>
      this.#logger.warn({ error: errorText(error) }, 'the use of a login was not noted'),
    );
  }

  async #find(login: string): Promise<StoredCredential | undefined> {
    if (Buffer.byteLength(login) > MAX_LOGIN_OCTETS) return undefined;
    const domain = login.includes('@') ? '' : await this.#loginDomain();
    const name = domain === '' ? login : `${login.trim()}@${domain}`;
    return this.#store.read.run('directory.credential', { login: name });
  }

  /** The password is right: let in whoever is not suspended. */
  #succeed(
    credential: StoredCredential,
    attempt: LoginAttempt,
    login: Pick<LoginAccount, 'revoked' | 'how' | 'scopes' | 'sessionId'>,
    how: string,
  ): LoginAccount {
    if (credential.status !== 'active') throw this.#notes.turnAway(attempt, suspended());
    const { accountId, address } = credential;
    this.#notes.succeeded(attempt, credential, how);
    return { accountId, address, ...login };
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
      const [app] = (await this.#factors(credential)).appPasswords;
      const secrets = await this.#gate(loginNetwork(remoteAddress), () =>
        hashPassword(password, { minLength: 1, ...(app && { scram: app.scram }) }),
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
}

function isCurrent({ expiresAt }: AppPassword, now: number): boolean {
  return expiresAt === undefined || expiresAt > now;
}

/** Under which the memory keeps an app password: its key takes the place of the account's hash. */
function asRemembered(credential: StoredCredential, { id, scram }: AppPassword): StoredCredential {
  return { ...credential, hash: `app ${id} ${Buffer.from(scram.storedKey).toString('base64')}` };
}

function sameKey(one: Uint8Array | undefined, other: Uint8Array): boolean {
  return one !== undefined && one.length === other.length && timingSafeEqual(one, other);
}

/** Whose logins count together: those of an IPv4 /24, of an IPv6 /64, of this machine (a Unix socket too). */
function loginNetwork(remoteAddress: string): string {
  const address = canonicalAddress(remoteAddress) ?? '';
  if (address === '' || isLoopback(address)) return THIS_MACHINE;
  if (!isIPv4(address)) return clientNetwork(address);
  return `${address.slice(0, address.lastIndexOf('.'))}.0/24`;
}
