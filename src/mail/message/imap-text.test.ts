import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lines, nested } from './fixtures.ts';
import { renderBody, renderEnvelope } from './imap-text.ts';
import { scanMessage } from './scanner.ts';

function envelope(...header: string[]): string {
  const message = lines(...header, '', '');
  return renderEnvelope(scanMessage(message), message).toString('latin1');
}

function body(message: Buffer, extensible = true): string {
  return renderBody(scanMessage(message), extensible).toString('latin1');
}

test('ENVELOPE of a full header', () => {
  const text = envelope(
    'Date: Mon, 1 Jan 2024 00:00:00 +0000',
    'Subject: one',
    ' two',
    'From: "Last, First" <a@example.test>',
    'To: b@example.test (Comment Name), group: c@example.test;, <@r1,@r2:d@example.test>',
    'In-Reply-To: <x@y>',
    'Message-ID: <m@example.test>',
  );
  const from = '(("Last, First" NIL "a" "example.test"))';
  const to =
    '(("Comment Name" NIL "b" "example.test")(NIL NIL "group" NIL)(NIL NIL "c" "example.test")(NIL NIL NIL NIL)(NIL "@r1,@r2" "d" "example.test"))';
  assert.equal(
    text,
    `("Mon, 1 Jan 2024 00:00:00 +0000" "one two" ${from} ${from} ${from} ${to} NIL NIL "<x@y>" "<m@example.test>")`,
  );
});

test('ENVELOPE of nothing, of empty fields, of half addresses', () => {
  assert.equal(envelope(), '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)');
  const from = '((NIL NIL "only" "MISSING_DOMAIN"))';
  assert.equal(
    envelope('Subject:', 'From: only', 'Sender: ', 'To: <>', 'Cc: a b', 'Bcc: x <y'),
    `(NIL "" ${from} ${from} ${from} ((NIL NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) (("a b" NIL "MISSING_MAILBOX" "MISSING_DOMAIN")) (("x" NIL "y" "SYNTAX_ERROR")) NIL NIL)`,
  );
});

test('literals for what quotes cannot hold', () => {
  assert.match(envelope('Subject: caf\xe9'), /^\(NIL \{4\}\r\ncaf\xe9 NIL/);
  assert.match(envelope('Subject: say "x"'), /^\(NIL \{7\}\r\nsay "x" NIL/);
  assert.match(envelope('Message-ID: <a"b\\c>'), /"<a\\"b\\\\c>"\)$/);
  assert.match(envelope('Message-ID: a\0b'), /"a\?b"\)$/);
});

test('repeated fields: addresses join, of others the last one counts', () => {
  const text = envelope('From: a@b', 'From: c@d', 'Subject: 1', 'Subject: 2');
  assert.ok(text.startsWith('(NIL "2" ((NIL NIL "a" "b")(NIL NIL "c" "d"))'), text);
});

test('BODYSTRUCTURE of nested parts', () => {
  const inner =
    '(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 12 0 NIL NIL NIL NIL)("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 11 0 NIL NIL NIL NIL) "alternative" ("boundary" "inner") NIL NIL NIL)';
  const from = '(("In Ner" NIL "inner" "example.test"))';
  assert.equal(
    body(nested),
    [
      '(("text" "plain" ("charset" "utf-8") NIL NIL "quoted-printable" 17 1 NIL NIL NIL NIL)',
      '("message" "rfc822" NIL NIL "forwarded" "7bit" 192 ',
      `(NIL "inside" ${from} ${from} ${from} NIL NIL NIL NIL NIL) ${inner} 11 NIL NIL NIL NIL)`,
      '("image" "png" ("name" "p.png") "<cid@example.test>" NIL "base64" 8 NIL ("attachment" ("filename" "p.png")) NIL NIL)',
      ' "mixed" ("boundary" "outer") NIL NIL NIL)',
    ].join(''),
  );
  assert.ok(body(nested, false).endsWith('"base64" 8) "mixed")'));
});

test('legal forms for what has none', () => {
  const empty = '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL)';
  assert.equal(body(lines('Content-Type: multipart/mixed', '', 'x')), `(${empty} "mixed" NIL NIL NIL NIL)`);
  assert.equal(
    body(lines('Content-Type: nonsense', '', 'x')),
    '("application" "octet-stream" NIL NIL NIL "7bit" 1 NIL NIL NIL NIL)',
  );
  assert.equal(
    body(lines('Content-Type: ;;', '', 'x')),
    '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL)',
  );
  assert.equal(
    body(lines('Content-Type: message/rfc822')),
    `("message" "rfc822" NIL NIL NIL "7bit" 0 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ${empty} 0 NIL NIL NIL NIL)`,
  );
});

test('spelling of the sender is kept, all extension fields are there', () => {
  const message = lines(
    'Content-Type: TEXT/Plain; Charset=UTF-8',
    'Content-Transfer-Encoding: Base64',
    'Content-Disposition: ATTACHMENT; FileName=x',
    'Content-Language: EN, de',
    'Content-Location: http://x/',
    'Content-MD5: abc',
    '',
    'QQ==',
  );
  assert.equal(
    body(message),
    '("TEXT" "Plain" ("Charset" "UTF-8") NIL NIL "Base64" 4 0 "abc" ("ATTACHMENT" ("FileName" "x")) ("EN" "de") "http://x/")',
  );
});
