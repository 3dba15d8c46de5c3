import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../base/limits.ts';
import { parseAddressList } from './addresses.ts';
import { parseDate } from './dates.ts';
import { unfold } from './headers.ts';
import { messageIds, newestMessageIds } from './ids.ts';
import { ENVELOPE_ADDRESS_OCTETS, ENVELOPE_ADDRESSES, renderBody, renderEnvelope } from './imap-text.ts';
import { scanMessage } from './scanner.ts';
import { eachPart } from './structure.ts';
import { decodeWords } from './words.ts';

/** `unit` again and again, as long as a header section may be. */
function endless(unit: string | ((i: number) => string), length = limits.headerBytes - 100): string {
  const pieces: string[] = [];
  for (let i = 0, used = 0; used < length; i++) {
    const piece = typeof unit === 'string' ? unit : unit(i);
    pieces.push(piece);
    used += piece.length;
  }
  return pieces.join('');
}

function envelope(...header: string[]): string {
  const message = Buffer.from([...header, '', ''].join('\r\n'), 'latin1');
  return renderEnvelope(scanMessage(message), message).toString('latin1');
}

/** Addresses of "example.test" in an answer. */
function count(text: string): number {
  return text.split('"example.test"').length - 1;
}

const long = (i: number): string => `"Somebody With A Name ${i}" <somebody.${i}@example.test>, `;

const read = (text: string, octets: number): unknown[] =>
  parseAddressList(text, 100, octets).map((entry) =>
    entry.kind === 'mailbox' ? `${entry.local}@${entry.domain}` : entry.kind,
  );

const late = (octets: number): string =>
  `Content-Type: text/plain; x="${'a'.repeat(octets)}"; charset=utf-8\r\n\r\n`;
const names = (text: string): string[] => scanMessage(Buffer.from(text)).root.params.map(([name]) => name);

test('ENVELOPE shows as many addresses as are read, and each of them whole', () => {
  const whole = endless(long, 25_000);
  assert.equal(count(envelope(`To: ${whole}`)), whole.split('>').length - 1, 'below the limits all');

  const shown = envelope(`To: ${endless(long)}`);
  const last = count(shown) - 1;
  const octets = endless(long, ENVELOPE_ADDRESS_OCTETS);
  assert.ok(Math.abs(last - octets.split('>').length) <= 3, `${last} addresses`);
  const whoLast = `(("Somebody With A Name 0" NIL "somebody.0" "example.test")`;
  assert.ok(shown.includes(whoLast));
  assert.ok(shown.endsWith(`NIL "somebody.${last}" "example.test")) NIL NIL NIL NIL)`), shown.slice(-200));

  assert.equal(count(envelope(`To: ${endless('a@example.test,')}`)), ENVELOPE_ADDRESSES);
});

test('the limits are those of all fields of one ENVELOPE', () => {
  const many = endless('a@example.test,', 40_000);
  const header = ['From', 'To', 'Cc', 'Bcc'].map((name) => `${name}: ${many}`);
  // Sender and Reply-To, which are absent, are From.
  assert.equal(count(envelope(...header)), 3 * ENVELOPE_ADDRESSES);
  const one = 'From: me@example.test';
  assert.equal(count(envelope(one, `To: ${many}`, 'Cc: you@example.test')), 3 + ENVELOPE_ADDRESSES - 1);
});

test('the limits are those of all messages inside one BODYSTRUCTURE', () => {
  const one = `--x\r\nContent-Type: message/rfc822\r\n\r\nTo: ${endless('a@example.test,', 900)}\r\n\r\n\r\n`;
  const message = Buffer.from(`Content-Type: multipart/mixed; boundary=x\r\n\r\n${one.repeat(200)}`);
  assert.equal(count(renderBody(scanMessage(message), true).toString('latin1')), ENVELOPE_ADDRESSES);
});

test('a list that is cut ends its group, and leaves out the address that is not whole', () => {
  const text = 'G: a@b, c@d;';
  assert.deepEqual(read(text, text.length), ['group', 'a@b', 'c@d', 'group-end']);
  assert.deepEqual(read(text, text.length - 1), ['group', 'a@b', 'group-end']);
  assert.deepEqual(read(text, 5), ['group', 'group-end']);
  assert.deepEqual(read('<a@b>, <c@d>', 11), ['a@b']);
  assert.deepEqual(read('<a@b>, <c@d>', 12), ['a@b', 'c@d']);
  assert.deepEqual(read('"never closed a@b', 10), []);
  assert.deepEqual(parseAddressList('a@b', 0), []);
});

test('work of an address list grows with its length alone', () => {
  // Were each ":" to look at all words before it, or each "[" at all that follows, this would take minutes.
  const half = 2 * limits.headerBytes;
  const [entry, ...more] = parseAddressList(`${endless('a ', half)}@${endless(':', half)}`);
  assert.equal(entry?.kind, 'mailbox');
  assert.equal(more.length, 0);
  assert.equal(parseAddressList(endless('@[', half)).length, 1);
  assert.deepEqual(
    parseAddressList('a@[1.2.3.4], b@[5, c@[6]').map((e) => (e.kind === 'mailbox' ? e.domain : e.kind)),
    ['[1.2.3.4]', '[5', '[6]'],
  );
});

test('dates, identifiers and encoded words are read up to a limit', () => {
  const date = '2 Jan 2024 03:04:05 +0000';
  assert.notEqual(parseDate(`(${'('.repeat(40)}${')'.repeat(41)} ${date}`), undefined);
  assert.equal(parseDate(`(${' '.repeat(256)}) ${date}`), undefined);

  const ids = endless((i) => `<${i}@example.test> `);
  assert.equal(messageIds(ids)[0], '0@example.test');
  assert.ok(messageIds(ids).length < 1000);
  const newest = newestMessageIds(ids);
  assert.ok(newest.length > 100 && newest.length < 1000);
  const all = ids.match(/\d+@example\.test/g) ?? [];
  assert.deepEqual(newest, all.slice(-newest.length), 'whole ones from the end, in order');
  const bare = endless((i) => `${i}@example.test `);
  assert.match(newestMessageIds(bare)[0] ?? '', /^\d{5}@example\.test$/);
  assert.deepEqual(newestMessageIds('<a@b> <c@d>'), ['a@b', 'c@d']);

  const words = decodeWords(endless('=?utf-8?q?=C3=A9?= x ', 20_000));
  assert.ok(words.startsWith('é x é x '));
  assert.ok(words.endsWith('x =?utf-8?q?=C3=A9?= x '), 'later ones stand as they are');
  const longWord = `=?utf-8?q?${endless('=C3=A9')}?=`;
  assert.equal(decodeWords(longWord), longWord, 'and so does one that ends later');
});

test('a field folded everywhere, NUL everywhere: one line, no octet lost', () => {
  const folded = unfold(` ${endless('a\r\n ')}b\r\n`);
  assert.match(folded.slice(0, 10), /^(a )+$/);
  assert.ok(!/[\r\n]/.test(folded) && folded.endsWith('a b'));
  const subject = endless('\0', 1000);
  assert.ok(envelope(`Subject: ${subject}x  y`).includes(`${'?'.repeat(1000)}x y`));
});

test('parameters: so many of a message, so many octets of a field', () => {
  const params = endless((i) => `; p${i}=v`, 900);
  const part = `--x\r\nContent-Type: text/plain${params}\r\nContent-Disposition: inline; a=b\r\n\r\n\r\n`;
  const message = Buffer.from(`Content-Type: multipart/mixed; boundary=x\r\n\r\n${part.repeat(300)}`);
  const { root } = scanMessage(message, { params: 1000, paramsFloor: 3 });
  assert.equal(root.children.length, 300);
  assert.ok(
    root.children.every(({ params: some }) => some.length >= 3),
    'each part keeps the first ones',
  );
  let kept = 0;
  for (const { params: some, disposition } of eachPart(root)) {
    assert.equal(disposition?.params.length ?? 1, 1);
    kept += some.length + (disposition?.params.length ?? 0);
  }
  assert.ok(kept >= 1000 && kept <= 1000 + 300 * 4, `${kept} parameters`);
  assert.deepEqual(names(late(15_000)), ['x', 'charset']);
  assert.deepEqual(names(late(17_000)), ['x']);
});
