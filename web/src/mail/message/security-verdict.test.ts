import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Checked,
  type Evidence,
  judge,
  type KnownKey,
  type Signer,
  toneOf,
} from './security-verdict.ts';

const ANN = 'ann@a.example';
const signer = (more: Partial<Signer> = {}): Signer => ({
  kind: 'pgp',
  fingerprint: 'aa'.repeat(20),
  name: 'Ann',
  addresses: [ANN],
  octets: new Uint8Array(),
  ...more,
});
const good = (more: Partial<Signer> = {}): Checked => ({ state: 'good', signer: signer(more), at: 1 });
const known = (more: Partial<KnownKey> = {}): KnownKey => ({
  kind: 'pgp',
  fingerprint: 'aa'.repeat(20),
  source: 'message',
  trusted: false,
  firstSeen: 5,
  ...more,
});
const ask = (more: Partial<Evidence> = {}) => {
  const verdict = judge({ checks: [good()], from: [ANN], fromFields: 1, known: [], whole: true, ...more });
  return `${verdict.state} ${toneOf(verdict)}`;
};
const OTHER = 'bb'.repeat(20);

describe('a signature', () => {
  it('is green by a key that is trusted, that the domain publishes, or that an authority stands behind', () => {
    assert.equal(ask({ known: [known({ trusted: true })] }), 'trusted good');
    assert.equal(ask({ known: [known({ source: 'domain' })] }), 'domain good');
    assert.equal(ask({ checks: [good({ kind: 'smime', authority: true })] }), 'authority good');
  });

  it('is not green by a key that only came along, now or before', () => {
    assert.equal(ask(), 'first neutral');
    assert.equal(ask({ known: [known()] }), 'first neutral');
    assert.equal(ask({ known: [known({ source: 'given' })] }), 'first neutral');
    assert.equal(ask({ checks: [good({ kind: 'smime', authority: false })] }), 'first neutral');
  });

  it('by another key than before is told of', () => {
    assert.equal(ask({ known: [known({ fingerprint: OTHER })] }), 'changed danger');
    assert.equal(ask({ known: [known({ fingerprint: OTHER, trusted: true })] }), 'changed danger');
    // That it was seen once does not make it the one that is trusted.
    assert.equal(ask({ known: [known(), known({ fingerprint: OTHER, trusted: true })] }), 'changed danger');
    // The domain says so itself.
    assert.equal(
      ask({ known: [known({ source: 'domain' }), known({ fingerprint: OTHER, trusted: true })] }),
      'domain good',
    );
    // A certificate beside a key is nothing new.
    assert.equal(ask({ known: [known({ kind: 'smime', fingerprint: OTHER })] }), 'first neutral');
  });

  it('of somebody else than the sender is told of, whoever stands behind it', () => {
    const eve = { addresses: ['eve@e.example'] };
    assert.equal(ask({ checks: [good(eve)] }), 'other danger');
    assert.equal(ask({ checks: [good({ ...eve, kind: 'smime', authority: true })] }), 'other danger');
    assert.equal(ask({ checks: [good(eve)], known: [known({ source: 'domain' })] }), 'other danger');
  });

  it('says nothing of a message with two authors, two From fields or none', () => {
    const trusted = [known({ trusted: true })];
    assert.equal(ask({ from: [ANN, 'eve@e.example'], known: trusted }), 'several danger');
    assert.equal(ask({ fromFields: 2, known: trusted }), 'several danger');
    assert.equal(ask({ from: [], fromFields: 0, known: trusted }), 'several danger');
  });

  it('over a part only is never green', () => {
    for (const each of [known({ trusted: true }), known({ source: 'domain' })])
      assert.match(ask({ known: [each], whole: false }), /neutral$/);
    assert.equal(
      ask({ checks: [good({ kind: 'smime', authority: true })], whole: false }),
      'authority neutral',
    );
  });

  it('that is broken, old or cannot be checked is never green, whoever is trusted', () => {
    const trusted = [known({ trusted: true, source: 'domain' })];
    assert.equal(ask({ checks: [{ state: 'broken' }], known: trusted }), 'broken danger');
    assert.equal(
      ask({ checks: [{ state: 'old', reason: 'hash', signer: signer() }], known: trusted }),
      'old danger',
    );
    assert.equal(ask({ checks: [{ state: 'unknown', keyId: 'a' }], known: trusted }), 'unknown neutral');
    assert.equal(ask({ checks: [{ state: 'unreadable' }], known: trusted }), 'unreadable neutral');
    assert.equal(ask({ checks: [], known: trusted }), 'unreadable neutral');
  });

  it('of several the best counts', () => {
    const trusted = [known({ trusted: true })];
    const unknown: Checked = { state: 'unknown', keyId: 'x' };
    assert.equal(ask({ checks: [unknown, good()], known: trusted }), 'trusted good');
    assert.equal(ask({ checks: [{ state: 'broken' }, unknown] }), 'unknown neutral');
  });
});
