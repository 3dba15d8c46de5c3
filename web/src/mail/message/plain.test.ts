import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { splitQuote, textBlocks, typeParameter } from './plain.ts';

describe('plain text', () => {
  it('has quotations of several depths', () => {
    assert.deepEqual(textBlocks('a\n> b\n> > c\n>> d\ne\n'), [
      { depth: 0, text: 'a' },
      { depth: 1, text: 'b' },
      { depth: 2, text: 'c\nd' },
      { depth: 0, text: 'e' },
    ]);
  });

  it('has no more blocks than a page bears, and all of its text', () => {
    const text = '> a\nb\n'.repeat(40_000);
    const blocks = textBlocks(text);
    assert.ok(blocks.length <= 2000);
    assert.equal(
      blocks
        .map((each) => each.text)
        .join('\n')
        .replaceAll('> ', ''),
      text.replaceAll('> ', '').trimEnd(),
    );
  });

  it('flows where it says so', () => {
    assert.deepEqual(textBlocks('one \ntwo\n three\n> four \n> five\n-- \nme', true), [
      { depth: 0, text: 'one two\nthree' },
      { depth: 1, text: 'four five' },
      { depth: 0, text: '-- \nme' },
    ]);
    assert.deepEqual(textBlocks('one \ntwo', true, true), [{ depth: 0, text: 'onetwo' }]);
    assert.deepEqual(textBlocks('one \ntwo'), [{ depth: 0, text: 'one \ntwo' }]);
  });

  it('has its last quotation folded, with what announces it', () => {
    const { body, quote } = splitQuote(textBlocks('Yes.\n\nOn Monday Ann wrote:\n> Really?\n\n'));
    assert.deepEqual(body, [{ depth: 0, text: 'Yes.' }]);
    assert.deepEqual(quote.slice(0, 2), [
      { depth: 0, text: 'On Monday Ann wrote:' },
      { depth: 1, text: 'Really?' },
    ]);
    assert.equal(splitQuote(textBlocks('> all\n> quoted')).quote.length, 0);
    assert.equal(splitQuote(textBlocks('> q\nanswer')).quote.length, 0);
  });

  it('says in its type whether it flows', () => {
    assert.equal(typeParameter('text/plain; charset=utf-8; format=flowed; DelSp="yes"', 'format'), 'flowed');
    assert.equal(typeParameter('text/plain; charset=utf-8; format=flowed; DelSp="yes"', 'delsp'), 'yes');
    assert.equal(typeParameter(undefined, 'format'), undefined);
  });
});
