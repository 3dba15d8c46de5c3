import { differs, ref } from './functions.ts';
import type { Json, JsonObject, SesTemplateOptions, TemplateParameter } from './types.ts';

type Parameters = Record<string, TemplateParameter>;

const yesNo = (Default: 'yes' | 'no', Description: string): TemplateParameter => ({
  Type: 'String',
  Description,
  Default,
  AllowedValues: ['yes', 'no'],
});

/** A name that another of our stacks puts out. */
const given = (Description: string, AllowedPattern: string): TemplateParameter => ({
  Type: 'String',
  Description,
  AllowedPattern,
  ConstraintDescription: 'Copy it from the outputs of the first stack.',
});

/** What can be changed when the stack is made or updated. */
export function parameters(options: SesTemplateOptions): Parameters {
  const receives = options.mxPreference !== undefined;
  const first = options.part === undefined || options.part.number === 1;
  return {
    ...(receives && mailDomains(options.domains)),
    MailFromSubDomain: {
      Type: 'String',
      Description:
        'Subdomain for the envelope sender of outgoing mail; it must serve nothing else. Empty: off.',
      Default: options.mailFromSubDomain,
      AllowedPattern: '^$|^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
      ConstraintDescription: 'One label of a domain name, such as mail, or nothing.',
    },
    MailFromMxFailure: {
      Type: 'String',
      Description:
        'Outgoing mail while the MX record of that subdomain is missing: refused, or sent with a sender of Amazon.',
      Default: 'REJECT_MESSAGE',
      AllowedValues: ['REJECT_MESSAGE', 'USE_DEFAULT_VALUE'],
    },
    ...(receives && receiving()),
    ...(receives && first && endpoint()),
    ...(first && {
      RequireTlsOut: yesNo('no', 'Send only to hosts that offer TLS; mail to others bounces.'),
    }),
    ...(!first && ofFirst(receives)),
    ...(options.principal.kind === 'existing' && principalName(options.principal.type)),
  };
}

function mailDomains(domains: readonly string[]): Parameters {
  return {
    MailDomains: {
      Type: 'CommaDelimitedList',
      Description:
        'Domains whose mail is received. Make the template anew when domains come or go: each has resources of its own.',
      Default: domains.join(','),
    },
  };
}

function receiving(): Parameters {
  return {
    RecipientConditions: {
      Type: 'CommaDelimitedList',
      Description:
        'Receive mail for these addresses and domains only (".example.org" is all subdomains). Empty: for all of MailDomains.',
      Default: '',
    },
    ScanReceivedMail: yesNo(
      'yes',
      'Amazon looks for spam and viruses; its verdicts are evidence for our filter.',
    ),
    RequireTlsIn: yesNo('no', 'Take mail over encrypted connections only; some senders cannot.'),
  };
}

function endpoint(): Parameters {
  return {
    UseNewMailQueue: yesNo('yes', 'A queue tells of new mail, and Postern asks it: no port has to be open.'),
    SnsHttpsEndpointAddress: {
      Type: 'String',
      Description:
        'An HTTPS address of Postern, called at each new mail: https://user:password@host:port, percent-encoded. Empty: none.',
      Default: '',
      AllowedPattern: '^$|^https://.+',
      ConstraintDescription: 'It begins with https://',
      NoEcho: true,
    },
  };
}

function ofFirst(receives: boolean): Parameters {
  return {
    ConfigurationSetName: given('ConfigurationSetName of the first stack.', '^[A-Za-z0-9_-]{1,64}$'),
    ...(receives && {
      MailBucketName: given('MailBucketName of the first stack.', '^[a-z0-9.-]{3,63}$'),
      NewMailTopicArn: given('NewMailTopicArn of the first stack.', '^arn:.+'),
      ReceiptRuleSetName: given('ReceiptRuleSetName of the first stack.', '^[A-Za-z0-9_.-]{1,64}$'),
    }),
  };
}

function principalName(type: 'user' | 'role'): Parameters {
  return type === 'user'
    ? { MailUserName: given('MailUserName of the first stack.', '^[A-Za-z0-9_+=,.@-]{1,64}$') }
    : { MailRoleName: given('MailRoleName of the first stack.', '^[A-Za-z0-9_+=,.@-]{1,64}$') };
}

function equals(parameter: string, value: string): JsonObject {
  return { 'Fn::Equals': [ref(parameter), value] };
}

export function conditions(names: Parameters): Record<string, Json> {
  const all: readonly [parameter: string, condition: string, test: Json][] = [
    ['MailFromSubDomain', 'UseCustomMailFrom', differs(ref('MailFromSubDomain'), '')],
    [
      'RecipientConditions',
      'RecipientConditionsSet',
      differs({ 'Fn::Join': ['', ref('RecipientConditions')] }, ''),
    ],
    ['ScanReceivedMail', 'ScanIncomingMail', equals('ScanReceivedMail', 'yes')],
    ['RequireTlsIn', 'TlsInRequired', equals('RequireTlsIn', 'yes')],
    ['UseNewMailQueue', 'NewMailQueueUsed', equals('UseNewMailQueue', 'yes')],
    ['SnsHttpsEndpointAddress', 'HttpsEndpointSet', differs(ref('SnsHttpsEndpointAddress'), '')],
    ['RequireTlsOut', 'TlsOutRequired', equals('RequireTlsOut', 'yes')],
  ];
  return Object.fromEntries(
    all.filter(([parameter]) => parameter in names).map(([, name, test]) => [name, test]),
  );
}

const GROUPS: readonly (readonly [label: string, names: readonly string[]])[] = [
  ['Domains', ['MailDomains', 'MailFromSubDomain', 'MailFromMxFailure']],
  [
    'Receiving',
    ['RecipientConditions', 'ScanReceivedMail', 'RequireTlsIn', 'UseNewMailQueue', 'SnsHttpsEndpointAddress'],
  ],
  ['Sending', ['RequireTlsOut']],
  [
    'From the outputs of the first stack',
    [
      'ConfigurationSetName',
      'MailBucketName',
      'NewMailTopicArn',
      'ReceiptRuleSetName',
      'MailUserName',
      'MailRoleName',
    ],
  ],
];

/** The console shows parameters in these groups. */
export function parameterGroups(names: Parameters): JsonObject {
  const groups = GROUPS.map(([label, all]) => [label, all.filter((name) => name in names)] as const);
  return {
    'AWS::CloudFormation::Interface': {
      ParameterGroups: groups
        .filter(([, all]) => all.length > 0)
        .map(([label, all]) => ({ Label: { default: label }, Parameters: all })),
    },
  };
}
