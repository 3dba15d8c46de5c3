import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { adviceFor } from './advice.ts';
import { buildDsn } from './build.ts';
import { parseDsn } from './parse.ts';
import type { Dsn, DsnInput, DsnRecipient } from './types.ts';

const header = Buffer.from(
  'Subject: Lunch on Friday\r\nDate: Tue, 3 Mar 2026 09:00:00 +0100\r\nMessage-ID: <abc@example.org>\r\n\r\n',
);
const NOW = Date.UTC(2026, 2, 3, 10);
const bob: DsnRecipient = {
  finalRecipient: 'bob@example.net',
  action: 'failed',
  status: '5.1.1',
  remoteMta: 'mx.example.net',
  diagnostic: { code: 550, enhanced: '5.1.1', lines: ['No such user here', 'Ask somebody else'] },
  lastAttempt: NOW,
};
const carol: DsnRecipient = {
  finalRecipient: 'carol@example.com',
  action: 'delayed',
  status: '4.4.1',
  diagnostic: 'mx.example.com did not answer within 30 s',
  willRetryUntil: Date.UTC(2026, 2, 8, 10),
};

function build(more: Partial<DsnInput> = {}): Dsn & { text: string; parts: string[] } {
  const dsn = buildDsn({
    reportingMta: 'mail.example.org',
    now: NOW,
    from: 'mailer-daemon@example.org',
    to: 'alice@example.org',
    recipients: [bob],
    original: { headerBytes: header },
    smtputf8: false,
    random: randomBytes,
    ...more,
  });
  const text = dsn.bytes.toString('utf8');
  const boundary = /boundary="([^"]+)"/.exec(text)?.[1] ?? 'none';
  checkWire(dsn);
  return { ...dsn, text, parts: text.split(`--${boundary}`) };
}

/** What must hold of every notification, whatever went in. */
function checkWire(dsn: Dsn): void {
  const text = dsn.bytes.toString('latin1');
  assert.doesNotMatch(text.replaceAll('\r\n', ''), /[\r\n\0]/, 'no bare CR or LF, no NUL');
  for (const line of text.split('\r\n')) assert.ok(line.length <= 998, 'no line is too long');
  if (dsn.body === '7BIT') assert.ok(dsn.bytes.every((octet) => octet < 0x80));
  if (!dsn.smtputf8) {
    const head = text.slice(0, text.indexOf('\r\n\r\n'));
    assert.match(head, /^[\r\n\t -~]*$/);
  }
}

test('a failure says to a person what happened, where, and what to do', () => {
  const recipients = [{ ...bob, willRetryUntil: NOW }];
  const { text, parts, body } = build({ envid: 'QQ 31', arrived: NOW - 60_000, recipients });
  assert.doesNotMatch(text, /Will-Retry-Until|keep trying/);
  assert.match(text, /^Subject: Your message could not be delivered\r$/m);
  assert.match(text, /^To: <alice@example\.org>\r$/m);
  assert.match(text, /^Auto-Submitted: auto-replied\r$/m);
  assert.match(text, /^References: <abc@example\.org>\r$/m);
  assert.match(text, /^Content-Type: multipart\/report; report-type=delivery-status;\r$/m);
  const human = parts[1] ?? '';
  for (const words of [
    ['Subject: Lunch on Friday', '<bob@example.net>', 'The server mx.example.net answered:'],
    ['550 5.1.1 No such user here\r\n        Ask somebody else', 'There is no such mailbox.'],
    ['Nothing more will be tried', 'the header of\r\nyour message'],
  ].flat()) {
    assert.ok(human.includes(words), words);
  }
  const machine = (parts[2] ?? '').replaceAll('\r\n ', ' ');
  for (const line of [
    [
      'Original-Envelope-Id: QQ 31',
      'Reporting-MTA: dns; mail.example.org',
      'Status: 5.1.1',
      'Action: failed',
    ],
    ['Arrival-Date: Tue, 03 Mar 2026 09:59:00 +0000', 'Final-Recipient: rfc822; bob@example.net'],
    [
      'Diagnostic-Code: smtp; 550 5.1.1 No such user here Ask somebody else',
      'Remote-MTA: dns; mx.example.net',
    ],
  ].flat()) {
    assert.ok(machine.includes(`\r\n${line}\r\n`), line);
  }
  assert.equal(body, '7BIT');
});

test('a delay says that nothing has to be done, and until when', () => {
  const { text } = build({ recipients: [carol], explanation: 'The line is down.' });
  assert.match(text, /^Subject: Your message is delayed, we keep trying\r$/m);
  assert.match(text, /We keep trying until Sun, 8 Mar 2026, 10:00 UTC\./);
  assert.match(text, /The line is down\./);
  assert.match(text, /^Will-Retry-Until: Sun, 08 Mar 2026 10:00:00 \+0000\r$/m);
  assert.match(text, /You need not do anything/);
  assert.doesNotMatch(text, /Nothing more will be tried/);
});

test('only what a host said is put in its mouth', () => {
  const said = build({ recipients: [{ ...bob, diagnostic: '550-5.1.1 no such user' }] }).text;
  assert.match(said, /The server mx\.example\.net answered:\r\n {8}550-5\.1\.1 no such user/);
  assert.match(said, /^Diagnostic-Code: smtp; 550-5\.1\.1 no such user\r$/m);
  const silent = build({ recipients: [{ ...bob, diagnostic: 'no answer within 30 s' }] }).text;
  assert.match(silent, /Reason given by this server:\r\n {8}no answer within 30 s/);
  assert.match(silent, /^Diagnostic-Code: x-local; no answer within 30 s\r$/m);
  assert.match(silent, /^Remote-MTA: dns; mx\.example\.net\r$/m);
});

test('what is built is parsed back', () => {
  const petr: DsnRecipient = { finalRecipient: 'пётр@example.com', action: 'failed', status: '5.6.7' };
  const original = { type: 'rfc822', address: 'Team@list.example' };
  const recipients = [{ ...bob, originalRecipient: original }, carol, petr];
  for (const smtputf8 of [false, true]) {
    const dsn = build({ smtputf8, recipients, envid: 'E' });
    assert.equal(dsn.smtputf8, smtputf8);
    const parsed = parseDsn(dsn.bytes);
    assert.equal(parsed?.reportingMta, 'mail.example.org');
    assert.equal(parsed.envid, 'E');
    assert.equal(parsed.originalMessageId, '<abc@example.org>');
    assert.deepEqual(
      parsed.recipients.map(
        (one) => `${one.action} ${one.status} ${one.finalRecipient} ${one.originalRecipient}`,
      ),
      [
        'failed 5.1.1 bob@example.net Team@list.example',
        'delayed 4.4.1 carol@example.com undefined',
        'failed 5.6.7 пётр@example.com undefined',
      ],
    );
    assert.equal(parsed.recipients[0]?.diagnostic, '550 5.1.1 No such user here Ask somebody else');
  }
});

test('the whole message is returned only for RET=FULL, failures, and when it can stand there', () => {
  const plain = Buffer.concat([header, Buffer.from('Shall we?\r\n')]);
  const withFull = (full: Buffer, more: Partial<DsnInput> = {}) =>
    build({ ret: 'FULL', original: { headerBytes: header, full }, ...more });
  assert.match(withFull(plain).text, /Content-Type: message\/rfc822\r\n[^]*Shall we\?/);
  assert.doesNotMatch(withFull(plain, { ret: 'HDRS' }).text, /Shall we/);
  assert.doesNotMatch(withFull(plain, { ret: undefined }).text, /Shall we/);
  assert.doesNotMatch(withFull(plain, { recipients: [carol] }).text, /Shall we/);

  const eightBit = Buffer.concat([header, Buffer.from('Grüße\r\n')]);
  assert.equal(withFull(eightBit).body, '8BITMIME');
  assert.equal(withFull(eightBit, { allow8bit: false }).body, '7BIT');
  for (const odd of ['a\nb\r\n', 'a\rb\r\n', 'a\0\r\n', `${'x'.repeat(999)}\r\n`, 'no line end']) {
    const dsn = withFull(Buffer.concat([header, Buffer.from(odd)]));
    assert.match(dsn.text, /Content-Type: text\/rfc822-headers/, JSON.stringify(odd));
  }
  assert.ok(withFull(Buffer.concat([header, Buffer.alloc(300_000, 'x\r\n')])).bytes.length < 10_000);
});

test('a header in UTF-8 is returned in the form that its sender can take', () => {
  const utf8Header = Buffer.from('Subject: Grüße\r\n\r\n');
  const original = { headerBytes: utf8Header, full: Buffer.concat([utf8Header, Buffer.from('Hallo\r\n')]) };
  const ascii = build({ original, ret: 'FULL' });
  assert.equal(ascii.body, '7BIT');
  assert.match(
    ascii.text,
    /text\/rfc822-headers; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable/,
  );
  assert.match(ascii.text, /Subject: Gr=C3=BC=C3=9Fe/);
  const global = build({ original, ret: 'FULL', smtputf8: true });
  assert.ok(global.smtputf8);
  assert.match(global.text, /report-type=global-delivery-status/);
  assert.match(global.text, /Content-Type: message\/global\r\n/);
  const latin1 = build({ original: { headerBytes: Buffer.from('Subject: Gr\xfc\xdfe\r\n', 'latin1') } });
  assert.match(latin1.text, /charset=unknown-8bit[^]*Gr=FC=DFe/);
});

test('nothing from outside can write a line of its own', () => {
  const evil = 'x\r\nBcc: victim@example.com\r\n\r\n--boundary\nfoo\0\x1b[31m';
  const dsn = build({
    envid: evil,
    explanation: evil,
    recipients: [
      {
        ...bob,
        finalRecipient: evil,
        originalRecipient: { type: evil, address: evil },
        remoteMta: evil,
        status: evil,
        diagnostic: { code: 550, lines: [evil, 'y'.repeat(5000), 'ü'.repeat(3000)] },
      },
      { ...carol, diagnostic: evil },
    ],
    original: {
      headerBytes: Buffer.from(`Subject: a\rBcc: b\nX: ${'z'.repeat(3000)}\r\n\r\nbody`),
      subject: evil,
    },
  });
  assert.doesNotMatch(dsn.text, /^Bcc: victim/m);
  assert.ok(!dsn.text.includes('\x1b'));
  assert.doesNotMatch(dsn.text, /body$/m);
  assert.ok(parseDsn(dsn.bytes));
});

test('an encoded subject is shown decoded or not at all', () => {
  const headerBytes = Buffer.from('Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n');
  assert.doesNotMatch(build({ original: { headerBytes } }).parts[1] ?? '', /Subject/);
  assert.match(
    build({ original: { headerBytes, subject: 'Grüße' } }).parts[1] ?? '',
    /Subject: Gr=C3=BC=C3=9Fe/,
  );
});

test('advice fits the code, and unknown codes get none that is wrong', () => {
  assert.match(adviceFor('5.2.2', 'failed'), /mailbox is full/);
  assert.match(adviceFor('4.2.2', 'delayed'), /mailbox is full.*passes by itself/);
  assert.match(adviceFor('5.1.99', 'failed'), /wrong with this address/);
  for (const odd of ['', '5', '9.9.9', '5.constructor', '5.0.0'])
    assert.match(adviceFor(odd, 'failed'), /No more is known/);
});

test('reports of other programs are understood', () => {
  const postfix = [
    'From: MAILER-DAEMON@mx.test (Mail Delivery System)',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary="4C1A/mx.test"',
    '',
    'This is a MIME-encapsulated message.',
    '',
    '--4C1A/mx.test',
    'Content-Description: Notification',
    '',
    'I am sorry. --4C1A/mx.test is not a delimiter here',
    '--4C1A/mx.testX',
    '--4C1A/mx.test',
    'Content-Type: Message/Delivery-Status; charset=us-ascii',
    '',
    'reporting-mta: dns; mx.test',
    'X-Postfix-Queue-ID: 4C1A',
    '--4C1A/mx.testX',
    '',
    '',
    'Final-Recipient: rfc822; <bob@example.net>',
    'Action: failed (really)',
    'Diagnostic-Code: smtp; 550-5.7.26 unauthenticated',
    '    550 5.7.26 mail from alice',
    '',
    'Original-Recipient: rfc822;carol@example.net',
    'Action: expired',
    'Status: 4.4.7 (timeout)',
    '',
    '--4C1A/mx.test',
    'Content-Type: text/rfc822-headers',
    '',
    'Received: x',
    'message-id:',
    ' <1@alice.test>',
    '--4C1A/mx.test--',
    'epilogue',
  ];
  for (const lineEnd of ['\r\n', '\n']) {
    const parsed = parseDsn(Buffer.from(postfix.join(lineEnd)));
    assert.deepEqual(parsed, {
      reportingMta: 'mx.test',
      envid: undefined,
      originalMessageId: '<1@alice.test>',
      recipients: [
        {
          finalRecipient: 'bob@example.net',
          originalRecipient: undefined,
          action: 'failed',
          status: '5.7.26',
          diagnostic: '550-5.7.26 unauthenticated 550 5.7.26 mail from alice',
          remoteMta: undefined,
        },
        {
          finalRecipient: '',
          originalRecipient: 'carol@example.net',
          action: 'delayed',
          status: '4.4.7',
          diagnostic: undefined,
          remoteMta: undefined,
        },
      ],
    });
  }
});

test('reports that are wrapped, encoded or cut off are understood', () => {
  const fields =
    'Reporting-MTA: dns; m.test\n\nFinal-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.2.2\n';
  const base64 = Buffer.from(fields).toString('base64');
  const wrapped = `Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/report; boundary="ab"\n\n--ab\n\nhi\n--ab\nContent-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n${base64}\n`;
  assert.equal(parseDsn(Buffer.from(wrapped))?.recipients[0]?.status, '5.2.2');
  assert.equal(
    parseDsn(Buffer.from(`Content-Type: message/delivery-status\n\n${fields}`))?.recipients.length,
    1,
  );
});

test('what is no report is undefined, and hostile input costs little', () => {
  const inputs = [
    ['', '\r\n', 'Subject: hi\r\n\r\nhello', 'Content-Type: multipart/report\r\n\r\nx'],
    'Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n',
    `Content-Type: multipart/report; boundary=a\n\n${'--a\n\n'.repeat(200_000)}`,
    `Content-Type: multipart/mixed; boundary=a\n\n${'--a\nContent-Type: multipart/mixed; boundary=a\n\n'.repeat(20_000)}`,
    `Content-Type: message/delivery-status\n\n${'\n'.repeat(1_000_000)}`,
    `Content-Type: ${'; boundary  '.repeat(100_000)}`,
    'a:\n'.repeat(300_000),
    'X: y\n z\n'.repeat(100_000),
  ].flat();
  for (const input of inputs) assert.equal(parseDsn(Buffer.from(input)), undefined, input.slice(0, 60));
  const many = `Content-Type: message/delivery-status\n\n${'Final-Recipient: rfc822; a@b\n\n'.repeat(50_000)}`;
  assert.ok((parseDsn(Buffer.from(many))?.recipients.length ?? 0) <= 1000);
});
