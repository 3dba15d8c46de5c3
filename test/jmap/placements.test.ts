/** One email in several mailboxes, which IMAP marks apart and JMAP as a whole. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ImapClient, imapClient } from '../support/imap-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Answer, type JmapClient, jmapClient, mailboxes, put } from './client.ts';

describe('an email in two mailboxes', () => {
  let server: TestServer;
  let bob: JmapClient;
  let imap: ImapClient;
  let box: Record<string, string> = {};
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    box = await mailboxes(bob);
    imap = await imapClient(server.ports.imaps ?? 0, { tls: true });
    await imap.next(/OK/);
    await imap.ok('LOGIN bob@example.test "correct horse"');
  });
  after(async () => {
    imap.close();
    await server.close();
  });

  async function flags(mailbox: string): Promise<string> {
    await imap.ok(`EXAMINE ${mailbox}`);
    return (await imap.ok('FETCH * (FLAGS)')).find((line) => line.includes('FETCH')) ?? '';
  }

  async function counts(): Promise<Record<string, number>> {
    const { list } = await bob.call('Mailbox/get', { ids: [box['inbox'], box['archive']] });
    return Object.fromEntries((list as Answer[]).map(({ role, unreadEmails }) => [role, unreadEmails]));
  }

  it('what JMAP does not change stays with each as it is', async () => {
    const id = await put(bob, 'Subject: twice\n\nx\n', box['inbox'] ?? '');
    await imap.ok('SELECT INBOX');
    await imap.ok('COPY * Archive');
    await imap.ok('STORE * +FLAGS ($Mine)');
    await bob.call('Email/set', { update: { [id]: { 'keywords/$flagged': true } } });
    assert.match(await flags('INBOX'), /\\Flagged.*\$Mine|\$Mine.*\\Flagged/);
    assert.match(await flags('Archive'), /\\Flagged/);
    assert.doesNotMatch(await flags('Archive'), /mine/i);
    await bob.call('Email/set', { update: { [id]: { keywords: { other: true } } } });
    assert.doesNotMatch(`${await flags('INBOX')} ${await flags('Archive')}`, /mine|flagged/i);
    assert.match(await flags('INBOX'), /other/);
  });

  it('it is unread in both until it is read in both, and both mailboxes are told of as changed', async () => {
    await put(bob, 'Subject: read here\n\nx\n', box['inbox'] ?? '');
    await imap.ok('SELECT INBOX');
    await imap.ok('COPY * Archive');
    const unread = await counts();
    await imap.ok('STORE * +FLAGS (\\Seen)');
    assert.deepEqual(await counts(), unread);
    await imap.ok('SELECT Archive');
    const { state } = await bob.call('Mailbox/get', { ids: [] });
    await imap.ok('STORE * +FLAGS (\\Seen)');
    const lower = { inbox: (unread['inbox'] ?? 0) - 1, archive: (unread['archive'] ?? 0) - 1 };
    assert.deepEqual(await counts(), lower);
    const { updated } = await bob.call('Mailbox/changes', { sinceState: state });
    assert.deepEqual((updated as string[]).toSorted(), [box['inbox'], box['archive']].toSorted());
  });

  it('it is read when the one that was not is expunged', async () => {
    await put(bob, 'Subject: expunged\n\nx\n', box['inbox'] ?? '');
    await imap.ok('SELECT INBOX');
    await imap.ok('COPY * Archive');
    await imap.ok('STORE * +FLAGS (\\Seen)');
    const { inbox = 0 } = await counts();
    const { state } = await bob.call('Mailbox/get', { ids: [] });
    await imap.ok('SELECT Archive');
    await imap.ok('STORE * +FLAGS (\\Deleted)');
    await imap.ok('EXPUNGE');
    assert.equal((await counts())['inbox'], inbox - 1);
    const { updated } = await bob.call('Mailbox/changes', { sinceState: state });
    assert.ok((updated as string[]).includes(box['inbox'] ?? ''));
  });
});
