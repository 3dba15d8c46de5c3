/**
 * Many IMAP sessions on shared mailboxes that do what chance says, against a server of its own process, and check what
 * they hear: `node bench/stress.ts [--minutes N] [--sessions N] [--seed N] [--between SECONDS] [--full MESSAGES]
 * [--think MS] [--lines N] [--jmap N] [--web N]`. Ends with 1 and the last lines of each session concerned when something was wrong.
 * docs/imap-stress.md tells what is checked.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { storeViolations } from '../test/support/server.ts';
import { startTryServer } from '../test/support/try-server.ts';
import { stress } from '../test/stress/run.ts';

/** Characters of what the server printed last that are shown when something was wrong. */
const SAID = 8000;
/** Of the accounts that the try-out makes. */
const PASSWORD = 'postern';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    sessions: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    between: { type: 'string', default: '20' },
    full: { type: 'string', default: '60' },
    think: { type: 'string', default: '0' },
    lines: { type: 'string', default: '60' },
    jmap: { type: 'string', default: '0' },
    web: { type: 'string', default: '0' },
  },
});

const directory = await mkdtemp(join(tmpdir(), 'postern-stress-'));
const server = await startTryServer({ directory, args: ['--plaintext-auth'] });
// However this ends, the server ends with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    void server
      .end('SIGKILL')
      .then(() => rm(directory, { recursive: true, force: true }))
      .then(() => process.exit(130));
  });
const startedAt = Date.now();
try {
  const result = await stress({
    imap: server.ports.imap,
    lmtp: server.ports.lmtp,
    password: PASSWORD,
    seed: Number(flags.seed),
    sessions: Number(flags.sessions),
    milliseconds: Number(flags.minutes) * 60_000,
    between: Number(flags.between) * 1000,
    full: Number(flags.full),
    think: Number(flags.think),
    lines: Number(flags.lines),
    beside: { http: server.ports.http, jmap: Number(flags.jmap), web: Number(flags.web) },
    inspect: () => storeViolations(directory),
    progress: (text) => console.log(`${Math.round((Date.now() - startedAt) / 1000)} s: ${text}`),
  });
  const counts = [...result.counts].toSorted().map(([what, count]) => `${what}: ${count}`);
  console.log(`\n${counts.join('\n')}`);
  console.log(
    `\n${result.commands} steps of ${flags.sessions} sessions, ${result.checkpoints} checkpoints, seed ${flags.seed}: ` +
      `${result.violations.length} violation(s)`,
  );
  process.exitCode = result.violations.length > 0 ? 1 : 0;
  if (result.violations.length > 0) console.log(`the server said:\n${server.output().slice(-SAID)}`);
} finally {
  const status = await server.end('SIGTERM');
  const left = await storeViolations(directory);
  if (left.length > 0 || status !== 0) {
    console.error(`after the end (status ${status}): ${left.join('\n')}`);
    process.exitCode = 1;
  }
  await rm(directory, { recursive: true, force: true });
}
