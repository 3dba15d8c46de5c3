import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HtmlReader } from './html.ts';

function read(html: string, cuts: readonly number[] = []): { text: string; tags: string } {
  const reader = new HtmlReader();
  let text = '';
  let from = 0;
  for (const cut of [...cuts.filter((at) => at < html.length).toSorted((a, b) => a - b), html.length]) {
    text += reader.push(html.slice(from, cut));
    from = cut;
  }
  return { text: text + reader.end(), tags: reader.tags };
}

test('the text that is read: words in one piece, entities as characters, nothing of styles, scripts and comments', () => {
  const text = (html: string): string => read(html).text.trim();
  assert.equal(text('<p>Gr&uuml;&szlig;e, <b>W</b>elt</p><p>next</p>'), 'Grüße, Welt next');
  assert.equal(text('a&nbsp;b &amp; c &lt;d&gt; &#8364; &#x20ac; &euro; &Zeta;'), 'a b & c <d> € € € Ζ');
  assert.equal(
    text('in&shy;voice &#128;5 &unknown; &#0; &#xd800; R&D'),
    'invoice €5 &unknown; &#0; &#xd800; R&D',
  );
  assert.equal(
    text('<style>p { x: "</b>" }</style>a<script>if (a</b) "</p>"</SCRIPT>b<!-- <p>no</p> -- > -->c'),
    'a bc',
  );
  assert.equal(text('line one\r\n   line two<br>three<td>four'), 'line one line two three four');
  assert.equal(text('1 < 2 and <3'), '1 < 2 and <3');
  assert.equal(text('<a title="x > y">seen</a>'), 'seen');
  assert.equal(text("<p don't>seen"), 'seen');
});

test('where links go and what pictures are called is told apart', () => {
  const { text, tags } = read(
    '<a href="https://example.test/?a=1&amp;b=2">here</a><img alt="Caf&eacute;"><p class=x>',
  );
  assert.equal(text, 'here ');
  assert.match(tags, /https:\/\/example\.test\/\?a=1&b=2/);
  assert.match(tags, /Café/);
  assert.doesNotMatch(tags, /class/);
});

const html = fc
  .array(
    fc.constantFrom(
      '<',
      '>',
      '</',
      '<b>',
      '<p',
      ' a="',
      '"',
      "'",
      '=',
      '&',
      '&amp;',
      '&#65',
      ';',
      'word',
      ' ',
      '\n',
      '<!--',
      '-->',
      '-',
      '<style>',
      '</style',
      '<script',
      '!',
      '/',
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

test('pieces may be cut anywhere, and nothing is thrown', () => {
  fc.assert(
    fc.property(html, fc.array(fc.nat(150), { maxLength: 10 }), (source, cuts) => {
      assert.deepEqual(read(source, cuts), read(source));
    }),
    { numRuns: 3000 },
  );
});

test('what is made to be slow is not, nor does it take memory', () => {
  for (const part of [
    '<',
    '<a',
    '<!--',
    '<style>',
    '&',
    '</',
    '"',
    '<a "',
    '<a href="x"',
    '<script></',
    "='",
  ]) {
    const reader = new HtmlReader();
    let length = 0;
    for (let n = 0; n < 100; n++) length += reader.push(part.repeat(2000)).length;
    assert.ok(length <= 100 * 2000 * part.length);
    assert.ok(reader.tags.length < 80_000, part);
    assert.ok(reader.end().length < 100, part);
  }
});
