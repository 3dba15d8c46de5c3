import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { createBodyHasher } from '../dkim/body-hash.ts';
import { splitFields } from '../dkim/fields.ts';
import { publicKeyBase64 } from '../dkim/keys.ts';
import { zone, type ZoneEntry } from '../dmarc/fixtures/zone.ts';
import { seal, type SealInput } from './seal.ts';
import { readArcSets } from './sets.ts';
import { type ArcResult, createArcVerifier } from './verify.ts';

const NOW = 1_700_000_000_000;
const HEADER = Buffer.from(
  'From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: Lunch\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n',
);
const BODY = Buffer.from('At noon?\r\n\r\nAnn\r\n');

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const ed = generateKeyPairSync('ed25519').privateKey;
const RSA_TXT = `v=DKIM1; p=${publicKeyBase64(rsa)}`;
const keys: Record<string, ZoneEntry> = {
  'r._domainkey.list.example': { TXT: [RSA_TXT] },
  'r._domainkey.second.example': { TXT: [RSA_TXT] },
  'e._domainkey.second.example': { TXT: [`v=DKIM1; k=ed25519; p=${publicKeyBase64(ed)}`] },
};

function bodyHash(body: Buffer): Buffer {
  const hasher = createBodyHasher('relaxed');
  hasher.update(body);
  return hasher.digest();
}

async function sealed(header: Buffer, more: Partial<SealInput> = {}, body = BODY): Promise<Buffer> {
  const input: SealInput = {
    header,
    bodyHash: bodyHash(body),
    domain: 'list.example',
    selector: 'r',
    key: rsa,
    algorithm: 'rsa-sha256',
    nowMs: NOW,
    cv: 'none',
    authResults:
      'mx.list.example; dmarc=pass header.from=example.org;\r\n\tspf=pass smtp.mailfrom=ann@example.org',
    ...more,
  };
  return Buffer.concat([(await seal(input)) ?? Buffer.alloc(0), header]);
}

function verify(header: Buffer, body = BODY, entries = keys): Promise<ArcResult> & { asked: string[] } {
  const dns = zone(entries);
  const verifier = createArcVerifier({ dns, nowMs: NOW });
  verifier.start(header);
  for (const octet of body) verifier.push(Uint8Array.of(octet));
  return Object.assign(verifier.finish(), { asked: dns.asked });
}

describe('a chain of ours', () => {
  test('passes, hop by hop, RSA and Ed25519', async () => {
    const one = await sealed(HEADER);
    const two = await sealed(one, {
      domain: 'second.example',
      selector: 'e',
      key: ed,
      algorithm: 'ed25519-sha256',
      cv: 'pass',
    });
    const three = await sealed(two, { domain: 'second.example', cv: 'pass' });
    const result = await verify(three);
    assert.equal(result.status, 'pass', result.reason);
    assert.deepEqual(
      result.links.map(({ instance, domain, cv }) => `${instance} ${domain} ${cv}`),
      ['1 list.example none', '2 second.example pass', '3 second.example pass'],
    );
    assert.match(result.links[0]?.resultsText ?? '', /^mx\.list\.example; dmarc=pass/);
    assert.equal((await verify(one)).status, 'pass');
  });

  test('keeps lines below 998 octets and folds the rest', async () => {
    const names = Array<string>(40).fill('X-Some-Field');
    const field = await sealed(HEADER, { signedNames: ['From', ...names] });
    assert.ok(
      field
        .toString()
        .split('\r\n')
        .every((line) => line.length <= 400),
    );
    assert.equal((await verify(field)).status, 'pass');
  });

  const changes: readonly (readonly [what: string, change: (text: string) => string])[] = [
    ['the subject', (text) => text.replace('Lunch', 'Dinner')],
    ['the results', (text) => text.replace('dmarc=pass', 'dmarc=fail')],
    ['a second From on top', (text) => `From: x@bank.example\r\n${text}`],
    ['the first seal', (text) => text.replace(/(i=1; s=r; t=)1/, '$12')],
    ['cv=fail to pass', (text) => text.replace('cv=pass', 'cv=fail')],
    ['a set taken out', (text) => text.replace(/ARC-Seal: [^:]*?cv=none[^]*?\r\n(?=A)/, '')],
  ];
  for (const [what, change] of changes) {
    test(`fails when changed: ${what}`, async () => {
      const two = await sealed(await sealed(HEADER), { domain: 'second.example', cv: 'pass' });
      const changed = Buffer.from(change(two.toString('latin1')), 'latin1');
      assert.notDeepEqual(changed, two);
      assert.equal((await verify(changed)).status, 'fail');
    });
  }

  test('fails for another body, and asks DNS nothing', async () => {
    const outcome = verify(await sealed(HEADER), Buffer.from('other\r\n'));
    assert.equal((await outcome).status, 'fail');
    assert.deepEqual(outcome.asked, []);
  });

  test('is a temperror when DNS does not answer, never none and never fail', async () => {
    const header = await sealed(HEADER);
    const result = await verify(header, BODY, { 'r._domainkey.list.example': 'temporary' });
    assert.equal(result.status, 'temperror');
    assert.equal((await verify(header, BODY, {})).status, 'fail');
  });

  test('fails with a short key', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 768 }).privateKey;
    const header = await sealed(HEADER, { key: short });
    const entries: Record<string, ZoneEntry> = {
      'r._domainkey.list.example': { TXT: [`p=${publicKeyBase64(short)}`] },
    };
    assert.match((await verify(header, BODY, entries)).reason, /768 bits is too short/);
  });

  test('fails with l= and when it has expired', async () => {
    const header = (await sealed(HEADER)).toString();
    const limited = header.replace('ARC-Message-Signature: a=', 'ARC-Message-Signature: l=0; a=');
    assert.match((await verify(Buffer.from(limited))).reason, /with l=/);
    const expired = header.replace('ARC-Message-Signature: a=', 'ARC-Message-Signature: x=1600000000; a=');
    assert.match((await verify(Buffer.from(expired))).reason, /expired/);
  });
});

describe('limits', () => {
  const many = async (count: number): Promise<Buffer> => {
    let header: Buffer = HEADER;
    for (let i = 0; i < count; i++) header = await sealed(header, { cv: i === 0 ? 'none' : 'pass' });
    return header;
  };

  test('50 sets are evaluated, a 51st is not added', async () => {
    const header = await many(50);
    const outcome = verify(header);
    assert.equal((await outcome).status, 'pass');
    assert.equal(outcome.asked.length, 1, 'one key, one question');
    assert.ok((await sealed(header, { cv: 'pass' })).equals(header));
  });

  test('51 sets and 10,000 fields fail before a signature is read or DNS asked', async () => {
    const one = (await sealed(HEADER)).toString('latin1');
    const fields = splitFields(Buffer.from(one, 'latin1'))
      .filter(({ name }) => name.startsWith('arc-'))
      .map(({ raw }) => raw.toString('latin1'))
      .join('');
    for (const header of [fields.repeat(51), fields.repeat(1300), 'ARC-Seal: i=1\r\n'.repeat(10_000)]) {
      const outcome = verify(Buffer.from(`${header}${HEADER.toString()}`, 'latin1'));
      assert.equal((await outcome).status, 'fail');
      assert.match((await outcome).reason, /more than (?:50 ARC sets|4000 header fields)/);
      assert.deepEqual(outcome.asked, []);
    }
  });

  test('no damage to a chain makes it throw or pass', async () => {
    const header = await sealed(HEADER);
    const end = header.indexOf('From:');
    let seed = 7;
    for (let round = 0; round < 300; round++) {
      seed = (seed * 1103515245 + 12345) % 2 ** 31;
      const damaged = Buffer.from(header);
      const at = seed % end;
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (round % 7));
      const { status } = await verify(damaged);
      if (status === 'pass')
        assert.match(damaged.toString('latin1', at, at + 1), /[A-Za-z\t ]/, 'case and white space only');
    }
  });

  test('fields of any kind are read or refused with a reason', () => {
    for (const value of [
      '',
      ';',
      'i=',
      'i=1',
      'i=0; x',
      'i=99999999999999',
      'i=1;i=1',
      '='.repeat(1000),
      'i=1; '.repeat(20_000),
    ]) {
      for (const name of ['ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results']) {
        assert.ok('error' in readArcSets(splitFields(Buffer.from(`${name}: ${value}\r\n`))));
      }
    }
  });
});

describe('sealing', () => {
  test('adds nothing to a chain that has failed, seals only itself when it finds it broken', async () => {
    const broken = Buffer.from((await sealed(HEADER)).toString().replace('Lunch', 'Dinner'));
    const marked = await sealed(broken, { cv: 'fail' });
    assert.match(marked.toString(), /cv=fail; d=list\.example; i=2/);
    assert.match((await verify(marked)).reason, /list\.example found the chain broken/);
    assert.ok((await sealed(marked, { cv: 'fail' })).equals(marked));
  });

  test('a cv= that does not go with the header is a mistake of the caller', async () => {
    await assert.rejects(sealed(HEADER, { cv: 'pass' }), TypeError);
    await assert.rejects(sealed(await sealed(HEADER), { cv: 'none' }), TypeError);
    await assert.rejects(sealed(HEADER, { key: ed }), TypeError);
  });
});

const PYTHON = `
import sys, os, dkim
keys = dict(line.split('\\t', 1) for line in os.environ['KEYS'].splitlines())
def txt(name, timeout=5): return keys.get(name.decode().rstrip('.'), '').encode() or None
print(dkim.ARC(sys.stdin.buffer.read()).verify(dnsfunc=txt)[0].decode())
`;
const noPython =
  spawnSync('/usr/bin/python3', ['-c', 'import dkim']).status === 0 ? false : 'dkimpy is not here';

test('what we seal passes with dkimpy', { skip: noPython }, async (t) => {
  const one = await sealed(HEADER, { signedNames: ['From', 'To', 'Subject', 'Date'] });
  const two = await sealed(one, { domain: 'second.example', cv: 'pass' });
  const lines = Object.entries(keys).map(
    ([name, entry]) => `${name}\t${typeof entry === 'object' ? entry.TXT?.[0] : ''}`,
  );
  for (const header of [one, two]) {
    const input = Buffer.concat([header, Buffer.from('\r\n'), BODY]);
    const out = execFileSync('/usr/bin/python3', ['-c', PYTHON], {
      input,
      encoding: 'utf8',
      env: { ...process.env, KEYS: lines.join('\n') },
    });
    assert.equal(out.trim(), 'pass');
  }
  t.diagnostic('report: ARC: 2 of 2 seals of ours pass with dkimpy');
});
