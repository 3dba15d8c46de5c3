import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../app/program.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type TestRelay, testRelay } from './harness.ts';

/** A relay with a spool: what is answered, sent, logged and sent back. */

async function sendTo(
  { relay }: TestRelay,
  from: string,
  recipients: readonly string[],
  header = 'From: Ann <a@example.org>',
): Promise<string> {
  const client = await lineClient(relay.port);
  await client.reply();
  await client.command('EHLO client.test');
  await client.command(`MAIL FROM:<${from}>`);
  for (const recipient of recipients) await client.command(`RCPT TO:<${recipient}>`);
  await client.command('DATA');
  const reply = await client.command(`${header}\r\nSubject: news\r\n\r\nhello\r\n.`);
  client.close();
  return reply;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500 && !(await what()); i++) await new Promise((resolve) => setTimeout(resolve, 10));
  assert(await what());
}

const waiting = async ({ relay }: TestRelay): Promise<number> => {
  const text = await relay.metrics.text();
  return [...text.matchAll(/^postern_queue_recipients\{.*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
};

const entries = ({ lines }: TestRelay): unknown[] =>
  lines.map((line) => {
    const { Time: _, ...entry } = JSON.parse(line) as Record<string, unknown>;
    return entry;
  });

test('sent in calls of fifty, one log line, nothing left', async () => {
  await using folder = await scratch();
  await using relay = await testRelay(['--spool', join(folder.path, 'spool'), '-e', 'my-set']);
  relay.aws.ses.createConfigurationSet('my-set');
  const sixty = Array.from({ length: 60 }, (_, i) => `r${i}@example.net`);
  assert.match(await sendTo(relay, 'a@example.org', sixty), /^250 2\.0\.0 Ok: queued$/);
  await until(async () => relay.aws.ses.sent.length === 2 && (await waiting(relay)) === 0);
  const [first, second] = relay.aws.ses.sent;
  assert.deepEqual(
    [...(first?.recipients ?? []), ...(second?.recipients ?? [])].toSorted(),
    sixty.toSorted(),
  );
  assert.equal(first?.recipients.length, 50);
  assert.equal(first?.configurationSet, 'my-set');
  assert.match(first?.raw.toString() ?? '', /^Received: from client\.test \(unknown \[127\.0\.0\.1\]\)/);
  const [entry] = entries(relay) as { IP: string; From: string; To: string[]; Error: null }[];
  assert.deepEqual([entry?.IP, entry?.From, entry?.Error], ['127.0.0.1', 'a@example.org', null]);
  const logged = (entries(relay) as { To: string[] }[]).flatMap(({ To }) => To);
  assert.deepEqual(logged.toSorted(), sixty.toSorted());
});

test('what SES refuses for good comes back to the sender, as the sender', async () => {
  await using folder = await scratch();
  await using relay = await testRelay(['--spool', join(folder.path, 'spool')]);
  relay.aws.fault(
    { service: 'ses', operation: 'SendEmail' },
    { kind: 'status', status: 400, code: 'BadRequestException', message: 'Invalid header: it is odd' },
  );
  assert.match(await sendTo(relay, 'a@example.org', ['bob@example.net']), /^250/);
  await until(() => relay.aws.ses.sent.length === 1);
  const bounce = relay.aws.ses.sent[0];
  assert.deepEqual([bounce?.from, bounce?.recipients], ['a@example.org', ['a@example.org']]);
  const text = bounce?.raw.toString() ?? '';
  assert.match(text, /^From: .*<a@example\.org>\r$/m);
  assert.match(text, /Final-Recipient: rfc822; ?bob@example\.net/);
  assert.match(text, /Invalid header: it is odd/);
  assert.doesNotMatch(text, /postern route/);
  await until(async () => (await waiting(relay)) === 0);
  assert.deepEqual(entries(relay), [
    {
      IP: '127.0.0.1',
      From: 'a@example.org',
      To: ['bob@example.net'],
      Error:
        '550 5.6.0 SES cannot send the message as it is: SES SendEmail: Invalid header: it is odd (BadRequestException)',
    },
    { IP: '', From: '', To: ['a@example.org'], Error: null },
  ]);
});

test('a disk that is nearly full: new mail is put off, what waits is sent', async () => {
  await using folder = await scratch();
  const GiB = 1024 ** 3;
  let free = 20 * GiB;
  const space = async (): Promise<{ free: number; total: number }> => ({ free, total: 100 * GiB });
  await using relay = await testRelay(['--spool', join(folder.path, 'spool')], {}, { space });
  relay.aws.fault({ service: 'ses', operation: 'SendEmail' }, { kind: 'drop' });
  assert.match(await sendTo(relay, 'a@example.org', ['bob@example.net']), /^250/);
  free = 4 * GiB;
  relay.clock.advance(60_000);
  const mail = async (): Promise<string> => {
    const client = await lineClient(relay.relay.port);
    await client.reply();
    await client.command('EHLO client.test');
    const reply = await client.command('MAIL FROM:<a@example.org>');
    client.close();
    return reply;
  };
  await until(async () => /^postern_disk_low 1$/m.test(await relay.relay.metrics.text()));
  assert.match(await mail(), /^452 4\.3\.1 The disk here is nearly full/);
  await until(async () => {
    relay.clock.advance(60_000);
    return relay.aws.ses.sent.length === 1;
  });
  free = 20 * GiB;
  await until(async () => {
    relay.clock.advance(60_000);
    return (await mail()).startsWith('250');
  });
});

test('what does not pass now is tried again later', async () => {
  await using folder = await scratch();
  await using relay = await testRelay(['--spool', join(folder.path, 'spool')]);
  relay.aws.fault({ service: 'ses', operation: 'SendEmail' }, { kind: 'drop' });
  assert.match(await sendTo(relay, 'a@example.org', ['bob@example.net']), /^250/);
  await until(() => relay.lines.length === 1);
  assert.match(String((entries(relay)[0] as { Error: string }).Error), /^451 4\.4\./);
  assert.equal(relay.aws.ses.sent.length, 0);
  // After a minute, give or take a part of it, and not before.
  await until(async () => (await waiting(relay)) === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  relay.clock.advance(75_000);
  await until(() => relay.lines.length === 2);
  assert.equal(relay.aws.ses.sent.length, 1);
  assert.equal((entries(relay)[1] as { Error: null }).Error, null);
});

test('an empty sender becomes that of From, which -l is asked about', async () => {
  await using folder = await scratch();
  const flags = ['--spool', join(folder.path, 'spool'), '-l', '^$|^a@'];
  await using relay = await testRelay(flags);
  assert.match(await sendTo(relay, '', ['bob@example.net']), /^250/);
  assert.match(await sendTo(relay, '', ['bob@example.net'], 'From: eve@example.org'), /^550 5\.7\.1/);
  assert.match(await sendTo(relay, '', ['bob@example.net'], 'X-From: nobody'), /^550 5\.1\.7/);
  await until(() => relay.aws.ses.sent.length === 1);
  assert.equal(relay.aws.ses.sent[0]?.from, 'a@example.org');
});

test('what waited in a spool is sent by the next relay', async () => {
  await using folder = await scratch();
  const flags = ['--spool', join(folder.path, 'spool')];
  {
    await using relay = await testRelay(flags);
    relay.aws.fault({ service: 'ses' }, { kind: 'drop' }, Number.POSITIVE_INFINITY);
    assert.match(await sendTo(relay, 'a@example.org', ['bob@example.net']), /^250/);
    await until(() => relay.lines.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await using next = await testRelay(flags);
  await until(() => {
    next.clock.advance(1000);
    return next.aws.ses.sent.length === 1;
  });
  assert.deepEqual(next.aws.ses.sent[0]?.recipients, ['bob@example.net']);
});
