import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startSmtpPeer } from '../support/smtp-peer.ts';
import { startTryServer, type TryServer } from '../support/try-server.ts';
import { brokenPromises, damage, gatherEvidence } from './evidence.ts';
import { Ledger, pour } from './load.ts';

/** Rounds of load and SIGKILL: a promise that is given too early is broken in the first ones. More where one asks for what takes long. */
const USUAL_ROUNDS = process.env.POSTERN_LONG === 'true' ? 50 : process.env.CI === 'true' ? 20 : 2;
const ROUNDS = Number(process.env.CRASH_ROUNDS ?? USUAL_ROUNDS);
/** Milliseconds after which no more rounds begin, on a machine that is busy with other tests. */
const ENOUGH_MS = process.env.CRASH_ROUNDS === undefined ? 90_000 : Number.POSITIVE_INFINITY;
/** Milliseconds from the first 250 until the kill, at most. */
const ALIVE_MS = 500;

/** A time to die: at random within `ALIVE_MS` of the first 250. */
function doom(): { promise: Promise<void>; answered: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let set = false;
  return {
    promise,
    answered() {
      if (!set) setTimeout(resolve, Math.random() * ALIVE_MS);
      set = true;
    },
  };
}

describe('SIGKILL under load', () => {
  it('keeps every promise, however often', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
    let server: TryServer | undefined;
    t.after(async () => {
      await server?.end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    });
    const ledger = new Ledger();
    const began = performance.now();
    let rounds = 0;
    for (; rounds < ROUNDS && performance.now() - began < ENOUGH_MS; rounds++) {
      server = await startTryServer({ directory, args: ['--plaintext-auth'] });
      assert.deepEqual(
        await readdir(join(directory, 'bodies/incoming')),
        [],
        'what was half written is gone',
      );
      const doomed = doom();
      const load = pour({
        ports: server.ports,
        ledger,
        label: `r${rounds}`,
        connections: { local: 4, medium: 3, large: 2, out: 3 },
        onAnswer: doomed.answered,
      });
      await doomed.promise;
      assert.equal(await server.end('SIGKILL'), null);
      await load.done;
    }
    server = await startTryServer({ directory });
    assert.equal(await server.end('SIGTERM'), 0);
    const evidence = gatherEvidence(directory);
    assert.deepEqual(brokenPromises(ledger, evidence), []);
    assert.deepEqual(await damage(directory, evidence), []);
    assert.ok(ledger.answered.length >= rounds);
    const count = (wanted: string): number => ledger.answered.filter(({ kind }) => kind === wanted).length;
    assert.ok(count('medium') > 0 && [...evidence.files.values()].some(({ kind }) => kind === 'medium'));
    t.diagnostic(
      `report: ${rounds} kills; ${ledger.sent.length} messages, ${ledger.answered.length} answered 250 ` +
        `(${count('medium')} of them of 100 KiB, ${count('large')} of 300 KiB), ${ledger.codes.none ?? 0} without an answer; none lost, none doubled; ` +
        `${evidence.unnamed.length} body files without a row, which the sweep removes`,
    );
  });

  it('loses nothing of the queue while it delivers, and doubles only interrupted attempts', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
    let server: TryServer | undefined;
    t.after(async () => {
      await server?.end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    });
    // Half of the answers come late, so that a kill meets attempts whose reply is on its way.
    const peer = await startSmtpPeer({
      script: { BODY: () => ({ do: 'delay', ms: Math.random() < 0.5 ? 0 : 30, reply: '250 2.0.0 taken' }) },
    });
    t.after(() => peer.close());
    const args = ['--plaintext-auth', '--relay', `127.0.0.1:${peer.port}`];
    const ledger = new Ledger();
    let interrupted = 0;
    for (let round = 0; round < 2; round++) {
      server = await startTryServer({ directory, args });
      interrupted += await server.metric('postern_delivery_interrupted_total');
      const doomed = doom();
      const load = pour({
        ports: server.ports,
        ledger,
        label: `q${round}`,
        connections: { out: 6 },
        onAnswer: doomed.answered,
      });
      await doomed.promise;
      await server.end('SIGKILL');
      await load.done;
    }
    server = await startTryServer({ directory, args });
    interrupted += await server.metric('postern_delivery_interrupted_total');
    const delivered = (): Map<string, number> => {
      const times = new Map<string, number>();
      for (const { data } of peer.transactions) {
        const id = /^Message-ID: <([^>]+)>/m.exec(data.toString('latin1'))?.[1] ?? '?';
        times.set(id, (times.get(id) ?? 0) + 1);
      }
      return times;
    };
    const missing = (): string[] => ledger.answered.map(({ id }) => id).filter((id) => !delivered().has(id));
    for (let waited = 0; missing().length > 0 && waited < 20_000; waited += 250) {
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    assert.deepEqual(missing(), [], 'every message answered 250 reached the next hop');
    assert.equal(await server.end('SIGTERM'), 0);
    const evidence = gatherEvidence(directory);
    assert.deepEqual(brokenPromises(ledger, evidence), []);
    assert.deepEqual(await damage(directory, evidence), []);
    const doubled = [...delivered().values()].reduce((sum, times) => sum + times - 1, 0);
    assert.ok(doubled <= interrupted, `${doubled} doubled, ${interrupted} interrupted`);
    assert.equal(evidence.interrupted.length, interrupted, 'each interrupted attempt is in the journal');
    t.diagnostic(
      `report: 2 kills while delivering; ${ledger.answered.length} messages answered 250, all delivered; ` +
        `${interrupted} attempts interrupted, ${doubled} of them delivered twice`,
    );
  });
});
