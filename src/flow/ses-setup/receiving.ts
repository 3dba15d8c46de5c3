import { activationCommand } from '../../mail/ses-template/outputs.ts';
import type { RuleFacts, RuleSetFacts } from '../../net/aws/inspect.ts';
import { attempt, ok, problem, type Topic } from './lines.ts';
import { policyAllows } from './policy.ts';
import { deadLetterLines, queueArn, queueLines, subscriptionLines } from './queues.ts';
import type { StatusLine, StatusParts } from './types.ts';

export type Store = RuleFacts['stores'][number];

/** Whether a rule is for mail to a domain. SES: no recipients are all; ".example.org" is what is below it. */
export function covers({ recipients }: RuleFacts, domain: string): boolean {
  if (recipients.length === 0) return true;
  return recipients.some((recipient) => {
    const one = recipient.toLowerCase();
    return one === domain || one.endsWith(`@${domain}`) || (one.startsWith('.') && domain.endsWith(one));
  });
}

/** The set of rules that decides on all mail that SES receives for the account in this region. */
export function ruleSetLine(
  active: RuleSetFacts | undefined,
  all: readonly string[] | undefined,
  region: string,
): StatusLine {
  const topic: Topic = {
    area: 'receiving',
    subject: 'active rule set',
    why: 'Without one SES refuses all mail. CloudFormation cannot make one active, so this is a step by hand.',
  };
  if (active !== undefined)
    return ok(topic, `${active.name} is active, with ${active.rules.length} rule(s).`);
  const names = all ?? [];
  return problem(
    topic,
    names.length === 0
      ? 'No rule set is active.'
      : `No rule set is active, but there is ${names.slice(0, 5).join(', ')}.`,
    activationCommand(names.length === 1 ? (names[0] ?? '') : 'NAME', region),
  );
}

/** Whether the active rules put mail of the domain where we look for it. */
export function ruleLine({ request }: StatusParts, active: RuleSetFacts, domain: string): StatusLine {
  const topic: Topic = {
    area: 'receiving',
    subject: `${domain} rule`,
    why: 'SES refuses mail that no enabled rule is for.',
  };
  const rules = active.rules.filter((rule) => covers(rule, domain));
  const [rule] = rules.filter(({ enabled }) => enabled);
  const again = `postern ses template --domain ${domain} --region ${request.region}`;
  if (rule === undefined) {
    if (rules[0] === undefined) return problem(topic, `No rule of ${active.name} is for the domain.`, again);
    return problem(
      topic,
      `The rule ${rules[0].name} is switched off.`,
      `Switch it on in the console: Email receiving, ${active.name}, ${rules[0].name}, Enabled.`,
    );
  }
  const [store] = rule.stores;
  if (store === undefined) return problem(topic, `The rule ${rule.name} does not put mail into S3.`, again);
  if (store.topic === undefined)
    return problem(
      topic,
      `The rule ${rule.name} tells nobody of new mail: it is found by the sweep only.`,
      again,
    );
  // Those without a bucket are for events of sent mail.
  const sources = request.sources.filter(({ bucket }) => bucket !== '');
  const looked = sources.some(
    ({ bucket, prefix }) => bucket === store.bucket && store.prefix.startsWith(prefix),
  );
  if (sources.length > 0 && !looked)
    return problem(
      topic,
      `The rule ${rule.name} puts mail into ${store.bucket}/${store.prefix}, where Postern does not look.`,
      `postern intake add ${request.region} region=${request.region} bucket=${store.bucket} prefix=${store.prefix} topic_arns=${store.topic}`,
    );
  return ok(topic, `The rule ${rule.name} puts mail into ${store.bucket}/${store.prefix}.`);
}

/** The bucket, the topic and the queues of one place that rules put mail into. */
export async function storeLines(
  parts: StatusParts,
  active: RuleSetFacts,
  store: Store,
  caller: { readonly account: string; readonly partition: string },
): Promise<StatusLine[]> {
  const { request } = parts;
  const { account, partition } = caller;
  const rule = `arn:${partition}:ses:${request.region}:${account}:receipt-rule-set/${active.name}:receipt-rule/${active.rules.find(({ stores }) => stores.includes(store))?.name ?? '*'}`;
  const sources = request.sources.filter(({ bucket }) => bucket === store.bucket);
  const lines = [...(await bucketLines(parts, store, rule, caller))];
  if (store.topic === undefined) return lines;
  lines.push(...(await topicLines(parts, store.topic, rule)));
  const expected = sources
    .map(({ queueUrl }) => queueArn(queueUrl, request.region, partition))
    .filter((arn) => arn !== undefined);
  const told: Topic = {
    area: 'receiving',
    subject: 'word of new mail',
    why: 'Postern learns of new mail by it; else only a look through the bucket finds it.',
  };
  const topicArn = store.topic;
  lines.push(
    ...(await attempt(told, 'sns:ListSubscriptionsByTopic', async () => {
      const subscriptions = await parts.reader.subscriptions(topicArn);
      const dead = sources.map((source) => queueArn(source.deadLetterQueueUrl, request.region, partition));
      return [
        ...subscriptionLines(told, subscriptions, { topicArn, region: request.region, expected }),
        ...(await deadLetterLines(
          parts,
          told,
          subscriptions,
          dead.find((arn) => arn !== undefined),
        )),
      ];
    })),
  );
  for (const { queueUrl, deadLetterQueueUrl } of sources) {
    const question = { area: 'receiving', topicArn } as const;
    if (queueUrl !== '')
      lines.push(
        ...(await queueLines(parts, { ...question, what: 'new mail', url: queueUrl, deadLetters: false })),
      );
    if (deadLetterQueueUrl !== '')
      lines.push(
        ...(await queueLines(parts, {
          ...question,
          what: 'dead letters',
          url: deadLetterQueueUrl,
          deadLetters: true,
        })),
      );
  }
  return lines;
}

async function bucketLines(
  { reader, request }: StatusParts,
  { bucket, prefix }: Store,
  source: string,
  { account, partition }: { readonly account: string; readonly partition: string },
): Promise<readonly StatusLine[]> {
  const topic: Topic = {
    area: 'receiving',
    subject: `bucket ${bucket}`,
    why: 'SES refuses mail that it cannot put there.',
  };
  return attempt(topic, 's3:GetBucketPolicy', async () => {
    const resource = `arn:${partition}:s3:::${bucket}/${prefix}mail`;
    const asked = { service: 'ses.amazonaws.com', action: 's3:PutObject', resource, source };
    const { allowed, bound } = policyAllows(await reader.bucketPolicy(bucket), asked);
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'ses.amazonaws.com' },
          Action: 's3:PutObject',
          Resource: `arn:${partition}:s3:::${bucket}/${prefix}*`,
          Condition: { StringEquals: { 'aws:SourceAccount': account }, ArnLike: { 'aws:SourceArn': source } },
        },
      ],
    };
    const note = 'This replaces the whole policy of the bucket:';
    const mend = `aws s3api put-bucket-policy --bucket ${bucket} --policy '${JSON.stringify(policy)}' --region ${request.region}`;
    if (!allowed) return [problem(topic, 'Its policy does not let SES put mail there.', note, mend)];
    if (!bound) return [problem(topic, 'Its policy lets the SES of any account put mail there.', note, mend)];
    return [ok(topic, `SES may put mail under ${prefix}, for this account only.`)];
  });
}

async function topicLines(
  { reader, request }: StatusParts,
  topicArn: string,
  source: string,
): Promise<readonly StatusLine[]> {
  const name = topicArn.split(':').at(-1) ?? topicArn;
  const topic: Topic = {
    area: 'receiving',
    subject: `topic ${name}`,
    why: 'SES tells of new mail by it.',
  };
  return attempt(topic, 'sns:GetTopicAttributes', async () => {
    const { policy } = await reader.topic(topicArn);
    const asked = { service: 'ses.amazonaws.com', action: 'sns:Publish', resource: topicArn, source };
    if (policy === undefined || policyAllows(policy, asked).allowed)
      return [ok(topic, 'SES may publish to it.')];
    const wanted = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'ses.amazonaws.com' },
          Action: 'sns:Publish',
          Resource: topicArn,
          Condition: { ArnLike: { 'aws:SourceArn': source } },
        },
      ],
    };
    return [
      problem(
        topic,
        'SES may not publish to it.',
        `aws sns set-topic-attributes --topic-arn ${topicArn} --attribute-name Policy --attribute-value '${JSON.stringify(wanted)}' --region ${request.region}`,
      ),
    ];
  });
}
