import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { connect } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import type { JobParts } from '../../src/app/jobs.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { JournalEvent } from '../../src/data/journal/types.ts';
import type { Sample } from '../../src/data/stats/types.ts';
import { createCounter, createStats, type StatsParts } from '../../src/app/stats.ts';
import { runCommand } from '../support/cli.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** What administrators do on the command line, against the whole program. */

describe('administration on the command line', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ holdOutgoing: 'a test' });
  });
  after(() => server.close());

  const run = async (...words: string[]): Promise<string> => {
    const { status, out, err } = await runCommand(words, { data: server.directory });
    assert.equal(err, '', words.join(' '));
    assert.equal(status, 0, `${words.join(' ')}: ${out}`);
    return out;
  };

  /** One RCPT from outside; resolves with the reply. */
  async function rcpt(from: string, to: string): Promise<string> {
    const socket = connect(server.ports.smtp ?? 0, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    for (const [line, wanted] of [
      ['', 1],
      ['HELO client.test', 2],
      [`MAIL FROM:<${from}>`, 3],
      [`RCPT TO:<${to}>`, 4],
    ] as const) {
      if (line !== '') socket.write(`${line}\r\n`);
      while (text.split('\r\n').length <= wanted) await once(socket, 'data');
    }
    socket.end('QUIT\r\n');
    return text.split('\r\n')[3] ?? '';
  }

  it('makes a group that only its members may send to', async () => {
    await run(
      'group',
      'add',
      'team@example.test',
      'bob@example.test',
      'friend@far.test',
      '--senders',
      'members',
    );
    assert.match(await run('group', 'list'), /team@example\.test +2 +members/);
    assert.match(await rcpt('stranger@far.test', 'team@example.test'), /^550 5\.7\.2 .*only its members/);
    assert.match(await rcpt('bob@example.test', 'team@example.test'), /^550 5\.7\.2/, 'a borrowed name');
    assert.match(await rcpt('friend@far.test', 'team@example.test'), /^250/);
    await run('alias', 'add', 'open@example.test', 'team@example.test');
    assert.match(await rcpt('stranger@far.test', 'open@example.test'), /^550 5\.7\.2/, 'no way around it');
    await run('group', 'set', 'team@example.test', '--senders', 'anyone');
    assert.match(await rcpt('stranger@far.test', 'team@example.test'), /^250/);
    const audit = await run('audit', '--action', 'group', '--limit', '1');
    const id = /^(\d+)\*/m.exec(audit)?.[1] ?? '';
    await run('audit', 'undo', id);
    assert.match(await rcpt('stranger@far.test', 'team@example.test'), /^550 5\.7\.2/);
  });

  it('follows a test message, and has its transcript', async () => {
    const sent = JSON.parse(
      await run('setup', 'test-mail', '--from', 'alice@example.test', '--to', 'x@far.test', '--json'),
    ) as { id: string; trace: string };
    assert.match(await run('setup', 'test-result', sent.id), /on its way/);
    const list = await run('queue', 'list', '--text', sent.trace);
    const queueId = /^(\S+)/.exec(list)?.[1] ?? '';
    assert.match(await run('queue', 'transcript', queueId), /message\.accepted/);
    assert.match(await run('queue', 'list', '--address', 'nobody@'), /Nothing in the queue is like that/);
    const own = JSON.parse(
      await run('setup', 'test-mail', '--from', 'alice@example.test', '--to', 'bob@example.test', '--json'),
    ) as { id: string };
    assert.match(await run('setup', 'test-result', own.id), /has taken it/);
  });

  it('says how it is, what is left to do, and what was counted', async () => {
    const at = server.clock.now();
    const sample = {
      counts: { 'mail.received': 3 },
      gauges: { 'system.memory': [2048, 1] as const },
      delays: { delay: [4] },
    };
    await server.store.write.run('stats.note', { at, sample });
    assert.match(await run('overview'), /Last day +3 received/);
    const stats = await run('stats', 'mail');
    assert.match(stats, /mail\.received +3 /);
    assert.match(await run('stats', 'delay'), /delay\.p50 +\d+ ms/);
    assert.match(await run('setup', 'show'), /\[x\] A domain[^]*\[ \] Mail comes in/);
    await run('setup', 'skip', 'backup');
    assert.match(await run('setup', 'show'), /\[-\] A backup/);
    assert.match(await run('report', 'findings'), /Nothing to tell/);
    assert.match(await run('admin', 'show'), /require_second_factor +false/);
  });

  it('tells what another setting would have moved', async () => {
    const at = server.clock.now();
    const data = {
      action: 'refuse',
      probability: 0.999999,
      threshold: 0.95,
      reasons: [],
      decidedBy: null,
      author: 'spam@far.test',
    };
    const event = { trace: 'trace0000000000009', at, kind: 'message.judged' as const, data, terms: [] };
    await server.store.write.run('journal.append', { events: [event] });
    const told = await run('filter', 'what-if', 'refuse', 'never');
    assert.match(told, /It would have moved 1 of 1 message/);
    assert.match(told, /refuse > junk +spam@far\.test/);
    assert.match(
      await run('filter', 'what-if', 'good_per_junked', '5000'),
      /from what the filter has learned by today/,
    );
  });

  it('tells who sends in our name, in a sentence', async () => {
    const day = 86_400_000;
    const beginAt = Math.floor(server.clock.now() / day) * day - 3 * day;
    const report = {
      kind: 'dmarc' as const,
      domain: 'example.test',
      organisation: 'far.test',
      reportId: 'r1',
      beginAt,
      endAt: beginAt + day - 1,
      genuine: true,
      policy: '{}',
    };
    const row = {
      ip: '203.0.113.7',
      count: 9,
      disposition: 'none',
      dkimAligned: false,
      spfAligned: false,
      headerFrom: 'example.test',
      data: '{}',
    };
    await server.store.write.run('reports.receive', { report, dmarc: [row], tls: [] });
    const told = await run('report', 'findings');
    assert.match(
      told,
      /^problem +203\.0\.113\.7 sends as example\.test without DKIM and outside SPF since \d+ \w+\. \(9\)$/m,
    );
  });

  it('invites, and withdraws', async () => {
    const out = await run('invite', 'add', 'example.test', '--days', '2');
    assert.match(out, /#\/invitation\?token=/);
    const id = /^ *(\d+) +\(any\)@example\.test/m.exec(await run('invite', 'list'))?.[1] ?? '';
    await run('invite', 'remove', id);
    assert.match(await run('invite', 'list'), /Nobody is invited/);
  });
});

describe('what is counted', () => {
  it('is told apart by what happened, with the time mail took', () => {
    const counter = createCounter();
    const event = (kind: string, at: number, data: object = {}) =>
      counter.take({ trace: 't', at, kind, data, terms: [] } as unknown as Parameters<
        typeof counter.take
      >[0]);
    event('message.accepted', 1000, { protocol: 'submission' });
    event('message.accepted', 1000, { protocol: 'smtp' });
    event('message.judged', 1000, { action: 'junk' });
    event('delivery.delivered', 4000, { transport: 'direct', to: ['a@else.test', 'b@else.test'] });
    // A notice to one of our own.
    event('delivery.delivered', 4000, { transport: 'local', to: ['alice@example.test'] });
    event('login.failed', 5000);
    const { counts, delays } = counter.reset();
    assert.deepEqual(counts, {
      'mail.submitted': 1,
      'mail.received': 1,
      'spam.junk': 1,
      'mail.junk': 1,
      'mail.delivered': 2,
      'logins.failed': 1,
    });
    assert.equal(delays['delay']?.[2], 2, 'three seconds are within five');
    assert.deepEqual(counter.reset(), { counts: {}, delays: {} });
  });

  it('is not lost when it could not be stored, as on a full disk', async () => {
    let tell: (event: JournalEvent) => void = () => undefined;
    let full = true;
    const stored: Sample[] = [];
    const run = async (_name: string, { sample }: { sample: Sample }): Promise<void> => {
      if (full) throw new Error('database or disk is full');
      stored.push(sample);
    };
    const stats = createStats({
      store: { write: { run }, read: { run: async () => [] } },
      clock: systemClock,
      watch: { listen: (heard: typeof tell) => ((tell = heard), () => undefined) },
      data: tmpdir(),
      listeners: () => [],
    } as unknown as StatsParts);
    const failed = {
      trace: 't',
      at: 1,
      kind: 'login.failed',
      data: {},
      terms: [],
    } as unknown as JournalEvent;
    const [job] = stats.jobs;
    tell(failed);
    await assert.rejects(async () => job?.run({} as JobParts));
    full = false;
    tell(failed);
    await job?.run({} as JobParts);
    await stats.flush();
    assert.deepEqual(
      stored.map(({ counts }) => counts['logins.failed'] ?? 0),
      [2, 0],
      'the minute of the full disk is in the next, and only there',
    );
  });
});
