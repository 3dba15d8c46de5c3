import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { until } from '../../bench/support/processes.ts';
import type { QueueMessage, QueueRecipient } from '../../src/data/queue/types.ts';
import { type SesSmtpSettings, transportSchema } from '../../src/flow/outbound/routing/settings.ts';
import { createSesSmtp } from '../../src/flow/outbound/transports/ses-smtp.ts';
import type { MessageContent, Outcome, Transport } from '../../src/flow/outbound/transport.ts';
import { sesSmtpPassword } from '../../src/net/aws/ses-smtp-password.ts';
import { type FlowFixture, lines, openFlow } from '../support/flow.ts';
import { type PostfixPeer, startPostfixPeer } from '../support/postfix.ts';
import { skipUnlessRoot, skipWithout } from '../support/programs.ts';
import { type SmtpPeer, startSmtpPeer } from '../support/smtp-peer.ts';

/**
 * Postfix in the place of SES's SMTP endpoint: STARTTLS, AUTH before anything else, fifty recipients a transaction,
 * verified senders alone.
 */

const KEY = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const REGION = 'eu-north-1';
const POLL_MS = 50;
const PATIENCE_MS = 15_000;
const USERS = Array.from({ length: 60 }, (_, i) => `r${i}`);
const go = new AbortController().signal;

/** The login service that Postfix asks (the protocol of Dovecot's), with one user. */
async function startLogins(user: string, password: string): Promise<Server> {
  const expected = Buffer.from(`\0${user}\0${password}`).toString('base64');
  const server = createServer((socket) => {
    socket.write('VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n');
    let pending = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
        const [verb, id, ...more] = pending.slice(0, end).split('\t');
        pending = pending.slice(end + 1);
        if (verb !== 'AUTH') continue;
        const right = more.includes(`resp=${expected}`);
        socket.write(right ? `OK\t${id}\tuser=${user}\n` : `FAIL\t${id}\n`);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const text = (subject: string): string =>
  lines('From: alice@example.test', `Subject: ${subject}`, 'MIME-Version: 1.0', '', 'Grüße', '.', '..dots');

function content(text: string): MessageContent {
  const octets = Buffer.from(text);
  return {
    size: octets.length,
    async *open() {
      yield octets;
    },
  };
}

describe('Postfix as SES’s SMTP endpoint', { skip: skipWithout('postfix') || skipUnlessRoot() }, () => {
  let directory: string;
  let logins: Server;
  let mailboxes: SmtpPeer;
  let postfix: PostfixPeer;
  let flow: FlowFixture;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-ses-smtp-'));
    await writeFile(join(directory, 'key'), `${KEY}:${SECRET}\n`);
    logins = await startLogins(KEY, sesSmtpPassword(SECRET, REGION));
    const bound = logins.address();
    mailboxes = await startSmtpPeer({ protocol: 'lmtp' });
    postfix = await startPostfixPeer({
      directory,
      domain: 'far.test',
      users: USERS,
      lmtpPort: mailboxes.port,
      routes: { 'else.test': 1 },
      insideHelo: 'nobody.test',
      settings: [
        'smtpd_sasl_auth_enable = yes',
        'smtpd_sasl_type = dovecot',
        `smtpd_sasl_path = inet:127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : 0}`,
        'smtpd_tls_auth_only = yes',
        'smtpd_client_restrictions = permit_sasl_authenticated, reject',
        'smtpd_sender_restrictions = check_sender_access inline:{{example.test=OK}, {pending.test=554 Message rejected: Email address is not verified.}}',
        'smtpd_recipient_limit = 50',
        'message_size_limit = 41943040',
      ],
    });
    const pem = await readFile(join(directory, 'peer.pem'), 'latin1');
    await writeFile(join(directory, 'ca.pem'), pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
    flow = await openFlow();
    flow.zone['mx.far.test'] = { A: ['127.0.0.1'] };
  });
  after(async () => {
    await postfix?.stop();
    await flow?.close();
    await mailboxes?.close();
    logins?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Send by a transport that is made for it. */
  async function send(
    recipients: readonly string[],
    mail: string,
    message: Partial<QueueMessage> = {},
    more: Partial<SesSmtpSettings> = {},
  ): Promise<readonly Outcome[]> {
    const settings = transportSchema.parse({
      kind: 'ses-smtp',
      region: REGION,
      host: 'mx.far.test',
      port: postfix.port,
      credentials_file: join(directory, 'key'),
      ca_file: join(directory, 'ca.pem'),
      // Nobody is asked: there is no API here.
      endpoint: 'http://127.0.0.1:1',
      identities: ['example.test', 'pending.test'],
      ...more,
    }) as SesSmtpSettings;
    const transport: Transport = createSesSmtp(() => flow.deps, 'amazon', settings);
    const work = {
      message: {
        id: 1,
        queueId: 'q',
        trace: 't',
        reversePath: 'alice@example.test',
        requireTls: false,
        body: '8BITMIME',
        smtputf8: false,
        originated: true,
        ...message,
      } as QueueMessage,
      destination: 'far.test',
      recipients: recipients.map((address, id) => ({ id, address, notify: '' }) as QueueRecipient),
    };
    const outcomes = await transport.attempt(work, content(mail), go);
    await transport.close();
    return recipients.map((_, id) => {
      const outcome = outcomes.get(id);
      assert.ok(outcome);
      return outcome;
    });
  }

  const arrived = async (subject: string, count: number): Promise<string[]> => {
    const found = (): string[] =>
      mailboxes.transactions.filter(({ data }) => data.includes(subject)).flatMap(({ to }) => to);
    await until(`${count} recipients of ${subject}`, PATIENCE_MS, POLL_MS, () => found().length >= count);
    return found();
  };

  it('takes our login and our mail, sixty recipients in two transactions, each once', async () => {
    const all = USERS.map((user) => `${user}@far.test`);
    const outcomes = await send(all, text('sixty'));
    for (const outcome of outcomes) {
      assert.ok(outcome.outcome === 'delivered', outcome.reply);
      assert.match(outcome.tls, /^TLSv1\.\d verified$/);
      assert.equal(outcome.success, 'relayed');
    }
    assert.deepEqual((await arrived('sixty', 60)).toSorted(), all.toSorted());
    const { data } = mailboxes.transactions.find((each) => each.data.includes('sixty')) ?? {};
    assert.ok(data?.includes('Grüße\r\n.\r\n..dots'));
  });

  it('a notification arrives under an address of ours', async () => {
    const [told] = await send(['r1@far.test'], text('sorry'), { reversePath: '' });
    assert.equal(told?.outcome, 'delivered', told?.reply);
    await arrived('sorry', 1);
    const from = mailboxes.transactions.find((each) => each.data.includes('sorry'))?.from ?? '';
    assert.match(from, /^SRST=.*=0@example\.test$/);
  });

  it('a key of another region is a login that fails, and the mail waits', async () => {
    const [told] = await send(['r1@far.test'], text('nowhere'), {}, { region: 'eu-west-3' });
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.cause, 'auth');
    assert.match(told.reply, /login at SES in eu-west-3 failed: 535/);
  });

  it('a sender that is not verified is refused with the remedy', async () => {
    const from = text('unverified').replace('alice@example.test', 'bob@pending.test');
    const [told] = await send(['r1@far.test'], from, { reversePath: 'bob@pending.test' });
    assert.ok(told?.outcome === 'failed', told?.reply);
    assert.equal(told.cause, 'sender');
    assert.match(told.reply, /SES in eu-north-1 does not send for bob@pending\.test: verify the domain/);
  });
});
