import { attempt, ok, problem, type Topic } from './lines.ts';
import type { DomainFacts } from './identity.ts';
import { queueArn, queueLines, queueUrl, subscriptionLines } from './queues.ts';
import type { SubscriptionFacts } from '../../net/aws/inspect.ts';
import type { StatusLine, StatusParts, StatusRequest } from './types.ts';

/** Without these nobody learns of addresses that must not be written to again. */
const NEEDED = ['BOUNCE', 'COMPLAINT'];

/** What SES tells of mail that it sent: configuration sets, their destinations, and who reads them. */
export async function eventLines(parts: StatusParts, domains: readonly DomainFacts[]): Promise<StatusLine[]> {
  const { request } = parts;
  const known = domains.filter(({ identity }) => identity !== undefined);
  const sets = new Set([
    ...request.configurationSets,
    ...known.map(({ identity }) => identity?.configurationSet).filter((name) => name !== undefined),
  ]);
  const lines: StatusLine[] = [];
  for (const name of [...sets].toSorted()) lines.push(...(await setLines(parts, name)));
  if (sets.size > 0 || known.length === 0) return lines;
  const topic: Topic = {
    area: 'events',
    subject: 'configuration set',
    why: 'With one, Postern learns what became of each message, and which addresses to leave alone.',
  };
  const [first] = known;
  return [
    problem(
      topic,
      'None is used: bounces come back as mail only, complaints not at all.',
      `postern ses template ${known.map(({ domain }) => `--domain ${domain}`).join(' ')} --region ${request.region}`,
      `aws sesv2 put-email-identity-configuration-set-attributes --email-identity ${first?.domain ?? 'DOMAIN'} --configuration-set-name NAME --region ${request.region}`,
    ),
  ];
}

async function setLines(parts: StatusParts, name: string): Promise<readonly StatusLine[]> {
  const { reader, request } = parts;
  const topic: Topic = {
    area: 'events',
    subject: `configuration set ${name}`,
    why: 'SES tells by it what became of mail: bounces, complaints, deliveries.',
  };
  const region = `--region ${request.region}`;
  return attempt(topic, 'ses:GetConfigurationSet', async () => {
    const set = await reader.configurationSet(name);
    if (set === undefined)
      return [
        problem(
          topic,
          'It does not exist: SES refuses all mail that names it.',
          `aws sesv2 create-configuration-set --configuration-set-name ${name} ${region}`,
        ),
      ];
    const lines: StatusLine[] = [];
    if (!set.sending)
      lines.push(
        problem(
          topic,
          'Sending with it is switched off.',
          `aws sesv2 put-configuration-set-sending-options --configuration-set-name ${name} --sending-enabled ${region}`,
        ),
      );
    const told = set.destinations.filter(({ enabled, topic: arn }) => enabled && arn !== undefined);
    const missing = NEEDED.filter((type) => !told.some(({ types }) => types.includes(type)));
    if (missing.length > 0)
      lines.push(
        problem(
          topic,
          `No topic is told of ${missing.join(' and ').toLowerCase()} events.`,
          `aws sesv2 create-configuration-set-event-destination --configuration-set-name ${name} --event-destination-name events-to-sns --event-destination 'Enabled=true,MatchingEventTypes=SEND,DELIVERY,DELIVERY_DELAY,BOUNCE,COMPLAINT,REJECT,SnsDestination={TopicArn=ARN-OF-THE-TOPIC}' ${region}`,
        ),
      );
    else lines.push(ok(topic, `Events go to SNS${set.tlsRequired ? '; mail leaves only over TLS' : ''}.`));
    for (const arn of new Set(told.map(({ topic: one }) => one ?? '')))
      lines.push(...(await readers(parts, arn)));
    return lines;
  });
}

async function readers(parts: StatusParts, topicArn: string): Promise<readonly StatusLine[]> {
  const name = topicArn.split(':').at(-1) ?? topicArn;
  const topic: Topic = {
    area: 'events',
    subject: `readers of ${name}`,
    why: 'What nobody reads is lost, and the next mail to a dead address hurts your reputation.',
  };
  return attempt(topic, 'sns:ListSubscriptionsByTopic', async () => {
    const subscriptions = await parts.reader.subscriptions(topicArn);
    const place = { topicArn, region: parts.request.region, expected: [] };
    const lines = subscriptionLines(topic, subscriptions, place);
    const partitioned = topicArn.startsWith('arn:aws-cn:') ? 'amazonaws.com.cn' : 'amazonaws.com';
    lines.push(...unread(topic, parts.request, topicArn, subscriptions, partitioned));
    for (const { protocol, endpoint } of subscriptions) {
      if (protocol !== 'sqs') continue;
      const question = { area: 'events', what: 'events', deadLetters: false, topicArn } as const;
      lines.push(...(await queueLines(parts, { ...question, url: queueUrl(endpoint, partitioned) })));
    }
    return lines;
  });
}

/** Events come in like word of new mail, by a source without a bucket; whether there is one only a server's settings tell. */
function unread(
  topic: Topic,
  { region, sources, configurationSets }: StatusRequest,
  topicArn: string,
  subscriptions: readonly SubscriptionFacts[],
  suffix: string,
): StatusLine[] {
  if (configurationSets.length === 0 && sources.length === 0) return [];
  const [, partition = 'aws'] = topicArn.split(':');
  const queues = subscriptions.filter(({ protocol }) => protocol === 'sqs').map(({ endpoint }) => endpoint);
  const pushed = subscriptions.some(({ protocol, pending }) => protocol === 'https' && !pending);
  const isRead = sources.some(
    ({ queueUrl: url, topicArns }) =>
      queues.includes(queueArn(url, region, partition) ?? '') || (pushed && topicArns.includes(topicArn)),
  );
  const [first] = queues;
  if (isRead || first === undefined) return [];
  return [
    problem(
      topic,
      'Postern does not ask the queue that is told.',
      `postern intake add ${region}-events region=${region} queue_url=${queueUrl(first, suffix)}`,
    ),
  ];
}
