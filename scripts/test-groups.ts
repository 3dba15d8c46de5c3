import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Which test files share a process, and which begin first. A process that loads the server pays more for that than most test
 * files do for their tests, so files of one folder are imported by one. Alone stays what sets up the whole process, measures
 * it, takes long, or starts programs.
 */

/** Folders whose files may share a process with others of the same folder; the longest that fits counts. */
const SHARED = [
  'src/base',
  'src/mail',
  'src/net',
  'src/data',
  'src/flow/spam',
  'src/flow/outbound',
  'src/flow',
  'src/servers/http',
  'src/servers/imap',
  'src/servers/jmap',
  'src/servers',
  'src/app',
  'web/src',
  'test/jmap',
  'test/app',
  'test/import',
  'test/intake',
];

/** Hooks outside of any `describe` would be those of all files; what is of the whole process may be seen by all. */
const ALONE =
  /^(?:before|after)(?:Each)?\(|\bprocess\.(?:on|once|chdir|exit|memoryUsage|env\.\w+ = |env\[[^\]]+\] = )|\bdelete process\.env|\bReflect\.deleteProperty\(process\.env|Object\.assign\(process\.env|\bmock\.|\bfrom '(?:\.\.?\/)+(?:app\/)?program\.ts'|\bfrom 'playwright/m;

/** Seconds of a processor that a file takes unless it is known better: beside the code, and where servers are started. */
const USUAL = { code: 0.4, journeys: 1.6 };
/** Seconds above which a file has a process of its own. */
const LONG = 2.5;
/** Seconds and files of a process that several share: none is to be the one that all wait for at the end. */
const GROUP = { seconds: 12, files: 20 };

/**
 * Seconds of a processor that the dearest take in CI, or, of those that mostly wait, about half of all seconds. It need not be
 * exact: what is not here is short. Whatever takes long and begins late keeps everybody waiting at the end.
 */
const DEAREST: Readonly<Record<string, number>> = {
  'test/web/hanging.test.ts': 90,
  'test/web/admin.test.ts': 70,
  'test/web/mail-flows.test.ts': 65,
  'test/web/settings.test.ts': 64,
  'test/web/mail.test.ts': 58,
  'test/web/compose.test.ts': 56,
  'test/crash/kill.test.ts': 45,
  'test/web/walk.test.ts': 40,
  'test/web/signatures.test.ts': 36,
  'test/app/week.test.ts': 40,
  'test/crash/changes.test.ts': 30,
  'test/app/serve.test.ts': 27,
  'test/web/sign-in.test.ts': 27,
  'test/web/hostile.test.ts': 21,
  'test/web/offline.test.ts': 19,
  'test/crash/disk.test.ts': 17,
  'test/crash/later.test.ts': 16,
  'test/data/portability.test.ts': 13,
  'test/app/npm.test.ts': 12,
  'test/hybrid/intake.test.ts': 12,
  'test/web/sanitize.test.ts': 12,
  'test/app/try.test.ts': 11,
  'test/corpus/corpus.test.ts': 11,
  'test/import/cyrus.test.ts': 11,
  'test/package/package.test.ts': 11,
  'test/web/setup.test.ts': 11,
  'test/web/words.test.ts': 18,
  'test/hybrid/failover.test.ts': 9,
  'src/servers/imap/long-line.test.ts': 8,
  'test/app/first-mail.test.ts': 8,
  'test/web/heart.test.ts': 8,
  'test/app/server.test.ts': 7,
  'test/interop/mbsync.test.ts': 7,
  'test/jmap/later.test.ts': 7,
  'test/stress/web.test.ts': 7,
  'test/app/bans.test.ts': 6,
  'test/app/holds.test.ts': 6,
  'test/app/judging-time.test.ts': 6,
  'test/backup/cli.test.ts': 6,
  'test/crash/full-disk.test.ts': 6,
  'test/interop/neomutt.test.ts': 6,
  'src/flow/spam/classifier/corpus.test.ts': 5,
  'src/flow/spam/facts/corpus.test.ts': 5,
  'src/mail/message/corpus.test.ts': 5,
  'src/servers/imap/search/equality.test.ts': 5,
  'test/app/telemetry.test.ts': 5,
  'test/app/web-hardening.test.ts': 5,
  'test/crash/refused.test.ts': 5,
  'test/import/files.test.ts': 5,
  'test/interop/swaks.test.ts': 5,
  'test/interop/thunderbird-program.test.ts': 5,
  'test/relay/program.test.ts': 5,
  'web/src/mail/message/smime.test.ts': 5,
  'test/backup/kill.test.ts': 4,
  'test/dns-plan/cli.test.ts': 4,
  'test/doctor/doctor.test.ts': 4,
  'test/doctor/service.test.ts': 4,
  'test/import/live.test.ts': 4,
  'test/intake/faults.test.ts': 4,
  'test/intake/killed.test.ts': 4,
  'test/stress/stress.test.ts': 4,
  'test/app/certificates.test.ts': 3,
  'test/app/guides.test.ts': 11,
  'test/app/operations.test.ts': 3,
  'test/corpus/sort.test.ts': 3,
  'test/crash/scripts.test.ts': 3,
  'test/interop/haproxy.test.ts': 3,
  'test/stress/jmap.test.ts': 3,
};

export interface TestProcess {
  /** What Node is given: a test file, or one made here that imports several. */
  readonly path: string;
  readonly files: readonly string[];
  readonly seconds: number;
}

/** The processes of a run, the dearest first, so that none is left over when all others have ended. `place`: for what is made. */
export function testProcesses(files: readonly string[], place: string): TestProcess[] {
  const made: TestProcess[] = [];
  const open = new Map<string, { files: string[]; seconds: number }>();
  rmSync(place, { recursive: true, force: true });
  const end = (folder: string): void => {
    const group = open.get(folder);
    open.delete(folder);
    if (group !== undefined) made.push({ ...group, path: pathOf(folder, group.files, place) });
  };
  for (const file of files) {
    const folder = folderOf(file);
    const seconds = secondsOf(file);
    if (folder === undefined || seconds > LONG || ALONE.test(readFileSync(file, 'utf8'))) {
      made.push({ path: file, files: [file], seconds });
      continue;
    }
    const group = open.get(folder) ?? { files: [], seconds: 0 };
    group.files.push(file);
    group.seconds += seconds;
    open.set(folder, group);
    if (group.files.length >= GROUP.files || group.seconds >= GROUP.seconds) end(folder);
  }
  for (const folder of open.keys()) end(folder);
  return inOrder(made);
}

/** The dearest first; a browser, which takes all of a processor, every other time. */
function inOrder(made: readonly TestProcess[]): TestProcess[] {
  const sorted = made.toSorted((a, b) => b.seconds - a.seconds);
  const browsers = sorted.filter(({ path }) => path.startsWith('test/web/'));
  const others = sorted.filter((each) => !browsers.includes(each));
  return others
    .flatMap((each, i) => [each, ...browsers.slice(i, i + 1)])
    .concat(browsers.slice(others.length));
}

function secondsOf(file: string): number {
  return DEAREST[file] ?? (file.startsWith('test/') ? USUAL.journeys : USUAL.code);
}

function folderOf(file: string): string | undefined {
  return SHARED.filter((folder) => file.startsWith(`${folder}/`)).toSorted((a, b) => b.length - a.length)[0];
}

/** A module that imports the files, named so that a person sees which they are. Plain JavaScript: it lies under node_modules. */
function pathOf(folder: string, files: readonly string[], place: string): string {
  const [first = ''] = files;
  if (files.length === 1) return first;
  const hash = createHash('sha256').update(files.join()).digest('hex').slice(0, 8);
  const path = join(place, `${folder.replaceAll('/', '-')}-${hash}.test.mjs`);
  mkdirSync(place, { recursive: true });
  const lines = files.map((file) => `import ${JSON.stringify(pathToFileURL(resolve(file)).href)};\n`);
  writeFileSync(path, lines.join(''));
  return path;
}
