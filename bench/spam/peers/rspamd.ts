/** Rspamd of Debian with its own redis: rules and Bayes, every check that asks the network off. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Filter, Session, Verdict } from './filter.ts';

/** Its own default for "add header". */
const REQUIRED = 6;
const STOCK = '/etc/rspamd/rspamd.conf';
/** Two minutes: it compiles its patterns first, which takes a busy machine half of one. */
const START_TRIES = 600;
const TRY_EVERY_MS = 200;

const NETWORK_MODULES = [
  'rbl',
  'surbl',
  'spf',
  'dkim',
  'dmarc',
  'arc',
  'fuzzy_check',
  'asn',
  'mx_check',
  'url_redirector',
  'greylist',
  'ratelimit',
  'replies',
  'history_redis',
  'neural',
  'reputation',
  'phishing',
  'maps_stats',
  'dkim_signing',
  'multimap',
  'whitelist',
  'hfilter',
  'emails',
  'bimi',
  'known_senders',
  'antivirus',
  'external_services',
]; // prettier-ignore

export const rspamd: Filter = {
  name: 'rspamd',
  slow: true,
  missing() {
    if (spawnSync('rspamd', ['--version']).error) return 'not installed';
    return spawnSync('redis-server', ['--version']).error ? 'redis-server is not installed' : undefined;
  },
  begin: (dir) => session(dir),
};

async function session(dir: string): Promise<Session> {
  chmodSync(dir, 0o755);
  const [redisPort, normal, controller] = [await freePort(), await freePort(), await freePort()];
  const children = [
    spawn('redis-server', ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--save', '', '--dir', dir], {
      stdio: 'ignore',
    }),
    spawn('rspamd', ['-f', '-i', ...configure(dir, redisPort, normal, controller)], { stdio: 'ignore' }),
  ];
  const scan = `http://127.0.0.1:${normal}/checkv2`;
  const learn = `http://127.0.0.1:${controller}`;
  try {
    await answering(`${learn}/ping`);
    await answering(`http://127.0.0.1:${normal}/ping`);
  } catch (error) {
    await Promise.all(children.map(stop));
    throw error;
  }
  return {
    async learn(samples) {
      for (const one of samples) {
        const reply = await fetch(`${learn}/learn${one.label}`, {
          method: 'POST',
          body: new Uint8Array(one.bytes),
        });
        // 208: it knows the message already.
        const text = await reply.text();
        if (!reply.ok) throw new Error(`rspamd does not learn: ${reply.status} ${text}`);
      }
    },
    async judge(samples) {
      const out: Verdict[] = [];
      for (const one of samples) {
        const reply = await fetch(scan, { method: 'POST', body: new Uint8Array(one.bytes) });
        const { score } = (await reply.json()) as { score?: number };
        out.push({ score: score ?? 0, junk: (score ?? 0) >= REQUIRED });
      }
      return out;
    },
    async end() {
      await Promise.all(children.map(stop));
    },
  };
}

/** Overrides for the configuration that Debian ships. Returns the arguments that make rspamd read them. */
function configure(dir: string, redisPort: number, normal: number, controller: number): string[] {
  for (const sub of ['local.d', 'override.d', 'db', 'maps.d']) mkdirSync(join(dir, sub), { recursive: true });
  const put = (name: string, text: string): void => writeFileSync(join(dir, 'override.d', name), text);
  for (const module of NETWORK_MODULES) put(`${module}.conf`, 'enabled = false;\n');
  put(
    'options.inc',
    `dns { nameserver = ["127.0.0.1:1"]; timeout = 0.05s; retransmits = 1; }\nlocal_addrs = [];\n` +
      `control_socket = "${dir}/control.sock mode=0600";\n`,
  );
  put('logging.inc', `type = "file"; filename = "${dir}/log"; level = "error";\n`);
  put('worker-normal.inc', `bind_socket = "127.0.0.1:${normal}"; count = 1;\n`);
  put('worker-controller.inc', `bind_socket = "127.0.0.1:${controller}"; secure_ip = ["127.0.0.1"];\n`);
  put('worker-proxy.inc', 'enabled = false;\n');
  put('worker-fuzzy.inc', 'enabled = false;\n');
  put('redis.conf', `servers = "127.0.0.1:${redisPort}";\n`);
  put('classifier-bayes.conf', `backend = "redis"; servers = "127.0.0.1:${redisPort}"; autolearn = false;\n`);
  const folders = { LOCAL_CONFDIR: dir, DBDIR: join(dir, 'db'), RUNDIR: dir, LOGDIR: dir };
  return ['-c', STOCK, ...Object.entries(folders).flatMap(([name, value]) => ['--var', `${name}=${value}`])];
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function answering(url: string): Promise<void> {
  for (let i = 0; i < START_TRIES; i++) {
    try {
      const reply = await fetch(url);
      await reply.arrayBuffer();
      return;
    } catch {
      await pause(TRY_EVERY_MS);
    }
  }
  throw new Error(`rspamd did not start: ${url}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}
