import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal, smtpReply } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import { canonicalAddress, isLoopback, networkList } from '../../net/ip.ts';
import type { Recorder } from '../journal/recorder.ts';
import { terms } from '../journal/types.ts';
import type { Store } from '../store.ts';
import { BanMemory, BANS_MAX } from './active.ts';
import { WindowCounts } from './counters.ts';
import { banEvent } from './events.ts';
import { KnownPlaces } from './known.ts';
import { type Places, placesOf } from './networks.ts';
import { RepeatedPasswords } from './repeats.ts';
import {
  ACCOUNT_BAN_MAX_MS,
  type Ban,
  BAN_MEMORY_MS,
  banLength,
  type BanKind,
  type BanNotice,
  type BanSettings,
  type Exemption,
  KNOWN_MS,
  type KnownPlace,
} from './types.ts';

/** A neighbourhood (/24, /48) is banned at so many times the failures of one client. */
export const WIDE_FACTOR = 4;
/**
 * The part of the failures that close an account to strangers which one neighbourhood can bring: it takes several, for
 * one is stopped by its own ban, and must not shut others out.
 */
export const SHARE = 0.25;
/** Strangers' failures at an account, as a part of those that ban, from which strangers wait before they may try. */
export const SLOW_FROM = 0.5;
/** Milliseconds of the first such wait; each failure doubles it, up to the longest. */
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
/** Subjects whose failures are counted at a time. */
const COUNTED_MAX = 50_000;
/** Rows read at a time when the guard starts. */
const PAGE = 5000;

/** Whom somebody tries to log in as: an account, or a name that nobody has. */
export interface Tried {
  /** Undefined for a name that nobody has. */
  readonly accountId: number | undefined;
  /** The primary address, or the name as it was tried. */
  readonly name: string;
}

export interface FailedLogin {
  readonly remoteAddress: string;
  readonly tried: Tried;
  /** Undefined where it is not known (SCRAM): such failures are never taken for repeats. */
  readonly password: string | undefined;
  readonly protocol: string;
  readonly trace: string;
}

/** Watches over all logins of the program. Everything but `load` answers at once, from memory. */
export interface LoginGuard {
  /** Why a client may not use a login service now; undefined: it may. For connects, and after a failed login. */
  banned(remoteAddress: string): BanNotice | undefined;
  /** Milliseconds a login has to wait before its password is looked at. Throws Refusal 'limit' when it may not be. */
  admit(remoteAddress: string, tried: Tried): number;
  failed(login: FailedLogin): void;
  succeeded(remoteAddress: string, accountId: number): void;
  /** A ban that an administrator set. */
  adopt(ban: Ban): void;
  /** A ban that an administrator lifted, with what was counted towards the next one. */
  lifted(kind: BanKind, subject: string): void;
  /** The list of networks that are never banned has changed. */
  useExemptions(list: readonly Exemption[]): void;
  isExempt(remoteAddress: string): boolean;
  /** Failures that count at present: of the client, of its neighbourhood, and of strangers at the account. */
  counted(remoteAddress: string, tried: Tried): { own: number; wide: number; account: number };
  /** Take up what is stored. Call it before anybody can log in. */
  load(): Promise<void>;
  /** Resolves when all that was to be written has been tried. */
  settled(): Promise<void>;
}

export interface GuardOptions {
  readonly store: Pick<Store, 'read' | 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly journal: Pick<Recorder, 'event'>;
  readonly metrics?: Metrics | undefined;
  readonly settings: () => BanSettings;
  /** Networks of proxies: what comes from there without a client's address is the proxy's own. */
  readonly proxies?: readonly string[];
}

/** One guard for all protocols. The rules are the table in docs/guides/abuse.md. */
export function createGuard(options: GuardOptions): LoginGuard {
  return new Guard(options);
}

class Guard implements LoginGuard {
  readonly #options: GuardOptions;
  readonly #bans = new BanMemory();
  readonly #known = new KnownPlaces();
  readonly #repeats = new RepeatedPasswords();
  readonly #networks = new WindowCounts(COUNTED_MAX);
  readonly #accounts = new WindowCounts(COUNTED_MAX);
  /** By neighbourhood and account. */
  readonly #shares = new WindowCounts(COUNTED_MAX);
  readonly #isProxy: (address: string) => boolean;
  #listed: (address: string) => boolean = () => false;
  #configured: { from: readonly string[]; has: (address: string) => boolean } | undefined;
  readonly #writes = new Set<Promise<void>>();
  readonly #count: ((kind: BanKind) => void) | undefined;
  #sweepAt = 0;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#isProxy = networkList(options.proxies ?? []);
    const { metrics, clock } = options;
    if (metrics === undefined) return;
    const bans = this.#bans;
    const counter = metrics.counter('postern_bans_total', 'Bans for guessing passwords', ['kind']);
    metrics.gauge('postern_bans_active', 'Bans that hold now', [], function collect() {
      this.set(bans.active(clock.now()));
    });
    this.#count = (kind) => counter.inc({ kind });
  }

  async load(): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock.now();
    const bans = await store.read.run('bans.after', { after: now - BAN_MEMORY_MS, limit: BANS_MAX });
    // Lest the oldest fall out first.
    for (const ban of bans.toReversed()) this.#bans.put(ban);
    this.useExemptions(await store.read.run('bans.exemptions', null));
    let after = { accountId: 0, network: '' };
    for (;;) {
      const since = now - KNOWN_MS - 3_600_000;
      const page = await store.read.run('bans.known', { since, ...after, limit: PAGE });
      this.#known.load(page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = { accountId: last.accountId, network: last.network };
    }
  }

  banned(remoteAddress: string): BanNotice | undefined {
    const address = canonicalAddress(remoteAddress);
    if (address === undefined || !this.#options.settings().enabled || this.isExempt(address))
      return undefined;
    const now = this.#options.clock.now();
    const own = placesOf(address)?.own ?? address;
    let worst: Ban | undefined;
    for (const ban of this.#bans.covering(address, now)) {
      // Whoever logs in from here is not locked out with the neighbours; what is banned by hand is banned for all.
      const others = ban.cause === 'guessing' && ban.subject !== own;
      if (others && this.#known.anybody(own, now)) continue;
      if (worst === undefined || ban.until > worst.until) worst = ban;
    }
    return worst && { ban: worst, text: noticeText(worst) };
  }

  admit(remoteAddress: string, tried: Tried): number {
    const { clock, settings } = this.#options;
    const places = placesOf(remoteAddress);
    if (places === undefined || !settings().enabled || this.isExempt(remoteAddress)) return 0;
    const now = clock.now();
    if (this.#isKnownTo(tried, places, now)) return 0;
    const ban = this.#bans.of('account', subjectOf(tried), now);
    if (ban !== undefined) throw accountClosed(ban);
    const { failures, window_s } = settings();
    const count = this.#accounts.count(subjectOf(tried), now, window_s * 1000);
    const over = count - Math.ceil(failures * SLOW_FROM);
    return over < 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** Math.min(over, 10), LONGEST_WAIT_MS);
  }

  failed(login: FailedLogin): void {
    const { clock, settings } = this.#options;
    const { remoteAddress, tried, password } = login;
    const places = placesOf(remoteAddress);
    if (places === undefined || !settings().enabled || this.isExempt(remoteAddress)) return;
    const now = clock.now();
    this.#sweep(now);
    if (password !== undefined && this.#known.anybody(places.own, now)) {
      if (this.#repeats.isRepeat(places.own, subjectOf(tried), password, now)) return;
    }
    const { failures } = settings();
    this.#countNetwork(login, places.own, failures, now);
    this.#countNetwork(login, places.wide, failures * WIDE_FACTOR, now);
    if (!this.#isKnownTo(tried, places, now)) this.#countAccount(login, places.wide, now);
  }

  succeeded(remoteAddress: string, accountId: number): void {
    const places = placesOf(remoteAddress);
    if (places === undefined || this.isExempt(remoteAddress)) return;
    const now = this.#options.clock.now();
    if (!this.#known.note(accountId, places.own, now)) return;
    const place: KnownPlace = { accountId, network: places.own, lastAt: now };
    this.#write('a known place', async (store) => {
      await store.write.run('bans.know', { places: [place] });
    });
  }

  adopt(ban: Ban): void {
    this.#bans.put(ban);
  }

  lifted(kind: BanKind, subject: string): void {
    this.#bans.remove(kind, subject);
    (kind === 'account' ? this.#accounts : this.#networks).reset(subject);
  }

  useExemptions(list: readonly Exemption[]): void {
    this.#listed = networkList(list.map(({ network }) => network));
  }

  isExempt(remoteAddress: string): boolean {
    const address = canonicalAddress(remoteAddress);
    if (address === undefined || isLoopback(address)) return true;
    return this.#isProxy(address) || this.#listed(address) || this.#configuredHas(address);
  }

  counted(remoteAddress: string, tried: Tried): { own: number; wide: number; account: number } {
    const places = placesOf(remoteAddress);
    const now = this.#options.clock.now();
    const windowMs = this.#options.settings().window_s * 1000;
    return {
      own: places === undefined ? 0 : this.#networks.count(places.own, now, windowMs),
      wide: places === undefined ? 0 : this.#networks.count(places.wide, now, windowMs),
      account: this.#accounts.count(subjectOf(tried), now, windowMs),
    };
  }

  async settled(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes);
  }

  #isKnownTo({ accountId }: Tried, { wide }: Places, now: number): boolean {
    return accountId !== undefined && this.#known.near(accountId, wide, now);
  }

  #countNetwork(login: FailedLogin, subject: string, most: number, now: number): void {
    const { window_s, first_s } = this.#options.settings();
    const count = this.#networks.add(subject, now, window_s * 1000);
    if (count < most || this.#bans.of('network', subject, now) !== undefined) return;
    this.#networks.reset(subject);
    this.#ban(login, 'network', subject, { count, now, window_s, firstMs: first_s * 1000 });
  }

  #countAccount(login: FailedLogin, wide: string, now: number): void {
    const { failures, window_s, first_s } = this.#options.settings();
    const subject = subjectOf(login.tried);
    const share = this.#shares.add(`${wide} ${subject}`, now, window_s * 1000);
    if (share > Math.ceil(failures * SHARE)) return;
    const count = this.#accounts.add(subject, now, window_s * 1000);
    if (count < failures || this.#bans.of('account', subject, now) !== undefined) return;
    this.#accounts.reset(subject);
    const firstMs = Math.min(first_s * 1000, ACCOUNT_BAN_MAX_MS);
    this.#ban(login, 'account', subject, { count, now, window_s, firstMs });
  }

  #ban(
    { remoteAddress, trace, tried, protocol }: FailedLogin,
    kind: BanKind,
    subject: string,
    { count, now, window_s, firstMs }: { count: number; now: number; window_s: number; firstMs: number },
  ): void {
    const { logger, journal } = this.#options;
    const offences = this.#bans.nextOffence(kind, subject, now);
    const until = now + banLength(firstMs, offences, kind === 'account' ? ACCOUNT_BAN_MAX_MS : BAN_MEMORY_MS);
    const from = kind === 'account' ? ' from places it does not know' : '';
    const reason = `${count} failed logins within ${spanWords(window_s)}${from}`;
    const ban: Ban = { kind, subject, cause: 'guessing', reason, offences, since: now, until };
    this.#bans.put(ban);
    this.#count?.(kind);
    // A name that nobody has is answered in the same way, and is worth no row and no line.
    if (kind === 'account' && tried.accountId === undefined) return;
    const found = [terms.network(canonicalAddress(remoteAddress) ?? remoteAddress)];
    journal.event(banEvent(ban, { trace: timeId(now), by: '', terms: found }));
    logger.debug({ subject, session: trace, protocol }, 'ban: the last failure came in this session');
    this.#write('a ban', async (store) => {
      await store.write.run('bans.set', ban);
    });
  }

  /** In the background: a store that is down costs the durability of it, and nobody their login. */
  #write(what: string, run: (store: GuardOptions['store']) => Promise<void>): void {
    const { store, logger } = this.#options;
    const done = run(store)
      .catch((error: unknown) => logger.warn({ error: errorText(error) }, `${what} could not be stored`))
      .finally(() => this.#writes.delete(done));
    this.#writes.add(done);
  }

  #configuredHas(address: string): boolean {
    const { exempt } = this.#options.settings();
    if (this.#configured?.from !== exempt) {
      this.#configured = { from: exempt, has: networkList(exempt.filter((one) => this.#isNetwork(one))) };
    }
    return this.#configured.has(address);
  }

  #isNetwork(text: string): boolean {
    try {
      networkList([text]);
      return true;
    } catch (error) {
      this.#options.logger.warn(
        { network: text, error: errorText(error) },
        'bans.exempt: an entry is no network',
      );
      return false;
    }
  }

  /** Now and then, so that what is over does not stay in memory for ever. */
  #sweep(now: number): void {
    if (now < this.#sweepAt) return;
    this.#sweepAt = now + 3_600_000;
    void inTurns(this.#bans.sweep(now)).then(() => inTurns(this.#known.sweep(now)));
  }
}

/** Others have their turn between two steps. */
async function inTurns(steps: Iterable<void>): Promise<void> {
  for (const _ of steps) await new Promise((resolve) => setImmediate(resolve));
}

function subjectOf({ name }: Tried): string {
  return name.trim().normalize('NFC').toLowerCase();
}

/** "10 min", "90 s", "2 h". */
function spanWords(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** "2026-01-31 15:05 UTC", the next full minute. */
export function minuteText(ms: number): string {
  const text = new Date(Math.ceil(ms / 60_000) * 60_000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

function noticeText({ cause, subject, until }: Ban): string {
  const what = subject.includes('/') ? 'your network' : 'your address';
  const end = minuteText(until);
  if (cause === 'manual')
    return `Logins from ${what} ${subject} are closed until ${end} by the administrator`;
  return `Too many failed logins from ${what} ${subject}; try again after ${end}`;
}

/** RFC 4954 section 6: 454 4.7.0; RFC 5530: UNAVAILABLE. The password has not been looked at. */
function accountClosed({ until }: Ban): Refusal {
  const text = `Too many failed logins to this account from elsewhere; from a new place try again after ${minuteText(until)}`;
  return new Refusal('limit', text, { smtp: smtpReply(454, '4.7.0', text), imapCode: 'UNAVAILABLE' });
}
