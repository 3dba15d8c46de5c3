import { systemClock } from '../base/clock.ts';
import { collectGarbage, onQuiet, watchForQuiet } from '../base/quiet.ts';
import { createLogger, type Logger } from '../base/log.ts';
import type { Config } from './config.ts';
import type { RunningServer } from './server.ts';
import { handleFailures, stopSignals } from './signals.ts';

/** A logger whose level, and that of its children, can be changed while it is in use. */
export interface LevelledLogger extends Logger {
  setLevel(level: Config['log']['level']): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** The logger that the configuration asks for: JSON lines on stdout, readable ones on a terminal. */
export function configuredLogger(config: Config, write?: (line: string) => void): LevelledLogger {
  const { format } = config.log;
  let least = LEVELS.indexOf(config.log.level);
  // What passes is decided here: a child of the logger beneath would keep the level of its birth.
  const pass = (logger: Logger): Logger => ({
    debug: (fields, message) => void (least <= 0 && logger.debug(fields, message)),
    info: (fields, message) => void (least <= 1 && logger.info(fields, message)),
    warn: (fields, message) => void (least <= 2 && logger.warn(fields, message)),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => pass(logger.child(fields)),
  });
  const pretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY);
  const base = createLogger({ level: 'debug', pretty, ...(write !== undefined && { write }) });
  return {
    ...pass(base),
    setLevel(level) {
      least = LEVELS.indexOf(level);
    },
  };
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
  const quiet: { cancel(): void }[] = [];
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
    quiet.push(onQuiet(collectGarbage), watchForQuiet(clock));
    const signal = await signals.asked;
    logger.info({ signal }, 'stopping');
    await server.stop(program.graceMs === undefined ? {} : { graceMs: program.graceMs });
    logger.info({}, 'stopped');
    return 0;
  } finally {
    for (const each of quiet) each.cancel();
    program.ended?.();
    signals.dispose();
  }
}
