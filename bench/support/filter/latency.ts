import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.ts';
import { ImapClient } from '../imap.ts';
import { LineClient } from '../line-client.ts';
import { exitOf, stopTree } from '../processes.ts';
import { defer } from '../resources.ts';
import { ProxiedClient } from './client.ts';
import type { Letter } from './mail.ts';
import type { LoopDelay } from './postern.main.ts';
import type { FilteredSystem } from './system.ts';

const SENDER = fileURLToPath(new URL('./send-large.main.ts', import.meta.url));
const ECHO = fileURLToPath(new URL('./echo.main.ts', import.meta.url));
const NOOP_EVERY_MS = 5;
const NOTICE_EVERY_MS = 100;
/** After so long without a notice there is none. */
const LOST_MS = 20_000;
/** How long is watched when nothing is sent. */
const QUIET_MS = 3000;

/** What a person with an open mailbox notices while something arrives; milliseconds. */
export interface Latency {
  /** Of NOOP, there and back. */
  readonly noops: readonly number[];
  /** Of a line to a process that does nothing else and back: what of it is the machine's and the bench's own doing. */
  readonly echoes: readonly number[];
  /** From the 250 of a small message to the notice of an IDLE session. */
  readonly notices: readonly number[];
  readonly loop: LoopDelay | undefined;
}

/** How large messages are sent meanwhile. None: how it is without them. */
export interface Disturbance {
  readonly octets: number;
  readonly count: number;
  readonly keyFile: string;
}

/** Large messages to the first account; watched by the second one. */
export async function measureLatency(
  system: FilteredSystem,
  small: readonly Letter[],
  disturbance: Disturbance | undefined,
): Promise<Latency> {
  const [victim, watcher] = system.accounts;
  if (victim === undefined || watcher === undefined) throw new Error('two accounts are needed');
  const over =
    disturbance === undefined
      ? () => systemClock.sleep(QUIET_MS)
      : await disturb(system, victim.address, disturbance);
  const state = { running: true };
  const echo = await startEcho();
  system.watchLoop?.();
  const echoes = timeEchoes(echo.port, state);
  const noops = timeNoops(system, state);
  const notices = timeNotices(system, small, state);
  await over();
  state.running = false;
  const result = { noops: await noops, notices: await notices, echoes: await echoes };
  await echo.stop();
  return { ...result, loop: await system.loopDelay?.() };
}

/** Makes ready to send; what it gives sends, and ends with the last 250. */
async function disturb(
  { ports }: FilteredSystem,
  to: string,
  { octets, count, keyFile }: Disturbance,
): Promise<() => Promise<void>> {
  const child = fork(SENDER, [`${ports.smtp}`, to, `${octets}`, `${count}`, keyFile], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const stop = defer(() => stopTree(child.pid ?? 0));
  const exit = exitOf(child);
  await once(child, 'message');
  return async () => {
    child.send('go');
    const code = await exit;
    await stop();
    if (code !== 0) throw new Error('large messages were not taken');
  };
}

async function timeNoops(
  { ports, accounts }: FilteredSystem,
  state: { running: boolean },
): Promise<number[]> {
  const [, account] = accounts;
  if (account === undefined) return [];
  const client = await ImapClient.login(ports.imap, account);
  const took: number[] = [];
  while (state.running) {
    const from = systemClock.monotonic();
    await client.command('NOOP');
    took.push(systemClock.monotonic() - from);
    await systemClock.sleep(NOOP_EVERY_MS);
  }
  client.close();
  return took;
}

async function startEcho(): Promise<{ port: number; stop: () => Promise<void> }> {
  const child = fork(ECHO, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const stop = defer(() => stopTree(child.pid ?? 0));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { port, stop };
}

async function timeEchoes(port: number, state: { running: boolean }): Promise<number[]> {
  const line = await LineClient.open(port);
  const took: number[] = [];
  while (state.running) {
    const from = systemClock.monotonic();
    line.sendLine('NOOP');
    await line.line();
    took.push(systemClock.monotonic() - from);
    await systemClock.sleep(NOOP_EVERY_MS);
  }
  line.close();
  return took;
}

async function timeNotices(
  { ports, accounts }: FilteredSystem,
  small: readonly Letter[],
  state: { running: boolean },
): Promise<number[]> {
  const [, account] = accounts;
  if (account === undefined) return [];
  const idle = await ImapClient.login(ports.imap, account);
  await idle.command('SELECT INBOX');
  let told: (() => void) | undefined;
  idle.line.sendLine('i IDLE');
  await idle.line.line();
  idle.line.onLine = (line) => {
    if (line.endsWith(' EXISTS')) told?.();
  };
  const sender = await ProxiedClient.open(ports.smtp, '203.0.113.77');
  const took: number[] = [];
  for (let n = 0; state.running; n++) {
    const letter = small[n % small.length];
    if (letter === undefined) break;
    const seen = new Promise<number>((resolve) => (told = () => resolve(systemClock.monotonic())));
    await sender.send(account.address, letter);
    const accepted = systemClock.monotonic();
    const noticed = await Promise.race([seen, systemClock.sleep(LOST_MS)]);
    if (noticed === undefined) throw new Error('a message came without notice: was it put into Junk?');
    took.push(Math.max(0, noticed - accepted));
    await systemClock.sleep(NOTICE_EVERY_MS);
  }
  sender.close();
  idle.close();
  return took;
}
