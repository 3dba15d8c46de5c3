/** Greylisting, learning, and DNS that is not there, as a whole server does it, with a clock that is moved by hand. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, it } from 'node:test';
import type { FilterSettingsInput } from '../../src/flow/spam/settings.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { type TestClock, testClock } from '../support/clock.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { openMailbox } from '../support/imap-mailbox.ts';
import { ALICE, BAD_IP, type Judged, letter, LISTED, startJudged } from '../support/judged.ts';
import { TEST_PASSWORD } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';

const SPAMMER = { ip: BAD_IP, helo: 'stranger.test', from: 'x@stranger.test' };

/** Everything that could hold mail up or refuse it for what DNS says. */
const STRICT: FilterSettingsInput = {
  lists: [
    { ...LISTED, refuse: true },
    { zone: 'dbl.test', of: 'domain', codes: {}, refuse: true },
  ],
  reverse_dns: 'refuse',
  helo: 'refuse',
  unknown_sender_domain: 'refuse',
};

function at(clock: TestClock): Date {
  return new Date(clock.now());
}

/** Let something come about, moving the clock by half a second at a time. Resolves with the seconds it took. */
async function waited<T>(clock: TestClock, promise: Promise<T>): Promise<{ value: T; seconds: number }> {
  const start = clock.now();
  let over = false;
  const ended = promise.finally(() => (over = true));
  while (!over) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (!over) await clock.advance(500);
  }
  return { value: await ended, seconds: (clock.now() - start) / 1000 };
}

/** Alice writes to somebody elsewhere. */
async function submit({ server }: Judged, to: string): Promise<void> {
  const client = await lineClient(server.ports.submissions ?? 0);
  client.send('PROXY TCP4 127.0.0.1 127.0.0.1 40000 465\r\n');
  await client.startTls();
  const login = Buffer.from(`\0${ALICE}\0${TEST_PASSWORD}`).toString('base64');
  await client.talk(
    ['', '220'],
    ['EHLO here\r\n', '250'],
    [`AUTH PLAIN ${login}\r\n`, '235'],
    [`MAIL FROM:<${ALICE}>\r\n`, '250'],
    [`RCPT TO:<${to}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [`${letter({ from: ALICE, to })}.\r\n`, '250'],
  );
  client.close();
}

describe('greylisting', () => {
  it('has a stranger come again in two minutes, then takes the message, and knows it from then on', async () => {
    const clock = testClock();
    await using mx = await startJudged({ clock, holdOutgoing: 'a test sends nothing' });
    await mx.want({ greylist: { mode: 'all' } });
    const message = letter({ from: 'x@stranger.test', date: at(clock) });
    const first = await mx.send({ ...SPAMMER, message });
    assert.match(first, /^451 4\.7\.1 Greylisted: mail from stranger\.test .* in 120 seconds or later/);
    await clock.advance(60_000);
    assert.match(await mx.send({ ...SPAMMER, message }), /^451 4\.7\.1 .* in 60 seconds or later/);
    assert.equal((await mx.inbox()).length + (await mx.junk()).length, 0);
    const trace = (await mx.trace('x@stranger.test')).replace(/\s+/g, ' ');
    assert.match(trace, /We judged it: the sender is asked to come again Probability of spam \d/);
    assert.match(trace, /-> Nothing is wrong: the sender's server comes back by itself/);
    await clock.advance(60_000);
    assert.match(await mx.send({ ...SPAMMER, message }), /^250 /);
    assert.match(await mx.send({ ...SPAMMER, message }), /^250 /);
    assert.equal((await mx.inbox()).length + (await mx.junk()).length, 2);
    // Whom somebody here has written to never waits.
    const pal = { ip: '203.0.113.5', helo: 'pal.test', from: 'pal@pal.test' };
    const words = { ...pal, message: letter({ from: 'pal@pal.test', date: at(clock) }) };
    assert.match(await mx.send(words), /^451 /);
    await submit(mx, 'pal@pal.test');
    assert.match(await mx.send(words), /^250 /);
  });
});

describe('DNS', () => {
  it('that is not there at all holds nothing up, whatever the site wants', async () => {
    await using mx = await startJudged({ resolver: null });
    await mx.want(STRICT);
    assert.match(await mx.send({ ...SPAMMER, message: letter() }), /^250 /);
    assert.match(await mx.send(), /^250 /);
    assert.equal((await mx.inbox()).length + (await mx.junk()).length, 2);
    assert.match((await mx.inbox())[0] ?? '', /^Authentication-Results: mx\.example\.test; none\r$/m);
  });

  it('that answers nothing holds mail up for a minute at most', async () => {
    const clock = testClock();
    const silent = await startDnsServer(new Proxy({}, { get: () => ({ fault: { kind: 'drop' } }) }));
    const resolver = createResolver({
      servers: [{ address: silent.address, port: silent.port, trusted: false }],
      clock,
    });
    const mx = await startJudged({ clock, resolver });
    try {
      await mx.want({ ...STRICT, unknown_sender_domain: 'score' });
      const message = letter({ date: at(clock) });
      const { value, seconds } = await waited(clock, mx.send({ message }));
      assert.match(value, /^250 /);
      assert.ok(seconds <= 60, `it took ${seconds} s`);
      assert.equal((await mx.inbox()).length + (await mx.junk()).length, 1);
      assert.doesNotMatch(await mx.trace('ann@good.test'), /fail;/, 'what nobody said speaks against nobody');
    } finally {
      await mx.close();
      await clock.advance(60_000);
      await silent.close();
    }
  });
});

describe('moving mail into and out of Junk', () => {
  const LEARN_MS = 120_000;

  interface Counts {
    readonly ham: number;
    readonly spam: number;
  }

  /** What the account's own model, and the wishes that wait, look like. */
  async function learned({ server }: Judged): Promise<{ model: Counts | undefined; waiting: string[] }> {
    const { id } = await server.account(ALICE);
    const model = await server.store.read.run('spam.model', { owner: id });
    const wishes = await server.store.read.run('spam.pendingTraining', { limit: 50 });
    return {
      model: model && { ham: model.ham, spam: model.spam },
      waiting: wishes.map(({ label }) => label),
    };
  }

  async function move(mx: Judged, from: string, to: string): Promise<void> {
    const client = await openMailbox(mx.imaps, { user: ALICE, password: TEST_PASSWORD, mailbox: from });
    await client.ok(`UID MOVE 1:* ${to}`);
    client.close();
  }

  it('is learned once, whatever comes after; who changes their mind is believed', async () => {
    const clock = testClock();
    await using mx = await startJudged({ clock });
    assert.match(await mx.send({ message: letter({ date: at(clock) }) }), /^250 /);
    assert.deepEqual(await learned(mx), { model: undefined, waiting: [] });

    await move(mx, 'INBOX', 'Junk');
    assert.deepEqual((await learned(mx)).waiting, ['spam']);
    await clock.advance(LEARN_MS);
    const once = { model: { ham: 0, spam: 1 }, waiting: [] };
    await eventually(clock, async () => assert.deepEqual(await learned(mx), once));
    await clock.advance(4 * LEARN_MS);
    assert.deepEqual(await learned(mx), once);

    await move(mx, 'Junk', 'INBOX');
    await move(mx, 'INBOX', 'Junk');
    assert.deepEqual((await learned(mx)).waiting, ['spam']);
    await clock.advance(LEARN_MS);
    await eventually(clock, async () => assert.deepEqual(await learned(mx), once));

    await move(mx, 'Junk', 'INBOX');
    await move(mx, 'INBOX', 'Junk');
    await move(mx, 'Junk', 'INBOX');
    assert.deepEqual((await learned(mx)).waiting, ['ham'], 'the last word counts');
    await clock.advance(LEARN_MS);
    await eventually(clock, async () => assert.deepEqual((await learned(mx)).waiting, []));
    assert.equal((await learned(mx)).model?.ham, 1);
    const site = await mx.server.store.read.run('spam.model', { owner: 0 });
    assert.ok(site, 'a little of it is learned for everybody');
  });

  it('marks say the same as moves, and leave the message where it is', async () => {
    const clock = testClock();
    await using mx = await startJudged({ clock });
    assert.match(await mx.send({ message: letter({ date: at(clock) }) }), /^250 /);
    const client = await openMailbox(mx.imaps, { user: ALICE, password: TEST_PASSWORD });
    await client.ok('UID STORE 1:* +FLAGS ($Junk)');
    assert.deepEqual((await learned(mx)).waiting, ['spam']);
    await client.ok('UID STORE 1:* FLAGS ($NotJunk)');
    assert.deepEqual((await learned(mx)).waiting, ['ham']);
    await client.ok('UID STORE 1:* +FLAGS (\\Seen \\Flagged)');
    assert.deepEqual((await learned(mx)).waiting, ['ham']);
    client.close();
    assert.equal((await mx.inbox()).length, 1);
  });

  it('what was learned is lost neither by a restart nor learned again after it', async (t) => {
    const clock = testClock();
    const first = await startJudged({ clock });
    const { directory } = first.server;
    t.after(() => rm(directory, { recursive: true, force: true }));
    assert.match(await first.send({ message: letter({ date: at(clock) }) }), /^250 /);
    await move(first, 'INBOX', 'Junk');
    // The power fails before anything was learned.
    await first.abandon();
    await using again = await startJudged({ clock, directory });
    assert.deepEqual((await learned(again)).waiting, ['spam']);
    await clock.advance(LEARN_MS);
    await eventually(clock, async () =>
      assert.deepEqual(await learned(again), { model: { ham: 0, spam: 1 }, waiting: [] }),
    );
    await clock.advance(4 * LEARN_MS);
    assert.deepEqual((await learned(again)).model, { ham: 0, spam: 1 });
  });
});

/** Until it holds: what another thread does takes real time. */
async function eventually(clock: TestClock, check: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await check();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
      await clock.advance(0);
    }
  }
}
