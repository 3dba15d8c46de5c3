import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyEdits } from './edits.ts';
import type { HeaderEdit } from './types.ts';

const MESSAGE = 'A: one\r\n  folded\r\nB: \xe4\r\na: two\r\n\r\nbody \xff\r\n';
const edited = (message: string, ...header: HeaderEdit[]): string =>
  applyEdits(Buffer.from(message, 'latin1'), { header, content: undefined }).toString('latin1');
const add = (name: string, value: string, last = false): HeaderEdit => ({ edit: 'add', name, value, last });
const remove = (name: string, ...indexes: number[]): HeaderEdit => ({ edit: 'delete', name, indexes });

describe('header edits', () => {
  it('leave all other octets as they are', () => {
    assert.equal(edited(MESSAGE, add('X', 'v')), `X: v\r\n${MESSAGE}`);
    assert.equal(edited(MESSAGE), MESSAGE);
  });
  it('put a field at the end of the header', () => {
    assert.equal(edited(MESSAGE, add('X', 'v', true)), MESSAGE.replace('\r\n\r\n', '\r\nX: v\r\n\r\n'));
  });
  it('take out fields with their folded lines, counted by name in any case', () => {
    assert.equal(edited(MESSAGE, remove('a', 0)), MESSAGE.slice(MESSAGE.indexOf('B:')));
    assert.equal(edited(MESSAGE, remove('A', 1)), MESSAGE.replace('a: two\r\n', ''));
    assert.equal(edited(MESSAGE, remove('a', 0), remove('a', 0)), 'B: \xe4\r\n\r\nbody \xff\r\n');
  });
  it('work on a header alone, and on one without a last line end', () => {
    assert.equal(edited('A: one\r\n', add('X', 'v', true)), 'A: one\r\nX: v\r\n');
    assert.equal(edited('A: one', add('X', 'v', true)), 'A: one\r\nX: v\r\n');
  });
  it('work on a message without a header', () => {
    assert.equal(edited('\r\nbody', add('X', 'v')), 'X: v\r\n\r\nbody');
    assert.equal(edited('', add('X', 'v')), 'X: v\r\n');
  });
  it('encode what is not ASCII and let no line end through', () => {
    assert.equal(
      edited('A: 1\r\n\r\n', add('X', 'gr\u00fc\u00df\r\nBcc: x')),
      'X: =?utf-8?b?Z3LDvMOfIEJjYzogeA==?=\r\nA: 1\r\n\r\n',
    );
  });
  it('are made in the content that takes the place of the message', () => {
    const content = Buffer.from('N: new\r\n\r\nother');
    const out = applyEdits(Buffer.from(MESSAGE), { header: [add('X', 'v')], content });
    assert.equal(out.toString(), 'X: v\r\nN: new\r\n\r\nother');
  });
});
