/** Knot DNS on 127.0.0.1 with zones that a TSIG key may update. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { parseTsigKey } from '../../src/net/dns-providers/tsig.ts';
import { withSession } from '../../src/net/dns-providers/dns-session.ts';
import { cleanEnvironment } from '../support/programs.ts';

export const KNOT_KEY = 'hmac-sha256:postern-key:c2VjcmV0IG9mIHRoZSB0ZXN0cyB0aGF0IGlzIGxvbmcgZW5vdWdo';

export interface Knot {
  readonly port: number;
  readonly directory: string;
  stop(): Promise<void>;
}

/** Start it; `zones`: name to records in zone file syntax, without SOA and NS. */
export async function startKnot(zones: Readonly<Record<string, string>>): Promise<Knot> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-dns-plan-'));
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const port = await freePort();
    const conf = await writeConf(directory, port, zones);
    child = spawn('knotd', ['-c', conf], { stdio: 'ignore', env: cleanEnvironment(directory) });
    const [first = ''] = Object.keys(zones);
    const place = { host: '127.0.0.1', port, key: parseTsigKey(KNOT_KEY), clock: systemClock };
    for (let i = 0; ; i++) {
      try {
        const { rcode } = await withSession(place, (session) => session.query(first, 'SOA'));
        if (rcode === 0) break;
      } catch (error) {
        if (i > 200) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return { port, directory, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeConf(
  directory: string,
  port: number,
  zones: Readonly<Record<string, string>>,
): Promise<string> {
  for (const each of ['run', 'db']) await mkdir(join(directory, each));
  const [, , secret = ''] = KNOT_KEY.split(':');
  for (const [name, records] of Object.entries(zones)) {
    const head = `$ORIGIN ${name}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n`;
    await writeFile(join(directory, `${name}.zone`), head + records);
  }
  const conf = join(directory, 'knot.conf');
  await writeFile(
    conf,
    `server:
  rundir: ${directory}/run
  listen: 127.0.0.1@${port}
database:
  storage: ${directory}/db
key:
  - id: postern-key
    algorithm: hmac-sha256
    secret: ${secret}
  - id: reader
    algorithm: hmac-sha256
    secret: ${secret}
acl:
  - id: writer
    key: postern-key
    action: update
template:
  - id: default
    storage: ${directory}
    zonefile-sync: -1
    acl: writer
zone:
${Object.keys(zones)
  .map((name) => `  - domain: ${name}\n`)
  .join('')}`,
  );
  return conf;
}

function ended(child: ChildProcess | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return resolve();
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
