import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../../base/errors.ts';
import { isKnownHash, matchesImported } from './imported-hashes.ts';
import { decoyHash, hashPassword, isOwnHash, matchesOwn } from './passwords.ts';

const PASSWORD = 'pässword';

/** Made of that password by doveadm pw, openssl passwd and crypt(3). */
const IMPORTED = [
  '$5$abcdefgh$PMzeX.3Tb43iNPh8ENNzPM9M7q/BLyRKM1Djd5s4Nu8',
  '$6$abcdefgh$iiBW30h6MQUpgkXT9F87NVy6FIbloKXQmfPH87w2UkYa6T8cikoVXkyDCmOccwyrz69xvCZIs4Q.UiGV4ZRkv.',
  '{CRYPT}$5$abcdefgh$PMzeX.3Tb43iNPh8ENNzPM9M7q/BLyRKM1Djd5s4Nu8',
  '$2b$05$tmYXgaXwhO6bHzuB0AVS0OhNRzXiCxQC3yU6OtVexdbddNRtTkewu',
  '{BLF-CRYPT}$2y$05$aMPbci760N.QWjNtBAYxrOcMhPtNIGw8njXrDktgQGjyb5.WLRdki',
  '{SHA512-CRYPT}$6$0mMpcowTK9ukdy.8$7RgsIx1iCS5e1cftT7AxxEdDL5QgGDFjFLWaKOzR02wyH7/yVb8807obWF2cOEoh/KV9WbNN/6m/Tage0B5U8.',
  '{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$FxxLEVs2cytvSSmHN8o1/w$uEVkbK9L7+SYD+eJTZZ7FW5hMiTsNkhoPtCe6zUtaA0',
  '{SSHA512}Y99DiOafsaMCGQGIbMG6DuYeCWWqq/YjT5cBxHrTZWvX2/W9lOROVkglwboiS7hR03usal3ofozMk4wlUXawsm8STTk=',
  '{SSHA256.HEX}c11dc1c9745e850611d6985a3c86cfb94eb41fbc7a3badad06815b530ca512ab8b3111d9',
  '{ssha}/21IsKRtn7yNT9o0zPVtZuvkph4EomOF',
  '{SHA256}NHgme1YSeRtAmIkGs6eJfrarUB4EuV7TL5nQr99mnZw=',
  '{PBKDF2}$1$Nh7LBSxtNsdkJ7qJ$5000$f32a11d7a3ca58b63eba0cf6f5fb6e7436fdb2c5',
  '{CRAM-MD5}7dead29c194d4ac3cf5f337b23fa3b9b32c9f4b1d7d7b1fa2539d66ce368e997',
  '{HMAC-MD5}7dead29c194d4ac3cf5f337b23fa3b9b32c9f4b1d7d7b1fa2539d66ce368e997',
  '{SCRAM-SHA-1}4096,Y5jDuFhAM1Jgi8v5V0ng2w==,gCZ6g0iw9i6aapB570b9wtR9C9A=,5SukFM9a93LFD68qs91AjXRKFfs=',
  '{SCRAM-SHA-256}4096,K7SpA0MwyvvcFBL03rprRQ==,RjFLfarRebe3QILSFmiF5JB0jx/oz1sZYxItuLwYdVU=,4Mq1Opc0MX8gR7GvhwkLI2vavHSOiR8CidOCDQO+dEU=',
  '{MD5-CRYPT}$1$7HaZb4/D$kXRkkASScaYhj1.CfrPk20',
  '{PLAIN-MD5}8e1843033a0f6ee52e2f618aa8ebbef4',
  '{LDAP-MD5}jhhDAzoPbuUuL2GKqOu+9A==',
  '{SMD5}b5yVHbY5M3JHUO0d4aRLsXN2mUQ=',
  '{CRYPT}$2y$05$rOpnZ6DImW.rWLYSGzOCrORA.rAmSoFD.iUWO9p.VReNQGJcbZ73C',
  `{PLAIN}${PASSWORD}`,
];

test('imported hashes of every known scheme take their password and no other', async () => {
  for (const hash of IMPORTED) {
    assert.equal(isKnownHash(hash), true, hash);
    assert.equal(await matchesImported(PASSWORD, hash), true, hash);
    assert.equal(await matchesImported(`${PASSWORD}x`, hash), false, hash);
    assert.equal(await matchesImported('', hash), false, hash);
  }
});

test('unknown and damaged hashes match nothing and throw nothing', async () => {
  const damaged = [
    '',
    '!',
    '*LK*',
    '{NOPE}x',
    '{constructor}x',
    '{MD5}x',
    '{CRAM-MD5}38b5',
    '{SCRAM-SHA-1}99999999999,AAAA,CWUi3/hKeHrukAjamXA8MWVQgiU=,x',
    '{SMD5}AAAA',
    '$1$abc$short',
    '{SSHA512}',
    '{SSHA256}AAAA',
    '{BLF-CRYPT}$2y$05$short',
    '{CRYPT}ab0123456789x',
    '$6$',
    '$argon2id$v=19$nonsense',
    '{PBKDF2}$1$salt$99999999999$00',
    '{PBKDF2}$1$salt$x$f32a11d7a3ca58b63eba0cf6f5fb6e7436fdb2c5',
    '$pbkdf2-sha256$1000$x$',
  ];
  for (const hash of damaged) {
    assert.equal(await matchesImported(PASSWORD, hash), false, hash);
    assert.equal(await matchesImported('', hash), false, hash);
  }
  for (const hash of ['', '!', '{NOPE}x', '{constructor}x', '{CRYPT}ab0123456789x']) {
    assert.equal(isKnownHash(hash), false, hash);
  }
});

test('a new password makes an argon2id hash that it alone matches', async () => {
  const { hash } = await hashPassword(PASSWORD);
  assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(isOwnHash(hash), true);
  assert.equal(await matchesOwn(PASSWORD, hash), true);
  assert.equal(await matchesOwn('pa\u0308ssword', hash), true, 'however the ä was typed');
  assert.equal(await matchesOwn(`${PASSWORD}x`, hash), false);
  assert.notEqual((await hashPassword(PASSWORD)).hash, hash);
});

test('refuses passwords that are short, huge, or that nobody can type', async () => {
  const refused = (error: unknown): boolean => error instanceof Refusal && error.kind === 'bad-input';
  for (const password of ['', 'seven77', 'ääääääa', 'x'.repeat(1025), 'with\0nul-in-it', 'new\nline-in-it']) {
    await assert.rejects(hashPassword(password), refused, password);
  }
  await assert.rejects(hashPassword('eleven chrs', { minLength: 12 }), refused);
  await hashPassword('short', { minLength: 1 });
});

test('the decoy takes as long as a hash and matches nothing', async () => {
  const decoy = decoyHash();
  assert.equal(isOwnHash(decoy), true);
  assert.equal(await matchesOwn(PASSWORD, decoy), false);
  assert.notEqual(decoyHash(), decoy);
});
