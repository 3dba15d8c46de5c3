/**
 * Postern with its filter on beside Postfix + rspamd + Dovecot: `node bench/filter.ts --mail FOLDER`. Needs what
 * bench/mail.ts needs and Debian's rspamd and redis-server; who is missing is left out with a notice. All listens on
 * 127.0.0.1, works in a temporary directory and is stopped at the end. docs/performance.md ("With the filter on")
 * explains the cells and keeps a run's figures.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { generateKeyPair } from '../src/mail/dkim/keys.ts';
import { type BenchDns, startDns } from './support/filter/dns.ts';
import { measureLatency } from './support/filter/latency.ts';
import {
  type Letter,
  type MakeOptions,
  makeLetters,
  type RawLetter,
  readLetters,
} from './support/filter/mail.ts';
import { startFilteredPeer } from './support/filter/peer.ts';
import { startFilteredPostern } from './support/filter/postern.ts';
import { measureRates } from './support/filter/rates.ts';
import type { FilteredSystem } from './support/filter/system.ts';
import { Figures, quantile } from './support/figures.ts';
import { freeBase, PORTS_EACH } from './support/ports.ts';
import { run } from './support/processes.ts';
import { defer, isStopping, refuseWhenStopping, undoAll, undoOnSignals } from './support/resources.ts';
import type { Setup } from './support/system.ts';

const MiB = 2 ** 20;
const SESSIONS = 20;
const WARM_UP = 1500;
const LESSONS = 1200;
const KEPT = 'kept connections';
const EACH = 'a connection each';
const SIZES = [5, 25];
/** Nothing that any filter would put into Junk: its notice is waited for. */
const PLAIN: RawLetter = {
  from: 'ann@plain.test',
  domain: 'plain.test',
  header:
    'From: Ann <ann@plain.test>\r\nTo: Bob <bob@example.test>\r\nSubject: Lunch\r\nDate: Mon, 1 Jun 2026 12:00:00 +0000\r\n',
  body: 'Hello Bob,\r\n\r\nshall we meet for lunch on Tuesday? I will bring the minutes of the last meeting.\r\n\r\nAnn\r\n',
  label: undefined,
};

const { values: flags } = parseArgs({
  options: {
    mail: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '2000' },
    large: { type: 'string', default: '10' },
    signed: { type: 'string', default: '0.6' },
    only: { type: 'string', default: 'kept,each,latency' },
    system: { type: 'string', default: 'postern,rspamd' },
    dir: { type: 'string', default: tmpdir() },
    'port-base': { type: 'string', default: '30000' },
    'cpu-prof': { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `node bench/filter.ts --mail FOLDER [OPTIONS]

  --mail FOLDER       real messages, a file each; folders "ham" and "spam" in it are what Bayes learns
  --rounds N          rounds, the systems in turn (3)
  --messages N        messages of a round (2000)
  --large N           large messages while latency is measured (10)
  --signed SHARE      of the messages carry a DKIM signature that holds (0.6)
  --only NAME,...     kept, each, latency
  --system NAME,...   postern, rspamd (Postfix + rspamd + Dovecot), plain (Postfix + Dovecot), off (Postern, filter off)
  --dir DIR           where the temporary directory is made (${tmpdir()})
  --port-base N       the first free ports from N on are used (30000)
  --cpu-prof DIR      write CPU profiles of Postern there
`;

/** What all cells work with. */
interface Bench {
  readonly dir: string;
  readonly dns: BenchDns;
  readonly raw: readonly RawLetter[];
  readonly make: Omit<MakeOptions, 'count'>;
  readonly keyFile: string;
  readonly figures: Figures;
}

async function main(): Promise<void> {
  undoOnSignals();
  const dir = await mkdtemp(join(flags.dir, 'postern-filter-bench-'));
  defer(() => rm(dir, { recursive: true, force: true }));
  try {
    await chmod(dir, 0o755);
    const bench = await prepare(dir);
    const systems: FilteredSystem[] = [];
    for (const name of flags.system.split(',')) {
      const system = await startNamed(bench, name);
      if (system !== undefined) systems.push(system);
    }
    await measureAll(bench, systems);
    for (const system of systems) await system.stop();
    console.log(
      `\nmin / median / max of the rounds; the ratio is of medians, over 1 is better for the first\n`,
    );
    console.log(bench.figures.table(systems.map(({ name }) => name)));
  } finally {
    await undoAll();
  }
}

async function prepare(dir: string): Promise<Bench> {
  const key = await generateKeyPair('rsa-sha256');
  const keyFile = join(dir, 'key.pem');
  await writeFile(keyFile, key.privatePem);
  const raw = readLetters(flags.mail, 4000);
  if (raw.length < 100) throw new Error(`${flags.mail}: only ${raw.length} messages that can be used`);
  const octets = raw.reduce((sum, { header, body }) => sum + header.length + body.length, 0);
  console.log(`${raw.length} messages of ${(octets / raw.length / 1024).toFixed(1)} KiB on average`);
  const make = { key, signed: Number(flags.signed), nowMs: systemClock.now() };
  return { dir, dns: await startDns(key), raw, make, keyFile, figures: new Figures() };
}

let started = 0;

async function setupFor(bench: Bench, name: string): Promise<Setup> {
  refuseWhenStopping();
  const portBase = await freeBase(Number(flags['port-base']) + PORTS_EACH * started);
  const dir = join(bench.dir, `${name}${started++}`);
  await mkdir(dir);
  const profile = flags['cpu-prof'];
  const nodeFlags = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  return { dir, portBase, accounts: 2, relayPort: portBase + 999, mailFormat: 'sdbox', nodeFlags };
}

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  rspamd: ['postfix', 'dovecot', 'rspamd', 'redis-server'],
  plain: ['postfix', 'dovecot'],
};

/** Undefined, with a notice, when it cannot run here. */
async function startNamed(bench: Bench, name: string): Promise<FilteredSystem | undefined> {
  const missing: string[] = [];
  for (const command of PROGRAMS[name] ?? []) {
    if ((await run('sh', ['-c', `command -v ${command}`], { allowFailure: true })).code !== 0)
      missing.push(command);
  }
  if (PROGRAMS[name] !== undefined && process.getuid?.() !== 0) missing.push('root');
  if (missing.length > 0) {
    console.log(`${name} is left out: it needs ${missing.join(', ')}`);
    return undefined;
  }
  const setup = await setupFor(bench, name);
  const { port } = bench.dns;
  if (name === 'postern' || name === 'off') return startFilteredPostern(setup, port, name === 'postern');
  if (name === 'plain') return startFilteredPeer(setup, port, undefined);
  if (name === 'rspamd') return startFilteredPeer(setup, port, bench.raw.slice(-LESSONS));
  throw new Error(`there is no system "${name}"`);
}

async function measureAll(bench: Bench, systems: readonly FilteredSystem[]): Promise<void> {
  const cells = flags.only.split(',');
  const warm = await makeLetters(bench.raw, { ...bench.make, count: WARM_UP });
  for (const system of systems) await measureRates(system, { letters: warm, sessions: SESSIONS, kept: true });
  for (const [cell, title, kept] of [
    ['kept', KEPT, true],
    ['each', EACH, false],
  ] as const) {
    if (!cells.includes(cell)) continue;
    for (let round = 0; round < Number(flags.rounds) && !isStopping(); round++) {
      const count = Number(flags.messages);
      const letters = await makeLetters(bench.raw, { ...bench.make, nowMs: systemClock.now(), count });
      const turn = round % 2 === 0 ? systems : systems.toReversed();
      for (const system of turn) await rate(bench, title, system, letters, kept);
    }
  }
  if (cells.includes('latency')) {
    const small = await makeLetters([PLAIN], { ...bench.make, signed: 1, count: 200 });
    await latencies(bench, systems, small);
  }
}

async function rate(
  { figures, dns }: Bench,
  title: string,
  system: FilteredSystem,
  letters: readonly Letter[],
  kept: boolean,
): Promise<void> {
  const asked = await dns.asked();
  const rates = await measureRates(system, { letters, sessions: SESSIONS, kept });
  const questions = ((await dns.asked()) - asked) / letters.length;
  const { name } = system;
  figures.add(name, title, 'accepted', 'messages/s', true, rates.accepted);
  figures.add(name, title, 'delivered', 'messages/s', true, rates.delivered);
  figures.add(name, title, 'CPU of all processes', 'ms/message', false, rates.cpuMs);
  figures.add(name, title, 'questions to DNS', 'a message', false, questions);
  figures.add(name, title, 'memory: PSS', 'MiB', false, rates.memory.pss / MiB);
  figures.add(name, title, 'memory: processes', 'number', false, rates.memory.processes);
  if (!Number.isNaN(rates.junk)) figures.add(name, title, 'into Junk', '%', false, rates.junk * 100);
  const threads = [...rates.threads].slice(0, 5).map(([thread, ms]) => `${thread} ${ms.toFixed(2)}`);
  console.log(
    `  ${name}, ${title}: ${rates.accepted.toFixed(0)} accepted/s, ${rates.delivered.toFixed(0)} delivered/s, ` +
      `${rates.cpuMs.toFixed(2)} ms CPU, ${questions.toFixed(1)} questions` +
      (name.startsWith('Postern') ? ` (${threads.join(', ')})` : ''),
  );
}

async function latencies(
  bench: Bench,
  systems: readonly FilteredSystem[],
  small: readonly Letter[],
): Promise<void> {
  for (const system of systems) {
    await latency(bench, system, small, 'no large messages', undefined);
    for (const size of SIZES) {
      if (isStopping()) return;
      const count = Math.ceil((Number(flags.large) * 25) / size);
      await latency(bench, system, small, `${size} MB messages`, {
        octets: size * 1e6,
        count,
        keyFile: bench.keyFile,
      });
    }
  }
}

async function latency(
  { figures }: Bench,
  system: FilteredSystem,
  small: readonly Letter[],
  title: string,
  disturbance: Parameters<typeof measureLatency>[2],
): Promise<void> {
  const { noops, echoes, notices, loop } = await measureLatency(system, small, disturbance);
  const { name } = system;
  const cell = `while ${title} arrive`;
  for (const [what, values] of [
    ['NOOP', noops],
    ['the machine alone', echoes],
    ['250 to IDLE notice', notices],
  ] as const) {
    figures.add(name, cell, `${what}: median`, 'ms', false, quantile(values, 0.5));
    figures.add(name, cell, `${what}: 99 %`, 'ms', false, quantile(values, 0.99));
    figures.add(name, cell, `${what}: worst`, 'ms', false, Math.max(...values));
  }
  if (loop !== undefined) {
    figures.add(name, cell, 'event loop held: 99 %', 'ms', false, loop.p99);
    figures.add(name, cell, 'event loop held: worst', 'ms', false, loop.worst);
    figures.add(name, cell, 'CPU of the event loop in one turn: worst', 'ms', false, loop.worstCpu);
  }
  console.log(
    `  ${name}, ${cell}: NOOP 99 % ${quantile(noops, 0.99).toFixed(1)}, worst ${Math.max(...noops).toFixed(1)} of ${noops.length}; ` +
      `the machine alone 99 % ${quantile(echoes, 0.99).toFixed(1)}, worst ${Math.max(...echoes).toFixed(1)}; ` +
      `notice 99 % ${quantile(notices, 0.99).toFixed(1)}, worst ${Math.max(...notices).toFixed(1)} of ${notices.length}` +
      (loop === undefined
        ? ''
        : `; loop 99 % ${loop.p99.toFixed(1)}, worst ${loop.worst.toFixed(1)}, CPU ${loop.worstCpu.toFixed(1)}`),
  );
}

if (flags.help || flags.mail === '') console.log(HELP);
else await main();
