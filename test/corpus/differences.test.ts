import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Dovecot, DOVECOT_PASSWORD, startDovecot } from '../import/dovecot.ts';
import { imapClient, type ImapClient } from '../support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../support/imap-server.ts';
import { skipUnlessRoot, skipWithout } from '../support/programs.ts';

/** The same commands to Dovecot and to us: nested parts, searches in character sets, patterns of LIST. */

const NESTED = [
  'From: a@example.test',
  'Subject: outer',
  'Date: Fri, 31 Dec 2021 23:30:00 -0500',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=o',
  '',
  'preamble',
  '--o',
  'Content-Type: text/plain; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  'Gr=FC=DFe aus K=F6ln',
  '--o',
  'Content-Type: message/rfc822',
  'Content-Description: forwarded',
  '',
  'From: b@example.test',
  'Subject: =?koi8-r?B?8NLJ18XU?=',
  'MIME-Version: 1.0',
  'Content-Type: multipart/alternative; boundary=i',
  '',
  '--i',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: base64',
  '',
  '5pel5pys6Kqe',
  '--i',
  'Content-Type: text/html; charset=us-ascii',
  'X-Own: field',
  '',
  '<p>inner</p>',
  '--i--',
  'epilogue',
  '--o',
  'Content-Type: message/rfc822',
  '',
  'Subject: single',
  '',
  'one line',
  '--o--',
  '',
].join('\r\n');

const PLAIN = [
  'From: =?iso-8859-2?Q?=AElu=BBou=E8k=FD?= <c@example.test>',
  'To: undisclosed-recipients:;',
  'Subject: =?shift_jis?B?k/qWe4zqgsyMj5a8?= and =?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=',
  'Date: Sat, 1 Jan 2022 00:30:00 +0900',
  '',
  'plain words',
  '',
].join('\r\n');

const EMPTY = 'Subject:\r\n\r\n';

const SECTIONS = [
  'HEADER',
  'TEXT',
  '1',
  '1.MIME',
  '2',
  '2.MIME',
  '2.HEADER',
  '2.TEXT',
  '2.1',
  '2.1.MIME',
  '2.2',
  '2.2.MIME',
  '3',
  '3.HEADER',
  '3.TEXT',
  '3.1',
  '3.1.MIME',
  '2.HEADER.FIELDS (Subject)',
  '2.HEADER.FIELDS.NOT (From)',
  'HEADER.FIELDS (X-None Subject)',
  '2.3',
  '4',
  '3.2',
  '1.1.1',
];

/** Dovecot tells names of fields in capitals; "" and NIL stand for what is not there. */
function canonical(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replace(/^.*?\] ?/, (head) => head.toUpperCase())
      .replaceAll('{0}\r\n', '""')
      .replaceAll('NIL', '""'),
  );
}

/** Names that LIST or LSUB tell, but for those that are there from the beginning. */
function names(lines: readonly string[]): string[] {
  return lines
    .map((line) => /^L\w+ \([^)]*\) "." (.*)$/.exec(line)?.[1]?.replaceAll('"', ''))
    .filter((name) => name !== undefined)
    .filter((name) => !/^(?:Archive|Drafts|Junk|Sent|Trash|Rubbish|Sent Messages)$/.test(name))
    .toSorted();
}

describe('what Dovecot answers too', { skip: skipUnlessRoot() || skipWithout('dovecot') }, () => {
  let dovecot: Dovecot;
  let server: ImapTestServer;
  let clients: ImapClient[];

  before(async () => {
    dovecot = await startDovecot(['differ']);
    server = await imapTestServer();
    const theirs = await imapClient(dovecot.port);
    await theirs.next(/^\* OK /);
    await theirs.ok(`LOGIN differ "${DOVECOT_PASSWORD}"`);
    clients = [await server.ready(), theirs];
    for (const client of clients) {
      for (const text of [NESTED, PLAIN, EMPTY]) await client.ok('APPEND INBOX ', Buffer.from(text));
      await client.ok('SELECT INBOX');
    }
  });
  after(async () => {
    clients?.[1]?.close();
    await server?.close();
    await dovecot?.stop();
  });

  /** Both answers to a command, without what is named differently. */
  async function both(...parts: (string | Buffer)[]): Promise<readonly (readonly string[])[]> {
    const said: string[][] = [];
    for (const client of clients) {
      const { untagged, tagged } = await client.command(...parts);
      said.push([...untagged.map((line) => line.replaceAll(' \\Recent', '')), tagged.slice(0, 3).trim()]);
    }
    return said;
  }

  for (const section of SECTIONS)
    it(`BODY[${section}], and a part of it`, async () => {
      for (const partial of ['', '<0.5>', '<3.1000>', '<100000.1>']) {
        const [ours = [], theirs = []] = await both(`FETCH 1:3 BODY.PEEK[${section}]${partial}`);
        assert.deepEqual(canonical(ours), canonical(theirs), partial);
      }
    });

  const texts: readonly (readonly [charset: string, key: string, octets: string])[] = [
    ['UTF-8', 'BODY', 'Grüße'],
    ['UTF-8', 'TEXT', 'KÖLN'],
    ['UTF-8', 'TEXT', 'Привет'],
    ['UTF-8', 'SUBJECT', 'привет'],
    ['UTF-8', 'SUBJECT', '日本語'],
    ['UTF-8', 'BODY', '日本語'],
    ['UTF-8', 'FROM', 'žluťoučký'],
    ['US-ASCII', 'BODY', 'inner'],
    ['US-ASCII', 'BODY', 'preamble'],
    ['US-ASCII', 'BODY', 'epilogue'],
    ['US-ASCII', 'TEXT', 'single'],
    ['US-ASCII', 'SUBJECT', 'single'],
    ['US-ASCII', 'TEXT', 'forwarded'],
    ['US-ASCII', 'TO', 'undisclosed'],
    ['US-ASCII', 'HEADER Subject', ''],
    ['US-ASCII', 'HEADER Bcc', ''],
    ['US-ASCII', 'BODY', ''],
    ['x-no-such-set', 'BODY', 'x'],
  ];
  for (const [charset, key, text] of texts)
    it(`SEARCH CHARSET ${charset} ${key} ${text}`, async () => {
      const [ours = [], theirs = []] = await both(`SEARCH CHARSET ${charset} ${key} `, Buffer.from(text));
      assert.deepEqual(ours, theirs);
    });

  for (const keys of [
    'SENTON 31-Dec-2021',
    'SENTON 1-Jan-2022',
    'SENTSINCE 1-Jan-2022',
    'NOT (OR 1 2)',
    'UID *:2',
    '2:*',
    'LARGER 12',
    'SMALLER 12',
    '1:2 SENTBEFORE 1-Jan-2022',
    '1:2 SENTBEFORE 31-Dec-2021',
    'OLD',
    'NEW',
    '1,3 2',
  ])
    it(`SEARCH ${keys}`, async () => {
      const [ours, theirs] = await both(`SEARCH ${keys}`);
      assert.deepEqual(ours, theirs);
    });

  /** Where we mean to differ, and how. */
  for (const [command, why, ours, theirs] of [
    ['FETCH 1 BODY.PEEK[1.1]', 'a part that is no multipart has no parts', '1 FETCH (BODY[1.1] NIL)', /20\}/],
    ['FETCH 1 BODY.PEEK[2.1.1]', 'the same in a message', '1 FETCH (BODY[2.1.1] NIL)', /12\}/],
    ['SEARCH BODY X-Own', 'headers of parts stand in the body', 'SEARCH 1', /^SEARCH$/],
    [
      'SEARCH 3 SENTBEFORE 1-Jan-2022',
      'without Date nothing is said of when it was sent',
      'SEARCH',
      /^SEARCH 3$/,
    ],
    ['SEARCH KEYWORD new', 'a search makes no keyword', 'SEARCH', /^SEARCH$/],
  ] as const)
    it(`differs: ${command}: ${why}`, async () => {
      const [mine = [], other = []] = await both(command);
      assert.deepEqual(mine, [ours, 'OK']);
      assert.match(other[0] ?? '', theirs);
    });

  it('LIST and LSUB of deep names, with wildcards', async () => {
    for (const name of ['a', 'a/b', 'a/b/c/d/e/f/g/h', 'ab', 'x/&ZeVnLIqe-/y', 'x/&U,BTFw-']) {
      for (const client of clients) {
        await client.ok(`CREATE "${name}"`);
        await client.ok(`SUBSCRIBE "${name}"`);
      }
    }
    for (const command of ['LIST', 'LSUB'])
      for (const [reference, pattern] of [
        ['', '*'],
        ['', 'a*'],
        ['', 'a/%'],
        ['a/', '%'],
        ['a/b', '%'],
        ['', 'a%'],
        ['', '%/%'],
        ['', '*/d'],
        ['', '%/b/%/d'],
        ['x/', '*'],
        ['', '*h'],
        ['', '%b'],
        ['', 'inbox'],
        ['', 'none*'],
        ['', '**'],
        ['', '%%'],
        ['', '*/*/*'],
        ['', 'x/&ZeVnLIqe-/%'],
      ]) {
        const [ours = [], theirs = []] = await both(`${command} "${reference}" "${pattern}"`);
        // Who is subscribed to what at the beginning is ours to say.
        const same = (lines: readonly string[]): string[] =>
          names(lines).filter((name) => command === 'LIST' || name !== 'INBOX');
        assert.deepEqual(same(ours), same(theirs), `${command} ${reference} ${pattern}`);
      }
  });

  it('names that are none, a mailbox that goes and comes again, and INBOX renamed', async () => {
    for (const command of [
      'CREATE a',
      'DELETE none',
      'RENAME none other',
      'RENAME a ab',
      'DELETE INBOX',
      'CREATE inbox',
    ]) {
      const [ours = [], theirs = []] = await both(command);
      assert.equal(ours.at(-1), theirs.at(-1), command);
    }
    for (const client of clients) {
      const uidvalidity = async (): Promise<string> =>
        (await client.ok('STATUS again (UIDVALIDITY)'))[0] ?? '';
      await client.ok('CREATE again');
      const first = await uidvalidity();
      await client.ok('DELETE again');
      await client.ok('CREATE again');
      assert.notEqual(await uidvalidity(), first);
    }
  });

  it('commands that are nearly right, or quite wrong, end alike', async () => {
    for (const client of clients) await client.ok('CREATE Other');
    for (const command of [
      'NOOP ',
      'noop',
      'CAPABILITY ',
      'select INBOX ',
      'SELECT  INBOX',
      'SELECT "inbox"',
      'FETCH 1 (flags)',
      'FETCH 1 FLAGS ',
      'FETCH 1 ( FLAGS)',
      'FETCH 1 (FLAGS )',
      'FETCH 1 (FLAGS  UID)',
      'FETCH  1 FLAGS',
      'FETCH 1 FLAGS UID',
      'STORE 1 +flags \\Seen',
      'STORE 1 +FLAGS \\Seen \\Flagged',
      'STORE 1 +FLAGS (\\Seen )',
      'STORE 1 +FLAGS ()',
      'STORE 1 +FLAGS.silent (\\seen)',
      'SEARCH  ALL',
      'SEARCH ALL ',
      'SEARCH ()',
      'SEARCH (ALL)',
      'SEARCH ((ALL))',
      'FETCH 1 BODY[HEADER.FIELDS (DATE  FROM)]',
      'FETCH 1 BODY.PEEK[HEADER.FIELDS ("DATE" From)]',
      'FETCH 1 body[text]',
      'LIST  "" *',
      'LIST "" * ',
      'LIST "" "*" RETURN ()',
      'STATUS INBOX (MESSAGES )',
      'STATUS INBOX ()',
      'STATUS Other MESSAGES',
      'SEARCH SINCE "1-Jan-2020"',
      'SEARCH SINCE 01-jan-2020',
      'SEARCH SINCE 1-January-2020',
      'SEARCH SUBJECT ""',
      'SEARCH SUBJECT',
      'SEARCH NOT',
      'SEARCH OR ALL',
      'SEARCH charset utf-8 all',
      'SEARCH CHARSET "UTF-8" ALL',
      'SEARCH UID 1:*',
      'SEARCH 1:* 1',
      'SEARCH 5',
      'SEARCH 0',
      'FETCH 0 FLAGS',
      'FETCH 5 FLAGS',
      'FETCH 1:5 FLAGS',
      'FETCH *:5 FLAGS',
      'FETCH 1,1,1 FLAGS',
      'UID FETCH 5 FLAGS',
      'UID FETCH 1:5,* FLAGS',
      'UID FETCH 1 (UID UID FLAGS)',
      'COPY 5 Other',
      'COPY 1 other2',
      'UID COPY 5 Other',
      'UID EXPUNGE 99',
      'CHECK',
      'CLOSE ',
      'UNSELECT',
      'FETCH 1 FLAGS',
      'CREATE Other/',
      'CREATE Other//x',
      'CREATE /x',
      'CREATE "x "',
      'CREATE ""',
      'CREATE "a%b"',
      'CREATE "a*b"',
      'DELETE Other',
      'SUBSCRIBE nonexistent',
      'UNSUBSCRIBE nonexistent',
      'LSUB "" *',
      'ID NIL',
      'ID ()',
      'NAMESPACE',
      'ENABLE x',
      'LOGIN a b',
      'xyz',
      'UID NOOP',
      'APPEND INBOX () {3+}\r\nabc',
      'APPEND INBOX NIL {3+}\r\nabc',
      'APPEND INBOX (\\Seen) "1-Jan-2020 00:00:00 +0000" {3+}\r\nabc',
      'APPEND INBOX (\\Seen) "01-Jan-2020 00:00:00 +0000" {3+}\r\nabc',
      'APPEND INBOX  {3+}\r\nabc',
    ]) {
      const [ours = [], theirs = []] = await both(command);
      assert.equal(ours.at(-1), theirs.at(-1), command);
    }
  });
});
