import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readEnvelope } from './envelope-read.ts';
import { renderEnvelope } from './imap-text.ts';
import { scanMessage } from './scanner.ts';

const rendered = (text: string) => {
  const header = Buffer.from(text, 'latin1');
  return readEnvelope(renderEnvelope(scanMessage(header), header));
};

describe('an ENVELOPE read for people', () => {
  it('tells subject, authors and id of what we have rendered', () => {
    const header =
      'From: =?utf-8?Q?J=C3=B6rg?= <joerg@a.example>, "O\\"Neil" <o@b.example>\r\n' +
      'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= "to" you\r\nMessage-ID: <1@a.example>\r\n\r\n';
    assert.deepEqual(rendered(header), {
      subject: 'Grüße "to" you',
      from: [
        { name: 'Jörg', address: 'joerg@a.example' },
        { name: 'O"Neil', address: 'o@b.example' },
      ],
      messageId: '1@a.example',
    });
  });

  it('reads literals, groups and what is missing', () => {
    const eight = rendered('From: team: a@b.example;\r\nSubject: caf\xe9 \xfc\r\n\r\n');
    assert.match(eight.subject, /^caf/);
    assert.deepEqual(eight.from, [{ name: '', address: 'a@b.example' }]);
    assert.deepEqual(rendered('X: y\r\n\r\n'), { subject: '', from: [], messageId: undefined });
  });

  it('never throws, and is quick with nonsense', () => {
    for (const text of [
      '',
      '(',
      '((((((((((',
      '("',
      '({99999999999999}\r\n',
      '({5}',
      '(NIL {3}\r\nab',
      ')',
      '\0',
    ])
      assert.equal(typeof readEnvelope(Buffer.from(text)).subject, 'string', text);
    assert.deepEqual(readEnvelope(Buffer.from('('.repeat(1_000_000))).from, []);
  });
});
