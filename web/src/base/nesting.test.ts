import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitNesting } from './nesting.ts';

describe('HTML before it is parsed', () => {
  it('stays as it is where people wrote it', () => {
    for (const html of [
      '<p>a<p>b<ul><li>c<li>d</ul><img src="x"><br/>',
      '<table><tr><td>a<td>b</table>'.repeat(300),
      '<div class="x">'.repeat(200) + '</div>'.repeat(200),
      'a < b </ c <3',
    ])
      assert.deepEqual(limitNesting(html), { html, cut: false });
  });

  it('is no deeper than that, whatever is opened and what is said to be closed', () => {
    for (const unit of [
      '<b>',
      '<b><i></u>',
      '<font size="1">',
      '<div></divx>',
      '<X-Y/>',
      '<table><tr><td>',
    ]) {
      const { html, cut } = limitNesting(unit.repeat(5000));
      const begins = [...html.matchAll(/<(?!\/|wbr|tr|td)[a-z]/gi)].length;
      assert.ok(begins <= 250, `${unit}: ${begins}`);
      assert.equal(cut, false);
    }
    assert.equal(limitNesting('<b>'.repeat(251)).html, `${'<b>'.repeat(250)}<wbr>`);
  });

  it('has an end', () => {
    const { html, cut } = limitNesting('<br>x'.repeat(100_000));
    assert.equal(cut, true);
    assert.equal(html.length, 5 * 60_000);
  });
});
