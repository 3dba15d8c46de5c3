import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { BlobReader, Reader } from '../store.ts';
import { AccountIndex, idSet } from './account-index.ts';
import { createPartCache } from './cache.ts';
import {
  BATCH_EMAILS,
  BATCH_TOKENS,
  CACHE_BYTES,
  CATCH_UP_MS,
  OPEN_ACCOUNTS,
  PAGE_EMAILS,
} from './limits.ts';
import { entriesOf } from './entries.ts';
import { type EmailTokens, readEmail, SegmentBuilder } from './segment-builder.ts';
import { isSuited } from './query.ts';
import { DamagedSegment } from './segment.ts';
import { textSource } from './source.ts';
import type { SearchAnswer, SearchQuery, SearchState, SearchTotals } from './types.ts';
import { Waiters } from './waiters.ts';

/** What the engine works with: a store it only reads, and a directory of its own. */
export interface EngineOptions {
  readonly directory: string;
  readonly read: Reader;
  readonly blobs: BlobReader;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds from a change of mail until the index takes it in by itself. Default 5 s. */
  readonly delayMs?: number;
  /** Milliseconds between looks for deleted mail in the index. Default a day. */
  readonly vacuumMs?: number;
}

const DELAY_MS = 5000;
const VACUUM_MS = 24 * 60 * 60 * 1000;
/** Milliseconds for which an account that could not be written is left alone. */
const RETRY_MS = 60_000;
/** Ids asked of the store at once. */
const PAGE_IDS = 8192;
/** Milliseconds for which sums over all accounts are good. */
const TOTALS_MS = 60_000;
/** Milliseconds of work before others get a turn. */
const TURN_MS = 10;

/** Thrown to leave a merge: the index is closed, or thrown away. */
class Stopped extends Error {}

/**
 * The search indexes of all accounts. It works in the background, a little after mail has come, and before a search
 * on what is missing. One account is worked on at a time; queries run between the emails.
 */
export class SearchEngine {
  readonly #options: EngineOptions;
  readonly #cache = createPartCache(CACHE_BYTES);
  readonly #accounts = new Map<number, AccountIndex>();
  /** Accounts with changes, and accounts somebody waits for. */
  readonly #changed = new Set<number>();
  readonly #waiters: Waiters;
  /** Accounts that could not be written, until when, and accounts whose trouble was logged. */
  readonly #failed = new Map<number, number>();
  readonly #vacuumed = new Map<number, number>();
  #timer: Timer | undefined;
  #working: Promise<void> | undefined;
  /** Accounts whose segments may want merging. */
  readonly #untidy = new Set<number>();
  #tidying: Promise<void> | undefined;
  #closed = false;
  #lastTurn = 0;
  #totals: SearchTotals | undefined;
  #totalsAt = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#waiters = new Waiters(options.clock);
  }

  /** Look after all accounts once, a little later: remove what belongs to none, take in what came while we were not there. */
  async start(): Promise<void> {
    const accounts = await this.#options.read.run('search.accounts', null);
    const known = new Set(accounts);
    for (const name of entriesOf(this.#options.directory)) {
      if (!known.has(Number(name)))
        rmSync(join(this.#options.directory, name), { recursive: true, force: true });
    }
    for (const account of accounts) this.#changed.add(account);
    this.#arm();
  }

  /** Mail of an account has changed. */
  changed(accountId: number): void {
    this.#changed.add(accountId);
    this.#arm();
  }

  #arm(): void {
    if (this.#closed || this.#working !== undefined || this.#timer !== undefined || this.#changed.size === 0)
      return;
    this.#timer = this.#options.clock.setTimer(this.#options.delayMs ?? DELAY_MS, () => {
      this.#timer = undefined;
      this.#work();
    });
  }

  #work(): void {
    if (this.#closed || this.#working !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#working = this.#drain().finally(() => {
      this.#working = undefined;
      this.#arm();
      this.#tidy();
    });
  }

  /** Nothing goes on: give back what was read of the indexes. */
  rest(): void {
    if (this.#working === undefined && this.#tidying === undefined) this.#cache.clear();
  }

  /** For tests: resolves when nothing is being worked on. */
  async idle(): Promise<void> {
    this.#work();
    while (this.#working !== undefined || this.#tidying !== undefined) {
      await this.#working;
      await this.#tidying;
    }
  }

  async #drain(): Promise<void> {
    for (;;) {
      const accountId = this.#next();
      if (accountId === undefined || this.#closed) return;
      this.#changed.delete(accountId);
      await this.#tend(accountId);
      await this.#turn();
    }
  }

  /** Those somebody waits for come first. */
  #next(): number | undefined {
    return this.#waiters.first ?? this.#changed.values().next().value;
  }

  /** Bring an account up to date. Never throws: what fails is tried again when its mail changes next. */
  async #tend(accountId: number): Promise<void> {
    try {
      const until = this.#failed.get(accountId);
      if (until !== undefined && this.#options.clock.monotonic() < until) return;
      const index = this.#open(accountId);
      const account = await this.#options.read.run('search.account', { accountId });
      if (account === undefined || account.emails === 0) {
        this.#drop(accountId, index);
        return;
      }
      if (account.modseq !== index.modseq) {
        if (!(await this.#takeIn(index, account.modseq))) {
          this.#changed.add(accountId);
          return;
        }
        index.modseq = account.modseq;
      }
      this.#failed.delete(accountId);
      this.#untidy.add(accountId);
    } catch (error) {
      this.#fault(accountId, error);
    } finally {
      this.#waiters.release(accountId);
    }
  }

  /**
   * Put what is new into the index, in batches; who waits for it is told when it is in, or their time is over. False
   * when it stopped because someone waits for another account.
   */
  async #takeIn(index: AccountIndex, modseq: number): Promise<boolean> {
    if (modseq < index.savedModseq) throw new DamagedSegment('the store is older than the index');
    const { accountId } = index;
    const { read } = this.#options;
    let builder = new SegmentBuilder();
    let last = index.upTo;
    const flush = async (): Promise<void> => {
      if (last > index.upTo) await index.append(builder, last, modseq, () => this.#turn());
      builder = new SegmentBuilder();
    };
    for (let more = true; more; ) {
      const ids = await read.run('search.newIds', { accountId, after: last, limit: PAGE_IDS });
      more = ids.length === PAGE_IDS;
      for (let at = 0; at < ids.length; at += PAGE_EMAILS) {
        const page = [...ids.subarray(at, at + PAGE_EMAILS)];
        for (const content of await read.run('search.contents', { accountId, ids: page })) {
          if (index.gone || this.#closed) return false;
          builder.add(content.emailId, await this.#text(content));
          last = content.emailId;
          await this.#turn();
          const waits = this.#waiters.now(accountId);
          if (builder.emails >= BATCH_EMAILS || builder.tokens >= BATCH_TOKENS || waits !== 'no')
            await flush();
          if (waits === 'this') this.#waiters.release(accountId);
          if (waits === 'other') return false;
        }
        last = page.at(-1) ?? last;
      }
    }
    await flush();
    return true;
  }

  async #text(content: Parameters<typeof textSource>[1]): Promise<EmailTokens> {
    try {
      return await readEmail(textSource(this.#options.blobs, content));
    } catch (error) {
      // A scan tells what is wrong with it to who asks for it.
      this.#options.logger.warn(
        { email: content.emailId, error: errorText(error) },
        'search: an email could not be read, and is left out of the index',
      );
      return undefined;
    }
  }

  /** Merge and tidy up, one account after the other, while mail of others may be taken in. */
  #tidy(): void {
    if (this.#tidying !== undefined || this.#closed) return;
    const [accountId] = this.#untidy;
    if (accountId === undefined) return;
    this.#untidy.delete(accountId);
    this.#tidying = this.#lookAfter(accountId)
      .catch((error: unknown) => {
        if (!(error instanceof Stopped)) this.#fault(accountId, error);
      })
      .finally(() => {
        this.#tidying = undefined;
        this.#tidy();
      });
  }

  async #lookAfter(accountId: number): Promise<void> {
    const { clock, vacuumMs = VACUUM_MS } = this.#options;
    const index = this.#open(accountId);
    const turn = async (): Promise<void> => {
      await this.#turn();
      if (this.#closed || index.gone) throw new Stopped();
    };
    const living = async (): Promise<(id: number) => boolean> => idSet(await this.#idsOf(accountId));
    while (!this.#closed && (await index.merge(living, turn)));
    const now = clock.monotonic();
    const last = this.#vacuumed.get(accountId);
    if (last === undefined || now - last >= vacuumMs) this.#vacuumed.set(accountId, now);
    if (last !== undefined && now - last >= vacuumMs && !this.#closed)
      await index.vacuum(await living(), turn);
  }

  async #idsOf(accountId: number): Promise<Float64Array> {
    const pages: number[] = [];
    for (let after = 0; ; ) {
      const ids = await this.#options.read.run('search.newIds', { accountId, after, limit: PAGE_IDS });
      for (const id of ids) pages.push(id);
      if (ids.length < PAGE_IDS) return Float64Array.from(pages);
      after = ids.at(-1) ?? after;
    }
  }

  /** Let queries and other accounts' searches in, when it is time. */
  async #turn(): Promise<void> {
    const now = this.#options.clock.monotonic();
    if (now - this.#lastTurn < TURN_MS) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#lastTurn = this.#options.clock.monotonic();
  }

  #open(accountId: number): AccountIndex {
    const known = this.#accounts.get(accountId);
    if (known !== undefined) {
      this.#accounts.delete(accountId);
      this.#accounts.set(accountId, known);
      return known;
    }
    const directory = join(this.#options.directory, String(accountId));
    const index = new AccountIndex({ accountId, directory, cache: this.#cache });
    index.sweep();
    this.#accounts.set(accountId, index);
    for (const [old] of this.#accounts) {
      if (this.#accounts.size <= OPEN_ACCOUNTS || old === accountId) break;
      this.#accounts.delete(old);
    }
    return index;
  }

  #drop(accountId: number, index?: AccountIndex): void {
    index?.remove();
    this.#accounts.delete(accountId);
    rmSync(join(this.#options.directory, String(accountId)), { recursive: true, force: true });
  }

  /** Something is wrong with an account's index: said once, and the index built anew unless the disk is the trouble. */
  #fault(accountId: number, error: unknown): void {
    const { logger, clock } = this.#options;
    const damaged = isDamage(error);
    if (!this.#failed.has(accountId) && !this.#closed)
      logger.error(
        { account: accountId, error: errorText(error) },
        damaged
          ? 'search: an index is damaged and is built anew'
          : 'search: the index cannot be kept; searches read the messages instead',
      );
    this.#failed.set(accountId, clock.monotonic() + (damaged ? 0 : RETRY_MS));
    if (!damaged) return;
    try {
      this.#drop(accountId, this.#accounts.get(accountId));
      this.changed(accountId);
    } catch (trouble) {
      logger.error({ account: accountId, error: errorText(trouble) }, 'search: an index cannot be removed');
    }
  }

  /** See SearchIndex.find. */
  async find(accountId: number, query: SearchQuery): Promise<SearchAnswer | 'scan'> {
    if (!isSuited(query)) return 'scan';
    try {
      await this.#upToDate(accountId);
      return this.#open(accountId).find(query);
    } catch (error) {
      this.#fault(accountId, error);
      return 'scan';
    }
  }

  /** Resolves when what the account has now is in its index, or after CATCH_UP_MS. */
  async #upToDate(accountId: number): Promise<void> {
    const account = await this.#options.read.run('search.account', { accountId });
    if (account === undefined || account.emails === 0) return;
    if (this.#open(accountId).modseq === account.modseq) return;
    const waited = this.#waiters.wait(accountId, CATCH_UP_MS);
    this.#work();
    await waited;
  }

  /** See SearchIndex.rebuild. */
  async rebuild(accountId?: number): Promise<void> {
    const accounts =
      accountId === undefined ? await this.#options.read.run('search.accounts', null) : [accountId];
    for (const account of accounts) {
      this.#failed.delete(account);
      this.#drop(account, this.#accounts.get(account));
      this.#changed.add(account);
    }
    this.#work();
  }

  states(accountIds: readonly number[]): readonly SearchState[] {
    return accountIds.flatMap((accountId) => {
      try {
        return this.#open(accountId).state;
      } catch {
        return [];
      }
    });
  }

  totals(): SearchTotals {
    const now = this.#options.clock.monotonic();
    if (this.#totals === undefined || now - this.#totalsAt > TOTALS_MS) {
      this.#totals = this.#count();
      this.#totalsAt = now;
    }
    return { ...this.#totals, waiting: this.#changed.size + this.#waiters.size };
  }

  #count(): SearchTotals {
    const names = entriesOf(this.#options.directory);
    let emails = 0;
    let bytes = 0;
    for (const state of this.states(names.map(Number))) {
      emails += state.emails;
      bytes += state.bytes;
    }
    return { accounts: names.length, emails, bytes, waiting: 0 };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#waiters.releaseAll();
    await this.#working;
    await this.#tidying;
  }
}

/** What reading files says that are not as they were written. All else is trouble of the disk or of the store. */
function isDamage(error: unknown): boolean {
  if (error instanceof DamagedSegment || error instanceof SyntaxError) return true;
  return error instanceof RangeError || error instanceof TypeError || errnoCode(error) === 'ENOENT';
}
