import { attribute, either, localArn, policy, ref, sub, type Statement } from './functions.ts';
import { MAIL_PREFIX, RULE_NAME } from './names.ts';
import type { Json, SesTemplateOptions, TemplateResource } from './types.ts';

type Resources = Record<string, TemplateResource>;

/** Seconds: the longest SQS keeps anything. */
const RETENTION_SECONDS = 1_209_600;
/** Seconds a notice is hidden while it is worked on; Postern prolongs or shortens it as it needs. */
const HIDDEN_SECONDS = 3600;
/** So often a notice is received before it goes to the dead-letter queue; a night of trouble is no reason to give up. */
const RECEIVES_MAX = 50;
/** Days until what is left of a broken upload goes. */
const UPLOAD_DAYS = 7;

/** Mail from SES into the bucket, and word of it to us. */
export function receiveResources(options: SesTemplateOptions): Resources {
  return {
    ...buckets(options.expiryDays),
    ...topics(),
    ...queues(),
    ...subscriptions(),
    SesReceiptRuleSet: { Type: 'AWS::SES::ReceiptRuleSet' },
    SesReceiptRule: receiptRule({
      name: RULE_NAME,
      ruleSet: ref('SesReceiptRuleSet'),
      bucket: ref('S3MailBucket'),
      topic: ref('SnsNewMailTopic'),
      // SES tries both when the rule is made, and refuses the rule when it may not.
      after: ['S3MailBucketPolicy', 'SnsNewMailTopicPolicy'],
    }),
  };
}

interface RulePlace {
  readonly name: string;
  readonly ruleSet: Json;
  readonly bucket: Json;
  readonly topic: Json;
  readonly after: readonly string[];
}

/** The rule for the domains of this template. */
export function receiptRule({ name, ruleSet, bucket, topic, after }: RulePlace): TemplateResource {
  return {
    Type: 'AWS::SES::ReceiptRule',
    ...(after.length > 0 && { DependsOn: after }),
    Properties: {
      RuleSetName: ruleSet,
      Rule: {
        Name: name,
        Enabled: true,
        ScanEnabled: either('ScanIncomingMail', true, false),
        TlsPolicy: either('TlsInRequired', 'Require', 'Optional'),
        Recipients: either('RecipientConditionsSet', ref('RecipientConditions'), ref('MailDomains')),
        Actions: [{ S3Action: { BucketName: bucket, ObjectKeyPrefix: MAIL_PREFIX, TopicArn: topic } }],
      },
    },
  };
}

function buckets(expiryDays: number): Resources {
  return {
    S3MailBucket: {
      Type: 'AWS::S3::Bucket',
      // Mail that was not fetched outlives the stack.
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        LifecycleConfiguration: {
          Rules: [
            {
              Id: 'forgotten-mail',
              Status: 'Enabled',
              Prefix: MAIL_PREFIX,
              ExpirationInDays: expiryDays,
              AbortIncompleteMultipartUpload: { DaysAfterInitiation: UPLOAD_DAYS },
            },
          ],
        },
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
      },
    },
    S3MailBucketPolicy: {
      Type: 'AWS::S3::BucketPolicy',
      Properties: {
        Bucket: ref('S3MailBucket'),
        PolicyDocument: policy(sesMayPut(), noPlainText()),
      },
    },
  };
}

function sesMayPut(): Statement {
  return {
    Sid: 'SesPutsMail',
    Effect: 'Allow',
    Principal: { Service: 'ses.amazonaws.com' },
    Action: 's3:PutObject',
    Resource: sub(`\${S3MailBucket.Arn}/${MAIL_PREFIX}*`),
    // Nobody else's rule may write here by way of SES.
    Condition: {
      StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
      ArnLike: {
        'aws:SourceArn': localArn('ses', 'receipt-rule-set/${SesReceiptRuleSet}:receipt-rule/*'),
      },
    },
  };
}

function noPlainText(): Statement {
  return {
    Sid: 'OnlyOverTls',
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [attribute('S3MailBucket', 'Arn'), sub('${S3MailBucket.Arn}/*')],
    Condition: { Bool: { 'aws:SecureTransport': 'false' } },
  };
}

function topics(): Resources {
  return {
    SnsNewMailTopic: { Type: 'AWS::SNS::Topic', Properties: { SignatureVersion: '2' } },
    SnsNewMailTopicPolicy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [ref('SnsNewMailTopic')],
        PolicyDocument: policy(
          sesMayPublish(
            'SnsNewMailTopic',
            localArn('ses', 'receipt-rule-set/${SesReceiptRuleSet}:receipt-rule/*'),
          ),
        ),
      },
    },
  };
}

/** `source` is the ARN, or the pattern, of what in SES may speak. */
export function sesMayPublish(topicId: string, source: Json): Statement {
  return {
    Sid: 'SesPublishes',
    Effect: 'Allow',
    Principal: { Service: 'ses.amazonaws.com' },
    Action: 'sns:Publish',
    Resource: ref(topicId),
    Condition: {
      StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') },
      ArnLike: { 'aws:SourceArn': source },
    },
  };
}

/** A queue that keeps notices as long as SQS can. */
export function queue(more: { readonly [name: string]: Json } = {}): TemplateResource {
  return {
    Type: 'AWS::SQS::Queue',
    Properties: {
      MessageRetentionPeriod: RETENTION_SECONDS,
      VisibilityTimeout: HIDDEN_SECONDS,
      SqsManagedSseEnabled: true,
      ...more,
    },
  };
}

/** Without such a policy SNS drops what it cannot put into the queue, and nobody learns of it. */
export function queuePolicy(queueId: string, topicId: string): TemplateResource {
  return {
    Type: 'AWS::SQS::QueuePolicy',
    Properties: {
      Queues: [ref(queueId)],
      PolicyDocument: policy({
        Sid: 'SnsSends',
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: attribute(queueId, 'Arn'),
        Condition: { ArnEquals: { 'aws:SourceArn': ref(topicId) } },
      }),
    },
  };
}

function queues(): Resources {
  return {
    SqsNewMailDeadLetterQueue: queue(),
    SqsNewMailDeadLetterQueuePolicy: queuePolicy('SqsNewMailDeadLetterQueue', 'SnsNewMailTopic'),
    SqsNewMailQueue: {
      ...queue({
        ReceiveMessageWaitTimeSeconds: 20,
        RedrivePolicy: {
          deadLetterTargetArn: attribute('SqsNewMailDeadLetterQueue', 'Arn'),
          maxReceiveCount: RECEIVES_MAX,
        },
      }),
      Condition: 'NewMailQueueUsed',
    },
    SqsNewMailQueuePolicy: {
      ...queuePolicy('SqsNewMailQueue', 'SnsNewMailTopic'),
      Condition: 'NewMailQueueUsed',
    },
  };
}

/** What SNS cannot deliver goes to the dead-letter queue. */
const REDRIVE: Json = { deadLetterTargetArn: attribute('SqsNewMailDeadLetterQueue', 'Arn') };

function subscriptions(): Resources {
  return {
    SnsNewMailQueueSubscription: {
      Type: 'AWS::SNS::Subscription',
      Condition: 'NewMailQueueUsed',
      DependsOn: ['SqsNewMailQueuePolicy', 'SqsNewMailDeadLetterQueuePolicy'],
      Properties: {
        TopicArn: ref('SnsNewMailTopic'),
        Protocol: 'sqs',
        Endpoint: attribute('SqsNewMailQueue', 'Arn'),
        RedrivePolicy: REDRIVE,
      },
    },
    SnsHttpsEndpointSubscription: {
      Type: 'AWS::SNS::Subscription',
      Condition: 'HttpsEndpointSet',
      DependsOn: ['SqsNewMailDeadLetterQueuePolicy'],
      Properties: {
        TopicArn: ref('SnsNewMailTopic'),
        Protocol: 'https',
        Endpoint: ref('SnsHttpsEndpointAddress'),
        // After a minute, and at the end of the hour that SNS allows in all; then the queue has it.
        DeliveryPolicy: {
          healthyRetryPolicy: {
            numRetries: 2,
            minDelayTarget: 60,
            maxDelayTarget: 3540,
            numMinDelayRetries: 1,
            numMaxDelayRetries: 1,
          },
        },
        RedrivePolicy: REDRIVE,
      },
    },
  };
}
