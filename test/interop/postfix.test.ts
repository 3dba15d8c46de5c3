import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run, until } from '../../bench/support/processes.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { systemClock } from '../../src/base/clock.ts';
import { fetchBodies, openMailbox } from '../support/imap-mailbox.ts';
import { startDnsServer, type TestDnsServer } from '../support/dns-server.ts';
import { freePort, type PostfixPeer, startPostfixPeer } from '../support/postfix.ts';
import { cleanEnvironment, skipUnlessRoot, skipWithout } from '../support/programs.ts';
import { startTestServer, TEST_PASSWORD, type TestServer, testActor } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer.ts';

/** Postfix at the other end of the line, both ways: we find it by MX, it finds us by its transport table. */

const SECONDS = 1000;
const PATIENCE_MS = 15 * SECONDS;
const POLL_MS = 100;
const LOGIN = Buffer.from(`\0alice@example.test\0${TEST_PASSWORD}`).toString('base64');

describe('Postfix as the other host', { skip: skipWithout('postfix', 'swaks') || skipUnlessRoot() }, () => {
  let directory: string;
  let dns: TestDnsServer;
  /** Where Postfix puts the mail of its users. */
  let mailboxes: SmtpPeer;
  let greylist: Greylist;
  let server: TestServer;
  let postfix: PostfixPeer;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-postfix-'));
    dns = await startDnsServer({
      'peer.test': { MX: [{ preference: 10, exchange: 'mx.peer.test' }] },
      'mx.peer.test': { A: ['127.0.0.1'] },
    });
    greylist = await startGreylist();
    mailboxes = await startSmtpPeer({
      protocol: 'lmtp',
      perRecipient: (address) =>
        address.startsWith('gone@') ? '550 5.2.1 mailbox closed' : '250 2.0.0 taken',
    });
    const port = await freePort();
    postfix = await startPostfixPeer({
      directory,
      domain: 'peer.test',
      users: ['carol', 'dave', 'gone', 'busy'],
      lmtpPort: mailboxes.port,
      routes: { 'example.test': port },
      insideHelo: 'inside.peer.test',
      settings: [
        'smtpd_recipient_restrictions = ' +
          'check_recipient_access inline:{{busy@peer.test=450 4.2.1 busy just now}, {closed@peer.test=550 5.2.1 closed}}, ' +
          `check_policy_service inet:127.0.0.1:${greylist.port}`,
      ],
    });
    const resolver = createResolver({
      servers: [{ address: dns.address, port: dns.port, trusted: false }],
      clock: systemClock,
    });
    server = await startTestServer({
      dns: resolver,
      accounts: [
        { address: 'alice@example.test', role: 'admin' },
        'bob@example.test',
        { address: 'full@example.test', quota: 1 },
      ],
      directPort: postfix.port,
      config: { listen: { smtp: [`127.0.0.1:${port}`] } },
    });
  });

  after(async () => {
    await postfix?.stop();
    await server?.close();
    await mailboxes.close();
    await greylist.close();
    await dns.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Alice sends a message by submission. */
  async function submit(subject: string, ...to: string[]): Promise<void> {
    const client = await lineClient(server.ports.submissions ?? 0, { tls: true });
    await client.talk(['', '220'], ['EHLO here\r\n', '250'], [`AUTH PLAIN ${LOGIN}\r\n`, '235']);
    await client.talk(['MAIL FROM:<alice@example.test>\r\n', '250']);
    for (const address of to) await client.talk([`RCPT TO:<${address}>\r\n`, '250']);
    const message = `From: <alice@example.test>\r\nTo: <${to.join('>, <')}>\r\nSubject: ${subject}\r\n\r\n.dot\r\nhello\r\n`;
    await client.talk(['DATA\r\n', '354'], [`${message.replace('\r\n.', '\r\n..')}.\r\n`, '250']);
    client.close();
  }

  /** What Postfix put into a mailbox under this subject. */
  function delivered(subject: string, to: string): string[] {
    return mailboxes.transactions
      .filter((transaction) => transaction.to.includes(to))
      .map(({ data }) => data.toString('latin1'))
      .filter((text) => new RegExp(`^Subject: ${subject}\r$`, 'm').test(text));
  }

  /** What lies in an inbox of ours. */
  async function received(address: string): Promise<string[]> {
    const client = await openMailbox(server.ports.imaps, { user: address, password: TEST_PASSWORD });
    const bodies = await fetchBodies(client);
    client.close();
    return [...bodies.values()].map((octets) => octets.toString('latin1'));
  }

  const retry = (): Promise<unknown> =>
    server.store.write.run('queue.retry', { actor: testActor, queueId: null });

  it('takes our mail by MX and STARTTLS, after greylisting it', async () => {
    greylist.active = true;
    await submit('grey', 'carol@peer.test', 'dave@peer.test');
    await until('greylisting', PATIENCE_MS, POLL_MS, () => greylist.deferred >= 2);
    assert.deepEqual(delivered('grey', 'carol@peer.test'), []);
    await until('delivery', PATIENCE_MS, POLL_MS, async () => {
      await retry();
      return (
        delivered('grey', 'carol@peer.test').length > 0 && delivered('grey', 'dave@peer.test').length > 0
      );
    });
    greylist.active = false;
    const [text = ''] = delivered('grey', 'carol@peer.test');
    assert.match(text, /using TLSv1\.3 with cipher[\s\S]*by mx\.peer\.test \(Postfix\) with ESMTPS/);
    assert.ok(text.endsWith('\r\n\r\n.dot\r\nhello\r\n'), text);
    assert.equal(delivered('grey', 'carol@peer.test').length, 1);
    assert.ok(dns.asked.includes('udp MX peer.test'));
  });

  it('defers what it defers, bounces what it refuses, and delivers the rest of the same message', async () => {
    await submit('mixed', 'carol@peer.test', 'busy@peer.test', 'closed@peer.test', 'nobody@peer.test');
    await until('delivery', PATIENCE_MS, POLL_MS, () => delivered('mixed', 'carol@peer.test').length === 1);
    let bounce = '';
    await until('bounce', PATIENCE_MS, POLL_MS, async () => {
      bounce = (await received('alice@example.test')).find((text) => text.includes('closed@peer.test')) ?? '';
      return bounce !== '';
    });
    assert.match(bounce, /^Content-Type: multipart\/report;[\s\S]*report-type="?delivery-status/m);
    assert.match(bounce, /^Final-Recipient: rfc822; ?closed@peer\.test/m);
    assert.match(bounce, /^Final-Recipient: rfc822; ?nobody@peer\.test/m);
    assert.match(bounce, /^Status: 5\.2\.1/m);
    assert.match(bounce, /^Status: 5\.1\.1/m);
    assert.doesNotMatch(bounce, /busy@peer\.test\r\nAction: failed/);
    const waiting = await server.store.read.run('queue.list', { state: 'queued', limit: 10 });
    assert.match(JSON.stringify(waiting), /busy@peer\.test/);
    assert.match(JSON.stringify(waiting), /450 4\.2\.1/);
  });

  it('sends back to us what it took and could not keep, and alice reads why', async () => {
    await submit('late bounce', 'gone@peer.test');
    let bounce = '';
    await until('bounce', PATIENCE_MS, POLL_MS, async () => {
      bounce = (await received('alice@example.test')).find((text) => text.includes('gone@peer.test')) ?? '';
      return bounce !== '';
    });
    assert.match(bounce, /^From: (Mail Delivery System )?<?MAILER-DAEMON/im);
    assert.match(bounce, /550 5\.2\.1 mailbox closed/);
    assert.match(bounce, /^Subject: late bounce/m);
  });

  it('delivers to us over TLS, bounces what we refuse, keeps what we defer', async () => {
    const env = cleanEnvironment(tmpdir());
    const inside = [
      '--server',
      `127.0.0.1:${postfix.port}`,
      '--helo',
      'inside.peer.test',
      '--from',
      'dave@peer.test',
    ];
    const subject = ['--header', 'Subject: from postfix'];
    const to = ['--to', 'bob@example.test,nobody@example.test,full@example.test'];
    await run('swaks', [...inside, ...subject, ...to], { env });
    await until(
      'delivery',
      PATIENCE_MS,
      POLL_MS,
      async () => (await received('bob@example.test')).length > 0,
    );
    const bounced = (): string => {
      const bounce = mailboxes.transactions.find(
        ({ from, to: [user] }) => from === '' && user === 'dave@peer.test',
      );
      return bounce?.data.toString('latin1') ?? '';
    };
    await until('bounce', PATIENCE_MS, POLL_MS, () => bounced() !== '');
    assert.match(bounced(), /nobody@example\.test/);
    assert.match(bounced(), /550 5\.1\.1/);
    assert.doesNotMatch(bounced(), /<full@example\.test>:/);
    const inbox = await received('bob@example.test');
    assert.equal(inbox.length, 1);
    assert.match(inbox[0] ?? '', /^Received: from mx\.peer\.test[^;]*with ESMTPS/m);
    assert.match(inbox[0] ?? '', /^Subject: from postfix/m);
    const log = await postfix.log();
    assert.match(log, /TLS connection established to 127\.0\.0\.1.*TLSv1\.3/);
    assert.match(log, /to=<full@example\.test>.*status=deferred.*452 4\.2\.2/);
  });
});

interface Greylist {
  readonly port: number;
  /** While true, each sender and recipient is deferred once. */
  active: boolean;
  deferred: number;
  close(): Promise<void>;
}

/** A policy service (Postfix SMTPD_POLICY_README). */
async function startGreylist(): Promise<Greylist> {
  const seen = new Set<string>();
  const server = createServer((socket) => {
    let text = '';
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const request = text.slice(0, end);
        text = text.slice(end + 2);
        const pair = ['sender', 'recipient']
          .map((name) => new RegExp(`^${name}=(.*)$`, 'm').exec(request)?.[1])
          .join(' ');
        const defer = greylist.active && !seen.has(pair);
        seen.add(pair);
        if (defer) greylist.deferred++;
        socket.write(`action=${defer ? 'DEFER 4.7.1 Greylisted, come back' : 'DUNNO'}\n\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const greylist: Greylist = {
    port: bound !== null && typeof bound === 'object' ? bound.port : 0,
    active: false,
    deferred: 0,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
  return greylist;
}
