import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { type FlowFixture, openFlow, session, until } from '../../../../test/support/flow.ts';
import { Refusal } from '../../../base/errors.ts';
import { Metrics } from '../../../base/metrics.ts';
import { createResolver } from '../../../net/dns/resolver.ts';
import { replies } from '../../replies.ts';
import type { SessionFacts } from '../../service.ts';
import { type FilterSettings, type FilterSettingsInput, filterSettingsSchema } from '../../spam/settings.ts';
import type { EnvelopeGate } from './envelope.ts';
import { createGate, type Gate, type GateOptions } from './gate.ts';

const GOOD_ZONE = {
  '7.2.0.192.in-addr.arpa': { PTR: ['mail.sender.test'] },
  'mail.sender.test': { A: ['192.0.2.7'] },
  'sender.test': { MX: [{ preference: 10, exchange: 'mail.sender.test' }] },
};
const ZEN = {
  '2.0.0.127.zen.spamhaus.org': { A: ['127.0.0.2'] },
  '7.2.0.192.zen.spamhaus.org': { A: ['127.0.0.4'], TXT: ['https://check.test/192.0.2.7'] },
};
const DBL = {
  'test.dbl.spamhaus.org': { A: ['127.0.1.2'] },
  'sender.test.dbl.spamhaus.org': { A: ['127.0.1.2'], TXT: ['https://check.test/sender.test'] },
};

let flow: FlowFixture;
let metrics: Metrics;
let settings: FilterSettings;

before(async () => {
  flow = await openFlow();
});
after(() => flow.close());
beforeEach(() => {
  want({});
  Object.assign(flow.zone, GOOD_ZONE);
});
afterEach(() => {
  for (const name of Object.keys(flow.zone)) delete flow.zone[name];
  flow.dns.asked.length = 0;
  flow.clock.advance(86_400_000);
});

function want(input: FilterSettingsInput): void {
  settings = filterSettingsSchema.parse(input);
}

function open(more: Partial<GateOptions> = {}): Gate {
  // A resolver of its own: nothing of an earlier test is cached.
  const { address, port } = flow.dns;
  const dns = createResolver({ servers: [{ address, port, trusted: false }], clock: flow.clock });
  metrics = new Metrics();
  const source = {
    current: async () => settings,
    get settings() {
      return settings;
    },
  };
  return createGate({ deps: () => ({ ...flow.deps, dns }), filter: () => source, metrics, ...more });
}

function stranger(more: Partial<SessionFacts> = {}): SessionFacts {
  return session({ remoteAddress: '192.0.2.7', helo: 'mail.sender.test', ...more });
}

/** What a promise is refused with: "550 5.1.1 text". */
async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal && error.smtp) {
      const { code, enhanced, lines } = error.smtp;
      assert.equal(lines.length, 1);
      assert.match(lines[0] ?? '', /^[\x20-\x7e]{1,480}$/);
      return `${code} ${enhanced} ${lines[0]}`;
    }
    throw error;
  }
  return 'not refused';
}

async function names(gate: EnvelopeGate): Promise<string[]> {
  const [facts, domains] = await Promise.all([gate.facts(), gate.domainFacts()]);
  return [...facts.reasons, ...domains.reasons].map(({ name }) => name);
}

describe('the gate', () => {
  it('says nothing of a proper mail server', async () => {
    want({ lists: [{ zone: 'zen.spamhaus.org', of: 'ip', codes: {} }] });
    flow.zone['2.0.0.127.zen.spamhaus.org'] = { A: ['127.0.0.2'] };
    const gate = open();
    const facts = stranger();
    assert.deepEqual(await gate.connect(facts), { pauseMs: 0, earlyTalk: undefined });
    gate.hello(facts);
    const envelope = await gate.mail(facts, 'a@sender.test');
    const found = await envelope.facts();
    assert.deepEqual(found.reasons, []);
    assert.deepEqual(found.unchecked, []);
    assert.equal(found.reverse?.name, 'mail.sender.test');
    assert.equal(found.exempt, false);
  });

  it('collects facts and refuses nothing by default', async () => {
    want({
      lists: [
        { zone: 'zen.spamhaus.org', of: 'ip', codes: {} },
        { zone: 'dbl.spamhaus.org', of: 'domain', codes: {} },
      ],
    });
    Object.assign(flow.zone, ZEN, DBL);
    delete flow.zone['7.2.0.192.in-addr.arpa'];
    flow.zone['sender.test'] = { MX: [{ preference: 0, exchange: '' }] };
    const gate = open();
    const facts = stranger({ helo: 'localhost', earlyTalk: true });
    await gate.connect(facts);
    const envelope = await gate.mail(facts, 'a@sender.test');
    assert.deepEqual(await names(envelope), [
      'LIST_ZEN_SPAMHAUS_ORG',
      'RDNS_NONE',
      'HELO_NOT_FQDN',
      'SENDER_NULL_MX',
      'EARLY_TALKER',
      'LIST_DBL_SPAMHAUS_ORG',
    ]);
    const text = await metrics.text();
    assert.match(text, /postern_dns_list_answers_total\{zone="zen\.spamhaus\.org",answer="listed"\} 1/);
    assert.doesNotMatch(text, /postern_gate_refused_total\{/);
  });

  it('refuses at connect whom a list has, where it says so; an allow list has the last word', async () => {
    const zen = { zone: 'zen.spamhaus.org', of: 'ip', codes: {}, refuse: true } as const;
    want({ lists: [zen] });
    Object.assign(flow.zone, ZEN);
    assert.equal(
      await refusal(open().connect(stranger())),
      '554 5.7.1 No mail from 192.0.2.7: it is hijacked or infected (Spamhaus XBL). https://check.test/192.0.2.7. ' +
        'Have it taken off zen.spamhaus.org. Questions: postmaster@mx.example.test',
    );
    assert.equal(await refusal(open().connect(stranger({ remoteAddress: '192.0.2.8' }))), 'not refused');
    assert.ok(!flow.dns.asked.some((line) => line.startsWith('udp TXT 8.')), 'words for the refused only');
    want({ lists: [zen, { zone: 'list.dnswl.org', of: 'ip', codes: {} }] });
    flow.zone['2.0.0.127.list.dnswl.org'] = { A: ['127.0.10.0'] };
    flow.zone['7.2.0.192.list.dnswl.org'] = { A: ['127.0.10.3'] };
    const gate = open();
    const facts = stranger();
    assert.equal(await refusal(gate.connect(facts)), 'not refused');
    const found = await (await gate.mail(facts, 'a@sender.test')).facts();
    assert.equal(found.allowListed, true);
    assert.deepEqual(
      found.reasons.map(({ name, score }) => [name, score]),
      [
        ['LIST_ZEN_SPAMHAUS_ORG', 4],
        ['LIST_LIST_DNSWL_ORG', -4],
      ],
    );
  });

  it('refuses at MAIL what the settings say, in words a person can use', async () => {
    const cases: [FilterSettingsInput, Partial<SessionFacts>, sender: string, RegExp][] = [
      [{ reverse_dns: 'refuse' }, { remoteAddress: '192.0.2.99' }, 'a@sender.test', /^550 5\.7\.25 /],
      [{ helo: 'refuse' }, { helo: 'MX.example.TEST' }, 'a@sender.test', /^550 5\.7\.1 .*which is us/],
      [{ helo: 'refuse' }, { helo: 'example.test' }, 'a@sender.test', /^550 5\.7\.1 .*which is us/],
      [{ unknown_sender_domain: 'refuse' }, {}, 'a@gone.test', /^550 5\.1\.8 .*gone\.test/],
      [
        { lists: [{ zone: 'dbl.spamhaus.org', of: 'domain', codes: {}, refuse: true }] },
        {},
        'a@mail.sender.test',
        /^550 5\.7\.1 No mail with sender\.test: .*https:\/\/check\.test\/sender\.test\. .*postmaster@/,
      ],
    ];
    Object.assign(flow.zone, DBL);
    for (const [input, facts, sender, expected] of cases) {
      want(input);
      const gate = open();
      const client = stranger(facts);
      await gate.connect(client);
      assert.match(await refusal(gate.mail(client, sender)), expected);
      assert.match(await metrics.text(), /postern_gate_refused_total\{check="\w+"\} 1/);
      want({});
      await open().mail(client, sender);
    }
  });

  it('refuses nobody whose network the site always takes mail from', async () => {
    const actor = flow.admin;
    const pattern = '192.0.2.0/24';
    await flow.store.write.run('spam.listAdd', { actor, account: null, pattern, action: 'allow' });
    want({
      lists: [{ zone: 'zen.spamhaus.org', of: 'ip', codes: {}, refuse: true }],
      helo: 'refuse',
      early_talker: 'refuse',
      messages_per_hour: 1,
    });
    Object.assign(flow.zone, ZEN);
    const gate = open();
    const facts = stranger({ helo: 'localhost' });
    assert.equal((await gate.connect(facts)).earlyTalk, undefined);
    for (let i = 0; i < 3; i++) {
      const found = await names(await gate.mail(facts, 'a@sender.test'));
      assert.deepEqual(found, ['LIST_ZEN_SPAMHAUS_ORG', 'HELO_NOT_FQDN'], 'still facts');
    }
    await flow.store.write.run('spam.listRemove', { actor, account: null, pattern });
    assert.match(await refusal(open().connect(stranger())), /^554 /);
  });

  it('the null reverse-path has no domain to check, and is no stranger for it', async () => {
    want({ unknown_sender_domain: 'refuse' });
    const envelope = await open().mail(stranger(), '');
    assert.deepEqual(await names(envelope), []);
  });

  it('limits the messages of a network in an hour; a refused or empty transaction does not count', async () => {
    want({ messages_per_hour: 2, unknown_sender_domain: 'refuse' });
    const gate = open();
    (await gate.mail(stranger(), 'a@sender.test')).abandon();
    assert.match(await refusal(gate.mail(stranger(), 'a@gone.test')), /^550 5\.1\.8/);
    await gate.mail(stranger(), 'a@sender.test');
    await gate.mail(stranger({ remoteAddress: '192.0.2.200' }), 'a@sender.test');
    assert.match(await refusal(gate.mail(stranger(), 'a@sender.test')), /^450 4\.7\.1 .*in 60 min/);
    await gate.mail(stranger({ remoteAddress: '198.51.100.1' }), 'a@sender.test');
  });

  it('peers 5.3: state of one transaction is not that of the next', async () => {
    const gate = open();
    const facts = stranger();
    const first = await gate.mail(facts, 'a@gone.test');
    first.askDomains('body', ['bad.example']);
    first.abandon();
    const second = await gate.mail(facts, 'a@sender.test');
    assert.deepEqual(await names(second), []);
    facts.helo = 'localhost';
    assert.deepEqual(await names(await gate.mail(facts, 'a@sender.test')), ['HELO_NOT_FQDN']);
    facts.helo = 'mail.sender.test';
    assert.deepEqual(await names(await gate.mail(facts, 'a@sender.test')), []);
  });

  it('asks nothing about us: loopback, private and own networks, logins, LMTP, or while it is off', async () => {
    want({
      lists: [{ zone: 'zen.spamhaus.org', of: 'ip', codes: {}, refuse: true }],
      messages_per_hour: 1,
      early_talker: 'refuse',
      helo: 'refuse',
      reverse_dns: 'refuse',
    });
    const gate = open({ own: () => ['198.51.100.0/24', '2001:db8::/32'] });
    const revoked = new AbortController().signal;
    const ours: Partial<SessionFacts>[] = [
      { remoteAddress: '127.0.0.1' },
      { remoteAddress: '' },
      { remoteAddress: '10.0.0.5' },
      { remoteAddress: '198.51.100.9' },
      { remoteAddress: '2001:db8::9' },
      { protocol: 'lmtp' },
      { protocol: 'submission' },
      { login: { accountId: 1, address: 'alice@example.test', mechanism: 'PLAIN', revoked } },
    ];
    const check = async (more: Partial<SessionFacts>): Promise<void> => {
      const facts = stranger({ helo: 'localhost', ...more });
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(await gate.connect(facts), { pauseMs: 0, earlyTalk: undefined });
        gate.hello(facts);
        const envelope = await gate.mail(facts, 'a@gone.test');
        envelope.askDomains('body', ['bad.example']);
        for (let n = 0; n < 30; n++) {
          const error = replies.unknownRecipient('x');
          assert.deepEqual(await envelope.refused(error), { error, waitedMs: 0 });
        }
        await envelope.greylist({ recipient: '', spf: 'fail', authenticatedGood: false, known: false });
        assert.equal((await envelope.facts()).exempt, true);
        assert.deepEqual(await names(envelope), []);
      }
    };
    for (const more of ours) await check(more);
    want({ ...settings, enabled: false });
    await check({});
    assert.deepEqual(flow.dns.asked, []);
  });

  it('holds the greeting back and refuses early talkers where the site wants it', async () => {
    want({ greeting_pause_ms: 3000, early_talker: 'refuse' });
    const greeting = await open().connect(stranger());
    assert.equal(greeting.pauseMs, 3000);
    assert.equal(greeting.earlyTalk?.code, 554);
    assert.equal(greeting.earlyTalk.enhanced, '5.5.1');
    assert.match(greeting.earlyTalk.lines[0] ?? '', /before the greeting.*postmaster@mx\.example\.test/);
    want({ greeting_pause_ms: 3000 });
    assert.deepEqual(await open().connect(stranger()), { pauseMs: 3000, earlyTalk: undefined });
  });

  it('slows down who guesses recipients, then ends the session', async () => {
    want({ tarpit_after: 2 });
    const gate = open();
    const envelope = await gate.mail(stranger(), 'a@sender.test');
    const guess = () => envelope.refused(replies.unknownRecipient('nobody@example.test'));
    assert.equal((await guess()).waitedMs, 0);
    assert.equal((await guess()).waitedMs, 0);
    let over = false;
    const third = guess().then((said) => {
      over = true;
      return said;
    });
    await new Promise((resolve) => setImmediate(resolve));
    flow.clock.advance(1999);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(over, false);
    flow.clock.advance(1);
    const { error, waitedMs } = await third;
    assert.equal(waitedMs, 2000);
    assert.ok(error instanceof Refusal && error.smtp?.code === 550, 'the answer is the same, later');
    const last = (await guess()).error;
    assert.ok(last instanceof Refusal);
    assert.match(
      `${last.smtp?.code} ${last.smtp?.enhanced} ${last.message}`,
      /^421 4\.7\.0 4 recipients .*closing\. .*postmaster@/,
    );
    const full = replies.overQuota('alice@example.test');
    assert.equal((await envelope.refused(full)).error, full, 'a full mailbox is no guess');
    const again = await gate.mail(stranger(), 'a@sender.test');
    assert.equal(await again.accepted(), 0, 'a new session may find whom it knows');
    assert.match(await metrics.text(), /postern_tarpit_total\{outcome="ended"\} 1/);
  });

  it('greylists once a transaction, says how long, spares those on an allow list', async () => {
    const gate = open();
    const question = {
      recipient: 'alice@example.test',
      spf: 'none',
      authenticatedGood: false,
      known: false,
    } as const;
    const first = await gate.mail(stranger(), 'a@bounce.sender.test');
    for (let i = 0; i < 3; i++) {
      assert.match(
        await refusal(first.greylist(question)),
        /^451 4\.7\.1 Greylisted: mail from sender\.test .* in 120 seconds .*postmaster@/,
      );
    }
    flow.clock.advance(60_000);
    const second = await gate.mail(stranger(), 'a@bounce.sender.test');
    assert.match(await refusal(second.greylist(question)), /in 60 seconds/);
    flow.clock.advance(60_000);
    const third = await gate.mail(stranger({ remoteAddress: '192.0.2.250' }), 'b@other.sender.test');
    assert.equal(await refusal(third.greylist(question)), 'not refused');
    const bounce = await gate.mail(stranger({ remoteAddress: '203.0.113.9' }), '');
    assert.match(await refusal(bounce.greylist(question)), /mail from sender\.test/, 'by the HELO name');
    assert.match(await metrics.text(), /postern_greylist_total\{outcome="deferred"\} 3/);
    want({ lists: [{ zone: 'list.dnswl.org', of: 'ip', codes: {} }] });
    flow.zone['2.0.0.127.list.dnswl.org'] = { A: ['127.0.10.0'] };
    flow.zone['9.113.0.203.list.dnswl.org'] = { A: ['127.0.10.1'] };
    const good = await open().mail(stranger({ remoteAddress: '203.0.113.9' }), 'a@new.test');
    assert.equal(await refusal(good.greylist(question)), 'not refused');
  });
});

describe('with no DNS mail flows', () => {
  const strict: FilterSettingsInput = {
    lists: [
      { zone: 'zen.spamhaus.org', of: 'ip', codes: {}, refuse: true },
      { zone: 'dbl.spamhaus.org', of: 'domain', codes: {}, refuse: true },
    ],
    reverse_dns: 'refuse',
    helo: 'refuse',
    unknown_sender_domain: 'refuse',
  };

  it('none configured', async () => {
    want(strict);
    const gate = open({ deps: () => ({ ...flow.deps, dns: undefined }) });
    const facts = stranger();
    await gate.connect(facts);
    const envelope = await gate.mail(facts, 'a@gone.test');
    envelope.askDomains('body', ['bad.example']);
    assert.deepEqual(await names(envelope), []);
    assert.deepEqual((await envelope.facts()).unchecked, ['zen.spamhaus.org: no DNS']);
  });

  it('a resolver that answers nothing holds mail up for 5 s at each step at most', async () => {
    want(strict);
    const silent = new Proxy({}, { get: () => ({ fault: { kind: 'drop' } }) });
    const { startDnsServer } = await import('../../../../test/support/dns-server.ts');
    const dead = await startDnsServer(silent);
    const resolver = createResolver({
      servers: [{ address: dead.address, port: dead.port, trusted: false }],
      clock: flow.clock,
    });
    const gate = open({ deps: () => ({ ...flow.deps, dns: resolver }) });
    const facts = stranger({ remoteAddress: '192.0.2.77' });
    let waitedMs = 0;
    /** Let a promise come about, counting the time it needs. */
    const timed = async <T>(promise: Promise<T>): Promise<T> => {
      let over = false;
      void promise.finally(() => (over = true));
      await until(async () => {
        if (over) return true;
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (over) return true;
        flow.clock.advance(500);
        waitedMs += 500;
        return false;
      });
      return promise;
    };
    await timed(gate.connect(facts));
    assert.ok(waitedMs <= 5500, `connect took ${waitedMs} ms`);
    const connected = waitedMs;
    const envelope = await timed(gate.mail(facts, 'a@sender.test'));
    assert.ok(waitedMs - connected <= 5500, `MAIL took ${waitedMs - connected} ms`);
    const mailed = waitedMs;
    envelope.askDomains('body', ['a.example', 'b.example']);
    assert.deepEqual(await timed(names(envelope)), []);
    assert.ok(waitedMs - mailed <= 5500, `the end took ${waitedMs - mailed} ms`);
    const { unchecked } = await timed(envelope.facts());
    assert.deepEqual(
      unchecked.map((text) => text.split(':')[0]),
      ['zen.spamhaus.org', 'reverse name', 'HELO name', "sender's domain"],
    );
    flow.clock.advance(60_000);
    await dead.close();
  });

  it('a resolver that fails everything refuses nobody for what nobody knows', async () => {
    want({ ...strict, unknown_sender_domain: 'score' });
    const failing = {
      query: async () => ({ status: 'temporary', reason: 'SERVFAIL from 127.0.0.1' }) as const,
    };
    const gate = open({ deps: () => ({ ...flow.deps, dns: failing }) });
    const facts = stranger();
    await gate.connect(facts);
    const envelope = await gate.mail(facts, 'a@sender.test');
    assert.deepEqual(await names(envelope), []);
  });
});
