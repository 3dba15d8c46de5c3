import { attribute, either, localArn, NOTHING, policy, ref, type Statement, sub } from './functions.ts';
import { MAIL_PREFIX } from './names.ts';
import type { Json, JsonObject, Principal, SesTemplateOptions, TemplateResource } from './types.ts';

type Resources = Record<string, TemplateResource>;

/** Characters of a managed policy are at most 6,144, white space aside; the rest is room for what is not identities. */
const POLICY_IDENTITY_CHARS = 5000;
/** Characters of an ARN of an identity without the name: partition, region and account at their longest, quotes, comma. */
const ARN_CHARS = 65;
/** A user or role has at most 10 managed policies. With more than so many, all identities of the account may be used. */
const SEND_POLICIES_MAX = 3;

/** The user or role that Postern is, and what it may do: its own bucket, queues and identities, nothing else. */
export function accessResources(options: SesTemplateOptions): Resources {
  const first = options.part === undefined || options.part.number === 1;
  const receives = options.mxPreference !== undefined;
  const to = attachment(options.principal);
  const managed = (
    Description: string,
    ...statements: readonly (Statement | JsonObject)[]
  ): TemplateResource => ({
    Type: 'AWS::IAM::ManagedPolicy',
    Properties: { Description, PolicyDocument: policy(...statements), ...to },
  });
  const send = sendStatements(options, first).map(
    (statement, i) =>
      [`IamSendMailPolicy${i === 0 ? '' : i + 1}`, managed('Postern sends mail.', statement)] as const,
  );
  return {
    ...principalResources(options.principal),
    ...(first &&
      receives && {
        IamReceiveMailPolicy: managed(
          'Postern fetches mail that SES received.',
          ...fetchMail(),
          readQueue('ProcessDeadLetterQueue', 'SqsNewMailDeadLetterQueue'),
          either('NewMailQueueUsed', { ...readQueue('ProcessNewMailQueue', 'SqsNewMailQueue') }, NOTHING),
        ),
      }),
    ...Object.fromEntries(send),
    ...(first && {
      IamSetUpPolicy: managed(
        'Postern reads events of sent mail, and the set-up, to say what is missing.',
        readQueue('ProcessEventsQueue', 'SesEventsQueue'),
        ...readSetUp(receives),
      ),
    }),
  };
}

function principalResources(principal: Principal): Resources {
  switch (principal.kind) {
    case 'existing':
      return {};
    case 'user':
      return {
        IamMailUser: { Type: 'AWS::IAM::User' },
        ...(principal.accessKey && {
          IamMailAccessKey: { Type: 'AWS::IAM::AccessKey', Properties: { UserName: ref('IamMailUser') } },
        }),
      };
    case 'ec2':
      return {
        IamMailRole: role({ Service: sub('ec2.${AWS::URLSuffix}') }),
        IamMailInstanceProfile: {
          Type: 'AWS::IAM::InstanceProfile',
          Properties: { Roles: [ref('IamMailRole')] },
        },
      };
    case 'role':
      return { IamMailRole: role({ AWS: principal.trust }, principal.externalId) };
  }
}

function role(trusted: JsonObject, externalId?: string): TemplateResource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: trusted,
            Action: 'sts:AssumeRole',
            ...(externalId !== undefined && {
              Condition: { StringEquals: { 'sts:ExternalId': externalId } },
            }),
          },
        ],
      },
    },
  };
}

function attachment(principal: Principal): JsonObject {
  const user =
    principal.kind === 'user' ? 'IamMailUser' : principal.kind === 'existing' && principal.type === 'user';
  if (user === 'IamMailUser') return { Users: [ref('IamMailUser')] };
  if (user) return { Users: [ref('MailUserName')] };
  return { Roles: [ref(principal.kind === 'existing' ? 'MailRoleName' : 'IamMailRole')] };
}

function fetchMail(): Statement[] {
  return [
    {
      Sid: 'ProcessS3Mail',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:DeleteObject'],
      Resource: sub(`\${S3MailBucket.Arn}/${MAIL_PREFIX}*`),
    },
    {
      Sid: 'ListS3Mail',
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: attribute('S3MailBucket', 'Arn'),
      Condition: { StringLike: { 's3:prefix': `${MAIL_PREFIX}*` } },
    },
  ];
}

function readQueue(sid: string, queueId: string): Statement {
  return {
    Sid: sid,
    Effect: 'Allow',
    Action: [
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
    ],
    Resource: attribute(queueId, 'Arn'),
  };
}

/** Sending is allowed by identity and configuration set; one statement a policy. */
function sendStatements({ domains }: SesTemplateOptions, first: boolean): Statement[] {
  const set = first ? '${SesConfigurationSet}' : '${ConfigurationSetName}';
  const groups = groupBySize(domains);
  const resources =
    groups.length > SEND_POLICIES_MAX
      ? [[localArn('ses', 'identity/*')]]
      : groups.map((group) => group.map((domain) => localArn('ses', `identity/${domain}`)));
  return resources.map((Resource, i) => ({
    Sid: i === 0 ? 'SendSesMail' : `SendSesMail${i + 1}`,
    Effect: 'Allow',
    Action: ['ses:SendEmail', 'ses:SendRawEmail'],
    Resource: [...Resource, localArn('ses', `configuration-set/${set}`)],
  }));
}

/** Whether IAM has no room for the names of the domains, so that all identities of the account may be used. */
export function anyIdentity(domains: readonly string[]): boolean {
  return groupBySize(domains).length > SEND_POLICIES_MAX;
}

function groupBySize(domains: readonly string[]): string[][] {
  const groups: string[][] = [];
  let room = 0;
  for (const domain of domains) {
    const needed = ARN_CHARS + domain.length;
    if (needed > room) {
      groups.push([]);
      room = POLICY_IDENTITY_CHARS;
    }
    groups.at(-1)?.push(domain);
    room -= needed;
  }
  return groups;
}

/** For `postern ses status`, and to keep to the quota. Most of these calls know no resource. */
function readSetUp(receives: boolean): Statement[] {
  const account: Json = [
    'ses:GetAccount',
    'ses:GetSendQuota',
    'ses:ListEmailIdentities',
    'ses:ListIdentities',
    'ses:GetIdentityVerificationAttributes',
    ...(receives
      ? ['ses:DescribeActiveReceiptRuleSet', 'ses:ListReceiptRuleSets', 'sns:GetSubscriptionAttributes']
      : []),
  ];
  const topics = [ref('SesEventsTopic'), ...(receives ? [ref('SnsNewMailTopic')] : [])];
  return [
    { Sid: 'ReadAccount', Effect: 'Allow', Action: account, Resource: '*' },
    {
      Sid: 'ReadSendSetUp',
      Effect: 'Allow',
      Action: ['ses:GetEmailIdentity', 'ses:GetConfigurationSet', 'ses:GetConfigurationSetEventDestinations'],
      Resource: [localArn('ses', 'identity/*'), localArn('ses', 'configuration-set/${SesConfigurationSet}')],
    },
    {
      Sid: 'ReadTopics',
      Effect: 'Allow',
      Action: ['sns:GetTopicAttributes', 'sns:ListSubscriptionsByTopic'],
      Resource: topics,
    },
    ...(receives
      ? [
          {
            Sid: 'ReadBucketPolicy',
            Effect: 'Allow' as const,
            Action: 's3:GetBucketPolicy',
            Resource: attribute('S3MailBucket', 'Arn'),
          },
        ]
      : []),
  ];
}
