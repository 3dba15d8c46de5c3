import { lazily, type SdkBase } from './client.ts';
import { toAwsError } from './errors.ts';
import type { NoticeQueue } from './types.ts';

/** Notices that SQS hands out at once, at most. */
const BATCH = 10;
/** Milliseconds for an answer beyond the seconds of a long poll. */
const ANSWER_MS = 20_000;

/** SQS. */
export function createNoticeQueue({ config }: SdkBase): NoticeQueue {
  const client = lazily(async () => {
    const sqs = await import('@aws-sdk/client-sqs');
    return { sqs, made: new sqs.SQSClient(config) };
  });
  return {
    async receive(url, { waitSeconds, hideSeconds, signal }) {
      try {
        const { sqs, made } = await client();
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
      } catch (error) {
        throw toAwsError(error, 'SQS ReceiveMessage');
      }
    },
    async remove(url, receipt) {
      try {
        const { sqs, made } = await client();
        await made.send(new sqs.DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: receipt }));
      } catch (error) {
        throw toAwsError(error, 'SQS DeleteMessage');
      }
    },
    async hide(url, receipt, seconds) {
      try {
        const { sqs, made } = await client();
        const VisibilityTimeout = Math.round(seconds);
        await made.send(
          new sqs.ChangeMessageVisibilityCommand({
            QueueUrl: url,
            ReceiptHandle: receipt,
            VisibilityTimeout,
          }),
        );
      } catch (error) {
        throw toAwsError(error, 'SQS ChangeMessageVisibility');
      }
    },
    async depth(url) {
      try {
        const { sqs, made } = await client();
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
      } catch (error) {
        throw toAwsError(error, 'SQS GetQueueAttributes');
      }
    },
  };
}
