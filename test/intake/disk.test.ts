import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runCommand } from '../support/cli.ts';
import { BUCKET, openWorld, until } from './support.ts';

const GIB = 1024 ** 3;

it('mail waits in the bucket while the disk is nearly full, and comes in when there is room', async () => {
  let free = GIB;
  const world = await openWorld({
    server: { diskSpace: async () => ({ free, total: 100 * GIB }) },
  });
  try {
    const received = world.mail({ subject: 'later' });
    await until(async () => (await world.known(received))?.object.state === 'waiting');
    const known = await world.known(received);
    assert.match(known?.object.reason ?? '', /^452 4\.3\.1 /);
    assert.ok(world.aws.s3.keys(BUCKET).includes(received.key));
    free = 50 * GIB;
    // A change of the settings looks at the disk at once.
    const place = { data: world.server.directory };
    assert.equal((await runCommand(['housekeeping', 'set', 'trash_days', '31'], place)).status, 0);
    await world.server.intake.takeIn('main', {
      key: received.key,
      by: 'admin',
      recipients: undefined,
      notice: undefined,
    });
    const stored = await Promise.all(
      ['alice@example.test', 'bob@example.test'].map((address) => world.subjects(address)),
    );
    assert.ok(stored.flat().includes('later'));
  } finally {
    await world.close();
  }
});
