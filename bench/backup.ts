/**
 * The restore drill at size: `POSTERN_CORPUS=... node bench/backup.ts [--messages 10000] [--kills 12] [--dir /tmp]`.
 * Fills a store with real mail, backs it up while mail goes on arriving and kills the backup at random times, lets one
 * come to its end, restores it elsewhere and compares every message by hash, flags, keywords, date and UID. Prints what
 * each step took, what a second backup adds, and how long the server's event loop was held up meanwhile.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { openPlace } from '../src/data/backup/open-place.ts';
import { openRepository } from '../src/data/backup/repository.ts';
import { verifySnapshots } from '../src/data/backup/verify.ts';
import { restoreWhole } from '../src/data/backup/whole.ts';
import type { BackupJob, CreateResult, DrillResult } from '../src/flow/backup/job.ts';
import { startJob } from '../src/flow/backup/run-job.ts';
import { deposit, everything, mailStore, placeOf, SECRET } from '../test/support/backup.ts';
import { corpusMessages, generatedMessages, skipWithoutCorpus } from '../test/support/corpus.ts';

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    kills: { type: 'string', default: '12' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const COUNT = Number(flags.messages);
const KILLS = Number(flags.kills);
const MiB = 1024 * 1024;

const root = await mkdtemp(join(flags.dir, 'postern-bench-backup-'));
const [data, target, elsewhere] = [join(root, 'data'), join(root, 'backup'), join(root, 'elsewhere')];

async function timed<T>(what: string, run: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await run();
  console.log(`${((performance.now() - began) / 1000).toFixed(2).padStart(8)} s  ${what}`);
  return result;
}

async function sizeOf(directory: string): Promise<string> {
  let sum = 0;
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true }))
    if (entry.isFile()) sum += (await stat(join(entry.parentPath, entry.name))).size;
  return `${(sum / MiB).toFixed(1)} MiB`;
}

/** How late timers of this process came, at resolution 1 ms. */
async function loopDelay(run: () => Promise<void>): Promise<string> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await run();
  delay.disable();
  const ms = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(1);
  return `p50 ${ms(delay.percentile(50))}, p99 ${ms(delay.percentile(99))}, most ${ms(delay.max)} ms`;
}

function job(kind: 'create' | 'drill'): BackupJob {
  const common = { place: placeOf(target), secret: SECRET, data };
  if (kind === 'drill') return { ...common, kind, scratch: root };
  const create = { system: [], program: 'bench', make: true, bytesPerSecond: 0, keep: undefined };
  return { ...common, kind, ...create, now: Date.now() };
}

/** Real mail, repeated with a line of its own until there is enough, and every hundredth message is large. */
function letters(): (n: number) => Buffer {
  const real = skipWithoutCorpus() === false ? [...corpusMessages('mail'), ...corpusMessages('mime')] : [];
  const mail = real.length > 0 ? real : generatedMessages(1000);
  console.log(`${real.length > 0 ? real.length : 0} real messages in the corpus`);
  return (n) => {
    const own = Buffer.from(`X-Number: ${n}\r\n`);
    const octets = mail[n % mail.length]?.octets ?? Buffer.alloc(0);
    const more = n % 100 === 0 ? Buffer.alloc(700_000, `large ${n} `) : Buffer.alloc(0);
    return Buffer.concat([own, octets, more]);
  };
}

try {
  const letter = letters();
  const store = await mailStore(data);
  let next = 0;
  const arrive = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++, next++) await deposit(store, letter(next), next);
  };
  await timed(`store ${COUNT - 1000} messages`, () => arrive(COUNT - 1000));

  let killed = 0;
  for (let round = 0; round < KILLS; round++) {
    const running = startJob(job('create'));
    const timer = setTimeout(() => running.kill(), 200 + Math.random() * 2500);
    const ended = running.done.then(
      () => false,
      () => true,
    );
    await arrive(Math.floor(500 / KILLS));
    if (await ended) killed++;
    clearTimeout(timer);
  }
  console.log(`${killed} of ${KILLS} backups were killed`);

  const arriving = timed(`store ${COUNT - next} messages meanwhile`, () => arrive(COUNT - next));
  const first = await timed('the backup that was let be', () => startJob(job('create')).done);
  await arriving;
  const { snapshot } = first as CreateResult;
  const idle = await loopDelay(() => new Promise((resolve) => setTimeout(resolve, 2500)));
  let second = first as CreateResult;
  const busy = await loopDelay(async () => {
    second = (await timed('another one', () => startJob(job('create')).done)) as CreateResult;
  });
  console.log(`          event loop of the server: idle ${idle}; during the backup ${busy}`);
  console.log(
    `          data ${await sizeOf(data)}, repository ${await sizeOf(target)}; the last added ${(second.snapshot.added / MiB).toFixed(2)} MiB`,
  );
  const drill = (await timed('the drill', () => startJob(job('drill')).done)) as DrillResult;
  console.log(`          ${drill.ok ? 'well' : 'NOT WELL'}: ${drill.compared} of ${drill.messages} compared`);
  if (!drill.ok) process.exitCode = 1;
  const after = await everything(data);
  await store.close();

  const place = await openPlace(placeOf(target), { clock: systemClock });
  const repository = await openRepository(place, SECRET);
  const { snapshots } = await repository.snapshots();
  const verified = await timed('read back and verify all', () => verifySnapshots(repository, snapshots));
  if (verified.problems.length > 0) throw new Error(verified.problems.join('\n'));
  for (const [one, wanted] of [
    [snapshot, snapshot.emails],
    [second.snapshot, COUNT],
  ] as const) {
    const directory = join(elsewhere, one.id);
    await timed('restore elsewhere', () =>
      restoreWhole({ repository, snapshot: one, directory, asItWas: true }),
    );
    const restored = await everything(directory);
    let wrong = restored.size === wanted ? 0 : 1;
    for (const [where, what] of restored) if (after.get(where) !== what) wrong++;
    console.log(
      `          ${restored.size} messages by hash, flags, keywords, date and UID: ${wrong} differ`,
    );
    if (wrong > 0) process.exitCode = 1;
  }
} finally {
  await rm(root, { recursive: true, force: true });
}
