import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type RelayConfig, relayConfig } from './config.ts';
import { FlagError, readGoFlags } from './go-flags.ts';
import { RELAY_FLAGS } from './table.ts';

const HASH = `$2y$10$${'a'.repeat(53)}`;
const ENV = { AWS_REGION: 'eu-west-1' };
const ARN = 'arn:aws:ses:eu-west-1:1:identity/example.org';

async function config(args: readonly string[], env: Record<string, string> = {}): Promise<RelayConfig> {
  return relayConfig(readGoFlags(args, RELAY_FLAGS), { ...ENV, ...env });
}

describe('command lines as Go reads them', () => {
  const known = [
    { name: 'x', kind: 'text' },
    { name: 'long', kind: 'text' },
    { name: 's', kind: 'switch' },
  ] as const;
  const read = (...args: string[]): string => {
    try {
      const { values, rest } = readGoFlags(args, known);
      return `${[...values].map(([name, value]) => `${name}=${value}`).join(' ')}|${rest.join(' ')}`;
    } catch (error) {
      return error instanceof FlagError ? error.message : assert.fail(String(error));
    }
  };
  const cases: readonly (readonly [args: string, result: string])[] = [
    ['', '|'],
    ['-x v', 'x=v|'],
    ['--x v', 'x=v|'],
    ['-x=v', 'x=v|'],
    ['--long=a=b', 'long=a=b|'],
    ['-x -s', 'x=-s|'],
    ['-x= -s', 'x= s=true|'],
    ['-s', 's=true|'],
    ['-s=false', 's=false|'],
    ['-s=T -x 1 -x 2', 's=true x=2|'],
    ['-s=maybe', 'invalid boolean value "maybe" for -s: it takes true or false'],
    ['-s true -x v', 's=true|true -x v'],
    ['-x v -- -s', 'x=v|-s'],
    ['- -s', '|- -s'],
    ['-y', 'flag provided but not defined: -y'],
    ['-xv', 'flag provided but not defined: -xv'],
    ['-x', 'flag needs an argument: -x'],
    ['---x', 'bad flag syntax: ---x'],
    ['-=v', 'bad flag syntax: -=v'],
  ];
  for (const [args, result] of cases) {
    test(args, () => assert.equal(read(...args.split(' ').filter((word) => word !== '')), result));
  }
});

/** Each flag with a value, what of the configuration it sets, and what to. */
const SETTINGS: readonly (readonly [
  flag: string,
  value: string,
  of: (made: RelayConfig) => unknown,
  is: unknown,
])[] = [
  ['a', '127.0.0.1:2525', ({ listen }) => listen, { address: '127.0.0.1', port: 2525 }],
  ['n', 'Post', ({ serviceName }) => serviceName, 'Post'],
  ['h', 'relay.example', ({ hostname }) => hostname, 'relay.example'],
  ['c', '/c.pem', ({ tls }) => tls?.certFile, '/c.pem'],
  ['k', '/k.pem', ({ tls }) => tls?.keyFile, '/k.pem'],
  ['s', 'true', ({ requireTls }) => requireTls, true],
  ['t', 'true', ({ implicitTls }) => implicitTls, true],
  ['r', 'pinpoint', ({ api, sesVersion }) => [api, sesVersion], ['pinpoint', 2]],
  ['e', 'set', ({ configurationSet }) => configurationSet, 'set'],
  ['i', '192.0.2.1', ({ rules }) => rules.mayConnect?.('192.0.2.1'), true],
  ['u', 'user', ({ login }) => login, { user: 'user', password: 'p', bcryptHash: HASH }],
  ['l', '^a@', ({ rules }) => rules.senderAllowed('b@x'), false],
  ['d', '^b@', ({ rules }) => rules.recipientDenied('b@x'), true],
  ['o', ARN, ({ sourceArn, fromArn, returnPathArn }) => [sourceArn, fromArn, returnPathArn], [ARN, ARN, ARN]],
  [
    'f',
    ARN,
    ({ sourceArn, fromArn, returnPathArn }) => [sourceArn, fromArn, returnPathArn],
    [undefined, ARN, undefined],
  ],
  [
    'p',
    ARN,
    ({ sourceArn, fromArn, returnPathArn }) => [sourceArn, fromArn, returnPathArn],
    [undefined, undefined, ARN],
  ],
  ['enable-login', 'true', ({ plainLogin }) => plainLogin, true],
  ['spool', '/spool', ({ spool }) => spool, '/spool'],
  ['allow-open', 'true', ({ listen }) => listen.address === '::' || listen.address === '0.0.0.0', true],
  ['ses-version', '1', ({ sesVersion }) => sesVersion, 1],
  ['region', 'us-east-1', ({ aws }) => aws.region, 'us-east-1'],
  ['role-arn', ARN, ({ aws }) => aws.roleArn, ARN],
  ['external-id', 'x1', ({ aws }) => aws.externalId, 'x1'],
  ['proxy-from', '10.0.0.0/8, 10.1.2.3', ({ proxyFrom }) => proxyFrom, ['10.0.0.0/8', '10.1.2.3']],
  ['metrics-listen', ':9', ({ metrics }) => [metrics?.place.port, metrics?.asked], [9, true]],
  ['resend-unsure', '1', ({ resendUnsure }) => resendUnsure, true],
  ['log-level', 'debug', ({ logLevel }) => logLevel, 'debug'],
];

/** What a setting cannot do without. */
const ALONG: Readonly<Record<string, Record<string, string>>> = {
  c: { KEY_FILE: '/x' },
  k: { CERT_FILE: '/x' },
  s: { CERT_FILE: '/x', KEY_FILE: '/x' },
  t: { CERT_FILE: '/x', KEY_FILE: '/x' },
  u: { PASSWORD: 'p', BCRYPT_HASH: HASH },
};

describe('every setting, as a flag and as an environment variable', () => {
  test('the table is complete', () => {
    assert.deepEqual(
      SETTINGS.map(([name]) => name),
      RELAY_FLAGS.map(({ name }) => name),
    );
  });
  for (const [name, value, of, is] of SETTINGS) {
    const { env = '', kind = 'text' } = RELAY_FLAGS.find((flag) => flag.name === name) ?? {};
    const flag = kind === 'switch' ? [`-${name}=${value}`] : [`-${name}`, value];
    test(`-${name} and ${env}`, async () => {
      const along = ALONG[name] ?? {};
      assert.deepEqual(of(await config(flag, along)), is);
      assert.deepEqual(of(await config([], { ...along, [env]: value })), is);
      assert.deepEqual(
        of(await config(flag, { ...along, [env]: kind === 'switch' ? 'false' : '/other' })),
        is,
      );
    });
  }
  test('the guide names each flag and its variable', () => {
    const guide = readFileSync(
      new URL('../../../docs/guides/moving-from-aws-smtp-relay.md', import.meta.url),
      'utf8',
    );
    for (const { name, env } of RELAY_FLAGS) {
      const flag = `${name.length === 1 ? '-' : '--'}${name}`;
      const row = guide.split('\n').find((line) => line.startsWith('| `') && line.includes(`\`${flag}\``));
      assert(row?.includes(`\`${env}\``), `${flag} and ${env}`);
    }
  });
  test('an empty variable is none', async () => {
    const empty = Object.fromEntries(RELAY_FLAGS.map(({ env }) => [env, '']));
    const { rules, login, metrics } = await config([], { ...empty, AWS_REGION: 'eu-west-1' });
    assert.deepEqual([rules.mayConnect, login, metrics?.asked], [undefined, undefined, false]);
  });
  test('defaults', async () => {
    const { listen, serviceName, api, sesVersion, metrics, configurationSet, spool } = await config([]);
    assert.deepEqual([listen.port, serviceName, api, sesVersion], [1025, 'AWS SMTP Relay', 'ses', 2]);
    assert.deepEqual([metrics?.place, metrics?.asked], [{ address: '127.0.0.1', port: 9810 }, false]);
    assert.deepEqual([configurationSet, spool], [undefined, undefined]);
    assert.equal((await config(['--metrics-listen', 'off'])).metrics, undefined);
    assert.equal(
      (await config([], { AWS_REGION: '', AWS_DEFAULT_REGION: 'eu-west-3' })).aws.region,
      'eu-west-3',
    );
  });
});

describe('no open relay', () => {
  const everywhere = (made: RelayConfig): boolean => ['::', '0.0.0.0'].includes(made.listen.address);
  test('without a login or a list it listens here only, and says so', async () => {
    const made = await config([]);
    assert.deepEqual(made.listen, { address: '127.0.0.1', port: 1025 });
    assert.match(made.warnings.join(), /this machine only/);
    assert.equal((await config(['-a', 'localhost:1'])).warnings.length, 0);
  });
  for (const address of [':1025', '0.0.0.0:1025', '[::]:1025', '192.0.2.1:1025']) {
    test(`-a ${address} alone is refused, with what would mend it`, async () => {
      await assert.rejects(config(['-a', address]), /-u.*-i.*127\.0\.0\.1.*--allow-open/);
      await assert.rejects(config(['-a', address, '-l', '@example']), /anybody could send/);
      await assert.rejects(config(['-a', address, '-i', ' , ']), /anybody could send/);
      await assert.rejects(config(['-a', address, '-i', '0.0.0.0/0']), /anybody could send/);
    });
  }
  test('a login, a list or the word of the administrator opens it', async () => {
    for (const flags of [['-i', '10.0.0.0/8'], ['-u', 'x'], ['--allow-open']])
      assert(everywhere(await config(flags, { PASSWORD: 'p' })), flags.join(' '));
    assert.match((await config(['--allow-open'])).warnings.join(), /OPEN RELAY/);
  });
});

describe('what cannot hold', () => {
  const cases: readonly (readonly [flags: string, words: RegExp, env?: Record<string, string>])[] = [
    ['-r smtp', /^Invalid relay API: smtp$/],
    ['-l (', /^Allowed sender emails: /],
    ['-d [', /^Denied recipient emails: /],
    ['-i host', /^Allowed IPs: /],
    ['-u user', /BCRYPT_HASH or PASSWORD/],
    ['-u user', /BCRYPT_HASH or PASSWORD/, { PASSWORD: '' }],
    ['-u user', /not a bcrypt hash/, { BCRYPT_HASH: 'y0$abc' }],
    ['-s', /^-s needs a certificate/],
    ['-t', /^-t needs a certificate/],
    ['-c /c.pem', /both a certificate/],
    ['-k /k.pem', /both a certificate/],
    ['-a 1025', /ADDRESS:PORT/],
    ['-a 127.0.0.1:99999', /ADDRESS:PORT/],
    ['-o identity', /takes an ARN/],
    ['--ses-version 3', /Invalid SES version/],
    ['-r pinpoint --ses-version 1', /pinpoint/],
    ['-h no_such\u00e9', /host name/],
    ['--log-level loud', /--log-level/],
    ['', /AWS_REGION/, { AWS_REGION: '' }],
  ];
  for (const [flags, words, env] of cases) {
    test(`${flags} ${JSON.stringify(env ?? {})}`, async () => {
      const args = flags.split(' ').filter((word) => word !== '');
      await assert.rejects(config(args, env), ({ name, message }: Error) => {
        assert.equal(name, 'Refusal');
        assert.match(message, words);
        return true;
      });
    });
  }
  test('a switch in the environment is true or false', async () => {
    await assert.rejects(config([], { REQUIRE_TLS: 'yes please' }), /REQUIRE_TLS/);
  });
  test('an argument that is no flag is not ignored, as Go would with all behind it', async () => {
    await assert.rejects(config(['-s', 'true', '-i', '10.0.0.1']), /unexpected argument "true"/);
  });
  test('capitals in the domain of an expression are warned of', async () => {
    assert.match((await config(['-d', '@Example\\.com'])).warnings.join(), /-d: /);
    assert.doesNotMatch((await config(['-d', '^A\\S+@example\\.com'])).warnings.join(), /-d: /);
  });
});
