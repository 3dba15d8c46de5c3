import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { createScanner } from './scanner.ts';

test('a filter that rests has no thread, and begins anew when it is needed', async () => {
  const asked: number[] = [];
  const scanner = createScanner({
    clock: systemClock,
    logger: silentLogger,
    models: (owner) => {
      asked.push(owner);
      return Promise.resolve(undefined);
    },
  });
  try {
    scanner.rest();
    await scanner.warm();
    await scanner.warm();
    assert.deepEqual(asked, [0]);
    scanner.rest();
    await scanner.warm();
    assert.deepEqual(asked, [0, 0]);
  } finally {
    await scanner.close();
  }
});
