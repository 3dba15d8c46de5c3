import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { View } from '../view.ts';
import { compose, type ComposeParts } from './compose.ts';

const MAX = 1_000_000;

/** A store of uploads of a size, that counts how often one was looked for. */
function partsWith(size: number): { readonly parts: ComposeParts; readonly looked: () => number } {
  let looked = 0;
  const read = {
    run(name: string) {
      assert.equal(name, 'jmap.upload');
      looked++;
      return Promise.resolve({ size });
    },
  };
  return {
    parts: {
      store: { read } as unknown as ComposeParts['store'],
      view: { viewer: 1 } as View,
      hostname: 'mx.example.test',
      nowMs: 0,
      maxBytes: MAX,
      resolve: (id) => id,
    },
    looked: () => looked,
  };
}

it('a blob that many parts name is not looked at more often than a message has room for it', async () => {
  const { parts, looked } = partsWith(400_000);
  const attachments = Array.from({ length: 400 }, () => ({ blobId: 'U1', type: 'application/pdf' }));
  await assert.rejects(compose(parts, { attachments }), /too large/);
  assert.equal(looked(), 3);
});

it('so is a text, which one value may give to many parts', async () => {
  const { parts } = partsWith(0);
  const email = (many: number) => ({
    bodyStructure: {
      type: 'multipart/mixed',
      subParts: Array.from({ length: many }, () => ({ partId: '1' })),
    },
    bodyValues: { 1: { value: 'a line\n'.repeat(10_000) } },
  });
  await assert.rejects(compose(parts, email(400)), /too large/);
  let text = '';
  for await (const piece of await compose(parts, email(3))) text += piece.toString('latin1');
  assert.equal(text.split('a line').length - 1, 30_000);
});
