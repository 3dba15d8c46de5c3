import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHeader } from './headers.ts';
import { ID_OCTETS, sortKeys } from './sort-keys.ts';
import { subjectParts } from './subject.ts';

function keys(...lines: string[]) {
  return sortKeys(readHeader(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8')));
}

test('the keys are those of RFC 5256 and RFC 5957', () => {
  const found = keys(
    'From: "Zo\u00eb" <anna@x.test>, b@x.test',
    'To: Friends: bob@x.test, carl@x.test;',
    'Cc: <dora@x.test>',
    'Subject: =?utf-8?q?Re:_[x]_=C3=84pfel?=\r\n und mehr (fwd)',
  );
  assert.equal(found.subject, 'A\u0308PFEL UND MEHR');
  assert.equal(found.reply, true);
  assert.deepEqual([found.from, found.to, found.cc], ['ANNA', 'FRIENDS', 'DORA']);
  assert.deepEqual([found.fromDisplay, found.toDisplay], ['ZOE\u0308', 'FRIENDS']);
  assert.equal(keys('From: a@x.test').fromDisplay, 'A@X.TEST');
  const none = keys('X: y');
  assert.deepEqual([none.subject, none.from, none.toDisplay, none.reply], ['', '', '', false]);
});

test('References count; In-Reply-To where there are none, and of it the first', () => {
  const ids = (found: ReturnType<typeof keys>): string[] => {
    const hex = Buffer.from(found.references).toString('hex');
    return hex.match(new RegExp(`.{${2 * ID_OCTETS}}`, 'g')) ?? [];
  };
  const a = ids(keys('Message-ID: <a@x>', 'References: <b@x> <c@x>', 'In-Reply-To: <d@x>'));
  const b = ids(keys('Message-ID: <b@x>', 'In-Reply-To: <c@x> <d@x>'));
  const c = ids(keys('Message-ID: <c@x>'));
  assert.equal(a.length, 3);
  assert.deepEqual([a[1], a[2]], [b[0], c[0]]);
  assert.deepEqual(b.slice(1), [c[0]]);
  assert.deepEqual(ids(keys('X: y')), ['00'.repeat(ID_OCTETS)]);
});

test('whatever the header holds, the keys can be kept and are short', () => {
  const found = keys(
    `From: ${'\ufdfa'.repeat(3000)} <x\0y@x>`,
    `Subject: =?utf-16be?b?${Buffer.from('d83d0000d83d', 'hex').toString('base64')}?= ${'\ufdfa'.repeat(3000)}`,
    `References: ${'<a@x> '.repeat(50)}${Array.from({ length: 500 }, (_, i) => `<${i}@x>`).join(' ')}`,
  );
  for (const text of [found.subject, found.from, found.fromDisplay]) {
    assert(text.length <= 400, `${text.length}`);
    assert(!text.includes('\0') && text.isWellFormed());
  }
  assert(found.references.length <= 51 * ID_OCTETS);
});

test('base subjects: marks and blobs go, what is left is not made nothing', () => {
  for (const [subject, base, reply] of [
    ['[list]', '[list]', false],
    ['[a] [b]', '[b]', false],
    ['[a] [b] x', 'x', false],
    ['[a] Re: [b] x', 'x', true],
    ['Fwd: [fwd: [x] y (fwd)]', 'y', true],
    ['re [5] : x', 'x', true],
    ['fw: x', 'x', true],
    ['x (fwd) (fwd) ', 'x', true],
    ['regarding: x', 'regarding: x', false],
    ['[a] [fwd: x]', 'x', true],
    ['(fwd)', '', true],
  ] as const)
    assert.deepEqual(subjectParts(subject), { base, reply }, subject);
});
