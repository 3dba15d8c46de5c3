import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts, htmlFacts } from './fixtures.ts';
import type { UrlFact } from './types.ts';

function href(url: string): UrlFact {
  const found = htmlFacts(`<a href="${url}">x</a>`).urls[0];
  assert.ok(found !== undefined, url);
  return found;
}

test('URLs in text end where a reader ends them', () => {
  const { urls } = facts({
    body: 'See http://a.example/x?y=1, (https://b.example/z). Also www.c.example! <http://d.example/> "http://e.example"\r\nhttp://a.example/x?y=1 again',
  });
  assert.deepEqual(
    urls.map(({ url }) => url),
    [
      'http://a.example/x?y=1',
      'https://b.example/z',
      'www.c.example',
      'http://d.example/',
      'http://e.example',
    ],
  );
});

test('hosts are read as browsers read them', () => {
  const cases: readonly [string, Partial<UrlFact>][] = [
    [
      'http://WWW.Example.CO.UK:8080/a/b.html?c#d',
      {
        host: 'www.example.co.uk',
        site: 'example.co.uk',
        port: 8080,
        pathLength: 13,
        extension: 'html',
        labels: 4,
      },
    ],
    ['http://user@example.com@evil.example/', { host: 'evil.example', userinfo: true }],
    ['http://3232235777/', { ipHost: true, oddIp: true }],
    ['http://0xc0.0xa8.1/', { ipHost: true, oddIp: true }],
    ['http://192.0.2.1/x', { ipHost: true, oddIp: false, host: '192.0.2.1' }],
    ['http://[2001:db8::1]:80/', { ipHost: true, host: '2001:db8::1', port: 80 }],
    ['http:\\\\evil.example\\x', { host: 'evil.example' }],
    ['http://xn--pypal-4ve.example/', { punycode: true }],
    [
      'http://b\u00fccher.example/',
      { punycode: true, host: 'b\u00fccher.example', asciiHost: 'xn--bcher-kva.example' },
    ],
    ['http://ev%69l.example/', { host: 'evil.example', needlessEscapes: true }],
    ['https://bit.ly/abc', { shortener: true }],
    ['javascript:alert(1)', { scheme: 'javascript', host: '' }],
    ['data:text/html,x', { scheme: 'data' }],
    ['ht\ntp://evil.example/', { host: 'evil.example' }],
    ['//evil.example/x', { host: 'evil.example' }],
    ['http://foo.github.io/', { site: 'foo.github.io' }],
  ];
  for (const [url, expected] of cases) {
    const found = href(url);
    for (const [key, value] of Object.entries(expected))
      assert.equal(found[key as keyof UrlFact], value, `${url} ${key}`);
  }
});

test('relative links and mail links are none', () => {
  assert.deepEqual(
    htmlFacts('<a href="/x">a</a><a href="mailto:a@b.example">b</a><a href="#c">c</a><a href="">d</a>').urls,
    [],
  );
});

test('a link text that only resembles a name is no lie', () => {
  for (const shown of ['click here', 'readme.md', 'node.js', 'Version 2.0', 'a.b', 'v1.2.3']) {
    assert.equal(htmlFacts(`<a href="http://x.example/">${shown}</a>`).urls[0]?.shownSite, undefined, shown);
  }
  assert.equal(htmlFacts('<a href="http://x.example/">bank.com</a>').urls[0]?.shownSite, 'bank.com');
});

test('mail addresses in the text', () => {
  const { addresses } = facts({
    body: 'Write to Bob.Smith+x@Mail.Example.com. or <c@d.example>; not @me, a@b, @@ or x@-',
  });
  assert.deepEqual(addresses, ['bob.smith+x@mail.example.com', 'c@d.example']);
});

test('two hundred URLs are kept and no more', () => {
  const html = Array.from({ length: 5000 }, (_, i) => `<a href="http://h${i}.example/">x</a>`).join('');
  assert.equal(htmlFacts(html).urls.length, 200);
});
