import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { mailFiles, mailPaths } from './mail-files.ts';

describe('messages named on the command line', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-mail-files-'));
    await mkdir(join(directory, 'box/cur'), { recursive: true });
    await mkdir(join(directory, 'box/tmp'));
    await writeFile(join(directory, 'box/cur/2'), 'Subject: two\n\nFrom here on\n\nFrom one message\n');
    await writeFile(join(directory, 'box/cur/1'), 'From a@b Mon Nov  2\nSubject: one\n\nx\n');
    await writeFile(join(directory, 'box/cur/.hidden'), 'no');
    await writeFile(join(directory, 'box/tmp/3'), 'half');
    await writeFile(
      join(directory, 'old.mbox'),
      'From a@b\nSubject: first\n\ntext\nFrom a line\n\nFrom c@d\nSubject: second\n\nend\n',
    );
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('are found in folders in order, one to a file, without the separator of a mailbox', async () => {
    const found: [string, string][] = [];
    for await (const { path, octets } of mailFiles([join(directory, 'box')]))
      found.push([path.slice(directory.length), octets.toString()]);
    assert.deepEqual(found, [
      ['/box/cur/1', 'Subject: one\n\nx\n'],
      ['/box/cur/2', 'Subject: two\n\nFrom here on\n\nFrom one message\n'],
    ]);
    assert.equal((await mailPaths([directory])).length, 3);
  });

  it('are told apart in a mailbox file', async () => {
    const found: [string, string][] = [];
    for await (const { path, octets } of mailFiles([join(directory, 'old.mbox')]))
      found.push([path.slice(directory.length), octets.toString().split('\n')[0] ?? '']);
    assert.deepEqual(found, [
      ['/old.mbox#1', 'Subject: first'],
      ['/old.mbox#2', 'Subject: second'],
    ]);
  });

  it('that cannot be read are named', async () => {
    await assert.rejects(
      mailFiles([join(directory, 'nowhere')]).next(),
      /nowhere cannot be read: there is no such file/,
    );
  });
});
