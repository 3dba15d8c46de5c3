import { spawn } from 'node:child_process';
import { systemClock } from '../../src/base/clock.ts';
import { greeting } from './line-client.ts';
import { exitOf, stopTree } from './processes.ts';
import { defer } from './resources.ts';

export interface Sink {
  /** Messages received so far. */
  count(): number;
  /** Monotonic milliseconds of the last message. */
  lastAt(): number;
  stop(): Promise<void>;
}

/** Postfix's smtp-sink, which throws mail away and counts it. */
export async function startSink(port: number): Promise<Sink> {
  const asRoot = process.getuid?.() === 0 ? ['-u', 'postfix'] : [];
  const child = spawn('smtp-sink', ['-4', '-c', ...asRoot, `127.0.0.1:${port}`, '1024'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = exitOf(child);
  exit.catch(() => undefined);
  let count = 0;
  let lastAt = 0;
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    const last = [...text.matchAll(/mesg=\s*(\d+)/g)].at(-1);
    if (last === undefined || Number(last[1]) === count) return;
    count = Number(last[1]);
    lastAt = systemClock.monotonic();
  });
  const stop = defer(() => stopTree(child.pid ?? 0));
  await greeting(port, '220');
  return { count: () => count, lastAt: () => lastAt, stop };
}
