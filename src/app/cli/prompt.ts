import { randomToken } from '../../base/ids.ts';
import { type CliIo, UsageError } from './command.ts';

/** Octets read from standard input for one line. */
const LINE_BYTES = 4096;
/** Characters of a generated password: 5 bits each, 100 bits. */
const GENERATED_LENGTH = 20;

const ENTER = /[\r\n]/;
const INTERRUPT = '\u0003';
const END = '\u0004';
const ERASE_LINE = '\u0015';
const ERASE = ['\u007f', '\b'];

/** Characters nobody confuses, in groups that can be read out. */
export function generatePassword(): string {
  return (randomToken(GENERATED_LENGTH).match(/.{5}/g) ?? []).join('-');
}

/** The first line of standard input, without its end. */
export async function readLine(io: CliIo): Promise<string> {
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of io.stdin) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    chunks.push(bytes);
    octets += bytes.length;
    if (bytes.includes(10) || octets > LINE_BYTES) break;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const [line = ''] = text.split(/\r?\n/, 1);
  if (octets > LINE_BYTES && line.length > LINE_BYTES)
    throw new UsageError('the line on standard input is too long');
  return line;
}

/** Ask for a line at the terminal; what is typed is not shown. Ctrl-C and Ctrl-D give up. */
export function askSecret(io: CliIo, question: string): Promise<string> {
  const { stdin } = io;
  io.err(question);
  stdin.setRawMode?.(true);
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    const finish = (outcome: () => void): void => {
      stdin.removeListener('data', read);
      stdin.setRawMode?.(false);
      stdin.pause();
      io.err('\n');
      outcome();
    };
    const read = (chunk: Buffer | string): void => {
      for (const char of chunk.toString('utf8')) {
        if (ENTER.test(char)) return finish(() => resolve(typed.join('')));
        if (char === INTERRUPT || char === END)
          return finish(() => reject(new UsageError('given up; nothing was changed')));
        if (char === ERASE_LINE) typed = [];
        else if (ERASE.includes(char)) typed.pop();
        else typed.push(char);
      }
    };
    stdin.on('data', read);
  });
}

/** A question with the answers yes and no; no unless yes is typed. */
export async function confirm(io: CliIo, question: string): Promise<boolean> {
  if (io.stdin.isTTY !== true)
    throw new UsageError('there is no terminal to ask at: say --yes to go on without');
  io.err(`${question} [y/N] `);
  return /^y(es)?$/i.test((await readLine(io)).trim());
}

export interface NewPassword {
  readonly password: string;
  /** It was made here and has to be told to the person. */
  readonly generated: boolean;
}

/** A new password from standard input, from the terminal (twice), or made here. Never from the command line. */
export async function newPassword(
  io: CliIo,
  how: { readonly stdin: boolean; readonly generate: boolean },
): Promise<NewPassword> {
  if (how.stdin && how.generate) throw new UsageError('--password-stdin and --generate exclude each other');
  if (how.stdin) {
    const password = await readLine(io);
    if (password === '') throw new UsageError('there is no password on standard input');
    return { password, generated: false };
  }
  if (how.generate || io.stdin.isTTY !== true) return { password: generatePassword(), generated: true };
  const password = await askSecret(io, 'Password (empty: make one): ');
  if (password === '') return { password: generatePassword(), generated: true };
  if ((await askSecret(io, 'The same again: ')) === password) return { password, generated: false };
  throw new UsageError('the two passwords differ; nothing was changed');
}
