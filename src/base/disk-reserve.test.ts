import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { manualClock } from '../../test/support/manual-clock.ts';
import { createDiskReserve, type DiskSpace, type DiskState } from './disk-reserve.ts';
import { silentLogger } from './log.ts';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

function reserve(space: () => DiskSpace, directory = '/') {
  const clock = manualClock();
  const changes: DiskState[] = [];
  const disk = createDiskReserve({
    directory,
    clock,
    logger: silentLogger,
    wish: () => ({ percent: 5, bytes: 500 * MIB }),
    onChange: (state) => changes.push(state),
    space: async () => space(),
  });
  return { disk, clock, changes };
}

describe('the reserve of a disk', () => {
  it('is reached below 5 % or 500 MB, and left again with some room more', async () => {
    let free = 100 * GIB;
    const { disk, changes } = reserve(() => ({ free, total: 100 * GIB }));
    const at = async (now: number): Promise<boolean> => {
      free = now;
      await disk.look();
      return disk.low();
    };
    assert.equal(await at(5 * GIB + 1), false);
    assert.equal(await at(5 * GIB - 1), true);
    assert.equal(await at(5.5 * GIB), true, 'a little more room is not enough');
    assert.equal(await at(6 * GIB), false);
    assert.equal(await at(5.5 * GIB), false, 'nor is a little less too little');
    assert.deepEqual(
      changes.map(({ low }) => low),
      [true, false],
    );
    disk.stop();
    const small = reserve(() => ({ free: 499 * MIB, total: 2 * GIB }));
    await small.disk.look();
    assert.equal(small.disk.low(), true);
    small.disk.stop();
  });

  it('is looked at seldom while there is room and often when there is little; what is not known changes nothing', async () => {
    let looks = 0;
    let free = 500 * GIB;
    const { disk, clock } = reserve(() => {
      looks++;
      if (free < 0) throw new Error('no such disk');
      return { free, total: 1000 * GIB };
    });
    await disk.look();
    const run = async (ms: number): Promise<number> => {
      looks = 0;
      for (let passed = 0; passed < ms; passed += 1000) {
        clock.advance(1000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return looks;
    };
    assert.ok((await run(600_000)) <= 11);
    free = 50 * GIB - 1;
    await run(60_000);
    assert.ok((await run(60_000)) >= 10);
    assert.equal(disk.low(), true);
    free = -1;
    await run(60_000);
    assert.equal(disk.low(), true);
    disk.stop();
    assert.equal(await run(60_000), 0);
  });

  it('is that of a real disk', {
    skip: process.getuid?.() !== 0 && 'needs root to mount a tmpfs',
  }, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-disk-'));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'none', directory]).status !== 0) {
      await rm(directory, { recursive: true });
      return t.skip('cannot mount a tmpfs here');
    }
    try {
      const disk = createDiskReserve({
        directory,
        clock: manualClock(),
        logger: silentLogger,
        wish: () => ({ percent: 10, bytes: 5 * MIB }),
      });
      await disk.look();
      assert.equal(disk.low(), false);
      assert.equal(disk.state()?.total, 20 * MIB);
      await writeFile(join(directory, 'big'), Buffer.alloc(16 * MIB));
      await disk.look();
      assert.equal(disk.low(), true);
      await rm(join(directory, 'big'));
      await disk.look();
      assert.equal(disk.low(), false);
      disk.stop();
    } finally {
      spawnSync('umount', [directory]);
      await rm(directory, { recursive: true });
    }
  });
});
