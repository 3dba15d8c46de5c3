import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

let server: ImapTestServer;
let c: ImapClient;

/** What UID SEARCH finds. */
async function found(...query: (string | Buffer)[]): Promise<string> {
  const [first = '', ...more] = query;
  const [answer = ''] = await c.ok(`UID SEARCH ${String(first)}`, ...more);
  return answer.replace(/^SEARCH ?/, '');
}

before(async () => {
  server = await imapTestServer();
  c = await server.ready();
  // 1: encoded words and a base64 body in UTF-8, sent late on the day before in another zone.
  const text = Buffer.from('Grüße aus Köln\r\n').toString('base64');
  await c.append(
    'INBOX',
    `From: =?utf-8?q?J=C3=B6rg?= <joerg@example.test>\r\nTo: alice@example.test\r\nSubject: =?iso-8859-1?q?=DCbung?=\r\nDate: Thu, 5 Feb 2026 23:30:00 -0500\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${text}\r\n`,
    '\\Seen $Work',
  );
  // 2: multipart with a quoted-printable part in Latin-1, an attachment, a nested message.
  await c.append(
    'INBOX',
    'From: bob@example.test\r\nCc: carol@example.test\r\nSubject: Report (a*b*c.*)\r\nDate: Fri, 6 Feb 2026 10:00:00 +0100\r\nX-Tag: one\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\ncaf=E9 with a soft=\r\n break\r\n--b\r\nContent-Type: application/pdf; name=plan.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nc2VjcmV0\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner words\r\n\r\ninner body\r\n--b--\r\n',
    '\\Flagged',
  );
  // 3: nothing special, no Date, larger.
  await c.append(
    'INBOX',
    `From: dave@example.test\r\nSubject: plain\r\nX-Tag:\r\n\r\n${'x'.repeat(5000)}needle\r\n`,
    '\\Deleted',
  );
  await c.ok('SELECT INBOX');
});

after(() => server.close());

test('headers are searched decoded and without case', async () => {
  assert.equal(await found('FROM "j\xc3\xb6rg"'), '1');
  assert.equal(await found('CHARSET UTF-8 SUBJECT ', Buffer.from('übung')), '1');
  assert.equal(await found('CHARSET ISO-8859-1 SUBJECT ', Buffer.from('\xdcBUNG', 'latin1')), '1');
  assert.equal(await found('FROM example.TEST'), '1 2 3');
  assert.equal(await found('CC carol'), '2');
  assert.equal(await found('SUBJECT "a*b*c.*"'), '2');
  assert.equal(await found('SUBJECT "a.*c"'), '');
  assert.equal(await found('HEADER X-Tag ""'), '2 3');
  assert.equal(await found('HEADER X-Tag one'), '2');
  assert.equal(await found('HEADER X-None ""'), '');
});

test('bodies are searched decoded; attachments are not text, nested messages are', async () => {
  assert.equal(await found('CHARSET UTF-8 BODY ', Buffer.from('GRÜSSE')), '');
  assert.equal(await found('CHARSET UTF-8 BODY ', Buffer.from('grüße AUS')), '1');
  assert.equal(await found('CHARSET UTF-8 BODY ', Buffer.from('café with a soft break')), '2');
  assert.equal(await found('BODY "inner words"'), '2');
  assert.equal(await found('BODY "inner body"'), '2');
  assert.equal(await found('BODY secret'), '');
  assert.equal(await found('BODY plan.pdf'), '2');
  assert.equal(await found('BODY xneedle'), '3');
  assert.equal(await found('BODY report'), '');
  assert.equal(await found('TEXT report'), '2');
  assert.equal(await found('TEXT "x-tag: one"'), '2');
});

test('dates are those of the header as it was written, or of the arrival', async () => {
  assert.equal(await found('SENTON 5-Feb-2026'), '1');
  assert.equal(await found('SENTSINCE 6-Feb-2026'), '2');
  assert.equal(await found('SENTBEFORE 6-Feb-2026'), '1');
  assert.equal(await found('SINCE 1-Jan-2020'), '1 2 3');
  assert.equal(await found('BEFORE 1-Jan-2020'), '');
  assert.equal(await found('YOUNGER 3600'), '1 2 3');
  assert.equal(await found('OLDER 3600'), '');
});

test('flags, sizes, sets and their combinations', async () => {
  assert.equal(await found('ALL'), '1 2 3');
  assert.equal(await found('SEEN'), '1');
  assert.equal(await found('UNSEEN NOT DELETED'), '2');
  assert.equal(await found('NOT (SEEN)'), '2 3');
  assert.equal(await found('KEYWORD $work'), '1');
  assert.equal(await found('UNKEYWORD $Work UNDELETED'), '2');
  assert.equal(await found('OR SEEN FLAGGED'), '1 2');
  assert.equal(await found('NOT OR SEEN FLAGGED'), '3');
  assert.equal(await found('LARGER 5000'), '3');
  assert.equal(await found('SMALLER 5000'), '1 2');
  assert.equal(await found('UID 2:* UNFLAGGED'), '3');
  assert.equal(await found('2:3 SUBJECT plain'), '3');
  assert.equal(await found('UID 100:*'), '3');
  assert.equal(await found('UID 100'), '');
  assert.equal(await found('(OR (1 SEEN) (2 FLAGGED)) NOT 2'), '1');
  assert.equal(await found('EMAILID M2'), '2');
});

test('MODSEQ as a key is answered with the highest', async () => {
  // RFC 7162 section 3.1.2.1: the first command of CONDSTORE is answered with the highest of the mailbox first.
  assert.match(await found('MODSEQ 1 1'), /^OK \[HIGHESTMODSEQ \d+\]/);
  const answer = await found('MODSEQ 1 1:2');
  assert.match(answer, /^1 2 \(MODSEQ \d+\)$/);
  assert.equal(await found(`MODSEQ ${Number.MAX_SAFE_INTEGER}`), '');
  assert.match(await found('MODSEQ "/flags/\\\\draft" all 1'), /^1 2 3 \(MODSEQ/);
});

test('RETURN options and the saved result', async () => {
  const esearch = async (query: string): Promise<string> => {
    const [answer = ''] = await c.ok(query);
    return answer.replace(/TAG "A\d+"/, 'TAG');
  };
  assert.equal(
    await esearch('UID SEARCH RETURN (MIN MAX COUNT ALL) 1:3'),
    'ESEARCH (TAG) UID MIN 1 MAX 3 ALL 1:3 COUNT 3',
  );
  assert.equal(await esearch('SEARCH RETURN () FLAGGED'), 'ESEARCH (TAG) ALL 2');
  assert.equal(await esearch('SEARCH RETURN (MIN COUNT) DRAFT'), 'ESEARCH (TAG) COUNT 0');
  assert.equal(await esearch('SEARCH RETURN (SAVE) OR 1 3'), '');
  assert.deepEqual(await c.ok('FETCH $ UID'), ['1 FETCH (UID 1)', '3 FETCH (UID 3)']);
  assert.equal(await esearch('SEARCH $ DELETED'), 'SEARCH 3');
  await c.ok('SEARCH RETURN (SAVE MIN) ALL');
  assert.deepEqual(await c.ok('FETCH $ UID'), ['1 FETCH (UID 1)']);
  await c.expect('NO [BADCHARSET', 'SEARCH RETURN (SAVE) CHARSET X-NONSENSE ALL');
});

test('rev2 is answered with ESEARCH, has no \\Recent, and UTF-8 names', async () => {
  const d = await server.ready();
  assert.deepEqual(await d.ok('ENABLE IMAP4rev2 NONSENSE'), ['ENABLED IMAP4rev2']);
  await d.ok('CREATE "Entw\xc3\xbcrfe"');
  const selected = await d.ok('SELECT INBOX');
  assert(!selected.some((each) => each.includes('RECENT') || each.includes('UNSEEN')), selected.join('\n'));
  assert(selected.includes('LIST () "/" "INBOX"'));
  const [answer = ''] = await d.ok('SEARCH FLAGGED');
  assert.match(answer, /^ESEARCH \(TAG "A\d+"\) ALL 2$/);
  assert.deepEqual(await d.ok('LIST "" Entw*'), ['LIST (\\HasNoChildren) "/" "Entw\xc3\xbcrfe"']);
  assert.deepEqual(await c.ok('LIST "" Entw*'), ['LIST (\\HasNoChildren) "/" "Entw&APw-rfe"']);
});
