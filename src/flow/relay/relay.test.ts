import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import { AwsError, type SesApi, type SesMessage } from '../../net/aws/types.ts';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { createRelayAuthenticator, type RelayLogin, relayMechanisms } from './login.ts';
import { type RelayLogEntry, relayLogLine } from './log.ts';
import { clientOfReceived, relayReceived } from './received.ts';
import { cleaned, logText, replyFor } from './replies.ts';
import { letsEverybodyIn, relayRules } from './rules.ts';
import { sendInCalls } from './send.ts';
import { createSentMemory } from './sent-memory.ts';

const AT = Date.UTC(2026, 10, 21, 9, 8, 7);

describe('log lines', () => {
  const base: RelayLogEntry = {
    at: AT,
    ip: '192.0.2.1',
    from: 'a@x.example',
    to: ['b@y.example'],
    error: undefined,
  };
  const cases: readonly (readonly [change: Partial<RelayLogEntry>, line: string])[] = [
    [
      {},
      '{"Time":"2026-11-21T09:08:07Z","IP":"192.0.2.1","From":"a@x.example","To":["b@y.example"],"Error":null}',
    ],
    [
      { at: AT + 120, to: ['b@y.example', 'c@y.example'], error: 'MessageRejected: no' },
      '{"Time":"2026-11-21T09:08:07.12Z","IP":"192.0.2.1","From":"a@x.example","To":["b@y.example","c@y.example"],"Error":"MessageRejected: no"}',
    ],
    [
      { at: AT + 5, from: '', to: [], error: '<b>&"\\\\f\\b\b\f\n\u2028é' },
      '{"Time":"2026-11-21T09:08:07.005Z","IP":"192.0.2.1","From":"","To":[],"Error":"\\u003cb\\u003e\\u0026\\"\\\\\\\\f\\\\b\\u0008\\u000c\\n\\u2028é"}',
    ],
  ];
  for (const [change, line] of cases) {
    test(line, () => assert.equal(relayLogLine({ ...base, ...change }), `${line}\n`));
  }
});

describe('rules', () => {
  test('expressions are RE2: unanchored, case-sensitive, linear', () => {
    const rules = relayRules({ allowedSenders: '@example\\.(org|com)$', deniedRecipients: '(?i)^ADMIN@' });
    assert.equal(rules.senderAllowed('a@example.org'), true);
    assert.equal(rules.senderAllowed('a@example.org.evil.test'), false);
    assert.equal(rules.senderAllowed('a@exampleXorg'), false);
    assert.equal(rules.recipientDenied('admin@x.example'), true);
    assert.equal(rules.recipientDenied('notadmin@x.example'), false);
    const slow = relayRules({ deniedRecipients: '(a+)+$' });
    assert.equal(slow.recipientDenied(`${'a'.repeat(5000)}!`), false);
  });
  test('what is not RE2 is refused in the words of the old relay', () => {
    assert.throws(() => relayRules({ allowedSenders: '(' }), /^Refusal: Allowed sender emails: /);
    assert.throws(() => relayRules({ deniedRecipients: '(?=a)' }), /^Refusal: Denied recipient emails: /);
  });
  test('without expressions everybody may write to everybody', () => {
    const rules = relayRules({ allowedIps: ' , ', allowedSenders: '' });
    assert.equal(rules.mayConnect, undefined);
    assert.equal(rules.senderAllowed(''), true);
    assert.equal(rules.recipientDenied('x'), false);
  });
  test('addresses: exact, blanks trimmed, networks, IPv6 in any spelling', () => {
    const { mayConnect } = relayRules({
      allowedIps: '192.0.2.1, 10.0.0.0/8,2001:DB8:0::1 ,::ffff:198.51.100.7',
    });
    assert(mayConnect);
    for (const yes of ['192.0.2.1', '10.255.0.1', '2001:db8::1', '198.51.100.7'])
      assert(mayConnect(yes), yes);
    for (const no of ['192.0.2.10', '11.0.0.1', '2001:db8::2', '']) assert(!mayConnect(no), no);
    assert.throws(() => relayRules({ allowedIps: '10.0.0.0/8,localhost' }), /Allowed IPs: "localhost"/);
    assert.equal(letsEverybodyIn('10.0.0.0/8, 0.0.0.0/0'), true);
    assert.equal(letsEverybodyIn('10.0.0.0/8'), false);
  });
});

describe('the Received field', () => {
  const session = {
    helo: 'evil\r\nX: y (',
    remoteAddress: '2001:db8::7',
    extended: true,
    tls: undefined,
    login: undefined,
  } as Parameters<typeof relayReceived>[0]['session'];
  const common = { session, hostname: 'relay.example', service: 'A (B) C', trace: 't1', nowMs: AT };
  test('names of strangers cannot break out, one recipient is named', () => {
    const field = relayReceived({ ...common, reverseName: undefined, recipients: ['b@y.example'] });
    assert.equal(
      field,
      'Received: from evil??X:?y?? (unknown [IPv6:2001:db8::7])\r\n\tby relay.example (A ?B? C) with ESMTP id t1\r\n\tfor <b@y.example>;\r\n\tSat, 21 Nov 2026 09:08:07 +0000\r\n',
    );
    assert.equal(clientOfReceived(field), '2001:db8::7');
  });
  test('two recipients are not named', () => {
    const field = relayReceived({
      ...common,
      reverseName: 'c.example',
      recipients: ['b@y.example', 'c@y.example'],
    });
    assert.doesNotMatch(field, /@y/);
  });
});

/** An SES that fails as told: a kind for each call, undefined for success. */
function fakeSes(...script: (AwsError['kind'] | undefined)[]): { ses: SesApi; calls: SesMessage[] } {
  const calls: SesMessage[] = [];
  const ses = {
    version: 2 as const,
    maxMessageBytes: 1000,
    async send(message: SesMessage) {
      calls.push(message);
      const kind = script.shift();
      if (kind !== undefined)
        throw new AwsError(kind, `SES SendEmail: it is ${kind} (Name)`, { code: 'Name' });
      return { messageId: 'm' };
    },
    account: () => Promise.reject(new Error('not asked')),
    identities: () => Promise.reject(new Error('not asked')),
  };
  return { ses, calls };
}

describe('sending', () => {
  const clock = manualClock();
  let slept = 0;
  const hasty = { ...clock, sleep: async (ms: number) => void (slept += ms) };
  const many = Array.from({ length: 120 }, (_, i) => `r${i}@y.example`);
  const send = (ses: SesApi, recipients = many, stopping = new AbortController().signal) => {
    slept = 0;
    const message = { from: 'a@x.example', recipients, raw: Buffer.alloc(0) };
    return sendInCalls({ ses, clock: hasty, random: () => 0, stopping }, message);
  };

  test('fifty recipients a call', async () => {
    const { ses, calls } = fakeSes();
    assert.equal((await send(ses)).error, undefined);
    assert.deepEqual(
      calls.map(({ recipients }) => recipients.length),
      [50, 50, 20],
    );
    assert.deepEqual(
      calls.flatMap(({ recipients }) => recipients),
      many,
    );
  });
  test('a failure in the middle: what was sent, what failed, what was not tried', async () => {
    const { ses } = fakeSes(undefined, 'rejected');
    const { sent, failed, untried, error } = await send(ses);
    assert.deepEqual([sent.length, failed.length, untried.length, error?.kind], [50, 50, 20, 'rejected']);
  });
  test('throttling is waited for, up to a bound', async () => {
    const some = fakeSes('throttled', 'throttled', 'throttled', undefined);
    assert.equal((await send(some.ses, ['b@y.example'])).error, undefined);
    assert.equal(slept, 250 + 500 + 1000);
    const always = fakeSes(...Array.from({ length: 100 }, () => 'throttled' as const));
    assert.equal((await send(always.ses, ['b@y.example'])).error?.kind, 'throttled');
    assert(slept <= 20_000, `${slept} ms`);
  });
  test('what may have been sent is never tried again at once', async () => {
    const { ses, calls } = fakeSes('unsure');
    assert.equal((await send(ses)).error?.kind, 'unsure');
    assert.equal(calls.length, 1);
  });
  test('a relay that is told to stop waits no more', async () => {
    const { ses, calls } = fakeSes('throttled');
    assert.equal((await send(ses, ['b@y.example'], AbortSignal.abort())).error?.kind, 'throttled');
    assert.equal(calls.length, 1);
  });
});

describe('replies', () => {
  const error = (kind: AwsError['kind'], message: string, code?: string): AwsError =>
    new AwsError(kind, message, { code, requestId: 'r-1' });
  test('permanent and temporary', () => {
    const codes = (
      ['network', 'unsure', 'throttled', 'quota', 'server', 'auth', 'missing', 'rejected'] as const
    ).map(
      (kind) =>
        `${kind} ${replyFor(error(kind, 'x'), 0, 1).code} ${replyFor(error(kind, 'x'), 0, 1).enhanced}`,
    );
    assert.deepEqual(codes, [
      'network 451 4.4.1',
      'unsure 451 4.4.2',
      'throttled 451 4.3.2',
      'quota 451 4.3.2',
      'server 451 4.3.0',
      'auth 451 4.3.0',
      'missing 451 4.3.5',
      'rejected 554 5.6.0',
    ]);
    assert.equal(
      replyFor(error('rejected', 'Sending paused', 'AccountSendingPausedException'), 0, 1).code,
      451,
    );
  });
  test('nothing of our account is told to clients', () => {
    for (const kind of ['auth', 'missing', 'server', 'network', 'unsure'] as const) {
      const { lines } = replyFor(error(kind, 'arn:aws:iam::123456789012:role/secret'), 0, 1);
      assert.doesNotMatch(lines.join(), /arn|1234|secret/);
    }
    assert.equal(cleaned('arn:aws:x:1:2 of 123456789012 (request id: abc-1)'), '(...) of (...)');
  });
  test('a message that reached some says so', () => {
    assert.equal(
      replyFor(error('rejected', 'SES SendEmail: Illegal address (BadRequest)', 'BadRequest'), 50, 60)
        .lines[0],
      'sent to 50 of 60 recipients, not to the others: Illegal address',
    );
  });
  test('the log begins with the name of the error', () => {
    assert.equal(
      logText(
        error(
          'rejected',
          'SES SendEmail: Email address is not verified (MessageRejected)',
          'MessageRejected',
        ),
      ),
      'MessageRejected: Email address is not verified, request id: r-1',
    );
  });
});

describe('what was sent is remembered', () => {
  const all = ['a', 'b'];
  test('a retry serves the rest only, and then is over', async () => {
    const memory = createSentMemory(manualClock());
    const attempt = (serve: readonly string[], complete: boolean): Promise<string[]> =>
      memory.handle('m', async (sent) => {
        const rest = all.filter((one) => !sent.has(one));
        sent.add(serve);
        return { result: rest, complete, unique: false };
      });
    assert.deepEqual(await attempt(['a'], false), ['a', 'b']);
    assert.deepEqual(await attempt(['b'], true), ['b']);
    assert.deepEqual(await attempt([], true), ['a', 'b']);
  });
  test('a message with a Message-ID is known for a quarter of an hour after it was sent', async () => {
    const clock = manualClock();
    const memory = createSentMemory(clock);
    const attempt = (): Promise<number> =>
      memory.handle('m', async (sent) => {
        const rest = all.filter((one) => !sent.has(one));
        sent.add(rest);
        return { result: rest.length, complete: true, unique: true };
      });
    assert.equal(await attempt(), 2);
    assert.equal(await attempt(), 0);
    clock.advance(16 * 60_000);
    assert.equal(await attempt(), 2);
  });
  test('a retry waits for the first try', async () => {
    const memory = createSentMemory(manualClock());
    const order: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = memory.handle('m', async (sent) => {
      await held;
      sent.add(all);
      order.push('first');
      return { result: 0, complete: true, unique: true };
    });
    const second = memory.handle('m', async (sent) => {
      order.push(`second ${sent.has('a')}`);
      return { result: 0, complete: true, unique: true };
    });
    release();
    await Promise.all([first, second]);
    assert.deepEqual(order, ['first', 'second true']);
  });
  test('a try that broke leaves the message to the next', async () => {
    const memory = createSentMemory(manualClock());
    await assert.rejects(memory.handle('m', () => Promise.reject(new Error('broken'))));
    assert.equal(
      await memory.handle('m', async (sent) => ({ result: sent.has('a'), complete: true, unique: false })),
      false,
    );
  });
});

describe('logins', () => {
  const attempt = { remoteAddress: '192.0.2.1', protocol: 'submission', trace: 't' };
  function setUp(login: RelayLogin | undefined, mayConnect?: (ip: string) => boolean) {
    const clock = manualClock();
    let hashed = 0;
    let failed = 0;
    const authenticator = createRelayAuthenticator({
      login,
      mayConnect,
      clock,
      logger: silentLogger,
      checkHash: async (password) => {
        hashed++;
        return password === 'right';
      },
      counts: { sent() {}, failed() {}, loginFailed: () => void failed++, deniedIp() {}, deniedSender() {} },
    });
    const tryOne = (user: string, password: string): Promise<string> =>
      authenticator.password({ ...attempt, login: user, password }).then(
        () => 'in',
        (error: unknown) => (error instanceof Refusal ? error.kind : assert.fail(String(error))),
      );
    return { clock, tryOne, hashed: () => hashed, failed: () => failed };
  }

  test('a hash is computed for wrong users too, and a right password is remembered', async () => {
    const { tryOne, hashed } = setUp({ user: 'u', password: undefined, bcryptHash: 'hash' });
    assert.equal(await tryOne('nobody', 'x'), 'authentication-failed');
    assert.equal(hashed(), 1);
    assert.equal(await tryOne('u', 'right'), 'in');
    assert.equal(await tryOne('u', 'right'), 'in');
    assert.equal(hashed(), 2);
    assert.equal(await tryOne('nobody', 'right'), 'authentication-failed');
  });
  test('an empty password never lets in', async () => {
    const { tryOne } = setUp({ user: 'u', password: 'p', bcryptHash: undefined });
    assert.equal(await tryOne('u', ''), 'authentication-failed');
    assert.equal(await tryOne('u', 'p'), 'in');
  });
  test('ten different guesses are one too many; the same wrong password over and over is not', async () => {
    const { tryOne, clock, failed } = setUp({ user: 'u', password: 'p', bcryptHash: undefined });
    for (let i = 0; i < 30; i++) assert.equal(await tryOne('u', 'old'), 'authentication-failed');
    for (let i = 0; i < 9; i++) assert.equal(await tryOne('u', `guess ${i}`), 'authentication-failed');
    assert.equal(await tryOne('u', 'p'), 'limit');
    assert.equal(failed(), 39);
    clock.advance(10 * 60_000 + 1);
    assert.equal(await tryOne('u', 'p'), 'in');
  });
  test('clients that are listed are not slowed down, others may not log in', async () => {
    const { tryOne } = setUp({ user: 'u', password: 'p', bcryptHash: undefined }, () => true);
    for (let i = 0; i < 20; i++) await tryOne('u', `guess ${i}`);
    assert.equal(await tryOne('u', 'p'), 'in');
    const { tryOne: tryOther } = setUp({ user: 'u', password: 'p', bcryptHash: undefined }, () => false);
    assert.equal(await tryOther('u', 'p'), 'authentication-failed');
  });
  test('mechanisms', () => {
    const none = relayMechanisms(undefined, false);
    assert.deepEqual([none(false), none(true)], [['CRAM-MD5'], ['LOGIN', 'PLAIN', 'CRAM-MD5']]);
    const hash = relayMechanisms({ user: 'u', password: undefined, bcryptHash: 'h' }, true);
    assert.deepEqual([hash(false), hash(true)], [['LOGIN'], ['LOGIN', 'PLAIN']]);
  });
});
