import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { filterSettingsSchema } from '../../src/flow/spam/settings.ts';
import { imapClient } from '../support/imap-client.ts';
import {
  startTestServer,
  TEST_PASSWORD,
  type TestServer,
  type TestServerOptions,
} from '../support/server.ts';
import { type LineClient, lineClient } from '../support/smtp-client.ts';
import { startSmtpPeer } from '../support/smtp-peer.ts';
import { type CliAnswer, runCommand } from '../support/cli.ts';

/** An account whose password is stolen begins to send: it is held, and those who have to know are told. */

const UNUSUAL = 5;
const BOB = 'bob@example.test';

async function start(more: Partial<TestServerOptions> = {}): Promise<TestServer> {
  const filter = filterSettingsSchema.parse({ outgoing: { unusual_from: UNUSUAL } });
  return startTestServer({ plaintextAuth: true, filter: () => filter, ...more });
}

/** Everything leaves through a relay, which stands for the world. */
async function world(more: Partial<TestServerOptions> = {}) {
  const peer = await startSmtpPeer();
  const server = await start({
    relay: { host: '127.0.0.1', port: peer.port, tls: 'opportunistic' },
    ...more,
  });
  return {
    server,
    peer,
    async [Symbol.asyncDispose]() {
      await server.close();
      await peer.close();
    },
  };
}

async function session(server: TestServer, login = BOB): Promise<LineClient> {
  const client = await lineClient(server.ports.submission ?? 0);
  const plain = Buffer.from(`\0${login}\0${TEST_PASSWORD}`).toString('base64');
  await client.talk(['', '220'], ['EHLO there\r\n', '250'], [`AUTH PLAIN ${plain}\r\n`, '235']);
  return client;
}

async function send(
  client: LineClient,
  to: readonly string[],
  subject = 'hello',
  from = BOB,
): Promise<string> {
  await client.talk([`MAIL FROM:<${from}>\r\n`, '250']);
  for (const address of to) await client.talk([`RCPT TO:<${address}>\r\n`, '250']);
  await client.talk(['DATA\r\n', '354']);
  const reply = await client.command(`From: ${from}\r\nSubject: ${subject}\r\n\r\nhello\r\n.`);
  assert.match(reply, /^250 2\.0\.0 Ok: queued as /);
  return reply.slice(reply.lastIndexOf(' ') + 1);
}

/** Subjects and texts in a mailbox. */
async function inbox(server: TestServer, user: string): Promise<string[]> {
  const client = await imapClient(server.ports.imap ?? 0);
  await client.ok(`LOGIN ${user} "${TEST_PASSWORD}"`);
  await client.ok('SELECT INBOX');
  const found = await client.ok('FETCH 1:* BODY[]').catch(() => []);
  client.close();
  return found.filter((line) => line.includes('FETCH'));
}

function cli(server: TestServer, ...words: string[]): Promise<CliAnswer> {
  return runCommand(words, { data: server.directory });
}

async function said(server: TestServer, ...words: string[]): Promise<string> {
  const { status, out, err } = await cli(server, ...words);
  assert.equal(status, 0, err);
  return out;
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(what(), 'it did not come about');
}

describe('an account that suddenly sends far more than ever', () => {
  it('is held: its mail is taken and kept, its owner and the administrator are told', async () => {
    await using made = await world();
    const { server, peer } = made;
    const client = await session(server);
    for (let i = 1; i < UNUSUAL; i++) await send(client, [`a${i}@remote.test`]);
    await until(() => peer.transactions.length === UNUSUAL - 1);
    assert.equal(await said(server, 'hold', 'list'), "Nobody's outgoing mail is held.\n");
    const trace = await send(client, ['c@remote.test', 'alice@example.test'], 'the fifth');
    await send(client, ['d@remote.test'], 'the sixth');

    const [owner, ...more] = await inbox(server, BOB);
    assert.deepEqual(more, [], 'one mail, however much was held');
    assert.match(owner ?? '', /Subject: Your outgoing mail is held/);
    assert.match(owner ?? '', /Auto-Submitted: auto-generated/);
    assert.match(
      owner ?? '',
      /it sent 5 messages within an hour; the most of\s+a day in the last 30 days was 0/,
    );
    assert.match(owner ?? '', /somebody knows your password/);
    const toAlice = await inbox(server, 'alice@example.test');
    assert.equal(toAlice.length, 1, 'what was for her is held too');
    assert.match(toAlice[0] ?? '', /Subject: Outgoing mail of bob@example\.test is held/);
    assert.match(toAlice[0] ?? '', /postern hold release bob@example\.test --drop/);

    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(peer.transactions.length, UNUSUAL - 1, 'nothing of it leaves');
    assert.match(
      await said(server, 'hold', 'list'),
      /^bob@example\.test {2}held for \d s\n {4}because it sent 5 messages [^.]* was 0\n {4}2 message\(s\) to 3 recipient\(s\) wait, the oldest for \d s\n/,
    );
    assert.match(await said(server, 'status'), /^HELD +mail of 1 account\(s\): postern hold list$/m);
    const told = await said(server, 'trace', trace);
    assert.match(told, /What bob@example\.test sends is held from now on/);
    assert.match(told, /It is held and not sent: outgoing mail held: it sent 5 messages/);
    client.close();
    const again = await session(server);
    again.close();
  });

  it('goes on when released: everything is sent, and so much counts as usual', async () => {
    await using made = await world();
    const { server, peer } = made;
    const client = await session(server);
    for (let i = 0; i < UNUSUAL + 1; i++) await send(client, [`a${i}@remote.test`, 'alice@example.test']);
    assert.equal(
      await said(server, 'hold', 'release', BOB),
      'bob@example.test can send again; 2 message(s) to 4 recipient(s) released.\n',
    );
    assert.match(await said(server, 'trace', BOB), /released what was held of bob@example\.test/);
    await until(() => peer.transactions.length === UNUSUAL + 1);
    const copies = async (): Promise<number> =>
      (await inbox(server, 'alice@example.test')).filter((text) => text.includes('Subject: hello')).length;
    for (let i = 0; i < 400 && (await copies()) < UNUSUAL + 1; i++)
      await new Promise((done) => setTimeout(done, 5));
    assert.equal(await copies(), UNUSUAL + 1);
    for (let i = 0; i < UNUSUAL * 4; i++) await send(client, [`b${i}@remote.test`]);
    assert.equal(await said(server, 'hold', 'list'), "Nobody's outgoing mail is held.\n");
    // Not the table: how much of an address it shows depends on who runs it.
    const [last] = (
      JSON.parse(await said(server, 'audit', '--json')) as { rows: { action: string; subject: string }[] }
    ).rows;
    assert.deepEqual([last?.action, last?.subject], ['hold.release', 'bob@example.test']);
    client.close();
  });

  it('with --drop forgets what the thief wrote, which does not become usual', async () => {
    await using made = await world();
    const { server, peer } = made;
    const client = await session(server);
    for (let i = 0; i < UNUSUAL + 3; i++) await send(client, [`a${i}@remote.test`]);
    assert.equal(
      await said(server, 'hold', 'release', BOB, '--drop'),
      'bob@example.test can send again; 4 message(s) to 4 recipient(s) dropped.\n',
    );
    await until(() => peer.transactions.length === UNUSUAL - 1);
    for (let i = 1; i < UNUSUAL; i++) await send(client, [`b${i}@remote.test`]);
    await until(() => peer.transactions.length === 2 * (UNUSUAL - 1));
    await send(client, ['c@remote.test']);
    assert.match(await said(server, 'hold', 'list'), /1 message\(s\) to 1 recipient\(s\) wait/);
    const refused = await cli(server, 'hold', 'release', 'alice@example.test');
    assert.match(refused.err, /Nothing that alice@example\.test sends is held/);
    client.close();
  });

  it('stays held over a restart', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-holds-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const first = await start({ directory });
    const client = await session(first);
    for (let i = 0; i < UNUSUAL; i++) await send(client, [`a${i}@remote.test`]);
    client.close();
    await first.close();
    await using server = await start({ directory });
    const next = await session(server);
    await send(next, ['b@remote.test']);
    next.close();
    assert.match(await said(server, 'hold', 'list'), /2 message\(s\) to 2 recipient\(s\) wait/);
    assert.equal((await inbox(server, BOB)).length, 1, 'nobody is told twice');
  });

  it('may be released by an administrator of its domain, and of no other', async () => {
    await using made = await world();
    const { server } = made;
    const { domainId } = await server.account(BOB);
    const release = (actor: { name: string; role: 'domain-admin'; domainId: number }) =>
      server.store.write.run('holds.release', { actor, address: BOB, drop: true, limit: 10, isFirst: true });
    const client = await session(server);
    for (let i = 0; i < UNUSUAL; i++) await send(client, [`a${i}@remote.test`]);
    client.close();
    await assert.rejects(release({ name: 'x@y.test', role: 'domain-admin', domainId: domainId + 1 }), {
      kind: 'not-permitted',
    });
    assert.equal((await release({ name: 'z@example.test', role: 'domain-admin', domainId })).messages, 1);
  });
});

describe('mail that the filter is sure to be spam', () => {
  it('is held one by one, and with the third within the hour the account is', async () => {
    await using made = await world({
      outgoingVerdict: async ({ message }) => (message.header.includes('pills') ? 0.999 : 0.5),
    });
    const { server, peer } = made;
    const client = await session(server);
    const trace = await send(client, ['a@remote.test'], 'pills');
    await send(client, ['b@remote.test']);
    await until(() => peer.transactions.length === 1);
    assert.match(
      await said(server, 'hold', 'list'),
      /^bob@example\.test\n {4}single messages held as spam: 1 message/,
    );
    assert.match((await inbox(server, BOB))[0] ?? '', /Subject: A message of yours is held/);
    assert.match(
      (await inbox(server, 'alice@example.test'))[0] ?? '',
      new RegExp(`postern queue release ${trace}`),
    );
    await said(server, 'queue', 'release', trace);
    await until(() => peer.transactions.length === 2);
    await send(client, ['c@remote.test'], 'pills');
    await send(client, ['d@remote.test'], 'pills');
    await send(client, ['e@remote.test']);
    assert.match(
      await said(server, 'hold', 'list'),
      /because it sent 3 messages within an hour that look like spam\n {4}3 message/,
    );
    assert.equal(peer.transactions.length, 2);
    client.close();
  });

  it('is let go when the judge fails', async () => {
    await using made = await world({
      outgoingVerdict: async () => {
        throw new Error('no model');
      },
    });
    const client = await session(made.server);
    await send(client, ['a@remote.test']);
    await until(() => made.peer.transactions.length === 1);
    client.close();
  });
});
