/**
 * What CloudFormation knows of the resource types that our templates use: properties with the shape of their values,
 * attributes for Fn::GetAtt. Written down from the public resource specification.
 */

/** `text`, `number`, `flag`, `policy` (a policy document), `free` (JSON), a list, or properties; "!" ends a required name. */
export type Shape =
  | 'text'
  | 'number'
  | 'flag'
  | 'policy'
  | 'free'
  | readonly string[]
  | { readonly list: Shape }
  | { readonly [property: string]: Shape };

export interface TypeSpec {
  readonly properties: { readonly [property: string]: Shape };
  readonly attributes: readonly string[];
}

const texts: Shape = { list: 'text' };

export const TYPE_SPECS: Readonly<Record<string, TypeSpec>> = {
  'AWS::S3::Bucket': {
    properties: {
      BucketName: 'text',
      BucketEncryption: {
        'ServerSideEncryptionConfiguration!': {
          list: {
            BucketKeyEnabled: 'flag',
            ServerSideEncryptionByDefault: {
              KMSMasterKeyID: 'text',
              'SSEAlgorithm!': ['AES256', 'aws:kms', 'aws:kms:dsse'],
            },
          },
        },
      },
      LifecycleConfiguration: {
        'Rules!': {
          list: {
            Id: 'text',
            'Status!': ['Enabled', 'Disabled'],
            Prefix: 'text',
            ExpirationInDays: 'number',
            AbortIncompleteMultipartUpload: { 'DaysAfterInitiation!': 'number' },
          },
        },
      },
      OwnershipControls: {
        'Rules!': {
          list: { ObjectOwnership: ['ObjectWriter', 'BucketOwnerPreferred', 'BucketOwnerEnforced'] },
        },
      },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: 'flag',
        BlockPublicPolicy: 'flag',
        IgnorePublicAcls: 'flag',
        RestrictPublicBuckets: 'flag',
      },
    },
    attributes: ['Arn', 'DomainName', 'DualStackDomainName', 'RegionalDomainName', 'WebsiteURL'],
  },
  'AWS::S3::BucketPolicy': { properties: { 'Bucket!': 'text', 'PolicyDocument!': 'policy' }, attributes: [] },
  'AWS::SNS::Topic': {
    properties: {
      TopicName: 'text',
      DisplayName: 'text',
      KmsMasterKeyId: 'text',
      SignatureVersion: ['1', '2'],
    },
    attributes: ['TopicArn', 'TopicName'],
  },
  'AWS::SNS::TopicPolicy': {
    properties: { 'Topics!': texts, 'PolicyDocument!': 'policy' },
    attributes: ['Id'],
  },
  'AWS::SNS::Subscription': {
    properties: {
      'TopicArn!': 'text',
      'Protocol!': ['http', 'https', 'sqs', 'email', 'lambda'],
      Endpoint: 'text',
      RawMessageDelivery: 'flag',
      RedrivePolicy: { 'deadLetterTargetArn!': 'text' },
      DeliveryPolicy: {
        healthyRetryPolicy: {
          'numRetries!': 'number',
          'minDelayTarget!': 'number',
          'maxDelayTarget!': 'number',
          numNoDelayRetries: 'number',
          numMinDelayRetries: 'number',
          numMaxDelayRetries: 'number',
          backoffFunction: ['arithmetic', 'exponential', 'geometric', 'linear'],
        },
      },
    },
    attributes: ['Arn'],
  },
  'AWS::SQS::Queue': {
    properties: {
      QueueName: 'text',
      MessageRetentionPeriod: 'number',
      VisibilityTimeout: 'number',
      ReceiveMessageWaitTimeSeconds: 'number',
      SqsManagedSseEnabled: 'flag',
      RedrivePolicy: { 'deadLetterTargetArn!': 'text', 'maxReceiveCount!': 'number' },
      RedriveAllowPolicy: 'free',
    },
    attributes: ['Arn', 'QueueName', 'QueueUrl'],
  },
  'AWS::SQS::QueuePolicy': {
    properties: { 'Queues!': texts, 'PolicyDocument!': 'policy' },
    attributes: ['Id'],
  },
  'AWS::SES::EmailIdentity': {
    properties: {
      'EmailIdentity!': 'text',
      ConfigurationSetAttributes: { ConfigurationSetName: 'text' },
      DkimAttributes: { SigningEnabled: 'flag' },
      DkimSigningAttributes: {
        DomainSigningPrivateKey: 'text',
        DomainSigningSelector: 'text',
        NextSigningKeyLength: ['RSA_1024_BIT', 'RSA_2048_BIT'],
      },
      FeedbackAttributes: { EmailForwardingEnabled: 'flag' },
      MailFromAttributes: {
        MailFromDomain: 'text',
        BehaviorOnMxFailure: ['USE_DEFAULT_VALUE', 'REJECT_MESSAGE'],
      },
    },
    attributes: [1, 2, 3].flatMap((i) => [`DkimDNSTokenName${i}`, `DkimDNSTokenValue${i}`]),
  },
  'AWS::SES::ReceiptRuleSet': { properties: { RuleSetName: 'text' }, attributes: [] },
  'AWS::SES::ReceiptRule': {
    properties: {
      'RuleSetName!': 'text',
      After: 'text',
      'Rule!': {
        Name: 'text',
        Enabled: 'flag',
        ScanEnabled: 'flag',
        TlsPolicy: ['Optional', 'Require'],
        Recipients: texts,
        Actions: {
          list: {
            S3Action: {
              'BucketName!': 'text',
              ObjectKeyPrefix: 'text',
              TopicArn: 'text',
              KmsKeyArn: 'text',
              IamRoleArn: 'text',
            },
          },
        },
      },
    },
    attributes: ['Id', 'RuleName'],
  },
  'AWS::SES::ConfigurationSet': {
    properties: {
      Name: 'text',
      DeliveryOptions: {
        TlsPolicy: ['REQUIRE', 'OPTIONAL'],
        SendingPoolName: 'text',
        MaxDeliverySeconds: 'number',
      },
      ReputationOptions: { ReputationMetricsEnabled: 'flag' },
      SendingOptions: { SendingEnabled: 'flag' },
      SuppressionOptions: { SuppressedReasons: { list: ['BOUNCE', 'COMPLAINT'] } },
    },
    attributes: [],
  },
  'AWS::SES::ConfigurationSetEventDestination': {
    properties: {
      'ConfigurationSetName!': 'text',
      'EventDestination!': {
        Name: 'text',
        Enabled: 'flag',
        'MatchingEventTypes!': {
          list: [
            'send',
            'reject',
            'bounce',
            'complaint',
            'delivery',
            'open',
            'click',
            'renderingFailure',
            'deliveryDelay',
            'subscription',
          ],
        },
        SnsDestination: { 'TopicARN!': 'text' },
      },
    },
    attributes: ['Id'],
  },
  'AWS::IAM::User': {
    properties: { UserName: 'text', ManagedPolicyArns: texts, Path: 'text' },
    attributes: ['Arn'],
  },
  'AWS::IAM::AccessKey': {
    properties: { 'UserName!': 'text', Serial: 'number', Status: ['Active', 'Inactive'] },
    attributes: ['Id', 'SecretAccessKey'],
  },
  'AWS::IAM::Role': {
    properties: {
      'AssumeRolePolicyDocument!': 'policy',
      RoleName: 'text',
      Description: 'text',
      ManagedPolicyArns: texts,
      Path: 'text',
    },
    attributes: ['Arn', 'RoleId'],
  },
  'AWS::IAM::InstanceProfile': {
    properties: { 'Roles!': texts, InstanceProfileName: 'text', Path: 'text' },
    attributes: ['Arn'],
  },
  'AWS::IAM::ManagedPolicy': {
    properties: {
      'PolicyDocument!': 'policy',
      Description: 'text',
      ManagedPolicyName: 'text',
      Users: texts,
      Roles: texts,
      Groups: texts,
    },
    attributes: ['PolicyArn', 'PolicyId'],
  },
};

/** What Ref and Fn::Sub may name besides parameters and resources. */
export const PSEUDO_PARAMETERS = [
  'AWS::AccountId',
  'AWS::NoValue',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
];

/** Where policies hang on a resource they must have no Principal; on resources they must have one. */
export const IDENTITY_POLICIES = ['AWS::IAM::ManagedPolicy'];

export const TEMPLATE_LIMITS = {
  bytes: 1_048_576,
  resources: 500,
  outputs: 200,
  parameters: 200,
  logicalId: 255,
  description: 1024,
  parameterBytes: 4096,
  managedPolicyChars: 6144,
} as const;
