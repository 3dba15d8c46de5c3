/** Zones on Knot DNS, asked through Unbound: DNS as it is in the world, on 127.0.0.0/8, for the doctor to look at. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import type { Dns } from '../../src/mail/dns.ts';
import type { DnsServer } from '../../src/net/dns/resolv-conf.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { cleanEnvironment } from '../support/programs.ts';

export interface TestZone {
  readonly name: string;
  /** Records in zone file syntax, without SOA; without NS `ns` (127.0.0.1) serves it. */
  readonly records: string;
  readonly signed?: boolean;
  /** Unbound is told a key that the zone does not have. */
  readonly bogus?: boolean;
}

export interface DnsWorld {
  readonly knotPort: number;
  readonly unboundPort: number;
  /** Put other records into a zone; returns when Knot serves them. */
  change(name: string, records: string): Promise<void>;
  stop(): Promise<void>;
}

/** A DS record of no key of ours. */
const WRONG_DS = '12345 13 2 49fd46e6c4b45c55d4ac1b5b4a5e6e2b6d3c9f1a0b7c8d9e0f1a2b3c4d5e6f70';

export async function startDnsWorld(
  zones: readonly TestZone[],
  /** What another server, on 127.0.0.2, serves. */
  second: readonly TestZone[] = [],
): Promise<DnsWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-doctor-'));
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    await rm(directory, { recursive: true, force: true });
  };
  const start = (program: string, args: string[]): void => {
    children.push(spawn(program, args, { stdio: 'ignore', env: cleanEnvironment(directory) }));
  };
  try {
    const knotPort = await freePort();
    const conf = await writeKnot(join(directory, 'one'), '127.0.0.1', knotPort, zones);
    start('knotd', ['-c', conf]);
    if (second.length > 0)
      start('knotd', ['-c', await writeKnot(join(directory, 'two'), '127.0.0.2', knotPort, second)]);
    for (const { name } of zones) await answers('127.0.0.1', knotPort, name);
    for (const { name } of second) await answers('127.0.0.2', knotPort, name);
    const trust = zones.flatMap(({ name, signed, bogus }) => {
      if (bogus === true) return [`${name}. DS ${WRONG_DS}`];
      return signed === true ? keysOf(conf, name, directory) : [];
    });
    const unboundPort = await freePort();
    start('unbound', ['-c', await writeUnbound(directory, unboundPort, knotPort, zones, trust)]);
    await answers('127.0.0.1', unboundPort, zones[0]?.name ?? '');
    let serial = 1;
    return {
      knotPort,
      unboundPort,
      stop,
      async change(name, records) {
        await writeZone(join(directory, 'one'), { name, records }, ++serial);
        execFileSync('knotc', ['-c', conf, '-b', 'zone-reload', name], {
          env: cleanEnvironment(directory),
          stdio: 'ignore',
        });
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A resolver of ours without a memory, so that each question is put anew. */
export function freshResolver(servers: readonly DnsServer[]): Dns {
  return createResolver({
    servers,
    clock: systemClock,
    limits: { firstTimeoutMs: 1500, rounds: 1, failureMs: 0, maxTtl: 0, maxNegativeTtl: 0, sickMs: 0 },
  });
}

async function writeZone(directory: string, { name, records }: TestZone, serial: number): Promise<void> {
  const ns = /^@ NS /m.test(records) ? '' : '@ NS ns\n';
  const head = `$ORIGIN ${name}.\n$TTL 300\n@ SOA ns hostmaster ${serial} 3600 600 86400 60\n${ns}ns A 127.0.0.1\n`;
  await writeFile(join(directory, `${name}.zone`), head + records);
}

async function writeKnot(
  directory: string,
  address: string,
  port: number,
  zones: readonly TestZone[],
): Promise<string> {
  for (const each of ['run', 'db']) await mkdir(join(directory, each), { recursive: true });
  const sections: string[] = [];
  for (const zone of zones) {
    await writeZone(directory, zone, 1);
    sections.push(
      `  - domain: ${zone.name}\n    dnssec-signing: ${zone.signed === true ? 'on' : 'off'}\n    zonefile-sync: -1\n    journal-content: ${zone.signed === true ? 'all\n    zonefile-load: difference-no-serial' : 'none\n    zonefile-load: whole'}\n`,
    );
  }
  const conf = join(directory, 'knot.conf');
  await writeFile(
    conf,
    `server:
  rundir: ${directory}/run
  listen: ${address}@${port}
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
  zones: readonly TestZone[],
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
  do-ip6: no
  module-config: "validator iterator"
  do-not-query-localhost: no
  local-zone: "test." nodefault
  local-zone: "127.in-addr.arpa." nodefault
${trust.map((ds) => `  trust-anchor: "${ds.trim()}"\n`).join('')}
${zones.map(({ name }) => `stub-zone:\n  name: "${name}"\n  stub-addr: 127.0.0.1@${knotPort}\n`).join('')}
remote-control:
  control-enable: no
`,
  );
  return conf;
}

/** Wait until a server answers for a zone, whatever it says of it. */
async function answers(address: string, port: number, zone: string): Promise<void> {
  const dns = freshResolver([{ address, port, trusted: false }]);
  for (let i = 0; i < 200; i++) {
    const answer = await dns.query(zone, 'SOA');
    if (answer.status === 'ok' || (answer.status === 'temporary' && answer.reason.startsWith('SERVFAIL')))
      return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`no DNS server came up for ${zone} on ${address}:${port}`);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return bound !== null && typeof bound === 'object' ? bound.port : 0;
}
