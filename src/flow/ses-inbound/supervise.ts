import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { IntakeMetrics } from './metrics.ts';

/** How one way of being told does. */
export interface DriverState {
  /** When it last did its work without trouble, milliseconds since the epoch; undefined: not yet. */
  okAt: number | undefined;
  /** Why it does not, now; '' when it does. */
  problem: string;
}

export interface Driver {
  readonly state: DriverState;
  /** Resolves when it has ended. */
  stop(): Promise<void>;
}

export interface DriverParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: IntakeMetrics;
}

/** Milliseconds until a driver that failed begins anew: twice as long each time, and at most. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Run `work` until stopped. It calls `ok` whenever all is well; when it throws, that is logged, counted and shown, and it
 * begins anew: no way of being told ends silently. `recovered` is called at the first `ok` after trouble.
 */
export function supervise(
  parts: DriverParts,
  name: string,
  work: (signal: AbortSignal, ok: () => void) => Promise<void>,
  recovered: () => void = () => undefined,
): Driver {
  const { clock, logger, metrics } = parts;
  const controller = new AbortController();
  const { signal } = controller;
  const state: DriverState = { okAt: undefined, problem: '' };
  let pauseMs = FIRST_PAUSE_MS;

  const ok = (): void => {
    state.okAt = clock.now();
    pauseMs = FIRST_PAUSE_MS;
    if (state.problem === '') return;
    state.problem = '';
    logger.info({ driver: name }, 'intake: works again');
    recovered();
  };

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await work(signal, ok);
        if (!signal.aborted) throw new Error('it ended by itself');
      } catch (error) {
        if (signal.aborted) return;
        const problem = errorText(error);
        if (problem !== state.problem)
          logger.warn({ driver: name, problem }, 'intake: does not work, will try again');
        state.problem = problem;
        metrics.driverFailed(name);
        await clock.sleep(pauseMs, signal);
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    }
  }

  const running = run();
  return {
    state,
    async stop() {
      controller.abort();
      await running;
    },
  };
}

/** Sleeps that can be cut short. */
export class Wake {
  #controller = new AbortController();

  /** End the sleep under way, or the next one. */
  now(): void {
    this.#controller.abort();
  }

  async sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, AbortSignal.any([signal, this.#controller.signal]));
    this.#controller = new AbortController();
  }
}

/** Work that goes on beside the loop that began it, so much at once. */
export class InFlight {
  readonly #work = new Set<Promise<void>>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Resolves when there is room for more. `work` must not reject. */
  async add(work: Promise<void>): Promise<void> {
    const tracked: Promise<void> = work.finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
    while (this.#work.size >= this.#limit) await Promise.race(this.#work);
  }

  async idle(): Promise<void> {
    await Promise.all(this.#work);
  }
}
