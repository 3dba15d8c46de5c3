import type { Clock } from '../base/clock.ts';
import { errorText } from '../base/errors.ts';
import { timeId } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';

/** Within this many milliseconds a signal is the same one again: npm and a terminal both deliver Ctrl-C. */
const SAME_SIGNAL_MS = 1000;

export interface StopSignals {
  /** Resolves with the name of the first signal. */
  readonly asked: Promise<string>;
  /** Listen no more. */
  dispose(): void;
}

/** Wait for SIGINT or SIGTERM. A repeat more than a second after the first calls `force`. */
export function stopSignals(clock: Clock, force: () => void): StopSignals {
  let first: number | undefined;
  let tell: (signal: string) => void = () => undefined;
  const asked = new Promise<string>((resolve) => {
    tell = resolve;
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = clock.monotonic();
      tell(signal);
    } else if (clock.monotonic() - first > SAME_SIGNAL_MS) force();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    asked,
    dispose() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

/** Told of failures that no session caught: bugs, logged with an id that a person can report. */
export interface FailureHandlers {
  readonly logger: Logger;
  readonly clock: Clock;
  readonly count: (kind: 'rejection' | 'exception') => void;
  /** Save what can be saved; the process ends when it resolves. */
  readonly flush: () => Promise<void>;
}

/** Milliseconds for the flush before a broken process ends. */
const FLUSH_MS = 2000;

/**
 * A rejected promise that nobody awaited concerns one session: the process goes on. After an uncaught exception nothing
 * is sure any more: flush and end with status 70, so that the supervisor starts anew.
 */
export function handleFailures({ logger, clock, count, flush }: FailureHandlers): void {
  let ending = false;
  process.on('unhandledRejection', (error) => {
    count('rejection');
    logger.error(
      { id: timeId(clock.now()), error: stackOf(error) },
      'bug: a promise was rejected and nobody looked',
    );
  });
  process.on('uncaughtException', (error) => {
    count('exception');
    logger.error({ id: timeId(clock.now()), error: stackOf(error) }, 'bug: uncaught exception, ending');
    if (ending) return;
    ending = true;
    void Promise.race([flush(), clock.sleep(FLUSH_MS)])
      .catch(() => undefined)
      .finally(() => process.exit(70));
  });
  // A reader that went away (`npm start | head`) must not end a mail server.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : errorText(error);
}
