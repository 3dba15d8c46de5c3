import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { type Authority, createAuthority, type Issued, issuedBy } from '../../../test/support/authority.ts';
import { skipWithout } from '../../../test/support/programs.ts';
import type { TlsaRecord } from '../dns.ts';
import { spkiOf } from './spki.ts';
import { tlsaName, tlsaText, usableTlsa } from './tlsa.ts';
import { type DaneResult, verifyDane } from './verify.ts';

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
const sha512 = (bytes: Buffer): Buffer => createHash('sha512').update(bytes).digest();
const record = (usage: number, selector: number, matchingType: number, data: Buffer): TlsaRecord => ({
  usage,
  selector,
  matchingType,
  data,
});

describe('TLSA records', () => {
  it('names and text', () => {
    assert.equal(tlsaName('mx.far.test', 25), '_25._tcp.mx.far.test');
    assert.equal(tlsaText(record(3, 1, 1, Buffer.from([0xab, 1]))), '3 1 1 ab01');
  });

  it('usable: DANE-TA and DANE-EE with known selectors, matching types and sizes; never PKIX usages', () => {
    const digest = Buffer.alloc(32);
    for (const [usage, selector, type, data] of [
      [2, 0, 1, digest],
      [3, 1, 1, digest],
      [3, 1, 2, Buffer.alloc(64)],
      [3, 0, 0, Buffer.from('x')],
    ] as const)
      assert.equal(
        usableTlsa([record(usage, selector, type, data)]).length,
        1,
        `${usage} ${selector} ${type}`,
      );
    for (const [usage, selector, type, data] of [
      [0, 1, 1, digest],
      [1, 1, 1, digest],
      [4, 1, 1, digest],
      [255, 1, 1, digest],
      [3, 2, 1, digest],
      [3, 1, 3, digest],
      [3, 1, 1, Buffer.alloc(31)],
      [3, 1, 2, digest],
      [3, 1, 0, Buffer.alloc(0)],
    ] as const)
      assert.equal(
        usableTlsa([record(usage, selector, type, data)]).length,
        0,
        `${usage} ${selector} ${type}`,
      );
    assert.equal(usableTlsa(Array.from({ length: 10_000 }, () => record(3, 1, 1, digest))).length, 50);
  });
});

describe('DANE', { skip: skipWithout('openssl') }, () => {
  let root: Authority;
  let middle: Authority;
  let leaf: Issued;
  let stranger: Issued;
  const NOW = Date.UTC(2030, 0, 1);

  before(() => {
    root = createAuthority();
    middle = root.below('Middle');
    leaf = middle.issue(['mx.far.test', '*.wild.test']);
    stranger = createAuthority('Other').issue(['mx.far.test']);
  });

  const key = (issued: Issued): Buffer => spkiOf(issued.der) ?? assert.fail('no key');
  const chain = (): Buffer[] => [leaf.der, middle.der, root.der];
  const check = (
    records: TlsaRecord[],
    more: { chain?: readonly Buffer[]; names?: readonly string[]; nowMs?: number } = {},
  ): DaneResult => verifyDane({ chain: chain(), names: ['mx.far.test'], nowMs: NOW, records, ...more });
  const told = (result: DaneResult): string => (result.status === 'ok' ? 'ok' : result.type);

  it('the key of a certificate is cut out as it stands there', () => {
    const { publicKey } = new X509Certificate(leaf.der);
    assert.deepEqual(key(leaf), publicKey.export({ type: 'spki', format: 'der' }));
    for (let end = 0; end < leaf.der.length; end += 7) {
      const cut = leaf.der.subarray(0, end);
      assert.equal(spkiOf(cut), undefined);
    }
    assert.equal(spkiOf(Buffer.alloc(64, 0x30)), undefined);
    assert.equal(spkiOf(Buffer.from([0x30, 0x84, 0xff, 0xff, 0xff, 0xff])), undefined);
  });

  it('DANE-EE: every selector and matching type; neither names nor dates count', () => {
    for (const each of [
      record(3, 0, 0, leaf.der),
      record(3, 0, 1, sha256(leaf.der)),
      record(3, 0, 2, sha512(leaf.der)),
      record(3, 1, 0, key(leaf)),
      record(3, 1, 1, sha256(key(leaf))),
      record(3, 1, 2, sha512(key(leaf))),
    ])
      assert.equal(
        told(check([each], { chain: [leaf.der], names: ['other.test'], nowMs: Date.UTC(2090, 0, 1) })),
        'ok',
        tlsaText(each).slice(0, 10),
      );
  });

  it('DANE-EE speaks of the server’s own certificate only', () => {
    assert.equal(told(check([record(3, 1, 1, sha256(key(middle)))])), 'validation-failure');
    assert.equal(told(check([record(3, 1, 1, sha256(key(stranger)))])), 'validation-failure');
  });

  it('DANE-TA: an issuer shown in the chain, near or far; other records beside it do no harm', () => {
    for (const anchor of [middle, root]) {
      assert.equal(told(check([record(2, 1, 1, sha256(key(anchor)))])), 'ok');
      assert.equal(told(check([record(2, 0, 2, sha512(anchor.der))])), 'ok');
    }
    const wrong = record(3, 1, 1, Buffer.alloc(32));
    assert.equal(told(check([wrong, record(2, 0, 1, sha256(root.der))])), 'ok');
    assert.equal(
      told(check([record(2, 1, 1, sha256(key(root)))], { chain: [leaf.der, root.der, middle.der] })),
      'ok',
    );
  });

  it('DANE-TA: a whole certificate or key in the record need not be shown', () => {
    for (const each of [record(2, 0, 0, middle.der), record(2, 1, 0, key(middle))])
      assert.equal(told(check([each], { chain: [leaf.der] })), 'ok');
    assert.equal(told(check([record(2, 0, 0, stranger.der)], { chain: [leaf.der] })), 'validation-failure');
    assert.equal(told(check([record(2, 1, 0, Buffer.from('junk'))])), 'validation-failure');
  });

  it('DANE-TA: an anchor shown without having signed anything does not help; nor does a server that is its own', () => {
    const pinned = [record(2, 1, 1, sha256(key(root)))];
    assert.equal(told(check(pinned, { chain: [stranger.der, middle.der, root.der] })), 'validation-failure');
    assert.equal(
      told(check(pinned, { chain: [leaf.der, root.der] })),
      'validation-failure',
      'a gap in the chain',
    );
    assert.equal(told(check([record(2, 1, 1, sha256(key(leaf)))])), 'validation-failure');
  });

  it('DANE-TA: the anchor’s name without its signature is worth nothing', () => {
    const forged = createAuthority('Middle').issue(['mx.far.test'], { bare: true });
    const pinned = [record(2, 1, 1, sha256(key(middle)))];
    assert.equal(told(check(pinned, { chain: [forged.der, middle.der, root.der] })), 'validation-failure');
  });

  it('DANE-TA: a certificate that may not issue others is no link', () => {
    const forged = issuedBy(leaf, 'mx.far.test');
    const pinned = [record(2, 1, 1, sha256(key(leaf)))];
    assert.equal(told(check(pinned, { chain: [forged.der, leaf.der] })), 'validation-failure');
    assert.equal(
      told(check([record(2, 1, 1, sha256(key(root)))], { chain: [forged.der, ...chain()] })),
      'validation-failure',
    );
  });

  it('DANE-TA: names count, any of those given, wildcards of one label', () => {
    const pinned = [record(2, 1, 1, sha256(key(root)))];
    assert.equal(told(check(pinned, { names: ['other.test'] })), 'certificate-host-mismatch');
    assert.equal(told(check(pinned, { names: ['other.test', 'mx.far.test'] })), 'ok');
    assert.equal(told(check(pinned, { names: ['a.wild.test'] })), 'ok');
    assert.equal(told(check(pinned, { names: ['a.b.wild.test'] })), 'certificate-host-mismatch');
  });

  it('DANE-TA: dates count, of every certificate', () => {
    const pinned = [record(2, 1, 1, sha256(key(root)))];
    assert.equal(told(check(pinned, { nowMs: Date.UTC(2090, 0, 1) })), 'certificate-expired');
    assert.equal(told(check(pinned, { nowMs: Date.UTC(2000, 0, 1) })), 'certificate-expired');
    const short = middle.issue(['mx.far.test'], { days: 1 });
    assert.equal(told(check(pinned, { chain: [short.der, middle.der, root.der] })), 'certificate-expired');
  });

  it('hostile: no certificate, junk, chains without end', () => {
    const pinned = [record(3, 1, 1, sha256(key(leaf)))];
    assert.equal(told(check(pinned, { chain: [] })), 'validation-failure');
    assert.equal(told(check(pinned, { chain: [Buffer.from('junk'), leaf.der] })), 'validation-failure');
    const long = Array.from({ length: 5000 }, () => middle.der);
    assert.equal(
      told(check([record(2, 1, 1, Buffer.alloc(32))], { chain: [leaf.der, ...long] })),
      'validation-failure',
    );
  });
});
