import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTryOut, TRY_ACTOR, TRY_DOMAIN, TRY_PASSWORD, type TryFlags } from '../../src/app/try.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import type { OpenStore } from '../../src/data/open.ts';
import { testClock } from '../support/clock.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startSmtpPeer } from '../support/smtp-peer.ts';
import { freePortBase, scratch } from './program.ts';
import { runCommand } from '../support/cli.ts';

/** Mail to other domains in a try-out: held until there is a way for it. */

const DAY = 86_400_000;
const ALICE = `alice@${TRY_DOMAIN}`;

/** A clock whose days can be skipped: whatever looks every minute looks once a day. */
function skippingClock(): { clock: Clock; nextDay(): Promise<void> } {
  const still = testClock();
  let skipped = 0;
  return {
    clock: { ...still, now: () => still.now() + skipped, monotonic: () => still.monotonic() + skipped },
    async nextDay() {
      skipped += DAY;
      await still.advance(61_000);
    },
  };
}

async function cli(directory: string, ...words: string[]): Promise<{ status: number; text: string }> {
  const { status, out, err } = await runCommand(words, { data: directory, width: 120 });
  return { status, text: out + err };
}

async function submit(port: number, to: string): Promise<void> {
  const client = await lineClient(port, { tls: true });
  const login = Buffer.from(`\0${ALICE}\0${TRY_PASSWORD}`).toString('base64');
  await client.talk(
    ['', '220'],
    ['EHLO here\r\n', '250'],
    [`AUTH PLAIN ${login}\r\n`, '235'],
    [`MAIL FROM:<${ALICE}>\r\n`, '250'],
    [`RCPT TO:<${to}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    [`From: <${ALICE}>\r\nSubject: hello\r\n\r\nhello\r\n.\r\n`, '250'],
  );
  client.close();
}

/** The queue in short: id, and the state of each recipient. */
async function queued(store: OpenStore): Promise<{ id: string; states: string[] }[]> {
  const entries = await store.read.run('queue.list', { limit: 10, after: 0 });
  return entries.map(({ message, recipients }) => ({
    id: message.queueId,
    states: recipients.map(({ state }) => state),
  }));
}

async function inInbox(store: OpenStore, address: string): Promise<number> {
  const account = await store.read.run('directory.account', { address });
  assert.ok(account);
  const inbox = await store.read.run('mailstore.mailbox', { accountId: account.id, name: 'INBOX' });
  return inbox?.messages ?? 0;
}

async function until(what: string, holds: () => Promise<boolean>, next: () => Promise<void>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    assert.ok(tries < 200, `in vain: ${what}`);
    await next();
  }
}

async function flags(directory: string): Promise<TryFlags> {
  const portBase = await freePortBase();
  return { directory, fresh: false, portBase, relay: undefined, plaintextAuth: false };
}

describe('mail to other domains in a try-out', () => {
  it('neither expires nor bounces in 30 days', async () => {
    await using place = await scratch();
    const { clock, nextDay } = skippingClock();
    const server = await startTryOut(await flags(place.path), silentLogger, clock);
    try {
      await submit(server.ports.submissions ?? 0, 'someone@elsewhere.test');
      for (let day = 0; day < 30; day++) await nextDay();
      const [message] = await queued(server.store);
      assert.deepEqual(message?.states, ['held']);
      assert.equal(await inInbox(server.store, ALICE), 0, 'no warning and no notice');
      // So that the silence above means something: a notice does come in this set-up.
      assert.equal((await cli(place.path, 'queue', 'bounce', message?.id ?? '', '--yes')).status, 0);
      // An attempt under way gets its moment: a lease does not outlive a day.
      const later = async (): Promise<void> => {
        await nextDay();
        await systemClock.sleep(50);
      };
      await until('the notice', async () => (await inInbox(server.store, ALICE)) === 1, later);
    } finally {
      await server.stop({ graceMs: 0 });
    }
  });

  it('cannot be released, which says how it could go; it goes when there is a relay', async () => {
    await using place = await scratch();
    const first = await startTryOut(await flags(place.path), silentLogger);
    let id = '';
    try {
      await submit(first.ports.submissions ?? 0, 'someone@elsewhere.test');
      id = (await queued(first.store))[0]?.id ?? '';
      const refused = await cli(place.path, 'queue', 'release', id);
      assert.equal(refused.status, 1);
      assert.match(refused.text, /^[^\n]*cannot be released[^\n]*--relay HOST:PORT\.?\n$/);
      assert.deepEqual(await queued(first.store), [{ id, states: ['held'] }]);
      // Ours by now: it needs no way out.
      await submit(first.ports.submissions ?? 0, 'someone@new.test');
      const second = (await queued(first.store)).find((one) => one.id !== id)?.id ?? '';
      const { write } = first.store;
      await write.run('directory.addDomain', { actor: TRY_ACTOR, name: 'new.test' });
      assert.equal((await cli(place.path, 'queue', 'release', second)).status, 0);
    } finally {
      await first.stop({ graceMs: 0 });
    }
    const peer = await startSmtpPeer();
    const relay = { host: '127.0.0.1', port: peer.port, tls: 'opportunistic' } as const;
    const again = await startTryOut({ ...(await flags(place.path)), relay }, silentLogger);
    try {
      const released = await cli(place.path, 'queue', 'release', id);
      assert.equal(released.status, 0, released.text);
      const gone = async () =>
        peer.transactions.some(({ to }) => to.join().includes('someone@elsewhere.test'));
      await until('the attempt', gone, () => systemClock.sleep(50));
    } finally {
      await again.stop({ graceMs: 0 });
      await peer.close();
    }
  });
});
