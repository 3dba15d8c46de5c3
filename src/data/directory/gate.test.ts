import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createGate, type Gate, GATE_FULL } from './gate.ts';

describe('gate', () => {
  let gate: Gate;
  /** Tasks in the order in which they began; the first `ended` are over. */
  let began: string[];
  let releases: (() => void)[];
  let full: string[];

  beforeEach(() => {
    gate = createGate({ running: 1, waiting: 8, share: 3, exempt: (client) => client === 'here' });
    began = [];
    releases = [];
    full = [];
  });

  /** Tasks "client1", "client2", ... ask for a place. */
  const ask = async (client: string, count: number, from = 1): Promise<void> => {
    for (let n = from; n < from + count; n++) {
      const name = `${client}${n}`;
      void gate(client, () => {
        began.push(name);
        return new Promise<void>((resolve) => releases.push(resolve));
      }).then((result) => result === GATE_FULL && full.push(name));
    }
    await turn();
  };
  const runAll = async (): Promise<void> => {
    while (releases.length > 0) {
      releases.shift()?.();
      await turn();
    }
  };

  it('serves clients in turns, each in its order', async () => {
    await ask('a', 4);
    await ask('b', 2);
    await ask('c', 1);
    await runAll();
    assert.deepEqual(began, ['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
    assert.deepEqual(full, []);
  });

  it('one client waits with its share at most, unless it is exempt', async () => {
    await ask('a', 6);
    assert.deepEqual(full, ['a5', 'a6']);
    await runAll();
    await ask('here', 9);
    assert.deepEqual(full, ['a5', 'a6']);
    await ask('here', 1, 10);
    assert.deepEqual(full, ['a5', 'a6', 'here10']);
  });

  it('a full line has room for who waits with fewer, at the cost of who waits with most', async () => {
    await ask('a', 4);
    await ask('b', 3);
    await ask('c', 2);
    assert.deepEqual(full, []);
    await ask('d', 3);
    assert.deepEqual(full.toSorted(), ['a4', 'b3', 'd3']);
    await runAll();
    assert.deepEqual(began, ['a1', 'a2', 'b1', 'c1', 'd1', 'a3', 'b2', 'c2', 'd2']);
  });

  it('a crowd of clients does not grow the line', async () => {
    for (let i = 0; i < 50; i++) await ask(`client ${i} `, 1);
    assert.equal(full.length, 50 - 1 - 8);
    await runAll();
    assert.equal(began.length, 9);
  });

  it('a task that throws frees its place', async () => {
    await assert.rejects(
      gate('a', () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.equal(await gate('a', () => Promise.resolve('done')), 'done');
  });
});
