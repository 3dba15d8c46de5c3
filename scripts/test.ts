/** `npm test [PATH ...]`: the checks, then every test beside the code and under test/. Interop tests run where their programs are. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { resolve } from 'node:path';

const asked = process.argv.slice(2);
const files =
  asked.length > 0
    ? asked
    : globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts']).sort();
if (asked.length === 0) {
  const check = spawnSync(process.execPath, ['scripts/check.ts'], { stdio: 'inherit' });
  if (check.status !== 0) process.exit(check.status ?? 1);
}
// The pages that tests open.
const web = spawnSync(process.execPath, ['scripts/web.ts'], { stdio: 'inherit' });
if (web.status !== 0) process.exit(web.status ?? 1);
// Hundreds of processes read the same sources: stripped and compiled once, that halves what they cost.
const compiled = 'node_modules/.cache/compiled';
// Two at a time: most wait for sockets and processes, and a laptop has at least as many cores.
const run = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-concurrency=3',
    '--test-timeout=240000',
    '--test-reporter=dot',
    '--test-reporter-destination=stdout',
    '--test-reporter=./scripts/test-summary.ts',
    '--test-reporter-destination=stdout',
    ...files,
  ],
  {
    stdio: 'inherit',
    env: {
      NODE_COMPILE_CACHE: resolve(compiled),
      ...process.env,
      POSTERN_WEB_BUILT: 'true',
      FORCE_COLOR: '0',
    },
  },
);
process.exit(run.status ?? 1);
