import assert from 'node:assert/strict';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as cryptoSign,
} from 'node:crypto';
import { describe, test } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import type { Dns, DnsAnswer } from '../dns.ts';
import { type Canonicalization, createBodyHasher } from './body-hash.ts';
import { canonicalField, FieldSelector, splitFields } from './fields.ts';
import { generateKeyPair, keyRecordText, publicKeyBase64, readPrivateKey } from './keys.ts';
import { sign, signAll } from './sign.ts';
import { createDkimVerifier, type DkimResult, verify } from './verify.ts';

const NOW = 1_700_000_000_000;

function rsaKey(bits: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
}

const rsa = rsaKey(1024);
const ed25519 = generateKeyPairSync('ed25519').privateKey;
const rsaRecord = `v=DKIM1; p=${publicKeyBase64(rsa)}`;

function txt(...texts: string[]): DnsAnswer<'TXT'> {
  const records = texts.map((text) => ({ text, chunks: [Buffer.from(text)] }));
  return { status: 'ok', records, ttl: 60, authenticated: false };
}

/** DNS from a table, counting the questions. */
function table(entries: Record<string, DnsAnswer<'TXT'> | string>): Dns & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async query(name, type) {
      assert.equal(type, 'TXT');
      asked.push(name);
      const entry = entries[name];
      if (entry === undefined) return { status: 'nxdomain' };
      return (typeof entry === 'string' ? txt(entry) : entry) as never;
    },
  };
}

const HEADER =
  'From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: Lunch\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n';
const BODY = 'At  noon? \r\n\r\nAnn\r\n\r\n';

interface Craft {
  tags?: Record<string, string | undefined>;
  header?: string;
  body?: string;
  key?: KeyObject;
  /** Written in front of the tags, e.g. a second d=. */
  extra?: string;
}

/** A signature with whatever tags the case wants, otherwise sound. Returns the header with it on top. */
function craft({ tags = {}, header = HEADER, body = BODY, key = rsa, extra = '' }: Craft = {}): string {
  const all: Record<string, string | undefined> = {
    v: '1',
    a: key.asymmetricKeyType === 'rsa' ? 'rsa-sha256' : 'ed25519-sha256',
    c: 'relaxed/relaxed',
    d: 'example.org',
    s: 'sel',
    h: 'From:To:Subject:Date',
    ...tags,
  };
  const [forHeader = 'simple', forBody = 'simple'] = (all.c ?? '').split('/') as Canonicalization[];
  const length = all.l === undefined ? undefined : Number(all.l);
  const hasher = createBodyHasher(
    forBody === 'relaxed' ? 'relaxed' : 'simple',
    length === undefined ? [] : [length],
  );
  hasher.update(Buffer.from(body));
  const whole = hasher.digest();
  all.bh ??= ((length === undefined ? undefined : hasher.prefixDigest(length)) ?? whole).toString('base64');
  const list = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
  const field = `DKIM-Signature: ${extra}${list.join('; ')}; b=`;
  const canonicalization = forHeader === 'relaxed' ? 'relaxed' : 'simple';
  const names = (all.h ?? '').split(':').map((name) => name.trim().toLowerCase());
  const pieces = new FieldSelector(splitFields(Buffer.from(header))).select(names, canonicalization);
  const own = { name: 'dkim-signature', raw: Buffer.from(field), valueStart: 15 };
  const data = Buffer.concat([...pieces, canonicalField(own, canonicalization)]);
  const hashed = key.asymmetricKeyType === 'rsa' ? data : createSha256(data);
  const value = cryptoSign(key.asymmetricKeyType === 'rsa' ? 'sha256' : null, hashed, key);
  return `${field}${value.toString('base64')}\r\n${header}`;
}

function createSha256(data: Buffer): Buffer {
  const hasher = createBodyHasher('simple', [data.length]);
  hasher.update(Buffer.concat([data, Buffer.from('x')]));
  hasher.digest();
  return hasher.prefixDigest(data.length) ?? Buffer.alloc(0);
}

async function check(
  header: string,
  entries: Record<string, DnsAnswer<'TXT'> | string> = { 'sel._domainkey.example.org': rsaRecord },
  body = BODY,
): Promise<DkimResult> {
  const dns = table(entries);
  const { results } = await verify({ header: Buffer.from(header), body: Buffer.from(body), dns, nowMs: NOW });
  const [first] = results;
  assert.ok(first);
  return first;
}

/** Record of the key at sel, with other tags. */
const withRecord = (text: string): Record<string, string> => ({ 'sel._domainkey.example.org': text });

describe('RFC 8463 appendix A', () => {
  const key = createPrivateKey({
    key: Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      Buffer.from('nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=', 'base64'),
    ]),
    format: 'der',
    type: 'pkcs8',
  });
  const published = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';
  const rsaPublished =
    'MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzC' +
    'Nb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB';
  const signed = [
    'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
    ' subject : date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus',
    ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
    'DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=test; t=1528637909; h=from : to : subject :',
    ' date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3',
    ' DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz',
    ' dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=',
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
    '',
  ].join('\r\n');
  const body = 'Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n';

  test('the public key follows from the private key', () => assert.equal(publicKeyBase64(key), published));

  test('both signatures verify', async () => {
    const dns = table({
      'brisbane._domainkey.football.example.com': `v=DKIM1; k=ed25519; p=${published}`,
      'test._domainkey.football.example.com': `v=DKIM1; k=rsa; p=${rsaPublished}`,
    });
    const report = await verify({ header: Buffer.from(signed), body: Buffer.from(body), dns, nowMs: NOW });
    assert.deepEqual(
      report.results.map(({ status, algorithm, keyBits }) => [status, algorithm, keyBits]),
      [
        ['pass', 'ed25519-sha256', 256],
        ['pass', 'rsa-sha256', 1024],
      ],
    );
  });
});

const refold = (signed: string): string => signed.replace('Subject: Lunch', 'SUBJECT:\r\n\t Lunch  ');

describe('a sound signature', () => {
  for (const c of [
    'simple/simple',
    'simple/relaxed',
    'relaxed/simple',
    'relaxed/relaxed',
    'relaxed',
    'simple',
    undefined,
  ]) {
    test(`passes with c=${c}`, async () => {
      const result = await check(craft({ tags: { c } }));
      assert.deepEqual(
        [result.status, result.domain, result.selector, result.identity],
        ['pass', 'example.org', 'sel', '@example.org'],
      );
    });
  }

  test('passes with Ed25519', async () => {
    const entry = withRecord(`v=DKIM1; k=ed25519; p=${publicKeyBase64(ed25519)}`);
    assert.equal((await check(craft({ key: ed25519 }), entry)).status, 'pass');
  });

  test('passes with a bare RSAPublicKey, without v= and with empty tags in the record', async () => {
    const der = createPublicKey(rsa).export({ type: 'pkcs1', format: 'der' }).toString('base64');
    assert.equal((await check(craft(), withRecord(`p=${der}`))).status, 'pass');
    assert.equal((await check(craft(), withRecord(`v=DKIM1;; ${rsaRecord.slice(9)};`))).status, 'pass');
  });

  test('relaxed survives refolding, simple does not', async () => {
    assert.equal((await check(refold(craft()))).status, 'pass');
    assert.equal((await check(refold(craft({ tags: { c: 'simple/relaxed' } })))).status, 'fail');
  });

  test('is found again when the body arrives octet by octet', async () => {
    const dns = table(withRecord(rsaRecord));
    const verifier = createDkimVerifier({ dns, nowMs: NOW });
    verifier.start(Buffer.from(`${craft()}\r\n`));
    for (const octet of BODY) verifier.push(Buffer.from(octet));
    assert.equal((await verifier.finish()).results[0]?.status, 'pass');
  });

  test('takes the lowest of several fields first', async () => {
    const header = `Received: second\r\nReceived: first\r\n${HEADER}`;
    const signed = craft({ header, tags: { h: 'From:Received' } });
    assert.equal((await check(signed.replace('second', 'changed'))).status, 'pass');
    assert.equal((await check(signed.replace('first', 'changed'))).status, 'fail');
    assert.equal((await check(`Received: third\r\n${signed}`)).status, 'pass');
  });

  test('with a U-label in d= is looked up by its A-label (RFC 8616)', async () => {
    const signed = craft({ tags: { d: 'b\u00fccher.example', i: 'j\u00f6@b\u00fccher.example' } });
    const result = await check(signed, { 'sel._domainkey.xn--bcher-kva.example': rsaRecord });
    assert.deepEqual([result.status, result.domain], ['pass', 'xn--bcher-kva.example']);
  });
});

describe('a changed message fails', () => {
  const cases: [string, (signed: string) => string, string][] = [
    ['subject', (signed) => signed.replace('Lunch', 'Dinner'), BODY],
    ['removed field', (signed) => signed.replace(/\r\nSubject:.*\r\n/, '\r\n'), BODY],
    ['body', (signed) => signed, BODY.replace('noon', 'one')],
    ['longer body', (signed) => signed, `${BODY}more\r\n`],
    ['signature tag', (signed) => signed.replace('s=sel', 's=sel; t=1'), BODY],
  ];
  for (const [name, change, body] of cases) {
    test(name, async () => assert.equal((await check(change(craft()), undefined, body)).status, 'fail'));
  }

  test('by a field added where h= lists it once more than there are', async () => {
    const signed = craft({ tags: { h: 'From:From:To:Subject:Subject:Date:Reply-To' } });
    assert.equal((await check(signed)).status, 'pass');
    for (const added of ['From: x@evil.example', 'Subject: Other', 'Reply-To: x@evil.example']) {
      assert.equal((await check(`${added}\r\n${signed}`)).status, 'fail', added);
      assert.equal((await check(`${signed}${added}\r\n`)).status, 'fail', added);
    }
  });

  test('by another key', async () => {
    const other = withRecord(`v=DKIM1; p=${publicKeyBase64(rsaKey(1024))}`);
    assert.equal((await check(craft(), other)).status, 'fail');
  });
});

describe('signatures that cannot be judged', () => {
  const malformed: [string, Craft, RegExp][] = [
    ['no From in h=', { tags: { h: 'To:Subject' } }, /From/],
    ['no v=', { tags: { v: undefined } }, /no v=/],
    ['v=2', { tags: { v: '2' } }, /version/],
    ['no d=', { tags: { d: undefined } }, /no d=/],
    ['d= that is no domain', { tags: { d: 'exa mple.org' } }, /d= is not/],
    ['d= of one label', { tags: { d: 'org' } }, /d= is not/],
    ['no s=', { tags: { s: undefined } }, /no s=/],
    ['empty h=', { tags: { h: '' } }, /h=/],
    ['rsa-sha1', { tags: { a: 'rsa-sha1' } }, /8301/],
    ['unknown algorithm', { tags: { a: 'dsa-sha256' } }, /algorithm/],
    ['unknown canonicalization', { tags: { c: 'nofws' } }, /canonicalization/],
    ['short bh=', { tags: { bh: 'AAAA' } }, /bh=/],
    ['bh= that is not base64', { tags: { bh: '***' } }, /bh=/],
    ['q= without dns/txt', { tags: { q: 'http' } }, /q=/],
    ['i= elsewhere', { tags: { i: '@example.com' } }, /within d=/],
    ['i= that only ends alike', { tags: { i: '@notexample.org' } }, /within d=/],
    ['i= without @', { tags: { i: 'example.org' } }, /i=/],
    ['x= before t=', { tags: { t: '1700000000', x: '1699999999' } }, /x=/],
    ['t= that is no number', { tags: { t: '-1' } }, /t=/],
    ['a tag twice', { extra: 'd=example.org; ' }, /twice/],
    ['b= twice', { extra: 'b=AAAA; ' }, /twice/],
    ['a tag without =', { extra: 'nonsense; ' }, /"="/],
  ];
  for (const [name, recipe, reason] of malformed) {
    test(`permerror: ${name}`, async () => {
      const result = await check(craft(recipe));
      assert.equal(result.status, 'permerror');
      assert.match(result.reason, reason);
    });
  }

  test('policy: expired', async () => {
    const result = await check(craft({ tags: { t: '1600000000', x: '1600000001' } }));
    assert.deepEqual([result.status, result.expiresAtMs], ['policy', 1_600_000_001_000]);
    assert.equal((await check(craft({ tags: { x: '1700000000' } }))).status, 'pass');
  });

  test('empty b= is no signature', async () => {
    const signed = craft().replace(/b=[^;]*\r\nFrom/, 'b=\r\nFrom');
    assert.equal((await check(signed)).status, 'permerror');
  });

  test('none: an unsigned message', async () => {
    assert.equal((await check(HEADER)).status, 'none');
  });
});

describe('a field that stands there once', () => {
  test('and again on top of a signature that covers one: policy', async () => {
    for (const field of ['From: <ceo@example.org>', 'Subject: other', 'Date: never', 'TO: x@example.org']) {
      const { status, reason } = await check(`${field}\r\n${craft()}`);
      assert.equal(status, 'policy', field);
      assert.match(reason, /twice/);
    }
  });
  test('other fields may be added, and doubles that are signed are as signed', async () => {
    assert.equal((await check(`Received: x\r\nReply-To: x@example.org\r\n${craft()}`)).status, 'pass');
    const header = `Subject: again\r\n${HEADER}`;
    assert.equal((await check(craft({ header, tags: { h: 'From:Subject:Subject' } }))).status, 'pass');
    assert.equal((await check(craft({ header, tags: { h: 'From' } }))).status, 'policy');
  });
  test('an LF alone that ends the field for others spoils the signature', async () => {
    const signed = craft().replace(/; b=(.{20})/, '; b=$1\n');
    assert.notEqual(signed, craft());
    assert.equal((await check(signed)).status, 'permerror');
  });
});

describe('l= is a pass only when it covers the body to its end', () => {
  test('covering a part, with text appended', async () => {
    const result = await check(craft({ tags: { l: '10' } }), undefined, `${BODY}appended\r\n`);
    assert.equal(result.status, 'policy');
    assert.deepEqual(result.bodyLength, { signed: 10, total: 29 });
  });
  test('covering all, and nothing', async () => {
    const whole = craft({ tags: { l: '17' } });
    assert.equal((await check(whole)).status, 'pass');
    assert.deepEqual((await check(whole)).bodyLength, { signed: 17, total: 17 });
    assert.equal((await check(whole, undefined, `${BODY}x`)).status, 'policy');
    assert.equal((await check(craft({ tags: { l: '0' } }))).status, 'policy');
  });
  test('longer than the body fails', async () => {
    for (const l of ['18', '9'.repeat(70)])
      assert.equal((await check(craft({ tags: { l } }))).status, 'fail');
  });
  test('with a changed body fails', async () => {
    assert.equal(
      (await check(craft({ tags: { l: '10' } }), undefined, BODY.replace('At', 'It'))).status,
      'fail',
    );
  });
});

describe('keys', () => {
  const p = publicKeyBase64(rsa);
  const cases: [string, string, string][] = [
    ['revoked', 'v=DKIM1; p=', 'permerror'],
    ['no p=', 'v=DKIM1; k=rsa', 'permerror'],
    ['v=DKIM2', `v=DKIM2; p=${p}`, 'permerror'],
    ['v= not first', `k=rsa; v=DKIM1; p=${p}`, 'permerror'],
    ['h=sha1', `v=DKIM1; h=sha1; p=${p}`, 'permerror'],
    ['h=sha1:sha256', `v=DKIM1; h=sha1 : sha256; p=${p}`, 'pass'],
    ['s=other', `v=DKIM1; s=other; p=${p}`, 'permerror'],
    ['s=email', `v=DKIM1; s=other:email; p=${p}`, 'pass'],
    ['s=*', `v=DKIM1; s=*; p=${p}`, 'pass'],
    ['k=ed25519 for rsa', `v=DKIM1; k=ed25519; p=${publicKeyBase64(ed25519)}`, 'permerror'],
    ['garbage', 'v=DKIM1; p=AAAA', 'permerror'],
    ['not base64', 'v=DKIM1; p=<script>', 'permerror'],
    ['p= twice', `v=DKIM1; p=${p}; p=${p}`, 'permerror'],
    ['a TXT of 64 KB', `v=DKIM1; n=${'x'.repeat(64_000)}; p=${p}`, 'permerror'],
    ['a key of 512 bits', `v=DKIM1; p=${publicKeyBase64(rsaKey(512))}`, 'policy'],
  ];
  for (const [name, text, status] of cases) {
    test(`${name}: ${status}`, async () =>
      assert.equal((await check(craft(), withRecord(text))).status, status));
  }

  test('t=y marks a pass and excuses a failure', async () => {
    const testing = withRecord(`v=DKIM1; t=y; p=${p}`);
    const good = await check(craft(), testing);
    assert.deepEqual([good.status, good.testing], ['pass', true]);
    const bad = await check(craft(), testing, 'other\r\n');
    assert.deepEqual([bad.status, bad.testing], ['neutral', true]);
  });

  test('t=s allows i= at d= only', async () => {
    const strict = withRecord(`v=DKIM1; t=y:s; p=${p}`);
    assert.equal((await check(craft({ tags: { i: 'a@example.org' } }), strict)).status, 'pass');
    const below = craft({ tags: { i: 'a@news.example.org' } });
    assert.equal((await check(below, strict)).status, 'permerror');
    assert.equal((await check(below)).status, 'pass');
  });

  test('absent: permerror; unreachable: temperror; DNS throwing: temperror', async () => {
    assert.equal((await check(craft(), {})).status, 'permerror');
    const timeout = { 'sel._domainkey.example.org': { status: 'temporary', reason: 'timeout' } } as const;
    assert.equal((await check(craft(), timeout)).status, 'temperror');
    const dns: Dns = { query: () => Promise.reject(new Error('broken')) };
    const { results } = await verify({
      header: Buffer.from(craft()),
      body: Buffer.from(BODY),
      dns,
      nowMs: NOW,
    });
    assert.equal(results[0]?.status, 'temperror');
  });

  test('other TXT records at the name are passed over, two keys are an error', async () => {
    const name = 'sel._domainkey.example.org';
    assert.equal((await check(craft(), { [name]: txt('v=spf1 -all', rsaRecord) })).status, 'pass');
    assert.equal((await check(craft(), { [name]: txt(rsaRecord, rsaRecord) })).status, 'permerror');
  });
});

describe('hostile headers', () => {
  test('1,000 signatures: eight are looked at, and no more questions asked', async () => {
    const one = craft().slice(0, -HEADER.length);
    const many = Array.from({ length: 1000 }, (_, i) => one.replace('s=sel', `s=sel${i}`)).join('');
    const dns = table({});
    const report = await verify({
      header: Buffer.from(many + HEADER),
      body: Buffer.from(BODY),
      dns,
      nowMs: NOW,
    });
    assert.deepEqual([report.results.length, report.skipped, dns.asked.length], [8, 992, 8]);
  });

  test('10,000 names in h= verify', async () => {
    const h = `From:${Array.from({ length: 10_000 }, (_, i) => `X-${i}`).join(':')}`;
    assert.equal((await check(craft({ tags: { h } }))).status, 'pass');
    const same = craft({ tags: { h: `From${':From'.repeat(10_000)}` } });
    assert.equal((await check(same)).status, 'pass');
    assert.equal((await check(`From: x@evil.example\r\n${same}`)).status, 'fail');
  });

  test('lines that are no fields, colons first, no line end', async () => {
    const odd = `: nothing\r\nno colon here\r\n${craft()}X-Last: unended`;
    assert.equal((await check(odd)).status, 'pass');
  });

  test('100,000 fields are refused', async () => {
    assert.equal((await check(`${craft()}${'a:\r\n'.repeat(100_000)}`)).status, 'permerror');
  });

  test('a signature of the wrong length is just wrong', async () => {
    for (const b of ['AA==', 'A'.repeat(4000)]) {
      assert.equal((await check(craft().replace(/b=[^;]*\r\nFrom/, `b=${b}\r\nFrom`))).status, 'fail');
    }
  });
});

function bodyHash(): Buffer {
  const hasher = createBodyHasher('relaxed');
  hasher.update(Buffer.from(BODY));
  return hasher.digest();
}

describe('signing', () => {
  test('RSA and Ed25519 over one reading of the body, lines folded, later fields break it', async () => {
    const pairs = await Promise.all([generateKeyPair('rsa-sha256'), generateKeyPair('ed25519-sha256')]);
    const keys = pairs.map((pair, i) => {
      const key = readPrivateKey(pair.privatePem, pair.algorithm);
      return { domain: 'example.org', selector: `s${i}`, key, algorithm: pair.algorithm };
    });
    const header = `${HEADER}Cc: ${Array.from({ length: 50 }, (_, i) => `person${i}@example.net`).join(',\r\n\t')}\r\n`;
    const input = { header: Buffer.from(header), bodyHash: bodyHash(), nowMs: NOW, keys };
    const fields = (await signAll({ ...input, lifetimeMs: 86_400_000 })).toString('latin1');
    assert.match(fields, /^DKIM-Signature: [^]*\r\nDKIM-Signature: [^]*\r\n$/);
    assert.doesNotMatch(fields, /\r\n(?![\tD]|$)/);
    assert.ok(fields.split('\r\n').every((line) => line.length <= 78));
    const entries = Object.fromEntries(
      pairs.map((pair, i) => [`s${i}._domainkey.example.org`, keyRecordText(pair)]),
    );
    const statuses = async (message: string): Promise<string[]> => {
      const dns = table(entries);
      const report = await verify({ header: Buffer.from(message), body: Buffer.from(BODY), dns, nowMs: NOW });
      return report.results.map(({ status }) => status);
    };
    assert.deepEqual(await statuses(fields + header), ['pass', 'pass']);
    for (const added of [
      'From: x@evil.example',
      'Subject: x',
      'Content-Type: text/html',
      'Reply-To: x@evil.example',
    ]) {
      assert.deepEqual(await statuses(`${added}\r\n${fields}${header}`), ['fail', 'fail'], added);
    }
    assert.deepEqual(await statuses(`Received: x\r\nList-Id: <x>\r\n${fields}${header}`), ['pass', 'pass']);
    const twoDaysLater = { dns: table(entries), nowMs: NOW + 2 * 86_400_000 };
    const late = await verify({
      header: Buffer.from(fields + header),
      body: Buffer.from(BODY),
      ...twoDaysLater,
    });
    assert.deepEqual(
      late.results.map(({ status }) => status),
      ['policy', 'policy'],
    );
  });

  test('a message without From is refused, a wrong key is a mistake of ours', async () => {
    const input = { bodyHash: bodyHash(), domain: 'example.org', selector: 's', nowMs: NOW };
    const header = Buffer.from('To: b@example.net\r\n');
    await assert.rejects(sign({ ...input, header, key: rsa, algorithm: 'rsa-sha256' }), Refusal);
    const from = Buffer.from(HEADER);
    await assert.rejects(sign({ ...input, header: from, key: rsa, algorithm: 'ed25519-sha256' }), TypeError);
    await assert.rejects(
      sign({ ...input, header: from, key: rsa, algorithm: 'rsa-sha256', selector: 'a;b' }),
      TypeError,
    );
  });
});

test('no damage to a header makes verification reject or throw, and none that matters passes', async () => {
  const signed = Buffer.from(
    craft({ tags: { h: 'From:From:To:Subject:Date', t: '1699999999', i: 'a@example.org' } }),
  );
  const end = signed.length - HEADER.length;
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed % below;
  };
  const junk = [';', '=', ':', '\r\n', '\0', '\u00ff', ' ', '@', 'b=', 'h=from', '%', '\r\n\r\n'];
  for (let round = 0; round < 1500; round++) {
    const at = random(signed.length);
    const removed = random(4);
    const added = Buffer.from(junk[random(junk.length)] ?? '', 'latin1');
    const damaged = Buffer.concat([signed.subarray(0, at), added, signed.subarray(at + removed)]);
    const report = await verify({
      header: damaged,
      body: Buffer.from(BODY),
      dns: table(withRecord(rsaRecord)),
      nowMs: NOW,
    });
    const [first] = report.results;
    // White space may come and go under relaxed; anything else inside the signed fields has to show.
    const visible =
      damaged.toString('latin1').replace(/\s/g, '') !== signed.toString('latin1').replace(/\s/g, '');
    if (at >= end && visible) assert.notEqual(first?.status, 'pass', damaged.toString('latin1'));
  }
});
