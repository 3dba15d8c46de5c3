import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dns, DnsAnswer, DnsRecords, DnsType } from '../../mail/dns.ts';
import type { SetUpReader } from '../../net/aws/inspect.ts';
import { AwsError } from '../../net/aws/types.ts';
import { like, policyAllows } from './policy.ts';
import { sesStatus, type SesStatus } from './status.ts';
import type { StatusRequest } from './types.ts';

const REGION = 'eu-west-1';
const ACCOUNT = '123456789012';
const TOPIC = `arn:aws:sns:${REGION}:${ACCOUNT}:new-mail`;
const EVENTS = `arn:aws:sns:${REGION}:${ACCOUNT}:events`;
const QUEUE = 'https://sqs.eu-west-1.amazonaws.com/123456789012/new-mail';
const DEAD = 'https://sqs.eu-west-1.amazonaws.com/123456789012/dead';
const RULE = `arn:aws:ses:${REGION}:${ACCOUNT}:receipt-rule-set/rules:receipt-rule/MailToS3`;

function arnOf(url: string): string {
  return `arn:aws:sqs:${REGION}:${ACCOUNT}:${url.split('/').at(-1)}`;
}

function allow(service: string, Action: string, Resource: string, source: string): string {
  const Condition = { ArnLike: { 'aws:SourceArn': source }, StringEquals: { 'aws:SourceAccount': ACCOUNT } };
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action, Resource, Condition }],
  });
}

/** An account in which all is well. */
const WELL: SetUpReader = {
  caller: async () => ({ account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:user/mail` }),
  account: async () => ({
    production: true,
    sendingEnabled: true,
    maxSendRate: 14,
    max24HourSend: 50_000,
    sentLast24Hours: 12,
    enforcement: 'HEALTHY',
    review: 'GRANTED',
  }),
  identity: async (name) => ({
    verified: true,
    dkim: {
      signing: true,
      status: 'SUCCESS',
      records: ['a', 'b', 'c'].map(
        (token) => [`${token}._domainkey.${name}`, `${token}.dkim.amazonses.com`] as const,
      ),
    },
    mailFrom: { domain: `bounces.${name}`, status: 'SUCCESS', refuses: true },
    configurationSet: 'postern',
  }),
  activeRuleSet: async () => ({
    name: 'rules',
    rules: [
      {
        name: 'MailToS3',
        enabled: true,
        scan: true,
        recipients: ['example.org'],
        stores: [{ bucket: 'mail-bucket', prefix: 'new/', topic: TOPIC }],
      },
    ],
  }),
  ruleSets: async () => ['rules'],
  bucketPolicy: async () =>
    allow(
      'ses.amazonaws.com',
      's3:PutObject',
      'arn:aws:s3:::mail-bucket/new/*',
      RULE.replace('MailToS3', '*'),
    ),
  topic: async (arn) => ({ policy: allow('ses.amazonaws.com', 'sns:Publish', arn, RULE) }),
  deadLetters: async () => arnOf(DEAD),
  subscriptions: async (arn) => [
    {
      arn: `${arn}:1`,
      protocol: 'sqs',
      endpoint: arn === TOPIC ? arnOf(QUEUE) : arnOf('x/events'),
      pending: false,
    },
  ],
  queue: async (url) => ({
    arn: arnOf(url),
    policy: allow(
      'sns.amazonaws.com',
      'sqs:SendMessage',
      arnOf(url),
      url.endsWith('events') ? EVENTS : TOPIC,
    ),
    waiting: 0,
    hidden: 0,
    retentionSeconds: 1_209_600,
  }),
  configurationSet: async () => ({
    sending: true,
    tlsRequired: false,
    destinations: [
      { name: 'events', enabled: true, types: ['BOUNCE', 'COMPLAINT', 'DELIVERY'], topic: EVENTS },
    ],
  }),
  close: () => undefined,
};

type Zone = Record<string, { [T in DnsType]?: readonly DnsRecords[T][] }>;

function txt(text: string): DnsRecords['TXT'] {
  return { text, chunks: [Buffer.from(text)] };
}

const ZONE: Zone = {
  'example.org': {
    MX: [{ preference: 10, exchange: 'inbound-smtp.eu-west-1.amazonaws.com' }],
    TXT: [txt('v=spf1 include:amazonses.com ~all'), txt('other')],
  },
  '_dmarc.example.org': { TXT: [txt('v=DMARC1; p=none')] },
  'bounces.example.org': {
    MX: [{ preference: 10, exchange: 'feedback-smtp.eu-west-1.amazonses.com' }],
    TXT: [txt('v=spf1 include:amazonses.com ~all')],
  },
  'a._domainkey.example.org': { CNAME: ['a.dkim.amazonses.com'] },
  'b._domainkey.example.org': { CNAME: ['B.DKIM.amazonses.com'] },
  'c._domainkey.example.org': { CNAME: ['c.dkim.amazonses.com'] },
};

function dnsOf(zone: Zone): Dns {
  return {
    query: async <T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> => {
      const node = zone[name];
      if (node === undefined) return { status: 'nxdomain' };
      const records = node[type] as readonly DnsRecords[T][] | undefined;
      if (records === undefined || records.length === 0) return { status: 'nodata' };
      return { status: 'ok', records: [...records], ttl: 60, authenticated: false };
    },
  };
}

/** Where events of sent mail come in. */
const EVENTS_SOURCE = { bucket: '', prefix: 'new/', topicArns: [], deadLetterQueueUrl: '' };
const EVENTS_QUEUE = `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/events`;

const REQUEST: StatusRequest = {
  region: REGION,
  domains: ['example.org'],
  receive: 'auto',
  configurationSets: [],
  sources: [
    { bucket: 'mail-bucket', prefix: 'new/', topicArns: [TOPIC], queueUrl: QUEUE, deadLetterQueueUrl: DEAD },
    { ...EVENTS_SOURCE, queueUrl: EVENTS_QUEUE },
  ],
};

interface World {
  readonly reader?: Partial<SetUpReader>;
  readonly zone?: Zone;
  readonly request?: Partial<StatusRequest>;
}

function look({ reader, zone, request }: World): Promise<SesStatus> {
  return sesStatus({
    reader: { ...WELL, ...reader },
    dns: dnsOf({ ...ZONE, ...zone }),
    request: { ...REQUEST, ...request },
  });
}

/** "area subject: found | mend" of what is not all right. */
async function wrong(world: World): Promise<string[]> {
  const { lines } = await look(world);
  return lines
    .filter(({ state }) => state !== 'ok')
    .map(
      ({ state, area, subject, found, mend }) =>
        `${state} ${area} ${subject}: ${found} | ${mend.join(' | ')}`,
    );
}

test('an account in which all is well has no problem, and every part is looked at', async () => {
  assert.deepEqual(await wrong({}), []);
  const { lines } = await look({});
  assert.deepEqual(
    [...new Set(lines.map(({ area }) => area))],
    ['account', 'identity', 'receiving', 'events', 'dns'],
  );
  assert.deepEqual(
    lines.filter(({ area }) => area === 'receiving').map(({ subject }) => subject),
    [
      'active rule set',
      'example.org rule',
      'bucket mail-bucket',
      'topic new-mail',
      'word of new mail',
      'queue of new mail',
      'queue of dead letters',
    ],
  );
  assert.equal(lines.filter(({ area }) => area === 'dns').length, 8);
  for (const { why, subject } of lines) assert.ok(why.length > 10, subject);
});

test('each thing that may be missing is one problem with what mends it', async () => {
  const account = await WELL.account();
  const identity = await WELL.identity('example.org');
  const set = await WELL.configurationSet('postern');
  const rules = await WELL.activeRuleSet();
  const queue = await WELL.queue(QUEUE);
  assert.ok(identity !== undefined && set !== undefined && rules !== undefined);
  const [rule] = rules.rules;
  assert.ok(rule !== undefined);
  const onDead = async (url: string, change: object): ReturnType<SetUpReader['queue']> => ({
    ...(await WELL.queue(url)),
    ...(url === DEAD ? change : {}),
  });
  const cases: [World, RegExp][] = [
    [
      { reader: { account: async () => ({ ...account, production: false, review: undefined }) } },
      /sandbox.*put-account-details --production-access-enabled/,
    ],
    [
      { reader: { account: async () => ({ ...account, production: false, review: 'PENDING' }) } },
      /sandbox; Amazon is looking.*Wait/,
    ],
    [
      { reader: { account: async () => ({ ...account, enforcement: 'SHUTDOWN' }) } },
      /Sending is switched off/,
    ],
    [
      { reader: { account: async () => ({ ...account, sentLast24Hours: 49_000 }) } },
      /49000 of 50000.*request-service-quota-increase/,
    ],
    [
      { reader: { identity: async () => ({ ...identity, dkim: { ...identity.dkim, signing: false } }) } },
      /put-email-identity-dkim-attributes/,
    ],
    [
      {
        reader: {
          identity: async () => ({
            ...identity,
            mailFrom: { domain: 'bounces.example.org', status: 'FAILED', refuses: true },
          }),
        },
      },
      /SES refuses mail.*bounces\.example\.org MX 10 feedback-smtp.*bounces\.example\.org TXT "v=spf1/,
    ],
    [
      { reader: { activeRuleSet: async () => undefined } },
      /No rule set is active, but there is rules.*set-active-receipt-rule-set --rule-set-name rules --region eu-west-1/,
    ],
    [
      {
        reader: {
          activeRuleSet: async () => ({ ...rules, rules: [{ ...rule, recipients: ['other.example'] }] }),
        },
      },
      /No rule of rules is for the domain/,
    ],
    [
      { reader: { activeRuleSet: async () => ({ ...rules, rules: [{ ...rule, enabled: false }] }) } },
      /switched off/,
    ],
    [
      { reader: { bucketPolicy: async () => undefined } },
      /does not let SES.*put-bucket-policy --bucket mail-bucket/,
    ],
    [
      {
        reader: {
          topic: async () => ({
            policy: allow('ses.amazonaws.com', 'sns:Publish', TOPIC, 'arn:aws:ses:*:other'),
          }),
        },
      },
      /may not publish.*set-topic-attributes/,
    ],
    [
      { reader: { queue: (url) => onDead(url, { policy: undefined }) } },
      /dead letters: SNS may not write.*set-queue-attributes/,
    ],
    [{ reader: { queue: (url) => onDead(url, { waiting: 3 }) } }, /3 notices could not be handed over/],
    [
      { reader: { queue: (url) => onDead(url, { retentionSeconds: 345_600 }) } },
      /4 days only.*MessageRetentionPeriod=1209600/,
    ],
    [{ reader: { configurationSet: async () => undefined } }, /does not exist.*create-configuration-set/],
    [
      { reader: { configurationSet: async () => ({ ...set, sending: false }) } },
      /put-configuration-set-sending-options/,
    ],
    [
      {
        zone: {
          'example.org': { ...ZONE['example.org'], MX: [{ preference: 10, exchange: 'mx.other.example' }] },
        },
      },
      /10 mx\.other\.example, not to SES.*example\.org MX 10 inbound-smtp/,
    ],
    [{ zone: { 'c._domainkey.example.org': {} } }, /missing.*c\._domainkey\.example\.org CNAME c\.dkim/],
    [
      {
        zone: {
          'bounces.example.org': {
            ...ZONE['bounces.example.org'],
            MX: [
              { preference: 1, exchange: 'feedback-smtp.eu-west-1.amazonses.com' },
              { preference: 2, exchange: 'x.example' },
            ],
          },
        },
      },
      /SES wants this one alone/,
    ],
    [
      {
        zone: { 'example.org': { ...ZONE['example.org'], TXT: [txt('v=spf1 -all'), txt('v=spf1 mx -all')] } },
      },
      /2 SPF records: receivers ignore them all/,
    ],
    [{ zone: { '_dmarc.example.org': {} } }, /no DMARC record.*_dmarc\.example\.org TXT "v=DMARC1/],
  ];
  assert.equal(queue.waiting, 0);
  for (const [world, says] of cases) {
    const found = await wrong(world);
    assert.equal(found.length, 1, `${String(says)}: ${found.join('\n')}`);
    assert.match(found[0] ?? '', says);
  }
});

test('a domain SES does not know, and one that is not verified', async () => {
  const [first] = await wrong({ reader: { identity: async () => undefined } });
  assert.match(first ?? '', /does not know the domain.*postern ses template --domain example\.org/);
  const parent: World = {
    reader: { identity: async (name) => (name === 'example.org' ? WELL.identity(name) : undefined) },
    request: { domains: ['lists.sub.example.org'], receive: 'none', configurationSets: ['postern'] },
  };
  const { lines } = await look(parent);
  assert.match(lines.find(({ area }) => area === 'identity')?.found ?? '', /as a subdomain of example\.org/);
  const identity = await WELL.identity('example.org');
  assert.ok(identity !== undefined);
  const waiting = { ...identity, verified: false, dkim: { ...identity.dkim, status: 'PENDING' } };
  const found = await wrong({ reader: { identity: async () => waiting } });
  assert.equal(found.length, 2);
  for (const line of found) assert.match(line, /a\._domainkey\.example\.org CNAME a\.dkim\.amazonses\.com/);
});

test('a bucket that any account may write to by way of SES is told', async () => {
  const open = JSON.stringify({
    Statement: {
      Effect: 'Allow',
      Principal: { Service: 'ses.amazonaws.com' },
      Action: 's3:*',
      Resource: '*',
    },
  });
  const [line] = await wrong({ reader: { bucketPolicy: async () => open } });
  assert.match(line ?? '', /the SES of any account/);
});

test('subscriptions: nobody, not confirmed, not the queue that is polled', async () => {
  const told = (...subscriptions: Awaited<ReturnType<SetUpReader['subscriptions']>>): World => ({
    reader: { subscriptions: async (arn) => (arn === TOPIC ? subscriptions : WELL.subscriptions(arn)) },
  });
  assert.match(
    (await wrong(told())).join(),
    /Nobody is told.*sns subscribe .* --protocol sqs --notification-endpoint arn:aws:sqs:eu-west-1:123456789012:new-mail/,
  );
  const queue = { arn: `${TOPIC}:1`, protocol: 'sqs', endpoint: arnOf(QUEUE), pending: false };
  const https = {
    arn: `${TOPIC}:2`,
    protocol: 'https',
    endpoint: 'https://mail.example.org/',
    pending: true,
  };
  assert.match((await wrong(told(queue, https))).join(), /has not confirmed/);
  const dropped = await wrong({ reader: { deadLetters: async () => undefined } });
  assert.match(dropped.join(), /no dead-letter queue.*set-subscription-attributes .*:new-mail:1 .*:dead"/);
  assert.match(
    (await wrong(told({ ...https, pending: false }))).join(),
    /The queue that Postern asks is not told/,
  );
});

test('what may not be looked at is unknown, with the permission, and the rest goes on', async () => {
  const denied = async (): Promise<never> => {
    throw new AwsError('auth', 'not authorized', { code: 'AccessDenied' });
  };
  const reader = {
    account: denied,
    queue: denied,
    bucketPolicy: denied,
    topic: denied,
    subscriptions: denied,
    configurationSet: denied,
  };
  const found = await wrong({ reader });
  assert.ok(
    found.every((line) => line.startsWith('unknown')),
    found.join('\n'),
  );
  const permissions = [
    'ses:GetAccount',
    's3:GetBucketPolicy',
    'sns:GetTopicAttributes',
    'sns:ListSubscriptionsByTopic',
    'sqs:GetQueueAttributes',
    'ses:GetConfigurationSet',
  ];
  for (const permission of permissions)
    assert.ok(
      found.some((line) => line.includes(`Allow ${permission} `)),
      permission,
    );
  const rules = await wrong({ reader: { activeRuleSet: denied } });
  assert.match(rules.join(), /unknown receiving active rule set.*ses:DescribeActiveReceiptRuleSet/);
  const identity = await wrong({ reader: { identity: denied } });
  assert.match(identity.join(), /unknown identity example\.org.*ses:GetEmailIdentity/);
});

test('without credentials there is one line; without a network it is unknown', async () => {
  const caller = (kind: 'auth' | 'network'): World => ({
    reader: {
      caller: async () => {
        throw new AwsError(kind, 'no AWS credentials');
      },
    },
  });
  const refused = await look(caller('auth'));
  assert.equal(refused.caller, undefined);
  assert.deepEqual(
    refused.lines.map(({ state, subject }) => `${state} ${subject}`),
    ['problem credentials'],
  );
  assert.match(refused.lines[0]?.mend[0] ?? '', /--credentials-file/);
  assert.equal((await look(caller('network'))).lines[0]?.state, 'unknown');
});

test('SES that only sends is asked for nothing that receives', async () => {
  const zone = {
    'example.org': { ...ZONE['example.org'], MX: [{ preference: 10, exchange: 'mx.example.org' }] },
  };
  const world: World = {
    zone,
    request: { sources: [{ ...EVENTS_SOURCE, queueUrl: EVENTS_QUEUE }] },
    reader: { activeRuleSet: async () => undefined, ruleSets: async () => [] },
  };
  assert.deepEqual(await wrong(world), []);
  const { lines } = await look(world);
  assert.ok(!lines.some(({ area }) => area === 'receiving'));
  assert.match(
    (await wrong({ ...world, request: { sources: [], receive: 'ses' } })).join(),
    /No rule set is active/,
  );
  // A rule set that was made and never made active is what people forget.
  const forgotten = await wrong({ ...world, reader: { activeRuleSet: async () => undefined } });
  assert.match(forgotten.join(), /there is rules/);
});

test('a queue of events that this server does not ask is a problem with its command', async () => {
  const mend = `postern intake add ${REGION}-events region=${REGION} queue_url=`;
  const world: World = { request: { sources: REQUEST.sources.slice(0, 1) } };
  const [line, ...more] = await wrong(world);
  assert.ok(line?.includes(`Postern does not ask the queue that is told. | ${mend}`), line);
  assert.deepEqual(more, []);
  // Without a server nobody knows.
  assert.deepEqual(await wrong({ request: { sources: [] } }), []);
  // The endpoint that is told of them will do as well.
  const subscription = { arn: `${EVENTS}:1`, protocol: 'https', endpoint: 'https://mx', pending: false };
  const subscriptions: SetUpReader['subscriptions'] = async (arn) =>
    arn === EVENTS ? [subscription] : WELL.subscriptions(arn);
  const pushed = [...REQUEST.sources.slice(0, 1), { ...EVENTS_SOURCE, topicArns: [EVENTS], queueUrl: '' }];
  assert.deepEqual(await wrong({ reader: { subscriptions }, request: { sources: pushed } }), []);
});

test('SES behind our own host: the lower number is ours', async () => {
  const mx = (own: number, ses: number): World => ({
    request: { host: 'mx.example.org' },
    zone: {
      'example.org': {
        ...ZONE['example.org'],
        MX: [
          { preference: own, exchange: 'mx.example.org' },
          { preference: ses, exchange: 'inbound-smtp.eu-west-1.amazonaws.com' },
        ],
      },
    },
  });
  assert.deepEqual(await wrong(mx(10, 20)), []);
  assert.match(
    (await wrong(mx(20, 10))).join(),
    /SES comes before our own host.*example\.org MX 10 mx\.example\.org.*MX 20 inbound-smtp/,
  );
  const alone = await wrong({ request: { host: 'mx.example.org', receive: 'backup' } });
  assert.match(alone.join(), /Our own host is missing/);
});

test('DNS that does not answer is unknown, never missing', async () => {
  const silent: Dns = { query: async () => ({ status: 'temporary', reason: 'timeout' }) };
  const { lines } = await sesStatus({ reader: WELL, dns: silent, request: { ...REQUEST, receive: 'ses' } });
  const dns = lines.filter(({ area }) => area === 'dns');
  assert.ok(dns.length > 0 && dns.every(({ state }) => state === 'unknown'));
});

test('policies are read as IAM reads them', () => {
  const asked = {
    service: 'sns.amazonaws.com',
    action: 'sqs:SendMessage',
    resource: 'arn:q',
    source: 'arn:t',
  };
  const allows = (statement: object): boolean =>
    policyAllows(JSON.stringify({ Statement: statement }), asked).allowed;
  const good = {
    Effect: 'Allow',
    Principal: { Service: ['sns.amazonaws.com'] },
    Action: ['SQS:Send*'],
    Resource: 'arn:*',
  };
  assert.ok(allows(good));
  assert.ok(allows([{ ...good, Principal: '*' }]));
  assert.ok(allows({ ...good, Condition: { ArnEquals: { 'AWS:SourceArn': ['arn:x', 'arn:t'] } } }));
  assert.ok(!allows({ ...good, Condition: { ArnEquals: { 'aws:SourceArn': 'arn:x' } } }));
  assert.ok(!allows({ ...good, Effect: 'Deny' }));
  assert.ok(!allows({ ...good, Principal: { Service: 'ses.amazonaws.com' } }));
  assert.ok(!allows({ ...good, Resource: 'arn:other' }));
  for (const text of [undefined, '', 'null', '[]', '{"Statement":7}', 'no json'])
    assert.ok(!policyAllows(text, asked).allowed, text);
  assert.ok(like('a*b?d', 'axxbcd') && like('*', '') && like('a**', 'a'));
  assert.ok(!like('a*b', 'ac') && !like('', 'a') && !like('a?', 'a'));
  assert.ok(!like(`${'a*'.repeat(200)}b`, 'a'.repeat(2000)));
});
