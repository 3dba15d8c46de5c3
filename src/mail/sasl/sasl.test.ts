import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import { decodeSaslBase64 } from './base64.ts';
import { chooseMechanism, chooseNamed, scramClient, startClientMechanism } from './client.ts';
import { saslprep } from './saslprep.ts';
import { scramServer } from './scram-server.ts';
import { deriveScramKeys } from './scram.ts';
import { authenticate, offeredMechanisms, type ServerContext, startMechanism } from './server.ts';
import type { Authenticator, ChannelBindings, ScramKeys } from './types.ts';

const ITERATIONS = 4096;
const none: ChannelBindings = { exporter: undefined, serverEndPoint: undefined };

interface Fake extends Authenticator {
  readonly failures: string[];
  /** Sessions that asked for a check, in turn. */
  readonly traces: string[];
}

/** One account, alice with the given password; everyone else gets decoy keys. */
async function fakeDirectory(password: string, keys?: ScramKeys): Promise<Fake> {
  const own = keys ?? (await deriveScramKeys(password, Buffer.from('salt of alice'), ITERATIONS));
  const decoy = await deriveScramKeys(randomBytes(9).toString('hex'), Buffer.from('decoy'), ITERATIONS);
  const failures: string[] = [];
  const traces: string[] = [];
  const account = { accountId: 7, address: 'alice@example.test', revoked: new AbortController().signal };
  return {
    failures,
    traces,
    async password(request) {
      traces.push(request.trace);
      if (request.login === 'alice' && request.password === password) return account;
      throw new Refusal('authentication-failed', 'no');
    },
    scramKeys: async (login) => (login === 'alice' || login === 'user' ? own : decoy),
    async scramSucceeded({ trace }) {
      traces.push(trace);
      return account;
    },
    failed({ login, trace }) {
      traces.push(trace);
      failures.push(login);
    },
  };
}

function context(authenticator: Authenticator, more: Partial<ServerContext> = {}): ServerContext {
  return {
    authenticator,
    channelBinding: undefined,
    plusOffered: false,
    remoteAddress: '192.0.2.1',
    protocol: 'submission',
    trace: 'session-1',
    random: randomBytes,
    ...more,
  };
}

function server(name: string, ctx: ServerContext) {
  const mechanism = startMechanism(name, ctx);
  assert.ok(mechanism);
  return mechanism;
}

/** Messages of the client in turn; returns what the server said to each, in words. */
async function dialogue(
  name: string,
  ctx: ServerContext,
  messages: (string | undefined)[],
): Promise<string[]> {
  const mechanism = server(name, ctx);
  const said: string[] = [];
  for (const message of messages) {
    const step = await mechanism.step(message === undefined ? undefined : Buffer.from(message));
    if ('challenge' in step) said.push(step.challenge.toString());
    else if ('success' in step) said.push(`welcome ${step.success.address}`);
    else said.push(`${step.final?.toString() ?? ''} ${step.failure.kind}`.trim());
  }
  return said;
}

test('PLAIN', async () => {
  const ctx = context(await fakeDirectory('se cret'));
  assert.deepEqual(await dialogue('plain', ctx, ['\0alice\0se cret']), ['welcome alice@example.test']);
  assert.deepEqual(await dialogue('PLAIN', ctx, [undefined, 'Alice\0alice\0se cret']), [
    '',
    'welcome alice@example.test',
  ]);
  assert.deepEqual(await dialogue('PLAIN', ctx, ['\0alice\0wrong']), ['authentication-failed']);
  assert.deepEqual(await dialogue('PLAIN', ctx, ['bob\0alice\0se cret']), ['authentication-failed']);
  const malformed = [
    '',
    '\0',
    '\0\0',
    '\0alice',
    'alice\0se cret',
    '\0\0se cret',
    '\0alice\0',
    '\0alice\0se cret\0',
  ];
  malformed.push('\0'.repeat(9000), `\0${'a'.repeat(400)}\0x`, `\0alice\0${'x'.repeat(2000)}`);
  for (const bad of malformed)
    assert.deepEqual(await dialogue('PLAIN', ctx, [bad]), ['bad-input'], JSON.stringify(bad));
  const latin1 = await server('PLAIN', ctx).step(Buffer.from('\0alice\0p\xe4ss', 'latin1'));
  assert.ok('failure' in latin1 && latin1.failure.kind === 'authentication-failed');
});

test('LOGIN with and without an initial response', async () => {
  const ctx = context(await fakeDirectory('secret'));
  const welcome = 'welcome alice@example.test';
  assert.deepEqual(await dialogue('LOGIN', ctx, [undefined, 'alice', 'secret']), [
    'Username:',
    'Password:',
    welcome,
  ]);
  assert.deepEqual(await dialogue('LOGIN', ctx, ['alice', 'secret']), ['Password:', welcome]);
  assert.deepEqual(await dialogue('LOGIN', ctx, ['alice', 'wrong']), ['Password:', 'authentication-failed']);
  assert.deepEqual(await dialogue('LOGIN', ctx, ['']), ['bad-input']);
});

test('an exchange that is over cannot go on, and the login is known for the journal', async () => {
  const mechanism = server('LOGIN', context(await fakeDirectory('secret')));
  await mechanism.step(Buffer.from('alice'));
  assert.equal(mechanism.login, 'alice');
  await mechanism.step(Buffer.from('wrong'));
  await assert.rejects(mechanism.step(Buffer.from('secret')), /over/);
});

// The exchange printed in RFC 7677 section 3.
const RFC7677 = {
  nonce: 'rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

test('the published SCRAM-SHA-256 exchange, as client and as server', async () => {
  const keys = await deriveScramKeys('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096);
  const state = scramServer(context(await fakeDirectory('', keys)), false, () => RFC7677.serverNonce);
  const first = await state.next(Buffer.from(RFC7677.clientFirst));
  assert.ok('challenge' in first);
  assert.equal(first.challenge.toString(), RFC7677.serverFirst);
  const last = await state.next(Buffer.from(RFC7677.clientFinal));
  assert.ok('success' in last);
  assert.equal(last.final?.toString(), RFC7677.serverFinal);

  const credentials = { login: 'user', password: 'pencil', channelBinding: undefined, random: randomBytes };
  const client = scramClient('SCRAM-SHA-256', credentials, () => RFC7677.nonce);
  assert.equal(client.initial?.toString(), RFC7677.clientFirst);
  const answer = await client.step(Buffer.from(RFC7677.serverFirst));
  assert.ok('response' in answer);
  assert.equal(answer.response.toString(), RFC7677.clientFinal);
  assert.match(client.incomplete() ?? '', /not proved/);
  assert.deepEqual(await client.step(Buffer.from(RFC7677.serverFinal)), { response: Buffer.alloc(0) });
  assert.equal(client.incomplete(), undefined);
});

/** Our client against our server, through `authenticate`. */
async function run(
  name: string,
  password: string,
  ctx: ServerContext,
  ours: ChannelBindings | undefined,
  login = 'alice',
): Promise<string> {
  const client = startClientMechanism(name, { login, password, channelBinding: ours, random: randomBytes });
  const account = await authenticate(server(name, ctx), client.initial, async (challenge) => {
    const answer = await client.step(challenge);
    if ('failure' in answer) throw new Refusal('bad-input', answer.failure);
    return answer.response;
  });
  assert.equal(client.incomplete(), undefined);
  return account.address;
}

test('the published SCRAM-SHA-1 exchange, as client (RFC 5802 section 5)', async () => {
  const credentials = { login: 'user', password: 'pencil', channelBinding: undefined, random: randomBytes };
  const client = scramClient('SCRAM-SHA-1', credentials, () => 'fyko+d2lbbFgONRv9qkxdawL');
  assert.equal(client.initial?.toString(), 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL');
  const nonce = 'fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j';
  const answer = await client.step(Buffer.from(`r=${nonce},s=QSXCR+Q6sek8bf92,i=4096`));
  assert.ok('response' in answer);
  assert.equal(answer.response.toString(), `c=biws,r=${nonce},p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=`);
  assert.ok(client.incomplete());
  const final = await client.step(Buffer.from('v=rmF9pqV8S7suAoZWja4dJRkFsKQ='));
  assert.ok('response' in final);
  assert.equal(client.incomplete(), undefined);
});

test('XOAUTH2: the token once, an empty answer to a refusal, nothing that could bring fields along', async () => {
  const credentials = {
    login: 'me@far.test',
    password: 'token',
    channelBinding: undefined,
    random: randomBytes,
  };
  const client = startClientMechanism('XOAUTH2', credentials);
  assert.equal(client.initial?.toString('latin1'), 'user=me@far.test\x01auth=Bearer token\x01\x01');
  assert.equal(client.incomplete(), undefined);
  assert.deepEqual(await client.step(Buffer.from('{"status":"401"}')), { response: Buffer.alloc(0) });
  assert.ok(client.incomplete(), 'a yes after that is not believed');
  assert.ok('failure' in (await client.step(Buffer.from('again'))));
  for (const odd of [{ password: 'a\x01auth=Bearer b' }, { login: 'a\x01b' }, { password: 'a\nb' }])
    assert.throws(() => startClientMechanism('XOAUTH2', { ...credentials, ...odd }), RangeError);
});

test('a mechanism that is named is taken or none; SCRAM is bound where it can be', () => {
  const offered = ['PLAIN', 'XOAUTH2', 'SCRAM-SHA-1', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256'];
  const bindings = { exporter: Buffer.alloc(32), serverEndPoint: undefined };
  assert.equal(chooseNamed(offered, 'XOAUTH2', undefined), 'XOAUTH2');
  assert.equal(chooseNamed(offered, 'LOGIN', undefined), undefined);
  assert.equal(chooseNamed(offered, 'SCRAM-SHA-1', undefined), 'SCRAM-SHA-1');
  assert.equal(chooseNamed(offered, 'SCRAM-SHA-1', bindings), 'SCRAM-SHA-1-PLUS');
  assert.equal(chooseMechanism(['XOAUTH2'], undefined), undefined, 'a password is no token');
  assert.equal(chooseMechanism(['PLAIN', 'SCRAM-SHA-1'], undefined), 'SCRAM-SHA-1');
});

test('client and server agree on every mechanism', async () => {
  const directory = await fakeDirectory('päss wörd, =3D');
  const exporter = { exporter: randomBytes(32), serverEndPoint: undefined };
  const endPoint = { exporter: undefined, serverEndPoint: randomBytes(32) };
  for (const bindings of [exporter, endPoint]) {
    const ctx = context(directory, { channelBinding: bindings, plusOffered: true });
    assert.equal(await run('SCRAM-SHA-256-PLUS', 'päss wörd, =3D', ctx, bindings), 'alice@example.test');
  }
  for (const name of ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']) {
    assert.equal(
      await run(name, 'päss wörd, =3D', context(directory), undefined),
      'alice@example.test',
      name,
    );
  }
  // Another way to type the same password: full-width space, decomposed letters.
  assert.ok(await run('SCRAM-SHA-256', 'pa\u0308ss\u3000wo\u0308rd, =3D', context(directory), undefined));
});

test('SCRAM: a wrong password and an unknown login fail alike and are counted', async () => {
  const directory = await fakeDirectory('secret');
  const words: string[] = [];
  for (const [login, password] of [
    ['alice', 'wrong'],
    ['nobody', 'secret'],
  ] as const) {
    await assert.rejects(run('SCRAM-SHA-256', password, context(directory), undefined, login), (error) => {
      assert.ok(error instanceof Refusal);
      words.push(`${error.smtp?.code} ${error.message}`);
      return true;
    });
  }
  assert.deepEqual(directory.failures, ['alice', 'nobody']);
  assert.equal(words[0], words[1]);
});

test('every check is told which session asks', async () => {
  const directory = await fakeDirectory('secret');
  const inSession = (trace: string): ServerContext => context(directory, { trace });
  await dialogue('PLAIN', inSession('s1'), ['\0alice\0secret']);
  await dialogue('LOGIN', inSession('s2'), [undefined, 'alice', 'wrong']);
  await run('SCRAM-SHA-256', 'secret', inSession('s3'), undefined);
  await assert.rejects(run('SCRAM-SHA-256', 'wrong', inSession('s4'), undefined));
  assert.deepEqual(directory.traces, ['s1', 's2', 's3', 's4']);
});

test('SCRAM: binding to another connection, downgrades and wrong flags are refused', async () => {
  const bindings = { exporter: randomBytes(32), serverEndPoint: undefined };
  const other = { exporter: randomBytes(32), serverEndPoint: undefined };
  const directory = await fakeDirectory('secret');
  const bound = context(directory, { channelBinding: bindings, plusOffered: true });
  await assert.rejects(run('SCRAM-SHA-256-PLUS', 'secret', bound, other), /does not match this connection/);
  // The attacker in the middle removed -PLUS from the offer: our client says y, the server knows better.
  await assert.rejects(run('SCRAM-SHA-256', 'secret', bound, bindings), /told that it is not/);
  assert.ok(
    await run('SCRAM-SHA-256', 'secret', context(directory), bindings),
    'y is right where PLUS is not offered',
  );

  const first = async (name: string, message: string, ctx = bound): Promise<string> =>
    (await dialogue(name, ctx, [message]))[0] ?? '';
  const plus = 'SCRAM-SHA-256-PLUS';
  assert.match(await first(plus, 'n,,n=alice,r=abc'), /^e=channel-bindings-dont-match/);
  assert.match(await first(plus, 'p=tls-unique,,n=alice,r=abc'), /^e=unsupported-channel-binding-type/);
  assert.match(
    await first(plus, 'p=tls-server-end-point,,n=alice,r=abc'),
    /^e=unsupported-channel-binding-type/,
  );
  assert.match(
    await first('SCRAM-SHA-256', 'p=tls-exporter,,n=alice,r=abc'),
    /^e=channel-bindings-dont-match/,
  );
  assert.equal(startMechanism(plus, context(directory)), undefined, 'not offered, not started');
});

test('SCRAM: malformed first messages', async () => {
  const ctx = context(await fakeDirectory('secret'));
  const cases: [string, RegExp][] = [
    ['', /^e=invalid-encoding/],
    ['n=alice,r=abc', /^e=invalid-encoding/],
    ['n,,r=abc,n=alice', /^e=invalid-encoding/],
    ['n,,n=alice', /^e=invalid-encoding/],
    ['n,,n=alice,r=', /^e=invalid-encoding/],
    ['n,,n=alice,r=a b', /^e=invalid-encoding/],
    [`n,,n=alice,r=${'a'.repeat(513)}`, /^e=invalid-encoding/],
    ['n,,n=alice,r=abc,broken', /^e=invalid-encoding/],
    ['n,,m=x,n=alice,r=abc', /^e=extensions-not-supported/],
    ['n,,n=,r=abc', /^e=invalid-username-encoding/],
    ['n,,n=a=b,r=abc', /^e=invalid-username-encoding/],
    ['n,,n=a\0b,r=abc', /^e=invalid-username-encoding/],
    ['n,a=bob,n=alice,r=abc', /^e=other-error/],
    ['n,a=alice,n=alice,r=abc', /^r=abc.+,s=.+,i=4096$/],
    ['n,,n=alice,r=abc,x=ignored', /^r=abc.+,s=.+,i=4096$/],
  ];
  for (const [message, expected] of cases) {
    assert.match(
      (await dialogue('SCRAM-SHA-256', ctx, [message]))[0] ?? '',
      expected,
      JSON.stringify(message),
    );
  }
});

test('SCRAM: malformed or tampered last messages', async () => {
  const directory = await fakeDirectory('secret');
  const proof = Buffer.alloc(32).toString('base64');
  const last = async (make: (nonce: string) => string): Promise<string> => {
    const mechanism = server('SCRAM-SHA-256', context(directory));
    const first = await mechanism.step(Buffer.from('n,,n=alice,r=abc'));
    assert.ok('challenge' in first);
    const nonce = first.challenge.toString().split(',')[0]?.slice(2) ?? '';
    const step = await mechanism.step(Buffer.from(make(nonce)));
    return 'failure' in step ? (step.final?.toString() ?? '') : 'went on';
  };
  assert.equal(await last((nonce) => `c=biws,r=${nonce},p=${proof}`), 'e=invalid-proof');
  assert.equal(await last((nonce) => `c=biws,r=${nonce},p=AAAA`), 'e=invalid-proof');
  assert.equal(await last((nonce) => `c=biws,r=${nonce}`), 'e=invalid-encoding');
  assert.equal(await last((nonce) => `c=biws,r=${nonce},p=%`), 'e=invalid-encoding');
  assert.equal(await last((nonce) => `r=${nonce},c=biws,p=${proof}`), 'e=invalid-encoding');
  assert.equal(await last((nonce) => `c=biws,r=${nonce}x,p=${proof}`), 'e=other-error');
  assert.equal(await last(() => `c=biws,r=abc,p=${proof}`), 'e=other-error');
  assert.equal(await last((nonce) => `c=eSws,r=${nonce},p=${proof}`), 'e=channel-bindings-dont-match');
});

test('the client trusts no server that cheats', async () => {
  const start = (): ReturnType<typeof scramClient> =>
    scramClient(
      'SCRAM-SHA-256',
      { login: 'user', password: 'pencil', channelBinding: undefined, random: randomBytes },
      () => RFC7677.nonce,
    );
  const bad: [string, RegExp][] = [
    ['r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096', /extend our SCRAM nonce/],
    [`r=${RFC7677.nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, /extend our SCRAM nonce/],
    [`r=${RFC7677.nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1`, /iterations/],
    [`r=${RFC7677.nonce}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000`, /iterations/],
    [`r=${RFC7677.nonce}x,s=W22,i=4096`, /salt/],
    ['e=other-error', /refused the SCRAM exchange: other-error/],
    ['', /malformed/],
  ];
  for (const [message, expected] of bad) {
    const answer = await start().step(Buffer.from(message));
    assert.match('failure' in answer ? answer.failure : 'went on', expected, message);
  }
  const client = start();
  await client.step(Buffer.from(RFC7677.serverFirst));
  const forged = await client.step(Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`));
  assert.ok('failure' in forged);
  assert.ok(client.incomplete());
});

test('the strongest mechanism is chosen', () => {
  const bound = { exporter: Buffer.alloc(32), serverEndPoint: undefined };
  const all = ['login', 'plain', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'XOAUTH2'];
  assert.equal(chooseMechanism(all, bound), 'SCRAM-SHA-256-PLUS');
  assert.equal(chooseMechanism(all, none), 'SCRAM-SHA-256');
  assert.equal(chooseMechanism(['LOGIN', 'PLAIN'], undefined), 'PLAIN');
  assert.equal(chooseMechanism(['GSSAPI'], undefined), undefined);
  assert.deepEqual(offeredMechanisms(bound), ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN']);
  assert.deepEqual(offeredMechanisms(none), ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']);
});

test('base64 is strict and bounded', () => {
  assert.equal(decodeSaslBase64('AGFsaWNlAHg=')?.toString(), '\0alice\0x');
  assert.equal(decodeSaslBase64('=')?.length, 0);
  assert.equal(decodeSaslBase64('')?.length, 0);
  const bad = [
    '*',
    'AA',
    'AAA',
    'A===',
    '====',
    'AB==',
    'AAAA=',
    'AA==AAAA',
    'AAA A',
    'AAAA\r\n',
    'AA-_',
    '\0\0\0\0',
  ];
  for (const text of bad) assert.equal(decodeSaslBase64(text), undefined, JSON.stringify(text));
  assert.equal(decodeSaslBase64('A'.repeat(100_000)), undefined);
  assert.equal(decodeSaslBase64('AAAA', 2), undefined);
});

test('SASLprep, with the examples of RFC 4013 section 3', () => {
  assert.equal(saslprep('I\u00adX'), 'IX');
  assert.equal(saslprep('user'), 'user');
  assert.equal(saslprep('\u00aa'), 'a');
  assert.equal(saslprep('\u2168'), 'IX');
  assert.equal(saslprep('a\u00a0b\u200bc'), 'a b c');
  for (const bad of ['', '\u0007', 'a\nb', '\u00ad', '\ue000', '\ud800', '\u202e', '\ufffd', '\u{e0041}']) {
    assert.equal(saslprep(bad), undefined, JSON.stringify(bad));
  }
});
