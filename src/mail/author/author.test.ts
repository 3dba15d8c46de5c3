import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAuthor } from './author.ts';
import { strictMailboxes } from './strict.ts';

const read = (header: string | Buffer): ReturnType<typeof readAuthor> =>
  readAuthor(typeof header === 'string' ? Buffer.from(header) : header);

const b64 = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;

/** From value, the domains to judge, and a piece of the doubt. */
const VALUES: readonly (readonly [value: string, domains: string, doubt?: RegExp])[] = [
  // all readers agree
  ['a@x.example', 'x.example'],
  ['<a@x.example>', 'x.example'],
  ['Ann <a@X.Example>', 'x.example'],
  ['Ann B. Clark <a@x.example>', 'x.example'],
  ['"Clark, Ann" <a@x.example>', 'x.example'],
  ['a@x.example (Ann)', 'x.example'],
  ['"a b"@x.example', 'x.example'],
  ['a@x.example, b@x.example', 'x.example'],
  ['a@x.example, b@y.example', 'x.example y.example'],
  ['Team: a@x.example, Bob <b@y.example>;', 'x.example y.example'],
  ['=?utf-8?q?J=C3=B6rg?= <j@x.example>', 'x.example'],
  ['J\u00f6rg <j@x.example>', 'x.example'],
  ['j@b\u00fccher.example', 'xn--bcher-kva.example'],
  ['j@XN--BCHER-KVA.example', 'xn--bcher-kva.example'],
  ['a@x.example.', 'x.example'],
  // addresses that are shown and claim nothing
  ['"ceo@bank.example" <a@x.example>', 'x.example'],
  [`${b64('ceo@bank.example')} <a@x.example>`, 'x.example'],
  ['=?utf-8?q?ceo@bank.example?= <a@x.example>', 'x.example'],
  ['a@x.example (ceo@bank.example)', 'x.example'],
  // broken, and still one domain
  ['a@x.example <a@x.example>', 'x.example'],
  ['Clark, Ann <a@x.example>', 'x.example'],
  ['Ann <<a@x.example>>', 'x.example'],
  ['Ann <a@x.example', 'x.example'],
  ['Ann [Sales] <a@x.example>', 'x.example'],
  ['Bob @work <a@x.example>', 'x.example'],
  // readers differ
  ['ceo@bank.example <a@x.example>', 'bank.example x.example'],
  ['<a@x.example> ceo@bank.example', 'x.example bank.example'],
  ['<a@x.example><ceo@bank.example>', 'x.example bank.example'],
  ['<ceo@bank.example>\\, <a@x.example>', 'bank.example x.example'],
  ['<@x.example,@y.example:ceo@bank.example>', 'bank.example x.example y.example'],
  ['"ceo@bank.example"@x.example', 'x.example bank.example'],
  ['<"ceo@bank.example>"@x.example>', 'x.example bank.example'],
  ['<ceo@bank.example(>@x.example>', 'bank.example x.example'],
  ['ceo@bank.example (@x.example)', 'bank.example'],
  ['<ceo(@bank.example)@x.example>', 'bank.example x.example'],
  [`${b64('<ceo@bank.example>,')} <a@x.example>`, 'x.example bank.example'],
  [`${b64('<ceo@bank.example>')}, <a@x.example>`, 'x.example bank.example'],
  [`${b64('ceo@bank.example')}`, 'bank.example'],
  [`<${b64('ceo@bank.example')}@x.example>`, 'x.example bank.example'],
  ['ceo@bank.example@x.example', 'x.example bank.example'],
  ['a: ceo@bank.example; <a@x.example>', 'bank.example x.example'],
  // nobody can tell
  ['', '', /no domain/],
  ['Ann', '', /no domain/],
  ['undisclosed: ;', '', /no domain/],
  ['a@[192.0.2.1]', '', /no domain/],
  ['ceo@bank.example\0@x.example', 'bank.example x.example', /control/],
  ['<ceo@bank.example\x01> <a@x.example>', 'bank.example x.example', /control/],
  ['ceo@bank\u3002example', '', /not one/],
  ['c\u200beo@bank.example', 'bank.example', /invisible/],
  ['Ann <a@x.example> <ceo@b\u0430nk\uff0eexample>', 'x.example', /a domain that is none/],
  [
    'a@a.example, a@b.example, a@c.example, a@d.example, a@e.example, ceo@bank.example',
    'a.example b.example c.example d.example e.example',
    /more than 5/,
  ],
];

describe('From values', () => {
  for (const [value, domains, doubt] of VALUES) {
    test(JSON.stringify(value), () => {
      const reading = read(`From: ${value}\r\nTo: b@z.example\r\n\r\n`);
      assert.deepEqual(reading.domains.toSorted(), domains.split(' ').filter(Boolean).toSorted());
      if (doubt === undefined) assert.equal(reading.doubt, undefined);
      else assert.match(reading.doubt ?? 'no doubt', doubt);
    });
  }

  test('latin1 octets in a name are no doubt, in a domain they are', () => {
    assert.equal(read(Buffer.from('From: J\u00f6rg <j@x.example>\r\n', 'latin1')).doubt, undefined);
    const domain = read(Buffer.from('From: j@b\u00fccher.example\r\n', 'latin1'));
    assert.match(domain.doubt ?? '', /not one/);
  });

  test('addresses and names as they are shown', () => {
    const reading = read('From: =?utf-8?q?ceo=40bank.example?= <Ann@x.example>\r\n');
    assert.equal(reading.address, 'Ann@x.example');
    assert.equal(reading.displayName, 'ceo@bank.example');
    assert.deepEqual(reading.shown, ['bank.example']);
    assert.deepEqual(read('From: "a@x.example" <b@x.example>\r\n').shown, []);
    assert.equal(read('From: b@x.example (Bob)\r\n').displayName, 'Bob');
  });
});

/** Headers, the domains to judge, the doubt. */
const HEADERS: readonly (readonly [name: string, header: string, domains: string, doubt?: RegExp])[] = [
  ['other case', 'FROM: a@x.example\r\n', 'x.example'],
  ['space before the colon', 'From : a@x.example\r\n', 'x.example'],
  ['folded value', 'From: Ann\r\n <a@x.example>\r\n', 'x.example'],
  ['value on the next line', 'From:\r\n\ta@x.example\r\n', 'x.example'],
  ['h= of a signature', 'DKIM-Signature: a=b; h=\r\n From:To\r\nFrom: a@x.example\r\n', 'x.example'],
  ['a line of an mbox', 'From a@y.example Mon Jan 1 00:00:00 2024\r\nFrom: a@x.example\r\n', 'x.example'],
  ['none', 'To: a@x.example\r\n', '', /no From/],
  ['two', 'From: a@x.example\r\nFrom: c@bank.example\r\n', 'x.example bank.example', /2 From fields/],
  ['two of one domain', 'From: a@x.example\r\nFrom: c@x.example\r\n', 'x.example', /2 From fields/],
  ['two, space first', ' From: a@x.example\r\nFrom: c@bank.example\r\n', 'x.example bank.example', /2 From/],
  ['two, space behind', 'From: a@x.example\r\nFrom : c@bank.example\r\n', 'x.example bank.example', /2 From/],
  [
    'two, one folded',
    'From\r\n : a@x.example\r\nFrom: c@bank.example\r\n',
    'x.example bank.example',
    /2 From/,
  ],
  ['folded name', 'From\r\n : a@x.example\r\n', 'x.example', /folded/],
  [
    'hidden in a folded line',
    'Subject: x\r\n From: c@bank.example\r\nFrom: a@x.example\r\n',
    'bank.example x.example',
    /2 From/,
  ],
  ['NUL in the name', 'From\0: c@bank.example\r\nFrom: a@x.example\r\n', 'bank.example x.example', /2 From/],
  ['NUL in the only name', 'Fr\0om: a@x.example\r\n', 'x.example', /no letters/],
  [
    'behind LF alone',
    'Subject: x\nFrom: c@bank.example\r\nFrom: a@x.example\r\n',
    'bank.example x.example',
    /2 From/,
  ],
  [
    'behind CR alone',
    'Subject: x\rFrom: c@bank.example\r\nFrom: a@x.example\r\n',
    'bank.example x.example',
    /2 From/,
  ],
  ['only behind LF alone', 'Subject: x\nFrom: a@x.example\r\n', 'x.example', /not CRLF/],
  ['LF alone inside', 'From: a@x.example,\n c@bank.example\r\n', 'x.example bank.example', /not CRLF/],
];

describe('From fields', () => {
  for (const [name, header, domains, doubt] of HEADERS) {
    test(name, () => {
      const reading = read(header);
      assert.deepEqual(reading.domains.toSorted(), domains.split(' ').filter(Boolean).toSorted());
      if (doubt === undefined) assert.equal(reading.doubt, undefined);
      else assert.match(reading.doubt ?? 'no doubt', doubt);
    });
  }

  test('10,000 addresses, 10,000 fields, 1 MB of nesting end soon', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `a@d${i}.example`).join(', ');
    assert.match(read(`From: ${many}\r\n`).doubt ?? '', /too long|more than 5/);
    assert.match(read('From: a@x.example\r\n'.repeat(10_000)).doubt ?? '', /ten or more/);
    for (const piece of ['(', '<', '"', '=?utf-8?q?', 'a@', '@', ':', ',;', '\\"'])
      assert.ok(read(`From: ${piece.repeat(200_000)}\r\n`).doubt);
  });
});

test('the strict grammar takes no route, no nested group, nothing open', () => {
  for (const text of [
    '<@a.example:b@c.example>',
    'a: b: c@d.example;;',
    '"a <b@c.example>',
    'a (b@c.example',
    'a@b..example',
  ])
    assert.equal(strictMailboxes(text), undefined, text);
});
