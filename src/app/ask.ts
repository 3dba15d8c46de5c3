import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { Refusal } from '../base/errors.ts';

/** Questions to the person at the terminal. */
export interface Ask {
  /** A line, trimmed; `fallback` when it is empty. Asked again while `wrong` has something to say. */
  line(question: string, fallback: string, wrong?: (answer: string) => string | undefined): Promise<string>;
  /** Typed without echo, twice. Empty: ''. */
  password(question: string): Promise<string>;
  yes(question: string): Promise<boolean>;
  close(): void;
}

/** Ask on stdin and stderr, so that what a command prints can be redirected. */
export function askTerminal(): Ask {
  let muted = false;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!muted) process.stderr.write(chunk);
      done();
    },
  });
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  const question = async (text: string): Promise<string> => {
    try {
      return await terminal.question(text);
    } catch {
      throw new Refusal('bad-input', 'cancelled; nothing was changed');
    }
  };
  terminal.on('SIGINT', () => terminal.close());

  async function hidden(text: string): Promise<string> {
    process.stderr.write(text);
    muted = true;
    try {
      return await question('');
    } finally {
      muted = false;
      process.stderr.write('\n');
    }
  }

  return {
    async line(text, fallback, wrong = () => undefined) {
      for (;;) {
        const answer =
          (await question(`${text}${fallback === '' ? '' : ` [${fallback}]`}: `)).trim() || fallback;
        const problem = wrong(answer);
        if (problem === undefined) return answer;
        process.stderr.write(`  ${problem}\n`);
      }
    },
    async password(text) {
      for (;;) {
        const first = await hidden(`${text}: `);
        if (first === '' || first === (await hidden('The same again: '))) return first;
        process.stderr.write('  They differ.\n');
      }
    },
    async yes(text) {
      return /^(?:|y|yes)$/i.test((await question(`${text} [Y/n]: `)).trim());
    },
    close: () => terminal.close(),
  };
}

/** Octets of a password on stdin. */
const STDIN_BYTES = 4096;

/** The first line of stdin, for `--password-stdin`. Throws a `Refusal` when there is none. */
export async function readPasswordFromStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes('\n') || text.length > STDIN_BYTES) break;
  }
  const password = text.split(/\r?\n/, 1)[0] ?? '';
  if (password === '') throw new Refusal('bad-input', 'there was no password on standard input');
  return password;
}
