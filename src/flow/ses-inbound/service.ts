import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Reader } from '../../data/store.ts';
import type { Fetch } from '../../net/aws/sns-fetch.ts';
import { createSnsVerifier } from '../../net/aws/sns-signature.ts';
import type { FlowDeps } from '../deps.ts';
import type { Gate } from '../inbound/gate/gate.ts';
import { createLagAlarm, type LagAlarm } from './alarm.ts';
import { intakeMetrics } from './metrics.ts';
import { noteEvent } from './problems.ts';
import {
  defaultIntakeSettings,
  type IntakeSettings,
  intakeSettingsSchema,
  type IntakeSource,
} from './settings.ts';
import { createSnsReceiver, type SnsReceiver } from './sns.ts';
import { type RunningSource, startSource, type WayState } from './source.ts';
import type { DriverParts } from './supervise.ts';
import { type Retrier, retryDue, sweepOnce, type SweepResult } from './sweep.ts';
import { takeIn } from './take.ts';
import { Turns } from './turns.ts';
import type { IntakeParts, OpenSource, Others, Taken, Told } from './types.ts';

/** Milliseconds between two looks at how long mail has waited. */
const ALARM_MS = 60_000;
/** Milliseconds that messages under way get to end when the settings change. */
const CHANGE_GRACE_MS = 30_000;

export interface SesInboundOptions {
  readonly deps: () => FlowDeps;
  readonly gate: Pick<Gate, 'late'> | undefined;
  readonly metrics: Metrics;
  /** How a source is reached. Throws a Refusal for one that cannot be (a file that is not there). */
  readonly open: (source: IntakeSource) => Promise<OpenSource>;
  /** For SNS's certificates and confirmations. */
  readonly fetch: Fetch;
  /** Messages of listed topics that are no news of mail: true when somebody took it. */
  readonly others?: Others | undefined;
}

export interface SourceStatus {
  readonly name: string;
  readonly bucket: string;
  readonly region: string;
  /** Why it does not run; '' when it does. */
  readonly problem: string;
  readonly ways: readonly WayState[];
}

export interface SesInbound {
  readonly settings: IntakeSettings;
  readonly sns: SnsReceiver;
  /** Read the settings and begin. */
  start(): Promise<void>;
  /** The settings have changed: begin anew with them. */
  changed(): Promise<void>;
  /** End what runs; messages under way come to their end within `graceMs` milliseconds, or are taken anew another time. */
  stop(graceMs: number): Promise<void>;
  status(): readonly SourceStatus[];
  /** Since when mail has waited too long, milliseconds since the epoch. */
  readonly alarmSince: number | undefined;
  /** When SES received what waits longest, as far as we know. */
  oldest(): Promise<number | undefined>;
  /** Take in one object now. Refusal 'not-found' for a source that does not run. */
  takeIn(source: string, told: Told): Promise<Taken>;
  /** Look through the buckets (of one source, or all), for what nobody told of, however new. */
  sweep(
    source: string | undefined,
  ): Promise<readonly { name: string; result?: SweepResult; problem?: string }[]>;
}

export function createSesInbound(options: SesInboundOptions): SesInbound {
  return new Service(options);
}

class Service implements SesInbound {
  readonly sns: SnsReceiver;
  readonly #options: SesInboundOptions;
  readonly #parts: IntakeParts & DriverParts;
  readonly #alarm: LagAlarm;
  #settings: IntakeSettings = defaultIntakeSettings;
  #running = new Map<string, RunningSource>();
  #failed = new Map<string, { settings: IntakeSource; problem: string }>();
  #retrier: Retrier | undefined;
  #watch: { cancel(): void } | undefined;
  /** Starts, changes and the stop come one after another. */
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SesInboundOptions) {
    const { deps, gate, metrics: registry } = options;
    const { clock, logger } = deps();
    const metrics = intakeMetrics(registry, { now: () => clock.now(), oldest: () => this.oldest() });
    const turns = new Turns(() => this.#settings.concurrency);
    this.#options = options;
    this.#parts = { deps, gate, metrics, turns, others: options.others, clock, logger };
    this.#alarm = createLagAlarm({
      clock,
      logger,
      limitMinutes: () => this.#settings.lag_alarm_minutes,
      tell: (event) => noteEvent({ deps }, event),
    });
    this.sns = createSnsReceiver({
      ...this.#parts,
      fetch: options.fetch,
      verifier: createSnsVerifier({ clock, fetch: options.fetch }),
      sources: () => [...this.#running.values()].map(({ source }) => source),
      maxAgeMs: () => this.#settings.notice_age_minutes * 60_000,
      recovered: ({ settings }) => this.#running.get(settings.name)?.poke(),
    });
  }

  get settings(): IntakeSettings {
    return this.#settings;
  }

  get alarmSince(): number | undefined {
    return this.#alarm.since;
  }

  start(): Promise<void> {
    return this.#inTurn(() => this.#begin());
  }

  changed(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#end(CHANGE_GRACE_MS);
      await this.#begin();
    });
  }

  stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    return this.#inTurn(() => this.#end(graceMs));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #begin(): Promise<void> {
    if (this.#stopped) return;
    await this.#readSettings();
    for (const settings of this.#settings.sources) if (settings.enabled) await this.#open(settings);
    if (this.#settings.sources.length === 0) return;
    this.#retrier = retryDue(this.#parts, (name) => this.#running.get(name)?.source);
    this.#watch = watch(this.#parts.clock, this.#parts.logger, async () => {
      this.#alarm.check(await this.oldest());
    });
  }

  async #open(settings: IntakeSource): Promise<void> {
    const { name } = settings;
    try {
      this.#running.set(name, startSource(this.#parts, await this.#options.open(settings)));
    } catch (error) {
      const problem = errorText(error);
      this.#failed.set(name, { settings, problem });
      this.#parts.logger.error({ source: name, problem }, 'intake: a source cannot be used');
    }
  }

  async #readSettings(): Promise<void> {
    const { store, logger } = this.#options.deps();
    const json = await store.read.run('intake.settings', null);
    try {
      this.#settings = intakeSettingsSchema.parse(json === undefined ? {} : JSON.parse(json));
    } catch (error) {
      logger.error(
        { error: errorText(error) },
        'intake: its settings cannot be read; they stay as they were',
      );
    }
  }

  async #end(graceMs: number): Promise<void> {
    this.#watch?.cancel();
    const running = [...this.#running.values()];
    const drivers = Promise.all([this.#retrier?.stop(), ...running.map((each) => each.stop())]);
    await within(
      this.#parts.clock,
      graceMs,
      drivers.then(() => this.#parts.turns.idle()),
    );
    for (const { source } of running) source.close();
    this.#retrier = undefined;
    this.#running = new Map();
    this.#failed = new Map();
  }

  status(): readonly SourceStatus[] {
    const failed = [...this.#failed.values()].map(({ settings, problem }) => ({
      settings,
      problem,
      ways: [],
    }));
    const off = this.#settings.sources
      .filter(({ enabled }) => !enabled)
      .map((settings) => ({ settings, problem: 'it is turned off', ways: [] }));
    const running = [...this.#running.values()].map((each) => ({
      settings: each.source.settings,
      problem: '',
      ways: each
        .ways()
        .map((way) =>
          way.way === 'sns' ? { way: way.way, ...this.sns.state(each.source.settings.name) } : way,
        ),
    }));
    return [...running, ...failed, ...off].map(({ settings: { name, bucket, region }, problem, ways }) => ({
      name,
      bucket,
      region,
      problem,
      ways,
    }));
  }

  async oldest(): Promise<number | undefined> {
    const { store } = this.#options.deps();
    const counts = await store.read.run('intake.counts', null);
    const waiting = counts.find(({ state }) => state === 'waiting')?.oldest;
    const seen = await Promise.all([...this.#running.values()].map((each) => stillThere(store.read, each)));
    const all = [waiting, ...seen].filter((each) => each !== undefined);
    return all.length === 0 ? undefined : Math.min(...all);
  }

  takeIn(name: string, told: Told): Promise<Taken> {
    const running = this.#running.get(name);
    if (running === undefined) throw new Refusal('not-found', `There is no source "${name}" that runs.`);
    return takeIn(this.#parts, running.source, told);
  }

  async sweep(name: string | undefined): ReturnType<SesInbound['sweep']> {
    const wanted = [...this.#running.values()].filter(
      ({ source: { settings } }) => settings.bucket !== '' && (name === undefined || settings.name === name),
    );
    if (wanted.length === 0)
      throw new Refusal(
        'not-found',
        name === undefined ? 'No source runs.' : `There is no source "${name}" that runs.`,
      );
    const results: { name: string; result?: SweepResult; problem?: string }[] = [];
    for (const { source } of wanted) {
      const each = { name: source.settings.name };
      try {
        results.push({ ...each, result: await sweepOnce(this.#parts, source, { all: true }) });
      } catch (error) {
        results.push({ ...each, problem: errorText(error) });
      }
    }
    return results;
  }
}

/** When an object appeared that a look through the bucket has left there, if it was not taken meanwhile. */
async function stillThere(read: Reader, { source, left }: RunningSource): Promise<number | undefined> {
  const found = left();
  if (found === undefined) return undefined;
  const known = await read.run('intake.object', { bucket: source.settings.bucket, key: found.key });
  return known === undefined ? found.modifiedAt : undefined;
}

/** Wait for something, but no longer than so many milliseconds. */
async function within(clock: Clock, ms: number, work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  await Promise.race([work, clock.sleep(ms, over.signal)]).finally(() => over.abort());
}

function watch(clock: Clock, logger: Logger, look: () => Promise<void>): { cancel(): void } {
  const timer = clock.setTimer(ALARM_MS, () => {
    look()
      .catch((error: unknown) =>
        logger.warn({ error: errorText(error) }, 'intake: could not look how it stands'),
      )
      .finally(() => {
        if (!cancelled) again = watch(clock, logger, look);
      });
  });
  let cancelled = false;
  let again: { cancel(): void } | undefined;
  return {
    cancel() {
      cancelled = true;
      timer.cancel();
      again?.cancel();
    },
  };
}
