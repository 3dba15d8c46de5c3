import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startAws } from '../../../test/support/aws/emulator.ts';
import type { AwsEmulator } from '../../../test/support/aws/types.ts';
import { readBlockYaml } from '../../../test/support/block-yaml.ts';
import { startDnsServer, type TestDnsServer } from '../../../test/support/dns-server.ts';
import { lintTemplate } from '../../../test/support/template-lint.ts';
import { systemClock } from '../../base/clock.ts';
import { createLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { openInlineStore } from '../../data/inline.ts';
import { createAdminServer } from '../../servers/http/servers.ts';
import type { CloudFormationTemplate } from '../../mail/ses-template/types.ts';
import { type CliAnswer, runCommand } from '../../../test/support/cli.ts';

let directory: string;
let aws: AwsEmulator;
let dns: TestDnsServer;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pst-'));
  aws = await startAws({ ses: { identities: ['example.org'] } });
  dns = await startDnsServer({});
});

after(async () => {
  await aws.close();
  await dns.close();
  await rm(directory, { recursive: true, force: true });
});

function cli(...words: string[]): Promise<CliAnswer> {
  return runCommand(words, { input: '', cwd: directory });
}

const ONE = ['ses', 'template', '--domain', 'Example.org', '--region', 'eu-west-1'];

test('ses template prints the template alone; what to do with it is beside it', async () => {
  const { status, out, err } = await cli(...ONE);
  assert.equal(status, 0);
  const template = readBlockYaml(out) as CloudFormationTemplate;
  assert.deepEqual(lintTemplate(template), []);
  assert.ok('exampleDotorg' in template.Resources);
  assert.match(err, /aws cloudformation deploy --template-file postern-ses-eu-west-1\.yaml/);
  assert.match(err, /ActivateReceiptRuleSet/);
  assert.match(err, /Note: Envelope senders are at mail\.example\.org.*--mail-from bounces/);
  const clash = await cli(...ONE, '--host', 'mail.example.org');
  assert.match(clash.err, /Note: Envelope senders are at bounces\./);
  assert.match(clash.out, /MailFromSubDomain:\n.*\n.*\n +Default: bounces/);
  const json = await cli(...ONE, '--format', 'json');
  assert.deepEqual(JSON.parse(json.out), template);
  const program = await cli(...ONE, '--json');
  assert.deepEqual(JSON.parse(program.out).templates[0].template, template);
  assert.equal(program.err, '');
});

test('ses template for several regions and many domains writes files', async () => {
  await writeFile(
    join(directory, 'domains.txt'),
    `# ours\n${Array.from({ length: 60 }, (_, i) => `d${i}.example\n`).join('')}bücher.example # more\n`,
  );
  const words = [
    'ses',
    'template',
    '--domains-file',
    'domains.txt',
    '--region',
    'eu-west-1',
    '--region',
    'us-east-1',
    '--split',
    '40',
  ];
  const { status, out, err } = await cli(...words, '--out', 'made');
  assert.equal(status, 0, err);
  const files = (await readdir(join(directory, 'made'))).toSorted();
  assert.deepEqual(files, [
    'postern-ses-eu-west-1-1.yaml',
    'postern-ses-eu-west-1-2.yaml',
    'postern-ses-us-east-1-1.yaml',
    'postern-ses-us-east-1-2.yaml',
  ]);
  assert.equal(out.trim().split('\n').length, 4);
  assert.match(err, /Note: There are 2 templates a region/);
  assert.match(err, /Note: IAM knows no regions/);
  const last = await readFile(join(directory, 'made', 'postern-ses-us-east-1-2.yaml'), 'utf8');
  assert.match(last, /EmailIdentity: xn--bcher-kva\.example/);
  // Printed, they are documents of one stream.
  const printed = await cli(...words);
  assert.equal(printed.out.match(/^---$/gm)?.length, 4);
});

test('ses template says what it does not take', async () => {
  const cases: [string[], RegExp][] = [
    [['ses', 'template', '--domain', 'example.org'], /--region is missing/],
    [['ses', 'template', '--domain', 'a b', '--region', 'eu-west-1'], /is no domain/],
    [['ses', 'template', '--region', 'eu-west-1'], /Or name the domains: --domain example\.org/],
    [[...ONE, '--region', 'nowhere'], /--region takes/],
    [[...ONE, '--format', 'toml'], /yaml or json/],
    [[...ONE, '--principal', 'me'], /--principal takes/],
    [[...ONE, '--principal', 'ec2', '--access-key'], /goes with --principal user/],
    [[...ONE, '--backup-mx', '20'], /needs --host/],
    [[...ONE, '--backup-mx', '20', '--send-only', '--host', 'mx.example.org'], /exclude each other/],
    [[...ONE, '--mail-from', 'a.b'], /one label/],
    [[...ONE, '--host', 'a b'], /--host takes/],
    [[...ONE, '--expiry-days', '1'], /from 15 to/],
    [[...ONE, '--region', 'us-east-1', '--format', 'json'], /--out DIR/],
    [['ses', 'template', '--domains-file', 'none.txt', '--region', 'eu-west-1'], /no such file/],
  ];
  for (const [words, says] of cases) {
    const { status, out, err } = await cli(...words);
    assert.notEqual(status, 0, words.join(' '));
    assert.equal(out, '');
    assert.match(err, says);
  }
});

async function look(...more: string[]): Promise<{ status: number; out: string; err: string }> {
  await writeFile(join(directory, 'key'), `${aws.accessKeyId}:${aws.secretAccessKey}\n`);
  const server = ['--endpoint', aws.endpoint, '--dns', `${dns.address}:${dns.port}`];
  return cli(
    'ses',
    'status',
    '--region',
    'eu-west-1',
    '--domain',
    'example.org',
    '--credentials-file',
    'key',
    ...server,
    ...more,
  );
}

test('ses status needs no server, says what mends what, and ends with 1', async () => {
  aws.ses.production = false;
  const { status: code, out, err } = await look();
  assert.equal(code, 1, err);
  assert.match(out, /^SES in eu-west-1, account 123456789012 as arn:/);
  assert.match(out, /^ {2}PROBLEM {2}sandbox: The account is in the sandbox/m);
  assert.match(out, /^ +-> aws sesv2 put-account-details .*--region eu-west-1$/m);
  assert.match(out, /^ +-> aaaa\S+\._domainkey\.example\.org CNAME aaaa\S+\.dkim\.amazonses\.com$/m);
  assert.match(out, /^ +-> _dmarc\.example\.org TXT "v=DMARC1/m);
  assert.match(out, /\d+ problem\(s\), 0 unknown/);
  const json = JSON.parse((await look('--json')).out);
  assert.equal(json.regions[0].lines[0].state, 'problem');
});

test('ses status ends with 0 when nothing is wrong', async () => {
  aws.ses.production = true;
  const topicArn = aws.sns.createTopic('events');
  const queue = aws.sqs.createQueue('events', {
    allowTopic: topicArn,
    attributes: { MessageRetentionPeriod: '1209600' },
  });
  aws.sns.subscribe(topicArn, 'sqs', queue.arn);
  aws.ses.createConfigurationSet('postern', [{ name: 'to-sns', topicArn }]);
  const tokens = ['a', 'b', 'c'].map((letter) => letter.repeat(32));
  for (const token of tokens)
    dns.zone[`${token}._domainkey.example.org`] = { CNAME: `${token}.dkim.amazonses.com` };
  dns.zone['example.org'] = {
    TXT: ['v=spf1 include:amazonses.com ~all'],
    MX: [{ preference: 10, exchange: 'mx.example.org' }],
  };
  dns.zone['_dmarc.example.org'] = { TXT: ['v=DMARC1; p=none'] };
  dns.zone['mail.example.org'] = {
    MX: [{ preference: 10, exchange: 'feedback-smtp.eu-west-1.amazonses.com' }],
    TXT: ['v=spf1 include:amazonses.com ~all'],
  };
  const { status: code, out } = await look();
  assert.equal(code, 0, out);
  assert.match(out, /^0 problem\(s\), 0 unknown/m);
  assert.match(out, /^ {2}ok {7}example\.org: The domain is verified\.$/m);
  for (const line of out.split('\n')) assert.ok(line.length <= 80 || line.includes('->'), line);
});

test('ses status without credentials, or with wrong ones, says how to give them', async () => {
  await writeFile(join(directory, 'wrong'), 'AKIAWRONG:secret\n');
  const { status: code, out } = await cli(
    'ses',
    'status',
    '--region',
    'eu-west-1',
    '--domain',
    'example.org',
    '--credentials-file',
    'wrong',
    '--endpoint',
    aws.endpoint,
    '--dns',
    `${dns.address}:${dns.port}`,
  );
  assert.equal(code, 1);
  assert.match(out, /PROBLEM {2}credentials/);
  assert.match(out, /-> .*--credentials-file FILE/);
});

test('with a server, domains, regions, keys and places are those of its settings', async () => {
  const data = join(directory, 'data');
  await mkdir(data, { mode: 0o700 });
  const store = await openInlineStore({ path: ':memory:', clock: systemClock });
  const server = await createAdminServer({
    store,
    clock: systemClock,
    logger: createLogger({ level: 'error', pretty: true, write: (line) => process.stderr.write(line) }),
    metrics: new Metrics(),
    facts: {
      version: '1.2.3',
      mode: 'serve',
      hostname: 'mx.example.org',
      startedAt: systemClock.now(),
      dataDirectory: data,
      publicAddresses: () => [],
      adminAddress: () => undefined,
      listeners: () => [],
      certificates: () => [],
      stopping: () => false,
    },
  });
  const ours = (...words: string[]): ReturnType<typeof cli> => cli(...words, '--data', data);
  const queue = aws.sqs.createQueue('polled', { attributes: { MessageRetentionPeriod: '1209600' } });
  const topicArn = aws.sns.createTopic('new-mail');
  aws.s3.createBucket('mail-bucket');
  aws.ses.createReceiptRule({
    name: 'MailToS3',
    recipients: ['example.org'],
    bucket: 'mail-bucket',
    prefix: 'new/',
    topicArn,
    ruleSet: 'rules',
  });
  aws.ses.activeRuleSet = 'rules';
  const key = join(directory, 'server-key');
  await writeFile(key, `${aws.accessKeyId}:${aws.secretAccessKey}\n`);
  const source = {
    region: 'eu-west-1',
    endpoint: aws.endpoint,
    bucket: 'mail-bucket',
    topic_arns: [topicArn],
    queue_url: queue.url,
    credentials_file: key,
  };
  try {
    const template = await ours('ses', 'template', '--region', 'eu-west-1');
    assert.match(template.err, /The server has no domain yet/);
    for (const words of [
      ['domain', 'add', 'example.org'],
      [
        'transport',
        'add',
        'ses',
        'ses-api',
        'region=eu-west-1',
        `endpoint=${aws.endpoint}`,
        `credentials_file=${key}`,
        'configuration_set=gone',
      ],
      ['intake', 'add', 'main', ...Object.entries(source).map(([name, value]) => `${name}=${String(value)}`)],
    ]) {
      const done = await ours(...words);
      assert.equal(done.status, 0, done.err);
    }
    assert.match((await ours('ses', 'template', '--region', 'eu-west-1')).out, /EmailIdentity: example\.org/);
    const { status, out } = await ours('ses', 'status', '--dns', `${dns.address}:${dns.port}`);
    assert.equal(status, 1);
    assert.match(out, /configuration set gone: It does not exist/);
    assert.match(out, /The rule MailToS3 puts mail into mail-bucket\/new\/\./);
    assert.match(out, /queue of new mail: SNS may not write to it\./);
    assert.match(out, /word of new mail: Nobody is told\./);
    // The commands in the outputs of the template are understood by this very program.
    const { Outputs } = JSON.parse(
      (await ours('ses', 'template', '--region', 'eu-west-1', '--format', 'json')).out,
    );
    const values: Record<string, string> = {
      'AWS::Region': 'eu-west-1',
      S3MailBucket: 'mail-bucket',
      SnsNewMailTopic: topicArn,
      SqsNewMailQueue: queue.url,
      SqsNewMailDeadLetterQueue: queue.url,
      SesConfigurationSet: 'set',
      SesEventsQueue: queue.url,
    };
    const commands: string[] = [
      Outputs.AddTransport.Value['Fn::Sub'],
      Outputs.AddEvents.Value['Fn::Sub'],
      Outputs.AddIntake.Value['Fn::If'][1]['Fn::Sub'],
      `${Outputs.AddIntake.Value['Fn::If'][2]['Fn::Sub']} --replace`,
    ];
    for (const command of commands) {
      const line = command.replace(/\$\{([^}]*)\}/g, (_, name: string) => values[name] ?? `no ${name}`);
      const words = line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
      assert.equal(words.shift(), 'postern');
      const done = await ours(...words);
      assert.equal(done.status, 0, `${line}\n${done.err}`);
    }
    const { settings } = JSON.parse((await ours('intake', 'show', '--json')).out);
    const made = settings.sources.map((one: { name: string; bucket: string; topic_arns: string[] }) => [
      one.name,
      one.bucket,
      one.topic_arns,
    ]);
    assert.deepEqual(made, [
      ['main', 'mail-bucket', [topicArn]],
      ['eu-west-1-events', '', []],
      ['eu-west-1', 'mail-bucket', [topicArn]],
    ]);
    const elsewhere = await ours(
      'ses',
      'status',
      '--region',
      'us-east-1',
      '--endpoint',
      aws.endpoint,
      '--credentials-file',
      key,
      '--dns',
      `${dns.address}:${dns.port}`,
    );
    assert.match(elsewhere.out, /^SES in us-east-1/);
  } finally {
    await server.drain(100);
    await store.close();
  }
});

test('ses status without a server asks for what it needs', async () => {
  const { status: code, err } = await cli('ses', 'status');
  assert.equal(code, 1);
  assert.match(err, /Without a server name what to look at: --region eu-west-1 --domain example\.org/);
});
