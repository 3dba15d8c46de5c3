import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FileBlobStore } from './file.ts';

async function names(store: FileBlobStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list()) found.push(name);
  return found;
}

test('while somebody needs everything, what is removed goes only afterwards', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'postern-keep-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const store = await FileBlobStore.open(root);
  const writer = await store.create();
  await writer.write(Buffer.from('body'));
  const name = await writer.finish();

  const [first, second] = [store.keepAll(), store.keepAll()];
  await store.remove(name);
  await first();
  await first();
  assert.deepEqual(await names(store), [name], 'the second still needs it');
  await second();
  assert.deepEqual(await names(store), []);
});
