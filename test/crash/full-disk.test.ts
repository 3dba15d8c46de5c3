import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Answer, jmapClient, mailboxes } from '../jmap/client.ts';
import { runCommand } from '../support/cli.ts';
import { skipUnlessLong, skipUnlessRoot } from '../support/programs.ts';
import { startTryServer } from '../support/try-server.ts';
import { brokenPromises, damage, gatherEvidence, mediumBytes } from './evidence.ts';
import { Ledger, pour } from './load.ts';

const MiB = 1024 * 1024;
const SIZE_MIB = 24;

function skipWithoutMount(): string | false {
  const notRoot = skipUnlessRoot();
  if (notRoot !== false) return notRoot;
  const mounted = mountSmall();
  if (typeof mounted === 'string') return mounted;
  mounted.unmount();
  return false;
}

/** A file system of 24 MiB, or why there can be none. */
function mountSmall(): { path: string; unmount: () => void } | string {
  const path = mkdtempSync(join(tmpdir(), 'postern-full-'));
  const remove = (): void => rmSync(path, { recursive: true, force: true });
  const tried = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', path], {
    encoding: 'utf8',
  });
  if (tried.status !== 0) {
    remove();
    return `cannot mount a tmpfs: ${tried.stderr.trim()}`;
  }
  return {
    path,
    unmount() {
      spawnSync('umount', ['--lazy', path]);
      remove();
    },
  };
}

/** A server whose data lies on a small disk; both are gone after the test. */
async function startOnSmallDisk(t: TestContext) {
  const mounted = mountSmall();
  if (typeof mounted === 'string') throw new Error(mounted);
  const directory = join(mounted.path, 'data');
  const server = await startTryServer({ directory, args: ['--plaintext-auth'] }).catch((error: unknown) => {
    mounted.unmount();
    throw error;
  });
  t.after(async () => {
    await server.end('SIGKILL');
    mounted.unmount();
  });
  // What happens when the reserve did not help: something else filled the disk.
  for (const name of ['disk_reserve.percent', 'disk_reserve.megabytes']) {
    const { status, err } = await runCommand(['housekeeping', 'set', name, '0'], { data: directory });
    assert.equal(status, 0, err);
  }
  return { disk: mounted.path, directory, server };
}

/** Leave so many octets on the disk; the returned function gives the rest back. */
function fill(disk: string, leave: number): () => void {
  const { bavail, bsize } = statfsSync(disk);
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - leave)));
  return () => rmSync(filler);
}

/** 452 of the message, or of what comes before it. */
function refusals(ledger: Ledger): number {
  return Object.entries(ledger.codes).reduce(
    (sum, [code, count]) => sum + (code === '452 4.3.1' ? count : 0),
    0,
  );
}

describe('a full disk', { skip: skipWithoutMount() }, () => {
  it('refuses whole groups of writers with 452, loses none, goes on when there is room', async (t) => {
    const { disk, directory, server } = await startOnSmallDisk(t);
    const ledger = new Ledger();
    const before = pour({
      ports: server.ports,
      ledger,
      label: 'before',
      connections: { local: 2, out: 1 },
      each: 5,
    });
    await before.done;
    assert.equal(ledger.answered.length, 15);
    const free = fill(disk, MiB / 2);
    await pour({ ports: server.ports, ledger, label: 'full', connections: { local: 16, out: 4 }, each: 25 })
      .done;
    const refused = refusals(ledger);
    assert.ok(refused > 5, JSON.stringify(ledger.codes));
    assert.equal(refused + ledger.answered.length, ledger.sent.length, JSON.stringify(ledger.codes));
    free();
    const room = new Ledger();
    await pour({
      ports: server.ports,
      ledger: room,
      label: 'room',
      connections: { local: 4, out: 2 },
      each: 5,
    }).done;
    assert.deepEqual(room.codes, { '250 2.0.0': 30 }, 'once there is room everything is taken');
    ledger.sent.push(...room.sent);
    assert.equal(await server.end('SIGTERM'), 0);
    const evidence = gatherEvidence(directory);
    assert.deepEqual(brokenPromises(ledger, evidence), []);
    assert.deepEqual(await damage(directory, evidence), []);
    t.diagnostic(
      `report: full disk: ${refused} messages got 452 4.3.1, ${ledger.answered.length} got 250 and are there once`,
    );
  });

  it('refuses messages whose segment finds no room, gives back what it took of it, takes them later', {
    skip: skipUnlessLong(),
  }, async (t) => {
    const { disk, directory, server } = await startOnSmallDisk(t);
    const ledger = new Ledger();
    const free = fill(disk, 2 * MiB);
    await pour({ ports: server.ports, ledger, label: 'full', connections: { medium: 8 }, each: 6 }).done;
    const refused = refusals(ledger);
    assert.ok(refused >= 20, JSON.stringify(ledger.codes));
    assert.equal(refused + ledger.answered.length, ledger.sent.length, JSON.stringify(ledger.codes));
    const full = gatherEvidence(directory);
    assert.equal(full.segmentBytes, mediumBytes(full), 'what was written of a refused group is cut off');
    free();
    const room = new Ledger();
    await pour({ ports: server.ports, ledger: room, label: 'room', connections: { medium: 4 }, each: 4 })
      .done;
    assert.deepEqual(room.codes, { '250 2.0.0': 16 });
    ledger.sent.push(...room.sent);
    assert.equal(await server.metric('postern_store_reopened'), 0, 'a full disk is no failure of the store');
    assert.equal(await server.end('SIGTERM'), 0);
    const evidence = gatherEvidence(directory);
    assert.deepEqual(brokenPromises(ledger, evidence), []);
    assert.deepEqual(await damage(directory, evidence), []);
    assert.ok(mediumBytes(evidence) > 16 * 100 * 1024);
    assert.equal(evidence.segmentBytes, mediumBytes(evidence));
    t.diagnostic(
      `report: full disk: ${refused} messages of 100 KiB got 452 4.3.1, ${ledger.answered.length} got 250 and are whole`,
    );
  });

  it('refuses large messages whose file finds no room, leaves nothing of them, takes them later', async (t) => {
    const { disk, directory, server } = await startOnSmallDisk(t);
    const ledger = new Ledger();
    const free = fill(disk, 2 * MiB);
    await pour({ ports: server.ports, ledger, label: 'full', connections: { large: 8 }, each: 3 }).done;
    const refused = refusals(ledger);
    assert.ok(refused >= 10, JSON.stringify(ledger.codes));
    assert.equal(refused + ledger.answered.length, ledger.sent.length, JSON.stringify(ledger.codes));
    free();
    const room = new Ledger();
    await pour({ ports: server.ports, ledger: room, label: 'room', connections: { large: 3 }, each: 3 }).done;
    assert.deepEqual(room.codes, { '250 2.0.0': 9 });
    ledger.sent.push(...room.sent);
    assert.equal(await server.end('SIGTERM'), 0);
    const evidence = gatherEvidence(directory);
    assert.deepEqual(brokenPromises(ledger, evidence), []);
    assert.deepEqual(await damage(directory, evidence), []);
    assert.deepEqual(evidence.unnamed, [], 'no file is left of what was refused');
    t.diagnostic(
      `report: full disk: ${refused} messages of 300 KiB got 452 4.3.1, ${ledger.answered.length} got 250 and are whole`,
    );
  });

  it('of what JMAP is asked for, what was answered is kept and what was refused is told', async (t) => {
    const { disk, directory, server } = await startOnSmallDisk(t);
    const bob = await jmapClient(server, 'bob@example.test', 'postern');
    const { inbox = '', drafts = '' } = await mailboxes(bob);
    const text = (name: string, octets: number): string =>
      `From: bob@example.test\r\nSubject: ${name}\r\n\r\n${'x'
        .repeat(70)
        .concat('\r\n')
        .repeat(octets / 72)}`;
    const before = await bob.upload(text('before', 100_000), 'message/rfc822');
    const identityId = (await bob.call('Identity/get', { ids: null }))['list'][0].id as string;
    const free = fill(disk, MiB);
    const told: string[] = [];
    const kept = new Set<string>();
    for (let i = 0; i < 12; i++) {
      const body = { 1: { value: 'y'.repeat(100_000) } };
      const one = { blobId: before, mailboxIds: { [inbox]: true } };
      const answers = await bob.calls(
        ['Email/import', { accountId: bob.accountId, emails: { a: one, b: one, c: one } }],
        [
          'Email/set',
          {
            accountId: bob.accountId,
            create: {
              a: {
                mailboxIds: { [drafts]: true },
                from: [{ email: 'bob@example.test' }],
                to: [{ email: 'alice@example.test' }],
                bodyValues: body,
                textBody: [{ partId: '1', type: 'text/plain' }],
              },
            },
          },
        ],
        ['EmailSubmission/set', { accountId: bob.accountId, create: { s: { identityId, emailId: '#a' } } }],
      );
      for (const [, { created, notCreated, type }] of answers.slice(0, 2)) {
        for (const { id } of Object.values<Answer>(created ?? {})) kept.add(id as string);
        const refused = Object.values<Answer>(notCreated ?? {}).map((each) => each['type'] as string);
        told.push(...refused, ...(type === undefined ? [] : [type as string]));
      }
      const [, submitted = {}] = answers[2] ?? [];
      assert.ok(submitted['created'] ?? submitted['notCreated'], JSON.stringify(submitted));
      const octets = Buffer.alloc(200_000, 'z');
      const response = await fetch(bob.url(`/jmap/upload/${bob.accountId}/`), {
        method: 'POST',
        headers: { ...bob.headers, 'content-type': 'text/plain' },
        body: octets,
      });
      const answer = (await response.json()) as { blobId?: string };
      if (response.status !== 200) told.push(`upload ${response.status}`);
      else
        assert.equal(
          (await (await bob.download(answer.blobId ?? '')).arrayBuffer()).byteLength,
          octets.length,
        );
    }
    t.diagnostic([...new Set(told)].join(', '));
    assert.ok(told.length > 10, told.join(', '));
    for (const each of told) assert.match(each, /^(?:upload 503|serverUnavailable)$/);
    free();
    assert.equal(await server.metric('postern_store_reopened'), 0, 'a full disk is no failure of the store');
    await bob.upload('there is room');
    assert.equal(await server.end('SIGKILL'), null);
    const again = await startTryServer({ directory, args: ['--plaintext-auth'] });
    t.after(() => again.end('SIGKILL'));
    const later = await jmapClient(again, 'bob@example.test', 'postern');
    const { notFound, list } = await later.call('Email/get', { ids: [...kept] });
    assert.deepEqual(notFound, []);
    const { total } = await later.call('Email/query', { calculateTotal: true });
    assert.equal(total, kept.size, 'nothing is there that was not told of: it would be made again');
    for (const { blobId, size } of list as Answer[])
      assert.equal((await (await later.download(blobId)).arrayBuffer()).byteLength, size);
  });
});
