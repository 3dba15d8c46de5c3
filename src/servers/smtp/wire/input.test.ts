import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '../../../net/connection.ts';
import { Input } from './input.ts';

test('a used-up chunk is given back, one that still has commands behind the data is not', async () => {
  const arriving = [Buffer.alloc(65_536, 'x'), Buffer.alloc(65_536, 'y')];
  const [first, second] = arriving;
  const input = new Input({ read: () => Promise.resolve(arriving.shift()) } as Connection);

  assert.equal(await input.fill(), 'data');
  input.pos = 65_000;
  input.release();
  assert.equal(first?.length, 65_536);
  assert.equal(input.unread, 536);

  input.pos = 65_536;
  input.release();
  assert.equal(first?.length, 0);
  assert.equal(input.unread, 0);

  assert.equal(await input.fill(), 'data');
  assert.equal(input.chunk, second);
  assert.equal(input.unread, 65_536);
});
