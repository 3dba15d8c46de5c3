import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { test } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import { authenticationFailed } from './refusals.ts';
import { offeredMechanisms, type ServerContext, startMechanism } from './server.ts';
import type { Authenticator, LoginAccount } from './types.ts';

/** tim, whose password is that of RFC 2195 section 3. */
function contextFor(overrides: Partial<ServerContext> = {}): ServerContext {
  const account: LoginAccount = { accountId: 1, address: 'tim', revoked: new AbortController().signal };
  const never = (): never => assert.fail('not asked for');
  const authenticator: Authenticator = {
    password: never,
    scramKeys: never,
    scramSucceeded: never,
    failed: never,
    async cramMd5({ login, challenge, digest }) {
      const wanted = createHmac('md5', 'tanstaaftanstaaf').update(challenge).digest();
      if (login !== 'tim' || !timingSafeEqual(wanted, digest)) throw authenticationFailed();
      return account;
    },
  };
  return {
    authenticator,
    channelBinding: undefined,
    plusOffered: false,
    remoteAddress: '192.0.2.1',
    protocol: 'submission',
    trace: 't',
    random: (count) => Buffer.alloc(count, 0xab),
    hostname: 'postoffice.example',
    ...overrides,
  };
}

async function exchange(answer: (challenge: Buffer) => string | Buffer): Promise<string> {
  const mechanism = startMechanism('cram-md5', contextFor());
  assert(mechanism);
  const first = await mechanism.step(undefined);
  assert('challenge' in first);
  const step = await mechanism.step(Buffer.from(answer(first.challenge)));
  if ('success' in step) return `in as ${step.success.address}`;
  return 'failure' in step ? `${step.failure.kind}` : 'challenge';
}

const digest = (challenge: Buffer, password: string): string =>
  createHmac('md5', password).update(challenge).digest('hex');

test('the digest of RFC 2195', () => {
  const challenge = Buffer.from('<1896.697170952@postoffice.reston.mci.net>');
  assert.equal(digest(challenge, 'tanstaaftanstaaf'), 'b913a602c7eda7a495b4e6e7334d3890');
});

test('the right digest lets in, others do not', async () => {
  assert.equal(await exchange((c) => `tim ${digest(c, 'tanstaaftanstaaf')}`), 'in as tim');
  assert.equal(await exchange((c) => `tim ${digest(c, 'wrong')}`), 'authentication-failed');
  assert.equal(await exchange((c) => `tom ${digest(c, 'tanstaaftanstaaf')}`), 'authentication-failed');
});

test('the challenge is fresh, in angle brackets, and names the host', async () => {
  const step = await startMechanism('CRAM-MD5', contextFor())?.step(undefined);
  assert(step !== undefined && 'challenge' in step);
  assert.equal(step.challenge.toString(), `<${'ab'.repeat(16)}@postoffice.example>`);
});

test('malformed answers are refused as such', async () => {
  for (const answer of [
    '',
    'tim',
    ' ' + 'a'.repeat(32),
    'tim ABC',
    `tim ${'g'.repeat(32)}`,
    Buffer.from([255, 32]),
  ])
    assert.equal(await exchange(() => answer), 'bad-input', String(answer));
});

test('the server begins: an initial response is refused', async () => {
  const step = await startMechanism('CRAM-MD5', contextFor())?.step(Buffer.from('x'));
  assert(step !== undefined && 'failure' in step && step.failure instanceof Refusal);
});

test('it is never offered, and not there for those who cannot check it', () => {
  assert(!offeredMechanisms(undefined).includes('CRAM-MD5'));
  const { cramMd5: _, ...authenticator } = contextFor().authenticator;
  assert.equal(startMechanism('CRAM-MD5', contextFor({ authenticator })), undefined);
});
