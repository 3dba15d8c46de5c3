import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  code,
  type FlowFixture,
  lines,
  loggedIn,
  mailbox,
  openFlow,
  refusal,
  session,
  transact,
} from '../../../test/support/flow.ts';
import { createInbound } from '../inbound/service.ts';
import { firstOctets, queuedContent } from '../outbound/content.ts';
import { HourlyCounts } from '../submission/hourly.ts';
import { createSubmission } from '../submission/service.ts';
import { expireMail, tellQuotas } from './jobs.ts';
import { type HousekeepingSettings, housekeepingSettingsSchema } from './settings.ts';

const DAY = 86_400_000;
const MESSAGE = lines('From: Dan <dan@elsewhere.test>', 'To: bob@example.test', 'Subject: hi', '', 'Hello');

describe('housekeeping', () => {
  let flow: FlowFixture;
  let settings: HousekeepingSettings;
  let full: boolean;
  beforeEach(async () => {
    flow = await openFlow();
    settings = housekeepingSettingsSchema.parse({});
    full = false;
    flow.deps = { ...flow.deps, housekeeping: { disk: { low: () => full }, settings: () => settings } };
  });
  afterEach(() => flow.close());

  const set = (wanted: unknown): void => {
    settings = housekeepingSettingsSchema.parse(wanted);
  };
  const receive = (to: readonly string[], message: string | Buffer = MESSAGE, from = 'dan@elsewhere.test') =>
    transact(
      createInbound(() => flow.deps, 'smtp'),
      session(),
      from,
      to,
      message,
    );
  const send = (to: readonly string[], message: string) =>
    transact(
      createSubmission(() => flow.deps, new HourlyCounts(flow.clock)),
      loggedIn(flow),
      'alice@example.test',
      to,
      message,
    );

  it('puts new mail off while the disk is nearly full', async () => {
    full = true;
    assert.equal(await refusal(receive(['bob@example.test'])), '452 4.3.1');
    assert.equal(await refusal(send(['bob@example.test'], MESSAGE)), '452 4.3.1');
    full = false;
    assert.equal(code((await receive(['bob@example.test'])).reply), '250 2.0.0');
  });

  describe('Trash and Junk', () => {
    const place = async (
      accountId: number,
      name: string,
      specialUse: '\\Trash' | '\\Junk',
    ): Promise<number> => {
      await receive(['bob@example.test', 'alice@example.test']);
      const inbox = await flow.store.read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
      const found = await flow.store.read.run('mailstore.mailbox', { accountId, name });
      const target =
        found ?? (await flow.store.write.run('mailstore.createMailbox', { accountId, name, specialUse }));
      const ranges = [{ from: 1, to: 0xffff_ffff }];
      assert.ok(inbox);
      await flow.store.write.run('mailstore.move', {
        accountId,
        mailboxId: inbox.id,
        ranges,
        targetId: target.id,
      });
      return target.id;
    };
    const messages = async (accountId: number, name: string): Promise<number | undefined> =>
      (await flow.store.read.run('mailstore.mailbox', { accountId, name }))?.messages;

    it('lose what came into them 30 days ago, however old it is; it can be brought back', async () => {
      const { bob, clock } = flow;
      flow.clock.advance(100 * DAY);
      await place(bob, 'Trash', '\\Trash');
      clock.advance(20 * DAY);
      await place(bob, 'Trash', '\\Trash');
      await place(bob, 'Junk', '\\Junk');
      await expireMail(flow.deps);
      assert.deepEqual([await messages(bob, 'Trash'), await messages(bob, 'Junk')], [2, 1]);
      clock.advance(11 * DAY);
      const told: unknown[] = [];
      await expireMail(flow.deps, (mailbox, count) => told.push([mailbox, count]));
      assert.deepEqual(told, [['Trash', 1]]);
      assert.deepEqual([await messages(bob, 'Trash'), await messages(bob, 'Junk')], [1, 1]);
      const orphans = await flow.store.read.run('mailstore.orphans', { accountId: bob, limit: 10 });
      assert.equal(orphans.length, 1);
    });

    it('are left alone by account, or all of them', async () => {
      const { alice, bob } = flow;
      await place(bob, 'Trash', '\\Trash');
      await place(alice, 'Trash', '\\Trash');
      await place(alice, 'Junk', '\\Junk');
      flow.clock.advance(400 * DAY);
      set({ trash_days: 0, junk_days: 0 });
      await expireMail(flow.deps);
      assert.deepEqual([await messages(bob, 'Trash'), await messages(alice, 'Junk')], [1, 1]);
      set({ accounts: { 'alice@example.test': { trash_days: 0 } } });
      await expireMail(flow.deps);
      assert.deepEqual(
        [await messages(bob, 'Trash'), await messages(alice, 'Trash'), await messages(alice, 'Junk')],
        [0, 2, 0],
      );
    });
  });

  it('tells owner and administrator of a quota once for each mark, and again after there was room', async () => {
    const big = (octets: number): string =>
      `${MESSAGE}${'x'
        .repeat(60)
        .concat('\r\n')
        .repeat(octets / 62)}`;
    const carol = await flow.addAccount('carol@example.test', { quota: 100_000 });
    const told: number[] = [];
    const look = (): Promise<void> => tellQuotas(flow.deps, (percent) => told.push(percent));
    const subjects = async (id: number): Promise<string[]> =>
      (await mailbox(flow.store, id)).flatMap(
        ({ text }) => /^Subject: (.*mailbox.*)\r$/m.exec(text)?.[1] ?? [],
      );
    await receive(['carol@example.test'], big(50_000));
    await look();
    assert.deepEqual(told, []);
    await receive(['carol@example.test'], big(31_000));
    await look();
    await look();
    assert.deepEqual(told, [80]);
    assert.deepEqual(await subjects(carol), ['Your mailbox is over 80 % full']);
    assert.deepEqual(await subjects(flow.alice), ['The mailbox of carol@example.test is over 80 % full']);
    await receive(['carol@example.test'], big(13_000));
    await look();
    assert.deepEqual(told, [80, 95]);
    const inbox = await flow.store.read.run('mailstore.mailbox', { accountId: carol, name: 'INBOX' });
    await flow.store.write.run('mailstore.expunge', {
      accountId: carol,
      mailboxId: inbox?.id ?? 0,
      anyFlag: true,
    });
    await look();
    assert.deepEqual(told, [80, 95]);
    await receive(['carol@example.test'], big(85_000));
    await look();
    assert.deepEqual(told, [80, 95, 80]);
  });

  describe('the archive of a domain', () => {
    const ARCHIVE = 'vault@archive.test';
    const queued = async (): Promise<string[]> =>
      (await flow.store.read.run('queue.list', { limit: 100 })).flatMap(({ recipients, message }) =>
        recipients.map(({ address }) => `${message.reversePath}>${address}`),
      );
    const octets = async (index: number): Promise<Buffer> => {
      const entry = (await flow.store.read.run('queue.list', { limit: 100 }))[index];
      assert.ok(entry);
      return firstOctets(queuedContent(flow.store.blobs, entry.message), Number.MAX_SAFE_INTEGER);
    };

    it('gets a copy of what comes in, with its envelope, and of nothing that was refused', async () => {
      set({ archive: { 'example.test': { address: ARCHIVE, direction: 'inbound' } } });
      await receive(['bob@example.test', 'alice@example.test']);
      assert.deepEqual(await queued(), [`>${ARCHIVE}`]);
      const text = (await octets(0)).toString('latin1');
      assert.match(text, /^X-Postern-Envelope-To: <bob@example\.test>, <alice@example\.test>\r$/m);
      assert.match(text, /^X-Postern-Envelope-From: <dan@elsewhere\.test>\r$/m);
      assert.ok(text.endsWith('\r\nHello\r\n'));
      await refusal(receive(['nobody@example.test']));
      await send(['x@elsewhere.test'], lines('From: alice@example.test', 'Subject: out', '', 'Hi'));
      assert.deepEqual(await queued(), [`>${ARCHIVE}`, 'alice@example.test>x@elsewhere.test']);
    });

    it('is no reason to take mail for a mailbox that is full', async () => {
      set({ archive: { 'example.test': { address: ARCHIVE, direction: 'both' } } });
      const message = `${MESSAGE}${'x\r\n'.repeat(500)}`;
      await flow.addAccount('carol@example.test', { quota: 1000 });
      assert.equal(await refusal(receive(['carol@example.test'], message)), '452 4.2.2');
      assert.deepEqual(await queued(), []);
    });

    it('gets what goes out, once when it also comes in, and never its own mail', async () => {
      set({ archive: { 'example.test': { address: 'bob@example.test', direction: 'both' } } });
      const out = lines('From: alice@example.test', 'Subject: out', '', 'Hi');
      await send(['x@elsewhere.test', 'alice@example.test'], out);
      assert.deepEqual(await queued(), ['alice@example.test>x@elsewhere.test', '>bob@example.test']);
      await receive(['bob@example.test']);
      assert.equal((await queued()).length, 2);
    });

    it('that sends its copy back starts no loop, and nobody else can say it did', async () => {
      set({ archive: { 'example.test': { address: ARCHIVE, direction: 'both' } } });
      await receive(['bob@example.test']);
      const copy = await octets(0);
      await receive(['bob@example.test'], copy);
      assert.equal((await queued()).length, 1);
      const forged = copy.toString('latin1').replace(/h=[\w-]{43}/, `h=${'A'.repeat(43)}`);
      await receive(['bob@example.test'], forged);
      assert.equal((await queued()).length, 2);
    });
  });
});
