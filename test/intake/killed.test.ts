import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { startAws } from '../support/aws/emulator.ts';
import type { CallStep } from '../support/aws/types.ts';
import { startTestServer } from '../support/server.ts';
import { BUCKET, message, storedIn, subjectsOf, until } from './support.ts';
import { skipUnlessLong } from '../support/programs.ts';

const ALICE = 'alice@example.test';
const MESSAGES = 30;

/** At which step of which call the process dies; the call's effect may be there or not. */
const DEATHS: readonly { operation: string; phase: CallStep['phase']; after: number }[] = [
  { operation: 'GetObject', phase: 'answered', after: 3 }, // between the octets and the commit
  { operation: 'DeleteObject', phase: 'begin', after: 4 }, // between the commit and the removal
];

it('a process that is killed at any step loses nothing and doubles nothing', {
  skip: skipUnlessLong(),
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-killed-'));
  const aws = await startAws({ timeFactor: 0.05 });
  const topic = aws.sns.createTopic('new-mail');
  const queue = aws.sqs.createQueue('new-mail', { allowTopic: topic }).url;
  aws.sns.subscribe(topic, 'sqs', aws.sqs.queue(queue).arn);
  aws.ses.createReceiptRule({ name: 'to-s3', bucket: BUCKET, prefix: 'new/', topicArn: topic });
  const { region, endpoint } = aws;
  const source = { name: 'main', region, bucket: BUCKET, endpoint, queue_url: queue, sweep_minutes: 0 };
  process.env.AWS_ACCESS_KEY_ID = aws.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = aws.secretAccessKey;
  for (let i = 0; i < MESSAGES; i++) aws.ses.receive({ raw: message(`number ${i}`), recipients: [ALICE] });
  await aws.idle();

  for (const death of DEATHS) {
    const child = start(directory, { sources: [source], concurrency: 2 });
    await diesAt(aws, child, death);
    aws.sqs.reveal(queue);
  }
  const server = await startTestServer({ directory, certificate: false });
  await until(() => aws.sqs.messages(queue).length === 0 && aws.s3.keys(BUCKET).length === 0, 10_000);
  const subjects = subjectsOf(await storedIn(server, ALICE));
  await server.close();
  await aws.close();
  await rm(directory, { recursive: true });
  assert.deepEqual(subjects, Array.from({ length: MESSAGES }, (_, i) => `number ${i}`).toSorted());
});

function start(directory: string, settings: object): ChildProcess {
  const main = join(import.meta.dirname, 'child.main.ts');
  return spawn(process.execPath, [main, directory, JSON.stringify(settings)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function diesAt(
  aws: Awaited<ReturnType<typeof startAws>>,
  child: ChildProcess,
  { operation, phase, after }: (typeof DEATHS)[number],
): Promise<void> {
  let left = after;
  const stop = aws.on('call', (step) => {
    if (step.operation !== operation || step.phase !== phase || --left !== 0) return;
    child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'exit');
  stop();
  assert.equal(signal, 'SIGKILL', `${operation} ${phase}: it was to be killed there`);
}
