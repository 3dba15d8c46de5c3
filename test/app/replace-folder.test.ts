import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { replaceFolder } from '../../scripts/replace-folder.ts';

it('lets builds of the web app end at the same moment: one of them is in its place, whole', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-replace-'));
  try {
    const files = Array.from({ length: 5 }, (_, i) => String(i));
    for (let round = 0; round < 10; round++) {
      const builds = ['a', 'b', 'c'].map(async (name) => {
        const next = join(directory, `.${name}`);
        await mkdir(next);
        for (const file of files) await writeFile(join(next, file), name);
        await replaceFolder(next, join(directory, 'place'));
      });
      await Promise.all(builds);
      assert.deepEqual(await readdir(directory), ['place']);
      const texts = await Promise.all(files.map((file) => readFile(join(directory, 'place', file), 'utf8')));
      assert.deepEqual([texts.length, new Set(texts).size], [files.length, 1]);
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
