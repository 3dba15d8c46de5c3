/** Cases for the rules over structure, HTML, letters, links and text. */
import { facts, factsOf, htmlFacts, message, ORDINARY_TEXT, withFiles } from '../facts/fixtures.ts';
import type { MessageFacts } from '../facts/types.ts';
import type { RuleEvidence } from './types.ts';

export type Given = MessageFacts | readonly [MessageFacts, RuleEvidence];
/** A message that a rule applies to, and one that comes close. */
export type Cases = Record<string, readonly [applies: Given, close: Given]>;

const b = (body: string, ...header: string[]): MessageFacts => facts({ header, body });
const page = (html: string, ...header: string[]): MessageFacts => htmlFacts(html, header);
const link = (url: string, shown = 'here', ...header: string[]): MessageFacts =>
  page(`<p>${ORDINARY_TEXT}</p><a href="${url}">${shown}</a>`, ...header);
const parts = (kind: string, ...bodies: string[]): MessageFacts =>
  b(
    `${bodies.map((body) => `--b\r\n${body}\r\n`).join('')}--b--\r\n`,
    `Content-Type: multipart/${kind}; boundary=b`,
  );
const bulk = 'List-Id: <news.example>';
const reply = 'In-Reply-To: <1@here.example>';
const WORDS =
  'Meadow river cabin winter breeze stones candle market harbour lantern orchard pebble saddle timber valley willow yonder zephyr amber basket copper dusty ember fable garden hollow island jasper kettle linen marble nectar olive pepper quarry ribbon silver thistle umber velvet';

const structureCases: Cases = {
  MIME_END_MISSING: [
    b('--b\r\n\r\nx\r\n', 'Content-Type: multipart/mixed; boundary=b'),
    b('--b\r\n\r\nx\r\n--b--', 'Content-Type: multipart/mixed; boundary=b'),
  ],
  MIME_BROKEN: [
    b('x', 'Content-Type: multipart/mixed; boundary=b'),
    b('x', 'Content-Type: text/plain; boundary=b'),
  ],
  MIME_VERSION_MISSING: [page('<p>x', 'MIME-Version:'), b('x', 'MIME-Version:')],
  MIME_TOO_DEEP: [
    b(
      Array.from(
        { length: 20 },
        (_, i) => `--b${i}\r\nContent-Type: multipart/mixed; boundary=b${i + 1}\r\n\r\n`,
      ).join(''),
      'Content-Type: multipart/mixed; boundary=b0',
    ),
    parts('mixed', ...Array.from({ length: 60 }, () => '\r\nx')),
  ],
  MIME_SPLIT_OR_ELSEWHERE: [
    b('x', 'Content-Type: message/partial; id=a; number=1'),
    b('\r\nx', 'Content-Type: message/rfc822'),
  ],
  ALTERNATIVES_DIFFER: [
    parts('alternative', `\r\n${WORDS}`, `Content-Type: text/html\r\n\r\n<p>${ORDINARY_TEXT}</p>`),
    parts(
      'alternative',
      `\r\n${ORDINARY_TEXT} ${WORDS}`,
      `Content-Type: text/html\r\n\r\n<p>${ORDINARY_TEXT}</p>`,
    ),
  ],
  TEXT_BEHIND_PADDING: [page(`<!--${'x '.repeat(50_000)}--><p>Buy now`), b(ORDINARY_TEXT.repeat(600))],
  HTML_ALONE: [page('<p>x'), page('<p>x', bulk)],
  CHARSET_UNKNOWN: [
    b('x', 'Content-Type: text/plain; charset=x-none'),
    b('x', 'Content-Type: text/plain; charset=Windows-1252'),
  ],
  ENCODING_UNKNOWN: [
    b('x', 'Content-Transfer-Encoding: eightbit'),
    b('x', 'Content-Transfer-Encoding: 8BIT'),
  ],
  TEXT_NEEDLESSLY_PACKED: [
    b('aGVsbG8gd29ybGQ=', 'Content-Transfer-Encoding: base64', 'Content-Type: text/plain; charset=us-ascii'),
    b('aGVsbG8gd29ybGQ=', 'Content-Transfer-Encoding: base64', 'Content-Type: text/plain; charset=utf-8'),
  ],
  PACKING_BROKEN: [
    b('aGVs!!!!!bG8=', 'Content-Transfer-Encoding: base64'),
    b('aGVsbG8=\r\n-- \r\n', 'Content-Transfer-Encoding: base64'),
  ],
  NUL_OCTETS: [b('a\0b'), b('a\u0001b')],
  TEXT_DAMAGED: [
    factsOf(
      Buffer.concat([
        message({ header: ['Content-Type: text/plain; charset=utf-8'], body: 'words ' }),
        Buffer.alloc(60, 0xe9),
      ]),
    ),
    factsOf(
      Buffer.concat([
        message({ header: ['Content-Type: text/plain; charset=iso-8859-1'], body: 'words ' }),
        Buffer.alloc(60, 0xe9),
      ]),
    ),
  ],
  TEXT_CONTROL_CHARACTERS: [b(`words ${'\u0001'.repeat(9)}`), b('words\f\u0001\r\n')],
  ONLY_A_PICTURE: [
    parts(
      'related',
      'Content-Type: text/html\r\n\r\n<img src="cid:x">',
      'Content-Type: image/png\r\nContent-ID: <x>\r\n\r\n\x89PNG',
    ),
    parts(
      'related',
      `Content-Type: text/html\r\n\r\n<p>${ORDINARY_TEXT}<img src="cid:x">`,
      'Content-Type: image/png\r\nContent-ID: <x>\r\n\r\n\x89PNG',
    ),
  ],
  REPORT_OF_NOTHING: [
    page('<a href="http://x.example/">Release messages</a>', 'Subject: Undelivered messages for you'),
    page('<p>The message could not be delivered.', 'Subject: Undelivered messages for you'),
  ],
};

const secret = 'hidden words about gardening and weather '.repeat(15);
const htmlCases: Cases = {
  HIDDEN_TEXT: [
    page(`<p>Buy now</p><div style="display:none">${secret}</div>`),
    page(`<div style="display:none">A line for the preview of this mail</div><p>${ORDINARY_TEXT}`),
  ],
  TEXT_COLOUR_OF_PAPER: [
    page(`<p>Buy now</p><font color=white>${secret}</font>`),
    page(`<table bgcolor=black><td><font color=white>${secret}</font></table>`),
  ],
  TEXT_TOO_SMALL: [
    page(`<p>Buy now</p><p style="font-size:1px">${secret}`),
    page(`<div style="font-size:0"><p style="font-size:12px">${secret}</p></div>`),
  ],
  TEXT_OUT_OF_SIGHT: [
    page(`<p>Buy</p><p style="text-indent:-9999px">${secret}`),
    page(`<p style="margin-left:-10px">${secret}`),
  ],
  WORDS_SPLIT: [
    page('v<!--x-->i<!--y-->a<!--z-->g<!--w-->ra'),
    page('one<!--x--> two<!--y--> three<!--z--> four<!--w-->'),
  ],
  NOISE_TAGS: [
    page('<kx1>b</kx1><zz2>u<qq3>y<ww4> <ee5>n<rr6>o<tt7>w<yy8>'),
    page('<o:p>a</o:p><v:x>b</v:x><st1:place>c</st1:place><o:p>d</o:p><o:p>e</o:p><o:p>f</o:p><o:p>g</o:p>'),
  ],
  LETTERS_AS_NUMBERS: [page('&#102;&#114;&#101;&#101;'.repeat(12)), page(`${'&eacute;&#233;'.repeat(40)}`)],
  ASKS_FOR_PASSWORD: [
    page('<form><input type="password"></form>'),
    page('<form><input type="text" name="password"></form>'),
  ],
  FORM_IN_MAIL: [
    page('<form action="http://x.example/"><input name=a></form>'),
    page('<form action="http://x.example/"><input name=a></form>', bulk),
  ],
  FORM_TO_NUMBER: [
    page('<form action="http://192.0.2.1/"><input></form>'),
    page('<form action="http://x.example/"><input></form><a href="http://192.0.2.1/">x</a>'),
  ],
  SCRIPT_IN_MAIL: [page('<script>x()</script><p>text'), page('<p>&lt;script&gt;')],
  PAGE_WRITES_ITSELF: [
    page('<script>document.write(unescape("%3Cp%3E"))</script>'),
    page(`<script>document.write(1)</script><p>${ORDINARY_TEXT.repeat(2)}`),
  ],
  HANDLERS_IN_MAIL: [page('<p onmouseover="a()" onclick="b()" onload="c()">x'), page('<p onclick="a()">x')],
  OBJECT_IN_MAIL: [page('<embed src="x.swf">'), page('<p>object')],
  MOVES_ON_BY_ITSELF: [
    page('<meta http-equiv="refresh" content="0;url=http://x.example/">'),
    page('<meta http-equiv="Content-Type" content="text/html">'),
  ],
  PICTURE_INSTEAD_OF_TEXT: [
    page('<a href="http://x.example/"><img src="http://x.example/a.png"></a>'),
    page(`<p>${ORDINARY_TEXT}</p><a href="http://x.example/"><img src="http://x.example/a.png"></a>`),
  ],
};

const unicodeCases: Cases = {
  LOOKALIKE_LETTERS: [b('Your p\u0430yp\u0430l \u0430cc\u043eunt'), b('Привет, Anna и Bob из Berlin')],
  MIXED_ALPHABETS: [b('abж cdж efж ghж ijж'), b('ж a ж b ж c ж d')],
  ZERO_WIDTH: [
    b('fr\u200bee of\u200bfer no\u200bw to\u200bda\u200by'),
    b('free\u200b offer\u200b now\u200b today\u200b yes\u200b'),
  ],
  TEXT_TURNED_AROUND: [
    b('\u202ea\u202eb\u202ec\u202ed'),
    b('\u2067שלום\u2069 \u2067שלום\u2069 \u2067שלום\u2069'),
  ],
  STYLED_LETTERS: [
    b('\u{1d405}\u{1d411}\u{1d404}\u{1d404} '.repeat(6)),
    b(`${'E=mc\u00b2, 20 \u2103 '.repeat(20)}`),
  ],
  WIDE_LETTERS: [
    b('ＦＲＥＥ ＯＦＦＥＲ ＮＯＷ ＴＯＤＡＹ ＹＥＳ'),
    b(`ＡＢＣ株式会社ＤＥＦの${'日本語の文章です。'.repeat(9)}ＧＨＩＪＫＬＭＮＯＰ`),
  ],
  STACKED_MARKS: [
    b(`h${'\u0301'.repeat(12)}i${'\u0302'.repeat(12)} you`),
    b('re\u0301sume\u0301 cafe\u0301 '.repeat(20)),
  ],
  MANY_PICTURE_CHARACTERS: [b('\u{1f525} hot \u{1f525} '.repeat(10)), b(`${ORDINARY_TEXT}\u{1f600}`)],
  FOREIGN_LANGUAGE: [
    [
      b(
        'Sehr geehrte Damen und Herren, bitte beachten Sie, dass wir die Rechnung für den Monat nicht erhalten haben.',
      ),
      { languages: new Set(['en']) },
    ],
    [b(ORDINARY_TEXT), { languages: new Set(['en']) }],
  ],
  FOREIGN_SCRIPT: [
    [
      b('Здравствуйте, мы предлагаем вам новые условия работы с нашей компанией'),
      { languages: new Set(['en', 'de']) },
    ],
    [
      b('Здравствуйте, мы предлагаем вам новые условия работы с нашей компанией'),
      { languages: new Set(['en', 'ru']) },
    ],
  ],
};

const urlCases: Cases = {
  LINK_TO_NUMBER: [link('http://192.0.2.77/x'), link('http://192.168.1.1/')],
  LINK_TO_DISGUISED_NUMBER: [link('http://3232235777/'), link('http://192.0.2.1/')],
  LINK_WITH_DECOY_NAME: [
    link('http://www.bank.com@evil.example/'),
    link('http://medium.example/@someone/post'),
  ],
  LINK_ODD_PORT: [link('http://x.example:8181/'), link('http://x.example:8080/')],
  LINK_LOOKALIKE_LETTERS: [link('http://p\u0430yp\u0430l.example/'), link('http://b\u00fccher.example/')],
  LINK_SHORTENED: [link('https://bit.ly/x'), link('https://abit.ly.example/x')],
  LINK_SHORTENED_ONLY: [
    page('<p>look</p><a href="https://bit.ly/x">here</a>'),
    page('<p>look</p><a href="https://bit.ly/x">here</a><a href="https://x.example/">x</a>'),
  ],
  LINK_TEXT_MISMATCH: [
    link('http://evil.example/', 'www.bank.example'),
    link('http://login.bank.example/', 'www.bank.example'),
  ],
  LINK_TEXT_BORROWS_BRAND: [
    link('http://evil.example/', 'www.paypal.com'),
    link('http://www.paypal.com/x', 'www.paypal.com'),
  ],
  LINK_HOST_LIKE_BRAND: [link('http://paypal.com.login.example/'), link('http://paypal.com/')],
  LINK_CHEAP_NAME: [link('http://deal.icu/'), link('http://icu.example/')],
  LINK_TO_PROGRAM: [link('http://x.example/invoice.exe'), link('http://x.example/exe.html')],
  LINK_RUNS_SCRIPT: [link('data:text/html;base64,PHA+'), link('javascript:void(0)')],
  LINK_TO_FILE_SHARE: [link('file://evil.example/share/x'), link('file:///C:/x')],
  LINK_ESCAPED_HOST: [link('http://%65vil.example/'), link('http://x.example/%65')],
  LINK_NEEDLESSLY_ESCAPED: [
    link('http://x.example/%61%62%63%64%65%66'),
    link('http://x.example/a%20b%20c%20d%20e%20f'),
  ],
  LINK_LONG_HOST: [link('http://a.b.c.d.e.f.g.example/'), link('http://a.b.c.example/')],
  LINK_TO_FREE_PAGE: [link('https://login-a1.web.app/'), link('https://web.app.example/')],
  LINK_REDIRECTED: [
    link('https://r.example/go?u=https%3A%2F%2Fevil.example%2F'),
    link('https://r.example/go?u=https%3A%2F%2Fr.example%2F'),
  ],
  LINK_CARRIES_YOUR_ADDRESS: [
    link('https://x.example/#bob@here.example'),
    link('https://x.example/#bob@here.example', 'here', bulk),
  ],
  LINK_TO_CHAT: [page('<p>Write me</p><a href="https://wa.me/123">chat</a>'), link('https://wa.me.example/')],
  PICTURES_FROM_NUMBER: [
    page('<img src="http://192.0.2.1/a.gif">'),
    page('<img src="http://10.0.0.1/a.gif">'),
  ],
  LINK_BROKEN_UP: [b('Visit cheapmeds (dot) com today'), b('the dot product of com and x')],
};

const SEO = 'http://x.example/';
const bodyCases: Cases = {
  BODY_EMPTY: [b(''), b('ok, fine')],
  EMPTY_BODY_WITH_ATTACHMENT: [
    factsOf(withFiles([{ name: 'x.pdf', octets: Buffer.from('%PDF-1.4') }], '')),
    factsOf(withFiles([{ name: 'x.pdf', octets: Buffer.from('%PDF-1.4') }], '', [reply])),
  ],
  BODY_SHORT_WITH_LINK: [b(`Look at this ${SEO}`), b(`Look at this ${SEO}`, reply)],
  BODY_SHOUTS: [b(ORDINARY_TEXT.toUpperCase().repeat(2)), b(`${ORDINARY_TEXT} NASA AND ESA`)],
  BODY_SPACED_OUT: [b('buy v.i.a.g.r.a now'), b('the U.S.A. and the a.m. train')],
  ASKS_FOR_ADVANCE: [
    b(
      'Dear friend, I am the widow of a minister of Nigeria. The sum of 20 million USD is to be transferred; I need your assistance and utmost confidential trust. You get 20 percent as commission.',
    ),
    b(
      'The fund raised two million USD in Nigeria; see our report on the transfer of knowledge and your account manager.',
    ),
  ],
  LOTTERY_WON: [
    b(
      'Your address has won the lottery: you have won a prize of one million euros. Claim it with your batch number.',
    ),
    b('The lottery funds one million trees; claim your tree.'),
  ],
  EXTORTS_WITH_SHAME: [
    b(
      'I hacked your device and recorded you with your camera. Pay 900 in bitcoin to 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa within 48 hours or all your contacts see it.',
    ),
    b('The bitcoin meetup is streamed; your camera can stay off. It takes 48 hours until the video is up.'),
  ],
  COIN_ADDRESS: [
    b('Send bitcoin to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'),
    b('bitcoin and commit 1f3a9c0de77abc'),
  ],
  WANTS_CREDENTIALS: [
    b(`Your account is suspended. Verify it within 24 hours: ${SEO}`),
    b(`Your account statement for May is ready. ${SEO}`),
  ],
  MAILBOX_FULL_TRICK: [
    b(`Your mailbox quota is exceeded. Upgrade it here: ${SEO}`),
    b(`Please put the parcel into the mail box. ${SEO}`),
  ],
  PARCEL_TRICK: [
    b(`Your parcel waits at customs. Confirm the payment of the fee: ${SEO}`),
    b(`Your parcel is on its way. ${SEO}`),
  ],
  CALL_ABOUT_INVOICE: [
    b(
      'Invoice: your Norton subscription was charged with $399. To cancel call our customer support at +1 (888) 555-0123.',
    ),
    b('Invoice for your subscription. Your card was charged. Norton Street office, phone +1 (888) 555-0123.'),
  ],
  WANTS_GIFT_CARDS: [
    b('Are you available? I am in a meeting and need some gift cards from the store.'),
    b('The raffle has gift cards from the store as prizes.'),
  ],
  URGENT_FAVOUR: [
    b('Are you at your desk? I need a quick favour.', 'From: Boss <boss@gmail.com>'),
    b('Are you at your desk? I need a quick favour.', 'From: Boss <boss@gmail.com>', reply),
  ],
  PAYS_TO_NEW_ACCOUNT: [
    b('I have switched banks. Please update my direct deposit with the new account before the next payroll.'),
    b('The bank details are on the invoice as always. Thank you for the remittance.'),
  ],
  DENIES_BEING_SPAM: [b('This is not spam. You opted in.'), b('How do I know that this is not harmful?')],
  REMOVE_ME_BY_MAIL: [
    b('To stop, reply with "remove" in the subject line.'),
    b('To remove the cover, turn the screws.'),
  ],
  PROMISES_WITHOUT_RISK: [
    b('100% satisfaction guaranteed, absolutely free trial, act now, lowest price!'),
    b('The trial is free. We cannot guarantee a date.'),
  ],
  SELLS_MEDICINE: [
    b('Viagra without prescription, order now with free shipping'),
    b('The doctor said that Viagra is a vasodilator', reply),
  ],
  DEAR_NOBODY: [b('Dear customer, we write to you'), b('Dear Bob, the customer wrote to us')],
  TEXT_OF_CODES: [b('Buy now\r\n\r\nxkqzwtrbvnmpl'), b('Best wishes\r\n\r\nchristopherson')],
};

export const contentCases: Cases = {
  ...structureCases,
  ...htmlCases,
  ...unicodeCases,
  ...urlCases,
  ...bodyCases,
};
