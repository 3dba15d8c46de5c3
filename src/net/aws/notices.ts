import type * as Sqs from '@aws-sdk/client-sqs';
import { told } from './errors.ts';
import { lazily, type SdkBase } from './sdk.ts';
import type { NoticeQueue, QueuedNotice } from './types.ts';

/** Notices that SQS hands out at once, at most. */
const BATCH = 10;
/** Milliseconds for an answer beyond the seconds of a long poll. */
const ANSWER_MS = 20_000;

interface Client {
  readonly sqs: typeof Sqs;
  readonly made: Sqs.SQSClient;
}

/** SQS. */
export function createNoticeQueue({ config }: SdkBase): NoticeQueue {
  const client = lazily(async (): Promise<Client> => {
    const sqs = await import('@aws-sdk/client-sqs');
    return { sqs, made: new sqs.SQSClient(config) };
  });
  const call = <T>(what: string, work: (client: Client) => Promise<T>): Promise<T> =>
    told(`SQS ${what}`, async () => work(await client()));
  return {
    receive: (url, options) => call('ReceiveMessage', (each) => receive(each, url, options)),
    remove: (url, receipt) =>
      call('DeleteMessage', async ({ sqs, made }) => {
        await made.send(new sqs.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt }));
      }),
    hide: (url, receipt, seconds) =>
      call('ChangeMessageVisibility', async ({ sqs, made }) => {
        const VisibilityTimeout = Math.round(seconds);
        const input = { QueueUrl: url, ReceiptHandle: receipt, VisibilityTimeout };
        await made.send(new sqs.ChangeMessageVisibilityCommand(input));
      }),
    depth: (url) => call('GetQueueAttributes', (each) => depth(each, url)),
  };
}

async function receive(
  { sqs, made }: Client,
  url: string,
  { waitSeconds, hideSeconds, signal }: Parameters<NoticeQueue['receive']>[1],
): Promise<readonly QueuedNotice[]> {
  const { Messages = [] } = await made.send(
    new sqs.ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: BATCH,
      WaitTimeSeconds: waitSeconds,
      VisibilityTimeout: hideSeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
    }),
    {
      requestTimeout: waitSeconds * 1000 + ANSWER_MS,
      ...(signal !== undefined && { abortSignal: signal }),
    },
  );
  return Messages.flatMap(({ MessageId, Body, ReceiptHandle, Attributes }) => {
    if (ReceiptHandle === undefined) return [];
    return [
      {
        id: MessageId ?? '',
        body: Body ?? '',
        receipt: ReceiptHandle,
        receives: Number(Attributes?.ApproximateReceiveCount ?? 1),
        sentAt: Number(Attributes?.SentTimestamp ?? 0),
      },
    ];
  });
}

async function depth(
  { sqs, made }: Client,
  url: string,
): Promise<{ readonly waiting: number; readonly hidden: number }> {
  const { Attributes = {} } = await made.send(
    new sqs.GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ],
    }),
  );
  const count = (name: keyof typeof Attributes): number => Number(Attributes[name] ?? 0);
  return {
    waiting: count('ApproximateNumberOfMessages') + count('ApproximateNumberOfMessagesDelayed'),
    hidden: count('ApproximateNumberOfMessagesNotVisible'),
  };
}
