import { attribute, either, ref, sub } from './functions.ts';
import { domainId } from './names.ts';
import { recordLine, type SesRecord, sesRecords } from './records.ts';
import type { Json, Principal, SesTemplateOptions, TemplateOutput } from './types.ts';

type Outputs = Record<string, TemplateOutput>;

/** By CloudFormation's quotas. */
export const OUTPUTS_MAX = 200;
/** Outputs that are not about a domain, at most. */
const SHARED_OUTPUTS = 20;

/** What a person has to know of the finished stack: DNS records, names for Postern's settings, the command that starts it. */
export function outputs(options: SesTemplateOptions): Outputs {
  const first = options.part === undefined || options.part.number === 1;
  return {
    ...(options.domains.length * recordsOf('x.example', options).length + SHARED_OUTPUTS <= OUTPUTS_MAX
      ? oneByOne(options)
      : together(options)),
    ...(first && shared(options)),
  };
}

function recordsOf(domain: string, options: SesTemplateOptions): SesRecord[] {
  const id = domainId(domain);
  return sesRecords({
    domain,
    region: '${AWS::Region}',
    mailFrom: `\${MailFromSubDomain}.${domain}`,
    dkim: [1, 2, 3].map((i) => [`\${${id}.DkimDNSTokenName${i}}`, `\${${id}.DkimDNSTokenValue${i}}`]),
    mxPreference: options.mxPreference,
    host: options.host,
  });
}

function isMailFrom({ kind }: SesRecord): boolean {
  return kind === 'mail-from-mx' || kind === 'mail-from-spf';
}

/** Fn::Sub only where there is something to put in. */
function text(line: string): Json {
  return line.includes('${') ? sub(line) : line;
}

function oneByOne(options: SesTemplateOptions): Outputs {
  const entries = options.domains.flatMap((domain) =>
    recordsOf(domain, options).map((record): [string, TemplateOutput] => [
      domainId(domain) + record.output,
      {
        Description: record.why,
        ...(isMailFrom(record) && { Condition: 'UseCustomMailFrom' }),
        Value: text(recordLine(record)),
      },
    ]),
  );
  return Object.fromEntries(entries);
}

function lines(records: readonly SesRecord[]): string {
  return records.map(recordLine).join('\n');
}

/** With many domains an output each would be more than there may be: all records of a domain in one. */
function together(options: SesTemplateOptions): Outputs {
  return Object.fromEntries(
    options.domains.map((domain) => {
      const records = recordsOf(domain, options);
      const always = lines(records.filter((record) => !isMailFrom(record)));
      const own = lines(records.filter(isMailFrom));
      return [
        `${domainId(domain)}DnsRecords`,
        {
          Description: `DNS records for ${domain}, one a line.`,
          Value: { 'Fn::Join': ['\n', [text(always), either('UseCustomMailFrom', text(own), '')]] },
        },
      ];
    }),
  );
}

function shared(options: SesTemplateOptions): Outputs {
  const receives = options.mxPreference !== undefined;
  return {
    ...(receives && {
      DeadLetterQueueUrl: {
        Description: 'Queue with word of mail that could not be handed over.',
        Value: ref('SqsNewMailDeadLetterQueue'),
      },
      NewMailQueueUrl: {
        Description: 'Queue with word of new mail.',
        Condition: 'NewMailQueueUsed',
        Value: ref('SqsNewMailQueue'),
      },
      MailBucketName: { Description: 'Bucket with mail that waits for us.', Value: ref('S3MailBucket') },
      NewMailTopicArn: { Description: 'Topic that tells of new mail.', Value: ref('SnsNewMailTopic') },
      ReceiptRuleSetName: {
        Description: 'Rule set that receives, once it is active.',
        Value: ref('SesReceiptRuleSet'),
      },
      ActivateReceiptRuleSet: {
        Description: 'CloudFormation cannot make the rule set active: this command does.',
        Value: sub(activationCommand('${SesReceiptRuleSet}', '${AWS::Region}')),
      },
    }),
    SesEventsQueueUrl: {
      Description: 'Queue with what became of sent mail: deliveries, bounces, complaints.',
      Value: ref('SesEventsQueue'),
    },
    SesEventsTopicArn: { Description: 'Topic of the same.', Value: ref('SesEventsTopic') },
    ConfigurationSetName: {
      Description: 'Configuration set to send with.',
      Value: ref('SesConfigurationSet'),
    },
    ...principalOutputs(options.principal),
    ...commands(options),
  };
}

/** Where the guides put the key of the user. */
const KEY_FILE = '/etc/postern/aws-key';

/** What tells Postern of the stack, as it is to be typed. */
function commands({ principal, mxPreference }: SesTemplateOptions): Outputs {
  const access = accessSettings(principal);
  const command = (words: string, settings: Readonly<Record<string, string>>): Json => {
    const pairs = Object.entries({ region: '${AWS::Region}', ...settings, ...access });
    return sub(`postern ${words} ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`);
  };
  const mail = {
    bucket: '${S3MailBucket}',
    topic_arns: '${SnsNewMailTopic}',
    dead_letter_queue_url: '${SqsNewMailDeadLetterQueue}',
  };
  const add = 'intake add ${AWS::Region}';
  return {
    AddTransport: {
      Description: 'This command makes SES a way to send; a route has to name it.',
      Value: command('transport add ses-${AWS::Region} ses-api', {
        configuration_set: '${SesConfigurationSet}',
      }),
    },
    AddEvents: {
      Description: 'This command makes Postern learn what became of sent mail.',
      Value: command('intake add ${AWS::Region}-events', { queue_url: '${SesEventsQueue}' }),
    },
    ...(mxPreference !== undefined && {
      AddIntake: {
        Description: 'This command makes Postern fetch mail that SES received.',
        Value: either(
          'NewMailQueueUsed',
          command(add, { ...mail, queue_url: '${SqsNewMailQueue}' }),
          command(add, mail),
        ),
      },
    }),
  };
}

/** As what Postern comes. Nothing for an instance's own role: the SDK finds it. */
function accessSettings(principal: Principal): Readonly<Record<string, string>> {
  if (principal.kind === 'role') {
    const { externalId } = principal;
    return { role_arn: '${IamMailRole.Arn}', ...(externalId !== undefined && { external_id: externalId }) };
  }
  const user = principal.kind === 'user' || (principal.kind === 'existing' && principal.type === 'user');
  return user ? { credentials_file: KEY_FILE } : {};
}

/** What a rule set needs that a template cannot do. */
export function activationCommand(ruleSet: string, region: string): string {
  return `aws ses set-active-receipt-rule-set --rule-set-name ${ruleSet} --region ${region}`;
}

function principalOutputs(principal: Principal): Outputs {
  switch (principal.kind) {
    case 'existing':
      return {};
    case 'user':
      return {
        MailUserName: { Description: 'User whose key Postern uses.', Value: ref('IamMailUser') },
        ...(principal.accessKey
          ? {
              MailAccessKeyId: { Description: 'Its access key.', Value: ref('IamMailAccessKey') },
              MailSecretAccessKey: {
                Description: 'The secret of the key: whoever may read this stack can read it.',
                Value: attribute('IamMailAccessKey', 'SecretAccessKey'),
              },
            }
          : {
              CreateAccessKey: {
                Description: 'This command makes its access key; the secret is shown once.',
                Value: sub('aws iam create-access-key --user-name ${IamMailUser}'),
              },
            }),
      };
    case 'ec2':
      return {
        MailRoleName: { Description: 'Role of the instance.', Value: ref('IamMailRole') },
        MailInstanceProfileName: {
          Description: 'Instance profile to attach to the instance Postern runs on.',
          Value: ref('IamMailInstanceProfile'),
        },
      };
    case 'role':
      return {
        MailRoleName: { Description: 'Role that Postern assumes.', Value: ref('IamMailRole') },
        MailRoleArn: {
          Description: 'Its ARN, for role_arn in the settings.',
          Value: attribute('IamMailRole', 'Arn'),
        },
      };
  }
}
