import type { SubscriptionFacts } from '../../net/aws/inspect.ts';
import { attempt, ok, problem, type Topic } from './lines.ts';
import { policyAllows } from './policy.ts';
import type { StatusArea, StatusLine, StatusParts } from './types.ts';

/** Seconds that a queue should keep notices: the longest SQS can. */
const RETENTION_SECONDS = 1_209_600;

export interface QueueQuestion {
  readonly area: StatusArea;
  /** What it holds, as a name: "new mail". */
  readonly what: string;
  readonly url: string;
  /** Topic that must be able to put notices into it; undefined: any. */
  readonly topicArn: string | undefined;
  /** Whatever waits there is a sign of trouble. */
  readonly deadLetters: boolean;
}

/** A queue that SNS fills: may it, and how much waits. */
export async function queueLines(
  { reader, request }: StatusParts,
  { area, what, url, topicArn, deadLetters }: QueueQuestion,
): Promise<readonly StatusLine[]> {
  const topic: Topic = {
    area,
    subject: `queue of ${what}`,
    why: deadLetters
      ? 'What SNS cannot hand over is kept here and read later; without it such mail waits in the bucket for the sweep.'
      : 'SNS drops what it may not put into the queue, and tells nobody.',
  };
  return attempt(topic, 'sqs:GetQueueAttributes', async () => {
    const queue = await reader.queue(url);
    const asked = {
      service: 'sns.amazonaws.com',
      action: 'sqs:SendMessage',
      resource: queue.arn,
      source: topicArn,
    };
    const { allowed } = policyAllows(queue.policy, asked);
    const region = `--region ${request.region}`;
    const lines: StatusLine[] = [];
    if (allowed)
      lines.push(
        ok(topic, `SNS may write to it; ${queue.waiting} wait, ${queue.hidden} are being worked on.`),
      );
    else
      lines.push(
        problem(topic, 'SNS may not write to it.', ...sendPermission(queue.arn, url, topicArn, region)),
      );
    if (deadLetters && queue.waiting > 0)
      lines.push(
        problem(
          topic,
          `${queue.waiting} notices could not be handed over.`,
          'Postern reads them at its start and every few hours. They stay there only when Postern does not run, or cannot read them: postern intake list',
        ),
      );
    if (queue.retentionSeconds < RETENTION_SECONDS)
      lines.push(
        problem(
          topic,
          `It keeps notices for ${Math.round(queue.retentionSeconds / 86_400)} days only.`,
          `aws sqs set-queue-attributes --queue-url ${url} --attributes MessageRetentionPeriod=${RETENTION_SECONDS} ${region}`,
        ),
      );
    return lines;
  });
}

function sendPermission(
  resource: string,
  url: string,
  topicArn: string | undefined,
  region: string,
): string[] {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: resource,
        Condition: { ArnEquals: { 'aws:SourceArn': topicArn ?? 'ARN-OF-THE-TOPIC' } },
      },
    ],
  };
  const attributes = JSON.stringify({ Policy: JSON.stringify(policy) });
  return [`aws sqs set-queue-attributes --queue-url ${url} --attributes '${attributes}' ${region}`];
}

/** Who is told by a topic. `expected`: ARNs of queues that must be among them. */
export function subscriptionLines(
  topic: Topic,
  subscriptions: readonly SubscriptionFacts[],
  { topicArn, region, expected }: { topicArn: string; region: string; expected: readonly string[] },
): StatusLine[] {
  if (subscriptions.length === 0)
    return [
      problem(
        topic,
        'Nobody is told.',
        `aws sns subscribe --topic-arn ${topicArn} --protocol sqs --notification-endpoint ${expected[0] ?? 'ARN-OF-THE-QUEUE'} --region ${region}`,
      ),
    ];
  const lines = subscriptions.map(({ protocol, endpoint, pending }) =>
    pending
      ? problem(
          topic,
          `${protocol} ${endpoint} has not confirmed its subscription.`,
          'Postern confirms it by itself once the endpoint can be reached from outside and the topic is in its settings (postern intake list); then ask again:',
          `aws sns subscribe --topic-arn ${topicArn} --protocol ${protocol} --notification-endpoint 'https://USER:PASSWORD@HOST:PORT/PATH' --region ${region}`,
        )
      : ok(topic, `${protocol} ${endpoint} is told.`),
  );
  const missing = expected.filter((arn) => !subscriptions.some(({ endpoint }) => endpoint === arn));
  return [
    ...lines,
    ...missing.map((arn) =>
      problem(
        topic,
        `The queue that Postern asks is not told: ${arn}`,
        `aws sns subscribe --topic-arn ${topicArn} --protocol sqs --notification-endpoint ${arn} --region ${region}`,
      ),
    ),
  ];
}

/** What becomes of notices that a subscription cannot deliver. `queue`: ARN of the dead-letter queue, where one is known. */
export async function deadLetterLines(
  { reader, request }: StatusParts,
  topic: Topic,
  subscriptions: readonly SubscriptionFacts[],
  deadLetterArn: string | undefined,
): Promise<StatusLine[]> {
  const lines: StatusLine[] = [];
  for (const { arn, protocol, pending } of subscriptions) {
    if (pending) continue;
    lines.push(
      ...(await attempt(topic, 'sns:GetSubscriptionAttributes', async () => {
        if ((await reader.deadLetters(arn)) !== undefined) return [];
        const policy = JSON.stringify({
          deadLetterTargetArn: deadLetterArn ?? 'ARN-OF-THE-DEAD-LETTER-QUEUE',
        });
        return [
          problem(
            topic,
            `What cannot be handed over by ${protocol} is dropped: the subscription has no dead-letter queue.`,
            `aws sns set-subscription-attributes --subscription-arn ${arn} --attribute-name RedrivePolicy --attribute-value '${policy}' --region ${request.region}`,
          ),
        ];
      })),
    );
  }
  return lines;
}

/** "https://sqs.REGION.amazonaws.com/ACCOUNT/NAME" as an ARN; the queue itself need not be asked. */
export function queueArn(url: string, region: string, partition: string): string | undefined {
  const [account, name] = (URL.parse(url)?.pathname ?? '').split('/').slice(-2);
  return account === undefined || name === undefined || name === ''
    ? undefined
    : `arn:${partition}:sqs:${region}:${account}:${name}`;
}

/** "arn:aws:sqs:REGION:ACCOUNT:NAME" as a URL. */
export function queueUrl(arn: string, suffix = 'amazonaws.com'): string {
  const [, , , region = '', account = '', name = ''] = arn.split(':');
  return `https://sqs.${region}.${suffix}/${account}/${name}`;
}
