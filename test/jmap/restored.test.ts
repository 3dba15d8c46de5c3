import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { openPlace } from '../../src/data/backup/open-place.ts';
import { openRepository } from '../../src/data/backup/repository.ts';
import { restoreWhole } from '../../src/data/backup/whole.ts';
import type { CreateResult } from '../../src/flow/backup/job.ts';
import { startJob } from '../../src/flow/backup/run-job.ts';
import { placeOf, SECRET } from '../support/backup.ts';
import { startTestServer } from '../support/server.ts';
import { jmapClient, mailboxes, put } from './client.ts';

/** Methods that tell a state, and those that compare one with now. */
const TYPES = ['Mailbox', 'Thread', 'Email', 'Identity', 'EmailSubmission'] as const;
const MESSAGE = 'From: a@else.test\nSubject: x\n\ny\n';

test('after a restore no state from before means anything: clients begin anew', {
  timeout: 60_000,
}, async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'postern-restored-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [data, target, fresh] = [join(root, 'data'), join(root, 'backup'), join(root, 'fresh')];
  const before = await startTestServer({ directory: data });
  const bob = await jmapClient(before, 'bob@example.test');
  const { inbox = '' } = await mailboxes(bob);
  const kept = await put(bob, MESSAGE, inbox);
  const job = startJob({
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
  });
  const { snapshot } = (await job.done) as CreateResult;
  // What the backup has not: the client has seen it all the same.
  const lost = await put(bob, MESSAGE.replace('x', 'lost'), inbox);
  await bob.call('Identity/set', { create: { a: { name: 'B', email: 'bob@example.test' } } });
  const states = new Map<string, string>();
  for (const type of [...TYPES, 'VacationResponse', 'SieveScript'])
    states.set(type, (await bob.call(`${type}/get`, { ids: [] }))['state']);
  const queried = await bob.call('Email/query', { filter: { inMailbox: inbox } });
  await before.close();

  const repository = await openRepository(await openPlace(placeOf(target), { clock: systemClock }), SECRET);
  await restoreWhole({ repository, snapshot, directory: fresh });
  const after = await startTestServer({ directory: fresh });
  try {
    const again = await jmapClient(after, 'bob@example.test');
    for (const [type, state] of states) {
      assert.notEqual((await again.call(`${type}/get`, { ids: [] }))['state'], state, type);
      if (TYPES.some((each) => each === type))
        assert.equal(
          await again.error(`${type}/changes`, { sinceState: state }),
          'cannotCalculateChanges',
          type,
        );
    }
    assert.equal(
      await again.error('Email/queryChanges', {
        filter: { inMailbox: inbox },
        sinceQueryState: queried['queryState'],
      }),
      'cannotCalculateChanges',
    );
    assert.equal(await again.error('Email/set', { ifInState: states.get('Email') }), 'stateMismatch');
    const found = await again.call('Email/get', { ids: [kept, lost], properties: ['id'] });
    assert.deepEqual(found['notFound'], [lost]);
    const [now] = [found['state'] as string];
    const next = await put(again, MESSAGE.replace('x', 'new'), inbox);
    assert.notEqual(next, lost, 'ids are not given twice');
    const changes = await again.call('Email/changes', { sinceState: now });
    assert.deepEqual(changes['created'], [next]);
  } finally {
    await after.close();
  }
});
