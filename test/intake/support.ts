/** A server that takes in mail from Amazon SES, the emulator of SES, S3, SNS and SQS beside it, DNS, and what is in mailboxes. */
import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import type { IntakeSettingsInput } from '../../src/flow/ses-inbound/settings.ts';
import type { IntakeObject, SettledRecipient } from '../../src/data/intake/types.ts';
import { MAX_UID } from '../../src/data/mailstore/types.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { startAws } from '../support/aws/emulator.ts';
import type { AwsEmulator, AwsOptions, SesInbound, SesReceived } from '../support/aws/types.ts';
import { until } from '../support/flow.ts';
import { startDnsServer, type TestDnsServer, type Zone } from '../support/dns-server.ts';
import { startTestServer, testActor, type TestServer, type TestServerOptions } from '../support/server.ts';

export { until };

export const BUCKET = 'mail-of-example';

export type SourceInput = NonNullable<IntakeSettingsInput['sources']>[number];

export interface IntakeWorld {
  readonly aws: AwsEmulator;
  readonly server: TestServer;
  readonly dns: TestDnsServer;
  readonly topic: string;
  /** URLs of the queue that is subscribed, and of the dead-letter queue. */
  readonly queue: string;
  readonly deadLetters: string;
  /** A message comes in from the Internet. */
  mail(more?: Partial<SesInbound> & { subject?: string }): SesReceived;
  /** Octets of all messages in a mailbox, as they came. */
  stored(address: string, mailbox?: string): Promise<Buffer[]>;
  subjects(address: string, mailbox?: string): Promise<string[]>;
  known(
    received: SesReceived,
  ): Promise<{ object: IntakeObject; settled: readonly SettledRecipient[] } | undefined>;
  /** Nothing is left in the bucket, and nothing waits. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly source?: Partial<SourceInput>;
  readonly settings?: Partial<IntakeSettingsInput>;
  readonly aws?: AwsOptions;
  readonly server?: TestServerOptions;
  /** False: nothing comes in by the queue. */
  readonly queue?: boolean;
  /** Subscribe the queue to the topic without SNS's envelope. */
  readonly raw?: boolean;
  readonly zone?: Zone;
}

/** example.net's servers are at 192.0.2.25, and so is whoever sends in these tests unless told otherwise. */
const ZONE: Zone = {
  'example.net': {
    TXT: ['v=spf1 ip4:192.0.2.25 -all'],
    MX: [{ preference: 10, exchange: 'mail.example.net' }],
  },
  'mail.example.net': { A: ['192.0.2.25'] },
  '25.2.0.192.in-addr.arpa': { PTR: ['mail.example.net'] },
};

let serial = 0;

export function message(subject: string, more: { to?: string; body?: string } = {}): string {
  const { to = 'alice@example.test', body = 'Dear all,\r\n\r\nthe minutes of our meeting are below.\r\n' } =
    more;
  return [
    'From: Bob Brown <bob@example.net>',
    `To: ${to}`,
    `Subject: ${subject}`,
    'Date: Tue, 01 Sep 2026 10:00:00 +0000',
    `Message-ID: <${subject.replaceAll(' ', '-')}@example.net>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    body,
  ].join('\r\n');
}

export async function openWorld(options: WorldOptions = {}): Promise<IntakeWorld> {
  const aws = await startAws({ timeFactor: 0.05, ...options.aws });
  const topic = aws.sns.createTopic('new-mail');
  const queue = aws.sqs.createQueue('new-mail', { allowTopic: topic }).url;
  const deadLetters = aws.sqs.createQueue('new-mail-dead', { allowTopic: '*' }).url;
  if (options.queue !== false)
    aws.sns.subscribe(topic, 'sqs', aws.sqs.queue(queue).arn, { raw: options.raw === true });
  aws.ses.createReceiptRule({ name: 'to-s3', bucket: BUCKET, prefix: 'new/', topicArn: topic });
  const dns = await startDnsServer({ ...ZONE, ...options.zone });
  const resolver = createResolver({
    servers: [{ address: dns.address, port: dns.port, trusted: false }],
    clock: systemClock,
  });
  const server = await startTestServer({
    dns: resolver,
    snsFetch: aws.fetch,
    ...options.server,
  });
  await setUp(server, aws, { topic, queue, deadLetters }, options);
  return world(options, { aws, server, dns, topic, queue, deadLetters });
}

/** Tell the server where its mail waits. */
export async function setUp(
  server: Pick<TestServer, 'store' | 'intake'>,
  aws: AwsEmulator,
  names: { topic: string; queue: string; deadLetters: string },
  options: WorldOptions,
): Promise<void> {
  const source: SourceInput = {
    name: 'main',
    region: aws.region,
    bucket: BUCKET,
    endpoint: aws.endpoint,
    topic_arns: [names.topic],
    queue_url: options.queue === false ? '' : names.queue,
    sweep_minutes: 0,
    ...options.source,
  };
  const settings: IntakeSettingsInput = { ...options.settings, sources: [source] };
  process.env.AWS_ACCESS_KEY_ID = aws.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = aws.secretAccessKey;
  await server.store.write.run('intake.saveSettings', { actor: testActor, json: JSON.stringify(settings) });
  await server.intake.changed();
}

export async function storedIn(server: TestServer, address: string, mailbox = 'INBOX'): Promise<Buffer[]> {
  const { id: accountId } = await server.account(address);
  const boxes = await server.store.read.run('mailstore.mailboxes', { accountId });
  const box = boxes.find(({ name, specialUse }) => name === mailbox || specialUse === mailbox);
  if (box === undefined) return [];
  const rows = await server.store.read.run('mailstore.fetch', {
    mailboxId: box.id,
    ranges: [{ from: 1, to: MAX_UID }],
    want: ['content'],
    limit: 5000,
  });
  const found: Buffer[] = [];
  for (const { content } of rows) {
    assert.ok(content);
    found.push(await server.store.blobs.bytes(content.blobId));
  }
  return found;
}

export function subjectsOf(messages: readonly Buffer[]): string[] {
  return messages
    .map((octets) => /^Subject: (.*)\r$/m.exec(octets.toString('latin1', 0, 8192))?.[1] ?? '')
    .toSorted();
}

function world(
  options: WorldOptions,
  parts: Pick<IntakeWorld, 'aws' | 'server' | 'dns' | 'topic' | 'queue' | 'deadLetters'>,
): IntakeWorld {
  const { aws, server, dns } = parts;
  const stored: IntakeWorld['stored'] = (address, mailbox) => storedIn(server, address, mailbox);
  return {
    ...parts,
    mail({ subject = `mail ${++serial}`, ...more } = {}) {
      return aws.ses.receive({ raw: message(subject), recipients: ['alice@example.test'], ...more });
    },
    stored,
    subjects: async (address, mailbox) => subjectsOf(await stored(address, mailbox)),
    known: ({ bucket, key }) => server.store.read.run('intake.object', { bucket, key }),
    async settled() {
      await until(async () => {
        await aws.idle();
        const counts = await server.store.read.run('intake.counts', null);
        const waiting = counts.find(({ state }) => state === 'waiting')?.count ?? 0;
        return (
          waiting === 0 && aws.s3.keys(BUCKET).length === 0 && aws.sqs.messages(parts.queue).length === 0
        );
      });
    },
    async close() {
      await server.close();
      await dns.close();
      await aws.close();
      assert.deepEqual(aws.violations, [], 'requests that Amazon would refuse');
      void options;
    },
  };
}
