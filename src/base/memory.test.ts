import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheBytes, giveBack, memoryLimit } from './memory.ts';

test('memory of its own is given back, what others look at stays', () => {
  const own = Buffer.allocUnsafeSlow(65_536);
  giveBack(own);
  assert.equal(own.length, 0);
  assert.equal(own.buffer.byteLength, 0);

  const whole = Buffer.alloc(65_536, 'x');
  giveBack(whole.subarray(0, 40_000));
  assert.equal(whole.length, 65_536, 'a part of it');

  const pooled = Buffer.from('a few octets in the pool');
  giveBack(pooled);
  assert.equal(pooled.toString(), 'a few octets in the pool');

  const shared = new Uint8Array(new SharedArrayBuffer(65_536));
  giveBack(shared);
  assert.equal(shared.length, 65_536, 'of another thread too');
});

test('caches are as large as the memory allows, and never nothing', () => {
  const MiB = 1024 ** 2;
  assert.equal(cacheBytes(32 * MiB, 16 * 1024 * MiB), 32 * MiB);
  assert.equal(cacheBytes(32 * MiB, 1024 * MiB), 8 * MiB);
  assert.equal(cacheBytes(32 * MiB, 100 * MiB), 4 * MiB);
  assert.ok(memoryLimit() > 0);
});
