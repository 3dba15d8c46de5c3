import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { findDnsChallenge } from '../../src/flow/dns-plan/challenge.ts';
import { applyDns, planDns } from '../../src/flow/dns-plan/service.ts';
import { rfc2136 } from '../../src/net/dns-providers/rfc2136.ts';
import type { DnsProvider, RecordType } from '../../src/net/dns-providers/types.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';
import { skipWithout } from '../support/programs.ts';
import { startTestServer, testActor, type TestServer } from '../support/server.ts';
import { DIGITALOCEAN_TOKEN, fakeDigitalocean } from './fakes/digitalocean.ts';
import { KNOT_KEY, startKnot } from './knot.ts';

const ZONE = 'example.test';

interface Place extends AsyncDisposable {
  readonly server: TestServer;
  readonly provider: DnsProvider;
  cli(...words: string[]): Promise<CliAnswer>;
  values(name: string, type: RecordType): Promise<readonly string[]>;
  /** Change the zone as somebody else would. */
  elsewhere(name: string, type: RecordType, add: string[], remove?: string[]): Promise<void>;
}

/** A server whose domain lies in a zone at Knot, which already has some records. */
async function place(records: string): Promise<Place> {
  const knot = await startKnot({ [ZONE]: records });
  const server = await startTestServer();
  const key = join(server.directory, 'dns.key');
  await writeFile(key, KNOT_KEY);
  const provider = rfc2136({ clock: systemClock, host: '127.0.0.1', port: knot.port, credentials: KNOT_KEY });
  const cli = (...words: string[]): Promise<CliAnswer> => runCommand(words, { data: server.directory });
  const at = ['--server', '127.0.0.1', '--port', String(knot.port), '--credentials', key];
  const used = await cli('dns', 'use', ZONE, 'rfc2136', ...at);
  assert.equal(used.status, 0, used.err);
  assert.equal((await cli('doctor', 'set', 'addresses', '["192.0.2.7"]')).status, 0);
  return {
    server,
    provider,
    cli,
    async values(name, type) {
      const sets = await provider.read(ZONE, [name]);
      return (sets.find((set) => set.type === type)?.values ?? []).toSorted();
    },
    elsewhere: (name, type, add, remove = []) =>
      provider.change(ZONE, [{ name, type, ttl: 300, add, remove }]),
    async [Symbol.asyncDispose]() {
      await server.close();
      await knot.stop();
    },
  };
}

function undoFileIn(answer: CliAnswer): string {
  const [, path = ''] = /postern dns undo (\S+)/.exec(answer.out) ?? [];
  assert.notEqual(path, '', answer.out + answer.err);
  return path;
}

describe('postern dns plan, apply and undo at Knot', { skip: skipWithout('knotd') }, () => {
  it('publishes, changes nothing twice, and takes back', async () => {
    await using at = await place('@ TXT "google-site-verification=abc"\nwww A 192.0.2.80\n');
    const plan = await at.cli('dns', 'plan', ZONE);
    assert.equal(plan.status, 0, plan.err);
    assert.match(plan.out, /\+ example\.test MX 10 mx\.example\.test/);
    assert.deepEqual(await at.values(ZONE, 'MX'), [], 'a plan changes nothing');

    const applied = await at.cli('dns', 'apply', ZONE, '--yes');
    assert.equal(applied.status, 0, applied.err);
    assert.deepEqual(await at.values(ZONE, 'MX'), ['10 mx.example.test']);
    assert.deepEqual(await at.values('mx.example.test', 'A'), ['192.0.2.7']);
    assert.deepEqual(await at.values(ZONE, 'TXT'), ['google-site-verification=abc', 'v=spf1 mx -all']);
    assert.match((await at.values(`_postern.${ZONE}`, 'TXT')).join(), /^v=postern1; id=/);
    const again = await at.cli('dns', 'plan', ZONE);
    assert.match(again.out, /Nothing to change/);

    const file = undoFileIn(applied);
    const undone = await at.cli('dns', 'undo', file, '--yes');
    assert.equal(undone.status, 0, undone.err);
    assert.deepEqual(await at.values(ZONE, 'MX'), []);
    assert.deepEqual(await at.values(ZONE, 'TXT'), ['google-site-verification=abc']);
    assert.deepEqual(await at.values('www.example.test', 'A'), ['192.0.2.80']);
    assert.deepEqual(await at.values(`_postern.${ZONE}`, 'TXT'), []);
    assert.equal(JSON.parse(await readFile(file, 'utf8')).domain, ZONE);
  });

  it('never merges SPF, and says what to add; leaves MX and addresses of others alone', async () => {
    await using at = await place(
      '@ TXT "v=spf1 include:old.test ~all"\n@ MX 5 old.test.\nmx A 192.0.2.99\n_dmarc TXT "v=DMARC1; p=reject"\n',
    );
    const applied = await at.cli('dns', 'apply', ZONE, '--yes');
    assert.equal(applied.status, 0, applied.err);
    assert.match(applied.err.replace(/\s+/g, ' '), /Add "mx" to it: v=spf1 include:old\.test mx ~all/);
    assert.deepEqual(await at.values(ZONE, 'TXT'), ['v=spf1 include:old.test ~all']);
    assert.deepEqual(await at.values(ZONE, 'MX'), ['5 old.test']);
    assert.deepEqual(await at.values('mx.example.test', 'A'), ['192.0.2.99']);
    assert.deepEqual(await at.values(`_dmarc.${ZONE}`, 'TXT'), ['v=DMARC1; p=reject']);
    const beside = await at.cli('dns', 'apply', ZONE, '--yes', '--beside');
    assert.equal(beside.status, 0, beside.err);
    assert.deepEqual(await at.values(ZONE, 'MX'), ['10 mx.example.test', '5 old.test']);
    // What was there first is not ours to take out.
    await at.cli('dns', 'undo', undoFileIn(beside), '--yes');
    assert.deepEqual(await at.values(ZONE, 'MX'), ['5 old.test']);
  });

  it('takes out what it wrote and is wanted no longer, unless the mark is gone', async () => {
    await using at = await place('');
    await at.cli('dns', 'apply', ZONE, '--yes');
    await at.cli('doctor', 'set', 'addresses', '["192.0.2.8"]');
    const moved = await at.cli('dns', 'apply', ZONE, '--yes');
    assert.deepEqual(await at.values('mx.example.test', 'A'), ['192.0.2.8']);
    await at.cli('dns', 'undo', undoFileIn(moved), '--yes');
    assert.deepEqual(await at.values('mx.example.test', 'A'), ['192.0.2.7']);

    const [mark = ''] = await at.values(`_postern.${ZONE}`, 'TXT');
    await at.elsewhere(`_postern.${ZONE}`, 'TXT', [], [mark]);
    await at.cli('dns', 'apply', ZONE, '--yes');
    assert.deepEqual(await at.values('mx.example.test', 'A'), ['192.0.2.7']);
    const plan = await at.cli('dns', 'plan', ZONE);
    assert.match(
      plan.out.replace(/\s+/g, ' '),
      /! mx\.example\.test A 192\.0\.2\.8 The name has another address/,
    );
  });

  it('does nothing when the zone has changed since the plan', async () => {
    await using at = await place('');
    const deps = { store: at.server.store, clock: systemClock };
    const record = { name: ZONE, type: 'MX', value: '10 mx.example.test', why: 'mail' } as const;
    const wanted = { domain: ZONE, records: [record], beside: true };
    const { digest } = await planDns(deps, wanted);
    await at.elsewhere(ZONE, 'MX', ['5 other.test']);
    const doing = { actor: testActor, digest, dataDirectory: at.server.directory };
    await assert.rejects(applyDns(deps, wanted, doing), /have changed since the plan/);
    assert.deepEqual(await at.values(ZONE, 'MX'), ['5 other.test']);
    const { digest: now } = await planDns(deps, wanted);
    assert.deepEqual((await applyDns(deps, wanted, { ...doing, digest: now })).added, 2);
  });

  it('remembers what was written when a change fails in its middle', async () => {
    await using server = await startTestServer();
    const api = await fakeDigitalocean([ZONE]);
    const key = join(server.directory, 'dns.key');
    await writeFile(key, DIGITALOCEAN_TOKEN);
    const cli = (...words: string[]): Promise<CliAnswer> => runCommand(words, { data: server.directory });
    await cli('dns', 'use', '*', 'digitalocean', '--credentials', key, '--endpoint', api.endpoint);
    const deps = { store: server.store, clock: systemClock };
    const records = ['_one', '_two', '_three'].map((label) => {
      return { name: `${label}.${ZONE}`, type: 'TXT', value: 'text', why: 'a test' } as const;
    });
    const wanted = { domain: ZONE, records, beside: false };
    const { digest } = await planDns(deps, wanted);
    // The mark, the first record; then it breaks.
    const posts = (): number => api.requests.filter(({ method }) => method === 'POST').length;
    const doing = { actor: testActor, digest, dataDirectory: server.directory };
    api.breakAfter = 3;
    await assert.rejects(applyDns(deps, wanted, doing), /trouble of its own/);
    assert.equal(posts(), 3);
    const next = await planDns(deps, wanted);
    const states = next.zones[0]?.lines.map(({ state, note }) => [state, note]);
    assert.deepEqual(states?.slice(0, 2), [
      ['there', undefined],
      ['add', undefined],
    ]);
    await api.close();
  });

  it('asks before it changes anything, and says what is not set up', async () => {
    await using at = await place('');
    const asked = await at.cli('dns', 'apply', ZONE);
    assert.notEqual(asked.status, 0);
    assert.deepEqual(await at.values(ZONE, 'MX'), []);
    await at.cli('dns', 'forget', ZONE);
    const none = await at.cli('dns', 'plan', ZONE);
    assert.match(none.err, /No DNS provider is set up/);
    const strange = await at.cli('dns', 'use', ZONE, 'nowhere', '--credentials', '/x');
    assert.equal(strange.status, 1);
  });

  it('writes what proves names to a certificate authority, and takes it out again', async () => {
    await using at = await place('');
    const deps = { store: at.server.store, clock: systemClock };
    const challenge = await findDnsChallenge(deps, 'mx.example.test');
    assert.ok(challenge);
    const name = '_acme-challenge.mx.example.test';
    await Promise.all([challenge.put(name, 'one'), challenge.put(name, 'two')]);
    assert.deepEqual(await at.values(name, 'TXT'), ['one', 'two']);
    await challenge.remove(name, 'one');
    await challenge.remove(name, 'one');
    assert.deepEqual(await at.values(name, 'TXT'), ['two']);
    assert.equal(await findDnsChallenge(deps, 'mx.other.test'), undefined);
  });
});
