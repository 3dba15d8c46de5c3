import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ImapUrl, parseImapUrl } from './imap-url.ts';

function url(more: Partial<ImapUrl>): ImapUrl {
  return {
    server: undefined,
    mailbox: 'INBOX',
    uidvalidity: undefined,
    uid: 1,
    section: '',
    partial: undefined,
    auth: undefined,
    ...more,
  };
}

const server = { user: undefined, host: 'mail.example', port: undefined };

const GOOD: readonly (readonly [string, Partial<ImapUrl>])[] = [
  ['/INBOX/;UID=1', {}],
  ['/INBOX/;uid=4294967295', { uid: 4294967295 }],
  [';UID=7/;SECTION=1.2', { mailbox: undefined, uid: 7, section: '1.2' }],
  ['/a/b%20c/;UID=1', { mailbox: 'a/b c' }],
  [
    '/%E2%82%AC;UIDVALIDITY=9/;UID=1/;PARTIAL=5',
    { mailbox: '€', uidvalidity: 9, partial: { offset: 5, count: undefined } },
  ],
  [
    '/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(DATE%20FROM)/;PARTIAL=0.1024',
    { section: 'HEADER.FIELDS (DATE FROM)', partial: { offset: 0, count: 1024 } },
  ],
  ['imap://mail.example/INBOX/;UID=1', { server }],
  ['IMAP://MAIL.example:143/INBOX/;UID=1', { server: { ...server, port: 143 } }],
  ['imap://joe@mail.example/INBOX/;UID=1', { server: { ...server, user: 'joe' } }],
  [
    'imap://joe%40x.example;AUTH=*@mail.example/INBOX/;UID=1',
    { server: { ...server, user: 'joe@x.example' } },
  ],
  ['imap://;AUTH=SCRAM-SHA-256@mail.example/INBOX/;UID=1', { server }],
  [
    'imap://[2001:db8::1]:993/INBOX/;UID=1',
    { server: { user: undefined, host: '[2001:db8::1]', port: 993 } },
  ],
  [
    'imap://joe@mail.example/INBOX/;UID=1/;SECTION=1;EXPIRE=2026-11-21T10:00:00.5+01:30;URLAUTH=submit+fred',
    {
      server: { ...server, user: 'joe' },
      section: '1',
      auth: {
        expires: Date.UTC(2026, 10, 21, 8, 30, 0, 500),
        access: { kind: 'submit', user: 'fred' },
        rump: 'imap://joe@mail.example/INBOX/;UID=1/;SECTION=1;EXPIRE=2026-11-21T10:00:00.5+01:30;URLAUTH=submit+fred',
        verifier: undefined,
      },
    },
  ],
  [
    `imap://joe@mail.example/INBOX/;UID=1;URLAUTH=ANONYMOUS:Internal:${'aB'.repeat(16)}`,
    {
      server: { ...server, user: 'joe' },
      auth: {
        expires: undefined,
        access: { kind: 'anonymous' },
        rump: 'imap://joe@mail.example/INBOX/;UID=1;URLAUTH=ANONYMOUS',
        verifier: { mechanism: 'INTERNAL', token: 'ab'.repeat(16) },
      },
    },
  ],
];

for (const [text, expected] of GOOD) {
  test(`read: ${text}`, () => assert.deepEqual(parseImapUrl(text), url(expected)));
}

const BAD: readonly string[] = [
  '',
  '/',
  'INBOX/;UID=1',
  '//mail.example/INBOX/;UID=1',
  'http://mail.example/INBOX/;UID=1',
  'imaps://mail.example/INBOX/;UID=1',
  'imap://mail.example',
  'imap://mail.example/INBOX',
  'imap:///INBOX/;UID=1',
  'imap://@mail.example/INBOX/;UID=1',
  'imap://joe:secret@mail.example/INBOX/;UID=1',
  'imap://mail.example:port/INBOX/;UID=1',
  'imap://mail.example/;UID=1',
  '/INBOX/;UID=0',
  '/INBOX/;UID=4294967296',
  '/INBOX/;UID=1x',
  '/INBOX/;UID=',
  '/INBOX;UIDVALIDITY=0/;UID=1',
  '/INBOX;OTHER=0/;UID=1',
  '/INBOX?SUBJECT%20x/;UID=1',
  '/INB OX/;UID=1',
  '/INBOX%00/;UID=1',
  '/INBOX%0d%0a/;UID=1',
  '/INBOX%FF/;UID=1',
  '/INBOX%4/;UID=1',
  '/INBOX/;UID=1/',
  '/INBOX/;UID=1/;SECTION=',
  '/INBOX/;UID=1/;PARTIAL=1/;SECTION=1',
  '/INBOX/;UID=1/;PARTIAL=1/;PARTIAL=1',
  '/INBOX/;UID=1/;PARTIAL=1.0',
  '/INBOX/;UID=1/;PARTIAL=1.2.3',
  '/INBOX/;UID=1/;PARTIAL=-1',
  // Authorization needs a server, an access identifier, and all of its token.
  '/INBOX/;UID=1;URLAUTH=anonymous',
  'imap://mail.example/INBOX/;UID=1;URLAUTH=',
  'imap://mail.example/INBOX/;UID=1;URLAUTH=user+',
  'imap://mail.example/INBOX/;UID=1;URLAUTH=everybody',
  'imap://mail.example/INBOX/;UID=1;URLAUTH=anonymous:internal',
  'imap://mail.example/INBOX/;UID=1;URLAUTH=anonymous:internal:12',
  `imap://mail.example/INBOX/;UID=1;URLAUTH=anonymous:internal:${'0'.repeat(32)}:x`,
  `imap://mail.example/INBOX/;UID=1;URLAUTH=anonymous:internal:${'g'.repeat(32)}`,
  'imap://mail.example/INBOX/;UID=1;EXPIRE=2026-02-30T10:00:00Z;URLAUTH=anonymous',
  'imap://mail.example/INBOX/;UID=1;EXPIRE=tomorrow;URLAUTH=anonymous',
  'imap://mail.example/INBOX/;UID=1;EXPIRE=2026-02-20T10:00:00Z',
  `/${'a'.repeat(5000)}/;UID=1`,
];

for (const text of BAD) {
  test(`refused: ${text.slice(0, 100)}`, () => assert.equal(parseImapUrl(text), undefined));
}

test('nothing makes it throw, and what is vouched for is how the URL begins', () => {
  const pieces = [
    'imap://',
    'a',
    '@',
    '%40',
    '%',
    '/',
    ';UID=',
    '1',
    ';SECTION=',
    '/;',
    ';URLAUTH=',
    'anonymous',
  ];
  const more = [
    'user+',
    ':internal:',
    '0'.repeat(32),
    ';EXPIRE=',
    '2026-01-01T00:00:00Z',
    '?',
    '\0',
    '\xff',
    '.',
  ];
  const text = fc.array(fc.oneof(fc.constantFrom(...pieces, ...more), fc.string()), { maxLength: 20 });
  fc.assert(
    fc.property(text, (parts) => {
      const given = parts.join('');
      const parsed = parseImapUrl(given);
      if (parsed === undefined) return;
      assert(parsed.uid >= 1);
      if (parsed.auth !== undefined) assert(given.startsWith(parsed.auth.rump));
    }),
    { numRuns: 5000 },
  );
});
