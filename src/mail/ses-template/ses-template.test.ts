import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import { lintTemplate } from '../../../test/support/template-lint.ts';
import { readBlockYaml } from '../../../test/support/block-yaml.ts';
import { domainId } from './names.ts';
import { INLINE_BYTES_MAX, planTemplates, sizeNote, type TemplateRequest } from './plan.ts';
import { templateJson, templateYaml } from './render.ts';
import { sesTemplate } from './template.ts';
import type { CloudFormationTemplate, Json, SesTemplateOptions } from './types.ts';

const ONE: SesTemplateOptions = {
  domains: ['example.org'],
  principal: { kind: 'user', accessKey: false },
  mxPreference: 10,
  mailFromSubDomain: 'mail',
  expiryDays: 365,
};
const PLAN: TemplateRequest = { ...ONE, regions: ['eu-west-1'] };

function domains(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `domain-number-${i}.example.com`);
}

/** The expectation, written anew with UPDATE=1 in the environment: read the difference before it is committed. */
function expected(name: string, template: CloudFormationTemplate): Json {
  const file = new URL(`../../../test/fixtures/ses-template/${name}.json`, import.meta.url);
  if (process.env['UPDATE'] === '1') writeFileSync(file, templateJson(template));
  return JSON.parse(readFileSync(file, 'utf8')) as Json;
}

function statementsOf(template: CloudFormationTemplate, id: string): Record<string, Json>[] {
  const document = template.Resources[id]?.Properties?.['PolicyDocument'] as {
    Statement: Record<string, Json>[];
  };
  return document.Statement;
}

test('one domain: the template is the one that was looked through by hand', () => {
  const template = sesTemplate(ONE);
  assert.deepEqual(JSON.parse(templateJson(template)), expected('one-domain', template));
  assert.deepEqual(lintTemplate(template), []);
});

test('two domains behind our own host, for an instance: likewise', () => {
  const template = sesTemplate({
    ...ONE,
    domains: ['example.org', 'mail-shop.example.co.uk'],
    principal: { kind: 'ec2' },
    mxPreference: 20,
    host: 'mx.example.org',
  });
  assert.deepEqual(JSON.parse(templateJson(template)), expected('two-domains', template));
  assert.deepEqual(lintTemplate(template), []);
});

test('sending only: nothing receives', () => {
  const template = sesTemplate({ ...ONE, mxPreference: undefined });
  assert.deepEqual(JSON.parse(templateJson(template)), expected('send-only', template));
  assert.deepEqual(lintTemplate(template), []);
  assert.doesNotMatch(JSON.stringify(template), /S3|ReceiptRule|inbound-smtp/);
});

test('it has the names that users of the older template rely on', () => {
  const template = sesTemplate(ONE);
  for (const name of [
    'MailDomains',
    'MailFromSubDomain',
    'RecipientConditions',
    'ScanReceivedMail',
    'SnsHttpsEndpointAddress',
  ])
    assert.ok(Object.keys(template.Parameters).includes(name), name);
  for (const name of ['UseCustomMailFrom', 'RecipientConditionsSet', 'ScanIncomingMail'])
    assert.ok(Object.keys(template.Conditions).includes(name), name);
  for (const name of [
    'S3MailBucket',
    'S3MailBucketPolicy',
    'SnsNewMailTopic',
    'SqsNewMailDeadLetterQueue',
    'SnsHttpsEndpointSubscription',
    'exampleDotorg',
    'SesReceiptRuleSet',
    'SesReceiptRule',
    'IamMailUser',
  ])
    assert.ok(Object.keys(template.Resources).includes(name), name);
  for (const name of [
    'exampleDotorgMailReceivingMxDnsRecord',
    'exampleDotorgDkimCnameDnsRecord1',
    'exampleDotorgDkimCnameDnsRecord3',
    'exampleDotorgCustomMailFromMxDnsRecord',
    'exampleDotorgCustomMailFromSpfDnsRecord',
    'DeadLetterQueueUrl',
  ])
    assert.ok(Object.keys(template.Outputs).includes(name), name);
});

test('every queue that SNS fills lets SNS fill it, and nobody else', () => {
  const template = sesTemplate(ONE);
  const queues = Object.entries(template.Resources).filter(([, { Type }]) => Type === 'AWS::SQS::Queue');
  assert.equal(queues.length, 3);
  for (const [id] of queues) {
    const [statement] = statementsOf(template, `${id}Policy`);
    assert.deepEqual(statement?.['Principal'], { Service: 'sns.amazonaws.com' });
    assert.deepEqual(statement?.['Resource'], { 'Fn::GetAtt': [id, 'Arn'] });
    assert.match(JSON.stringify(statement?.['Condition']), /aws:SourceArn.*Topic/);
  }
});

test('the user may use its own identities, bucket and queues, and look at its set-up', () => {
  const template = sesTemplate(ONE);
  const all = ['IamReceiveMailPolicy', 'IamSendMailPolicy', 'IamSetUpPolicy'].flatMap((id) =>
    statementsOf(template, id),
  );
  const wide = all.filter(({ Resource }) => Resource === '*');
  assert.deepEqual(
    wide.map(({ Sid }) => Sid),
    ['ReadAccount'],
  );
  const [send] = statementsOf(template, 'IamSendMailPolicy');
  assert.match(JSON.stringify(send?.['Resource']), /identity\/example\.org"/);
  assert.doesNotMatch(JSON.stringify(send?.['Resource']), /\/\*/);
});

test('fifty domains fit, with their records in one output each, and are told to be large', () => {
  const { templates, notes } = planTemplates({ ...PLAN, domains: domains(50) });
  assert.equal(templates.length, 1);
  assert.deepEqual(notes, []);
  const [{ template, name }] = templates as [(typeof templates)[0]];
  assert.deepEqual(lintTemplate(template), []);
  const records = JSON.stringify(template.Outputs['domainDashnumberDash49DotexampleDotcomDnsRecords']);
  for (const part of [
    'MX 10 inbound-smtp',
    'DkimDNSTokenValue3',
    'feedback-smtp',
    '_dmarc.domain-number-49',
    'v=spf1',
  ])
    assert.ok(records.includes(part), part);
  const bytes = templateYaml(template).length;
  assert.ok(bytes > INLINE_BYTES_MAX);
  assert.match(sizeNote(name, bytes) ?? '', /--s3-bucket/);
  assert.equal(sizeNote(name, templateYaml(sesTemplate(ONE)).length), undefined);
});

test('more domains than a template takes make several, in which one user sends as all of them', () => {
  const { templates, notes } = planTemplates({ ...PLAN, domains: domains(230) });
  assert.deepEqual(
    templates.map(({ name }) => name),
    ['postern-ses-eu-west-1-1', 'postern-ses-eu-west-1-2', 'postern-ses-eu-west-1-3'],
  );
  assert.match(notes[0] ?? '', /3 templates a region/);
  for (const { template } of templates) assert.deepEqual(lintTemplate(template), []);
  const users = templates.map(({ template }) => 'IamMailUser' in template.Resources);
  assert.deepEqual(users, [true, false, false]);
  const identities = templates.flatMap(({ template }) =>
    Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::SES::EmailIdentity'),
  );
  assert.equal(identities.length, 230);
  // Whatever a later part asks for, the first part puts out.
  const [first, ...rest] = templates;
  for (const { template } of rest)
    for (const [name, { Default }] of Object.entries(template.Parameters))
      if (Default === undefined) assert.ok(name in (first?.template.Outputs ?? {}), name);
});

test('a second region shares the user, and nothing that may be there once only', () => {
  const { templates, notes } = planTemplates({ ...PLAN, regions: ['eu-west-1', 'us-east-1'] });
  const [one, two] = templates.map(({ template }) => template);
  assert.ok(one !== undefined && two !== undefined);
  assert.deepEqual(lintTemplate(two), []);
  assert.ok(
    !('IamMailUser' in two.Resources) && 'MailUserName' in two.Parameters && 'MailUserName' in one.Outputs,
  );
  assert.match(notes[0] ?? '', /IAM knows no regions/);
  // One MX record at the subdomain of envelope senders leads to one region.
  assert.equal(two.Parameters['MailFromSubDomain']?.Default, 'mail-us-east-1');
  // Names that people give are the only ones that clash.
  assert.doesNotMatch(
    JSON.stringify(templates),
    /"(?:UserName|RoleName|ManagedPolicyName|BucketName|QueueName|TopicName)":"/,
  );
});

test('principals: a key in the stack, an instance, a role', () => {
  const withKey = sesTemplate({ ...ONE, principal: { kind: 'user', accessKey: true } });
  const role = sesTemplate({
    ...ONE,
    principal: { kind: 'role', trust: 'arn:aws:iam::123456789012:role/mail', externalId: 'abc' },
  });
  const ec2 = sesTemplate({ ...ONE, principal: { kind: 'ec2' } });
  for (const template of [withKey, role, ec2]) assert.deepEqual(lintTemplate(template), []);
  assert.ok('MailSecretAccessKey' in withKey.Outputs);
  assert.doesNotMatch(JSON.stringify([role, ec2]), /AWS::IAM::(?:User|AccessKey)/);
  assert.match(JSON.stringify(role.Resources['IamMailRole']), /"sts:ExternalId":"abc"/);
  assert.ok('IamMailInstanceProfile' in ec2.Resources);
});

test('the outputs have the commands that tell Postern of the stack', () => {
  const { AddTransport, AddEvents, AddIntake } = sesTemplate(ONE).Outputs;
  const said = (value: Json | undefined): string => (value as { 'Fn::Sub': string })['Fn::Sub'];
  assert.match(
    said(AddTransport?.Value),
    /^postern transport add ses-\$\{AWS::Region\} ses-api .* credentials_file=\/etc\/postern\/aws-key$/,
  );
  assert.equal(
    said(AddEvents?.Value),
    'postern intake add ${AWS::Region}-events region=${AWS::Region} queue_url=${SesEventsQueue} credentials_file=/etc/postern/aws-key',
  );
  assert.ok(AddIntake !== undefined);
  const [, withQueue] = (AddIntake.Value as { 'Fn::If': [string, Json, Json] })['Fn::If'];
  const pairs = /^postern intake add \$\{AWS::Region\} (.*)$/.exec(said(withQueue))?.[1]?.split(' ') ?? [];
  const keys = ['region', 'bucket', 'topic_arns', 'dead_letter_queue_url', 'queue_url', 'credentials_file'];
  assert.deepEqual(
    pairs.map((pair) => pair.split('=')[0]),
    keys,
  );
  const { AddEvents: sendOnly, AddIntake: none } = sesTemplate({ ...ONE, mxPreference: undefined }).Outputs;
  assert.deepEqual([sendOnly, none], [AddEvents, undefined]);
  const assumed = sesTemplate({
    ...ONE,
    principal: { kind: 'role', trust: 'arn:aws:iam::123456789012:role/mail', externalId: 'abc' },
  }).Outputs;
  for (const name of ['AddTransport', 'AddEvents'])
    assert.match(said(assumed[name]?.Value), / role_arn=\$\{IamMailRole\.Arn\} external_id=abc$/);
  const instance = sesTemplate({ ...ONE, principal: { kind: 'ec2' } }).Outputs;
  assert.doesNotMatch(JSON.stringify(instance), /credentials_file|role_arn/);
});

test('a clash of names is told before it is deployed', () => {
  const { notes } = planTemplates({ ...PLAN, mxPreference: 20, host: 'mail.example.org' });
  assert.match(notes[0] ?? '', /--mail-from bounces/);
});

test('logical ids are alphanumeric and differ where domains do', () => {
  assert.equal(domainId('example.org'), 'exampleDotorg');
  const some = [
    'a.b',
    'a-b',
    'adotb',
    'xn--bcher-kva.example',
    '3.example',
    `${'ab.'.repeat(83)}ab`,
    `${'ab.'.repeat(83)}ac`,
  ];
  const ids = some.map(domainId);
  assert.equal(new Set(ids).size, some.length);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9]{1,215}$/);
});

test('options that CloudFormation or AWS would refuse are refused here', () => {
  const refused: Partial<SesTemplateOptions>[] = [
    { domains: [] },
    { domains: ['a.example', 'a.example'] },
    { domains: domains(101) },
    { expiryDays: 3 },
    { expiryDays: 20.5 },
    { mxPreference: -1 },
    { part: { number: 2, of: 2 } },
  ];
  for (const bad of refused)
    assert.throws(() => sesTemplate({ ...ONE, ...bad }), Refusal, JSON.stringify(bad));
});

test('YAML says what JSON says', () => {
  const { templates } = planTemplates({
    ...PLAN,
    domains: domains(230),
    regions: ['eu-west-1', 'us-east-1'],
  });
  for (const template of [sesTemplate(ONE), ...templates.map((one) => one.template)])
    assert.deepEqual(readBlockYaml(templateYaml(template)), JSON.parse(templateJson(template)));
  const awkward = {
    yes: 'no',
    a: '1e3',
    b: '',
    c: '- x',
    d: 'a: b',
    e: 'x #y',
    f: '"',
    g: "don't",
    h: [],
    i: {},
    j: '2012-10-17',
    k: [['a'], { b: '*' }],
    l: '0x1',
    m: '~',
    n: true,
    o: -1,
    p: 'a\nb',
  };
  const yaml = templateYaml(awkward as unknown as CloudFormationTemplate);
  assert.deepEqual(readBlockYaml(yaml), awkward);
  for (const text of ['"yes": "no"', 'a: "1e3"', 'j: "2012-10-17"', 'm: "~"'])
    assert.ok(yaml.includes(`${text}\n`), text);
});

/** Sets what a path leads to, or takes it away. */
function change(template: Json, path: readonly string[], value: unknown): void {
  let place = template as Record<string, unknown>;
  for (const name of path.slice(0, -1)) place = place[name] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete place[last];
  else place[last] = value;
}

function output(Value: unknown): object {
  return { Description: 'x', Value };
}

test('the checks notice what breaks a template', () => {
  const policy = ['Properties', 'PolicyDocument'];

  const cases: [path: string[], value: unknown, says: RegExp][] = [
    [['Resources', 'SnsNewMailTopic'], undefined, /names SnsNewMailTopic, which is not there/],
    [['Resources', 'S3MailBucket', 'Properties', 'Buckets'], 1, /Buckets is no property of AWS::S3::Bucket/],
    [['Resources', 'SesReceiptRule', 'Properties', 'RuleSetName'], undefined, /lacks RuleSetName/],
    [['Resources', 'SesReceiptRule', 'DependsOn'], ['Nobody'], /depends on Nobody/],
    [['Resources', 'S3MailBucket', 'DependsOn'], ['S3MailBucketPolicy'], /S3MailBucket.* is a cycle/],
    [['Resources', 'S3MailBucket', 'Type'], 'AWS::S3::Pail', /unknown type/],
    [['Resources', 'SqsNewMailQueuePolicy', 'Condition'], undefined, /there only if NewMailQueueUsed/],
    [
      ['Resources', 'SqsNewMailQueuePolicy', ...policy, 'Statement', '0', 'Principal'],
      '*',
      /allows everybody/,
    ],
    [['Resources', 'IamSendMailPolicy', ...policy, 'Statement', '0', 'Action'], 'SendEmail', /bad Action/],
    [
      ['Resources', 'IamSendMailPolicy', ...policy, 'Statement', '0', 'Principal'],
      '*',
      /Principal where none/,
    ],
    [['Resources', 'S3MailBucketPolicy', ...policy, 'Version'], undefined, /no policy of 2012-10-17/],
    [['Resources', 'exampleDotorg', 'Properties', 'EmailIdentity'], true, /is no text/],
    [['Conditions', 'NewMailQueueUsed'], undefined, /the condition NewMailQueueUsed, which is not there/],
    [['Conditions', 'Idle'], { 'Fn::Equals': ['a', 'b'] }, /Idle is a condition that nothing uses/],
    [['Outputs', 'Bad-Name'], output('x'), /Bad-Name is no logical id/],
    [['Outputs', 'X'], output({ 'Fn::Sub': '${exampleDotorg.Token}' }), /exampleDotorg\.Token/],
    [['Outputs', 'X'], output({ 'Fn::Split': ['a', 'b'] }), /uses Fn::Split/],
    [['Outputs', 'X'], output('arn:aws:s3:::x'), /ARN of one partition/],
    [['Outputs', 'X'], output('${AWS::Region}'), /outside of Fn::Sub/],
    [['Parameters', 'Idle'], { Type: 'String', Description: 'x' }, /nothing uses/],
    [['Parameters', 'ScanReceivedMail', 'Default'], 'maybe', /default that is not allowed/],
  ];
  for (const [path, value, says] of cases) {
    const template = JSON.parse(templateJson(sesTemplate(ONE))) as Json;
    change(template, path, value);
    assert.match(lintTemplate(template as unknown as CloudFormationTemplate).join('\n'), says);
  }
});
