import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Flag } from '../../data/mailstore/types.ts';
import { emlSource } from './eml.ts';
import { maildirSource } from './maildir.ts';
import { mboxSource } from './mbox.ts';
import { type MailSource, NoMail } from './types.ts';

const MESSAGE = 'From: ann@example.net\r\nSubject: hello\r\n folded\r\n\r\nhello\r\n';

describe('which files are mail', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-eml-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  async function put(path: string, octets: string): Promise<string> {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, octets);
    return file;
  }

  async function keysOf(source: MailSource): Promise<Record<string, readonly string[]>> {
    const keys: Record<string, readonly string[]> = {};
    for (const folder of await source.folders())
      keys[folder.levels.join('/')] = (await source.list(folder)).map(({ key }) => key);
    return keys;
  }

  it('messages are known by their names, and by how they begin', async () => {
    await put('1.eml', MESSAGE);
    await put('2', MESSAGE);
    await put('00003.7c53336b37003a9286aba55d2945844c', `Return-Path: <>\n${MESSAGE}`);
    await put('Old/4.txt', `${'Received: by a long way\n'.repeat(1000)}${MESSAGE}`);
    await put('notes.txt', 'To do:\nbuy milk\n');
    await put('.DS_Store', 'hidden');
    await put('card.vcf', 'BEGIN:VCARD\nFN:Ann\n');
    const source = emlSource(directory);
    assert.deepEqual(await keysOf(source), {
      INBOX: ['1.eml', '2', '00003.7c53336b37003a9286aba55d2945844c'],
      Old: ['4.txt'],
    });
    assert.deepEqual(source.passed?.(), [
      { folder: 'INBOX', why: 'no messages: card.vcf, notes.txt', missed: false },
    ]);
  });

  it('one file is read whatever its name, and a name out of a Maildir has its flags', async () => {
    const source = emlSource(await put('123.host:2,FS', MESSAGE));
    assert.deepEqual(await keysOf(source), { INBOX: ['123.host:2,FS'] });
    const [folder] = await emlSource(directory).folders();
    assert.ok(folder);
    const [message] = await emlSource(directory).list(folder);
    assert.equal(message?.flags, Flag.Flagged | Flag.Seen);
  });

  it('mail of other forms is not passed over in silence', async () => {
    await put('1.eml', MESSAGE);
    await put('all', `From ann@example.net Mon Feb  5 10:00:00 2024\n${MESSAGE}`);
    await put('Box/cur/5.host:2,S', MESSAGE);
    await mkdir(join(directory, 'Box/new'));
    const source = emlSource(directory);
    assert.deepEqual(await keysOf(source), { INBOX: ['1.eml'] });
    assert.deepEqual(
      source.passed?.().map(({ folder, why, missed }) => [folder, why.split(':')[0], missed]),
      [
        ['INBOX', 'mbox files, which "postern import mbox" brings', true],
        ['Box', 'a Maildir, which "postern import maildir" brings with its flags', true],
      ],
    );
  });

  it('a place without mail is told of, with what was looked for', async () => {
    const picture = await put('Old/picture.jpg', 'not mail');
    const says = (words: RegExp) => (error: unknown) => error instanceof NoMail && words.test(error.message);
    await assert.rejects(emlSource(directory).folders(), says(/\.eml.*\. Old: no messages: picture\.jpg$/));
    await assert.rejects(emlSource(picture).folders(), says(/does not begin with the header of a message/));
    await assert.rejects(maildirSource(directory).folders(), says(/"cur"/));
    await assert.rejects(mboxSource(directory).folders(), says(/"From \.\.\. date"/));
    for (const source of [emlSource, maildirSource, mboxSource])
      await assert.rejects(source(join(directory, 'nowhere')).folders(), { code: 'ENOENT' });
  });

  it('messages of an mbox that say nothing of themselves count as unread, or as read where that is wanted', async () => {
    const line = 'From ann@example.net Mon Feb  5 10:00:00 2024\n';
    const file = await put('all.mbox', `${line}${MESSAGE}\n${line}Status: O\n${MESSAGE}`);
    const flags = async (source: MailSource): Promise<number[]> => {
      const [folder] = await source.folders();
      assert.ok(folder);
      return (await source.list(folder)).map((message) => message.flags);
    };
    assert.deepEqual(await flags(mboxSource(file)), [0, 0]);
    assert.deepEqual(await flags(mboxSource(file, { seen: true })), [Flag.Seen, 0]);
  });
});
