import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.ts';

/** Milliseconds a process gets between TERM and KILL. */
const GRACE_MS = 10_000;
const POLL_MS = 20;

export interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From start to exit. */
  readonly ms: number;
}

/** Run a program to its end. Throws when it fails, unless `allowFailure`. */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    readonly input?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly allowFailure?: boolean;
  } = {},
): Promise<Output> {
  const from = systemClock.monotonic();
  const child = spawn(command, args, { stdio: 'pipe', env: options.env ?? process.env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const code = await exitOf(child);
  const output = { code, stdout, stderr, ms: systemClock.monotonic() - from };
  if (code !== 0 && options.allowFailure !== true) {
    throw new Error(`${command} ${args.join(' ')}: exit ${code}: ${(stderr || stdout).trim().slice(-2000)}`);
  }
  return output;
}

/** Resolves with the exit code (null when a signal ended it); throws when it cannot be started. */
export function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
}

export function isAlive(pid: number): boolean {
  try {
    // A zombie still takes signals; it is not alive for us.
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** A process and all that descend from it, from one walk of /proc. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(Number(name));
    if (parent === undefined) continue;
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = isAlive(root) ? [root] : [];
  for (let i = 0; i < found.length; i++) found.push(...(children.get(found[i] ?? 0) ?? []));
  return found;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // "pid (name) state ppid ...", where the name may hold anything.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** TERM to one process, then wait for it and its descendants; KILL to those that stay. */
export async function stopTree(root: number, graceMs = GRACE_MS): Promise<void> {
  const pids = treeOf(root);
  signal(root, 'SIGTERM');
  const end = systemClock.monotonic() + graceMs;
  while (pids.some(isAlive) && systemClock.monotonic() < end) await systemClock.sleep(POLL_MS);
  for (const pid of pids) if (isAlive(pid)) signal(pid, 'SIGKILL');
  while (pids.some(isAlive)) await systemClock.sleep(POLL_MS);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}

/** Poll until `ready` says so. Throws with `what` after `timeoutMs`. */
export async function until(
  what: string,
  timeoutMs: number,
  pollMs: number,
  ready: () => boolean | Promise<boolean>,
): Promise<void> {
  const end = systemClock.monotonic() + timeoutMs;
  while (!(await ready())) {
    if (systemClock.monotonic() > end) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await systemClock.sleep(pollMs);
  }
}
