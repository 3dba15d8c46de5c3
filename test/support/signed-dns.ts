/** Zones on Knot DNS, some signed, and Unbound that validates them: DNSSEC as it is in the world, on 127.0.0.1. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import type { Dns } from '../../src/mail/dns.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { cleanEnvironment } from './programs.ts';

export interface ZoneText {
  readonly name: string;
  /** Records in zone file syntax, without SOA and NS. */
  readonly records: string;
  readonly signed: boolean;
  /** Unbound does not trust its keys by itself: the zone above has to vouch for it. */
  readonly anchored?: boolean;
}

export interface SignedDns {
  /** A resolver of ours that believes Unbound's AD bit. */
  readonly dns: Dns;
  stop(): Promise<void>;
}

/** Start both; takes about a second. */
export async function startSignedDns(zones: readonly ZoneText[]): Promise<SignedDns> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-dnssec-'));
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const start = (program: string, args: string[]): void => {
      children.push(spawn(program, args, { stdio: 'ignore', env: cleanEnvironment(directory) }));
    };
    const knotPort = await freePort();
    const conf = await writeKnot(directory, knotPort, zones);
    start('knotd', ['-c', conf]);
    for (const { name } of zones) await answers(knotPort, name);
    const anchors = zones.filter(({ signed, anchored }) => signed && anchored !== false);
    const trust = anchors.flatMap(({ name }) => keysOf(conf, name, directory));
    const port = await freePort();
    start('unbound', ['-c', await writeUnbound(directory, port, knotPort, zones, trust)]);
    for (const { name } of zones) await answers(port, name);
    return { dns: resolverAt(port, true), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeKnot(directory: string, port: number, zones: readonly ZoneText[]): Promise<string> {
  for (const each of ['run', 'db']) await mkdir(join(directory, each));
  const sections: string[] = [];
  for (const { name, records, signed } of zones) {
    const head = `$ORIGIN ${name}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n`;
    await writeFile(join(directory, `${name}.zone`), head + records);
    sections.push(
      `  - domain: ${name}\n    dnssec-signing: ${signed ? 'on' : 'off'}\n    zonefile-sync: -1\n    journal-content: all\n    zonefile-load: difference-no-serial\n`,
    );
  }
  const conf = join(directory, 'knot.conf');
  await writeFile(
    conf,
    `server:
  rundir: ${directory}/run
  listen: 127.0.0.1@${port}
database:
  storage: ${directory}/db
template:
  - id: default
    storage: ${directory}
zone:
${sections.join('')}`,
  );
  return conf;
}

/** DS records of a zone's keys, as Knot made them. */
function keysOf(conf: string, zone: string, directory: string): string[] {
  const text = execFileSync('keymgr', ['-c', conf, zone, 'ds'], {
    env: cleanEnvironment(directory),
  }).toString();
  return text.split('\n').filter((line) => line.includes(' DS '));
}

async function writeUnbound(
  directory: string,
  port: number,
  knotPort: number,
  zones: readonly ZoneText[],
  trust: readonly string[],
): Promise<string> {
  const conf = join(directory, 'unbound.conf');
  await writeFile(
    conf,
    `server:
  interface: 127.0.0.1
  port: ${port}
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  module-config: "validator iterator"
  do-not-query-localhost: no
  local-zone: "test." nodefault
${trust.map((ds) => `  trust-anchor: "${ds.trim()}"\n`).join('')}
${zones.map(({ name }) => `stub-zone:\n  name: "${name}"\n  stub-addr: 127.0.0.1@${knotPort}\n`).join('')}
remote-control:
  control-enable: no
`,
  );
  return conf;
}

function resolverAt(port: number, trusted: boolean): Dns {
  return createResolver({
    servers: [{ address: '127.0.0.1', port, trusted }],
    clock: systemClock,
    limits: { firstTimeoutMs: 1000, failureMs: 0 },
  });
}

/** Wait until a server answers for a zone, whatever it says of it. */
async function answers(port: number, zone: string): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const answer = await resolverAt(port, false).query(zone, 'SOA');
    if (answer.status === 'ok' || (answer.status === 'temporary' && answer.reason.startsWith('SERVFAIL')))
      return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no DNS server came up for ${zone} on port ${port}`);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
}
