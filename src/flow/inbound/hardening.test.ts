import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { readAuthor } from '../../mail/author/author.ts';
import { MAX_ARC_SETS } from '../../mail/arc/sets.ts';
import { publicKeyBase64 } from '../../mail/dkim/keys.ts';
import { zone, type ZoneEntry } from '../../mail/dmarc/fixtures/zone.ts';
import { checkHost } from '../../mail/spf/check.ts';
import { claimsAuthservId } from '../../mail/authentication-results/authserv-id.ts';
import { asked, judge, message, type Sent, signed, ZONE } from './fixtures/authentication.ts';

/** Inputs known to have broken the authentication of senders in other servers; one test each. */
const FROM = 'From: <ann@bank.example>\r\nSubject: x\r\n';
const MESSAGE = message(FROM);
const dkim = (tags: string): string => `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; ${tags}\r\n`;
const BH = `${'A'.repeat(43)}=`;
const TAGS = `d=evil.example; s=s; h=From; bh=${BH}; b=AAAA`;

async function statusOf(header: string, sent?: Sent): Promise<string> {
  const { dkim: results } = await judge(message(header + FROM), sent);
  return results[0]?.status ?? '';
}

describe('authors', () => {
  const bad: readonly (readonly [name: string, header: string])[] = [
    ['several From fields', 'From: a@evil.example\r\nFrom: ann@bank.example\r\n'],
    ['a From field without a colon in its line', 'From\r\n : ann@bank.example\r\n'],
    ['group syntax', 'From: Staff: a@evil.example, ann@bank.example;\r\n'],
    ['an address in a comment of the address', 'From: <a(@bank.example)@evil.example>\r\n'],
    ['an encoded domain', 'From: <a@=?utf-8?q?bank=2Eexample?=>\r\n'],
    ['an encoded mailbox', 'From: =?utf-8?q?ann=40bank=2Eexample?=\r\n'],
    ['a NUL before the domain', 'From: <a@evil.example\0@bank.example>\r\n'],
    ['space in the domain', 'From: <a@bank. example>\r\n'],
    ['no From', 'Subject: x\r\n'],
  ];
  for (const [name, header] of bad) {
    test(`${name}: never a pass`, async () => {
      const evidence = await judge(
        await signed(message(header), 'evil.example').catch(() => message(header)),
      );
      assert.ok(
        ['fail', 'permerror'].includes(evidence.dmarc.result),
        `${evidence.dmarc.result} ${evidence.dmarc.reason}`,
      );
    });
  }

  test('a homograph is the domain it is, and no other', async () => {
    const author = readAuthor(Buffer.from('From: ann@b\u0430nk.example\r\n'));
    assert.deepEqual(author.domains, ['xn--bnk-6cd.example']);
    assert.deepEqual(readAuthor(Buffer.from('From: ann@BANK.example\r\n')).domains, ['bank.example']);
  });

  test('Authentication-Results in our name are recognised however they are written', () => {
    for (const value of [
      'mx.example.net; dmarc=pass',
      '(x) MX.example.net 1; dmarc=pass',
      '"mx.example.net"; dmarc=pass',
    ]) {
      assert.ok(claimsAuthservId(value, 'mx.example.net'));
    }
  });

  test('10,000 addresses in From ask DNS about five domains at most', async () => {
    const many = Array.from({ length: 700 }, (_, i) => `a@d${i}.example`).join(', ');
    const evidence = await judge(message(`From: ${many}\r\n`));
    assert.equal(evidence.dmarc.result, 'permerror');
    assert.ok((asked.dns?.asked.filter((q) => q.includes('_dmarc')).length ?? 0) <= 5 * 8);
  });
});

describe('DKIM', () => {
  test('l=0 with another body is no pass', async () => {
    const whole = await signed(MESSAGE, 'bank.example');
    const text = whole.toString('latin1').replace(/\bt=(?=[0-9])/, 'l=0; t=');
    assert.match(text, /l=0/);
    const evidence = await judge(Buffer.from(text, 'latin1'));
    assert.notEqual(evidence.dkim[0]?.status, 'pass');
    assert.equal(evidence.dmarc.result, 'fail');
  });

  for (const b of ['', 'A', 'AAAA', 'A'.repeat(100_000), '!!!!', '====']) {
    test(`b= of ${b.length} characters "${b.slice(0, 4)}" is no pass`, async () => {
      assert.notEqual(await statusOf(dkim(`d=evil.example; s=s; h=From; bh=${BH}; b=${b}`)), 'pass');
    });
  }
  for (const bh of ['', 'AAAA', 'A'.repeat(44), 'A'.repeat(10_000)]) {
    test(`bh= of ${bh.length} characters is a permerror`, async () => {
      assert.equal(await statusOf(dkim(`d=evil.example; s=s; h=From; bh=${bh}; b=AAAA`)), 'permerror');
    });
  }

  const short = generateKeyPairSync('rsa', { modulusLength: 512 }).publicKey;
  const e3 = Buffer.from('not a key').toString('base64');
  const keys: readonly (readonly [name: string, record: string, status: string])[] = [
    ['of 512 bits', `p=${publicKeyBase64(short)}`, 'policy'],
    ['that is no key', `p=${e3}`, 'permerror'],
    ['that is revoked', 'p=', 'permerror'],
    ['for sha1 only', 'h=sha1; p=AAAA', 'permerror'],
    ['for another service', 's=tlsrpt; p=AAAA', 'permerror'],
    ['in a record of 64 KB', `p=${'A'.repeat(64_000)}`, 'permerror'],
  ];
  for (const [name, record, status] of keys) {
    test(`a key ${name}: ${status}`, async () => {
      const records = { 's._domainkey.evil.example': { TXT: [record] } };
      assert.equal(await statusOf(dkim(TAGS), { records }), status);
    });
  }

  test('1,000 signatures: eight keys are asked for, and DMARC is not misled', async () => {
    const header = Array.from({ length: 1000 }, (_, i) => dkim(TAGS.replace('s=s', `s=s${i}`))).join('');
    const evidence = await judge(message(header + FROM));
    assert.equal(evidence.dkim.length, 8);
    assert.equal(evidence.dkimSkipped, 992);
    assert.equal(asked.dns?.asked.filter((q) => q.includes('_domainkey')).length, 8);
    assert.equal(evidence.dmarc.result, 'fail');
  });

  test('h= of 10,000 names, and of 20,000', async () => {
    const header = (count: number): string =>
      dkim(`${TAGS}; h=${Array(count).fill('x').join(':')}:From`.replace('h=From; ', ''));
    assert.equal(await statusOf(header(10_000)), 'fail');
    assert.equal(await statusOf(header(20_000)), 'permerror');
  });

  test('a duplicated field on top of a signature that does not cover it twice is no pass', async () => {
    const whole = (await signed(MESSAGE, 'bank.example')).toString('latin1');
    for (const field of ['From: <ceo@bank.example>', 'Subject: y', 'Content-Type: text/html']) {
      const evidence = await judge(Buffer.from(`${field}\r\n${whole}`, 'latin1'));
      assert.notEqual(evidence.dkim[0]?.status, 'pass', field);
    }
  });
});

describe('SPF', () => {
  const spf = (records: Record<string, ZoneEntry>, mailFrom = 'any@x.example'): Promise<string> =>
    checkHost({
      ip: '192.0.2.66',
      helo: 'h.example',
      mailFrom,
      dns: zone(records),
      nowMs: 0,
      receiver: 'mx.example.net',
    }).then(({ result }) => result);
  test('an include loop ends in permerror', async () => {
    assert.equal(await spf({ 'x.example': { TXT: ['v=spf1 include:x.example -all'] } }), 'permerror');
  });
  test('exists:%{l} with odd local parts asks nothing odd', async () => {
    for (const local of ['a b', '%{s}', '../..', '\0', 'a@b', 'x'.repeat(300), '\u00fc', "'"]) {
      assert.equal(
        await spf({ 'x.example': { TXT: ['v=spf1 exists:%{l}.y.example -all'] } }, `${local}@x.example`),
        'fail',
      );
    }
  });
  test('void lookups are limited on every branch', async () => {
    assert.equal(
      await spf({ 'x.example': { TXT: ['v=spf1 a:a.y.example a:b.y.example a:c.y.example -all'] } }),
      'permerror',
    );
    assert.equal(
      await spf({ 'x.example': { TXT: ['v=spf1 exists:a.y.example mx:b.y.example a:c.y.example -all'] } }),
      'permerror',
    );
  });
  test('a temperror is no none, and DMARC tells it too', async () => {
    assert.equal(await spf({ 'x.example': 'temporary' }), 'temperror');
    const records = { 'bank.example': 'temporary' } as const;
    const evidence = await judge(MESSAGE, { records, reversePath: 'ann@bank.example' });
    assert.equal(evidence.spf.result, 'temperror');
    assert.equal(evidence.dmarc.result, 'temperror');
  });
});

describe('DMARC', () => {
  test('is checked when SPF is unavailable', async () => {
    const evidence = await judge(MESSAGE, { records: { 'evil.example': 'temporary' } });
    assert.equal(evidence.spf.result, 'temperror');
    assert.equal(evidence.dmarc.result, 'fail');
    assert.equal(evidence.dmarc.disposition, 'reject');
  });
  test('a record that could not be had is no missing record', async () => {
    const evidence = await judge(MESSAGE, { records: { '_dmarc.bank.example': 'temporary' } });
    assert.equal(evidence.dmarc.result, 'temperror');
  });
  test('a record of 64 KB, 1,000 records, 100,000 semicolons', async () => {
    const huge = `v=DMARC1; p=none; x=${'y'.repeat(64_000)}`;
    for (const TXT of [
      [huge],
      Array(1000).fill('v=DMARC1; p=none') as string[],
      [`v=DMARC1${';'.repeat(64_000)}`],
    ]) {
      const evidence = await judge(MESSAGE, { records: { '_dmarc.bank.example': { TXT } } });
      assert.notEqual(evidence.dmarc.result, 'pass');
    }
  });
  test('a name of 120 labels asks eight times', async () => {
    const name = `${Array(60).fill('a').join('.')}.bank.example`;
    const evidence = await judge(message(`From: x@${name}\r\n`));
    assert.equal(evidence.dmarc.result, 'fail');
    assert.equal(asked.dns?.asked.filter((q) => q.startsWith('TXT _dmarc.')).length, 8);
  });
  test('sp and np', async () => {
    const records = { '_dmarc.bank.example': { TXT: ['v=DMARC1; p=none; sp=quarantine; np=reject'] } };
    const at = async (domain: string): Promise<string> =>
      (
        await judge(message(`From: x@${domain}\r\n`), {
          records: { ...records, 'www.bank.example': 'exists' },
        })
      ).dmarc.disposition;
    assert.deepEqual(
      [await at('bank.example'), await at('www.bank.example'), await at('no.bank.example')],
      ['none', 'quarantine', 'reject'],
    );
  });
});

describe('ARC', () => {
  const set = (i: number): string =>
    `ARC-Seal: i=${i}; a=rsa-sha256; cv=${i === 1 ? 'none' : 'pass'}; d=evil.example; s=s; b=AAAA\r\n` +
    `ARC-Message-Signature: i=${i}; a=rsa-sha256; d=evil.example; s=s; h=From; bh=${BH}; b=AAAA\r\n` +
    `ARC-Authentication-Results: i=${i}; mx.evil.example; dmarc=pass header.from=bank.example\r\n`;
  for (const count of [MAX_ARC_SETS, MAX_ARC_SETS + 1, 500]) {
    test(`${count} sets that do not verify cost no question to DNS`, async () => {
      const sets = Array.from({ length: count }, (_, i) => set(i + 1)).join('');
      const evidence = await judge(message(sets + FROM));
      assert.equal(evidence.arc.status, 'fail');
      assert.equal(asked.dns?.asked.filter((q) => q.includes('_domainkey')).length, 0);
    });
  }
});

test('headers at the size limit that repeat one thing', async () => {
  const hostile = ['(', '<', '"', 'a@b.example,', '=?utf-8?q?', '@', 'a:', ' x\r\n', '\r', '\n'].map(
    (piece) => `From: ${piece.repeat(250_000 / piece.length)}\r\n`,
  );
  hostile.push(
    'a:\r\n'.repeat(60_000),
    'From: x@bank.example\r\n'.repeat(10_000),
    'ARC-Seal: i=1\r\n'.repeat(15_000),
  );
  for (const header of hostile) {
    const { dmarc } = await judge(message(header));
    assert.notEqual(dmarc.result, 'pass');
    assert.ok((asked.dns?.asked.length ?? 0) < 100);
  }
});

test('the zone of these tests is sound', async () => {
  const evidence = await judge(await signed(MESSAGE, 'bank.example'), {
    records: ZONE,
    ip: '192.0.2.1',
    reversePath: 'a@bank.example',
  });
  assert.equal(evidence.dmarc.result, 'pass');
});
