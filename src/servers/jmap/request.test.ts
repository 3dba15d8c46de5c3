import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Principal } from '../request-login.ts';
import type { JmapOptions } from './context.ts';
import { RequestError } from './errors.ts';
import { JMAP_LIMITS } from './limits.ts';
import { answerRequest, sharedParts } from './request.ts';

describe('requests of one account', () => {
  it('run four at once, wait in their order, and beyond that are refused by the name of the limit', async () => {
    const shared = sharedParts();
    const read: number[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((go) => (release = go));
    const ask = (n: number, accountId = 1) =>
      answerRequest(
        {} as JmapOptions,
        shared,
        { accountId } as Principal,
        '',
        async () => {
          read.push(n);
          await gate;
          return 'no request';
        },
        new Promise(() => undefined),
      );
    const most = JMAP_LIMITS.concurrentRequests + JMAP_LIMITS.waitingRequests;
    const asked = Array.from({ length: most }, (_, n) => assert.rejects(ask(n), RequestError));
    await assert.rejects(
      ask(most),
      (error) => error instanceof RequestError && error.limit === 'maxConcurrentRequests',
    );
    const other = assert.rejects(ask(1000, 2), RequestError);
    await new Promise((done) => setImmediate(done));
    assert.deepEqual(read, [0, 1, 2, 3, 1000]);
    release();
    await Promise.all([...asked, other]);
    assert.deepEqual(
      read.filter((n) => n < 1000),
      Array.from({ length: most }, (_, n) => n),
    );
  });
});
