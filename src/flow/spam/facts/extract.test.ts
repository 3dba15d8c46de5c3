import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts, factsOf, ORDINARY_TEXT } from './fixtures.ts';

test('an ordinary message', () => {
  const found = facts();
  assert.equal(found.subject, 'Minutes of Tuesday');
  assert.deepEqual(found.from, [
    {
      name: 'Ann Sender',
      address: 'ann@sender.example',
      local: 'ann',
      domain: 'sender.example',
      site: 'sender.example',
      broken: false,
    },
  ]);
  assert.deepEqual(found.date, { ms: Date.UTC(2026, 2, 3, 10), zone: 0 });
  assert.equal(found.messageId, '1234@sender.example');
  assert.deepEqual(found.received, [
    {
      helo: 'mail.sender.example',
      rdns: 'mail.sender.example',
      ip: '192.0.2.7',
      by: 'mx.here.example',
      protocol: 'esmtps',
      date: Date.UTC(2026, 2, 3, 10, 0, 5),
    },
  ]);
  assert.equal(found.text.trim(), ORDINARY_TEXT.trim());
  assert.equal(found.language.guess, 'en');
  assert.equal(found.html, undefined);
  assert.deepEqual(
    [found.isReply, found.isBulk, found.isAutomatic, found.truncated],
    [false, false, false, false],
  );
});

test('Received fields as Postfix, Exim, qmail and sendmail write them', () => {
  const received = [
    'from helo.example (rdns.example [2001:db8::1]) (using TLSv1.3) by a.example (Postfix) with ESMTPS id X; Tue, 3 Mar 2026 10:00:00 +0000',
    'from rdns.example ([192.0.2.1] helo=helo.example) by b.example with esmtp (Exim 4.96) id 1; Tue, 3 Mar 2026 10:00:00 +0000',
    'from unknown (HELO helo.example) (192.0.2.2) by c.example with SMTP; 3 Mar 2026 10:00:00 -0000',
    'from helo.example (IDENT:x@rdns.example [192.0.2.3] (may be forged)) by d.example (8.11.6/8.11.6) with ESMTP id g; Tue, 3 Mar 2026 10:00:00 GMT',
    'by e.example (Postfix, from userid 1000) id 5; Tue, 3 Mar 2026 10:00:00 +0000',
  ].map((value) => `Received: ${value}`);
  const found = facts({ header: received }).received;
  assert.deepEqual(
    found.map(({ helo, rdns, ip, by, protocol }) => [helo, rdns, ip, by, protocol]),
    [
      ['helo.example', 'rdns.example', '2001:db8::1', 'a.example', 'esmtps'],
      ['helo.example', 'rdns.example', '192.0.2.1', 'b.example', 'esmtp'],
      ['helo.example', undefined, '192.0.2.2', 'c.example', 'smtp'],
      ['helo.example', 'rdns.example', '192.0.2.3', 'd.example', 'esmtp'],
      [undefined, undefined, undefined, 'e.example', undefined],
    ],
  );
});

test('encoded words are decoded in subject and names, raw ones kept beside', () => {
  const found = facts({
    header: [
      'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
      'From: =?iso-8859-1?Q?J=FCrgen?= <j@example.co.uk>',
      'Reply-To: "X" <x@Mail.Example.CO.UK>',
    ],
  });
  assert.equal(found.subject, 'Grüße');
  assert.equal(found.subjectRaw, '=?utf-8?B?R3LDvMOfZQ==?=');
  assert.equal(found.from[0]?.name, 'Jürgen');
  assert.equal(found.replyTo[0]?.domain, 'mail.example.co.uk');
  assert.equal(found.replyTo[0]?.site, 'example.co.uk');
});

const alternative = (plain: string, html: string): ReturnType<typeof facts> =>
  facts({
    header: ['Content-Type: multipart/alternative; boundary=b'],
    body: `--b\r\nContent-Type: text/plain\r\n\r\n${plain}\r\n--b\r\nContent-Type: text/html\r\n\r\n${html}\r\n--b--\r\n`,
  });

test('of alternatives the text is what a reader of HTML sees, and both are kept', () => {
  const found = alternative('the plain one', '<p>the <b>shown</b> one</p>');
  assert.equal(found.text, 'the shown one');
  assert.equal(found.plain, 'the plain one');
  assert.equal(found.htmlText, 'the shown one');
  assert.equal(alternative('the plain one', '<p></p>').text, 'the plain one');
});

test('text beside HTML that is no alternative is read too', () => {
  const found = facts({
    header: ['Content-Type: multipart/mixed; boundary=b'],
    body: '--b\r\nContent-Type: text/html\r\n\r\n<p>page</p>\r\n--b\r\n\r\nfooter of the list\r\n--b--\r\n',
  });
  assert.equal(found.text, 'page\nfooter of the list');
});

test('a forwarded message is read, its parts are marked', () => {
  const found = facts({
    header: ['Content-Type: multipart/mixed; boundary=b'],
    body: '--b\r\n\r\nsee below\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: c@d.example\r\nSubject: old\r\n\r\nthe old text\r\n--b--\r\n',
  });
  assert.equal(found.text, 'see below\nthe old text');
  assert.deepEqual(
    found.parts.map(({ path, nested }) => [path, nested]),
    [
      ['1', false],
      ['2.1', true],
    ],
  );
  assert.equal(found.mime.nestedMessages, 1);
});

test('who a message is from for programs: lists, reports, answers', () => {
  assert.equal(facts({ header: ['List-Id: <x.example>'] }).isBulk, true);
  assert.equal(facts({ header: ['Precedence: bulk'] }).isBulk, true);
  assert.equal(facts({ header: ['Auto-Submitted: auto-replied'] }).isAutomatic, true);
  assert.equal(facts({ header: ['Auto-Submitted: no'] }).isAutomatic, false);
  assert.equal(facts({ header: ['In-Reply-To: <a@b.example>'] }).isReply, true);
});

test('texts longer than the limits are cut and say so', () => {
  const found = facts({ body: 'word '.repeat(40_000) });
  assert.equal(found.truncated, true);
  assert.ok(found.text.length <= 65_536);
});

test('a page sent as plain text is read as a page', () => {
  const found = facts({
    body: '<!DOCTYPE html><html><body><p style="display:none">x</p>shown</body></html>',
  });
  assert.equal(found.text, 'shown');
  assert.notEqual(found.html, undefined);
});

test('a file in uuencode inside the text is a file and not text', () => {
  const uu = `begin 644 report.pdf.exe\r\n${uuencode(Buffer.concat([Buffer.from('MZ'), Buffer.alloc(40)]))}\r\n\`\r\nend\r\n`;
  const found = facts({ body: `Please see\r\n\r\n${uu}\r\nThanks\r\n` });
  assert.equal(found.attachments[0]?.name, 'report.pdf.exe');
  assert.equal(found.attachments[0]?.kind, 'pe');
  assert.equal(found.text.replace(/\s+/g, ' ').trim(), 'Please see Thanks');
});

function uuencode(octets: Buffer): string {
  let line = String.fromCharCode(32 + octets.length);
  for (let i = 0; i < octets.length; i += 3) {
    const bits = ((octets[i] ?? 0) << 16) | ((octets[i + 1] ?? 0) << 8) | (octets[i + 2] ?? 0);
    for (const shift of [18, 12, 6, 0]) line += String.fromCharCode(((bits >> shift) & 63) + 32);
  }
  return line.replaceAll(' ', '`');
}

test('a message without anything', () => {
  const found = factsOf(Buffer.alloc(0));
  assert.equal(found.text, '');
  assert.deepEqual([found.from.length, found.fieldCount, found.attachments.length], [0, 0, 0]);
});

test('languages are told by their common words', () => {
  const german =
    'Sehr geehrte Damen und Herren, bitte beachten Sie, dass wir die Rechnung für den Monat März nicht erhalten haben und sie uns noch einmal senden.';
  const french =
    'Bonjour, vous trouverez dans ce message les documents que vous avez demandés pour la réunion avec nos clients.';
  assert.equal(facts({ body: german }).language.guess, 'de');
  assert.equal(facts({ body: french }).language.guess, 'fr');
  assert.equal(facts({ body: 'x1 77 zz' }).language.guess, undefined);
});
