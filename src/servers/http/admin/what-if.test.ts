import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ALICE, BOB, GOOD_IP, type Judged, letter, startJudged } from '../../../../test/support/judged.ts';
import { systemClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/log.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { alwaysActor, createAdminApp } from './app.ts';

const actor: Actor = { name: 'system', role: 'system', domainId: undefined };

describe('what if', () => {
  let judged: Judged;
  before(async () => {
    judged = await startJudged();
  });
  after(() => judged[Symbol.asyncDispose]());

  async function ask(settings: object): Promise<{
    judged: number;
    moved: { to?: string; from?: string; was: string; would: string }[];
    counts: object[];
  }> {
    const { store } = judged.server;
    const facts = {
      version: '',
      mode: 'serve' as const,
      hostname: 'mx.example.test',
      startedAt: 1,
      dataDirectory: '/nonexistent',
      publicAddresses: () => [],
      adminAddress: () => undefined,
      listeners: () => [],
      certificates: () => [],
    };
    const app = createAdminApp(
      { store, clock: systemClock, logger: silentLogger, facts },
      alwaysActor(actor),
    );
    const answer = await app.request('/admin/v1/filter/what-if', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ settings }),
    });
    assert.equal(answer.status, 200);
    return answer.json() as never;
  }

  it('tells what would become of the copy of each recipient, where their lists differ', async () => {
    const { write } = judged.server.store;
    await write.run('spam.listAdd', { actor, account: ALICE, pattern: '@good.test', action: 'block' });
    const from = 'a@good.test';
    assert.match(
      await judged.send({ ip: GOOD_IP, from, to: [ALICE, BOB], message: letter({ from }) }),
      /^250/,
    );
    assert.equal((await judged.junk()).length, 1);
    const off = await ask({ enabled: false });
    assert.equal(off.judged, 2);
    assert.deepEqual(
      off.moved.map(({ to, from: author, was, would }) => ({ to, author, was, would })),
      [{ to: ALICE, author: from, was: 'junk', would: 'inbox' }],
    );
    assert.deepEqual(off.counts, [{ was: 'junk', would: 'inbox', count: 1 }]);
    assert.deepEqual((await ask({ refuse: 'never' })).moved, [], 'whom Alice blocks stays blocked');
  });

  it('reads what was written down before verdicts were kept one by one', async () => {
    const data = {
      action: 'inbox',
      probability: 0.01,
      threshold: 0.9,
      reasons: [],
      decidedBy: null,
      author: 'x@far.test',
      accounts: [`For ${ALICE}: junk, 99.10 %`, `For ${BOB}: inbox, 1.00 %`],
    };
    const event = { trace: 'old', at: Date.now() - 1000, kind: 'message.judged', data, terms: [] } as const;
    await judged.server.store.write.run('journal.append', { events: [event] });
    const { moved } = await ask({ enabled: false });
    assert.deepEqual(
      moved.filter(({ from }) => from === 'x@far.test').map(({ to, was }) => [to, was]),
      [[ALICE, 'junk']],
    );
  });
});
