import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attachmentKind, attachmentName, safeFileName } from './attachment-names.ts';

describe('names of attachments', () => {
  it('have no paths and hide nothing', () => {
    assert.equal(safeFileName('../../etc/passwd', 'x'), 'passwd');
    assert.equal(safeFileName('C:\\Windows\\evil.exe', 'x'), 'evil.exe');
    assert.equal(safeFileName('invoice\u202egpj.exe', 'x'), 'invoicegpj.exe');
    assert.equal(safeFileName('a\u0000\n\tb.txt', 'x'), 'ab.txt');
    assert.equal(safeFileName('<img src=x onerror=alert(1)>.png', 'x'), '_img src=x onerror=alert(1)_.png');
    assert.equal(safeFileName('...', 'x'), 'x');
    assert.equal(safeFileName(null, 'x'), 'x');
  });

  it('keep their ending when they are long', () => {
    const long = safeFileName(`${'a'.repeat(500)}.pdf`, 'x');
    assert.equal([...long].length, 120);
    assert.ok(long.endsWith('.pdf'));
    // These took minutes.
    assert.equal(safeFileName(`a${'.'.repeat(250_000)}b.pdf`, 'x').slice(-4), '.pdf');
    assert.equal(safeFileName(`a${' '.repeat(250_000)}b.pdf`, 'x').slice(-4), '.pdf');
  });

  it('are made where there is none', () => {
    assert.equal(attachmentName({ name: null, type: 'message/rfc822' }, 'file'), 'file.eml');
  });

  it('say what can be looked at here', () => {
    assert.equal(attachmentKind({ type: 'image/svg+xml' }), 'other');
    assert.equal(attachmentKind({ type: 'image/png' }), 'image');
    assert.equal(attachmentKind({ type: 'text/html' }), 'text');
    assert.equal(attachmentKind({ type: 'application/ms-tnef' }), 'other');
  });
});
