/** Backups that are killed at random while mail arrives; what is restored is what was there, octet by octet. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { openPlace } from '../../src/data/backup/open-place.ts';
import { pruneBackups } from '../../src/data/backup/prune.ts';
import { openRepository } from '../../src/data/backup/repository.ts';
import { verifySnapshots } from '../../src/data/backup/verify.ts';
import { restoreWhole } from '../../src/data/backup/whole.ts';
import type { BackupJob, CreateResult } from '../../src/flow/backup/job.ts';
import { startJob } from '../../src/flow/backup/run-job.ts';
import { corpusMessages, generatedMessages, skipWithoutCorpus } from '../support/corpus.ts';
import { deposit, everything, mailStore, placeOf, SECRET } from '../support/backup.ts';
import { storeViolations } from '../support/server.ts';
import { skipUnlessLong } from '../support/programs.ts';

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-backup-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Real mail where it is at hand, and always some of each size: in rows, in segments, in files. */
function letters(): Buffer[] {
  const real = skipWithoutCorpus() === false ? corpusMessages('mime', 60) : [];
  const sizes = [40_000, 90_000, 200_000, 700_000, 2_300_000];
  const large = sizes.map((size) =>
    Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.from(randomBytes(size).toString('hex'))]),
  );
  return [...real, ...generatedMessages(235)].map(({ octets }) => octets).concat(large);
}

function createJob(data: string, target: string): BackupJob {
  return {
    kind: 'create',
    now: Date.now(),
    place: placeOf(target),
    secret: SECRET,
    data,
    system: [],
    program: 'test',
    make: true,
    bytesPerSecond: 0,
    keep: undefined,
  };
}

test('killed at random while mail arrives, and restored elsewhere as it was', {
  skip: skipUnlessLong(),
}, async (t) => {
  const root = await scratch(t);
  const [data, target, elsewhere] = [join(root, 'data'), join(root, 'backup'), join(root, 'elsewhere')];
  const store = await mailStore(data);
  const mail = letters();
  let next = 0;
  const arrive = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await deposit(store, mail[next % mail.length] ?? Buffer.alloc(0), next);
      next++;
    }
  };
  await arrive(150);

  let killed = 0;
  for (let round = 0; round < 6; round++) {
    const job = startJob(createJob(data, target));
    // The first comes before a backup can have made its key from the passphrase.
    const after = round === 0 ? 100 : 150 + Math.random() * 500;
    const timer = setTimeout(() => job.kill(), after);
    const outcome = job.done.then(
      () => 'done',
      () => 'killed',
    );
    await arrive(20);
    if ((await outcome) === 'killed') killed++;
    clearTimeout(timer);
  }
  t.diagnostic(`${killed} of 6 backups were killed`);
  assert.ok(killed > 0);

  // While the last one runs mail arrives and flags change: what it has is one moment, somewhere in between.
  const before = await everything(data);
  const job = startJob(createJob(data, target));
  await arrive(mail.length - next);
  const { snapshot } = (await job.done) as CreateResult;
  const after = await everything(data);
  await store.close();

  const place = await openPlace(placeOf(target), { clock: systemClock });
  const repository = await openRepository(place, SECRET);
  const { snapshots, damaged } = await repository.snapshots();
  assert.deepEqual(damaged, []);
  assert.equal(snapshots.at(-1)?.id, snapshot.id);
  assert.deepEqual((await verifySnapshots(repository, snapshots)).problems, []);

  for (const one of snapshots) {
    const directory = join(elsewhere, one.id);
    await restoreWhole({ repository, snapshot: one, directory, asItWas: true });
    const restored = await everything(directory);
    assert.equal(restored.size, one.emails);
    for (const [where, what] of restored) assert.equal(what, after.get(where), where);
    if (one.id === snapshot.id) for (const where of before.keys()) assert.ok(restored.has(where), where);
    assert.deepEqual(await storeViolations(directory), []);
  }

  // What the killed ones left over goes with the next pruning, and what is kept stays whole.
  await pruneBackups(repository, { daily: 1, weekly: 0, monthly: 0 }, systemClock);
  const left = await repository.snapshots();
  assert.deepEqual(
    left.snapshots.map(({ id }) => id),
    [snapshot.id],
  );
  assert.deepEqual((await verifySnapshots(repository, left.snapshots)).problems, []);
  assert.deepEqual(await readdir(join(target, 'incoming')), []);
});
