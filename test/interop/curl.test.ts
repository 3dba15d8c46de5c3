import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer } from '../support/server.ts';

/** curl: send, list, fetch, search and append, in clear with STARTTLS and on TLS ports. */

const MESSAGE = [
  'From: Alice <alice@example.test>',
  'To: bob@example.test',
  'Subject: sent with curl',
  'Date: Sat, 1 Nov 2025 10:00:00 +0000',
  'Message-ID: <curl@example.test>',
  '',
  '.a line that begins with a dot',
  'the end',
  '',
].join('\r\n');

describe('curl', { skip: skipWithout('curl') }, () => {
  let server: TestServer;
  let directory: string;
  let file: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-curl-'));
    file = join(directory, 'message');
    await writeFile(file, MESSAGE);
    server = await startTestServer();
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  function curl(user: string, url: string, ...args: string[]): Promise<Output> {
    const login = ['-sS', '-k', '--max-time', '15', '-u', `${user}@example.test:${TEST_PASSWORD}`];
    return run('curl', [...login, ...args, url], { env: cleanEnvironment(directory), allowFailure: true });
  }

  function good(output: Output): string {
    assert.equal(output.code, 0, output.stderr);
    return output.stdout;
  }

  const send = ['--mail-from', 'alice@example.test', '--mail-rcpt', 'bob@example.test', '--upload-file'];

  it('sends by smtps and by smtp with STARTTLS, not in clear', async () => {
    const { submission, submissions } = server.ports;
    good(await curl('alice', `smtps://127.0.0.1:${submissions}`, ...send, file));
    good(await curl('alice', `smtp://127.0.0.1:${submission}`, '--ssl-reqd', ...send, file));
    const clear = await curl('alice', `smtp://127.0.0.1:${submission}`, ...send, file);
    assert.notEqual(clear.code, 0, 'a password in clear is not taken');
    assert.equal((await server.account('bob@example.test')).emails, 2);
  });

  for (const scheme of ['imap', 'imaps'] as const) {
    it(`lists, fetches, searches and appends by ${scheme}`, async () => {
      const { imap, imaps } = server.ports;
      const at = scheme === 'imap' ? `imap://127.0.0.1:${imap}` : `imaps://127.0.0.1:${imaps}`;
      const tls = scheme === 'imap' ? ['--ssl-reqd'] : [];
      const bob = (path: string, ...args: string[]): Promise<Output> =>
        curl('bob', `${at}/${path}`, ...tls, ...args);

      const list = good(await bob(''));
      for (const name of ['INBOX', 'Drafts', 'Sent', 'Junk', 'Trash', 'Archive']) {
        assert.match(list, new RegExp(`^\\* LIST \\([^)]*\\) "/" "?${name}"?\\r$`, 'm'));
      }
      const fetched = good(await bob('INBOX;MAILINDEX=1'));
      assert.ok(fetched.startsWith('Return-Path: <alice@example.test>\r\n'), fetched);
      assert.ok(fetched.endsWith('\r\n\r\n.a line that begins with a dot\r\nthe end\r\n'), fetched);
      assert.match(good(await bob('INBOX;MAILINDEX=1;SECTION=TEXT')), /^\.a line/);
      assert.match(good(await bob('INBOX?SUBJECT%20curl')), /^\* SEARCH 1 2\b/m);
      assert.match(good(await bob('INBOX?SUBJECT%20nothing')), /^\* SEARCH\r$/m);
      good(await bob('Archive', '--upload-file', file));
      const appended = good(await bob('Archive;MAILINDEX=1'));
      assert.equal(appended, MESSAGE, 'what was appended comes back byte for byte');
      good(await bob('Archive', '-X', 'STORE 1 +FLAGS (\\Deleted)'));
      good(await bob('Archive', '-X', 'EXPUNGE'));
    });
  }

  it('is told that a password is wrong', async () => {
    const args = ['-sS', '-k', '--max-time', '15', '-u', 'bob@example.test:wrong'];
    const url = `imaps://127.0.0.1:${server.ports.imaps}/`;
    const output = await run('curl', [...args, url], {
      env: cleanEnvironment(directory),
      allowFailure: true,
    });
    assert.equal(output.code, 67, 'CURLE_LOGIN_DENIED');
  });
});
