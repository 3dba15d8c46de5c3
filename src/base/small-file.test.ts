import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileTrouble, readSmallFile } from './small-file.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-small-'));
});
after(() => rm(directory, { recursive: true, force: true }));

test('a small file is read whole, one octet more is refused', async () => {
  const path = join(directory, 'secret');
  await writeFile(path, 'x'.repeat(10));
  assert.equal((await readSmallFile(path, 10)).toString(), 'x'.repeat(10));
  await assert.rejects(readSmallFile(path, 9), /more than 9 octets/);
  await writeFile(path, '');
  assert.equal((await readSmallFile(path)).length, 0);
});

test('a device without an end is refused, too', async () => {
  await assert.rejects(readSmallFile('/dev/zero'), /more than 4096 octets/);
});

test('what is not there is said', async () => {
  const error: unknown = await readSmallFile(join(directory, 'none')).catch((reason: unknown) => reason);
  assert.equal(fileTrouble(error), 'there is no such file');
});
