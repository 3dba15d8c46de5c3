/** Each rule with a message that it is about, and one that comes close and is none of its business. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts, factsOf, htmlFacts, ORDINARY_TEXT, PROGRAM, withFiles, zip } from '../facts/fixtures.ts';
import type { MessageFacts } from '../facts/types.ts';
import { type Cases, contentCases, type Given } from './content-cases.ts';
import { evaluate, rules } from './index.ts';
import type { RuleEvidence } from './types.ts';

const h = (...header: string[]): MessageFacts => facts({ header });
const e = (evidence: RuleEvidence, ...header: string[]): Given => [facts({ header }), evidence];
const subject = (text: string, ...more: string[]): MessageFacts => h(`Subject: ${text}`, ...more);
const from = (text: string, ...more: string[]): MessageFacts => h(`From: ${text}`, ...more);
const PASS: RuleEvidence = { dmarc: { result: 'pass', policy: 'reject', domain: 'sender.example' } };
const NOTHING: RuleEvidence = { spf: { result: 'none', domain: 'sender.example' }, dkim: [] };
const dmarc = (policy: 'none' | 'quarantine' | 'reject', result: 'pass' | 'fail' = 'fail'): RuleEvidence => ({
  dmarc: { result, policy, domain: 'sender.example' },
});
const spf = (
  result: 'pass' | 'fail' | 'softfail' | 'permerror' | 'none',
  domain = 'sender.example',
): RuleEvidence => ({ spf: { result, domain } });

const transportCases: Cases = {
  SPF_PASS: [e(spf('pass')), e(spf('none'))],
  SPF_FAIL: [e(spf('fail')), e({ ...spf('fail'), dkim: [{ result: 'pass', domain: 'sender.example' }] })],
  SPF_SOFTFAIL: [e(spf('softfail')), e({ ...spf('softfail'), ...PASS })],
  SPF_BROKEN: [e(spf('permerror')), e(spf('fail'))],
  DKIM_VALID: [
    e({ dkim: [{ result: 'pass', domain: 'x.example' }] }),
    e({ dkim: [{ result: 'pass', domain: 'x.example', testing: true }] }),
  ],
  DKIM_INVALID: [
    e({ dkim: [{ result: 'fail', domain: 'x.example' }] }),
    e({
      dkim: [
        { result: 'fail', domain: 'x.example' },
        { result: 'pass', domain: 'y.example' },
      ],
    }),
  ],
  DMARC_PASS: [e(PASS), e(dmarc('none'))],
  DMARC_FAIL_REJECT: [
    e(dmarc('reject')),
    e({ ...dmarc('reject'), arc: { result: 'pass', trusted: true, sealer: 'x.example' } }),
  ],
  DMARC_FAIL_QUARANTINE: [e(dmarc('quarantine')), e(dmarc('reject'))],
  DMARC_FAIL: [e(dmarc('none')), e(dmarc('none', 'pass'))],
  SENDER_UNPROVEN: [e(NOTHING), e({ ...NOTHING, spf: { result: 'temperror', domain: 'sender.example' } })],
  ARC_TRUSTED: [
    e({ arc: { result: 'pass', trusted: true, sealer: 'x.example' } }),
    e({ arc: { result: 'pass', trusted: false, sealer: 'x.example' } }),
  ],
  ARC_BROKEN: [
    e({ arc: { result: 'fail', trusted: false, sealer: 'x.example' } }),
    e({ arc: { result: 'none', trusted: false, sealer: '' } }),
  ],
  RDNS_NONE: [e({ rdns: null }), e({ rdns: null, authenticated: true })],
  RDNS_UNCONFIRMED: [e({ iprev: 'fail', rdns: 'x.example' }), e({ iprev: 'temperror' })],
  RDNS_HOME_LINE: [
    e({ rdns: '192-0-2-1.dsl.provider.example', clientIp: '192.0.2.1' }),
    e({ rdns: 'static-192-0-2-1.mail.provider.example', clientIp: '192.0.2.1' }),
  ],
  HELO_IP: [e({ helo: '192.0.2.1' }), e({ helo: '[192.0.2.1]' })],
  HELO_LITERAL: [e({ helo: '[192.0.2.1]' }), e({ helo: '192.0.2.1' })],
  HELO_NOT_FULL: [e({ helo: 'desktop-1' }), e({ helo: 'desktop-1.example' })],
  HELO_IMPOSTOR: [
    e({ helo: 'mx.here.example', ownHosts: new Set(['mx.here.example']) }),
    e({ helo: 'mx.here.example', ownHosts: new Set(['mx.here.example']), authenticated: true }),
  ],
  HELO_UNKNOWN_NAME: [e({ helo: 'x.example', heloResolves: false }), e({ helo: 'x.example' })],
  TALKED_TOO_EARLY: [e({ earlyTalker: true }), e({ earlyTalker: false })],
  NO_ENCRYPTION: [e({ tls: false }), e({})],
  GUESSED_RECIPIENTS: [e({ unknownRecipients: 3 }), e({ unknownRecipients: 1 })],
  SENT_TO_MANY_HERE: [e({ recipientCount: 20 }), e({ recipientCount: 20 }, 'List-Id: <x.example>')],
  FIRST_CONTACT: [e({ firstContact: true }), e({ firstContact: false })],
  CAME_BACK_WHEN_ASKED: [e({ greylistPassed: true }), e({})],
  KNOWN_CORRESPONDENT: [
    e({ knownCorrespondent: true, ...PASS }),
    e({ knownCorrespondent: true, ...NOTHING }),
  ],
  ANSWERS_YOU: [e({ replyToOwn: true }), e({ replyToOwn: false })],
  LOGGED_IN: [e({ authenticated: true }), e({})],
  REPORT_ON_STRANGERS_MAIL: [
    [
      facts({
        header: ['Content-Type: multipart/report; boundary=b', 'From: MAILER-DAEMON@x.example'],
        body: '--b\r\n\r\nx\r\n--b--',
      }),
      { replyToOwn: false, reversePath: '' },
    ],
    [
      facts({
        header: ['Content-Type: multipart/report; boundary=b', 'From: MAILER-DAEMON@x.example'],
        body: '--b\r\n\r\nx\r\n--b--',
      }),
      { replyToOwn: true, reversePath: '' },
    ],
  ],
};

const ours = new Set(['here.example']);
const fromCases: Cases = {
  FROM_MISSING: [h('From: '), from('x@y.example')],
  FROM_REPEATED: [h('From: a@b.example', 'From: c@d.example'), from('a@b.example, c@d.example')],
  FROM_SEVERAL: [from('a@b.example, c@d.example'), from('a@b.example, c@d.example', 'Sender: a@b.example')],
  FROM_NO_ADDRESS: [from('Somebody'), from('Somebody <a@b.example>')],
  FROM_BROKEN: [from('Ann <a@b.example'), from('"Ann" <a@b.example>')],
  FROM_NAME_IS_OTHER_ADDRESS: [
    from('"ceo@bank.example" <x@evil.example>'),
    from('"sales@shop.example" <noreply@mail.shop.example>'),
  ],
  BRAND_DISPLAY_NAME: [from('PayPal Service <x@evil.example>'), from('PayPal <service@paypal.de>')],
  FROM_DOMAIN_LIKE_BRAND: [from('x@secure-paypa1.example'), from('x@amazonas-tours.example')],
  FROM_NAME_LOOKALIKE_LETTERS: [
    from('=?utf-8?Q?P=D0=B0yP=D0=B0l?= <x@y.example>'),
    from('=?utf-8?B?0JDQvdC90LA=?= <x@y.example>'),
  ],
  FROM_NAME_HIDDEN_CHARACTERS: [from('"Pay\u200bPal" <x@y.example>'), from('"Zoë" <x@y.example>')],
  FROM_NAME_STYLED: [
    from('"\u{1d40f}\u{1d41a}\u{1d432}\u{1d40f}\u{1d41a}\u{1d425}" <x@y.example>'),
    from('"Shop\u2122" <x@y.example>'),
  ],
  FROM_NAME_SHOUTS: [from('"You WON $$$" <x@y.example>'), from('"Yahoo! Groups" <x@y.example>')],
  FROM_DOMAIN_LOOKALIKE_LETTERS: [from('x@p\u0430yp\u0430l.com'), from('x@bücher.example')],
  FROM_CHEAP_NAME: [from('x@deals.icu'), from('x@icu.example')],
  FROM_MADE_UP_NUMBER: [from('mary.jones84731@gmail.com'), from('mary.jones84@gmail.com')],
  FROM_FREEMAIL_FORGED: [
    e(NOTHING, 'From: x@gmail.com'),
    e({ dkim: [{ result: 'pass', domain: 'gmail.com' }] }, 'From: x@gmail.com'),
  ],
  FROM_OWN_DOMAIN_FORGED: [
    e({ ...NOTHING, ownDomains: ours }, 'From: boss@here.example'),
    e({ ownDomains: ours, authenticated: true, ...NOTHING }, 'From: boss@here.example'),
  ],
  FROM_NAME_BORROWS_OURS: [
    e({ ownDomains: ours }, 'From: "here.example support" <x@evil.example>'),
    e({ ownDomains: ours }, 'From: "here.example support" <x@here.example>'),
  ],
  FROM_NAME_OF_COLLEAGUE: [
    e({ ownDomains: ours, ownNames: new Set(['bob boss']) }, 'From: "Boss, Bob" <x@gmail.com>'),
    e(
      { ownDomains: ours, ownNames: new Set(['bob boss']), knownCorrespondent: true },
      'From: "Boss, Bob" <x@gmail.com>',
    ),
  ],
  FROM_ADDRESS_ENCODED: [
    h('From: =?utf-8?Q?admin?=@bank.example'),
    h('From: =?utf-8?Q?J=C3=BCrgen?= <x@bank.example>'),
  ],
  SENDER_NULL_BUT_NO_REPORT: [
    e({ reversePath: '' }),
    e({ reversePath: '' }, 'Auto-Submitted: auto-generated'),
  ],
};

const row = (n: number, name: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => name(i)).join(', ');
const headerCases: Cases = {
  DATE_MISSING: [h('Date:'), h()],
  DATE_UNREADABLE: [h('Date: soon'), h('Date: 3 Mar 2026 10:00 +0000')],
  DATE_IN_FUTURE: [h('Date: Tue, 10 Mar 2026 10:00:00 +0000'), h('Date: Wed, 4 Mar 2026 10:00:00 +0000')],
  DATE_LONG_AGO: [h('Date: Tue, 3 Feb 2026 10:00:00 +0000'), h('Date: Sun, 1 Mar 2026 10:00:00 +0000')],
  DATE_ZONE_ODD: [h('Date: Tue, 3 Mar 2026 10:00:00 -1733'), h('Date: Tue, 3 Mar 2026 10:00:00 +0545')],
  MESSAGE_ID_MISSING: [h('Message-ID:'), h('Message-ID: <x>')],
  MESSAGE_ID_ODD: [h('Message-ID: <no-at-sign>'), h('Message-ID: <a$b@c>')],
  MESSAGE_ID_CLAIMS_US: [
    e({ ownHosts: new Set(['mx.here.example']), ...NOTHING }, 'Message-ID: <1@mx.here.example>'),
    e({ ownHosts: new Set(['mx.here.example']), authenticated: true }, 'Message-ID: <1@mx.here.example>'),
  ],
  FIELDS_REPEATED: [h('Subject: a', 'Subject: b'), h('Comments: a', 'Comments: b')],
  FIELD_BROKEN: [factsOf(Buffer.from('From: a@b.example\r\nno colon\r\n\r\nx')), h()],
  HEADER_RAW_OCTETS: [factsOf(Buffer.from('Subject: caf\xe9\r\n\r\nx', 'latin1')), subject('café')],
  SUBJECT_NEEDLESSLY_ENCODED: [subject('=?utf-8?B?ZnJlZSBvZmZlcg==?='), subject('=?utf-8?B?R3LDvMOfZQ==?=')],
  REPLY_WITHOUT_ORIGINAL: [
    subject('Re: your order'),
    subject('Re: your order', 'In-Reply-To: <1@b.example>'),
  ],
  PRIORITY_HIGH: [h('X-Priority: 1 (Highest)'), h('X-Priority: 3')],
  SENT_BY_WEB_SCRIPT: [
    h('X-PHP-Originating-Script: 33:mailer.php'),
    h('X-PHP-Originating-Script: 33:x.php', 'List-Id: <x.example>'),
  ],
  TO_MISSING: [h('To:'), h('To:', 'Cc: bob@here.example')],
  TO_UNDISCLOSED: [
    h('To: undisclosed-recipients:;'),
    h('To: undisclosed-recipients:;', 'List-Id: <x.example>'),
  ],
  TO_IS_FROM: [h('To: ann@sender.example'), e(PASS, 'To: ann@sender.example')],
  TO_NOT_YOU: [e({ recipients: ['carl@here.example'] }), e({ recipients: ['bob@here.example'] })],
  RECIPIENTS_ALIKE: [
    h(`To: ${row(10, (i) => `bob${i}@here.example`)}`),
    h(`To: ${row(10, (i) => `${'qwertyuiop'[i]}${'zxcvbnmlkj'[i]}x@d${i}.example`)}`),
  ],
  RECIPIENTS_MANY: [
    h(`To: ${row(40, (i) => `x${i}@d${i}.example`)}`),
    h(`To: ${row(20, (i) => `x${i}@d${i}.example`)}`),
  ],
  FROM_REPLYTO_DIFF_FREEMAIL: [
    h('Reply-To: x@gmail.com'),
    h('Reply-To: x@gmail.com', 'List-Id: <x.example>'),
  ],
  REPLY_TO_OTHER_FREEMAIL: [
    from('a@gmail.com', 'Reply-To: b@yahoo.com'),
    from('a@gmail.com', 'Reply-To: A@gmail.com'),
  ],
  BULK_WITH_EXIT: [
    e(PASS, 'List-Unsubscribe: <https://x.example/u>', 'List-Unsubscribe-Post: List-Unsubscribe=One-Click'),
    e(
      NOTHING,
      'List-Unsubscribe: <https://x.example/u>',
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    ),
  ],
  BULK_TO_STRANGER: [h('Precedence: bulk'), h('Precedence: bulk', 'List-Unsubscribe: <mailto:u@x.example>')],
};

const subjectCases: Cases = {
  SUBJECT_EMPTY: [h('Subject: '), subject('x')],
  SUBJECT_SHOUTS: [subject('BUY THIS NOW PLEASE'), subject('CVE-2026-1234 NASA')],
  SUBJECT_EXCLAIMS: [subject('Free!! Now'), subject('Happy birthday!')],
  SUBJECT_PROMISES_MONEY: [subject('Earn $5,000 this month'), subject('Invoice over $5,000 for March')],
  SUBJECT_SPACED_OUT: [subject('V i a g r a for you'), subject('Plan B is A - OK')],
  SUBJECT_TRAILING_CODE: [subject('Low rates            xk29dl'), subject('Low rates (second draft)')],
  SUBJECT_NAMES_RECIPIENT: [subject('bob@here.example, you won'), subject('bobsleigh races')],
  SUBJECT_ADVERTISEMENT: [subject('ADV: Great offer'), subject('Advice on the draft')],
  SUBJECT_THREATENS_ACCOUNT: [subject('Your account has been suspended'), subject('Account of our trip')],
  SUBJECT_LOOKALIKE_LETTERS: [subject('Your p\u0430yp\u0430l bill'), subject('Привет Anna')],
  SUBJECT_HIDDEN_CHARACTERS: [subject('vi\u200bagra'), subject('one \u200b two')],
  SUBJECT_STYLED: [subject('\u{1d405}\u{1d411}\u{1d404}\u{1d404} now'), subject('5\u2103 and \u2122')],
  SUBJECT_TURNED_AROUND: [subject('abc\u202etxt.exe'), subject('\u2067שלום\u2069')],
  SUBJECT_MANY_PICTURES: [subject('\u{1f600}\u{1f600}\u{1f600}\u{1f600} sale'), subject('\u{1f600} sale')],
  SUBJECT_CONTROL_CHARACTERS: [subject('a\u0001b'), subject('a b')],
};

const file = (
  name: string,
  octets: Buffer,
  type?: string,
  text?: string,
  ...header: string[]
): MessageFacts =>
  factsOf(withFiles([type === undefined ? { name, octets } : { name, octets, type }], text, header));
const text = (content: string): Buffer => Buffer.from(content, 'latin1');
const docx = (...more: { name: string; data?: Buffer }[]): Buffer =>
  zip([{ name: '[Content_Types].xml' }, ...more]);
const xls = (sheetType: string): Buffer =>
  Buffer.concat([
    text('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
    Buffer.from('Workbook', 'utf16le'),
    text(`\x85\0\x0e\0\0\0\0\0\0${sheetType}\x06\0Macro1`),
    Buffer.alloc(40),
  ]);
const remote = (target: string): { name: string; data: Buffer } => ({
  name: 'word/_rels/settings.xml.rels',
  data: text(`attachedTemplate" Target="${target}"`),
});
const locked = zip([{ name: 'a.txt', encrypted: true }]);

const attachmentCases: Cases = {
  EXECUTABLE_ATTACHMENT: [file('setup.exe', PROGRAM), file('exe.pdf', text('%PDF-1.4'))],
  EXECUTABLE_IN_ARCHIVE: [
    file('x.zip', zip([{ name: 'a/b.exe' }])),
    file('x.zip', zip([{ name: 'www.example.com' }, { name: 'build.sh' }])),
  ],
  SCRIPT_ATTACHMENT: [file('x.vbs', text('MsgBox 1')), file('x.py', text('print(1)'))],
  SHORTCUT_ATTACHMENT: [
    file('x.lnk', text('L\0\0\0\x01\x14\x02\0')),
    file('x.url', text('[InternetShortcut]')),
  ],
  WEB_SHORTCUT_ATTACHMENT: [file('x.url', text('[InternetShortcut]')), file('url.txt', text('x'))],
  DISK_IMAGE_ATTACHMENT: [file('x.img', Buffer.alloc(50)), file('img.png', text('\x89PNG'))],
  MACRO_DOC: [
    file('x.docx', docx({ name: 'word/vbaProject.bin' })),
    file('x.docx', docx({ name: 'word/document.xml' })),
  ],
  MACRO_SHEET_OLD: [file('x.xls', xls('\x01')), file('x.xls', xls('\0'))],
  ENCRYPTED_ARCHIVE: [file('x.zip', locked), file('x.zip', zip([{ name: 'a.txt' }]))],
  ENCRYPTED_ARCHIVE_WITH_KEY: [
    file('x.zip', locked, undefined, 'The password is 1234'),
    file('x.zip', locked, undefined, 'I call you about it'),
  ],
  ARCHIVE_BOMB: [
    file('x.zip', zip([{ name: 'z', claims: 4_000_000_000 }])),
    file('x.zip', zip([{ name: 'z', claims: 4000 }])),
  ],
  ARCHIVE_IN_ARCHIVE: [file('x.zip', zip([{ name: 'y.zip' }])), file('x.zip', zip([{ name: 'zip.txt' }]))],
  ARCHIVE_RARE: [
    file('x.cab', Buffer.concat([text('MSCF'), Buffer.alloc(60)])),
    file('x.zip', zip([{ name: 'a.txt' }])),
  ],
  ARCHIVE_ONE_SCRIPTABLE_PAGE: [
    file('x.zip', zip([{ name: 'invoice.html' }])),
    file('x.zip', zip([{ name: 'a.html' }, { name: 'b.css' }])),
  ],
  DOUBLE_EXTENSION: [file('scan.pdf.exe', PROGRAM), file('jquery.min.js', text('x'))],
  FILE_NAME_TURNED_AROUND: [file('a\u202efdp.exe', PROGRAM), file('\u2067דוח\u2069.pdf', text('%PDF-1.4'))],
  FILE_NAME_ODD: [file('../x.txt', text('x')), file('x.y.txt', text('x'))],
  FILE_DISGUISED: [file('photo.jpg', PROGRAM), file('letter.doc', text('{\\rtf1}'))],
  PAGE_ATTACHED: [
    file('x.html', text('<html><p>x')),
    file('x.html', text('<html><p>x'), undefined, undefined, 'In-Reply-To: <1@b.example>'),
  ],
  PAGE_ATTACHED_ACTIVE: [file('x.htm', text('<html><script>x</script>')), file('x.htm', text('<html><p>x'))],
  DRAWING_ACTIVE: [
    file('x.svg', text('<svg><script>x</script></svg>')),
    file('x.svg', text('<svg><path d="M0"/></svg>')),
  ],
  NOTEBOOK_ATTACHED: [file('x.one', text('\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d')), file('one.txt', text('x'))],
  DOCUMENT_LOADS_MORE: [
    file('x.docx', docx(remote('http://evil.example/t.dotm'))),
    file('x.docx', docx(remote('Normal.dotm'))),
  ],
  RTF_WITH_OBJECT: [
    file('x.rtf', text('{\\rtf1{\\object\\objdata 01}}')),
    file('x.rtf', text('{\\rtf1 objdata}')),
  ],
  PDF_ACTIVE: [file('x.pdf', text('%PDF-1.4 /JavaScript')), file('x.pdf', text('%PDF-1.4 /OpenAction'))],
  FILE_NAMED_LIKE_YOU: [
    file('message-robert.html', text('<html><p>x'), undefined, undefined, 'To: robert@here.example'),
    file('message-robert.pdf', text('%PDF-1.4'), undefined, undefined, 'To: robert@here.example'),
  ],
};

const cases: Cases = {
  ...transportCases,
  ...fromCases,
  ...headerCases,
  ...subjectCases,
  ...contentCases,
  ...attachmentCases,
};

function applies(name: string, given: Given): boolean {
  const [found, evidence] = 'subject' in given ? [given, {}] : given;
  return evaluate(found, evidence).some((hit) => hit.name === name);
}

for (const [name, [positive, close]] of Object.entries(cases)) {
  test(`${name} applies, and not to what comes close`, () => {
    assert.equal(applies(name, positive), true, 'applies');
    assert.equal(applies(name, close), false, 'does not apply');
  });
}

test('every rule has its case, and no case is left over', () => {
  assert.deepEqual(Object.keys(cases).toSorted(), rules.map(({ name }) => name).toSorted());
});

test('names are unique, explanations plain lines', () => {
  assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length);
  for (const { name, explain, lever, score } of rules) {
    assert.match(name, /^[A-Z][A-Z0-9_]+$/);
    assert.ok(explain.length < 120 && !/[.\n]$/.test(explain), explain);
    assert.ok(lever === undefined || !lever.endsWith('.'), lever);
    assert.ok(Math.abs(score) >= 0.1 && Math.abs(score) <= 5, name);
    assert.ok(!/\b(?:RFC|MTA|PTR|MIME|octet-stream|regex)\b/.test(explain), `${name}: words of the trade`);
  }
});

test('an ordinary message is hit by nothing', () => {
  assert.deepEqual(evaluate(facts()), []);
  assert.deepEqual(
    evaluate(facts(), { helo: 'mail.sender.example', rdns: 'mail.sender.example', iprev: 'pass', tls: true }),
    [],
  );
});

test('a modern newsletter is hit by next to nothing', () => {
  const html = `<html><head><title>News</title><style>.preheader{display:none}.btn{background:#06c;color:#fff}@media screen{.m{display:none}}</style></head>
    <body style="background:#f4f4f4"><div class="preheader">This week: ten recipes${'&zwnj;&nbsp;'.repeat(80)}</div>
    <table bgcolor="#000000"><tr><td bgcolor="#ffffff"><h1>Ten recipes \u{1f373}</h1><p>${ORDINARY_TEXT.repeat(3)}</p>
    <a class="btn" href="https://click.news.example/c/123">Read on</a> <a href="https://click.news.example/c/124">www.recipes.example</a>
    <img src="https://cdn.news.example/a.png"><img src="https://t.news.example/o.gif" width="1" height="1">
    <a href="https://news.example/unsubscribe">Unsubscribe</a></td></tr></table></body></html>`;
  const found = htmlFacts(html, [
    'From: Recipes <news@news.example>',
    'List-Unsubscribe: <https://news.example/u>',
    'List-Id: <news.example>',
    'Precedence: bulk',
  ]);
  const evidence: RuleEvidence = { dmarc: { result: 'pass', policy: 'reject', domain: 'news.example' } };
  const total = evaluate(found, evidence).reduce((sum, { score }) => sum + score, 0);
  assert.ok(total <= 0, JSON.stringify(evaluate(found, evidence)));
});

test('brands that are names of people and places too count alone or as a service', () => {
  const borrowed = (name: string): boolean =>
    applies('BRAND_DISPLAY_NAME', from(`"${name}" <x@evil.example>`));
  for (const name of [
    'Amazon',
    'Amazon.com',
    'Norton Customer Support',
    'STEAM Support Team',
    'PayPal for John',
  ]) {
    assert.equal(borrowed(name), true, name);
  }
  for (const name of ['Amazon Watch', 'Edward Norton', 'Steam Railway Society', 'Maria Santander']) {
    assert.equal(borrowed(name), false, name);
  }
  assert.equal(
    applies('BRAND_DISPLAY_NAME', from('"microsoft/TypeScript" <notifications@github.com>')),
    false,
  );
});

test('hits come gravest first, with a detail and what would change it', () => {
  const [first, ...rest] = evaluate(file('x.zip', zip([{ name: 'invoice.exe' }]), undefined, ''));
  assert.equal(first?.name, 'EXECUTABLE_IN_ARCHIVE');
  assert.match(first?.text ?? '', /: invoice\.exe$/);
  assert.match(first?.lever ?? '', /link/);
  assert.ok(rest.every(({ score }) => Math.abs(score) <= 4));
});
