import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectory } from './files.ts';

test('makes what is missing, private, and is content with what exists', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'postern-files-'));
  t.after(() => rm(root, { recursive: true }));
  const path = join(root, 'a', 'b', 'c');
  makeDirectory(path);
  makeDirectory(path);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await writeFile(join(root, 'file'), '');
  assert.throws(() => makeDirectory(join(root, 'file', 'x')), { code: 'ENOTDIR' });
});

test('a place that takes no directories is an error at once', {
  skip: existsSync('/proc/self') ? false : 'no /proc',
}, async () => {
  assert.throws(() => makeDirectory('/proc/postern/x'), { code: 'ENOENT' });
});
