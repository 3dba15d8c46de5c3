/**
 * `postern relay` under load: `node bench/relay.ts [--messages N] [--size N] [--clients N] [--latency MS] [--rounds N]`.
 * 5,000 messages of 10 KB over 20 client connections to an emulator of SES that takes 50 ms to answer, with and without a
 * spool. Emulator and relay are processes of their own; the client is Postfix's smtp-source where it is installed, else one
 * of ours. There is no peer: aws-smtp-relay has to be built with Go and the modules it needs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { cpuMsOf } from './support/cpu.ts';
import { median } from './support/figures.ts';
import { memoryOf } from './support/memory.ts';
import { exitOf, run } from './support/processes.ts';
import { defer, undoAll, undoOnSignals } from './support/resources.ts';
import { SmtpClient } from './support/smtp.ts';

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '5000' },
    size: { type: 'string', default: '10240' },
    clients: { type: 'string', default: '20' },
    latency: { type: 'string', default: '50' },
    rounds: { type: 'string', default: '3' },
  },
});
const MESSAGES = Number(flags.messages);
const SIZE = Number(flags.size);
const CLIENTS = Number(flags.clients);
const LATENCY_MS = Number(flags.latency);
const SOURCE = '/usr/sbin/smtp-source';
/** Milliseconds between two looks at the memory. */
const LOOK_MS = 100;
const PATIENCE_MS = 300_000;
const PORT = 19_025;

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Figures {
  /** Messages a second that clients had answered with 250. */
  readonly answered: number;
  /** Messages a second that SES had. */
  readonly sent: number;
  /** Milliseconds of a processor that the relay took for a message. */
  readonly cpu: number;
  /** MiB. */
  readonly idle: number;
  readonly peak: number;
}

undoOnSignals();
try {
  await main();
} finally {
  await undoAll();
}

async function main(): Promise<void> {
  const client = existsSync(SOURCE)
    ? 'smtp-source'
    : 'a client of ours (smtp-source of Postfix is not installed)';
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
  );
  console.log(
    `${MESSAGES} messages of ${SIZE} octets, ${CLIENTS} connections, SES answers after ${LATENCY_MS} ms; client: ${client}`,
  );
  console.log(
    `what waiting alone allows without a spool: ${Math.round((CLIENTS * 1000) / LATENCY_MS)} messages/s\n`,
  );
  console.log('| relay | answered/s | at SES/s | CPU ms/message | RSS idle MiB | RSS peak MiB |');
  console.log('|---|---|---|---|---|---|');
  for (const spooled of [false, true]) {
    const rounds: Figures[] = [];
    for (let i = 0; i < Number(flags.rounds); i++) rounds.push(await round(spooled));
    const of = (name: keyof Figures, digits = 0): string =>
      median(rounds.map((one) => one[name])).toFixed(digits);
    const name = spooled ? 'with --spool' : 'without';
    const speed = `${of('answered')} | ${of('sent')} | ${of('cpu', 1)}`;
    console.log(`| ${name} | ${speed} | ${of('idle')} | ${of('peak')} |`);
  }
}

async function round(spooled: boolean): Promise<Figures> {
  const spool = await mkdtemp(join(tmpdir(), 'postern-relay-bench-'));
  const clean = defer(() => rm(spool, { recursive: true, force: true }));
  const aws = await startEmulator();
  const { child, lines, stop } = await startRelay(aws.settings, spooled ? ['--spool', spool] : []);
  const memory = (): number => memoryOf([child.pid ?? 0]).rss / 1_048_576;
  const idle = memory();
  let peak = idle;
  const looking = setInterval(() => (peak = Math.max(peak, memory())), LOOK_MS);
  const cpuBefore = cpuMsOf([child.pid ?? 0]);
  const from = systemClock.monotonic();
  await load();
  const answeredMs = systemClock.monotonic() - from;
  while (lines() < MESSAGES) {
    if (systemClock.monotonic() - from > PATIENCE_MS) throw new Error(`only ${lines()} messages reached SES`);
    await systemClock.sleep(5);
  }
  const sentMs = systemClock.monotonic() - from;
  clearInterval(looking);
  const cpu = (cpuMsOf([child.pid ?? 0]) - cpuBefore) / MESSAGES;
  await stop();
  const sent = await aws.stop();
  if (sent !== MESSAGES) throw new Error(`${sent} messages at SES, not ${MESSAGES}`);
  await clean();
  return { answered: (MESSAGES * 1000) / answeredMs, sent: (MESSAGES * 1000) / sentMs, cpu, idle, peak };
}

interface AwsAccess {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

async function startEmulator(): Promise<{ settings: AwsAccess; stop: () => Promise<number> }> {
  const options = { keepRaw: false, ses: { latencyMs: LATENCY_MS, identities: ['example.org'] } };
  const child = spawn(process.execPath, [file('../test/support/aws/main.ts'), JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  defer(async () => void child.kill('SIGKILL'));
  let said = '';
  const told = new Promise<void>((resolve) => {
    child.stdout.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('\n')) resolve();
    });
  });
  await told;
  return {
    settings: JSON.parse(said) as AwsAccess,
    async stop() {
      const ended = exitOf(child);
      child.kill('SIGTERM');
      await ended;
      return (JSON.parse(said.trim().split('\n')[1] ?? '{}') as { sent: number }).sent;
    },
  };
}

async function startRelay(
  { region, endpoint, credentials }: AwsAccess,
  more: readonly string[],
): Promise<{ child: ChildProcess; lines: () => number; stop: () => Promise<void> }> {
  const args = [
    'relay',
    '-a',
    `127.0.0.1:${PORT}`,
    '-h',
    'relay.example',
    '--metrics-listen',
    'off',
    ...more,
  ];
  const child = spawn(process.execPath, [file('../src/app/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      AWS_REGION: region,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      NODE_ENV: 'production',
    },
  });
  defer(async () => void child.kill('SIGKILL'));
  let lines = 0;
  child.stdout.on('data', (text: Buffer) => {
    for (const octet of text) if (octet === 10) lines++;
  });
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stderr.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('listening on')) resolve();
    });
    child.once('exit', () => reject(new Error(`the relay did not start: ${said}`)));
  });
  const ended = exitOf(child);
  return {
    child,
    lines: () => lines,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Send all messages; resolves when the last is answered. */
async function load(): Promise<void> {
  if (existsSync(SOURCE)) {
    const counts = ['-m', String(MESSAGES), '-l', String(SIZE), '-s', String(CLIENTS)];
    const envelope = ['-f', 'a@example.org', '-t', 'bob@example.net', '-M', 'client.example'];
    await run(SOURCE, ['-d', ...counts, ...envelope, `inet:127.0.0.1:${PORT}`]);
    return;
  }
  let left = MESSAGES;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const client = await SmtpClient.open(PORT);
      while (left-- > 0) await client.send('a@example.org', 'bob@example.net', message(left));
      client.close();
    }),
  );
}

function message(serial: number): Buffer {
  const header = `From: a@example.org\r\nTo: bob@example.net\r\nMessage-ID: <${serial}@example.org>\r\n\r\n`;
  const line = `${'x'.repeat(70)}\r\n`;
  return Buffer.from(`${header}${line.repeat(Math.ceil((SIZE - header.length) / line.length))}.\r\n`);
}
