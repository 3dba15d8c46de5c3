import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeFlowed, encodeFlowed } from './flowed.ts';
import { textToHtml, treeToText, type TreeNode, unquote } from './plain-text.ts';

type Child = TreeNode | string;
function h(name: string, attributes: Record<string, string>, ...children: Child[]): TreeNode {
  return {
    nodeType: 1,
    nodeName: name.toUpperCase(),
    nodeValue: null,
    childNodes: children.map((each) =>
      typeof each === 'string' ? { nodeType: 3, nodeName: '#text', nodeValue: each, childNodes: [] } : each,
    ),
    getAttribute: (wanted) => attributes[wanted] ?? null,
  };
}
const text = (...children: Child[]): string => treeToText(h('body', {}, ...children));

describe('HTML to text', () => {
  it('has a line for each block', () => {
    assert.equal(
      text(h('div', {}, 'one  two'), h('div', {}, h('br', {})), h('div', {}, 'three')),
      'one two\n\nthree',
    );
    assert.equal(text(h('p', {}, 'a'), h('p', {}, 'b')), 'a\n\nb');
    assert.equal(text('a', h('br', {}), 'b'), 'a\nb');
  });

  it('is read at once, whatever there is of what is left out at the ends', () => {
    // Each of these took minutes.
    const many = ' '.repeat(250_000);
    assert.equal(text(h('pre', {}, `a${many}b${many}`)), `a${many}b`);
    assert.equal(text('a', ...Array.from({ length: 1000 }, () => h('br', {})), 'b').length, 1002);
    assert.equal(encodeFlowed(`a${many}b`).trimEnd().at(-1), 'b');
  });

  it('quotes what is quoted, as deep as it is', () => {
    assert.equal(
      text(
        h('div', {}, 'Yes.'),
        h('blockquote', {}, h('div', {}, 'Really?'), h('blockquote', {}, h('div', {}, 'So?'))),
      ),
      'Yes.\n\n> Really?\n>\n> > So?',
    );
  });

  it('writes lists', () => {
    assert.equal(text(h('ul', {}, h('li', {}, 'a'), h('li', {}, 'b'))), '- a\n- b');
    assert.equal(
      text(h('ol', { start: '3' }, h('li', {}, 'a'), h('li', {}, 'b', h('ul', {}, h('li', {}, 'c'))))),
      '3. a\n4. b\n   - c',
    );
  });

  it('says where links lead, unless that is what they show', () => {
    assert.equal(text(h('a', { href: 'https://example.org/x' }, 'here')), 'here <https://example.org/x>');
    assert.equal(text(h('a', { href: 'https://example.org/' }, 'example.org')), 'example.org');
    assert.equal(text(h('a', { href: 'javascript:alert(1)' }, 'here')), 'here');
  });

  it('keeps the mark of a signature, and the lines of what is preformatted', () => {
    assert.equal(text(h('div', {}, '-- ', h('br', {}), 'Anna')), '-- \nAnna');
    assert.equal(text(h('pre', {}, 'a\n  b\n\nc')), 'a\n  b\n\nc');
  });

  it('shows no scripts and styles', () => {
    assert.equal(text(h('style', {}, 'p{}'), h('script', {}, 'x'), h('p', {}, 'a')), 'a');
  });
});

describe('text to HTML', () => {
  it('escapes, and makes quotes of quotes', () => {
    assert.equal(
      textToHtml('<b>&\n> q\n>> r\nend'),
      '<div>&lt;b&gt;&amp;</div><blockquote type="cite"><div>q</div><blockquote type="cite"><div>r</div></blockquote></blockquote><div>end</div>',
    );
  });
  it('knows how deep a line is', () => {
    assert.deepEqual(unquote('> > a'), { depth: 2, rest: 'a' });
    assert.deepEqual(unquote('>>  a'), { depth: 2, rest: ' a' });
  });
});

describe('format=flowed', () => {
  const long = 'word '.repeat(40).trim();
  it('comes back as it was', () => {
    for (const each of [
      long,
      `> ${long}`,
      'short',
      '',
      '-- \nAnna',
      ' indented',
      'From here',
      `a\n\n${long}\n> q`,
    ]) {
      const flowed = encodeFlowed(each);
      assert.ok(
        flowed.split('\n').every((line) => line.length <= 78),
        flowed,
      );
      assert.equal(decodeFlowed(flowed), each);
    }
  });
  it('leaves words whole that are longer than a line', () => {
    const url = `https://example.org/${'x'.repeat(200)}`;
    assert.equal(encodeFlowed(url), url);
    assert.equal(decodeFlowed(encodeFlowed(`${url} and more`)), `${url} and more`);
  });
});
