import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageScanner } from './message/scanner.ts';
import { PREVIEW_CHARACTERS, previewOf, previewTexts } from './preview.ts';

function previewFor(message: string, encoding: BufferEncoding = 'utf8'): string {
  const octets = Buffer.from(message.replaceAll('\n', '\r\n'), encoding);
  const scanner = new MessageScanner();
  scanner.push(octets);
  for (const text of previewTexts(scanner.end())) {
    const preview = previewOf(text, octets.subarray(text.start, text.end));
    if (preview !== '') return preview;
  }
  return '';
}

const html = (text: string): string => previewFor(`Content-Type: text/html; charset=utf-8\n\n${text}`);
const plain = (text: string): string => previewFor(`Subject: x\n\n${text}`);

const CASES: readonly (readonly [string, string, string])[] = [
  ['white space is folded', plain('\n\n  Hello,\n\n\tworld  \n'), 'Hello, world'],
  ['nothing to say', plain('\n \n'), ''],
  ['no body at all', plain(''), ''],
  ['quoted text comes last', plain('> You wrote\n> this\n\nI agree.\n'), 'I agree.'],
  ['only quoted text', plain('> You wrote\n'), '> You wrote'],
  ['the signature is not looked at', plain('Bye\n-- \nBob, Inc.\n'), 'Bye'],
  ['rulers', plain('News\n--------------------\n*** one ***\n'), 'News *** one ***'],
  ['8-bit text without a name', previewFor('\ncaf\xe9', 'latin1'), 'café'],
  [
    'quoted-printable, latin1',
    previewFor(
      'Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\ncaf=E9 =\nau lait\n',
    ),
    'café au lait',
  ],
  [
    'base64, Japanese',
    previewFor(
      'Content-Type: text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: base64\n\nGyRCOyVLWhsoQg==\n',
    ),
    '札幌',
  ],
  [
    'HTML is stripped',
    html('<html><head><title>T</title><style>p{}</style></head><body><p>One<p>two &amp; three'),
    'One two & three',
  ],
  ['comments and scripts', html('<!-- x --><script>var a = "<p>";</script>a<b>b</b>c'), 'abc'],
  [
    'what fills the room behind a preheader',
    html(`<div>Sale!${'&nbsp;&zwnj;'.repeat(80)}</div><p>Dear Ann`),
    'Sale! Dear Ann',
  ],
  ['the same as characters', html(`Sale! ${'\u200c\u00a0\u034f '.repeat(80)} Dear Ann`), 'Sale! Dear Ann'],
  ['joined emoji stay whole', plain('👩‍💻 works'), '👩‍💻 works'],
  ['an unfinished tag', html('text <a href="'), 'text'],
  [
    'plain before HTML among alternatives',
    previewFor(
      'Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>rich\n--b\nContent-Type: text/plain\n\npoor\n--b--\n',
    ),
    'poor',
  ],
  [
    'HTML where the plain one is empty',
    previewFor(
      'Content-Type: multipart/alternative; boundary=b\n\n--b\n\n \n--b\nContent-Type: text/html\n\n<p>rich\n--b--\n',
    ),
    'rich',
  ],
  [
    'attachments are passed over',
    previewFor(
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment\n\nnot this\n--b\n\nthis\n--b--\n',
    ),
    'this',
  ],
  [
    'a forwarded message',
    previewFor(
      'Content-Type: multipart/mixed; boundary=b\n\n--b\n\n\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\ninside\n--b--\n',
    ),
    'inside',
  ],
  [
    'what is encrypted',
    previewFor('Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nVersion: 1\n--b--\n'),
    '',
  ],
];

for (const [name, found, expected] of CASES) test(name, () => assert.equal(found, expected));

test('200 characters, none of them cut in two', () => {
  const preview = plain('😀'.repeat(300));
  assert.equal([...preview].length, PREVIEW_CHARACTERS);
  assert.equal(preview, '😀'.repeat(PREVIEW_CHARACTERS));
  assert.equal(plain('x'.repeat(100_000)).length, PREVIEW_CHARACTERS);
});

test('a long page takes no longer than its first 64 KiB', () => {
  const long = `<p>${'a '.repeat(10)}${'<i><b>'.repeat(2_000_000)}`;
  const began = process.cpuUsage();
  assert.equal(html(long), 'a '.repeat(10).trim());
  const { user } = process.cpuUsage(began);
  assert(user < 3_000_000);
});
