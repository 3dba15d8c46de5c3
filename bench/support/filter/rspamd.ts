import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { exitOf, stopTree, until } from '../processes.ts';
import { defer } from '../resources.ts';
import type { RawLetter } from './mail.ts';
import { DOMAIN_LIST, IP_LIST } from './zone.ts';

export interface Rspamd {
  readonly pids: readonly number[];
  /** Port where it speaks the milter protocol. */
  readonly milterPort: number;
  stop(): Promise<void>;
}

export interface RspamdSetup {
  readonly dir: string;
  readonly portBase: number;
  readonly dns: number;
  /** What Bayes learns first. */
  readonly lessons: readonly RawLetter[];
}

/** Modules that would ask others than the local DNS server, or act instead of judging (greylisting, rates). */
const OFF = [
  'asn',
  'fuzzy_check',
  'url_redirector',
  'greylist',
  'ratelimit',
  'history_redis',
  'neural',
  'antivirus',
  'bimi',
  'external_services',
  'mx_check',
  'dkim_signing',
  'replies',
  'known_senders',
  'rspamd_update',
  'reputation',
]; // prettier-ignore

/** Debian's rspamd with its own redis: the stock configuration with overrides in a directory of our own. */
export async function startRspamd({ dir, portBase, dns, lessons }: RspamdSetup): Promise<Rspamd> {
  const [redisPort, milterPort, controller] = [portBase + 379, portBase + 332, portBase + 334];
  for (const sub of ['local.d/maps.d', 'override.d', 'db', 'redis'])
    await mkdir(join(dir, sub), { recursive: true });
  for (const [name, text] of overrides(dir, { redisPort, milterPort, controller, dns }))
    await writeFile(join(dir, name), text);
  const redis = start('redis-server', [
    '--port',
    `${redisPort}`,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--dir',
    join(dir, 'redis'),
  ]);
  const variables = { LOCAL_CONFDIR: dir, DBDIR: join(dir, 'db'), RUNDIR: dir, LOGDIR: dir };
  const vars = Object.entries(variables).map(([name, value]) => `--var=${name}=${value}`);
  const rspamd = start('rspamd', ['-f', '-i', '-c', '/etc/rspamd/rspamd.conf', ...vars]);
  await until('rspamd', 60_000, 100, () => answers(`http://127.0.0.1:${controller}/ping`));
  await teach(`http://127.0.0.1:${controller}`, lessons);
  return {
    pids: [rspamd.pid, redis.pid],
    milterPort,
    async stop() {
      await rspamd.stop();
      await redis.stop();
    },
  };
}

function start(command: string, args: readonly string[]): { pid: number; stop(): Promise<void> } {
  const child = spawn(command, args, { stdio: 'ignore' });
  exitOf(child).catch(() => undefined);
  const pid = child.pid ?? 0;
  return { pid, stop: defer(() => stopTree(pid)) };
}

async function answers(url: string): Promise<boolean> {
  try {
    const reply = await fetch(url);
    await reply.arrayBuffer();
    return reply.ok;
  } catch {
    return false;
  }
}

/** Bayes says nothing before it knows 200 of each kind. */
async function teach(url: string, lessons: readonly RawLetter[]): Promise<void> {
  for (const { label, header, body } of lessons) {
    if (label === undefined) continue;
    const reply = await fetch(`${url}/learn${label}`, {
      method: 'POST',
      body: Buffer.from(`${header}\r\n${body}`, 'latin1'),
    });
    await reply.arrayBuffer();
  }
}

interface Ports {
  readonly redisPort: number;
  readonly milterPort: number;
  readonly controller: number;
  readonly dns: number;
}

function overrides(dir: string, { redisPort, milterPort, controller, dns }: Ports): [string, string][] {
  const own: [string, string][] = [
    [
      'options.inc',
      // Nobody is local: what it leaves out for local networks by default is done for everybody.
      `dns { nameserver = ["127.0.0.1:${dns}"]; timeout = 1s; retransmits = 3; }\nlocal_addrs = [];\ncontrol_socket = "${dir}/control.sock mode=0600";\n`,
    ],
    ['logging.inc', `type = "file"; filename = "${dir}/rspamd.log"; level = "warning";\n`],
    ['worker-normal.inc', 'enabled = false;\n'],
    ['worker-fuzzy.inc', 'enabled = false;\n'],
    [
      'worker-proxy.inc',
      `bind_socket = "127.0.0.1:${milterPort}"; milter = yes; timeout = 120s; count = ${availableParallelism()};\n` +
        'upstream "local" { default = yes; self_scan = yes; }\n',
    ],
    ['worker-controller.inc', `bind_socket = "127.0.0.1:${controller}"; secure_ip = ["127.0.0.1"];\n`],
    ['redis.conf', `servers = "127.0.0.1:${redisPort}";\n`],
    ['classifier-bayes.conf', `backend = "redis"; servers = "127.0.0.1:${redisPort}"; autolearn = false;\n`],
    // Everything is delivered, on both sides, so that it can be counted.
    ['actions.conf', 'reject = null; greylist = null; rewrite_subject = null; add_header = 6;\n'],
    [
      'milter_headers.conf',
      'use = ["authentication-results", "x-spamd-bar", "x-spam-level", "spam-header"];\n',
    ],
    ['rbl.conf', listRules()],
    ['phishing.conf', 'openphish_enabled = false; phishtank_enabled = false;\n'],
    ...OFF.map((module): [string, string] => [`${module}.conf`, 'enabled = false;\n']),
  ];
  return own.map(([name, text]) => [join('override.d', name), text]);
}

/** The two lists that Postern asks, and none of the stock ones. */
function listRules(): string {
  const stock = [
    'spamhaus',
    'mailspike',
    'senderscore',
    'sem',
    'semIPv6',
    'dnswl',
    'virusfree',
    'nixspam',
    'blocklistde',
    'dnswl_dwl',
    'rspamd_emails',
    'msbl_ebl',
    'surbl_hashbl',
    'rspamd_uribl',
    'senderscore_reputation',
    'SURBL_MULTI',
    'URIBL_MULTI',
    'RSPAMD_URIBL',
    'DBL',
    'SPAMHAUS_ZEN_URIBL',
    'SEM_URIBL_UNKNOWN',
    'SEM_URIBL_FRESH15_UNKNOWN',
    'RSPAMD_EMAILBL',
    'MSBL_EBL',
    'SURBL_HASHBL',
    'HOSTKARMA',
    'SENDERSCORE_REPUTATION',
    'hostkarma',
  ]; // prettier-ignore
  return (
    'url_whitelist = [];\nrbls {\n' +
    stock.map((name) => `${name} { enabled = false; }\n`).join('') +
    `bench_ip { symbol = "BENCH_IP"; rbl = "${IP_LIST}"; checks = ["from"]; returncodes { BENCH_IP_LISTED = "127.0.0.2"; } }\n` +
    `bench_domain { symbol = "BENCH_DOMAIN"; rbl = "${DOMAIN_LIST}"; checks = ["urls", "emails", "dkim"]; emails_domainonly = true; no_ip = true; returncodes { BENCH_DOMAIN_LISTED = "127.0.0.2"; } }\n}\n`
  );
}
