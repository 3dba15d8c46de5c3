import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { shownCertificate } from '../support/certificate.ts';
import { guideSettings } from '../support/guide-settings.ts';
import { type Recorder, recordTls } from '../support/imap-recorder.ts';
import { openMailbox } from '../support/imap-mailbox.ts';
import { skipUnlessLong, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { openTerminal, type Terminal } from '../support/terminal.ts';

/** mutt and neomutt in a terminal of tmux: what a person sees on the screen. */

const BOB = 'bob@example.test';

for (const program of ['mutt', 'neomutt'] as const) {
  describe(program, { concurrency: true, skip: skipUnlessLong() || skipWithout(program, 'tmux') }, () => {
    async function start(t: TestContext, port: number, certificate: string, more = ''): Promise<Terminal> {
      const home = await mkdtemp(join(tmpdir(), 'postern-mutt-'));
      return again(t, home, port, certificate, more);
    }

    async function again(
      t: TestContext,
      home: string,
      port: number,
      certificate: string,
      more: string,
    ): Promise<Terminal> {
      await writeFile(join(home, 'certificates'), certificate);
      await writeFile(join(home, 'muttrc'), configuration(home, port) + more);
      const terminal = await openTerminal(home, `${program} -n -F ${join(home, 'muttrc')}`);
      t.after(async () => {
        await terminal.close();
        await rm(home, { recursive: true, force: true });
      });
      return terminal;
    }

    it('shows the INBOX over IMAPS, opens a message, flags it, hears of new mail', async (t) => {
      await using server = await startTestServer();
      const { smtp = 0, imaps = 0 } = server.ports;
      await deliver(smtp, 'first', 'the text of the first');
      await deliver(smtp, '=?utf-8?q?Gr=C3=BC=C3=9Fe?=', 'the text of the second');
      const { keys, shows } = await start(t, imaps, await shownCertificate(imaps));

      await shows(/1 N .*Carol Remote.*first/, /2 N .*Carol Remote.*Grüße/, /Msgs:2 .*New:2/);
      await keys('1', 'Enter', 'Enter');
      await shows(/^From: Carol Remote <carol@remote\.test>/m, /^Subject: first/m, /the text of the first/);
      await keys('i');
      await shows(/1 {3,}\w.*first/, /New:1/);
      await keys('F');
      await deliver(smtp, 'third', 'while it is open');
      await keys('$');
      await shows(/1 +! .*first/, /3 N .*third/);
      await keys('q');
      const { unseen, messages } = await inboxOf(server);
      assert.deepEqual(
        { messages, unseen },
        { messages: 3, unseen: 2 },
        'what was read is read in the account too',
      );
    });

    it('keeps a header cache, and asks by QRESYNC what changed since', async (t) => {
      await using server = await startTestServer();
      await using imap: Recorder = await recordTls(server.ports.imaps ?? 0);
      const { smtp = 0 } = server.ports;
      for (const name of ['first', 'second', 'third', 'fourth']) await deliver(smtp, name, `text of ${name}`);
      const home = await mkdtemp(join(tmpdir(), 'postern-mutt-'));
      await mkdir(join(home, 'cache'));
      const more = guideSettings('mutt and neomutt with a header cache', {
        '~/.cache/mutt': `${home}/cache`,
      });
      const one = await again(t, home, imap.port, imap.certificate, more);
      await one.shows(/1 N .*first/, /4 N .*fourth/, /Msgs:4/);
      await one.keys('q');
      await one.ended();
      await one.close();
      assert.ok(
        imap.said().some((line) => / ENABLE .*QRESYNC/.test(line)),
        'it has asked for QRESYNC',
      );

      const other = await openMailbox(server.ports.imaps, { user: BOB, password: TEST_PASSWORD });
      await other.ok('UID STORE 2 +FLAGS (\\Deleted)');
      await other.ok('EXPUNGE');
      await other.ok('UID STORE 3 +FLAGS (\\Flagged \\Seen)');
      other.close();
      await deliver(smtp, 'fifth', 'text of fifth');
      const before = imap.said().length;
      const two = await again(t, home, imap.port, imap.certificate, more);
      const screen = await two.shows(
        /1 [ NO] .*first/,
        /2 +! .*third/,
        /3 [ NO] .*fourth/,
        /4 N .*fifth/,
        /Msgs:4/,
      );
      assert.doesNotMatch(screen, /second/);
      const said = imap.said().slice(before);
      assert.ok(
        said.some((line) => /UID FETCH \S+ \(FLAGS\) \(CHANGEDSINCE \d+ VANISHED\)$/.test(line)),
        said.join('\n'),
      );
      const headers = said.filter((line) => / FETCH .*HEADER/.test(line));
      // neomutt reads those of the changed one again, mutt does not.
      assert.ok(
        headers.length < 3 && headers.every((line) => /FETCH [245] /.test(line)),
        `headers of what is new or changed only: ${headers.join('; ')}`,
      );

      // Somebody else removes one while it looks on; it removes one itself.
      const third = await openMailbox(server.ports.imaps, { user: BOB, password: TEST_PASSWORD });
      await third.ok('UID STORE 4 +FLAGS (\\Deleted)');
      await third.ok('EXPUNGE');
      await two.keys('$');
      await two.shows(/2 +! .*third/, /3 . .*fifth/, /Msgs:3/);
      await two.keys('1', 'Enter', 'd', '$');
      await two.shows(/1 +! .*third/, /2 . .*fifth/, /Msgs:2/);
      assert.deepEqual(
        (await third.ok('UID FETCH 1:* (FLAGS)')).flatMap((line) => /UID (\d+)/.exec(line)?.[1] ?? []),
        ['3', '5'],
      );
      third.close();
      assert.deepEqual(imap.transcript().match(/^\d+ \d+ S: \S+ (BAD|NO) .*$/gm) ?? [], []);
    });

    it('makes a mailbox, copies there, moves to the Trash and sends with a copy in Sent', async (t) => {
      await using server = await startTestServer();
      const { smtp = 0, imaps = 0, submissions = 0 } = server.ports;
      for (const name of ['first', 'second']) await deliver(smtp, name, `text of ${name}`);
      const more = [
        'set trash = "+Trash"',
        'set record = "+Sent"',
        `set from = "${BOB}"`,
        `set smtp_url = "smtps://${BOB}@127.0.0.1:${submissions}/"`,
        `set smtp_pass = "${TEST_PASSWORD}"`,
        'set smtp_authenticators = "plain"',
        'set copy = yes',
        'set editor = "true"',
        'set abort_unmodified = no',
        'set abort_nosubject = no',
        'set imap_check_subscribed = no',
        '',
      ].join('\n');
      const certificate = `${await shownCertificate(imaps)}`;
      const { keys, type, shows } = await start(t, imaps, certificate, more);
      await shows(/Msgs:2/);
      await keys('1', 'Enter', 'C');
      await shows(/Copy to mailbox/);
      await keys('C-u');
      await type('+Grüße');
      await keys('Enter');
      await shows(/Create .*\?/);
      await keys('y');
      await shows(/Msgs:2/);
      await keys('2', 'Enter', 'd', '$');
      await shows(/Msgs:1/);
      await keys('m');
      await shows(/^To:/m);
      await type('alice@example.test');
      await keys('Enter');
      await shows(/^Subject:/m);
      await type('from a terminal');
      await keys('Enter');
      await shows(/From a terminal|from a terminal/, /Send/);
      await keys('y');
      await shows(/Msgs:1/, /Mail sent|INBOX/);
      const other = await openMailbox(server.ports.imaps, { user: BOB, password: TEST_PASSWORD });
      const counts = async (): Promise<string[]> => {
        const found = [];
        for (const name of ['"Gr&APwA3w-e"', 'Trash', 'Sent']) {
          found.push(/MESSAGES (\d+)/.exec((await other.ok(`STATUS ${name} (MESSAGES)`)).join())?.[1] ?? '');
        }
        return found;
      };
      for (let i = 0; i < 50 && (await counts()).join() !== '1,1,1'; i++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.deepEqual(await counts(), ['1', '1', '1']);
      other.close();
    });
  });
}

async function inboxOf(server: TestServer) {
  const { id: accountId } = await server.account(BOB);
  const all = await server.store.read.run('mailstore.mailboxes', { accountId });
  const inbox = all.find(({ name }) => name === 'INBOX');
  assert.ok(inbox);
  return inbox;
}

async function deliver(port: number, subject: string, text: string): Promise<void> {
  const client = await lineClient(port);
  await client.talk(
    ['', '220'],
    ['EHLO remote.test\r\n', '250'],
    ['MAIL FROM:<carol@remote.test>\r\n', '250'],
    [`RCPT TO:<${BOB}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [
      `From: Carol Remote <carol@remote.test>\r\nTo: ${BOB}\r\nSubject: ${subject}\r\n\r\n${text}\r\n.\r\n`,
      '250',
    ],
  );
  client.close();
}

function configuration(home: string, port: number): string {
  return `set folder = "imaps://127.0.0.1:${port}/"
set spoolfile = "+INBOX"
set imap_user = "${BOB}"
set imap_pass = "${TEST_PASSWORD}"
set certificate_file = "${home}/certificates"
set ssl_verify_host = no
set ssl_force_tls = yes
set header_cache = ""
set message_cachedir = ""
set confirmappend = no
set delete = yes
set quit = yes
set sort = mailbox-order
set timeout = 2
set mail_check = 2
set sleep_time = 0
set charset = "utf-8"
set send_charset = "utf-8"
`;
}
