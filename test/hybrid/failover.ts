import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zstdDecompressSync } from 'node:zlib';
import { openSqlite } from '../../src/data/db/sqlite.ts';
import { startAws } from '../support/aws/emulator.ts';
import type { AwsEmulator } from '../support/aws/types.ts';
import { startDnsServer, type TestDnsServer, type Zone } from '../support/dns-server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer.ts';
import type { ChildOptions } from './child.main.ts';

/**
 * Mail that leaves by two ways while what can go wrong does: a real server in a process of its own, MX hosts, DNS and an
 * emulator of SES beside it. Afterwards each message is where it should be, once.
 */

const CHILD = fileURLToPath(new URL('child.main.ts', import.meta.url));
/** Seconds of the server's time in a second: a retry after a minute comes soon, and no answer is late at once. */
const FACTOR = 30;
/** The same where events of SES are waited for: they come at the machine's own pace. */
const SLOWER = 20;
const CONNECTIONS = 8;
const LISTED = '550 5.7.1 Client host [127.0.0.1] blocked using zen.spamhaus.org';

/** What a scenario works with. */
export interface FailoverWorld {
  readonly aws: AwsEmulator;
  readonly mx: SmtpPeer;
  readonly dns: TestDnsServer;
}

export interface FailoverScenario {
  readonly name: string;
  /** Names in the order of the route. Default: direct, ses. */
  readonly ways?: readonly string[];
  /** Domain of the recipients. Default: ok.test. */
  readonly domain?: string;
  readonly zone?: Zone;
  /** `times`: how many faults of a kind, to be multiplied; 1 for a hundred messages. */
  prepare?(world: FailoverWorld, times: number): void | Promise<void>;
  /** Milliseconds between kills; none when absent. */
  readonly killEveryMs?: number;
  /** At most so many; default 12. */
  readonly kills?: number;
  /** Default: FACTOR. */
  readonly factor?: number;
  /** All of it comes back to its sender. */
  readonly bounces?: boolean;
}

export interface FailoverResult {
  readonly accepted: number;
  readonly direct: number;
  readonly ses: number;
  readonly bounced: number;
  readonly lost: number;
  readonly doubled: number;
  readonly kills: number;
  /** Attempts that a kill met. */
  readonly interrupted: number;
  /** Of those doubled, sent twice to the MX by attempts that a kill met: by SMTP nobody can tell whether they delivered. */
  readonly doubledDirect: number;
}

const ZONE: Zone = {
  'ok.test': { MX: [{ preference: 10, exchange: 'mx.ok.test' }] },
  'mx.ok.test': { A: ['127.0.0.1'] },
  'down.test': { MX: [{ preference: 10, exchange: 'mx.down.test' }] },
  'mx.down.test': { A: ['127.0.0.9'] },
};

const random = (() => {
  let state = 42;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
})();

export const FAILOVER_SCENARIOS: readonly FailoverScenario[] = [
  { name: 'nothing is wrong' },
  {
    name: 'the MX lists our address',
    prepare({ mx }) {
      mx.options.script = { RCPT: () => LISTED };
    },
  },
  {
    name: 'storm of 4xx at the MX',
    factor: 60,
    prepare({ mx }) {
      const replies = ['451 4.3.2 slow down', '421 4.7.0 too many connections', '450 4.2.1 try again'];
      mx.options.script = {
        MAIL: () => (random() < 0.2 ? replies[Math.floor(random() * 3)] : undefined),
        RCPT: () => (random() < 0.3 ? replies[0] : undefined),
      };
    },
  },
  {
    name: 'DNS lies: SERVFAIL, silence, then the truth',
    domain: 'lies.test',
    zone: {
      'lies.test': {
        MX: [{ preference: 10, exchange: 'mx.ok.test' }],
        ttl: 1,
        fault: { kind: 'servfail', times: 6 },
      },
    },
  },
  { name: 'nobody can be reached on port 25', domain: 'down.test' },
  { name: 'the domain does not exist', domain: 'nowhere.test', bounces: true },
  {
    name: 'SES first: throttled and failing half of the time',
    ways: ['ses', 'direct'],
    prepare({ aws }, times) {
      const send = { service: 'ses', operation: 'SendEmail' } as const;
      aws.fault(
        { ...send, skip: 3 },
        { kind: 'status', status: 429, code: 'TooManyRequestsException' },
        10 * times,
      );
      aws.fault({ ...send, skip: 20 }, { kind: 'status', status: 500, code: 'InternalFailure' }, 15 * times);
      aws.fault({ ...send, skip: 40 }, { kind: 'drop' }, 10 * times);
    },
  },
  {
    name: 'SES first: it sends, and the answer is cut off',
    factor: SLOWER,
    ways: ['ses', 'direct'],
    prepare({ aws }, times) {
      const send = { service: 'ses', operation: 'SendEmail' } as const;
      aws.fault({ ...send, skip: 2 }, { kind: 'cut', when: 'after-effect' }, 30 * times);
    },
  },
  {
    name: 'SES first: cut off before it sends',
    ways: ['ses', 'direct'],
    prepare({ aws }, times) {
      const send = { service: 'ses', operation: 'SendEmail' } as const;
      aws.fault({ ...send, skip: 2 }, { kind: 'cut', when: 'before-answer' }, 30 * times);
    },
  },
  {
    name: 'SES alone, killed again and again',
    ways: ['ses'],
    factor: SLOWER,
    killEveryMs: 900,
    prepare({ aws }) {
      aws.ses.latencyMs = 30;
    },
  },
  {
    name: 'direct, refused, SES behind it, killed again and again',
    factor: SLOWER,
    killEveryMs: 900,
    prepare({ aws, mx }) {
      aws.ses.latencyMs = 30;
      mx.options.script = { RCPT: (argument) => (/\d*[13579]@/.test(argument) ? LISTED : undefined) };
    },
  },
  {
    name: 'SES is out of service, direct behind it',
    ways: ['ses', 'direct'],
    prepare({ aws }) {
      aws.ses.sendingEnabled = false;
    },
  },
];

export async function runFailover(scenario: FailoverScenario, messages: number): Promise<FailoverResult> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-failover-'));
  const aws = await startAws({ timeFactor: 0.02, ses: { identities: ['example.test'] } });
  const topic = aws.sns.createTopic('ses-events');
  const queue = aws.sqs.createQueue('ses-events', { allowTopic: topic });
  aws.sns.subscribe(topic, 'sqs', queue.arn);
  aws.ses.createConfigurationSet('postern', [{ topicArn: topic }]);
  const mx = await startSmtpPeer();
  const dns = await startDnsServer({ ...ZONE, ...scenario.zone });
  await scenario.prepare?.({ aws, mx, dns }, Math.max(1, messages / 100));
  const run = new Run(scenario, { directory, aws, mx, dns, queueUrl: queue.url, topic });
  try {
    return await run.all(messages);
  } finally {
    await run.end();
    await Promise.all([mx.close(), dns.close(), aws.close()]);
    if (process.env.KEEP === undefined) await rm(directory, { recursive: true, force: true });
    else console.log(directory);
  }
}

interface Parts extends FailoverWorld {
  readonly directory: string;
  readonly queueUrl: string;
  readonly topic: string;
}

class Run {
  readonly #scenario: FailoverScenario;
  readonly #parts: Parts;
  readonly #beginMs = Date.now();
  readonly #accepted = new Map<string, string>();
  #child: ChildProcess | undefined;
  #port = 0;
  #kills = 0;
  #interrupted = 0;
  #over = false;

  constructor(scenario: FailoverScenario, parts: Parts) {
    this.#scenario = scenario;
    this.#parts = parts;
  }

  async all(messages: number): Promise<FailoverResult> {
    await this.#start();
    const killer = this.#kill();
    await Promise.all(
      Array.from({ length: CONNECTIONS }, (_, i) => this.#pour(i, Math.ceil(messages / CONNECTIONS))),
    );
    await this.#settled();
    this.#over = true;
    await killer;
    return this.#count();
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
  }

  async #start(): Promise<void> {
    const { directory, aws, mx, dns, queueUrl, topic } = this.#parts;
    const ways = this.#scenario.ways ?? ['direct', 'ses'];
    const options: ChildOptions = {
      directory,
      factor: this.#scenario.factor ?? FACTOR,
      beginMs: this.#beginMs,
      dnsPort: dns.port,
      routing: {
        transports: {
          direct: { kind: 'direct', port: mx.port, mta_sts: false, dane: false },
          ses: {
            kind: 'ses-api',
            region: aws.region,
            endpoint: aws.endpoint,
            configuration_set: 'postern',
            identities: ['example.test'],
          },
        },
        routes: [{ name: 'all', transports: ways }],
      },
      intake: {
        sources: [
          {
            name: 'events',
            region: aws.region,
            endpoint: aws.endpoint,
            bucket: '',
            topic_arns: [topic],
            queue_url: queueUrl,
            sweep_minutes: 0,
          },
        ],
      },
    };
    const env = {
      ...process.env,
      AWS_ACCESS_KEY_ID: aws.accessKeyId,
      AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.once('close', () => reject(new Error('the server ended before it was ready')));
      child.stdout.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        const [, port, interrupted] = /ready (\d+) \d+ (\d+)/.exec(text) ?? [];
        if (port === undefined) return;
        this.#port = Number(port);
        this.#interrupted += Number(interrupted);
        resolve();
      });
    });
  }

  async #kill(): Promise<void> {
    const { killEveryMs, kills = 12 } = this.#scenario;
    if (killEveryMs === undefined) return;
    while (!this.#over && this.#kills < kills) {
      await new Promise((resolve) => setTimeout(resolve, killEveryMs * (0.5 + random())));
      if (this.#over) return;
      await this.end();
      this.#kills++;
      await this.#start();
    }
  }

  /** Submit messages on one connection, again until each has its 250. */
  async #pour(connection: number, count: number): Promise<void> {
    const domain = this.#scenario.domain ?? 'ok.test';
    let attempt = 0;
    for (let i = 0; i < count; ) {
      try {
        const client = await lineClient(this.#port);
        const login = Buffer.from('\0alice@example.test\0correct horse').toString('base64');
        await client.talk(['', '220'], ['EHLO there\r\n', '250'], [`AUTH PLAIN ${login}\r\n`, '235']);
        while (i < count) {
          // An answer that was lost makes a new message of it: what became of the old one is nobody's promise.
          const id = `${connection}-${i}-${attempt++}@example.test`;
          const to = `r${connection}x${i}@${domain}`;
          await client.talk(
            ['MAIL FROM:<alice@example.test>\r\n', '250'],
            [`RCPT TO:<${to}>\r\n`, '250'],
            ['DATA\r\n', '354'],
          );
          client.send(
            `From: alice@example.test\r\nTo: ${to}\r\nMessage-ID: <${id}>\r\nX-Test: ${id}\r\nSubject: ${id}\r\n\r\nHello\r\n.\r\n`,
          );
          const reply = await client.reply();
          if (!reply.startsWith('250')) throw new Error(reply);
          this.#accepted.set(id, to);
          i++;
        }
        client.close();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  /** Until the queue has nothing left. */
  async #settled(): Promise<void> {
    const began = Date.now();
    while (Date.now() - began < 240_000) {
      if (waitingIn(this.#parts.directory) === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }

  async #count(): Promise<FailoverResult> {
    const { mx, aws, directory } = this.#parts;
    await this.end();
    const taken = mx.transactions.filter(({ data }) => data.includes('X-Test: '));
    const bySes = aws.ses.sent.filter(({ raw }) => /^X-Test: /m.test(raw.toString('latin1')));
    const copies = countBy([...taken.map(({ data }) => data), ...bySes.map(({ raw }) => raw)].map(String));
    const bounced = bouncedIds(directory);
    const ids = [...this.#accepted.keys()];
    const there = (id: string): boolean => (copies.get(id) ?? 0) > 0 || (bounced.get(id) ?? 0) > 0;
    const doubles = (map: ReadonlyMap<string, number>): number =>
      ids.reduce((sum, id) => sum + Math.max(0, (map.get(id) ?? 0) - 1), 0);
    return {
      accepted: ids.length,
      direct: taken.length,
      ses: bySes.length,
      bounced: ids.filter((id) => bounced.has(id)).length,
      lost: ids.filter((id) => !there(id)).length,
      doubled: doubles(copies) + doubles(bounced),
      kills: this.#kills,
      interrupted: this.#interrupted,
      doubledDirect: this.#kills === 0 ? 0 : doubles(countBy(taken.map(({ data }) => String(data)))),
    };
  }
}

/** How often each message is there. */
function countBy(texts: readonly string[]): Map<string, number> {
  const copies = new Map<string, number>();
  for (const text of texts) {
    const id = /^X-Test: (.*)\r$/m.exec(text)?.[1] ?? '?';
    copies.set(id, (copies.get(id) ?? 0) + 1);
  }
  return copies;
}

/** Recipients that are not settled. */
function waitingIn(directory: string): number {
  const db = openSqlite(join(directory, 'mail.db'), 'reader');
  try {
    const sql = `SELECT COUNT(*) AS count FROM queue_recipients WHERE state IN ('queued', 'leased', 'held')`;
    return Number(db.prepare(sql).get()?.['count']);
  } finally {
    db.close();
  }
}

/** Bounces in the mailbox of the sender, by the message they are about. */
function bouncedIds(directory: string): Map<string, number> {
  const db = openSqlite(join(directory, 'mail.db'), 'reader');
  try {
    const found = new Map<string, number>();
    const rows = db
      .prepare(`SELECT b.data, b.encoding FROM emails e JOIN blobs b ON b.id = e.blob_id`)
      .all() as { data: Uint8Array | null; encoding: string }[];
    for (const { data, encoding } of rows) {
      if (data === null) continue;
      const text = (encoding === 'zstd' ? zstdDecompressSync(data) : Buffer.from(data)).toString('latin1');
      if (!/^Content-Type: multipart\/report/im.test(text)) continue;
      const id = /^X-Test: (.*)\r$/m.exec(text)?.[1] ?? '?';
      found.set(id, (found.get(id) ?? 0) + 1);
    }
    return found;
  } finally {
    db.close();
  }
}
