import type { Counter, Gauge, Histogram } from 'prom-client';
import type { Timer } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import type { Metrics } from '../../base/metrics.ts';
import type { Span } from '../../base/tracing.ts';
import type { LeasedWork } from '../../data/queue/types.ts';
import type { FlowDeps } from '../deps.ts';
import { queuedContent } from './content.ts';
import { judgeAttempt, outcomesWithoutAttempt } from './settle.ts';
import { buildTransport } from './routing/build.ts';
import type { Attempted } from './routing/deliver.ts';
import { suppressed } from './routing/suppressed.ts';
import { createWays, type Ways } from './routing/ways.ts';
import { attemptSpan, tellOutcome } from './spans.ts';
import { deliverLocally } from './transports/local.ts';
import type { RelaySettings } from './transports/relay.ts';
import { deferred, forAll, type MessageContent, type Outcome } from './transport.ts';

/** Attempts at once. */
const ATTEMPTS_MAX = 96;
/** Attempts at one destination at once; the pool keeps connections to one host below that. */
const PER_DESTINATION = 32;
/** A destination gets more work only when it has less than this: leases are commits, and one for eight costs an eighth. */
const REFILL_BELOW = PER_DESTINATION - 8;
/** Milliseconds a lease holds without being settled: longer than any attempt (RFC 5321 timeouts add up to under an hour). */
const LEASE_MS = 2 * 3_600_000;
/** Milliseconds until leases that ran out are looked for, and the longest sleep between looks at the queue. */
const LOOK_MS = 60_000;
/** Milliseconds between two looks at least: what is due but was not leased must not make us spin. */
const LEAST_SLEEP_MS = 20;
/** Times that recording an attempt may fail by an error of ours; a store that is away is waited for. */
const BUGS_MAX = 5;
/** Milliseconds to wait after the store failed. */
const STORE_RETRY_MS = 1000;

export interface SchedulerOptions {
  readonly deps: () => FlowDeps;
  /** Where mail goes that no route of the settings takes; without it directly to MX hosts. */
  readonly relay?: RelaySettings | undefined;
  /** Instead of those made of the settings. */
  readonly ways?: Ways | undefined;
  /** Name under which leases are held: the same at the next start, so that what was left is found at once. */
  readonly owner: string;
  readonly metrics?: Metrics;
  /** Port of MX hosts; 25 except in tests. */
  readonly directPort?: number;
}

export interface Scheduler {
  /** Take back what a dead process had leased, then work until stopped. */
  start(): Promise<void>;
  /** Begin no more attempts; wait for those under way, at most `graceMs` milliseconds. */
  stop(graceMs: number): Promise<void>;
  /** Change where mail goes from the next attempt on. */
  useRelay(relay: RelaySettings | undefined): void;
  readonly ways: Ways;
}

export function createScheduler(options: SchedulerOptions): Scheduler {
  return new QueueScheduler(options);
}

class QueueScheduler implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #active = new Map<LeasedWork, Promise<void>>();
  readonly #perDestination = new Map<string, number>();
  readonly #counts: SchedulerMetrics | undefined;
  /** Begin nothing more. */
  readonly #stopping = new AbortController();
  /** The time to wait for what is under way is over. */
  readonly #abandoned = new AbortController();
  readonly ways: Ways;
  #wake: () => void = () => undefined;
  #loop: Promise<void> = Promise.resolve();
  #unsubscribe: () => void = () => undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { deps, relay, directPort } = options;
    this.ways = options.ways ?? createWays({ deps, relay, directPort, build: buildTransport });
    this.#counts =
      options.metrics === undefined ? undefined : schedulerMetrics(options.metrics, () => this.#active.size);
  }

  useRelay(relay: RelaySettings | undefined): void {
    this.ways.useRelay(relay);
  }

  async start(): Promise<void> {
    const { store } = this.#options.deps();
    await this.#recover(this.#options.owner);
    this.#unsubscribe = store.changes.onQueue(() => this.#wake());
    this.#loop = this.#run();
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort();
    this.#unsubscribe();
    this.#wake();
    await this.#loop;
    const { clock } = this.#options.deps();
    const enough = new AbortController();
    await Promise.race([Promise.all(this.#active.values()), clock.sleep(graceMs, enough.signal)]);
    enough.abort();
    this.#abandoned.abort();
    await this.ways.close();
  }

  /** Lease what is due, start attempts, sleep until something ends, arrives or becomes due. */
  async #run(): Promise<void> {
    const { clock, logger, store } = this.#options.deps();
    let recoverAt = clock.monotonic() + LOOK_MS;
    while (!this.#stopping.signal.aborted) {
      const woken = this.#nextWake();
      let sleepMs = LOOK_MS;
      try {
        const leased = await this.#leaseMore();
        if (leased > 0 && this.#active.size < ATTEMPTS_MAX) continue;
        if (leased === 0 && this.#active.size < ATTEMPTS_MAX) {
          const due = await store.read.run('queue.nextDue', { busy: this.#busy() });
          if (due !== undefined) sleepMs = Math.min(LOOK_MS, Math.max(LEAST_SLEEP_MS, due - clock.now()));
        }
        if (clock.monotonic() >= recoverAt) {
          recoverAt = clock.monotonic() + LOOK_MS;
          await this.#recover(null);
        }
      } catch (error) {
        logger.error({ error: errorText(error) }, 'queue: cannot be read, trying again');
        sleepMs = STORE_RETRY_MS;
      }
      const timer: Timer = clock.setTimer(sleepMs, () => this.#wake());
      await woken;
      timer.cancel();
    }
  }

  /** A process died between an attempt and its record: these may be delivered twice, which cannot be avoided. */
  async #recover(owner: string | null): Promise<void> {
    const { store, logger } = this.#options.deps();
    const { recipients } = await store.write.run('queue.recover', { owner });
    if (recipients.length === 0) return;
    this.#counts?.interrupted.inc(recipients.length);
    logger.warn({ count: recipients.length }, 'queue: attempts were interrupted, trying again');
  }

  /** A promise that the next wake-up resolves; made before looking, so that none is missed in between. */
  #nextWake(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #busy(): string[] {
    return [...this.#perDestination].filter(([, count]) => count > REFILL_BELOW).map(([name]) => name);
  }

  /** Attempts under way at destinations that are not busy. */
  #counted(): number[] {
    return [...this.#perDestination.values()].filter((count) => count <= REFILL_BELOW);
  }

  async #leaseMore(): Promise<number> {
    const room = ATTEMPTS_MAX - this.#active.size;
    if (room <= 0) return 0;
    const { store } = this.#options.deps();
    const leased = await store.write.run('queue.lease', {
      owner: this.#options.owner,
      leaseMs: LEASE_MS,
      limit: room,
      // What is under way counts, so that together they stay within the limit.
      perDestination: PER_DESTINATION - Math.max(0, ...this.#counted()),
      busy: this.#busy(),
    });
    for (const work of leased) this.#begin(work);
    return leased.length;
  }

  #begin(work: LeasedWork): void {
    this.#perDestination.set(work.destination, (this.#perDestination.get(work.destination) ?? 0) + 1);
    const { clock } = this.#options.deps();
    const startedAt = clock.monotonic();
    const span = attemptSpan(this.#options.deps(), work);
    const done = this.#attempt(work, span)
      .catch((error: unknown) => this.#failedAttempt(work, error, span))
      .finally(() => {
        span?.end();
        this.#counts?.seconds.observe((clock.monotonic() - startedAt) / 1000);
        this.#active.delete(work);
        const left = (this.#perDestination.get(work.destination) ?? 1) - 1;
        if (left > 0) this.#perDestination.set(work.destination, left);
        else this.#perDestination.delete(work.destination);
        this.#wake();
      });
    this.#active.set(work, done);
  }

  /** One attempt: find the way, hand over, record what came of it. */
  async #attempt(work: LeasedWork, span: Span | undefined): Promise<void> {
    const deps = this.#options.deps();
    const content = queuedContent(deps.store.blobs, work.message);
    const over = outcomesWithoutAttempt(work, deps.clock.now());
    if (over !== undefined) return this.#record(deps, work, over, content, 'queue', { span });
    if ((await deps.store.read.run('directory.domain', { name: work.destination })) !== undefined) {
      const { owner } = this.#options;
      const local = await deliverLocally(deps, work);
      await local.commit(await judgeAttempt(deps, owner, work, local.outcomes, content, 'local'));
      return this.#count(deps, work, local.outcomes, span);
    }
    const settled = await this.#withoutSuppressed(deps, work, content, span);
    if (settled.recipients.length === 0) return;
    const done = await this.ways.deliver(settled, content, this.#stopping.signal, (part, through) =>
      this.#record(deps, part, through.outcomes, content, 'queue', { ...through, span }),
    );
    const left = { ...settled, recipients: settled.recipients.filter((one) => !done.settled.has(one.id)) };
    return this.#record(deps, left, done.outcomes, content, 'queue', { ...done, span });
  }

  /** Addresses that mail came back from fail without an attempt; answers the work that is left. */
  async #withoutSuppressed(
    deps: FlowDeps,
    work: LeasedWork,
    content: MessageContent,
    span: Span | undefined,
  ): Promise<LeasedWork> {
    const { suppression } = await this.ways.settings();
    const over = suppression.enabled ? await suppressed(deps, work) : new Map<number, Outcome>();
    if (over.size === 0) return work;
    await this.#record(
      deps,
      { ...work, recipients: work.recipients.filter(({ id }) => over.has(id)) },
      over,
      content,
      'queue',
      { span },
    );
    return { ...work, recipients: work.recipients.filter(({ id }) => !over.has(id)) };
  }

  /** A bug, or a message that cannot be sent as it is: deferred, so that nothing is lost and the loop goes on. */
  #failedAttempt(work: LeasedWork, error: unknown, span: Span | undefined): Promise<void> {
    const deps = this.#options.deps();
    span?.fail('the attempt failed here');
    deps.logger.error({ queueId: work.message.queueId, error: errorText(error) }, 'queue: attempt failed');
    const outcome = deferred(`451 4.3.0 The attempt failed here: ${errorText(error).slice(0, 200)}`);
    const content = queuedContent(deps.store.blobs, work.message);
    return this.#record(deps, work, forAll(work, outcome), content, 'none', { span });
  }

  /**
   * Record what came of an attempt. What was delivered must be recorded or it is sent again, so a store that fails is
   * waited for until the program ends; then the lease is left, and found at the next start. Never throws.
   */
  async #record(
    deps: FlowDeps,
    work: LeasedWork,
    outcomes: ReadonlyMap<number, Outcome>,
    content: MessageContent,
    transport: string,
    { usage = [], sends = [], span }: Partial<Attempted> & { readonly span?: Span | undefined } = {},
  ): Promise<void> {
    this.#count(deps, work, outcomes, span);
    const { queueId } = work.message;
    let mute: string | undefined;
    let bugs = 0;
    while (!this.#abandoned.signal.aborted && bugs < BUGS_MAX) {
      try {
        const judged = await judgeAttempt(
          deps,
          this.#options.owner,
          work,
          outcomes,
          content,
          transport,
          mute,
          { usage, sends },
        );
        await deps.store.write.run('queue.settle', judged);
        deps.recorder.committed(judged.events);
        return;
      } catch (error) {
        deps.logger.error(
          { queueId, error: errorText(error) },
          'queue: cannot record an attempt, trying again',
        );
        // A notification that cannot be made must not keep its cause from being recorded.
        if (!(error instanceof Refusal)) {
          mute = `it could not be made: ${errorText(error).slice(0, 200)}`;
          bugs++;
        }
        await deps.clock.sleep(STORE_RETRY_MS, this.#abandoned.signal);
      }
    }
    deps.logger.error({ queueId }, 'queue: an attempt is not recorded, it is left to its lease');
  }

  #count(
    { clock }: FlowDeps,
    { message }: LeasedWork,
    outcomes: ReadonlyMap<number, Outcome>,
    span: Span | undefined,
  ): void {
    for (const outcome of outcomes.values()) {
      tellOutcome(span, outcome);
      if (outcome.outcome === 'delivered') {
        this.#counts?.delay.observe(Math.max(0, clock.now() - message.createdAt) / 1000);
        this.#counts?.tls.inc({ tls: tlsLabel(outcome.tls) });
      }
      this.#counts?.recipients.inc({ outcome: outcome.outcome });
      if (outcome.via !== undefined)
        this.#counts?.byTransport.inc({ transport: outcome.via.transport, outcome: outcome.outcome });
      if (outcome.outcome === 'deferred' && outcome.lostReply) this.#counts?.lostReplies.inc();
    }
  }
}

/** "TLSv1.3 verified" and the like; what is not one of these says nothing of TLS. */
function tlsLabel(tls: string): string {
  if (/^TLSv/i.test(tls)) return / verified|dane/i.test(tls) ? 'verified' : 'unverified';
  return tls === 'plain' ? 'plain' : 'local';
}

/** Seconds from the queue to the next hop: at once, or after days of trying. */
const DELAYS = [0.1, 0.3, 1, 3, 10, 30, 60, 300, 1800, 3600, 14_400, 43_200, 86_400, 432_000];

interface SchedulerMetrics {
  readonly seconds: Histogram;
  readonly delay: Histogram;
  readonly tls: Counter<'tls'>;
  readonly recipients: Counter<'outcome'>;
  readonly byTransport: Counter<'transport' | 'outcome'>;
  readonly lostReplies: Counter;
  readonly interrupted: Counter;
  readonly active: Gauge;
}

function schedulerMetrics(metrics: Metrics, active: () => number): SchedulerMetrics {
  return {
    seconds: metrics.duration(
      'postern_delivery_attempt_seconds',
      'How long a delivery attempt takes, all ways of it',
    ),
    delay: metrics.duration(
      'postern_delivery_delay_seconds',
      'From the queue to the next hop, for each recipient that was delivered',
      [],
      DELAYS,
    ),
    tls: metrics.counter(
      'postern_delivery_tls_total',
      'Recipients delivered, by the TLS of the connection: verified, unverified, plain; local: no TLS is known of',
      ['tls'],
    ),
    recipients: metrics.counter(
      'postern_delivery_recipients_total',
      'Attempts by how they ended for a recipient',
      ['outcome'],
    ),
    byTransport: metrics.counter(
      'postern_delivery_transport_recipients_total',
      'Attempts by the way that was taken and how they ended for a recipient',
      ['transport', 'outcome'],
    ),
    lostReplies: metrics.counter(
      'postern_delivery_lost_replies_total',
      'Connections lost after the data was sent: possible duplicates',
    ),
    interrupted: metrics.counter(
      'postern_delivery_interrupted_total',
      'Recipients found mid-attempt at start: possible duplicates',
    ),
    active: metrics.gauge('postern_delivery_active', 'Delivery attempts under way', [], function collect() {
      this.set(active());
    }),
  };
}
