import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { parseAuthenticationResults } from '../../mail/authentication-results/parse.ts';
import type { Dns } from '../../mail/dns.ts';
import { zone } from '../../mail/dmarc/fixtures/zone.ts';
import {
  authenticateMessage,
  type AuthenticationInput,
  createAuthentication,
  type Evidence,
  evidenceField,
  trustedForwarder,
} from './authenticate.ts';
import { headerOf, judge, message, sealedBy, signed, ZONE } from './fixtures/authentication.ts';

const FROM_BANK = message('From: Ann <ann@bank.example>\r\nTo: bob@example.net\r\nSubject: x\r\n');
const honest = { ip: '192.0.2.1', helo: 'bank.example', reversePath: 'ann@bank.example' };

describe('evidence', () => {
  test('of an honest message', async () => {
    const evidence = await judge(await signed(FROM_BANK, 'bank.example'), honest);
    assert.equal(evidence.state, 'checked');
    assert.equal(evidence.spf.result, 'pass');
    assert.equal(evidence.spf.identity, 'mailfrom');
    assert.equal(evidence.spfHelo.identity, 'helo');
    assert.deepEqual(
      evidence.dkim.map(({ status }) => status),
      ['pass'],
    );
    assert.equal(evidence.arc.status, 'none');
    assert.equal(evidence.dmarc.result, 'pass');
    assert.equal(evidence.iprev.result, 'permerror');
    assert.equal(evidence.author.address, 'ann@bank.example');
  });

  test('as a field', async () => {
    const evidence = await judge(await signed(FROM_BANK, 'bank.example'), honest);
    const field = evidenceField(evidence, 'mx.example.net').toString();
    const parsed = parseAuthenticationResults(field.slice(field.indexOf(':') + 1));
    assert.deepEqual(
      parsed?.results.map(({ method, result }) => `${method}=${result}`),
      ['dmarc=pass', 'dkim=pass', 'spf=pass', 'iprev=permerror'],
    );
  });

  test('the null reverse-path is checked by HELO, for DMARC too', async () => {
    const evidence = await judge(FROM_BANK, { ...honest, reversePath: '' });
    assert.equal(evidence.spf.identity, 'helo');
    assert.equal(evidence.dmarc.alignedBy.spf, 'bank.example');
  });

  test('HELO does not speak for a message with a reverse-path', async () => {
    const evidence = await judge(FROM_BANK, { ...honest, reversePath: 'x@evil.example' });
    assert.equal(evidence.spfHelo.result, 'pass');
    assert.equal(evidence.dmarc.result, 'fail');
  });

  test('SPF is there before the message', async () => {
    const authentication = open({ dns: zone(ZONE), ...honest });
    assert.equal((await authentication.spf).result, 'pass');
    assert.equal((await authentication.spfHelo).result, 'pass');
    authentication.abandon();
  });

  test('a client without an address: SPF says nothing, DKIM carries DMARC', async () => {
    const evidence = await judge(await signed(FROM_BANK, 'bank.example'), {
      ip: '',
      reversePath: 'x@bank.example',
    });
    assert.equal(evidence.spf.result, 'none');
    assert.equal(evidence.dmarc.result, 'pass');
  });

  test('of a large message at hand', async () => {
    const large = await signed(
      message('From: ann@bank.example\r\n', 'x y  z\r\n'.repeat(50_000)),
      'bank.example',
    );
    const input = { dns: zone(ZONE), clock: manualClock(Date.now()), receiver: 'mx.example.net', ...honest };
    assert.equal((await authenticateMessage(input, large)).dkim[0]?.status, 'pass');
    assert.equal((await authenticateMessage(input, large.subarray(0, -3))).dkim[0]?.status, 'fail');
  });

  test('without an empty line, without a body, empty', async () => {
    for (const text of ['From: ann@bank.example\r\n', 'From: ann@bank.example\r\n\r\n', '\r\nbody', '']) {
      const evidence = await judge(Buffer.from(text), honest);
      assert.equal(evidence.dmarc.result, text.startsWith('From') ? 'pass' : 'permerror');
    }
  });
});

function open(more: Partial<AuthenticationInput>): ReturnType<typeof createAuthentication> {
  return createAuthentication({
    dns: undefined,
    clock: manualClock(),
    receiver: 'mx.example.net',
    ip: '192.0.2.1',
    helo: 'bank.example',
    reversePath: 'ann@bank.example',
    ...more,
  });
}

describe('without DNS', () => {
  test('everything is a none that means nothing, and mail flows', async () => {
    const authentication = open({});
    authentication.push(FROM_BANK);
    const evidence = await authentication.finish(headerOf(FROM_BANK));
    assert.equal(evidence.state, 'unchecked');
    assert.equal(evidence.spf.result, 'none');
    assert.equal(evidence.dmarc.result, 'none');
    assert.equal(evidence.dmarc.disposition, 'none');
    assert.deepEqual(evidence.author.domains, ['bank.example']);
    assert.equal(
      evidenceField(evidence, 'mx.example.net').toString(),
      'Authentication-Results: mx.example.net; none\r\n',
    );
  });
});

describe('time', () => {
  const silent: Dns = { query: () => new Promise(() => {}) };

  test('is limited: what is unfinished after 20 seconds is a temperror', async () => {
    const clock = manualClock();
    const text = await sealedBy(await signed(FROM_BANK, 'bank.example'), 'mx.list.example; none');
    const authentication = open({ dns: silent, clock });
    authentication.push(text);
    const finished = authentication.finish(headerOf(text));
    clock.advance(19_999);
    assert.equal(
      await Promise.race([finished, new Promise((resolve) => setImmediate(resolve, 'waiting'))]),
      'waiting',
    );
    clock.advance(2);
    const evidence = await finished;
    assert.equal(evidence.spf.result, 'temperror');
    assert.deepEqual(
      evidence.dkim.map(({ status }) => status),
      ['temperror'],
    );
    assert.equal(evidence.arc.status, 'temperror');
    assert.equal(evidence.dmarc.result, 'temperror');
    assert.equal(evidence.iprev.result, 'temperror');
    assert.equal(clock.timers, 0);
  });

  test('of a slow message is not held against its signatures', async () => {
    const clock = manualClock();
    const text = await signed(FROM_BANK, 'bank.example');
    const authentication = open({ dns: zone(ZONE), clock });
    authentication.push(text.subarray(0, 300));
    assert.equal((await authentication.spf).result, 'pass');
    clock.advance(600_000);
    authentication.push(text.subarray(300));
    assert.equal((await authentication.finish(headerOf(text))).dmarc.result, 'pass');
    assert.equal(clock.timers, 0);
  });

  test('abandon leaves no timer and no question', async () => {
    const clock = manualClock();
    const authentication = open({ dns: silent, clock });
    authentication.abandon();
    assert.equal((await authentication.spf).result, 'temperror');
    assert.equal(clock.timers, 0);
  });

  test('a DNS that throws is a temperror', async () => {
    const dns: Dns = { query: () => Promise.reject(new Error('broken')) };
    const authentication = open({ dns });
    authentication.push(FROM_BANK);
    const evidence = await authentication.finish(headerOf(FROM_BANK));
    assert.equal(evidence.dmarc.result, 'temperror');
    assert.equal(evidence.spf.result, 'temperror');
  });
});

describe('known forwarders', () => {
  const known = (domain: string): boolean => domain === 'list.example';
  /** The list has changed the body, so that only its word is left. */
  const forwarded = async (results: string, from = 'ann@bank.example'): Promise<Evidence> => {
    const text = message(`From: ${from}\r\nTo: list@list.example\r\nSubject: [list] x\r\n`, 'changed\r\n');
    return judge(await sealedBy(text, results), {
      ip: '192.0.2.7',
      helo: 'list.example',
      reversePath: 'list@list.example',
    });
  };

  const cases: readonly (readonly [name: string, results: string, said: string | undefined])[] = [
    ['dmarc=pass of the author', 'mx.list.example; dmarc=pass header.from=bank.example', 'dmarc=pass'],
    [
      'dkim=pass of the author',
      'mx.list.example; dkim=pass header.d=mail.bank.example; dmarc=fail header.from=bank.example',
      'dkim=pass',
    ],
    ['spf=pass of the author', 'mx.list.example; spf=pass smtp.mailfrom=ann@bank.example', 'spf=pass'],
    ['dmarc=pass of another', 'mx.list.example; dmarc=pass header.from=evil.example', undefined],
    ['dmarc=pass of nobody', 'mx.list.example; dmarc=pass', undefined],
    ['dkim=pass of another', 'mx.list.example; dkim=pass header.d=evil.example', undefined],
    ['dkim=pass of a longer name', 'mx.list.example; dkim=pass header.d=evilbank.example', undefined],
    ['fail', 'mx.list.example; dmarc=fail header.from=bank.example', undefined],
    ['a pass in a comment', 'mx.list.example; dmarc=fail (dmarc=pass header.from=bank.example)', undefined],
    ['nothing', 'mx.list.example; none', undefined],
  ];
  for (const [name, results, said] of cases) {
    test(name, async () => {
      const evidence = await forwarded(results);
      assert.equal(evidence.dmarc.result, 'fail');
      assert.equal(evidence.arc.status, 'pass', evidence.arc.reason);
      assert.equal(trustedForwarder(evidence, known)?.said, said);
    });
  }

  test('an unknown sealer, a broken chain, a doubtful author have no say', async () => {
    const good = await forwarded('mx.list.example; dmarc=pass header.from=bank.example');
    assert.equal(
      trustedForwarder(good, () => false),
      undefined,
    );
    for (const status of ['fail', 'temperror', 'none'] as const) {
      assert.equal(trustedForwarder({ ...good, arc: { ...good.arc, status } }, known), undefined);
    }
    assert.equal(trustedForwarder({ ...good, author: { ...good.author, doubt: 'x' } }, known), undefined);
    const [link] = good.arc.links;
    assert.ok(link);
    const bare = { ...good.arc, links: [{ ...link, signedNames: ['to'] }] };
    assert.equal(trustedForwarder({ ...good, arc: bare }, known), undefined, 'From is not covered');
    const later = { ...good.arc, links: [link, { ...link, instance: 2, domain: 'evil.example' }] };
    assert.equal(trustedForwarder({ ...good, arc: later }, known), undefined, 'somebody else had it since');
    const two = await forwarded(
      'mx.list.example; dmarc=pass header.from=bank.example',
      'a@bank.example, b@evil.example',
    );
    assert.equal(trustedForwarder(two, known), undefined);
  });
});
