import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkDmarc, type DmarcInput, type DmarcResult } from './check.ts';
import { pass, VECTORS } from './fixtures/vectors-table.ts';
import { policies, zone, type ZoneDns } from './fixtures/zone.ts';
import { judgeAuthor } from './judge.ts';
import { isDmarcRecord, parseDmarcRecord } from './record.ts';
import { createLookup, organizationalDomain, walkNames, walkTree } from './walk.ts';

describe('records', () => {
  const claims: readonly (readonly [string, boolean])[] = [
    ['v=DMARC1', true],
    ['v=DMARC1; p=none', true],
    ['v = DMARC1 ;p=none', true],
    [' v=DMARC1;p=none', true],
    ['v=dmarc1; p=none', false],
    ['v=DMARC11; p=none', false],
    ['v=DMARC1 p=none', false],
    ['p=none; v=DMARC1', false],
    ['v=spf1 -all', false],
    ['', false],
  ];
  for (const [text, wanted] of claims) {
    test(`${JSON.stringify(text)} is ${wanted ? 'one' : 'none'}`, () =>
      assert.equal(isDmarcRecord(text), wanted));
  }

  const read = (text: string): string => {
    const { p, sp, np, adkim, aspf, psd, testing, fault } = parseDmarcRecord(text);
    return `${p} ${sp} ${np} ${adkim}${aspf} ${psd}${testing ? ' t' : ''}${fault === undefined ? '' : ` ${fault}`}`;
  };
  const texts: readonly (readonly [string, string])[] = [
    ['v=DMARC1; p=reject', 'reject reject reject rr u'],
    ['v=DMARC1;p=REJECT;', 'reject reject reject rr u'],
    ['v=DMARC1; p=none; sp=quarantine', 'none quarantine quarantine rr u'],
    ['v=DMARC1; p=none; np=reject', 'none none reject rr u'],
    ['v=DMARC1; p=reject; sp=none; np=quarantine', 'reject none quarantine rr u'],
    ['v=DMARC1; p=reject; adkim=s; aspf=S', 'reject reject reject ss u'],
    ['v=DMARC1; p=reject; adkim=x; aspf=', 'reject reject reject rr u'],
    ['v=DMARC1; p=reject; psd=y', 'reject reject reject rr y'],
    ['v=DMARC1; p=reject; psd=maybe; t=perhaps', 'reject reject reject rr u'],
    ['v=DMARC1; p=quarantine; t=y', 'quarantine quarantine quarantine rr u t'],
    ['v=DMARC1; p=reject; pct=0; rf=afrf; ri=1', 'reject reject reject rr u'],
    ['v=DMARC1; x=y; rubbish; p=reject; =; ;', 'reject reject reject rr u'],
    ['v=DMARC1; sp=none; p=reject', 'reject none none rr u'],
    ['v=DMARC1; P=reject', 'reject reject reject rr u'],
    // the policy cannot be read
    ['v=DMARC1', 'none none none rr u no effect'],
    ['v=DMARC1; rua=mailto:a@x.example', 'none none none rr u counts as none'],
    ['v=DMARC1; p=block; rua=mailto:a@x.example', 'none none none rr u counts as none'],
    ['v=DMARC1; p=block; rua=a@x.example', 'none none none rr u no effect'],
    ['v=DMARC1; p=reject; sp=block', 'none none none rr u no effect'],
    ['v=DMARC1; p=reject; np=block; rua=mailto:a@x.example', 'none none none rr u counts as none'],
    ['v=DMARC1; p=none; p=reject', 'none none none rr u no effect'],
    ['v=DMARC1; p=reject; p=reject', 'reject reject reject rr u'],
    [`v=DMARC1; p=reject; x=${'y'.repeat(70_000)}`, 'none none none rr u no effect'],
  ];
  for (const [text, wanted] of texts) {
    test(text.slice(0, 80), () => assert.equal(read(text), wanted));
  }

  test('report addresses without their sizes', () => {
    const record = parseDmarcRecord(
      'v=DMARC1; p=none; rua=mailto:a@x.example!10m, https://x.example/r ,x; ruf=mailto:f@x.example; fo=1:d:z',
    );
    assert.deepEqual(record.rua, ['mailto:a@x.example', 'https://x.example/r']);
    assert.deepEqual(record.ruf, ['mailto:f@x.example']);
    assert.deepEqual(record.fo, ['1', 'd']);
  });
});

describe('the tree walk', () => {
  test('of a name of few labels goes up one by one', () => {
    assert.deepEqual(walkNames('a.mail.example.com'), [
      'a.mail.example.com',
      'mail.example.com',
      'example.com',
      'com',
    ]);
  });

  test('of eight and more labels jumps to seven and asks eight times at most', () => {
    const names = walkNames('a.b.c.d.e.f.g.h.i.j.mail.example.com');
    assert.equal(names.length, 8);
    assert.equal(names[1], 'g.h.i.j.mail.example.com');
    assert.equal(names[7], 'com');
    assert.equal(walkNames('a.b.c.d.e.f.g.example')[1], 'b.c.d.e.f.g.example');
    assert.ok(walkNames(Array(120).fill('a').join('.')).length === 8);
  });

  const org = async (domain: string, dns: ZoneDns): Promise<string | undefined> =>
    organizationalDomain(await walkTree(domain, createLookup(dns)));

  /** Records, name, its organisational domain; after the examples of RFC 9989 appendix B. */
  const cases: readonly (readonly [
    what: string,
    Record<string, string | string[]>,
    string,
    string | undefined,
  ])[] = [
    ['nothing published', {}, 'mail.example.com', 'mail.example.com'],
    ['one record', { 'example.com': 'v=DMARC1; p=none' }, 'mail.example.com', 'example.com'],
    [
      'the shortest of several',
      { 'a.mail.example.com': 'v=DMARC1;p=none', 'example.com': 'v=DMARC1;p=none' },
      'a.mail.example.com',
      'example.com',
    ],
    [
      'psd=n ends it',
      { 'mail.example.com': 'v=DMARC1;p=none;psd=n', 'example.com': 'v=DMARC1;p=none' },
      'a.mail.example.com',
      'mail.example.com',
    ],
    [
      'psd=y: one label below',
      { 'co.example': 'v=DMARC1;p=reject;psd=y' },
      'mail.giant.co.example',
      'giant.co.example',
    ],
    [
      'psd=y over a record',
      { 'giant.co.example': 'v=DMARC1;p=none', 'co.example': 'v=DMARC1;p=reject;psd=y' },
      'mail.giant.co.example',
      'giant.co.example',
    ],
    ['the suffix itself', { 'co.example': 'v=DMARC1;p=reject;psd=y' }, 'co.example', 'co.example'],
    [
      'several records at a name count as none',
      { 'example.com': ['v=DMARC1;p=none', 'v=DMARC1;p=reject'] },
      'a.example.com',
      'a.example.com',
    ],
    [
      'a top-level domain is a suffix even unsaid',
      { example: 'v=DMARC1;p=reject', 'a.bank.example': 'v=DMARC1;p=none' },
      'a.bank.example',
      'bank.example',
    ],
    ['DNS does not answer', { 'example.com': 'temporary' }, 'a.example.com', undefined],
    [
      'psd=n below the failure',
      { 'a.example.com': 'v=DMARC1;p=none;psd=n', 'example.com': 'temporary' },
      'a.example.com',
      'a.example.com',
    ],
  ];
  for (const [what, records, domain, wanted] of cases) {
    test(what, async () => assert.equal(await org(domain, policies(records)), wanted));
  }

  test('asks each name once for a message', async () => {
    const dns = policies({ 'example.com': 'v=DMARC1; p=reject' });
    await judgeAuthor(
      { domains: ['a.example.com', 'b.example.com'], doubt: undefined },
      { dkim: [{ domain: 'c.example.com', status: 'pass' }], spf: undefined, dns },
    );
    assert.equal(dns.asked.length, new Set(dns.asked).size);
  });
});

function check(domain: string, dns: ZoneDns, more: Partial<DmarcInput> = {}): Promise<DmarcResult> {
  return checkDmarc({ domain, dkim: [], spf: undefined, dns, ...more });
}

describe('DMARC vectors', () => {
  for (const { name, records, from, dkim = [], spf, want } of VECTORS) {
    test(name, async () => {
      const { result, policy, disposition, reason } = await check(from, policies(records), { dkim, spf });
      assert.equal(`${result} ${policy} ${disposition}`, want, reason);
    });
  }

  test('whether a name exists decides between sp and np, and is asked only then', async () => {
    const record = { TXT: ['v=DMARC1; p=none; sp=quarantine; np=reject'] };
    const there = zone({ '_dmarc.bank.example': record, 'www.bank.example': { A: ['192.0.2.1'] } });
    assert.equal((await check('www.bank.example', there)).disposition, 'quarantine');
    const bare = zone({ '_dmarc.bank.example': record, 'a.www.bank.example': 'exists' });
    assert.equal(
      (await check('www.bank.example', bare)).disposition,
      'quarantine',
      'a name with names below it',
    );
    const missing = zone({ '_dmarc.bank.example': record });
    assert.equal((await check('www.bank.example', missing)).disposition, 'reject');
    const alias = zone({ '_dmarc.bank.example': record, 'www.bank.example': { CNAME: ['gone.example'] } });
    assert.equal(
      (await check('www.bank.example', alias)).disposition,
      'quarantine',
      'an alias to nowhere is a name',
    );
    const silent = zone({ '_dmarc.bank.example': record, 'www.bank.example': 'temporary' });
    assert.equal((await check('www.bank.example', silent)).result, 'temperror');
    await check('bank.example', missing);
    assert.ok(!missing.asked.includes('A bank.example'));
  });

  test('tells what it went by', async () => {
    const dns = policies({ 'bank.example': 'v=DMARC1; p=reject' });
    const result = await check('news.bank.example', dns, { dkim: [pass('bank.example')] });
    assert.equal(result.recordDomain, 'bank.example');
    assert.equal(result.orgDomain, 'bank.example');
    assert.deepEqual(result.alignedBy, { dkim: 'bank.example', spf: undefined });
    assert.match(result.reason, /news\.bank\.example is authenticated by DKIM/);
  });
});

describe('several domains in From', () => {
  const dns = policies({
    'bank.example': 'v=DMARC1; p=reject',
    'x.example': 'v=DMARC1; p=none',
    'y.example': 'temporary',
  });
  const judge = async (domains: string[], doubt?: string): Promise<string> => {
    const dkim = [pass('x.example')];
    const result = await judgeAuthor({ domains, doubt }, { dkim, spf: pass('x.example'), dns });
    return `${result.result} ${result.disposition} ${result.domain}`;
  };
  test('the worst counts', async () => {
    assert.equal(await judge(['x.example']), 'pass none x.example');
    assert.equal(await judge(['x.example', 'bank.example']), 'fail reject bank.example');
    assert.equal(await judge(['x.example', 'z.example']), 'none none z.example');
    assert.equal(await judge(['x.example', 'y.example']), 'temperror none y.example');
    assert.equal(await judge(['y.example', 'bank.example']), 'fail reject bank.example');
  });
  test('in doubt nothing passes', async () => {
    assert.equal(await judge(['x.example'], 'two From fields'), 'permerror none x.example');
    assert.equal(await judge(['x.example', 'bank.example'], 'two From fields'), 'fail reject bank.example');
    assert.equal(await judge([], 'no From'), 'permerror none ');
  });
});
