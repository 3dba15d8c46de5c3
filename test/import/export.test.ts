import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { cliOf, type Held, imported, mailOf, type Said } from './cli.ts';
import { mkdir, utimes, writeFile } from 'node:fs/promises';

/** What is exported and imported again is what it was: mail, folders, flags, keywords and dates. */

const ALICE = 'alice@example.test';
const T = Date.UTC(2021, 5, 1, 12, 0, 0);

describe('postern export', () => {
  let server: TestServer;
  let directory = '';
  let run: (...words: string[]) => Promise<Said>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-export-'));
    const accounts = [ALICE, 'maildir@example.test', 'mbox@example.test', 'eml@example.test'];
    server = await startTestServer({ accounts });
    run = cliOf(server, directory);
    const put = async (path: string, text: string): Promise<void> => {
      await mkdir(join(directory, path, '..'), { recursive: true });
      await writeFile(join(directory, path), text);
      await utimes(join(directory, path), T / 1000, T / 1000);
    };
    const head = (subject: string): string =>
      `From: <a@x.test>\nSubject: ${subject}\nMessage-ID: <${subject}@x>\n`;
    await put('in/cur/1.a.h:2,S', `${head('one')}\nFrom me\n>From you\n\n\nend\n`);
    await put('in/cur/2.b.h:2,FRTDab', `${head('two')}\nno line end`);
    await put('in/cur/3.c.h:2,', `${head('three')}\n${'long '.repeat(200_000)}\n`);
    await put('in/dovecot-keywords', '0 $Forwarded\n1 Work\n');
    await put('in/.Lists.B&APw-cher/cur/4.d.h:2,', `${head('four')}\n`);
    await imported(run, 'maildir', 'in', '--account', ALICE);
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  const comparable = (held: readonly Held[]): readonly object[] =>
    held.map(({ flags, ...rest }) => ({ ...rest, flags: flags.split(' ').toSorted().join(' ') }));

  for (const kind of ['maildir', 'eml', 'mbox'] as const) {
    it(`gives and takes ${kind}`, async () => {
      const said = await run('export', kind, `out-${kind}`, '--account', ALICE);
      assert.equal(said.status, 0, said.err);
      assert.match(said.out, /INBOX +3 +3/);
      await imported(run, kind, `out-${kind}`, '--account', `${kind}@example.test`, '--verify');
      const [was, is] = await Promise.all([mailOf(server, ALICE), mailOf(server, `${kind}@example.test`)]);
      const ended = (held: Held): Held => ({ ...held, octets: held.octets.replace(/(?<!\n)$/, '\r\n') });
      // A line without an end cannot stand in an mbox.
      const expected = kind === 'mbox' ? was.map(ended) : was;
      assert.deepEqual(comparable(is), comparable(expected));
    });
  }

  it('adds only what is new when it is done again', async () => {
    const again = await run('export', 'maildir', 'out-maildir', '--account', ALICE, '--json');
    const { mailboxes } = JSON.parse(again.out) as { mailboxes: { written: number }[] };
    assert.ok(mailboxes.every(({ written }) => written === 0));
    const twice = await imported(run, 'maildir', 'out-maildir', '--account', 'maildir@example.test');
    assert.ok(twice.accounts[0]?.folders.every(({ added, changed }) => added + changed === 0));
  });

  it('leaves a trace of who took mail out', async () => {
    const audit = JSON.stringify(await server.store.read.run('directory.audit', { limit: 100 }));
    assert.match(audit, /mail\.export/);
    assert.match(audit, /mail\.import/);
  });
});
