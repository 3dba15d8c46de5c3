/** IMAP, JMAP and people with a browser at once on the same mailboxes: all know the same whenever they come to rest. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { skipUnlessLong } from '../support/programs.ts';
import { startTestServer, storeViolations, TEST_PASSWORD } from '../support/server.ts';
import { buildWeb } from '../web/support.ts';
import { stress } from './run.ts';
import { NO_BROWSER } from './web-person.ts';

const seed = Number(process.env['STRESS_SEED'] ?? 1);

test('IMAP, JMAP and the web page converge', {
  skip: NO_BROWSER || skipUnlessLong(),
  timeout: 240_000,
}, async (t) => {
  if (process.env['POSTERN_WEB_BUILT'] === undefined) buildWeb();
  await using server = await startTestServer({ plaintextAuth: true });
  const result = await stress({
    imap: server.ports.imap ?? 0,
    lmtp: server.ports.lmtp ?? 0,
    password: TEST_PASSWORD,
    seed,
    sessions: 4,
    milliseconds: 5000,
    between: 2500,
    full: 15,
    think: 100,
    beside: { http: server.ports.http ?? 0, jmap: 2, web: 1 },
    inspect: () => storeViolations(server.directory),
  });
  const counts = [...result.counts].filter(([what]) => /web|JMAP|compared/.test(what));
  t.diagnostic(counts.map(([what, count]) => `${what} ${count}`).join(', '));
  assert.deepEqual(result.violations, []);
  assert.ok((result.counts.get('pages compared') ?? 0) >= 1);
  assert.ok((result.counts.get('JMAP models compared') ?? 0) >= 2);
});
