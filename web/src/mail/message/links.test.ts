import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressInName, findLinks, misleading, safeUrl } from './links.ts';

describe('links', () => {
  it('go to pages and mail only', () => {
    for (const text of ['https://x.test/a', 'mailto:a@x.test', ' http://x.test ', 'tel:+411234'])
      assert.ok(safeUrl(text), text);
    for (const text of [
      'javascript:alert(1)',
      'java\nscript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc',
      'blob:https://x.test/1',
      '//x.test',
      'x',
      'https://x.test/\u0000',
    ])
      assert.equal(safeUrl(text), undefined, text);
  });

  it('that say another host than they mean are told', () => {
    const to = (text: string, url: string) => misleading(text, new URL(url))?.means;
    assert.equal(to('https://bank.test/login', 'https://evil.test/'), 'evil.test');
    assert.equal(to('www.bank.test', 'https://bank.test.evil.test/'), 'bank.test.evil.test');
    assert.equal(to('bank.test', 'https://www.bank.test/x'), undefined);
    assert.equal(to('bank.test', 'https://login.bank.test/x'), undefined);
    assert.equal(to('click here', 'https://evil.test/'), undefined);
    assert.equal(to('read more at bank.test today', 'https://news.test/'), undefined);
    assert.equal(to('ann@bank.test', 'https://evil.test/'), undefined);
  });

  it('and names that are addresses of somebody else, however long they were made, are read at once', () => {
    assert.equal(addressInName('Ann "ceo@Bank.test"'), 'ceo@bank.test');
    assert.equal(addressInName('Ann'), undefined);
    // Each of these took minutes.
    for (const name of ['a'.repeat(250_000), `a@${'a-'.repeat(125_000)}`, 'a.'.repeat(125_000)])
      assert.equal(addressInName(name), undefined);
    assert.equal(misleading(`${' '.repeat(250_000)}bank.test now`, new URL('https://evil.test/')), undefined);
    assert.deepEqual(misleading(`${' '.repeat(250_000)}bank.test`, new URL('https://evil.test/')), {
      says: 'bank.test',
      means: 'evil.test',
    });
    assert.ok(findLinks(`https://x.test/${',.'.repeat(900)}a `.repeat(150)).length > 100);
  });

  it('are found in text', () => {
    const found = findLinks('See https://x.test/a_(b), (http://y.test). Or ann@z.test!').map((part) =>
      typeof part === 'string' ? part : { to: part.url.href },
    );
    assert.deepEqual(found, [
      'See ',
      { to: 'https://x.test/a_(b)' },
      ', (',
      { to: 'http://y.test/' },
      '). Or ',
      { to: 'mailto:ann@z.test' },
      '!',
    ]);
    assert.deepEqual(findLinks('javascript:alert(1)'), ['javascript:alert(1)']);
  });
});
