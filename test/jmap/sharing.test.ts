import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseRights } from '../../src/data/sharing/rights.ts';
import { startTestServer, testActor } from '../support/server.ts';
import { jmapClient, mailboxes, put } from './client.ts';

const MESSAGE = 'From: a@else.test\nSubject: s\n\nhi\n';

it('shows of others what they share, and nothing else', async () => {
  await using server = await startTestServer();
  const bob = await jmapClient(server, 'bob@example.test');
  const alice = await jmapClient(server, 'alice@example.test');
  const [box, own] = [await mailboxes(bob), await mailboxes(alice)];
  const id = await put(bob, MESSAGE, box['inbox'] ?? '');
  const hidden = await put(bob, MESSAGE, box['archive'] ?? '');
  const upload = await bob.upload('secret');
  const args = { accountId: bob.accountId };
  assert.equal(await alice.error('Email/get', { ...args, ids: [id] }), 'accountNotFound');
  const share = (rights: string, identifier = 'alice@example.test'): Promise<unknown> =>
    server.store.write.run('sharing.setRights', {
      actor: testActor,
      account: 'bob@example.test',
      mailbox: 'INBOX',
      identifier,
      rights: parseRights(rights) ?? 0,
      mode: 'replace',
    });
  await share('lr');
  const got = await alice.call('Email/get', { ...args, ids: [id, hidden] });
  assert.deepEqual(got['notFound'], [hidden]);
  assert.deepEqual((await alice.call('Email/query', args))['ids'], [id]);
  assert.deepEqual(Object.keys((await alice.call('Thread/get', { ...args, ids: null }))['list']), ['0']);
  assert.equal(await alice.error('Email/set', { ...args, destroy: [id] }), 'accountReadOnly');
  assert.equal(await alice.error('Identity/get', args), 'accountNotSupportedByMethod');
  const blob = async (blobId: string): Promise<number> =>
    (await fetch(alice.url(`/jmap/download/${bob.accountId}/${blobId}/x`), { headers: alice.headers }))
      .status;
  assert.deepEqual(
    await Promise.all([`B${id.slice(1)}`, `B${hidden.slice(1)}`, upload].map(blob)),
    [200, 404, 404],
  );
  const mailboxIds = { [own['inbox'] ?? '']: true };
  const copied = await alice.call('Email/copy', {
    fromAccountId: bob.accountId,
    create: { x: { id, mailboxIds }, y: { id: hidden, mailboxIds } },
  });
  assert.ok(copied['created'].x);
  assert.equal(copied['notCreated'].y.type, 'notFound');
  // With other rights, what was known is known no more.
  await share('lrs');
  const since = { ...args, sinceState: got['state'] };
  assert.equal(await alice.error('Email/changes', since), 'cannotCalculateChanges');
  const set = await alice.call('Email/set', { ...args, update: { [id]: { 'keywords/$seen': true } } });
  assert.ok(set['updated']);
  const flagged = await alice.call('Email/set', { ...args, update: { [id]: { 'keywords/$flagged': true } } });
  assert.equal(flagged['notUpdated'][id].type, 'forbidden');
  // What somebody takes from themselves is a change, too.
  const { state } = await bob.call('Mailbox/get', { ids: [] });
  await share('lrswikxtea', 'bob@example.test');
  assert.equal(await bob.error('Mailbox/changes', { sinceState: state }), 'cannotCalculateChanges');
  const mine = await bob.call('Mailbox/get', { ids: [box['inbox']] });
  assert.deepEqual([mine['list'][0].myRights.maySubmit, mine['state'] === state], [false, false]);
});
