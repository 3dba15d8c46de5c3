import { pino, type Logger as PinoLogger } from 'pino';

/** What modules see of the log: four levels, structured fields first. Never put passwords, bodies or tokens in it. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const REDACTED = ['password', 'secret', 'token', 'hash', '*.password', '*.secret', '*.token', '*.hash'];

/** JSON lines on stdout, or one readable line each when `pretty` (a terminal). */
export function createLogger(options: {
  level: LogLevel;
  pretty: boolean;
  write?: (line: string) => void;
}): Logger {
  const write = options.write ?? writeInTurns;
  const sink = { write: options.pretty ? (line: string) => write(prettyLine(line)) : write };
  const logger: PinoLogger = pino(
    {
      level: options.level,
      base: null,
      redact: REDACTED,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
  return logger;
}

export const silentLogger: Logger = createLogger({ level: 'silent', pretty: false });

/** "09:15:02 info  smtp: accepted id=… from=…": what a person at a terminal wants of a JSON line. */
function prettyLine(line: string): string {
  const fields = JSON.parse(line) as Record<string, unknown>;
  const { level, time, msg, ...rest } = fields;
  const pairs = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(msg)} ${pairs.join(' ')}\n`;
}

let unwritten = '';

/** Lines of one turn of the event loop go out in one write: a busy server would spend more on them than on the mail. */
function writeInTurns(line: string): void {
  if (unwritten === '') setImmediate(writeOut);
  unwritten += line;
}

function writeOut(): void {
  const text = unwritten;
  unwritten = '';
  if (text !== '') process.stdout.write(text);
}

process.on('exit', writeOut);
