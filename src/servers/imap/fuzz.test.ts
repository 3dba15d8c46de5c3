import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imapTestServer } from '../../../test/support/imap-server.ts';

/** Commands to spoil: all of the grammar should be in them. */
const SEEDS = [
  'SELECT INBOX (CONDSTORE)',
  'EXAMINE "INBOX"',
  'LIST (SUBSCRIBED RECURSIVEMATCH) "" ("a*" %) RETURN (CHILDREN STATUS (MESSAGES SIZE))',
  'LSUB "" "%"',
  'STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)',
  'CREATE f/&U,BTFw-/x (USE (\\Archive))',
  'RENAME f g',
  'DELETE g/x',
  'SUBSCRIBE f',
  'APPEND INBOX (\\Seen kw) " 1-Feb-2026 10:00:00 +0000" {12+}\r\nSubject: x\r\n\r\n'.slice(0, -2),
  'APPEND INBOX (\\Draft) {3+}\r\nabc CATENATE (TEXT {3+}\r\nabc URL "/INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=1.2") UTF8 (~{3+}\r\nabc)',
  'REPLACE 1 INBOX (\\Seen) {12+}\r\nSubject: x\r\n',
  'UID REPLACE 1 INBOX CATENATE (URL ";UID=1" TEXT ~{2+}\r\nxx)',
  'GENURLAUTH "imap://alice%40example.test@mail.example.test/INBOX/;UID=1/;SECTION=1;URLAUTH=user+bob" INTERNAL',
  'URLFETCH ("imap://a@mail.example.test/INBOX/;UID=1;URLAUTH=authuser:internal:0123456789abcdef0123456789abcdef" BINARY BODYPARTSTRUCTURE)',
  'RESETKEY INBOX INTERNAL',
  'FETCH 1:* (PREVIEW (LAZY) PREVIEW UID)',
  'ENABLE UTF8=ACCEPT',
  'FETCH 1:*,2 (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[1.2.HEADER.FIELDS (From "To")]<0.10> BINARY[1]<1.2>)',
  'UID FETCH 1:* FULL (CHANGEDSINCE 3)',
  'STORE 1:2 (UNCHANGEDSINCE 5) +FLAGS.SILENT (\\Seen kw)',
  'UID STORE $ -FLAGS \\Deleted kw',
  'SEARCH RETURN (MIN MAX ALL COUNT SAVE) CHARSET UTF-8 OR (NOT SEEN SUBJECT "x") UID 1:* SINCE 1-Jan-2020',
  'UID SEARCH HEADER Subject {1+}\r\nx BODY y LARGER 10 MODSEQ "/flags/a" all 5',
  'SETMETADATA "" (/private/filters/values/f "OR SEEN FILTER g" /private/filters/values/g {1+}\r\nALL)',
  'UID SEARCH FILTER f UIDAFTER 1 UIDBEFORE 9',
  'COPY 1 Trash',
  'UID MOVE 3:* Archive',
  'UID EXPUNGE 1:3',
  'ID ("name" "x" "v" NIL)',
  'ENABLE CONDSTORE IMAP4rev2',
  'GETQUOTAROOT INBOX',
  'NOOP',
];

/** A small generator of pseudo-random numbers, so that a failure can be had again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SPLICES = [
  '(',
  ')',
  '"',
  '\\',
  '{3}',
  '{3+}',
  '*',
  '%',
  ' ',
  '[',
  ']',
  '<',
  '>',
  '$',
  ':',
  ',',
  'NIL',
  '4294967295',
  '99999999999999999999',
  '\0',
  '\xff',
  '&',
  '-',
  'BODY[',
  '~',
];

function spoiled(seed: string, pick: (below: number) => number): string {
  let text = seed;
  for (let times = 1 + pick(3); times > 0; times--) {
    const at = pick(text.length + 1);
    const kind = pick(4);
    const splice = SPLICES[pick(SPLICES.length)] ?? '';
    if (kind === 0) text = text.slice(0, at) + splice + text.slice(at);
    else if (kind === 1) text = text.slice(0, at) + text.slice(at + 1 + pick(5));
    else if (kind === 2) text = text.slice(0, at) + splice + text.slice(at + splice.length);
    else text = text.slice(0, at) + text.slice(pick(text.length + 1));
  }
  return text;
}

test('spoiled commands are answered and never meet a bug', async () => {
  const server = await imapTestServer({ limits: { errorsPerSession: 100_000 } });
  const pick = random(20261121);
  try {
    let c = await server.ready('INBOX');
    await c.append(
      'INBOX',
      'Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n',
    );
    let answered = 0;
    for (let i = 0; i < 1500; i++) {
      const seed = SEEDS[i % SEEDS.length] ?? 'NOOP';
      const text = i % 3 === 0 ? seed : spoiled(seed, pick);
      // Enough octets behind it for whatever literal it may announce, then a command that must be answered.
      c.send(`f${i} ${text}\r\n\r\nDONE\r\n\r\n\r\nsync${i} NOOP\r\n`);
      for (;;) {
        const response = await c.response();
        if (response === undefined) {
          c = await server.ready('INBOX');
          break;
        }
        if (response.startsWith('+ ')) c.send(`${'x'.repeat(100)}\r\n`);
        if (response.startsWith(`sync${i} `)) {
          answered++;
          break;
        }
      }
    }
    assert(answered > 1000, `${answered} answered`);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});
