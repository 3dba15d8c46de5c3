import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { openDataDirectory } from '../../data/backup/data-directory.ts';
import { type InlineStore, openInlineStore } from '../../data/inline.ts';
import { parseRights } from '../../data/sharing/rights.ts';
import { bringBackSharing } from './sharing.ts';

const SYSTEM = { name: 'system', role: 'system', domainId: undefined } as const;
const ALICE = 'alice@example.test';
const NAME = `Other Users/bob@example.test/Plans`;

async function people(store: InlineStore, names: readonly string[]): Promise<number[]> {
  await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
  const ids: number[] = [];
  for (const name of names) {
    const rest = { displayName: '', role: 'user', quota: 0, hash: 'x', scram: null } as const;
    const address = `${name}@example.test`;
    ids.push((await store.write.run('directory.addAccount', { actor: SYSTEM, address, ...rest })).id);
  }
  return ids;
}

function grant(store: InlineStore, account: string, mailbox: string, identifier: string, letters: string) {
  const rights = parseRights(letters) ?? 0;
  const args = { actor: SYSTEM, account, mailbox, identifier, mode: 'replace', rights } as const;
  return store.write.run('sharing.setRights', args);
}

function note(scope: 'private' | 'shared', entry: string, text: string) {
  return { scope, entry, value: Buffer.from(text) };
}

test('an account that is made anew gets its lists, annotations and subscriptions back', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'postern-sharing-'));
  for (const name of ['saved', 'live']) await mkdir(join(root, name));
  const saved = await openInlineStore({ path: join(root, 'saved'), clock: systemClock });
  const live = await openInlineStore({ path: join(root, 'live'), clock: systemClock });
  t.after(async () => {
    await live.close();
    await rm(root, { recursive: true, force: true });
  });
  const [alice = 0, bob = 0] = await people(saved, ['alice', 'bob', 'carol', 'gone']);
  const { id: savedId } = await saved.write.run('mailstore.createMailbox', {
    accountId: alice,
    name: 'Work',
  });
  for (const [who, letters] of [
    ['bob', 'lrs'],
    ['carol', 'lr'],
    ['gone', 'lr'],
  ] as const)
    await grant(saved, ALICE, 'Work', `${who}@example.test`, letters);
  await grant(saved, ALICE, 'Work', '-anyone', 'p');
  const changes = [note('shared', '/comment', 'ours'), note('private', '/comment', 'mine')];
  await saved.write.run('sharing.annotate', { accountId: alice, mailboxId: savedId, changes });
  await saved.write.run('sharing.annotate', { accountId: alice, mailboxId: 0, changes: changes.slice(1) });
  await saved.write.run('mailstore.createMailbox', { accountId: bob, name: 'Plans' });
  await grant(saved, 'bob@example.test', 'Plans', ALICE, 'lr');
  await saved.write.run('sharing.subscribe', { accountId: alice, name: NAME, subscribed: true });
  await saved.close();

  // There, more people were before her, and one is not there.
  const ids = await people(live, ['dave', 'erin', 'bob', 'carol', 'alice']);
  const [bobNow = 0, aliceNow = 0] = [ids[2], ids[4]];
  const { id } = await live.write.run('mailstore.createMailbox', { accountId: aliceNow, name: 'Work' });
  await grant(live, ALICE, 'Work', 'carol@example.test', 'l');
  await live.write.run('mailstore.createMailbox', { accountId: bobNow, name: 'Plans' });
  await grant(live, 'bob@example.test', 'Plans', ALICE, 'lr');
  const directory = openDataDirectory(join(root, 'saved'));
  const account = { id: aliceNow, address: ALICE };
  await bringBackSharing(live, directory, account, [{ savedId, id, name: 'Work' }], true);
  directory.close();

  const entries = await live.read.run('sharing.acl', { mailboxId: id });
  assert.deepEqual(
    entries.map(({ identifier, rights }) => [identifier, rights]),
    [
      [ALICE, parseRights('lrswipkxtea')],
      // What was said since stands.
      ['carol@example.test', parseRights('l')],
      ['bob@example.test', parseRights('lrs')],
      ['-anyone', parseRights('p')],
    ].toSorted((a, b) => order(String(a[0])) - order(String(b[0]))),
  );
  const texts = async (accountId: number, mailboxId: number): Promise<string[]> =>
    (await live.read.run('sharing.annotations', { accountId, mailboxId })).map(
      ({ scope, value }) => `${scope} ${Buffer.from(value).toString()}`,
    );
  assert.deepEqual(await texts(aliceNow, id), ['shared ours', 'private mine']);
  assert.deepEqual(await texts(bobNow, id), ['shared ours']);
  assert.deepEqual(await texts(aliceNow, 0), ['private mine']);
  const known = await live.read.run('sharing.mailboxes', { accountId: aliceNow });
  assert.equal(known.find(({ mailbox }) => mailbox.name === NAME)?.mailbox.subscribed, true);

  function order(identifier: string): number {
    return entries.findIndex((entry) => entry.identifier === identifier);
  }
});

test('a mailbox that was never away gets no right back that was taken from somebody', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'postern-sharing-'));
  for (const name of ['saved', 'live']) await mkdir(join(root, name));
  const saved = await openInlineStore({ path: join(root, 'saved'), clock: systemClock });
  t.after(async () => {
    await saved.close();
    await rm(root, { recursive: true, force: true });
  });
  const [alice = 0] = await people(saved, ['alice', 'bob']);
  const { id } = await saved.write.run('mailstore.createMailbox', { accountId: alice, name: 'Work' });
  await grant(saved, ALICE, 'Work', 'bob@example.test', 'lrs');
  const directory = openDataDirectory(join(root, 'saved'));
  const live = await openInlineStore({ path: ':memory:', clock: systemClock });
  await people(live, ['alice', 'bob']);
  const same = await live.write.run('mailstore.createMailbox', { accountId: alice, name: 'Work' });
  assert.equal(same.id, id, 'this test needs both to be the same');
  const account = { id: alice, address: ALICE };
  await bringBackSharing(live, directory, account, [{ savedId: id, id, name: 'Work' }], true);
  directory.close();
  assert.equal((await live.read.run('sharing.acl', { mailboxId: id })).length, 1);
  await live.close();
});
