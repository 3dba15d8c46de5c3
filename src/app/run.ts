import { systemClock } from '../base/clock.ts';
import { createLogger, type Logger } from '../base/log.ts';
import type { Config } from './config.ts';
import type { RunningServer } from './server.ts';
import { handleFailures, stopSignals } from './signals.ts';

/** The logger that the configuration asks for: JSON lines on stdout, readable ones on a terminal. */
export function configuredLogger(config: Config): Logger {
  const { level, format } = config.log;
  return createLogger({ level, pretty: format === 'pretty' || (format === 'auto' && process.stdout.isTTY) });
}

export interface Program {
  readonly logger: Logger;
  /** Start everything and say so. */
  start(): Promise<RunningServer>;
  /** Called when the server runs, for SIGHUP and the like. */
  started?(server: RunningServer): void;
  /** Called when all is closed. */
  ended?(): void;
  /** Milliseconds for what is under way when it is told to stop. */
  readonly graceMs?: number;
}

/** Run a server in this process until a signal ends it. Resolves with the exit status. */
export async function runProgram(program: Program): Promise<number> {
  const { logger } = program;
  const clock = systemClock;
  // Nobody else has any business in mail.
  process.umask(0o077);
  const signals = stopSignals(clock, () => {
    logger.warn({}, 'told to stop twice: leaving at once');
    process.exit(1);
  });
  let server: RunningServer | undefined;
  let count: (kind: 'rejection' | 'exception') => void = () => undefined;
  handleFailures({
    logger,
    clock,
    count: (kind) => count(kind),
    flush: async () => server?.recorder.flush(),
  });
  try {
    const starting = program.start();
    server = await starting;
    const bugs = server.metrics.counter('postern_bugs_total', 'Failures that no session caught', ['kind']);
    count = (kind) => bugs.inc({ kind });
    program.started?.(server);
    const signal = await signals.asked;
    logger.info({ signal }, 'stopping');
    await server.stop(program.graceMs === undefined ? {} : { graceMs: program.graceMs });
    logger.info({}, 'stopped');
    return 0;
  } finally {
    program.ended?.();
    signals.dispose();
  }
}
