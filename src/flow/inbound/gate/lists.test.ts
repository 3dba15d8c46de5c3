import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { startDnsServer, type TestDnsServer, type Zone } from '../../../../test/support/dns-server.ts';
import { type ManualClock, manualClock } from '../../../../test/support/manual-clock.ts';
import { type Logger, silentLogger } from '../../../base/log.ts';
import type { Dns } from '../../../mail/dns.ts';
import { createResolver } from '../../../net/dns/resolver.ts';
import { DomainQuestions } from './domain-questions.ts';
import { codeTest, readCodes } from './list-codes.ts';
import { type ListSetting, listQuestion, prepareLists } from './list-prepare.ts';
import { createDnsLists, type DnsLists, listFindings } from './lists.ts';
import { presetOf, shownZone } from './presets-table.ts';

const HOUR = 3_600_000;

/** A list with what RFC 5782 section 5 wants of it. */
function ipList(zone: string, listed: Record<string, string[]>): Zone {
  const nodes: Zone = { [`2.0.0.127.${zone}`]: { A: ['127.0.0.2'] } };
  for (const [name, A] of Object.entries(listed)) nodes[`${name}.${zone}`] = { A };
  return nodes;
}

let dns: TestDnsServer;
let clock: ManualClock;
let resolver: Dns;
let settings: readonly ListSetting[];
let counted: string[];
let warned: string[];
let lists: DnsLists;

const logger: Logger = {
  ...silentLogger,
  info: (_fields, message) => void warned.push(message),
  warn: (fields, message) => void warned.push(`${message} ${JSON.stringify(fields)}`),
};

before(async () => {
  dns = await startDnsServer({});
});
after(() => dns.close());
beforeEach(() => {
  clock = manualClock();
  resolver = createResolver({
    servers: [{ address: dns.address, port: dns.port, trusted: false }],
    clock,
  });
  counted = [];
  warned = [];
  lists = createDnsLists({
    dns: () => resolver,
    clock,
    logger,
    settings: () => settings,
    count: (zone, answer) => void counted.push(`${zone} ${answer}`),
  });
});
afterEach(() => {
  for (const name of Object.keys(dns.zone)) delete dns.zone[name];
  dns.asked.length = 0;
  assert.equal(clock.timers, 0, 'no timer is left behind');
});

/** What the first list says of a subject. */
async function ask(subject: string, of: 'ip' | 'domain' = 'ip') {
  const [list] = lists.lists(of);
  assert.ok(list);
  return lists.ask(list, subject);
}

function read(...addresses: string[]): string {
  return readCodes(addresses, [], []).kind;
}

describe('codes of DNS lists', () => {
  it('reads patterns of octets: numbers, ranges, anything, bits', () => {
    const cases: [pattern: string, yes: string[], no: string[]][] = [
      ['127.0.0.2', ['127.0.0.2'], ['127.0.0.3', '127.0.1.2', '127.0.0.22']],
      ['127.0.0.4-7', ['127.0.0.4', '127.0.0.7'], ['127.0.0.3', '127.0.0.8']],
      ['127.0.*.3', ['127.0.5.3', '127.0.255.3'], ['127.0.5.2', '127.1.5.3']],
      ['127.0.0.&8', ['127.0.0.8', '127.0.0.24', '127.0.0.255'], ['127.0.0.16', '127.0.0.7']],
    ];
    for (const [pattern, yes, no] of cases) {
      const matches = codeTest(pattern);
      assert.ok(matches, pattern);
      for (const address of yes) assert.equal(matches(address), true, `${pattern} ${address}`);
      for (const address of no) assert.equal(matches(address), false, `${pattern} ${address}`);
    }
    for (const none of [
      '',
      '127.0.0',
      '127.0.0.256',
      '127.0.0.2.1',
      '127.0.0.x',
      '1.2.3.4-',
      '127.0.0.&2-4',
    ]) {
      assert.equal(codeTest(none), undefined, none);
    }
  });

  it('peers 5.3: a blocked resolver, a sold zone and a captive portal are no listings', () => {
    assert.equal(read('127.0.0.2'), 'listed');
    assert.equal(read('127.255.255.254'), 'blocked');
    assert.equal(read('127.255.255.252'), 'blocked');
    assert.equal(read('127.255.255.255'), 'blocked');
    assert.equal(read('127.0.0.1'), 'blocked');
    assert.equal(read('203.0.113.80'), 'broken');
    assert.equal(read('127.0.0.2', '203.0.113.80'), 'broken', 'one is enough to doubt all');
    assert.equal(read('127.0.0.2', '127.255.255.254'), 'blocked');
  });

  it('hides the key of a zone', () => {
    assert.equal(shownZone('abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net'), 'zen.spamhaus.org');
    assert.equal(shownZone('0123456789abcdef0123456789abcdef.list.example'), 'list.example');
    assert.equal(shownZone('bl.spamcop.net'), 'bl.spamcop.net');
    assert.equal(presetOf('key.dbl.dq.spamhaus.net')?.of, 'domain');
    assert.equal(presetOf('constructor'), undefined);
  });

  it('leaves out what it cannot understand, and says so', () => {
    const problems: string[] = [];
    const [list, ...others] = prepareLists(
      [
        { zone: 'bad zone' },
        {
          zone: 'List.Test.',
          codes: { nonsense: { score: 1, means: '' }, '127.0.0.2': { score: 2, means: '' } },
        },
        { zone: 'list.test' },
      ],
      (text) => void problems.push(text),
    );
    assert.equal(list?.zone, 'list.test');
    assert.equal(list.codes.length, 1);
    assert.equal(others.length, 0);
    assert.equal(problems.length, 2);
    assert.equal(listQuestion(list, 'not an address'), undefined);
    assert.equal(listQuestion({ ...list, of: 'domain' }, 'a.'.repeat(125) + 'test'), undefined);
  });
});

describe('DNS lists', () => {
  it('asks for turned octets and nibbles, and reads several codes of a well-known list', async () => {
    settings = [{ zone: 'zen.spamhaus.org' }];
    Object.assign(
      dns.zone,
      ipList('zen.spamhaus.org', {
        '7.2.0.192': ['127.0.0.2', '127.0.0.4', '127.0.0.10'],
        '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2': ['127.0.0.3'],
      }),
    );
    const listed = await ask('192.0.2.7');
    assert.equal(listed.score, 4, 'the worst of the codes, not their sum');
    assert.equal(listed.means.length, 3);
    assert.deepEqual(listFindings(listed, 'The sending host: 192.0.2.7').reasons[0], {
      name: 'LIST_ZEN_SPAMHAUS_ORG',
      score: 4,
      text:
        'The sending host: 192.0.2.7 sends spam (Spamhaus SBL) and is hijacked or infected (Spamhaus XBL) ' +
        'and is a line that should send through its provider (Spamhaus PBL)',
      lever: 'the sender were taken off the list zen.spamhaus.org',
    });
    assert.equal((await ask('2001:db8::1')).score, 3.5);
    const clear = await ask('192.0.2.8');
    assert.equal(clear.score, 0);
    assert.equal(clear.unchecked, undefined);
    assert.deepEqual(listFindings(clear, ''), { reasons: [], unchecked: [] });
    assert.deepEqual(counted, [
      'zen.spamhaus.org listed',
      'zen.spamhaus.org listed',
      'zen.spamhaus.org clear',
    ]);
  });

  it('has negative scores for allow lists, and takes no quota answer for one', async () => {
    settings = [{ zone: 'list.dnswl.org' }];
    Object.assign(
      dns.zone,
      ipList('list.dnswl.org', { '7.2.0.192': ['127.0.5.2'], '8.2.0.192': ['127.0.0.255'] }),
    );
    const good = await ask('192.0.2.7');
    assert.equal(good.score, -2.5);
    assert.equal(listFindings(good, '').reasons[0]?.lever, undefined);
    const over = await ask('192.0.2.8');
    assert.equal(over.score, 0);
    assert.match(over.unchecked ?? '', /too many questions/);
  });

  it('reads bitmasks, and own meanings of a site', async () => {
    settings = [
      { zone: 'multi.surbl.org' },
      { zone: 'own.test', of: 'domain', codes: { '127.0.0.9': { score: 7, means: 'sold us a car' } } },
    ];
    Object.assign(dns.zone, {
      'test.surbl.org.multi.surbl.org': { A: ['127.0.0.254'] },
      'phish.example.multi.surbl.org': { A: ['127.0.0.72'] },
      'test.own.test': { A: ['127.0.0.2'] },
      'car.example.own.test': { A: ['127.0.0.9'] },
    });
    const surbl = await ask('phish.example', 'domain');
    assert.equal(surbl.score, 4.5);
    assert.equal(surbl.means.length, 2);
    const [, own] = lists.lists('domain');
    assert.ok(own);
    assert.deepEqual((await lists.ask(own, 'car.example')).means, ['sold us a car']);
  });

  it('a listing with a code nobody explained is no fact', async () => {
    settings = [{ zone: 'zen.spamhaus.org' }];
    Object.assign(dns.zone, ipList('zen.spamhaus.org', { '7.2.0.192': ['127.0.0.77'] }));
    const answer = await ask('192.0.2.7');
    assert.equal(answer.score, 0);
    assert.deepEqual(listFindings(answer, ''), { reasons: [], unchecked: [] });
  });

  it('a list that refuses us is no fact, is reported once an hour, and gets a rest', async () => {
    settings = [{ zone: 'zen.spamhaus.org' }];
    Object.assign(dns.zone, ipList('zen.spamhaus.org', { '7.2.0.192': ['127.255.255.254'] }));
    const answer = await ask('192.0.2.7');
    assert.equal(answer.score, 0);
    assert.match(answer.unchecked ?? '', /does not answer public resolvers/);
    assert.equal(warned.length, 1);
    assert.match(warned[0] ?? '', /public resolvers/);
    const asked = dns.asked.length;
    assert.match((await ask('192.0.2.9')).unchecked ?? '', /public resolvers/);
    assert.equal(dns.asked.length, asked, 'resting');
    assert.equal(lists.status()[0]?.state, 'resting');
    for (let minutes = 0; minutes < 60; minutes += 11) {
      clock.advance(11 * 60_000);
      await ask('192.0.2.7');
    }
    assert.equal(warned.length, 2, 'again after an hour');
    assert.deepEqual([...new Set(counted)], ['zen.spamhaus.org blocked', 'zen.spamhaus.org skipped']);
  });

  it('a list that lists everything is switched off by its first test, before it counts', async () => {
    settings = [{ zone: 'all.test' }];
    Object.assign(dns.zone, ipList('all.test', { '7.2.0.192': ['127.0.0.2'], '1.0.0.127': ['127.0.0.2'] }));
    const answer = await ask('192.0.2.7');
    assert.equal(answer.score, 0);
    assert.match(answer.unchecked ?? '', /lists everything/);
    assert.equal(lists.status()[0]?.state, 'off');
    assert.equal(warned.length, 1);
  });

  it('a list without its test entry is switched off, and back on when it has it again', async () => {
    settings = [{ zone: 'dead.test' }];
    dns.zone['7.2.0.192.dead.test'] = { A: ['127.0.0.2'] };
    const job = lists.start();
    assert.match((await ask('192.0.2.7')).unchecked ?? '', /lacks the entry 127\.0\.0\.2/);
    const asked = dns.asked.length;
    await ask('192.0.2.7');
    assert.equal(dns.asked.length, asked, 'not asked any more');
    dns.zone['2.0.0.127.dead.test'] = { A: ['127.0.0.2'] };
    clock.advance(HOUR);
    for (let i = 0; i < 100 && lists.status()[0]?.state !== 'on'; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal((await ask('192.0.2.7')).score, 1.5);
    assert.match(warned.at(-1) ?? '', /works again/);
    job.cancel();
  });

  it('tests working lists daily', async () => {
    settings = [{ zone: 'good.test' }];
    Object.assign(dns.zone, ipList('good.test', {}));
    const tests = (): number => dns.asked.filter((line) => line.includes('127.good.test')).length;
    const job = lists.start();
    await ask('192.0.2.7');
    assert.equal(tests(), 2);
    for (let hour = 1; hour <= 25; hour++) {
      clock.advance(HOUR);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.equal(tests(), 4);
    job.cancel();
  });

  it('SERVFAIL and silence say nothing; nobody waits longer than 5 s', async () => {
    settings = [{ zone: 'good.test' }];
    Object.assign(dns.zone, ipList('good.test', {}));
    dns.zone['7.2.0.192.good.test'] = { A: ['127.0.0.2'], fault: { kind: 'servfail' } };
    dns.zone['8.2.0.192.good.test'] = { A: ['127.0.0.2'], fault: { kind: 'drop' } };
    assert.match((await ask('192.0.2.7')).unchecked ?? '', /SERVFAIL/);
    const slow = ask('192.0.2.8');
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(5000);
    assert.match((await slow).unchecked ?? '', /no answer within 5 s|timeout/);
    assert.equal(lists.status()[0]?.state, 'on', 'one name without an answer is not the list');
    clock.advance(60_000);
  });

  it('without DNS nothing is asked and nothing is listed', async () => {
    settings = [{ zone: 'zen.spamhaus.org' }];
    const none = createDnsLists({
      dns: () => undefined,
      clock,
      logger,
      settings: () => settings,
      count: () => undefined,
    });
    const [list] = none.lists('ip');
    assert.ok(list);
    assert.equal((await none.ask(list, '192.0.2.7')).unchecked, 'no DNS');
    assert.equal(await none.words(await none.ask(list, '192.0.2.7')), '');
    none.start().cancel();
    assert.equal(dns.asked.length, 0);
  });

  it("passes on a list's own words as one printable line", async () => {
    settings = [{ zone: 'zen.spamhaus.org' }];
    Object.assign(dns.zone, ipList('zen.spamhaus.org', {}));
    dns.zone['7.2.0.192.zen.spamhaus.org'] = {
      A: ['127.0.0.2'],
      TXT: [`https://check.test/q\r\n250 ok\x00\xff${'x'.repeat(300)}`],
    };
    const words = await lists.words(await ask('192.0.2.7'));
    assert.match(words, /^https:\/\/check\.test\/q 250 ok x+\.\.\.$/);
    assert.equal(words.length, 160);
  });

  it('asks for each registrable domain once, 40 questions a message, strongest fact a list', async () => {
    settings = [{ zone: 'dbl.spamhaus.org' }, { zone: 'multi.surbl.org' }];
    Object.assign(dns.zone, {
      'test.dbl.spamhaus.org': { A: ['127.0.1.2'] },
      'test.surbl.org.multi.surbl.org': { A: ['127.0.0.254'] },
      'spam.co.uk.dbl.spamhaus.org': { A: ['127.0.1.2'] },
      'phish.example.dbl.spamhaus.org': { A: ['127.0.1.4'] },
    });
    const questions = new DomainQuestions(lists);
    questions.ask('sender', ['mail.spam.co.uk']);
    questions.ask('body', [
      'www.spam.co.uk',
      'SPAM.co.uk.',
      'a.b.phish.example',
      '192.0.2.1',
      'localhost',
      '',
    ]);
    assert.equal(questions.size, 4);
    const { reasons, unchecked } = await questions.findings();
    assert.deepEqual(unchecked, []);
    assert.deepEqual(
      reasons.map(({ name, score, text }) => [name, score, text]),
      [
        [
          'LIST_DBL_SPAMHAUS_ORG',
          6,
          'A link or address in the message: phish.example is a domain for phishing (Spamhaus DBL)',
        ],
      ],
    );
    questions.ask(
      'body',
      Array.from({ length: 1000 }, (_, i) => `flood${i}.example`),
    );
    assert.equal(questions.size, 40);
    await questions.findings();
  });
});
