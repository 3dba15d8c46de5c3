/** DNS lists on the servers that people run: Knot DNS has the zone, Unbound asks it for us. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { ListSetting } from '../../src/flow/inbound/gate/list-prepare.ts';
import { createDnsLists, type DnsLists } from '../../src/flow/inbound/gate/lists.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';

const ZONE = `$ORIGIN bl.test.
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
2.0.0.127.ip A 127.0.0.2
7.2.0.192.ip A 127.0.0.4
7.2.0.192.ip A 127.0.0.10
7.2.0.192.ip TXT "see https://bl.test/?q=192.0.2.7"
*.100.51.198.ip A 127.0.0.3
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip A 127.0.0.2
9.2.0.192.ip A 127.255.255.254
test.dom A 127.0.0.2
bad.example.dom A 127.0.0.2
*.all A 127.0.0.2
`;

const SETTINGS: readonly ListSetting[] = [
  {
    zone: 'ip.bl.test',
    of: 'ip',
    codes: {
      '127.0.0.2': { score: 4, means: 'sends spam' },
      '127.0.0.3': { score: 3, means: 'is in a bad network' },
      '127.0.0.4-7': { score: 5, means: 'is hijacked' },
      '127.0.0.10': { score: 2, means: 'is a line' },
    },
  },
  { zone: 'dom.bl.test', of: 'domain' },
  { zone: 'all.bl.test', of: 'ip' },
];

describe('DNS lists on Knot DNS, through Unbound', { skip: skipWithout('knotd', 'unbound') }, () => {
  let directory: string;
  let knotPort: number;
  let running: ChildProcess[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-dns-'));
    knotPort = await freePort();
    await startKnot();
  });
  after(async () => {
    await Promise.all(running.map(stop));
    running = [];
    await rm(directory, { recursive: true, force: true });
  });

  async function startKnot(): Promise<void> {
    await mkdir(join(directory, 'run'));
    await writeFile(join(directory, 'bl.test.zone'), ZONE);
    const conf = join(directory, 'knot.conf');
    await writeFile(
      conf,
      `server:
  rundir: ${directory}/run
  listen: 127.0.0.1@${knotPort}
database:
  storage: ${directory}/db
zone:
  - domain: bl.test
    storage: ${directory}
    file: bl.test.zone
`,
    );
    running.push(spawn('knotd', ['-c', conf], { stdio: 'ignore', env: cleanEnvironment(directory) }));
    await answers(knotPort);
  }

  async function startUnbound(more = ''): Promise<number> {
    const port = await freePort();
    const conf = join(directory, `unbound-${port}.conf`);
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
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "test." nodefault
  ${more}
stub-zone:
  name: "bl.test"
  stub-addr: 127.0.0.1@${knotPort}
remote-control:
  control-enable: no
`,
    );
    running.push(spawn('unbound', ['-c', conf], { stdio: 'ignore', env: cleanEnvironment(directory) }));
    await answers(port);
    return port;
  }

  test('an authoritative server: codes, nibbles, wildcards, words, self tests', async () => {
    await theListsWork(listsAt(knotPort));
  });

  test('a recursive resolver between', async () => {
    await theListsWork(listsAt(await startUnbound()));
  });

  test('a resolver that hides answers in 127.0.0.0/8 is found out by the self test, and nobody is judged by it', async () => {
    const lists = listsAt(await startUnbound('private-address: 127.0.0.0/8'));
    const [list] = lists.lists('ip');
    assert.ok(list);
    const answer = await lists.ask(list, '192.0.2.7');
    assert.equal(answer.score, 0);
    assert.match(lists.status()[0]?.why ?? '', /lacks the entry 127\.0\.0\.2/);
  });
});

async function theListsWork(lists: DnsLists): Promise<void> {
  const [ip, all] = lists.lists('ip');
  const [domain] = lists.lists('domain');
  assert.ok(ip && all && domain);
  const listed = await lists.ask(ip, '192.0.2.7');
  assert.equal(listed.score, 5);
  assert.deepEqual(listed.means, ['is hijacked', 'is a line']);
  assert.equal(await lists.words(listed), 'see https://bl.test/?q=192.0.2.7');
  assert.equal((await lists.ask(ip, '198.51.100.200')).score, 3);
  assert.equal((await lists.ask(ip, '2001:db8::1')).score, 4);
  assert.deepEqual(await lists.ask(ip, '192.0.2.8'), { list: ip, subject: '192.0.2.8', score: 0, means: [] });
  assert.equal((await lists.ask(domain, 'bad.example')).score, 1.5);
  assert.equal((await lists.ask(domain, 'good.example')).score, 0);
  assert.match((await lists.ask(all, '192.0.2.8')).unchecked ?? '', /lists everything/);
  assert.match((await lists.ask(ip, '192.0.2.9')).unchecked ?? '', /public resolvers/);
  assert.deepEqual(
    lists.status().map(({ state }) => state),
    ['resting', 'on', 'off'],
  );
}

function resolverAt(port: number) {
  return createResolver({
    servers: [{ address: '127.0.0.1', port, trusted: false }],
    clock: systemClock,
    limits: { firstTimeoutMs: 200, failureMs: 0 },
  });
}

function listsAt(port: number): DnsLists {
  const resolver = resolverAt(port);
  return createDnsLists({
    dns: () => resolver,
    clock: systemClock,
    logger: silentLogger,
    settings: () => SETTINGS,
    count: () => undefined,
  });
}

/** Wait until a server answers for the zone. */
async function answers(port: number): Promise<void> {
  for (let i = 0; i < 100; i++) {
    const answer = await resolverAt(port).query('ns.bl.test', 'NS');
    if (answer.status === 'nodata') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no DNS server came up on port ${port}`);
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
