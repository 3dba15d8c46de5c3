/** The gate behind a real SMTP server: what a client on the wire sees of it. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { createGate, type Gate } from '../../src/flow/inbound/gate/gate.ts';
import { replies } from '../../src/flow/replies.ts';
import type { MailService } from '../../src/flow/service.ts';
import { type FilterSettingsInput, filterSettingsSchema } from '../../src/flow/spam/settings.ts';
import { fakeMailService, type FakeMailService } from '../support/fake-mail-service.ts';
import { type FlowFixture, openFlow, until } from '../support/flow.ts';
import { type LineClient, lineClient } from '../support/smtp-client.ts';
import { type SmtpTestServer, smtpTestServer } from '../support/smtp-server.ts';

let flow: FlowFixture;
let server: SmtpTestServer;
let client: LineClient;
let fake: FakeMailService;

beforeEach(async () => {
  flow = await openFlow();
  Object.assign(flow.zone, {
    'mail.sender.test': { A: ['192.0.2.7'] },
    '7.2.0.192.in-addr.arpa': { PTR: ['mail.sender.test'] },
    'sender.test': { A: ['192.0.2.7'] },
    '2.0.0.127.zen.spamhaus.org': { A: ['127.0.0.2'] },
    '9.2.0.192.zen.spamhaus.org': { A: ['127.0.0.2'], TXT: ['https://check.test/'] },
  });
});
afterEach(async () => {
  await disconnect();
  await flow.close();
});

/** Close the server; sessions that linger wait on the clock. */
async function disconnect(): Promise<void> {
  client.close();
  let over = false;
  void server.close().then(() => (over = true));
  await until(async () => {
    flow.clock.advance(10_000);
    return over;
  });
}

/** A mail flow with a gate; recipients `unknown*` do not exist. */
function gated(gate: Gate): MailService {
  fake = fakeMailService('smtp');
  return {
    ...fake,
    connect: (session) => gate.connect(session),
    hello: (session) => gate.hello(session),
    async mail(session, path, params) {
      const envelope = await gate.mail(session, path);
      const transaction = await fake.mail(session, path, params);
      return {
        ...transaction,
        async rcpt(address) {
          if (!address.startsWith('unknown')) return void (await envelope.accepted());
          throw (await envelope.refused(replies.unknownRecipient(address))).error;
        },
        abandon: () => envelope.abandon(),
      };
    },
  };
}

/** Connect to a server with these settings, as the PROXY header says from `ip`. */
async function connect(settings: FilterSettingsInput, ip: string): Promise<void> {
  const filter = filterSettingsSchema.parse(settings);
  const gate = createGate({
    deps: () => flow.deps,
    filter: () => ({ current: async () => filter, settings: filter }),
  });
  server = await smtpTestServer('smtp', {
    service: gated(gate),
    clock: flow.clock,
    proxyFrom: ['127.0.0.1'],
  });
  client = await lineClient(server.port);
  client.send(`PROXY TCP4 ${ip} 198.51.100.25 40000 25\r\n`);
}

test('a listed client is refused in the place of the greeting, and told where to turn', async () => {
  await connect({ lists: [{ zone: 'zen.spamhaus.org', of: 'ip', codes: {}, refuse: true }] }, '192.0.2.9');
  assert.equal(
    await client.reply(),
    '554 5.7.1 No mail from 192.0.2.9: it sends spam (Spamhaus SBL). https://check.test/. ' +
      'Have it taken off zen.spamhaus.org. Questions: postmaster@mx.example.test',
  );
  assert.equal(await client.closed(), '');
});

test('a refusal at MAIL leaves the session to try another sender', async () => {
  await connect({ unknown_sender_domain: 'refuse' }, '192.0.2.7');
  await client.talk(['', '220'], ['EHLO mail.sender.test\r\n', '250']);
  assert.match(await client.command('MAIL FROM:<a@gone.test>'), /^550 5\.1\.8 .*gone\.test does not exist/);
  await client.talk(['MAIL FROM:<a@sender.test>\r\n', '250'], ['RCPT TO:<b@example.test>\r\n', '250']);
});

test('peers 5.3: guessing recipients in a pipeline is slowed down and ended with 421', async () => {
  await connect({ tarpit_after: 2 }, '192.0.2.7');
  await client.talk(
    ['', '220'],
    ['EHLO mail.sender.test\r\n', '250'],
    ['MAIL FROM:<a@sender.test>\r\n', '250'],
  );
  client.send(Array.from({ length: 10 }, (_, i) => `RCPT TO:<unknown${i}@example.test>\r\n`).join(''));
  let rest: string | undefined;
  void client.closed().then((text) => (rest = text));
  let waitedMs = 0;
  await until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (rest !== undefined) return true;
    flow.clock.advance(500);
    waitedMs += 500;
    return false;
  });
  const lines = (rest ?? '').trim().split('\r\n');
  assert.deepEqual(
    lines.map((line) => line.slice(0, 9)),
    ['550 5.1.1', '550 5.1.1', '550 5.1.1', '421 4.7.0'],
  );
  assert.match(lines.at(-1) ?? '', /4 recipients from you do not exist/);
  assert.ok(waitedMs >= 2000, 'the third answer came 2 s later');
  await disconnect();
  await connect({ tarpit_after: 2 }, '127.0.0.1');
  await client.talk(
    ['', '220'],
    ['EHLO mail.sender.test\r\n', '250'],
    ['MAIL FROM:<a@sender.test>\r\n', '250'],
  );
  for (let i = 0; i < 10; i++) assert.match(await client.command('RCPT TO:<unknown@example.test>'), /^550 /);
});

test('early talkers are refused where the site wants it', async () => {
  await connect({ early_talker: 'refuse', greeting_pause_ms: 5000 }, '192.0.2.7');
  client.send('EHLO mail.sender.test\r\n');
  assert.match(await client.reply(), /^554 5\.5\.1 You sent commands before the greeting.*postmaster@/);
  assert.equal(await client.closed(), '');
});
