/**
 * `npm test [PATH ...]`: the checks, then the tests beside the code and under test/. What talks to other programs or takes long
 * runs in CI (CI=true), with POSTERN_LONG=true, or when it is named. Interop tests run where their programs are.
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { matchesGlob, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { pathToFileURL } from 'node:url';
import { testProcesses } from './test-groups.ts';
import { makeTestProgram } from './test-program.ts';
import summary from './test-summary.ts';

/** Whole journeys through the program, beside others and in their time: each of their parts has tests of its own beside the code. */
const DEAR = [
  'test/{interop,hybrid,intake,relay,data,corpus,stress,doctor,dns-plan,backup,import}/**',
  'test/app/{bans,certificates,holds,judging-time,serve,telemetry}.test.ts',
  'test/crash/disk.test.ts',
];
/** Processes at once beside one for each processor: most wait for sockets and for processes of their own at times. More only wait. */
const WAITING = 1;
const MOST_AT_ONCE = 10;
/** Milliseconds until a test, or the file it is in, counts as hung. */
const TIMEOUT_MS = 480_000;
/** So many failing files may be the machine's fault; more are not. */
const SECOND_TRY_FILES = 8;

const asked = process.argv.slice(2);
const all = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts']).sort();
const long = process.env.CI === 'true' || process.env.POSTERN_LONG === 'true';
const usual = all.filter((path) => long || !DEAR.some((glob) => matchesGlob(path, glob)));
// Hundreds of processes read the same sources: stripped and compiled once, that halves what they cost.
process.env.NODE_COMPILE_CACHE ??= resolve('node_modules/.cache/compiled');
if (asked.length === 0) step('scripts/check.ts');
// The pages that tests open.
step('scripts/web.ts');

process.env.POSTERN_WEB_BUILT = 'true';
// Whoever names a file wants all of it.
if (asked.length > 0) process.env.POSTERN_LONG ??= 'true';
process.env.FORCE_COLOR = '0';
const paths = asked.length > 0 ? asked.flatMap((path) => globSync(path)) : await prepare();
if (paths.length === 0) {
  console.error(`there is no such file: ${asked.join(' ')}`);
  process.exit(1);
}
const failing = await runFiles(paths, Math.min(availableParallelism() + WAITING, MOST_AT_ONCE));
if (failing.length > 0) process.exitCode = (await failAgain(failing)) ? 1 : 0;
if (asked.length === 0 && usual.length < all.length)
  console.log(
    `left out: ${all.length - usual.length} files of tests that talk to other programs or take long ` +
      '(CI=true or POSTERN_LONG=true runs all; "npm test -- FILE" one)',
  );

/** Run these; the files in which something failed. */
async function runFiles(files: readonly string[], concurrency: number): Promise<string[]> {
  const found = new Set<string>();
  const events = run({ files: files.map((path) => resolve(path)), concurrency, timeout: TIMEOUT_MS });
  events.on('test:fail', ({ name, file, todo }) => {
    if (todo === undefined || todo === false) found.add(file ?? name);
  });
  for await (const text of summary(events)) process.stdout.write(text);
  return [...found];
}

/**
 * Whether files that failed in a whole run do so again when nothing runs beside them. A browser, a server and a clock on
 * a machine that did six things at once tell little; what is broken fails twice. What failed once is told all the same.
 */
async function failAgain(files: readonly string[]): Promise<boolean> {
  if (asked.length > 0 || files.length > SECOND_TRY_FILES) return true;
  const names = files.map((file) => relative('.', file)).join(', ');
  console.log(`\nrun again, with nothing beside: ${names}`);
  const again = (await runFiles(files, 1)).length > 0;
  if (!again) console.log(`failed once and passed alone: ${names}`);
  return again;
}

/** The paths of a whole run, which is worth it that programs and threads are made of few files before. */
async function prepare(): Promise<string[]> {
  const first = pathToFileURL(await makeTestProgram(resolve('node_modules/.cache/test-program')));
  process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import=${first.href}`.trim();
  return testProcesses(usual, resolve('node_modules/.cache/test-groups')).map(({ path }) => path);
}

/** Run a script to its end; where that fails, so do we. */
function step(script: string): void {
  const { status } = spawnSync(process.execPath, [script], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
