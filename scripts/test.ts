/**
 * `npm test [PATH ...]`: the checks, then the tests beside the code and under test/. What talks to other programs or takes long
 * runs in CI (CI=true), with POSTERN_LONG=true, or when it is named. Interop tests run where their programs are.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { matchesGlob, resolve } from 'node:path';

/** Whole journeys through the program, beside others and in their time: each of their parts has tests of its own beside the code. */
const DEAR = [
  'test/{interop,hybrid,intake,relay,data,corpus,stress,doctor,dns-plan,backup,import}/**',
  'test/app/{bans,certificates,holds,judging-time,serve,telemetry}.test.ts',
  'test/crash/disk.test.ts',
];

const asked = process.argv.slice(2);
const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts']).sort();
const long = process.env.CI === 'true' || process.env.POSTERN_LONG === 'true';
const usual = all.filter((path) => long || !DEAR.some((glob) => matchesGlob(path, glob)));
const files = asked.length > 0 ? asked : usual;
// Hundreds of processes read the same sources: stripped and compiled once, that halves what they cost.
process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/compiled');
if (asked.length === 0) {
  const check = spawnSync(process.execPath, ['scripts/check.ts'], { stdio: 'inherit' });
  if (check.status !== 0) process.exit(check.status ?? 1);
}
// The pages that tests open.
const web = spawnSync(process.execPath, ['scripts/web.ts'], { stdio: 'inherit' });
if (web.status !== 0) process.exit(web.status ?? 1);
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
      ...process.env,
      POSTERN_WEB_BUILT: 'true',
      FORCE_COLOR: '0',
    },
  },
);
if (asked.length === 0 && usual.length < all.length)
  console.log(
    `left out: ${all.length - usual.length} files of tests that talk to other programs or take long ` +
      '(CI=true or POSTERN_LONG=true runs all; "npm test -- FILE" one)',
  );
process.exit(run.status ?? 1);
