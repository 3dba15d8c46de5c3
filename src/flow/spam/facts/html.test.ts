import assert from 'node:assert/strict';
import { test } from 'node:test';
import { htmlFacts } from './fixtures.ts';
import type { HtmlFacts } from './types.ts';

function counts(html: string): HtmlFacts {
  const found = htmlFacts(html).html;
  assert.ok(found !== undefined);
  return found;
}

test('HTML becomes the text a reader reads', () => {
  const found = htmlFacts(
    '<html><head><title>T</title><style>p{color:red}</style></head><body><h1>Head</h1><p>One &amp; two<br>three</p><table><tr><td>a</td><td>b</td></tr></table><script>var x</script></body></html>',
  );
  assert.equal(found.text, 'Head\nOne & two\nthree\na b');
  assert.equal(found.html?.title, 'T');
  assert.equal(found.html?.scripts, 1);
});

test('what is hidden is told apart, by the way it is hidden', () => {
  const cases: readonly [string, keyof HtmlFacts['hiddenBy']][] = [
    ['<p style="display:none">secret words</p>', 'display'],
    ['<p style="Display: NONE !important">secret words</p>', 'display'],
    ['<p hidden>secret words</p>', 'display'],
    ['<p style="visibility:hidden">secret words</p>', 'display'],
    ['<p style="opacity:0">secret words</p>', 'display'],
    ['<style>.x{display:none}</style><p class="a x">secret words</p>', 'display'],
    ['<span style="font-size:0px">secret words</span>', 'size'],
    ['<span style="font-size:1px;line-height:1px">secret words</span>', 'size'],
    ['<font color="#fffffe">secret words</font>', 'colour'],
    ['<p style="color:rgb(255, 255, 255)">secret words</p>', 'colour'],
    ['<div style="background:#000"><font color=black>secret words</font></div>', 'colour'],
    ['<body bgcolor=black text=black>secret words</body>', 'colour'],
    ['<p style="text-indent:-9999px">secret words</p>', 'offscreen'],
    ['<p style="position:absolute;left:-5000px">secret words</p>', 'offscreen'],
  ];
  for (const [html, reason] of cases) {
    const found = htmlFacts(`<p>shown</p>${html}`);
    assert.equal(found.text, 'shown', html);
    assert.equal(found.html?.hiddenBy[reason], 'secret words'.length, html);
    assert.equal(found.html?.hiddenText.trim(), 'secret words');
  }
});

test('what only looks hidden is read', () => {
  const shown = [
    '<table bgcolor="#000000"><tr><td bgcolor="#ffffff">words</td></tr></table>',
    '<div style="font-size:0"><p style="font-size:14px">words</p></div>',
    '<style>.button{background:#06c}</style><a class="button" style="color:#fff">words</a>',
    '<td background="dark.png"><font color="#ffffff">words</font></td>',
    '<div style="background:url(x.png)"><b style="color:#fff">words</b></div>',
    '<style>@media (max-width:600px){.wide{display:none}}</style><p class=wide>words</p>',
    '<div style="background-color:#003366"><a href="x" style="color:#ffffff">words</a></div>',
    '<body bgcolor=black><a href="x">words</a></body>',
    '<div style="display:none"></div><p>words</p>',
    '<font size="+0">words</font>',
  ];
  for (const html of shown) {
    assert.equal(htmlFacts(html).text, 'words', html);
    assert.equal(counts(html).hiddenChars, 0, html);
  }
});

test('the filler of a preview line is no hidden text', () => {
  const html = `<div style="display:none">A short preview${'&zwnj;&nbsp;'.repeat(200)}</div><p>words</p>`;
  assert.equal(counts(html).hiddenChars, 'A short preview'.length);
});

test('words cut by what nobody sees are counted, ordinary marks are not', () => {
  assert.equal(counts('v<!-- x -->i<!-- y -->a<!-- z -->gra').splitWords, 3);
  assert.equal(counts('fr<span style="display:none">zzz</span>ee').splitWords, 1);
  assert.equal(counts('fr<kx7f>ee').splitWords, 1);
  assert.equal(counts('<b>D</b>ear <i>f</i>riend').splitWords, 0);
  assert.equal(counts('one<!-- note --> two <!--[if mso]>x<![endif]-->three').splitWords, 0);
});

test('letters written as numbers are read and counted', () => {
  const found = htmlFacts('&#118;&#105;&#x61;gra &amp; co');
  assert.equal(found.text, 'viagra & co');
  assert.equal(found.html?.needlessEntities, 3);
});

test('pictures, pixels, forms and what else a page does', () => {
  const found = counts(
    `<base href="http://x.example/"><meta http-equiv="Refresh" content="0">
    <a href="http://a.example/"><img src="http://a.example/a.png"></a><img src="cid:x"><img src="data:image/png;base64,AA==">
    <img src="https://t.example/p.gif" width="1" height="1"><form action="http://evil.example/go"><input type=password><input name=u></form>
    <body onload="x()"><iframe src="http://f.example"></iframe><object></object><svg></svg>`,
  );
  assert.deepEqual(
    [
      found.images,
      found.remoteImages,
      found.trackingPixels,
      found.cidImages,
      found.dataImages,
      found.linkedImages,
    ],
    [4, 2, 1, 1, 1, 1],
  );
  assert.deepEqual(
    [found.forms, found.inputs, found.passwordInputs, found.formHost],
    [1, 2, 1, 'evil.example'],
  );
  assert.deepEqual(
    [found.baseHref, found.metaRefresh, found.eventHandlers, found.iframes, found.objects, found.svg],
    [true, true, 1, 1, 1, 1],
  );
});

test('links are found with what they show', () => {
  const { urls } = htmlFacts(
    '<a href="http://evil.example/x">https://www.bank.example/login</a> <a href="http://shop.example/">click</a> <a href="https://news.site.example/a">news.site.example</a>',
  );
  assert.deepEqual(
    urls.filter(({ source }) => source === 'href').map(({ site, shownSite }) => [site, shownSite]),
    [
      ['evil.example', 'bank.example'],
      ['shop.example', undefined],
      ['site.example', undefined],
    ],
  );
});

test('a page that breaks off is noticed', () => {
  assert.equal(counts('<p>text <a href="x').unterminated, true);
  assert.equal(counts('<p>text').unterminated, false);
});
