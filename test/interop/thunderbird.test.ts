import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ImapClient, imapClient } from '../support/imap-client.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';

/**
 * What Thunderbird says when it starts, in its order and its spelling (lower-case verbs, fields without order), then what
 * it does when a person reads, flags, deletes and files a message, and the second connection that sits in IDLE.
 */

const HEADERS =
  'From To Cc Bcc Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To';
const PLAIN = Buffer.from(`\0bob@example.test\0${TEST_PASSWORD}`).toString('base64');

async function deliver(server: TestServer, subject: string): Promise<void> {
  const client = await lineClient(server.ports.smtp ?? 0);
  const message = [
    'From: Carol <carol@remote.test>',
    'To: bob@example.test',
    `Subject: ${subject}`,
    'Date: Sat, 1 Nov 2025 10:00:00 +0000',
    `Message-ID: <${subject}@remote.test>`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'plain words',
    '--b',
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p>rich words</p>',
    '--b--',
    '.',
    '',
  ];
  await client.talk(
    ['', '220'],
    ['EHLO remote.test\r\n', '250'],
    ['MAIL FROM:<carol@remote.test>\r\n', '250'],
    ['RCPT TO:<bob@example.test>\r\n', '250'],
    ['DATA\r\n', '354'],
    [message.join('\r\n'), '250'],
  );
  client.close();
}

/** capability, ID, authenticate, capability again: each connection begins so. */
async function begin(server: TestServer): Promise<ImapClient> {
  const client = await imapClient(server.ports.imaps ?? 0, { tls: true });
  await client.next(/^\* OK /);
  const [before = ''] = await client.ok('capability');
  assert.match(before, /^CAPABILITY .*\bIMAP4rev1\b/);
  assert.match(before, /\bAUTH=PLAIN\b/);
  assert.match(before, /\bID\b/);
  const [id = ''] = await client.ok('ID ("name" "Thunderbird" "version" "140.4.0")');
  assert.match(id, /^ID (\("name" "Postern"|NIL)/);
  if (before.includes('SASL-IR')) await client.ok(`authenticate PLAIN ${PLAIN}`);
  else {
    client.send('x authenticate PLAIN\r\n');
    await client.next(/^\+ ?$/);
    client.send(`${PLAIN}\r\n`);
    await client.next(/^x OK /);
  }
  const [after = ''] = await client.ok('capability');
  for (const name of [
    'IDLE',
    'NAMESPACE',
    'UIDPLUS',
    'MOVE',
    'SPECIAL-USE',
    'LIST-EXTENDED',
    'CONDSTORE',
    'QUOTA',
  ]) {
    assert.match(after, new RegExp(`\\b${name}\\b`));
  }
  return client;
}

describe('Thunderbird', () => {
  it('starts, lists folders, reads headers and bodies, flags, moves and idles', async () => {
    await using server = await startTestServer();
    await deliver(server, 'one');
    await deliver(server, 'two');
    const client = await begin(server);

    assert.deepEqual(await client.ok('namespace'), [
      'NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))',
    ]);
    const listed = await client.ok('list (subscribed) "" "*" return (special-use)');
    for (const [name, use] of [
      ['Drafts', 'Drafts'],
      ['Sent', 'Sent'],
      ['Junk', 'Junk'],
      ['Trash', 'Trash'],
      ['Archive', 'Archive'],
    ]) {
      const row = listed.find((line) => new RegExp(`"/" "?${name}"?( |$)`).test(line));
      assert.match(row ?? `no ${name} in ${listed.join('; ')}`, new RegExp(`^LIST \\([^)]*\\\\${use}\\b`));
    }
    assert.ok((await client.ok('lsub "" "*"')).some((line) => /^LSUB \([^)]*\) "\/" "?INBOX"?$/.test(line)));
    assert.match((await client.ok('list "" "INBOX"')).join(), /^LIST \([^)]*\) "\/" "?INBOX"?$/);
    assert.match((await client.ok('list "" ""')).join(), /^LIST \(\\Noselect\) "\/" ""$/);

    const selected = await client.ok('select "INBOX"');
    assert.ok(selected.includes('2 EXISTS'));
    for (const pattern of [
      /^FLAGS \(.*\\Seen.*\)$/,
      /^OK \[PERMANENTFLAGS \(.*\\\*\)\]/,
      /^OK \[UIDVALIDITY [1-9]\d*\]/,
      /^OK \[UIDNEXT 3\]/,
    ]) {
      assert.ok(
        selected.some((line) => pattern.test(line)),
        `${pattern} in ${selected.join('; ')}`,
      );
    }
    assert.match((await client.ok('getquotaroot "INBOX"')).join('\n'), /^QUOTAROOT "?INBOX"?/);
    assert.match(
      (await client.ok('UID fetch 1:* (FLAGS)')).join('\n'),
      /^1 FETCH \(UID 1 FLAGS \(.*\)\)\n2 FETCH \(UID 2 FLAGS \(.*\)\)$/,
    );
    const headers = await client.ok(
      `UID fetch 1:2 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (${HEADERS})])`,
    );
    assert.equal(headers.length, 2);
    assert.match(headers[0] ?? '', /^1 FETCH \(.*UID 1\b/s);
    assert.match(headers[0] ?? '', /RFC822\.SIZE [1-9]\d*/);
    assert.match(
      headers[0] ?? '',
      /BODY\[HEADER\.FIELDS \(.*Reply-To\)\] \{\d+\}\r\nFrom: Carol <carol@remote\.test>\r\nTo: /i,
    );
    assert.match(headers[0] ?? '', /Subject: one\r\n[\s\S]*\r\n\r\n/);
    assert.doesNotMatch(headers[0] ?? '', /Received|Return-Path|plain words/);
    assert.doesNotMatch((await client.ok('UID fetch 1:2 (FLAGS)')).join(), /Seen/, 'PEEK has set no flag');

    assert.match(
      (await client.ok('UID fetch 1 (BODYSTRUCTURE)')).join(),
      /\("text" "plain".*\("text" "html".*"alternative"/i,
    );
    const [part = ''] = await client.ok('UID fetch 1 (BODY.PEEK[HEADER] BODY.PEEK[1.MIME] BODY.PEEK[1])');
    assert.match(part, /BODY\[1\] (\{11\}\r\nplain words|"plain words")/);
    assert.match(part, /BODY\[1\.MIME\] \{\d+\}\r\nContent-Type: text\/plain; charset=utf-8\r\n\r\n/);
    const [whole = ''] = await client.ok('UID fetch 2 (UID RFC822.SIZE BODY[])');
    const size = /RFC822\.SIZE (\d+)/.exec(whole)?.[1];
    assert.match(whole, new RegExp(`BODY\\[\\] \\{${size}\\}\r\nReturn-Path: <carol@remote\\.test>\r\n`));
    assert.match((await client.ok('UID fetch 2 (FLAGS)')).join(), /\\Seen/, 'reading has set the flag');

    assert.match(
      (await client.ok('uid store 1 +Flags (\\Seen $label1 NonJunk)')).join(),
      /FLAGS \([^)]*\\Seen/,
    );
    assert.match((await client.ok('uid store 1 +Flags (\\Flagged)')).join(), /\$label1/i);
    await client.ok('uid move 1 "Trash"');
    assert.deepEqual(
      (await client.ok('UID fetch 1:* (FLAGS)')).map((line) => line.replace(/FLAGS.*/, '')),
      ['1 FETCH (UID 2 '],
    );
    const { untagged, tagged } = await client.command('uid copy 2 "Archive"');
    assert.match(`${untagged.join()} ${tagged}`, /COPYUID \d+ 2 1/);
    assert.match(
      (await client.ok('STATUS "Trash" (UIDNEXT MESSAGES UNSEEN RECENT)')).join(),
      /STATUS "?Trash"? \(.*MESSAGES 1/,
    );

    const second = await begin(server);
    await second.ok('select "INBOX"');
    second.send('9 IDLE\r\n');
    await second.next(/^\+ /);
    await deliver(server, 'three');
    await second.next(/^\* 2 EXISTS$/);
    await client.ok('uid store 2 +Flags (\\Answered)');
    for (;;) if (/^\* 1 FETCH \(.*\\Answered/.test(await second.next(/^\* /))) break;
    second.send('DONE\r\n');
    while (!(await second.next(/./)).startsWith('9 OK '));
    await second.ok('close');
    assert.match((await second.ok('logout')).join(), /^BYE/);
    await client.ok('logout');
  });
});
