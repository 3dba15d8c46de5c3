import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { type Asker, temporaryReason } from './ask.ts';
import { type CodeReading, readCodes } from './list-codes.ts';
import { listQuestion, type PreparedList } from './list-prepare.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds between self tests of a list that works, and of one that does not. */
const TEST_MS = DAY;
const RETEST_MS = HOUR;
/** Milliseconds a list that refuses us is left alone: asking on makes it worse. */
const REST_MS = 10 * MINUTE;
/** Milliseconds between two lines of the log about the same trouble of a list. */
const REPORT_MS = HOUR;

/** How a list does, for status pages. */
export interface ListStatus {
  readonly zone: string;
  /** 'off': its self test failed; 'resting': it refuses to answer us. */
  readonly state: 'on' | 'off' | 'resting' | 'untested';
  /** Why it is off or rests. */
  readonly why: string | undefined;
  /** Milliseconds since the epoch. */
  readonly testedAt: number | undefined;
}

interface Health {
  /** The first self test, done or under way. */
  first: Promise<void> | undefined;
  testedAt: number | undefined;
  nextTest: number;
  off: string | undefined;
  restUntil: number;
  restWhy: string | undefined;
  reportedAt: number;
}

/** What one question to a list came to. */
export type ListReading =
  | CodeReading
  | { readonly kind: 'clear' }
  | { readonly kind: 'failed'; readonly why: string };

/** Ask a list one question, and read the answer. */
export async function readList(ask: Asker, list: PreparedList, question: string): Promise<ListReading> {
  const answer = await ask((dns, signal) => dns.query(question, 'A', signal));
  if (answer.status === 'temporary') return { kind: 'failed', why: temporaryReason(answer.reason) };
  if (answer.status !== 'ok') return { kind: 'clear' };
  return readCodes(answer.records, list.codes, list.errors);
}

/** Watches over lists: tests them, gives those that refuse us a rest, switches off those that make no sense. */
export class ListHealth {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #of = new Map<string, Health>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  #health(list: PreparedList): Health {
    let health = this.#of.get(list.zone);
    if (health === undefined) {
      health = {
        first: undefined,
        testedAt: undefined,
        nextTest: 0,
        off: undefined,
        restUntil: Number.NEGATIVE_INFINITY,
        restWhy: undefined,
        reportedAt: Number.NEGATIVE_INFINITY,
      };
      this.#of.set(list.zone, health);
    }
    return health;
  }

  /** Why a list is not to be asked or believed now; undefined: it is. */
  unusable(list: PreparedList): string | undefined {
    const health = this.#health(list);
    if (health.off !== undefined) return `switched off: ${health.off}`;
    return this.#clock.monotonic() < health.restUntil ? health.restWhy : undefined;
  }

  /** A list answered that it does not serve us, or something that is no answer of a list. */
  trouble(list: PreparedList, reading: { readonly kind: 'blocked' | 'broken'; readonly why: string }): void {
    const health = this.#health(list);
    const now = this.#clock.monotonic();
    if (reading.kind === 'blocked') {
      health.restUntil = now + REST_MS;
      health.restWhy = reading.why;
    }
    if (now - health.reportedAt < REPORT_MS) return;
    health.reportedAt = now;
    this.#logger.warn(
      { zone: list.shown, why: reading.why },
      'DNS list: an answer that is no listing; see the guide on DNS lists',
    );
  }

  /** Resolves when the list has been tested once. */
  async ready(ask: Asker, list: PreparedList): Promise<void> {
    const health = this.#health(list);
    await (health.first ??= this.#test(ask, list, health));
  }

  /** Test the lists whose test is due, forget those that are gone. */
  async testDue(ask: Asker, lists: readonly PreparedList[]): Promise<void> {
    const zones = new Set(lists.map(({ zone }) => zone));
    for (const zone of this.#of.keys()) if (!zones.has(zone)) this.#of.delete(zone);
    const now = this.#clock.monotonic();
    await Promise.all(
      lists.map(async (list) => {
        const health = this.#health(list);
        if (health.first === undefined) await this.ready(ask, list);
        else if (now >= health.nextTest) await this.#test(ask, list, health);
      }),
    );
  }

  /** RFC 5782 section 5: a list has an entry for tests, and lacks another one for sure. */
  async #test(ask: Asker, list: PreparedList, health: Health): Promise<void> {
    const [listed, clear] = await Promise.all(
      [list.listedEntry, list.clearEntry].map(async (entry): Promise<ListReading> => {
        const question = listQuestion(list, entry);
        return question === undefined ? { kind: 'clear' } : readList(ask, list, question);
      }),
    );
    const now = this.#clock.monotonic();
    health.nextTest = now + RETEST_MS;
    const both = [listed, clear];
    const trouble = both.find((reading) => reading?.kind === 'blocked' || reading?.kind === 'broken');
    if (trouble?.kind === 'blocked') return this.trouble(list, trouble);
    // Without an answer nothing is known of the list: it stays as it was.
    if (trouble === undefined && both.some((reading) => reading?.kind === 'failed')) return;
    health.testedAt = this.#clock.now();
    const off =
      trouble?.kind === 'broken'
        ? trouble.why
        : clear?.kind === 'listed'
          ? `it lists everything (${list.clearEntry} too)`
          : listed?.kind === 'clear'
            ? `it lacks the entry ${list.listedEntry} that every list has for tests`
            : undefined;
    if (off === undefined) health.nextTest = now + TEST_MS;
    if (off !== health.off) this.#switch(list, health, off);
  }

  #switch(list: PreparedList, health: Health, off: string | undefined): void {
    health.off = off;
    if (off === undefined) this.#logger.info({ zone: list.shown }, 'DNS list: works again');
    else this.#logger.warn({ zone: list.shown, why: off }, 'DNS list: switched off, its self test failed');
  }

  status(list: PreparedList): ListStatus {
    const { off, restUntil, restWhy, testedAt } = this.#health(list);
    const resting = this.#clock.monotonic() < restUntil;
    const state =
      off !== undefined ? 'off' : resting ? 'resting' : testedAt === undefined ? 'untested' : 'on';
    return { zone: list.shown, state, why: off ?? (resting ? restWhy : undefined), testedAt };
  }
}
