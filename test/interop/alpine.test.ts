import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { guideSettings } from '../support/guide-settings.ts';
import { imapClient } from '../support/imap-client.ts';
import { recordTls } from '../support/imap-recorder.ts';
import { skipUnlessLong, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD } from '../support/server.ts';
import { openTerminal } from '../support/terminal.ts';

/** alpine in a terminal of tmux: its own IMAP library (c-client), older than most of what servers offer. */

const BOB = 'bob@example.test';
const message = (subject: string): string =>
  [
    'From: Carol Remote <carol@remote.test>',
    `To: ${BOB}`,
    `Subject: ${subject}`,
    'Date: Sat, 01 Nov 2025 10:00:00 +0000',
    `Message-ID: <${subject}@remote.test>`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    `text of ${subject}, Gr=C3=BC=C3=9Fe`,
    '--b',
    'Content-Type: text/plain; name=notes.txt',
    'Content-Disposition: attachment; filename=notes.txt',
    '',
    'the attachment',
    '--b--',
    '',
  ].join('\r\n');

describe('alpine', { skip: skipUnlessLong() || skipWithout('alpine', 'tmux') }, () => {
  it('lists folders, shows a message and its attachment, sorts, searches, saves and expunges', async (t) => {
    await using server = await startTestServer();
    await using imap = await recordTls(server.ports.imaps ?? 0);
    const client = await imapClient(server.ports.imaps ?? 0, { tls: true });
    t.after(() => client.close());
    await client.next(/^\* OK /);
    await client.ok(`LOGIN ${BOB} "${TEST_PASSWORD}"`);
    for (const subject of ['pears', 'apples', 'figs']) await client.append('INBOX', message(subject));
    await client.ok('CREATE Fruit/Fresh');

    const home = await mkdtemp(join(tmpdir(), 'postern-alpine-'));
    await writeFile(join(home, 'pinerc'), configuration(imap.port));
    const terminal = await openTerminal(home, `alpine -p ${join(home, 'pinerc')} -i`);
    const { keys, type, shows } = terminal;
    t.after(async () => {
      await terminal.close();
      await rm(home, { recursive: true, force: true });
    });

    await shows(/PASSWORD/i);
    await type(TEST_PASSWORD);
    await keys('Enter');
    await shows(/Preserve password on DISK/);
    await keys('n');
    await shows(/Carol Remote.*pears/, /Carol Remote.*apples/, /Carol Remote.*figs/, /Message \d of 3/);
    // Open the first one.
    await keys('Enter');
    await shows(/MESSAGE TEXT/, /text of pears, Grüße/);
    await type('v');
    await shows(/ATTACHMENT INDEX/, /notes\.txt/);
    await keys('Down', 'Enter');
    await shows(/ATTACHED TEXT/, /the attachment/);
    await type('<');
    await shows(/ATTACHMENT INDEX/);
    await type('<');
    await shows(/MESSAGE TEXT/);
    await type('<');
    await shows(/Message 1 of 3/);
    // Sorted by subject, at the server.
    await keys('$', 's');
    const sorted = await shows(/apples[^]*figs[^]*pears/);
    assert.doesNotMatch(sorted, /pears[^]*apples/);
    // Select by text, at the server: all of them carry the attachment, one the word.
    await type(';');
    await shows(/SELECT criteria/);
    await type('t');
    await shows(/Select based on/i);
    await type('a');
    await shows(/String in message TEXT/);
    await type('text of figs');
    await keys('Enter');
    await shows(/ZOOMED MESSAGE INDEX/, /matched 1 message/);
    await type('z');
    await shows(/apples[^]*figs[^]*pears/);
    // New mail while it is open.
    await client.append('INBOX', message('grapes'));
    await keys('C-l');
    await shows(/grapes/);
    // Save one to another folder: copied, then marked as deleted here.
    await keys('1', 'Enter', 's');
    await shows(/SAVE|Save/);
    await keys('C-u');
    await type('Fruit/Fresh');
    await keys('Enter');
    await shows(/copied|saved|deleted/i);
    await keys('x');
    await shows(/expunge/i);
    await keys('y');
    await shows(/of 3/);
    // The folders.
    await keys('l');
    await shows(/Archive/, /Drafts/, /Fruit/, /Trash/);
    await keys('q');
    await shows(/quit/i);
    await keys('y');
    await terminal.ended();
    assert.match((await client.ok('STATUS Fruit/Fresh (MESSAGES)')).join(), /MESSAGES 1/);
    assert.match((await client.ok('STATUS INBOX (MESSAGES)')).join(), /MESSAGES 3/);
    const said = imap.said().join('\n');
    for (const word of [/ UID SORT| SORT /, / SEARCH /, / LIST /, / FETCH .*BODYSTRUCTURE/])
      assert.match(said, word);
    assert.deepEqual(imap.transcript().match(/^\d+ \d+ S: \S+ (BAD|NO) .*$/gm) ?? [], []);
  });
});

function configuration(port: number): string {
  const settings = guideSettings('alpine', {
    'mail.example.org:993/imap/ssl': `localhost:${port}/imap/ssl/novalidate-cert`,
    'alice@example.org': BOB,
  });
  return `${settings}${[
    'user-domain=example.test',
    'feature-list=enable-aggregate-command-set,no-expunge-without-confirm',
    // No greeting of a new version.
    'last-time-prune-questioned=1326.10',
    'last-version-used=7.00',
    'character-set=UTF-8',
    'default-fcc=',
  ].join('\n')}\n`;
}
