import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LineClient, lineClient } from '../support/smtp-client.ts';
import { type TestRelay, testRelay } from './harness.ts';

/** However a client retries: each recipient gets a message once. */

const MESSAGE = 'From: a@example.org\r\nMessage-ID: <1@example.org>\r\n\r\nhello\r\n.\r\n';

async function send(client: LineClient, recipients: readonly string[], message = MESSAGE): Promise<string> {
  await client.command('EHLO client.test');
  await client.command('MAIL FROM:<a@example.org>');
  for (const recipient of recipients) await client.command(`RCPT TO:<${recipient}>`);
  await client.command('DATA');
  client.send(message);
  return client.reply();
}

async function open({ relay }: TestRelay): Promise<LineClient> {
  const client = await lineClient(relay.port);
  await client.reply();
  return client;
}

const received = ({ aws }: TestRelay): string[] =>
  aws.ses.sent.flatMap(({ recipients }) => recipients).toSorted();
const sixty = Array.from({ length: 60 }, (_, i) => `r${String(i).padStart(2, '0')}@example.net`);

test('more than fifty recipients, the second call fails: a retry sends the rest only', async () => {
  await using relay = await testRelay();
  const client = await open(relay);
  const status = { kind: 'status', status: 500, code: 'InternalFailure' } as const;
  relay.aws.fault({ service: 'ses', operation: 'SendEmail', skip: 1 }, status, 2);
  assert.match(await send(client, sixty), /^451 4\.3\.0/);
  assert.equal(received(relay).length, 50);
  assert.match(await send(client, sixty), /^250 2\.0\.0/);
  assert.deepEqual(received(relay), sixty);
  const to = relay.lines.map((line) => [JSON.parse(line).To.length, JSON.parse(line).Error === null]);
  assert.deepEqual(to, [
    [50, true],
    [10, false],
    [10, true],
  ]);
  client.close();
});

test('the second call has an unknown end: a retry sends what was not tried', async () => {
  await using relay = await testRelay();
  const client = await open(relay);
  relay.aws.fault({ service: 'ses', operation: 'SendEmail' }, { kind: 'cut', when: 'after-effect' });
  assert.match(await send(client, sixty), /^451 4\.4\.2/);
  assert.match(await send(client, sixty), /^250/);
  assert.deepEqual(received(relay), sixty);
  client.close();
});

test('a client that lost patience and comes back while SES still thinks is served once', async () => {
  await using relay = await testRelay();
  relay.aws.ses.latencyMs = 300;
  const first = await open(relay);
  const taken = relay.aws.next({ service: 'ses', operation: 'SendEmail' }, 'begin');
  const lost = send(first, ['bob@example.net']).catch(() => undefined);
  await taken;
  first.close();
  const second = await open(relay);
  assert.match(await send(second, ['bob@example.net']), /^250/);
  await lost;
  assert.deepEqual(received(relay), ['bob@example.net']);
  second.close();
});

test('the same words again are another message when nothing tells that they are not', async () => {
  await using relay = await testRelay();
  const client = await open(relay);
  const plain = 'From: a@example.org\r\n\r\nalarm\r\n.\r\n';
  for (let i = 0; i < 2; i++) assert.match(await send(client, ['bob@example.net'], plain), /^250/);
  assert.equal(received(relay).length, 2);
  for (const recipient of ['bob@example.net', 'bob@example.net', 'amy@example.net'])
    assert.match(await send(client, [recipient]), /^250/);
  assert.equal(received(relay).length, 4, 'a message with a Message-ID goes to each recipient once');
  client.close();
});

test('--resend-unsure: rather twice than not at all', async () => {
  await using relay = await testRelay(['--resend-unsure']);
  const client = await open(relay);
  relay.aws.fault({ service: 'ses', operation: 'SendEmail' }, { kind: 'cut', when: 'after-effect' });
  assert.match(await send(client, ['bob@example.net']), /^451/);
  assert.match(await send(client, ['bob@example.net']), /^250/);
  assert.equal(received(relay).length, 2);
  client.close();
});

test('a connection that was never made is tried again, and nothing is said to be sent', async () => {
  await using relay = await testRelay();
  const client = await open(relay);
  relay.aws.fault({ service: 'ses', operation: 'SendEmail' }, { kind: 'drop' }, Number.POSITIVE_INFINITY);
  assert.match(await send(client, ['bob@example.net']), /^451 4\.4\./);
  relay.aws.clearFaults();
  assert.match(await send(client, ['amy@example.net'], MESSAGE.replace('1@', '2@')), /^250/);
  client.close();
});
