import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import { authenticationFailed } from './refusals.ts';
import { offeredMechanisms, type ServerContext, startMechanism } from './server.ts';
import type { Authenticator, TokenAttempt } from './types.ts';

const never = (): never => assert.fail('not asked for');
const PASSWORDS: Authenticator = { password: never, scramKeys: never, scramSucceeded: never, failed: never };

/** Takes the token "good", and "mail" for IMAP alone. */
function contextFor(asked: TokenAttempt[] = [], authenticator = PASSWORDS): ServerContext {
  return {
    authenticator: {
      ...authenticator,
      async token(attempt) {
        asked.push(attempt);
        if (attempt.token === 'busy') throw new Refusal('unavailable', 'too busy');
        if (attempt.token === 'mail') throw new Refusal('not-permitted', 'not for this');
        if (attempt.token !== 'good') throw authenticationFailed();
        return { accountId: 1, address: 'a@example.test', revoked: new AbortController().signal };
      },
    },
    channelBinding: undefined,
    plusOffered: false,
    remoteAddress: '192.0.2.1',
    protocol: 'submission',
    trace: 't',
    random: randomBytes,
  };
}

/** What the server answers to a message, and to the empty response that follows a refusal. */
async function answers(name: string, message: string, context = contextFor()): Promise<string[]> {
  const mechanism = startMechanism(name, context);
  assert(mechanism);
  const said: string[] = [];
  for (let next = message; ; next = '\x01') {
    const step = await mechanism.step(Buffer.from(next));
    if ('success' in step) return [...said, `in as ${step.success.address}`];
    if ('failure' in step) return [...said, step.failure.kind];
    said.push(step.challenge.toString());
  }
}

const bearer = (token: string, header = 'n,a=a@example.test,', more = '\x01host=x\x01port=993'): string =>
  `${header}${more}\x01auth=Bearer ${token}\x01\x01`;

test('OAUTHBEARER: the token lets in, with or without a name, and says which one it is checked for', async () => {
  const asked: TokenAttempt[] = [];
  for (const message of [
    bearer('good'),
    bearer('good', 'n,,'),
    bearer('good', 'y,,'),
    bearer('good', 'n,,', ''),
    'n,a=a=2Cb=3D@example.test,\x01auth=bearer good\x01\x01',
  ])
    assert.deepEqual(
      await answers('OAUTHBEARER', message, contextFor(asked)),
      ['in as a@example.test'],
      message,
    );
  assert.deepEqual(
    asked.map(({ login }) => login),
    ['a@example.test', '', '', '', 'a,b=@example.test'],
  );
  const [{ token: _, login: __, ...place } = {} as TokenAttempt] = asked;
  assert.deepEqual(place, { remoteAddress: '192.0.2.1', protocol: 'submission', trace: 't' });
});

test('OAUTHBEARER: a refusal is told as JSON first, and ends after the empty answer (RFC 7628 section 3.2.3)', async () => {
  assert.deepEqual(await answers('OAUTHBEARER', bearer('bad')), [
    '{"status":"invalid_token"}',
    'authentication-failed',
  ]);
  assert.deepEqual(await answers('OAUTHBEARER', bearer('mail')), [
    '{"status":"insufficient_scope"}',
    'not-permitted',
  ]);
  assert.deepEqual(await answers('OAUTHBEARER', bearer('busy')), ['unavailable']);
});

test('OAUTHBEARER: what is malformed is no token', async () => {
  const asked: TokenAttempt[] = [];
  for (const message of [
    '',
    'n,,',
    'n,,\x01\x01',
    bearer('good', 'n,'),
    bearer('good', ''),
    bearer('good', 'n,a=x=,'),
    bearer('good', 'n,,', '\x01auth=Bearer good'),
    bearer('good', 'n,,', '\x01=x'),
    'n,,\x01auth=Basic good\x01\x01',
    'n,,\x01auth=Bearer good\x01',
    'n,,\x01auth=Bearer go od\x01\x01',
    bearer('x'.repeat(5000)),
    bearer('good\0'),
    bearer('good', `n,a=${'x'.repeat(400)},`),
  ]) {
    const said = await answers('OAUTHBEARER', message, contextFor(asked));
    assert.deepEqual(
      said,
      ['{"status":"invalid_request"}', 'bad-input'],
      JSON.stringify(message.slice(0, 60)),
    );
  }
  const bound = await answers('OAUTHBEARER', bearer('good', 'p=tls-exporter,,'), contextFor(asked));
  assert.equal(bound.at(-1), 'authentication-failed');
  assert.deepEqual(asked, []);
});

test('XOAUTH2: user and token, and a refusal told as JSON', async () => {
  const message = (token: string, user = 'user=a@example.test\x01'): string =>
    `${user}auth=Bearer ${token}\x01\x01`;
  assert.deepEqual(await answers('XOAUTH2', message('good')), ['in as a@example.test']);
  assert.deepEqual(await answers('XOAUTH2', message('bad')), [
    '{"status":"401","schemes":"bearer"}',
    'authentication-failed',
  ]);
  assert.deepEqual(await answers('XOAUTH2', message('good', '')), [
    '{"status":"400","schemes":"bearer"}',
    'bad-input',
  ]);
});

test('both are offered, and there, only where somebody can check tokens', () => {
  const context = contextFor();
  assert.deepEqual(offeredMechanisms(undefined, context.authenticator).slice(-2), ['OAUTHBEARER', 'XOAUTH2']);
  assert.ok(!offeredMechanisms(undefined, PASSWORDS).includes('OAUTHBEARER'));
  for (const name of ['OAUTHBEARER', 'XOAUTH2'])
    assert.equal(startMechanism(name, { ...context, authenticator: PASSWORDS }), undefined);
});
