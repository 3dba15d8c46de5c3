import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { systemClock } from '../../base/clock.ts';
import { createLogger } from '../../base/log.ts';
import { type ApiError, failedResponse } from './api.ts';

async function answered(error: Error): Promise<{ status: number; body: ApiError; logged: string[] }> {
  const logged: string[] = [];
  const logger = createLogger({ level: 'warn', pretty: false, write: (line) => logged.push(line) });
  const app = new Hono();
  app.onError((thrown, c) => failedResponse(c, { logger, clock: systemClock }, 'admin', thrown));
  app.get('/', () => {
    throw error;
  });
  const response = await app.request('/');
  return { status: response.status, body: (await response.json()) as ApiError, logged };
}

test('a file that finds no room is answered as a full disk, and is no fault of the program', async () => {
  const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const { status, body, logged } = await answered(error);
  assert.equal(status, 507);
  assert.equal(body.error.kind, 'storage-full');
  assert.match(body.error.message, /free some space/);
  assert.deepEqual(logged, []);
});

test('nothing is told of any other failure but an id, under which it is logged', async () => {
  const { status, body, logged } = await answered(new Error('secret detail'));
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(body), /secret detail/);
  assert.match(logged.join(), /secret detail/);
});
