import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSqlite } from '../../src/data/db/sqlite.ts';
import { startAws } from '../support/aws/emulator.ts';
import type { AwsEmulator, AwsOptions } from '../support/aws/types.ts';
import { startDnsServer, type TestDnsServer } from '../support/dns-server.ts';
import type { ChildOptions } from './child.main.ts';

/**
 * Mail that comes in through SES, S3, SNS and SQS while what can go wrong does: a real server in a process of its own and
 * an emulator beside it. Afterwards each message is in each of its mailboxes, once, and the bucket is empty.
 */

const CHILD = fileURLToPath(new URL('child.main.ts', import.meta.url));
const BUCKET = 'mail-of-example';
const FACTOR = 30;
const ALICE = 'alice@example.test';
const BOB = 'bob@example.test';
/** Every so many messages are for Bob and for nobody too. */
const SHARED = 5;
const PATIENCE_MS = 240_000;

export interface IntakeScenario {
  readonly name: string;
  /** How the server is told. Default: sqs. */
  readonly told?: 'sqs' | 'https' | 'nobody';
  readonly aws?: Partial<AwsOptions>;
  /** `times`: how many faults of a kind, to be multiplied; 1 for a hundred messages. */
  prepare?(aws: AwsEmulator, times: number): void;
  /** Milliseconds between kills; none when absent. */
  readonly killEveryMs?: number;
  /** At most so many; default 10. */
  readonly kills?: number;
  /** Somebody else removes every so many objects before we come. */
  readonly stolenEvery?: number;
}

export interface IntakeResult {
  /** Messages that SES took, and copies that have to be in mailboxes. */
  readonly messages: number;
  readonly expected: number;
  readonly delivered: number;
  readonly lost: number;
  readonly doubled: number;
  /** Objects left in the bucket. */
  readonly left: number;
  readonly kills: number;
  readonly seconds: number;
}

export const INTAKE_SCENARIOS: readonly IntakeScenario[] = [
  { name: 'nothing is wrong (SQS)' },
  { name: 'nothing is wrong (HTTPS)', told: 'https' },
  {
    name: 'every notice comes twice by HTTPS',
    told: 'https',
    prepare(aws) {
      aws.sns.duplicates = 1;
    },
  },
  {
    name: 'SQS hands everything out three times',
    prepare(aws) {
      aws.sqs.duplicates = 2;
    },
  },
  {
    name: 'S3 answers 500, late, or half',
    prepare(aws, times) {
      const get = { service: 's3', operation: 'GetObject' } as const;
      aws.fault({ ...get, skip: 5 }, { kind: 'status', status: 500, code: 'InternalError' }, 30 * times);
      aws.fault({ ...get, skip: 20 }, { kind: 'slow', ms: 1500 }, 10 * times);
      aws.fault({ ...get, skip: 40 }, { kind: 'cut', when: 'mid-body' }, 30 * times);
      aws.fault({ ...get, skip: 60 }, { kind: 'cut', when: 'before-answer' }, 30 * times);
    },
  },
  {
    name: 'S3 does not remove, or says nothing of it',
    prepare(aws, times) {
      const remove = { service: 's3', operation: 'DeleteObject' } as const;
      aws.fault({ ...remove, skip: 3 }, { kind: 'status', status: 503, code: 'SlowDown' }, 30 * times);
      aws.fault({ ...remove, skip: 20 }, { kind: 'cut', when: 'after-effect' }, 20 * times);
    },
  },
  {
    name: 'SQS fails and forgets to delete',
    prepare(aws, times) {
      aws.fault(
        { service: 'sqs', operation: 'ReceiveMessage' },
        { kind: 'status', status: 500, code: 'InternalFailure' },
        8 * times,
      );
      aws.fault(
        { service: 'sqs', operation: 'DeleteMessage', skip: 3 },
        { kind: 'cut', when: 'before-answer' },
        20 * times,
      );
    },
  },
  {
    name: 'a third of the notices is forged on its way',
    told: 'https',
    prepare(aws) {
      let n = 0;
      aws.sns.tamper = (envelope) =>
        n++ % 3 === 0 ? { ...envelope, Message: `${envelope.Message} ` } : envelope;
    },
  },
  {
    name: 'our endpoint is slow: SNS gives up waiting and asks again',
    told: 'https',
    aws: { snsAnswerMs: 800 },
    prepare(aws, times) {
      aws.fault({ service: 's3', operation: 'GetObject', skip: 5 }, { kind: 'slow', ms: 1200 }, 20 * times);
    },
  },
  { name: 'nobody tells: the sweep alone', told: 'nobody' },
  { name: 'killed again and again (SQS)', killEveryMs: 700 },
  { name: 'killed again and again (HTTPS, dead letters)', told: 'https', killEveryMs: 700 },
  { name: 'somebody else removes every tenth object', stolenEvery: 10 },
];

export async function runIntake(scenario: IntakeScenario, messages: number): Promise<IntakeResult> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-intake-'));
  const aws = await startAws({ timeFactor: 0.02, ...scenario.aws });
  const dns = await startDnsServer({
    'example.net': {
      TXT: ['v=spf1 ip4:192.0.2.25 -all'],
      MX: [{ preference: 10, exchange: 'mail.example.net' }],
    },
    'mail.example.net': { A: ['192.0.2.25'] },
  });
  const run = new Run(scenario, directory, aws, dns);
  try {
    return await run.all(messages);
  } finally {
    await run.end();
    await Promise.all([dns.close(), aws.close()]);
    await rm(directory, { recursive: true, force: true });
  }
}

class Run {
  readonly #scenario: IntakeScenario;
  readonly #directory: string;
  readonly #aws: AwsEmulator;
  readonly #dns: TestDnsServer;
  readonly #beginMs = Date.now();
  readonly #topic: string;
  readonly #queue: string;
  readonly #deadLetters: string;
  #child: ChildProcess | undefined;
  #snsPort = 0;
  #kills = 0;
  #over = false;

  constructor(scenario: IntakeScenario, directory: string, aws: AwsEmulator, dns: TestDnsServer) {
    this.#scenario = scenario;
    this.#directory = directory;
    this.#aws = aws;
    this.#dns = dns;
    this.#topic = aws.sns.createTopic('new-mail');
    this.#queue = aws.sqs.createQueue('new-mail', { allowTopic: this.#topic }).url;
    this.#deadLetters = aws.sqs.createQueue('new-mail-dead', { allowTopic: '*' }).url;
    aws.ses.createReceiptRule({ name: 'to-s3', bucket: BUCKET, prefix: 'new/', topicArn: this.#topic });
    if ((scenario.told ?? 'sqs') === 'sqs')
      aws.sns.subscribe(this.#topic, 'sqs', aws.sqs.queue(this.#queue).arn);
  }

  async all(messages: number): Promise<IntakeResult> {
    const began = Date.now();
    await this.#start();
    this.#scenario.prepare?.(this.#aws, Math.max(1, messages / 100));
    const killer = this.#kill();
    const expected = await this.#pour(messages);
    await this.#settled(expected);
    this.#over = true;
    await killer;
    await this.end();
    return this.#count(messages, expected, began);
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
  }

  async #start(): Promise<void> {
    const aws = this.#aws;
    const told = this.#scenario.told ?? 'sqs';
    const options: ChildOptions = {
      directory: this.#directory,
      factor: FACTOR,
      beginMs: this.#beginMs,
      dnsPort: this.#dns.port,
      snsAt: aws.endpoint,
      routing: {},
      intake: {
        sources: [
          {
            name: 'main',
            region: aws.region,
            endpoint: aws.endpoint,
            bucket: BUCKET,
            topic_arns: [this.#topic],
            queue_url: told === 'sqs' ? this.#queue : '',
            dead_letter_queue_url: this.#deadLetters,
            dead_letter_interval: 60,
            // What was neither told nor taken is found by a look every few minutes of the fast clock.
            sweep_minutes: 3,
            sweep_after_minutes: told === 'nobody' ? 0 : 10,
            guessed_days: 0,
            unknown_recipients: 'drop',
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
        const [, sns] = /ready \d+ (\d+) \d+/.exec(text) ?? [];
        if (sns === undefined) return;
        this.#snsPort = Number(sns);
        resolve();
      });
    });
    if (told === 'https') this.#subscribe();
  }

  /** Where the server listens now: a new start has a new port. */
  #subscribe(): void {
    this.#aws.sns.subscribe(this.#topic, 'https', `https://127.0.0.1:${this.#snsPort}/`, {
      confirmed: true,
      deadLetterArn: this.#aws.sqs.queue(this.#deadLetters).arn,
      deliveryPolicy: { healthyRetryPolicy: { numRetries: 2, minDelayTarget: 10, maxDelayTarget: 20 } },
    });
  }

  async #kill(): Promise<void> {
    const { killEveryMs, kills = 10 } = this.#scenario;
    if (killEveryMs === undefined) return;
    while (!this.#over && this.#kills < kills) {
      await new Promise((resolve) => setTimeout(resolve, killEveryMs * (0.5 + Math.random())));
      if (this.#over) return;
      await this.end();
      this.#kills++;
      await this.#start();
    }
  }

  /** Answers how many copies there must be. */
  async #pour(messages: number): Promise<number> {
    const { told, stolenEvery } = this.#scenario;
    let expected = 0;
    for (let i = 0; i < messages; i++) {
      const shared = i % SHARED === 0;
      const recipients = shared ? ['nobody@example.test', ALICE, BOB] : [ALICE];
      const stolen = stolenEvery !== undefined && i % stolenEvery === 0;
      const to = shared ? `${ALICE}, ${BOB}` : ALICE;
      const raw = `From: Bob Brown <bob@example.net>\r\nTo: ${to}\r\nSubject: number ${i}\r\nMessage-ID: <${i}@example.net>\r\nDate: Tue, 01 Sep 2026 10:00:00 +0000\r\n\r\nHello ${i}\r\n`;
      this.#aws.ses.receive({ raw, recipients, notify: told !== 'nobody', store: !stolen });
      if (!stolen) expected += shared ? 2 : 1;
      if (i % 20 === 19) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return expected;
  }

  async #settled(expected: number): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while (Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 300));
      const { aws } = { aws: this.#aws };
      const waits = aws.sqs.messages(this.#queue).length + aws.sqs.messages(this.#deadLetters).length;
      if (aws.s3.keys(BUCKET).length === 0 && waits === 0 && copiesIn(this.#directory).length >= expected)
        return;
    }
  }

  #count(messages: number, expected: number, began: number): IntakeResult {
    const copies = copiesIn(this.#directory);
    const different = new Set(copies).size;
    return {
      messages,
      expected,
      delivered: copies.length,
      lost: expected - different,
      doubled: copies.length - different,
      left: this.#aws.s3.keys(BUCKET).length,
      kills: this.#kills,
      seconds: Math.round((Date.now() - began) / 1000),
    };
  }
}

/** "account subject" of every message in a mailbox. */
function copiesIn(directory: string): string[] {
  const db = openSqlite(join(directory, 'mail.db'), 'reader');
  try {
    const rows = db
      .prepare('SELECT e.account_id, e.envelope FROM placements p JOIN emails e ON e.id = p.email_id')
      .all() as { account_id: number; envelope: Uint8Array }[];
    return rows.flatMap(({ account_id: account, envelope }) => {
      const subject = /number \d+/.exec(Buffer.from(envelope).toString('latin1'))?.[0];
      return subject === undefined ? [] : [`${account} ${subject}`];
    });
  } finally {
    db.close();
  }
}
