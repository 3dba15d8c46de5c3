/** Some days of backups by the schedule, on a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { createBackups } from '../../src/flow/backup/service.ts';
import { deposit, mailStore } from '../support/backup.ts';
import { generatedMessages } from '../support/corpus.ts';
import { testActor } from '../support/server.ts';

const DAY = 86_400_000;

test('made each day, pruned, tried, told of when it fails, and ended with the server', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'postern-schedule-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [data, target, key] = [join(root, 'data'), join(root, 'data/backups'), join(root, 'key')];
  const store = await mailStore(data);
  let now = Date.UTC(2030, 0, 1, 3);
  const clock = { ...systemClock, now: () => now };
  const parts = { store, clock, logger: silentLogger, data, system: () => [], program: 'test' };
  const backups = createBackups(parts);
  const tick = async () => {
    await backups.tick();
    await backups.settled();
    return backups.state();
  };

  assert.deepEqual(await tick(), {}, 'nothing is set, nothing happens');
  const settings = { target, key_file: key, keep_daily: 2, keep_weekly: 0, keep_monthly: 0, drill_days: 2 };
  await store.write.run('backup.saveSettings', { actor: testActor, json: JSON.stringify(settings) });
  assert.match((await tick()).failure?.message ?? '', /Cannot read .*key/);

  // The directory where a disk should be: nothing is begun there.
  await writeFile(key, Buffer.alloc(32, 3));
  await mkdir(target);
  now += DAY;
  assert.match((await tick()).failure?.message ?? '', /There is no backup at .*is it mounted/);
  assert.deepEqual(await readdir(target), []);
  await backups.create();
  await backups.settled();
  assert.equal((await backups.state()).failure, undefined);
  await backups.create();
  await backups.settled();
  const made = backups.task()?.end;
  assert.ok(made?.ok && 'snapshot' in made.result && made.result.kind === 'create');
  assert.equal(made.result.snapshot.files, 1, 'a backup in the data directory is not in itself');

  for (const [n, { octets }] of generatedMessages(3).entries()) {
    now += DAY;
    await deposit(store, octets, n);
    const { success } = await tick();
    assert.equal(success?.at, now);
    assert.equal(success.emails, n + 1);
    assert.equal(success.snapshots, 2);
    await tick();
  }
  const { drill } = await backups.state();
  assert.ok(drill?.ok, JSON.stringify(drill));
  assert.deepEqual([drill.at, drill.messages, drill.compared], [now, 3, 3]);

  now += DAY;
  await backups.tick();
  await backups.stop();
  assert.equal((await backups.state()).failure, undefined, 'the end of the server is no failure');
  const after = createBackups(parts);
  await after.tick();
  assert.equal(after.task(), undefined, 'what was cut short is tried again after an hour');
  now += DAY / 24;
  await after.tick();
  await after.settled();
  assert.equal((await after.state()).success?.at, now);
  await store.close();
});
