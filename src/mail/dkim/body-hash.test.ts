import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Canonicalization, createBodyHasher } from './body-hash.ts';

function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('base64');
}

/** RFC 6376 section 3.4 in its plainest form. */
function reference(canonicalization: Canonicalization, body: string): string {
  const lines = body.split('\r\n');
  const clean = lines.map((line) =>
    canonicalization === 'simple' ? line : line.replace(/[ \t]+/g, ' ').replace(/ $/, ''),
  );
  while (clean.at(-1) === '') clean.pop();
  if (clean.length === 0) return canonicalization === 'simple' ? '\r\n' : '';
  return `${clean.join('\r\n')}\r\n`;
}

function hashOf(canonicalization: Canonicalization, pieces: readonly string[]): string {
  const hasher = createBodyHasher(canonicalization);
  for (const piece of pieces) hasher.update(Buffer.from(piece, 'latin1'));
  return hasher.digest().toString('base64');
}

test('the empty body has the hashes of RFC 6376 sections 3.4.3 and 3.4.4', () => {
  assert.equal(hashOf('simple', []), 'frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=');
  assert.equal(hashOf('relaxed', []), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
});

test('the body of RFC 6376 section 3.4.5', () => {
  const body = ' C \r\nD \t E\r\n\r\n\r\n';
  assert.equal(hashOf('relaxed', [body]), sha256(' C\r\nD E\r\n'));
  assert.equal(hashOf('simple', [body]), sha256(' C \r\nD \t E\r\n'));
});

test('any body, cut anywhere, hashes as the plain rules say', () => {
  const atom = fc.constantFrom(
    'a',
    '\u00e9',
    '\0',
    ' ',
    '\t',
    '  ',
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    'word',
    'x'.repeat(40),
  );
  const pieces = fc.array(
    fc.array(atom, { maxLength: 8 }).map((atoms) => atoms.join('')),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, fc.constantFrom<Canonicalization>('simple', 'relaxed'), (cut, canonicalization) => {
      const whole = cut.join('');
      assert.equal(hashOf(canonicalization, cut), sha256(reference(canonicalization, whole)));
      assert.equal(hashOf(canonicalization, [...whole]), sha256(reference(canonicalization, whole)));
    }),
    { numRuns: 2000 },
  );
});

test('bodies larger than the block, of every kind of line', () => {
  const kinds = ['x'.repeat(76), 'two  spaces', ' \t ', '', 'tail \t', ' lead', 'a b c d e f g h'];
  for (const kind of kinds) {
    const body = `start\r\n${`${kind}\r\n`.repeat(20_000)}end`;
    for (const canonicalization of ['simple', 'relaxed'] as const) {
      const pieces = body.match(/[^]{1,10007}/g) ?? [];
      assert.equal(hashOf(canonicalization, pieces), sha256(reference(canonicalization, body)), kind);
    }
  }
});

test('digests of prefixes, for l=', () => {
  const body = 'one  two\r\nthree\r\n\r\n';
  const canonical = 'one two\r\nthree\r\n';
  const hasher = createBodyHasher('relaxed', [0, 5, 16, 17, 5]);
  for (const octet of body) hasher.update(Buffer.from(octet));
  hasher.digest();
  assert.equal(hasher.length(), canonical.length);
  for (const octets of [0, 5, 16]) {
    assert.equal(hasher.prefixDigest(octets)?.toString('base64'), sha256(canonical.slice(0, octets)));
  }
  assert.equal(hasher.prefixDigest(17), undefined);
});

test('two hashers may be fed in turn', () => {
  const relaxed = createBodyHasher('relaxed');
  const other = createBodyHasher('relaxed');
  for (const piece of ['a  ', 'b\r\n', '\r\n', 'c']) {
    relaxed.update(Buffer.from(piece));
    other.update(Buffer.from(piece.toUpperCase()));
  }
  assert.equal(relaxed.digest().toString('base64'), sha256('a b\r\n\r\nc\r\n'));
  assert.equal(other.digest().toString('base64'), sha256('A B\r\n\r\nC\r\n'));
});
