import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { openStore } from './open.ts';

it('leaves nothing in the write-ahead log when it is closed', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const store = await openStore({ directory, clock: systemClock, logger: silentLogger });
  await store.write.run('directory.ensureSetting', { name: 'a', value: 'b' });
  // One read in place, one in the reader thread: both have connections.
  await store.read.run('journal.byTrace', { trace: 'x' });
  await store.read.run('journal.recent', { from: 0, to: 1, limit: 1 });
  await store.close();
  const files = (await readdir(directory)).filter((name) => name.startsWith('mail.db'));
  assert.deepEqual(files, ['mail.db']);
});

/** One write, and more than a group takes: the store is told to close while they wait. */
for (const count of [1, 600]) {
  it(`does the ${count} writes asked for before it closes`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-test-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const store = await openStore({ directory, clock: systemClock, logger: silentLogger });
    const asked = Array.from({ length: count }, (_, i) =>
      store.write.run('directory.ensureSetting', { name: `name ${i}`, value: `value ${i}` }),
    );
    await store.close();
    const answers = await Promise.allSettled(asked);
    assert.deepEqual(
      answers.filter(({ status }) => status === 'rejected'),
      [],
    );
    const again = await openStore({ directory, clock: systemClock, logger: silentLogger });
    const last = `name ${count - 1}`;
    assert.equal(
      await again.write.run('directory.ensureSetting', { name: last, value: 'new' }),
      `value ${count - 1}`,
    );
    await again.close();
  });
}

it('fails alone what cannot cross to the store thread, not what was asked for in the same turn', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const store = await openStore({ directory, clock: systemClock, logger: silentLogger });
  const memory = new ArrayBuffer(8);
  structuredClone(memory, { transfer: [memory] });
  const setting = (name: string, value: unknown) => ({ name, value }) as { name: string; value: string };
  const answers = await Promise.allSettled([
    store.write.run('directory.ensureSetting', setting('a', 'first')),
    store.write.run('directory.ensureSetting', setting('b', memory)),
    store.write.run('directory.ensureSetting', setting('c', 'third')),
  ]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  await store.close();
});
