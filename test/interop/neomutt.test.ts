import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { run, until } from '../../bench/support/processes.ts';
import { shownCertificate } from '../support/certificate.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';

/** neomutt in a terminal of tmux: what a person sees on the screen. */

const PATIENCE_MS = 15_000;
const POLL_MS = 150;

describe('neomutt', { skip: skipWithout('neomutt', 'tmux') }, () => {
  it('shows the INBOX over IMAPS, opens a message, flags it, hears of new mail', async (t) => {
    await using server = await startTestServer();
    const { smtp = 0, imaps = 0 } = server.ports;
    const home = await mkdtemp(join(tmpdir(), 'postern-mutt-'));
    await writeFile(join(home, 'certificates'), await shownCertificate(imaps));
    await writeFile(join(home, 'muttrc'), configuration(home, imaps));
    await deliver(smtp, 'first', 'the text of the first');
    await deliver(smtp, '=?utf-8?q?Gr=C3=BC=C3=9Fe?=', 'the text of the second');

    const env = cleanEnvironment(home);
    const tmux = (...args: string[]) =>
      run('tmux', ['-S', join(home, 'tmux'), '-f', '/dev/null', ...args], { env });
    await tmux('new-session', '-d', '-x', '100', '-y', '30', `neomutt -n -F ${join(home, 'muttrc')}`);
    t.after(async () => {
      await tmux('kill-server').catch(() => undefined);
      await rm(home, { recursive: true, force: true });
    });
    let screen = '';
    const shows = async (...patterns: RegExp[]): Promise<void> => {
      try {
        await until(patterns.join(', '), PATIENCE_MS, POLL_MS, async () => {
          screen = (await tmux('capture-pane', '-p')).stdout;
          return patterns.every((pattern) => pattern.test(screen));
        });
      } catch (error) {
        throw new Error(`${String(error)}; the screen:\n${screen}`);
      }
    };
    const keys = (...names: string[]) => tmux('send-keys', ...names);

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
});

async function inboxOf(server: Awaited<ReturnType<typeof startTestServer>>) {
  const { id: accountId } = await server.account('bob@example.test');
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
    ['RCPT TO:<bob@example.test>\r\n', '250'],
    ['DATA\r\n', '354'],
    [
      `From: Carol Remote <carol@remote.test>\r\nTo: bob@example.test\r\nSubject: ${subject}\r\n\r\n${text}\r\n.\r\n`,
      '250',
    ],
  );
  client.close();
}

function configuration(home: string, port: number): string {
  return `set folder = "imaps://127.0.0.1:${port}/"
set spoolfile = "+INBOX"
set imap_user = "bob@example.test"
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
set charset = "utf-8"
set send_charset = "utf-8"
`;
}
