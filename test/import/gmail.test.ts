import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { cliOf, imported, mailOf, type Said } from './cli.ts';

/** A server that speaks as Gmail does, and breaks off in the midst of messages. */

const ALICE = 'alice@example.test';

interface Mail {
  readonly subject: string;
  flags: string;
  labels: string;
}

const octetsOf = ({ subject }: Mail): string =>
  `From: <a@x.test>\r\nSubject: ${subject}\r\n\r\n${'text\r\n'.repeat(100)}`;

describe('postern import imap, from Gmail', () => {
  const mails: Mail[] = Array.from({ length: 40 }, (_, i) => ({
    subject: `m${i}`,
    flags: i % 2 === 0 ? '\\Seen' : '',
    labels:
      ['"\\\\Inbox" Work', '"\\\\Sent"', '', '"\\\\Inbox" "\\\\Important" "Work/Entw&APw-rfe"'][i % 4] ?? '',
  }));
  /** How many octets are sent until a connection breaks. */
  let cuts: number[] = [];
  let connections = 0;
  let gmail: Server;
  let server: TestServer;
  let directory = '';
  let run: (...words: string[]) => Promise<Said>;
  let words: string[] = [];

  function answer(command: string): string {
    if (command.startsWith('LIST'))
      return [
        '* LIST (\\HasNoChildren) "/" "INBOX"',
        '* LIST (\\HasChildren \\Noselect) "/" "[Gmail]"',
        '* LIST (\\All \\HasNoChildren) "/" "[Gmail]/All Mail"',
        '* LIST (\\HasNoChildren \\Sent) "/" "[Gmail]/Sent Mail"',
        '* LIST (\\HasNoChildren) "/" "Work"',
        'TAG OK done\r\n',
      ].join('\r\n');
    if (command.startsWith('EXAMINE'))
      return `* ${mails.length} EXISTS\r\n* OK [UIDVALIDITY 11] v\r\nTAG OK done\r\n`;
    const [, set = '', items = ''] = /^UID FETCH (\S+) \((.*)\)$/.exec(command) ?? [];
    if (set === '') return '* CAPABILITY IMAP4rev1 X-GM-EXT-1\r\nTAG OK done\r\n';
    const wanted = set === '1:*' ? mails.map((_, i) => i + 1) : set.split(',').flatMap(range);
    const rows = wanted.map((uid) => {
      const mail = mails[uid - 1];
      if (mail === undefined) return '';
      const octets = octetsOf(mail);
      if (items.includes('BODY'))
        return `* ${uid} FETCH (UID ${uid} BODY[] {${octets.length}}\r\n${octets})\r\n`;
      return `* ${uid} FETCH (X-GM-LABELS (${mail.labels}) UID ${uid} RFC822.SIZE ${octets.length} FLAGS (${mail.flags}) INTERNALDATE "01-Jun-2021 12:00:00 +0000")\r\n`;
    });
    return `${rows.join('')}TAG OK done\r\n`;
  }

  function range(part: string): number[] {
    const [from = 0, to = from] = part.split(':').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  }

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-gmail-'));
    await writeFile(join(directory, 'secret'), 'app password');
    gmail = createServer((socket) => {
      connections++;
      socket.on('error', () => undefined);
      socket.write('* OK Gimap ready\r\n');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
        for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n')) {
          const [tag = '', ...rest] = text.slice(0, end).split(' ');
          text = text.slice(end + 2);
          const said = answer(rest.join(' ')).replaceAll('TAG', tag);
          const cut = rest.join(' ').includes('BODY') ? cuts.shift() : undefined;
          if (cut === undefined) socket.write(said, 'latin1');
          else socket.end(said.slice(0, cut), 'latin1');
        }
      });
    });
    await new Promise<void>((resolve) => gmail.listen(0, '127.0.0.1', resolve));
    const address = gmail.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    words = ['imap', `127.0.0.1:${port}`, '--tls', 'none', '--account', ALICE, '--password-file', 'secret'];
    server = await startTestServer();
    run = cliOf(server, directory);
  });
  after(async () => {
    gmail.close();
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  const places = async (subject: string): Promise<string> =>
    (await mailOf(server, ALICE))
      .filter((held) => held.subject === subject)
      .map(({ mailbox, flags }) => `${mailbox}:${flags}`)
      .join(' ');

  it('brings every message once, into the folders of its labels, over connections that break', async () => {
    cuts = [3000, 9000];
    await imported(run, ...words, '--verify');
    assert.equal(connections, 3, 'it connected again after each break');
    assert.equal(await places('m0'), 'INBOX:S Work:S');
    assert.equal(await places('m1'), 'Sent:');
    assert.equal(await places('m2'), 'Archive:S');
    assert.equal(await places('m3'), 'INBOX: Work/Entwürfe:');
    const held = await mailOf(server, ALICE);
    assert.equal(held.length, 60);
    const { id: accountId } = await server.account(ALICE);
    const { emails } = await server.store.read.run('mailstore.quota', { accountId });
    assert.equal(emails, 40, 'copies share their octets');
    for (const mail of mails)
      assert.equal(held.find(({ subject }) => subject === mail.subject)?.octets, octetsOf(mail));
  });

  it('follows labels and flags that change there', async () => {
    const [first, second] = mails;
    assert.ok(first && second);
    first.labels = '"\\\\Inbox" Done';
    second.flags = '\\Seen \\Flagged';
    const { accounts } = await imported(run, ...words, '--mirror');
    assert.deepEqual(
      accounts[0]?.folders.map(({ added, changed, removed }) => [added, changed, removed]),
      [[0, 2, 1]],
    );
    assert.equal(await places('m0'), 'Done:S INBOX:S');
    assert.equal(await places('m1'), 'Sent:SF');
  });
});
