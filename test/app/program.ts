import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The program as a child process, as a person would start it. */

const MAIN = fileURLToPath(new URL('../../src/app/main.ts', import.meta.url));
/** Milliseconds until a test that waits for the program in vain fails. */
const PATIENCE_MS = 60_000;

/** Milliseconds until a program that should end by itself is killed. */
export const KILL_MS = 60_000;

export interface Program {
  readonly child: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Resolves when stdout matches; rejects when the program ends before. */
  shows(pattern: RegExp): Promise<void>;
  /** Exit status, or the signal's name. */
  readonly ended: Promise<number | string>;
}

export interface ProgramOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Run a wrapper instead: `[command, ...args]` go in front of node. */
  readonly uid?: number;
  readonly gid?: number;
  /** Milliseconds after which it is killed whatever it does. */
  readonly killAfterMs?: number;
}

const running = new Set<ChildProcess>();
/** What a failed test leaves behind would keep the whole run waiting. */
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

export function program(args: readonly string[], options: ProgramOptions = {}): Program {
  const { env, cwd, stdin, uid, gid, killAfterMs } = options;
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(POSTERN_|npm_|INIT_CWD)/.test(name)),
  );
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...inherited, ...env },
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid, gid: gid ?? uid }),
  });
  running.add(child);
  const late = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  child.stdin.end(stdin ?? '');
  let stdout = '';
  let stderr = '';
  let changed: () => void = () => undefined;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    changed();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(child);
      clearTimeout(late);
      resolve(code ?? signal ?? 'unknown');
      changed();
    });
  });
  return {
    child,
    ended,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    shows(pattern) {
      return new Promise((resolve, reject) => {
        const late = setTimeout(
          () => reject(new Error(`no ${pattern} in:\n${stdout}${stderr}`)),
          PATIENCE_MS,
        );
        changed = () => {
          const over = child.exitCode !== null || child.signalCode !== null;
          if (!pattern.test(stdout) && !over) return;
          clearTimeout(late);
          if (pattern.test(stdout)) resolve();
          else reject(new Error(`ended without ${pattern}:\n${stdout}${stderr}`));
        };
        changed();
      });
    },
  };
}

/** Run to its end; what it printed and its status. */
export async function runProgram(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<{ status: number | string; stdout: string; stderr: string }> {
  const started = program(args, options);
  const status = await started.ended;
  return { status, stdout: started.stdout, stderr: started.stderr };
}

/** One line on stderr, without a stack, status 1. */
export function assertOneLine(result: { status: number | string; stderr: string }, pattern: RegExp): void {
  assert.match(result.stderr, pattern);
  assert.equal(result.stderr.trimEnd().split('\n').length, 1, `more than one line:\n${result.stderr}`);
  assert.equal(result.status, 1);
}

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

/** A temporary directory that goes when the test ends. */
export async function scratch(): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), 'postern-app-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export const PORTS = [24, 25, 80, 143, 443, 465, 587, 993, 4190];

/** An N for --port-base whose ports are free now. */
export async function freePortBase(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    // All of them below the ports that systems give away on their own, or a connection may take one meanwhile.
    const base = 10_000 + Math.floor(Math.random() * 14_000);
    const free = await Promise.all(PORTS.map((port) => isFree(base + port)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free range of ports');
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** A free port of 127.0.0.1. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
