import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../../bench/support/processes.ts';
import { shownCertificate } from '../support/certificate.ts';
import { guideSettings } from '../support/guide-settings.ts';
import type { ImapClient } from '../support/imap-client.ts';
import { openMailbox } from '../support/imap-mailbox.ts';
import { cleanEnvironment, skipUnlessLong, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** offlineimap: Maildirs and an account kept alike, both ways. */

const BOB = 'bob@example.test';

const message = (subject: string): string =>
  [
    'From: Carol <carol@remote.test>',
    `To: ${BOB}`,
    `Subject: ${subject}`,
    'Date: Sat, 01 Nov 2025 10:00:00 +0000',
    `Message-ID: <${subject}@remote.test>`,
    '',
    `the text of ${subject}`,
    '',
  ].join('\r\n');

describe('offlineimap', { skip: skipUnlessLong() || skipWithout('offlineimap') }, () => {
  let home: string;
  let server: TestServer;
  let client: ImapClient;

  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'postern-offlineimap-'));
    server = await startTestServer();
    writeFileSync(join(home, 'certificate.pem'), await shownCertificate(server.ports.imaps ?? 0));
    writeFileSync(join(home, 'offlineimaprc'), configuration(home, server.ports.imaps ?? 0));
    client = await openMailbox(server.ports.imaps, { user: BOB, password: TEST_PASSWORD });
  });
  after(async () => {
    client.close();
    await server.close();
    rmSync(home, { recursive: true });
  });

  async function sync(): Promise<string> {
    const done = await run('offlineimap', ['-o', '-u', 'basic', '-c', join(home, 'offlineimaprc')], {
      env: cleanEnvironment(home),
      allowFailure: true,
    });
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.doesNotMatch(done.stdout + done.stderr, /ERROR|Traceback/);
    return done.stdout;
  }

  const cur = (folder: string): string => join(home, 'mail', folder, 'cur');
  /** Files of a folder by the subject in them. */
  function files(folder: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const part of ['cur', 'new']) {
      for (const name of readdirSync(join(home, 'mail', folder, part))) {
        const text = readFileSync(join(home, 'mail', folder, part, name), 'utf8');
        found.set(/^Subject: (.*)$/m.exec(text)?.[1] ?? '', name);
      }
    }
    return found;
  }

  async function above(mailbox: string): Promise<string[]> {
    await client.ok(`SELECT "${mailbox}"`);
    const lines = await client.ok('FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (Subject)])');
    return lines.map((line) => {
      const flags = /FLAGS \(([^)]*)\)/.exec(line)?.[1]?.replace(' \\Recent', '').replace('\\Recent', '');
      return `${/Subject: (\S+)/.exec(line)?.[1]} ${flags}`.trim();
    });
  }

  it('makes folders and messages of one side on the other', async () => {
    await client.append('INBOX', message('one'));
    await client.append('INBOX', message('two'), '\\Seen');
    await client.ok('CREATE "Work/Gr&APwA3w-e"');
    await client.append('"Work/Gr&APwA3w-e"', message('deep'), '\\Flagged');
    for (const part of ['cur', 'new', 'tmp'])
      mkdirSync(join(home, 'mail/Made here', part), { recursive: true });
    writeFileSync(join(cur('Made here'), '1700000000.1.here:2,S'), message('here').replaceAll('\r', ''));
    await sync();
    assert.deepEqual([...files('INBOX').keys()].toSorted(), ['one', 'two']);
    assert.match(files('INBOX').get('two') ?? '', /:2,S$/);
    assert.match(files('Work.Grüße').get('deep') ?? '', /:2,F$/, 'the name is decoded');
    assert.deepEqual(await above('Made here'), ['here \\Seen']);
    for (const name of ['Archive', 'Drafts', 'Junk', 'Sent', 'Trash']) assert.equal(files(name).size, 0);
    const name = files('INBOX').get('one') ?? '';
    const part = readdirSync(cur('INBOX')).includes(name) ? 'cur' : 'new';
    const here = readFileSync(join(home, 'mail/INBOX', part, name), 'latin1');
    assert.ok(here.includes('\n\nthe text of one\n'));
  });

  it('carries flags, deletions and moved messages both ways, and then has nothing to do', async () => {
    await client.ok('SELECT INBOX');
    await client.ok('STORE 1 +FLAGS (\\Answered \\Flagged)');
    const seen = files('Made here').get('here') ?? '';
    renameSync(join(cur('Made here'), seen), join(cur('Made here'), seen.replace(/2,S$/, '2,RS')));
    rmSync(join(cur('INBOX'), files('INBOX').get('two') ?? ''));
    await client.ok('SELECT "Work/Gr&APwA3w-e"');
    await client.ok('UID MOVE 1:* Archive');
    await sync();
    assert.match(files('INBOX').get('one') ?? '', /:2,FR$/, 'flags came down');
    assert.deepEqual(await above('Made here'), ['here \\Answered \\Seen'], 'flags went up');
    assert.deepEqual(await above('INBOX'), ['one \\Answered \\Flagged'], 'the deletion went up');
    assert.deepEqual([files('Work.Grüße').size, files('Archive').size], [0, 1], 'the move came down');

    const state = ['INBOX', 'Archive', 'Made here'].map((name) => [...files(name)]);
    const told = await sync();
    assert.deepEqual(
      ['INBOX', 'Archive', 'Made here'].map((name) => [...files(name)]),
      state,
    );
    assert.doesNotMatch(told, /Copy message|Deleting \d|Adding flag/);
  });

  it('notices a mailbox that was deleted and made anew', async () => {
    await client.ok('UNSELECT');
    await client.ok('DELETE "Made here"');
    await client.ok('CREATE "Made here"');
    const done = await run('offlineimap', ['-o', '-u', 'basic', '-c', join(home, 'offlineimaprc')], {
      env: cleanEnvironment(home),
      allowFailure: true,
    });
    // What it does then is its own affair: version 8.0 says that it skips the folder, and deletes the local copies.
    assert.match(done.stdout + done.stderr, /UID validity problem for folder Made here/);
  });
});

function configuration(home: string, port: number): string {
  return guideSettings('offlineimap', {
    '[general]\n': `[general]\nmetadata = ${home}/state\n`,
    '~/Mail': `${home}/mail`,
    'mail.example.org': 'localhost',
    '993': `${port}`,
    'alice@example.org': BOB,
    'your password': TEST_PASSWORD,
    '/etc/ssl/certs/ca-certificates.crt': `${home}/certificate.pem`,
  });
}
