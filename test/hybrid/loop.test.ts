import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import { startAws } from '../support/aws/emulator.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { startTestServer, testActor } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { storedIn, until } from '../intake/support.ts';

/**
 * The whole way round without port 25: Alice's mail program hands a message over, SES sends it, SES receives the answer
 * for us, the bucket and the queue bring it to her mailbox; what bounces comes back to her, and is not written to again.
 */
it('out by SES, in by SES, and what comes back finds its sender', async (t) => {
  const aws = await startAws({ timeFactor: 0.02, ses: { identities: ['example.test'] } });
  const mail = aws.sns.createTopic('new-mail');
  const events = aws.sns.createTopic('ses-events');
  const mailQueue = aws.sqs.createQueue('new-mail', { allowTopic: mail });
  const eventQueue = aws.sqs.createQueue('ses-events', { allowTopic: events });
  aws.sns.subscribe(mail, 'sqs', mailQueue.arn);
  aws.sns.subscribe(events, 'sqs', eventQueue.arn);
  aws.ses.createReceiptRule({ name: 'to-s3', bucket: 'bucket', prefix: 'new/', topicArn: mail });
  aws.ses.createConfigurationSet('postern', [{ topicArn: events }]);
  const dns = await startDnsServer({});
  const resolver = createResolver({
    servers: [{ address: dns.address, port: dns.port, trusted: false }],
    clock: systemClock,
  });
  process.env.AWS_ACCESS_KEY_ID = aws.accessKeyId;
  process.env.AWS_SECRET_ACCESS_KEY = aws.secretAccessKey;
  const server = await startTestServer({ dns: resolver, plaintextAuth: true });
  t.after(async () => {
    await server.close();
    await dns.close();
    await aws.close();
  });
  const { region, endpoint } = aws;
  const ses = { kind: 'ses-api', region, endpoint, configuration_set: 'postern' };
  const routing = { transports: { ses }, routes: [{ name: 'all', transports: ['ses'] }] };
  const at = { region, endpoint, sweep_minutes: 0 };
  const intake = {
    sources: [
      { ...at, name: 'mail', bucket: 'bucket', topic_arns: [mail], queue_url: mailQueue.url },
      { ...at, name: 'events', topic_arns: [events], queue_url: eventQueue.url },
    ],
  };
  const { write, read } = server.store;
  const actor = testActor;
  await write.run('routing.saveSettings', { actor, json: JSON.stringify(routing), what: 'test' });
  await write.run('intake.saveSettings', { actor, json: JSON.stringify(intake) });
  await server.intake.changed();

  async function submit(to: string, subject: string): Promise<string> {
    const client = await lineClient(server.ports.submission ?? 0);
    const login = Buffer.from('\0alice@example.test\0correct horse').toString('base64');
    await client.talk(
      ['', '220'],
      ['EHLO there\r\n', '250'],
      [`AUTH PLAIN ${login}\r\n`, '235'],
      ['MAIL FROM:<alice@example.test>\r\n', '250'],
      [`RCPT TO:<${to}>\r\n`, '250'],
      ['DATA\r\n', '354'],
    );
    client.send(`From: alice@example.test\r\nTo: ${to}\r\nSubject: ${subject}\r\n\r\nHello\r\n.\r\n`);
    const reply = await client.reply();
    client.close();
    return /as ([0-9a-z]+)/.exec(reply)?.[1] ?? assert.fail(reply);
  }
  const inbox = async (): Promise<string[]> =>
    (await storedIn(server, 'alice@example.test')).map((octets) => octets.toString('latin1'));

  const id = await submit('friend@far.test', 'a question');
  const sent = await until(() => aws.ses.sent.find(({ recipients }) => recipients[0] === 'friend@far.test'));
  assert.match(sent.raw.toString('latin1'), /^Subject: a question\r\n\r\nHello\r\n/m);
  const messageId = /^Message-ID: (.*)\r$/im.exec(sent.raw.toString('latin1'))?.[1] ?? '';
  await until(async () => {
    const found = await read.run('queue.show', { queueId: id });
    return found?.recipients[0]?.state === 'delivered';
  });

  aws.ses.receive({
    raw: `From: friend@far.test\r\nTo: alice@example.test\r\nSubject: Re: a question\r\nDate: ${new Date().toUTCString()}\r\nMessage-ID: <answer@far.test>\r\nIn-Reply-To: ${messageId}\r\n\r\nYes.\r\n`,
    recipients: ['alice@example.test'],
  });
  await until(async () => (await inbox()).some((text) => /^Subject: Re: a question\r$/m.test(text)));
  await until(() => aws.s3.keys('bucket').length === 0);

  await submit('bounce@simulator.amazonses.com', 'to nobody');
  const bounce = await until(async () => (await inbox()).find((text) => text.includes('multipart/report')));
  assert.match(bounce, /Final-Recipient: rfc822; bounce@simulator\.amazonses\.com\r\nAction: failed/);
  const [entry] = await read.run('suppression.of', {
    addresses: ['bounce@simulator.amazonses.com'],
    now: Date.now(),
  });
  assert.equal(entry?.source, 'ses');
  const calls = aws.ses.sent.length;
  await submit('bounce@simulator.amazonses.com', 'once more');
  await until(async () => (await inbox()).filter((text) => text.includes('multipart/report')).length === 2);
  assert.equal(aws.ses.sent.length, calls, 'SES is not asked to send there again');
  assert.deepEqual(aws.violations, []);
});
