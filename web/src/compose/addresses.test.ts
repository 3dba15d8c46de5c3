import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressText, distinct, isAddress, parseAddresses, parseMailto } from './addresses.ts';

const of = (text: string): string[] =>
  parseAddresses(text).addresses.map(({ name, email }) => (name === null ? email : `${name}|${email}`));

describe('addresses', () => {
  it('reads what people paste', () => {
    assert.deepEqual(of('a@example.org, "Doe, Jane" <jane@example.org>; Max Müller <max@müller.example>'), [
      'a@example.org',
      'Doe, Jane|jane@example.org',
      'Max Müller|max@müller.example',
    ]);
    assert.deepEqual(of('a@example.org\r\nb@example.org\n'), ['a@example.org', 'b@example.org']);
    assert.deepEqual(of('a@example.org b@example.org'), ['a@example.org', 'b@example.org']);
    assert.deepEqual(of('a@example.org (Anna)'), ['Anna|a@example.org']);
    assert.deepEqual(of('<mailto:a@example.org>'), ['a@example.org']);
  });

  it('takes the members of groups', () => {
    assert.deepEqual(of('Family: a@example.org, B <b@example.org>; c@example.org'), [
      'a@example.org',
      'B|b@example.org',
      'c@example.org',
    ]);
  });

  it('gives back what is no address', () => {
    assert.deepEqual(parseAddresses('a@example.org, nobody, x@').rest, ['nobody', 'x@']);
    assert.deepEqual(parseAddresses('  , ;\n').rest, []);
  });

  it('knows addresses', () => {
    for (const good of [
      'a@example.org',
      'a.b+c@ex-ample.org',
      'ü@bücher.example',
      '用户@例子.中国',
      '"a b"@example.org',
      'a@[127.0.0.1]',
      'root@localhost',
    ])
      assert.ok(isAddress(good), good);
    for (const bad of [
      'a',
      'a@b',
      '@example.org',
      'a@',
      'a b@example.org',
      'a..b@example.org',
      'a@example..org',
      'a@-example.org',
      'a@exam ple.org',
      `${'a'.repeat(65)}@example.org`,
    ])
      assert.ok(!isAddress(bad), bad);
  });

  it('writes and reads names alike', () => {
    const odd = { name: 'Doe, "J" \\ Co', email: 'j@example.org' };
    assert.deepEqual(parseAddresses(addressText(odd)).addresses, [odd]);
  });

  it('reads a great list in little time, and an open quote harms one line only', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `u${at}@example.org`).join(',');
    assert.equal(parseAddresses(many).addresses.length, 10_000);
    assert.deepEqual(of('6" pipe\nb@example.org'), ['b@example.org']);
  });

  it('drops doubles', () => {
    const a = { name: null, email: 'A@example.org' };
    assert.deepEqual(
      distinct(
        [a, { name: 'x', email: 'a@EXAMPLE.org' }, { name: null, email: 'b@example.org' }],
        [{ name: null, email: 'b@example.org' }],
      ),
      [a],
    );
  });
});

describe('mailto:', () => {
  it('gives its fields', () => {
    assert.deepEqual(
      parseMailto(
        'mailto:a@example.org,b%2Bc@example.org?subject=H%C3%A9+1&body=x%0D%0Ay&cc=d@example.org&attach=/etc/passwd',
      ),
      {
        to: [
          { name: null, email: 'a@example.org' },
          { name: null, email: 'b+c@example.org' },
        ],
        cc: [{ name: null, email: 'd@example.org' }],
        bcc: [],
        subject: 'Hé+1',
        text: 'x\ny',
      },
    );
  });
  it('is nothing else', () => {
    assert.equal(parseMailto('https://example.org'), undefined);
    assert.equal(parseMailto('mailto:?subject=%0d%0aBcc:%20x')?.subject, ' Bcc: x');
  });
});
