import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Milliseconds a start may take on a busy machine, under strace too. */
const START_MS = 60_000;
const ROOT = resolve(import.meta.dirname, '../..');
/** Below the ports that the system hands out by itself, above what services usually have. */
const BASES = { first: 12_000, count: 160, step: 100 };

/** The try-out (`npm start`) as a process of its own, that can be killed. */
export interface TryServer {
  readonly ports: Readonly<
    Record<'smtp' | 'lmtp' | 'http' | 'imap' | 'imaps' | 'submission' | 'submissions', number>
  >;
  readonly directory: string;
  /** Of the server itself, not of what runs it. */
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  /** Send a signal to the server; resolves when it has gone, with its exit status (null: killed). */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** The sum of a metric's values over its labels. */
  metric(name: string): Promise<number>;
}

export interface TryServerOptions {
  readonly directory: string;
  /** Further options of `try`. */
  readonly args?: readonly string[];
  /** What runs Node: `strace` and its options. */
  readonly under?: readonly string[];
  /** What is run instead of src/app/main.ts. */
  readonly program?: readonly string[];
  readonly cwd?: string;
}

/** Start it on free ports and wait until it says that it runs. */
export async function startTryServer(options: TryServerOptions): Promise<TryServer> {
  for (let attempt = 0; ; attempt++) {
    const base = BASES.first + BASES.step * Math.floor(Math.random() * BASES.count);
    try {
      return await start(options, base);
    } catch (error) {
      if (attempt >= 10 || !String(error).includes(' is taken')) throw error;
    }
  }
}

async function start(options: TryServerOptions, base: number): Promise<TryServer> {
  const program = options.program ?? [process.execPath, join(ROOT, 'src/app/main.ts')];
  const command = [
    ...(options.under ?? []),
    ...program,
    'try',
    '--data',
    options.directory,
    '--port-base',
    `${base}`,
  ];
  const [file = '', ...args] = [...command, ...(options.args ?? [])];
  const child = spawn(file, args, { cwd: options.cwd ?? ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const exit = new Promise<number | null>((done) => child.once('close', done));
  await ready(child, exit, (text) => {
    output += text;
    return output;
  });
  const pid = Number(readFileSync(join(options.directory, 'pid'), 'latin1'));
  const ports = {
    smtp: base + 25,
    lmtp: base + 24,
    http: base + 80,
    imap: base + 143,
    imaps: base + 993,
    submission: base + 587,
    submissions: base + 465,
  };
  return {
    ports,
    directory: options.directory,
    pid,
    output: () => output,
    end(signal) {
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, signal);
      return exit;
    },
    async metric(name) {
      const text = await (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text();
      const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
      return values.reduce((sum, match) => sum + Number(match[1]), 0);
    },
  };
}

function ready(
  child: ChildProcess,
  exit: Promise<number | null>,
  add: (text: string) => string,
): Promise<void> {
  return new Promise((done, fail) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      fail(new Error(`the server does not start: ${add('')}`));
    }, START_MS);
    const look = (chunk: Buffer): void => {
      if (!add(chunk.toString('utf8')).includes('Ctrl-C stops it.')) return;
      clearTimeout(late);
      done();
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
    child.once('error', fail);
    void exit.then((status) => {
      clearTimeout(late);
      fail(new Error(`the server ended with ${status}: ${add('')}`));
    });
  });
}
