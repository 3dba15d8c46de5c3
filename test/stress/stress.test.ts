import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestServer, storeViolations, TEST_PASSWORD } from '../support/server.ts';
import { stress } from './run.ts';

/** A longer run: STRESS_MINUTES=10 node --test test/stress/stress.test.ts; STRESS_SEED for another one. */
const minutes = Number(process.env['STRESS_MINUTES'] ?? 0);
const seed = Number(process.env['STRESS_SEED'] ?? 1);

test('many sessions on shared mailboxes see what they should and nothing else', {
  timeout: 7_200_000,
}, async (t) => {
  await using server = await startTestServer({ plaintextAuth: true });
  const result = await stress({
    imap: server.ports.imap ?? 0,
    lmtp: server.ports.lmtp ?? 0,
    password: TEST_PASSWORD,
    seed,
    sessions: minutes > 0 ? 30 : 12,
    milliseconds: minutes > 0 ? minutes * 60_000 : 4500,
    between: minutes > 0 ? 15_000 : 1500,
    full: minutes > 0 ? 60 : 25,
    inspect: () => storeViolations(server.directory),
  });
  const counts = [...result.counts].toSorted().map(([what, count]) => `${what} ${count}`);
  t.diagnostic(`${result.commands} steps, ${result.checkpoints} checkpoints; ${counts.join(', ')}`);
  assert.deepEqual(result.violations, []);
  assert.ok(result.checkpoints > 0 && result.commands > 0);
});
