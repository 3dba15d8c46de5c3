import type { Clock } from '../../base/clock.ts';
import { toAwsError, told } from './errors.ts';
import { callerOf, lazily, openSdk, type SdkConfig } from './sdk.ts';
import type { AwsCaller, AwsSettings, SesAccount } from './types.ts';

/** Looking at how an account is set up. Only reading calls; every one throws AwsError. */
export interface SetUpReader {
  caller(): Promise<AwsCaller>;
  account(): Promise<AccountFacts>;
  /** Undefined: there is no such identity. */
  identity(name: string): Promise<IdentityFacts | undefined>;
  /** Undefined: no rule set is active, so nothing is received. */
  activeRuleSet(): Promise<RuleSetFacts | undefined>;
  /** Names of all rule sets, the first hundred of them. */
  ruleSets(): Promise<readonly string[]>;
  /** The policy as JSON text; undefined: it has none. 'missing': no such bucket. */
  bucketPolicy(bucket: string): Promise<string | undefined>;
  topic(arn: string): Promise<TopicFacts>;
  subscriptions(topicArn: string): Promise<readonly SubscriptionFacts[]>;
  /** ARN of the queue for what a subscription could not deliver; undefined: SNS drops it. */
  deadLetters(subscriptionArn: string): Promise<string | undefined>;
  queue(url: string): Promise<QueueFacts>;
  configurationSet(name: string): Promise<ConfigurationSetFacts | undefined>;
  close(): void;
}

export interface AccountFacts extends SesAccount {
  /** Of the request for production: "PENDING", "GRANTED", "DENIED", "FAILED"; undefined: nobody asked. */
  readonly review: string | undefined;
}

export interface IdentityFacts {
  readonly verified: boolean;
  readonly dkim: {
    readonly signing: boolean;
    /** "SUCCESS", "PENDING", "FAILED", "TEMPORARY_FAILURE", "NOT_STARTED". */
    readonly status: string;
    /** Name and target of the CNAME records, for keys that SES makes. */
    readonly records: readonly (readonly [name: string, value: string])[];
  };
  /** Undefined: SES uses a sender of its own. */
  readonly mailFrom:
    | { readonly domain: string; readonly status: string; readonly refuses: boolean }
    | undefined;
  readonly configurationSet: string | undefined;
}

export interface RuleSetFacts {
  readonly name: string;
  readonly rules: readonly RuleFacts[];
}

export interface RuleFacts {
  readonly name: string;
  readonly enabled: boolean;
  readonly scan: boolean;
  /** Empty: all verified domains. */
  readonly recipients: readonly string[];
  /** Of its actions that put mail into S3. */
  readonly stores: readonly {
    readonly bucket: string;
    readonly prefix: string;
    readonly topic: string | undefined;
  }[];
}

export interface TopicFacts {
  readonly policy: string | undefined;
}

export interface SubscriptionFacts {
  /** Empty while it is pending. */
  readonly arn: string;
  readonly protocol: string;
  /** URL without password, or ARN of a queue. */
  readonly endpoint: string;
  readonly pending: boolean;
}

export interface QueueFacts {
  readonly arn: string;
  readonly policy: string | undefined;
  readonly waiting: number;
  readonly hidden: number;
  readonly retentionSeconds: number;
}

export interface ConfigurationSetFacts {
  readonly sending: boolean;
  readonly tlsRequired: boolean;
  readonly destinations: readonly {
    readonly name: string;
    readonly enabled: boolean;
    /** As SES writes them: "BOUNCE". */
    readonly types: readonly string[];
    readonly topic: string | undefined;
  }[];
}

/** Where the public keys are that SES signs with, unless it says otherwise. */
const DKIM_ZONE = 'dkim.amazonses.com';
/** Pages of subscriptions that are read, 100 each. */
const PAGES = 10;

export function createSetUpReader(settings: AwsSettings, { clock }: { readonly clock: Clock }): SetUpReader {
  const { http, config } = openSdk(settings, { clock });
  return {
    caller: () => told('sts:GetCallerIdentity', () => callerOf(config)),
    ...sesReader(config),
    activeRuleSet: () => told('ses:DescribeActiveReceiptRuleSet', () => activeRuleSet(config)),
    ruleSets: () => told('ses:ListReceiptRuleSets', () => ruleSets(config)),
    bucketPolicy: (bucket) => told('s3:GetBucketPolicy', () => bucketPolicy(config, bucket)),
    ...snsReader(config),
    queue: (url) => told('sqs:GetQueueAttributes', () => queue(config, url)),
    close: () => http.destroy(),
  };
}

/** Undefined where there is no such thing. */
async function ifThere<T>(permission: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const known = toAwsError(error, permission);
    if (known.kind === 'missing') return undefined;
    throw known;
  }
}

type Ses = typeof import('@aws-sdk/client-sesv2');
type SesClient = InstanceType<Ses['SESv2Client']>;

function sesReader(config: SdkConfig): Pick<SetUpReader, 'account' | 'identity' | 'configurationSet'> {
  const client = lazily(async () => {
    const ses = await import('@aws-sdk/client-sesv2');
    return { ses, made: new ses.SESv2Client(config) };
  });
  return {
    account: () =>
      told('ses:GetAccount', async () => {
        const { ses, made } = await client();
        return account(ses, made);
      }),
    identity: (name) =>
      ifThere('ses:GetEmailIdentity', async () => {
        const { ses, made } = await client();
        return identity(ses, made, name);
      }),
    configurationSet: (name) =>
      ifThere('ses:GetConfigurationSet', async () => {
        const { ses, made } = await client();
        return configurationSet(ses, made, name);
      }),
  };
}

async function account(ses: Ses, made: SesClient): Promise<AccountFacts> {
  const found = await made.send(new ses.GetAccountCommand({}));
  return {
    production: found.ProductionAccessEnabled === true,
    sendingEnabled: found.SendingEnabled !== false,
    maxSendRate: found.SendQuota?.MaxSendRate ?? 1,
    max24HourSend: found.SendQuota?.Max24HourSend ?? -1,
    sentLast24Hours: found.SendQuota?.SentLast24Hours ?? 0,
    enforcement: found.EnforcementStatus ?? 'HEALTHY',
    review: found.Details?.ReviewDetails?.Status,
  };
}

async function identity(ses: Ses, made: SesClient, name: string): Promise<IdentityFacts> {
  const found = await made.send(new ses.GetEmailIdentityCommand({ EmailIdentity: name }));
  const { DkimAttributes: dkim, MailFromAttributes: from } = found;
  const zone = dkim?.SigningHostedZone ?? DKIM_ZONE;
  const tokens = dkim?.SigningAttributesOrigin === 'EXTERNAL' ? [] : (dkim?.Tokens ?? []);
  return {
    verified: found.VerifiedForSendingStatus === true,
    dkim: {
      signing: dkim?.SigningEnabled === true,
      status: dkim?.Status ?? 'NOT_STARTED',
      records: tokens.map((token) => [`${token}._domainkey.${name}`, `${token}.${zone}`] as const),
    },
    mailFrom:
      from?.MailFromDomain === undefined || from.MailFromDomain === ''
        ? undefined
        : {
            domain: from.MailFromDomain,
            status: from.MailFromDomainStatus ?? 'PENDING',
            refuses: from.BehaviorOnMxFailure === 'REJECT_MESSAGE',
          },
    configurationSet: found.ConfigurationSetName,
  };
}

async function configurationSet(ses: Ses, made: SesClient, name: string): Promise<ConfigurationSetFacts> {
  const input = { ConfigurationSetName: name };
  const found = await made.send(new ses.GetConfigurationSetCommand(input));
  const events = await told('ses:GetConfigurationSetEventDestinations', () =>
    made.send(new ses.GetConfigurationSetEventDestinationsCommand(input)),
  );
  return {
    sending: found.SendingOptions?.SendingEnabled !== false,
    tlsRequired: found.DeliveryOptions?.TlsPolicy === 'REQUIRE',
    destinations: (events.EventDestinations ?? []).map((destination) => ({
      name: destination.Name ?? '',
      enabled: destination.Enabled === true,
      types: destination.MatchingEventTypes ?? [],
      topic: destination.SnsDestination?.TopicArn,
    })),
  };
}

async function activeRuleSet(config: SdkConfig): Promise<RuleSetFacts | undefined> {
  const { SESClient, DescribeActiveReceiptRuleSetCommand } = await import('@aws-sdk/client-ses');
  const { Metadata, Rules = [] } = await new SESClient(config).send(
    new DescribeActiveReceiptRuleSetCommand({}),
  );
  if (Metadata?.Name === undefined) return undefined;
  return {
    name: Metadata.Name,
    rules: Rules.map(({ Name = '', Enabled, ScanEnabled, Recipients = [], Actions = [] }) => ({
      name: Name,
      enabled: Enabled === true,
      scan: ScanEnabled === true,
      recipients: Recipients,
      stores: Actions.flatMap(({ S3Action: action }) =>
        action?.BucketName === undefined
          ? []
          : [{ bucket: action.BucketName, prefix: action.ObjectKeyPrefix ?? '', topic: action.TopicArn }],
      ),
    })),
  };
}

async function ruleSets(config: SdkConfig): Promise<string[]> {
  const { SESClient, ListReceiptRuleSetsCommand } = await import('@aws-sdk/client-ses');
  const { RuleSets = [] } = await new SESClient(config).send(new ListReceiptRuleSetsCommand({}));
  return RuleSets.map(({ Name }) => Name).filter((name) => name !== undefined);
}

async function bucketPolicy(config: SdkConfig, bucket: string): Promise<string | undefined> {
  const { S3Client, GetBucketPolicyCommand } = await import('@aws-sdk/client-s3');
  // Names of buckets are no host names of an emulator.
  const client = new S3Client({ ...config, forcePathStyle: config.endpoint !== undefined });
  try {
    return (await client.send(new GetBucketPolicyCommand({ Bucket: bucket }))).Policy;
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBucketPolicy') return undefined;
    throw error;
  }
}

function snsReader(config: SdkConfig): Pick<SetUpReader, 'topic' | 'subscriptions' | 'deadLetters'> {
  const client = lazily(async () => {
    const sns = await import('@aws-sdk/client-sns');
    return { sns, made: new sns.SNSClient(config) };
  });
  return {
    topic: (arn) =>
      told('sns:GetTopicAttributes', async () => {
        const { sns, made } = await client();
        const found = await made.send(new sns.GetTopicAttributesCommand({ TopicArn: arn }));
        return { policy: found.Attributes?.['Policy'] };
      }),
    deadLetters: (subscriptionArn) =>
      told('sns:GetSubscriptionAttributes', async () => {
        const { sns, made } = await client();
        const input = { SubscriptionArn: subscriptionArn };
        const found = await made.send(new sns.GetSubscriptionAttributesCommand(input));
        return /"deadLetterTargetArn"\s*:\s*"([^"]+)"/.exec(found.Attributes?.['RedrivePolicy'] ?? '')?.[1];
      }),
    subscriptions: (topicArn) =>
      told('sns:ListSubscriptionsByTopic', async () => {
        const { sns, made } = await client();
        const all: SubscriptionFacts[] = [];
        let NextToken: string | undefined;
        for (let page = 0; page < PAGES; page++) {
          const found = await made.send(
            new sns.ListSubscriptionsByTopicCommand({
              TopicArn: topicArn,
              ...(NextToken !== undefined && { NextToken }),
            }),
          );
          for (const { Protocol = '', Endpoint = '', SubscriptionArn = '' } of found.Subscriptions ?? [])
            all.push({
              arn: SubscriptionArn.startsWith('arn:') ? SubscriptionArn : '',
              protocol: Protocol,
              endpoint: withoutPassword(Endpoint),
              pending: !SubscriptionArn.startsWith('arn:'),
            });
          NextToken = found.NextToken;
          if (NextToken === undefined) break;
        }
        return all;
      }),
  };
}

/** SNS masks the password already; the user's name is nobody's business either. */
function withoutPassword(endpoint: string): string {
  const url = URL.parse(endpoint);
  if (url === null || !url.protocol.startsWith('http')) return endpoint;
  url.username = '';
  url.password = '';
  return url.href;
}

async function queue(config: SdkConfig, url: string): Promise<QueueFacts> {
  const { SQSClient, GetQueueAttributesCommand } = await import('@aws-sdk/client-sqs');
  const { Attributes: facts = {} } = await new SQSClient(config).send(
    new GetQueueAttributesCommand({
      QueueUrl: url,
      AttributeNames: [
        'QueueArn',
        'Policy',
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'MessageRetentionPeriod',
      ],
    }),
  );
  return {
    arn: facts.QueueArn ?? '',
    policy: facts.Policy,
    waiting: Number(facts.ApproximateNumberOfMessages ?? 0),
    hidden: Number(facts.ApproximateNumberOfMessagesNotVisible ?? 0),
    retentionSeconds: Number(facts.MessageRetentionPeriod ?? 0),
  };
}
