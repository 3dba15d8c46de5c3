import { nextOctets, SessionEnd } from '../../net/line/talk.ts';
import { type AccountSession, readLine, silenceLimit } from '../account-session.ts';
import { SieveFault } from './replies.ts';

/** An argument of a command (RFC 5804 section 4). */
export type Argument =
  | { readonly kind: 'string'; readonly octets: Buffer }
  | { readonly kind: 'number'; readonly value: number };

export interface ReadCommand {
  /** In capitals. */
  readonly name: string;
  readonly args: readonly Argument[];
}

/** Octets and counts a command may have. */
export interface CommandBounds {
  /** Octets of all literals of one command together. */
  readonly literalBytes: number;
}

/** Octets of one line; quoted strings have up to 1024 (RFC 5804 section 4). */
const LINE_BYTES = 16 * 1024;
/** Arguments of the longest command there is, and some more to say so. */
const MAX_ARGUMENTS = 4;
/** Octets of a literal that is too large which are swallowed to stay in step, as a multiple of what is allowed. */
const SWALLOW_FACTOR = 4;

/** Read a command with its literals. Throws SieveFault when it is none and the session is still in step, SessionEnd else. */
export async function readCommand(session: AccountSession, bounds: CommandBounds): Promise<ReadCommand> {
  const scan = scanner(await line(session));
  let fault = scan.fault(/^[A-Za-z]+/, 'expected a command');
  const name = fault === undefined ? scan.taken.toUpperCase() : '';
  const args: Argument[] = [];
  let left = bounds.literalBytes;
  for (;;) {
    if (fault === undefined && !scan.atEnd && args.length >= MAX_ARGUMENTS) fault = 'too many arguments';
    if (fault !== undefined) {
      // Literals of a command that is wrong must not be taken for commands.
      await swallow(session, scan.literalAtEnd(), bounds);
      throw new SieveFault(fault);
    }
    if (scan.atEnd) return { name, args };
    const argument = scan.argument();
    if (argument === undefined) fault = 'expected a string, a number or the end of the line';
    else if (argument.kind !== 'literal') args.push(argument);
    else if (argument.size > left) {
      await swallow(session, argument.size, bounds);
      throw new SieveFault(`a literal may have ${bounds.literalBytes} octets here`, 'QUOTA/MAXSIZE');
    } else {
      left -= argument.size;
      args.push({ kind: 'string', octets: await octets(session, argument.size) });
      scan.go(await line(session));
    }
  }
}

/** A string by itself: a response to a challenge of SASL. */
export async function readString(session: AccountSession, max: number): Promise<Buffer> {
  const scan = scanner(` ${await line(session)}`);
  const argument = scan.argument();
  if (argument?.kind === 'literal') {
    if (argument.size > max) throw new SessionEnd('response too long', 'Response too long');
    const given = await octets(session, argument.size);
    scan.go(await line(session));
    if (!scan.atEnd) throw notAString(scan);
    return given;
  }
  if (argument?.kind !== 'string' || !scan.atEnd) throw notAString(scan);
  return argument.octets;
}

/** What follows a literal that nobody has asked for must not be taken for commands. */
function notAString(scan: { literalAtEnd(): number | undefined }): Error {
  return scan.literalAtEnd() === undefined
    ? new SieveFault('expected a string')
    : new SessionEnd('a literal in the wrong place', 'Expected a string');
}

async function line(session: AccountSession): Promise<string> {
  const read = await readLine(session, LINE_BYTES);
  // What stood at its end is unknown: a literal may follow.
  if (read === undefined) throw new SessionEnd('command line too long', 'Command line too long');
  return read.toString('latin1');
}

async function octets(session: AccountSession, size: number): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of nextOctets(session, size, () => silenceLimit(session)))
    all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

/** Throw away a literal, those that follow it, and the end of the line. */
async function swallow(
  session: AccountSession,
  size: number | undefined,
  { literalBytes }: CommandBounds,
): Promise<void> {
  let left = literalBytes * SWALLOW_FACTOR;
  for (let next = size; next !== undefined; ) {
    if (next > left)
      throw new SessionEnd('literal too large', 'That is too much: no literal may be so large');
    left -= next;
    for await (const piece of nextOctets(session, next, () => silenceLimit(session))) void piece;
    next = scanner(await line(session)).literalAtEnd();
  }
}

type Scanned = Argument | { readonly kind: 'literal'; readonly size: number };

function scanner(first: string) {
  let text = first;
  let at = 0;
  let taken = '';

  function take(pattern: RegExp): boolean {
    const found = pattern.exec(text.slice(at, at + LINE_BYTES));
    if (found === null) return false;
    [taken] = found;
    at += taken.length;
    return true;
  }

  /** A quoted string, its opening quote taken; undefined when it does not end. */
  function quoted(): Buffer | undefined {
    let value = '';
    for (; at < text.length; at++) {
      const character = text[at] ?? '';
      if (character === '"') {
        at++;
        return Buffer.from(value, 'latin1');
      }
      if (character === '\\') at++;
      value += text[at] ?? '';
    }
    return undefined;
  }

  return {
    get taken() {
      return taken;
    },
    get atEnd() {
      return at >= text.length;
    },
    go(next: string): void {
      text = next;
      at = 0;
    },
    fault: (pattern: RegExp, message: string): string | undefined => (take(pattern) ? undefined : message),
    argument(): Scanned | undefined {
      if (!take(/^ +/)) return undefined;
      if (take(/^"/)) {
        const value = quoted();
        return value && { kind: 'string', octets: value };
      }
      // RFC 5804 section 4: clients send non-synchronizing literals only, at the end of a line.
      if (take(/^\{\d{1,10}\+?\}$/)) return { kind: 'literal', size: Number(taken.replace(/\D/g, '')) };
      if (take(/^\d{1,10}(?= |$)/)) return { kind: 'number', value: Number(taken) };
      return undefined;
    },
    literalAtEnd(): number | undefined {
      const found = /\{(\d{1,10})\+?\}$/.exec(text.slice(-16));
      return found?.[1] === undefined ? undefined : Number(found[1]);
    },
  };
}
