import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import type { Actor } from '../directory/types.ts';
import type { InlineStore } from '../inline.ts';
import type { NewOutgoing } from '../queue/types.ts';
import type { WriteArgs } from '../store.ts';
import { type DmarcReceivedRow, POLICY_ROW } from './types.ts';
import { ROWS_PER_DOMAIN } from './writes.ts';

const DAY = 86_400_000;
const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };

function outgoing(queueId: string): NewOutgoing {
  const data = Buffer.from('a report');
  return {
    blob: { size: data.length, encoding: 'raw', data, file: undefined },
    enqueue: {
      queueId,
      trace: queueId,
      origin: 'report',
      accountId: undefined,
      reversePath: 'n@example.test',
      mayBounce: false,
      prefix: Buffer.alloc(0),
      hidden: [],
      ret: undefined,
      envid: undefined,
      body: '7BIT',
      smtputf8: false,
      requireTls: false,
      originated: true,
      messageId: undefined,
      size: 8,
      warnAt: undefined,
      expiresAt: undefined,
      holdReason: undefined,
      recipients: [{ address: 'd@far.test', destination: 'far.test', orcpt: undefined, notify: 'NEVER' }],
    },
  };
}

function row(
  ip: string,
  count: number,
  dkim: boolean,
  spf: boolean,
  more: Partial<DmarcReceivedRow> = {},
): DmarcReceivedRow {
  const data = JSON.stringify({ of: ip });
  return {
    ip,
    count,
    disposition: 'none',
    dkimAligned: dkim,
    spfAligned: spf,
    headerFrom: 'x.test',
    data,
    ...more,
  };
}

/** What the slice promises, on either engine. */
export function reportsContract(open: (options: { clock: ManualClock }) => Promise<InlineStore>): void {
  describe('reports', () => {
    const clock = manualClock(20_000 * DAY);
    let store: InlineStore;
    before(async () => {
      store = await open({ clock });
    });
    after(() => store.close());
    const write = <N extends Parameters<InlineStore['write']['run']>[0]>(name: N, args: WriteArgs<N>) =>
      store.write.run(name, args);

    it('counts add up, the last policy stands, a domain has only so many rows', async () => {
      const one = { day: 1, domain: 'a.test', key: 'k1', count: 2, data: '{"a":1}' };
      const policy = { day: 1, domain: 'a.test', key: POLICY_ROW, count: 0, data: '"old"' };
      await write('reports.observe', { dmarc: [one, policy], tls: [one] });
      const again = await write('reports.observe', {
        dmarc: [
          { ...one, count: 3 },
          { ...one, key: 'k2' },
          { ...policy, data: '"new"' },
        ],
        tls: [],
      });
      assert.deepEqual(again, { dropped: 0 });
      const page = { kind: 'dmarc', day: 1, domain: 'a.test', after: '', limit: 10 } as const;
      assert.deepEqual(await store.read.run('reports.observedRows', page), [
        { key: 'k1', count: 5, data: '{"a":1}' },
        { key: 'k2', count: 2, data: '{"a":1}' },
      ]);
      assert.equal((await store.read.run('reports.observedRows', { ...page, after: 'k1' })).length, 1);
      assert.equal((await store.read.run('reports.observedRows', { ...page, kind: 'tls' }))[0]?.count, 2);
      assert.equal(await store.read.run('reports.observedPolicy', page), '"new"');
      const flood = Array.from({ length: ROWS_PER_DOMAIN + 5 }, (_, i) => ({
        day: 1,
        domain: 'flood.test',
        count: 1,
        data: '{}',
        key: String(i).padStart(6, '0'),
      }));
      assert.deepEqual(await write('reports.observe', { dmarc: flood, tls: [] }), { dropped: 5 });
      // Those it has count on, and its policy still gets in.
      const known = flood.slice(0, 1);
      assert.deepEqual(
        await write('reports.observe', { dmarc: [...known, { ...policy, domain: 'flood.test' }], tls: [] }),
        { dropped: 0 },
      );
      const first = await store.read.run('reports.observedRows', { ...page, domain: 'flood.test', limit: 1 });
      assert.equal(first[0]?.count, 2);
    });

    it('a report goes out once, whatever happens between', async () => {
      const args: WriteArgs<'reports.send'> = {
        kind: 'dmarc',
        day: 1,
        domain: 'a.test',
        reportId: 'r1',
        outcome: 'sent',
        detail: 'to d@far.test',
        outgoing: outgoing('q1'),
        events: [],
      };
      const due = () => store.read.run('reports.unreported', { kind: 'dmarc', day: 1, after: '', limit: 10 });
      assert.deepEqual(await due(), ['a.test', 'flood.test']);
      assert.deepEqual(await write('reports.send', args), { first: true });
      assert.deepEqual(await write('reports.send', { ...args, outgoing: outgoing('q2') }), { first: false });
      assert.equal((await store.read.run('queue.show', { queueId: 'q1' }))?.message.origin, 'report');
      assert.equal(await store.read.run('queue.show', { queueId: 'q2' }), undefined);
      assert.deepEqual(await due(), ['flood.test']);
      assert.deepEqual(
        await store.read.run('reports.unreported', { kind: 'tls', day: 1, after: '', limit: 10 }),
        ['a.test'],
      );
      await write('reports.send', { ...args, domain: 'flood.test', outcome: 'none', outgoing: null });
      assert.equal(await store.read.run('reports.sentCount', { kind: 'dmarc', since: clock.now() }), 1);
      const list = await store.read.run('reports.sent', { since: 0, all: false, limit: 10 });
      assert.deepEqual(
        list.map(({ domain, outcome }) => `${domain} ${outcome}`),
        ['a.test sent'],
      );
      assert.equal((await store.read.run('reports.sent', { since: 0, all: true, limit: 10 })).length, 2);
      // When the queue refuses the message, nothing is noted either.
      await assert.rejects(
        write('reports.send', {
          ...args,
          day: 2,
          outgoing: { ...outgoing('q3'), enqueue: { ...outgoing('q3').enqueue, recipients: [] } },
        }),
      );
      assert.equal((await store.read.run('reports.sent', { since: 0, all: true, limit: 10 })).length, 2);
    });

    it('received reports are kept once, finished after a crash, and not displaced by forged ones', async () => {
      const now = clock.now();
      const report = {
        kind: 'dmarc',
        domain: 'x.test',
        organisation: 'big',
        reportId: '1',
        beginAt: now - DAY,
        endAt: now,
        genuine: false,
        policy: '{}',
      } as const;
      const rows = [
        row('192.0.2.1', 5, true, false),
        row('192.0.2.2', 120, false, false, { disposition: 'reject' }),
      ];
      const forged = await write('reports.receive', {
        report,
        dmarc: [row('192.0.2.66', 999, false, false)],
        tls: [],
      });
      assert.equal(forged.status, 'new');
      const proven = await write('reports.receive', {
        report: { ...report, genuine: true },
        dmarc: rows.slice(0, 1),
        tls: [],
      });
      assert.deepEqual(proven, { id: forged.id, status: 'replaced' });
      const twin = await write('reports.receive', {
        report,
        dmarc: [row('192.0.2.66', 999, false, false)],
        tls: [],
      });
      assert.deepEqual(twin, { id: 0, status: 'known' });
      await write('reports.receiveRows', { id: proven.id, from: 1, dmarc: rows.slice(1), tls: [] });
      const again = await write('reports.receive', {
        report: { ...report, genuine: true },
        dmarc: rows,
        tls: [],
      });
      assert.equal(again.status, 'known');
      const seen = await store.read.run('reports.dmarc', { since: 0, unproven: false, limit: 10 });
      assert.deepEqual(
        seen.sources.map(({ ip, messages, passed, dkim, spf, blocked, sample }) => [
          ip,
          messages,
          passed,
          dkim,
          spf,
          blocked,
          sample,
        ]),
        [
          ['192.0.2.2', 120, 0, 0, 0, 120, '{"of":"192.0.2.2"}'],
          ['192.0.2.1', 5, 5, 5, 0, 0, '{"of":"192.0.2.1"}'],
        ],
      );
      assert.deepEqual(seen.domains, [
        { domain: 'x.test', reports: 1, unproven: 0, messages: 125, passed: 5, lastAt: now },
      ]);
      const limited = await store.read.run('reports.dmarc', { since: 0, unproven: false, limit: 1 });
      assert.deepEqual([limited.sources.length, limited.more], [1, true]);
    });

    it('unproven reports count only when asked for; a domain shows those below it', async () => {
      const now = clock.now();
      const report = {
        kind: 'dmarc',
        domain: 'sub.x.test',
        organisation: 'odd',
        reportId: '9',
        beginAt: now,
        endAt: now,
        genuine: false,
        policy: '{}',
      } as const;
      await write('reports.receive', { report, dmarc: [row('192.0.2.3', 1, false, true)], tls: [] });
      const ips = async (domain: string, unproven: boolean) =>
        (await store.read.run('reports.dmarc', { domain, since: 0, unproven, limit: 10 })).sources.map(
          ({ ip }) => ip,
        );
      assert.deepEqual(await ips('x.test', false), ['192.0.2.2', '192.0.2.1']);
      assert.deepEqual(await ips('x.test', true), ['192.0.2.2', '192.0.2.1', '192.0.2.3']);
      assert.deepEqual(await ips('sub.x.test', true), ['192.0.2.3']);
      assert.deepEqual(await ips('test', true), ['192.0.2.2', '192.0.2.1', '192.0.2.3']);
      assert.deepEqual(await ips('y.test', true), []);
    });

    it('TLS reports and complaints', async () => {
      const now = clock.now();
      const report = {
        kind: 'tls',
        domain: 'x.test',
        organisation: 'big',
        reportId: 't',
        beginAt: now,
        endAt: now,
        genuine: true,
        policy: '{}',
      } as const;
      const tls = {
        policyType: 'sts',
        policyDomain: 'x.test',
        successes: 10,
        failures: 2,
        data: '{"details":[]}',
      };
      await write('reports.receive', { report, dmarc: [], tls: [tls, { ...tls, failures: 0 }] });
      const seen = await store.read.run('reports.tls', {
        domain: 'x.test',
        since: 0,
        unproven: false,
        limit: 10,
      });
      assert.deepEqual(seen.policies, [
        { domain: 'x.test', policyType: 'sts', successes: 20, failures: 2, reporters: 1, lastAt: now },
      ]);
      assert.equal(seen.failing.length, 1);

      await write('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
      const account = {
        actor: SYSTEM,
        address: 'alice@example.test',
        displayName: '',
        role: 'user',
        quota: 0,
        hash: 'x',
        scram: null,
      } as const;
      const { id: accountId } = await write('directory.addAccount', account);
      const complaint = {
        at: now,
        accountId,
        feedbackType: 'abuse',
        reporter: 'big.test',
        recipient: 'u@big.test',
        messageId: 'm@x',
        sourceIp: '',
        data: '{}',
      };
      assert.deepEqual(await write('reports.complain', complaint), { first: true });
      assert.deepEqual(await write('reports.complain', complaint), { first: false });
      await write('reports.complain', { ...complaint, accountId: undefined, messageId: 'n@x' });
      await write('reports.complain', { ...complaint, feedbackType: 'not-spam' });
      const list = await store.read.run('reports.complaints', { since: 0, limit: 10 });
      assert.equal(list.complaints.length, 3);
      const byAccount = list.accounts.toSorted((a, b) => (a.account ?? '').localeCompare(b.account ?? ''));
      assert.deepEqual(byAccount, [
        { account: undefined, complaints: 1 },
        { account: 'alice@example.test', complaints: 1 },
      ]);
    });

    it('what is old goes, in steps', async () => {
      const args = { observedBefore: 5, sentBefore: 5, receivedBefore: clock.now() + 1, limit: 5000 };
      const steps: boolean[] = [];
      do steps.push((await write('reports.prune', args)).more);
      while (steps.at(-1) === true);
      assert.deepEqual(steps, [true, true, false]);
      const page = { kind: 'dmarc', day: 1, domain: 'flood.test', after: '', limit: 10 } as const;
      assert.deepEqual(await store.read.run('reports.observedRows', page), []);
      assert.deepEqual(await store.read.run('reports.sent', { since: 0, all: true, limit: 10 }), []);
      assert.deepEqual(
        (await store.read.run('reports.dmarc', { since: 0, unproven: true, limit: 10 })).domains,
        [],
      );
      assert.deepEqual((await store.read.run('reports.complaints', { since: 0, limit: 10 })).complaints, []);
    });
  });
}
