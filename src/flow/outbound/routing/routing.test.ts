import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MESSAGE, openOutbound, type OutboundFixture } from '../../../../test/support/outbound.ts';
import { type SmtpPeer, startSmtpPeer } from '../../../../test/support/smtp-peer.ts';
import { mailbox } from '../../../../test/support/flow.ts';
import type { Outcome } from '../transport.ts';
import { causeOf } from './classify.ts';
import { mayCure } from './cure.ts';
import { routingSettingsSchema } from './settings.ts';

const actor = { name: 'test', role: 'system', domainId: undefined } as const;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function refusal(reply: string, answered: boolean | undefined = true): Outcome {
  const by = { reply, host: 'mx', answered };
  if (reply.startsWith('5')) return { outcome: 'failed', status: '5.0.0', ...by };
  return { outcome: 'deferred', lostReply: false, ...by };
}

describe('the cause of a refusal', () => {
  // Words of large providers and common servers, as they are met in the field.
  const cases: readonly [string, string][] = [
    [
      '550 5.7.1 Unfortunately, messages from [192.0.2.1] weren’t sent. Please contact your Internet service provider since part of their network is on our block list (S3140).',
      'reputation',
    ],
    [
      '550 5.7.1 [192.0.2.1] The IP you’re using to send mail is not authorized to send email directly to our servers.',
      'reputation',
    ],
    [
      '550-5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup',
      'reputation',
    ],
    ['554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org', 'reputation'],
    [
      '421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints',
      'reputation',
    ],
    [
      '450 4.2.0 <a@b.test>: Recipient address rejected: Greylisted, see http://postgrey.example',
      'greylisted',
    ],
    [
      '421 4.7.28 Our system has detected an unusual rate of unsolicited mail originating from your IP address',
      'rate',
    ],
    ['451 4.3.2 Please slow down', 'rate'],
    ['421 Too many concurrent SMTP connections; please try again later.', 'rate'],
    [
      '550 5.1.1 <nobody@b.test>: Recipient address rejected: User unknown in virtual mailbox table',
      'recipient',
    ],
    ['550 5.1.1 The email account that you tried to reach does not exist', 'recipient'],
    ['452 4.2.2 The email account that you tried to reach is over quota', 'recipient'],
    ['550 5.7.1 Message content rejected, looks like spam', 'content'],
    ['554 5.7.1 Virus found in message', 'content'],
    ['552 5.3.4 Message size exceeds fixed limit', 'size'],
    ['552 message too large', 'size'],
    [
      '554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: x@y.test',
      'sender',
    ],
    ['454 Throttling failure: Daily message quota exceeded.', 'quota'],
    ['454 Throttling failure: Maximum sending rate exceeded.', 'rate'],
    ['535 5.7.8 Authentication credentials invalid', 'auth'],
    ['530 5.7.0 Must issue a STARTTLS command first', 'tls'],
    ['550 5.7.1 Access denied', 'policy'],
    ['550 no', 'policy'],
  ];
  for (const [reply, cause] of cases) {
    it(`${cause}: ${reply.slice(0, 60)}`, () => assert.equal(causeOf(refusal(reply)), cause));
  }

  it('what nobody answered is told by our own code', () => {
    assert.equal(causeOf(refusal('451 4.4.1 connection refused', false)), 'network');
    assert.equal(causeOf(refusal('550 5.1.2 The domain far.test does not exist', false)), 'recipient');
    assert.equal(causeOf(refusal('451 4.3.0 The attempt failed here', false)), 'ours');
  });

  it('takes no longer for a long reply', () => {
    assert.equal(causeOf(refusal(`550 ${'is '.repeat(200_000)}spamhaus`)), 'policy');
  });
});

describe('what another way may cure', () => {
  const direct = { name: 'direct', kind: 'direct' } as const;
  const ses = { name: 'ses', kind: 'ses-api' } as const;
  const sesSmtp = { name: 'ses2', kind: 'ses-smtp' } as const;
  const relay = { name: 'relay', kind: 'relay' } as const;
  const about = { attempts: 0, worksElsewhere: false, requireTls: false };

  it('an address that is listed, not a message that is refused nor a mailbox that is not there', () => {
    assert.equal(mayCure('reputation', direct, ses, about), true);
    for (const cause of ['content', 'recipient', 'policy', 'greylisted', 'message', 'ours'] as const)
      assert.equal(mayCure(cause, direct, ses, about), false, cause);
  });

  it('SES by its API is no cure for what SES by SMTP was refused for', () => {
    assert.equal(mayCure('quota', sesSmtp, ses, about), false);
    assert.equal(mayCure('sender', ses, relay, about), true);
  });

  it('a policy that demands TLS is not walked around', () => {
    assert.equal(mayCure('tls', direct, ses, about), false);
    assert.equal(mayCure('tls', relay, direct, about), true);
    assert.equal(mayCure('tls', relay, direct, { ...about, requireTls: true }), false);
  });

  it('a host that is down while others answer is waited for once', () => {
    assert.equal(mayCure('network', direct, ses, { ...about, worksElsewhere: true }), false);
    assert.equal(mayCure('network', direct, ses, { ...about, worksElsewhere: true, attempts: 1 }), true);
    assert.equal(mayCure('network', direct, ses, about), true);
  });
});

describe('mail that has two ways', () => {
  let out: OutboundFixture;
  let mx: SmtpPeer;
  let second: SmtpPeer;

  async function configure(settings: object): Promise<void> {
    const whole = {
      transports: { second: { kind: 'relay', host: '127.0.0.1', port: second.port, tls: 'none' } },
      routes: [{ name: 'both', transports: ['direct', 'second'] }],
      ...settings,
    };
    routingSettingsSchema.parse(whole);
    const json = JSON.stringify(whole);
    await out.flow.store.write.run('routing.saveSettings', { actor, json, what: 'test' });
    await out.scheduler.ways.settings(true);
  }

  beforeEach(async () => {
    mx = await startSmtpPeer();
    second = await startSmtpPeer();
    out = await openOutbound({ port: mx.port });
    await configure({});
  });
  afterEach(async () => {
    await out.close();
    await mx.close();
    await second.close();
  });

  const LISTED = '550 5.7.1 Client host blocked using zen.spamhaus.org';
  const refused = () => out.flow.store.read.run('routing.allRefusals', null);

  it('goes directly while that works', async () => {
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['delivered']);
    assert.equal(second.transactions.length, 0);
  });

  it('takes the other when our address is listed there, remembers it, and probes the first again later', async () => {
    mx.options.script = { RCPT: () => LISTED };
    const first = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(first), ['delivered']);
    assert.equal(second.transactions.length, 1);
    const [entry] = await refused();
    assert.deepEqual([entry?.way, entry?.destination, entry?.cause], ['direct', 'far.test', 'reputation']);
    const rows = await out.flow.store.read.run('journal.byTrace', { trace: first });
    const done = rows.find(({ kind }) => kind === 'delivery.delivered')?.data;
    assert.equal(done?.['transport'], 'second');
    assert.equal(done?.['route'], 'both');
    assert.match(String(done?.['before']), /^direct: reputation: 550 5\.7\.1 .*spamhaus/);

    const tries = mx.connections();
    await out.send(['y@far.test']);
    await out.idle();
    assert.equal(mx.connections(), tries, 'the refused way is not asked again so soon');
    assert.equal(second.transactions.length, 2);

    mx.options.script = {};
    await out.pass(61 * MINUTE);
    await out.send(['z@far.test']);
    await out.idle();
    assert.equal(second.transactions.length, 2, 'after the time the first way is probed, and works');
    assert.deepEqual(await refused(), []);
  });

  it('doubles the wait while the probe fails', async () => {
    mx.options.script = { RCPT: () => LISTED };
    await out.send(['x@far.test']);
    await out.idle();
    await out.pass(61 * MINUTE);
    await out.send(['y@far.test']);
    await out.idle();
    const [entry] = await refused();
    assert.equal(entry?.failures, 2);
    assert.equal((entry?.until ?? 0) - out.flow.clock.now(), 2 * HOUR);
  });

  it('gives the second way those recipients alone whom it may help', async () => {
    mx.options.script = {
      RCPT: (argument) =>
        argument.includes('gone@')
          ? '550 5.1.1 no such user'
          : argument.includes('listed@')
            ? LISTED
            : undefined,
    };
    const id = await out.send(['good@far.test', 'gone@far.test', 'listed@far.test']);
    await out.idle();
    assert.deepEqual(
      (await out.entry(id)).recipients.map(({ address, state }) => `${address} ${state}`),
      ['good@far.test delivered', 'gone@far.test failed', 'listed@far.test delivered'],
    );
    assert.deepEqual(
      mx.transactions.map(({ to }) => to),
      [['good@far.test']],
    );
    assert.deepEqual(
      second.transactions.map(({ to }) => to),
      [['listed@far.test']],
    );
  });

  it('what went by the first way is settled before the second is tried', async () => {
    mx.options.script = { RCPT: (argument) => (argument.includes('listed@') ? LISTED : undefined) };
    second.options.script = { RCPT: { do: 'delay', ms: 150, reply: '250 2.1.5 ok' } };
    const id = await out.send(['good@far.test', 'listed@far.test']);
    for (let i = 0; i < 100 && second.commands.every((line) => !line.startsWith('RCPT')); i++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const stateThen = await out.states(id);
    await out.idle();
    assert.deepEqual(stateThen, ['delivered', 'leased']);
    assert.deepEqual(await out.states(id), ['delivered', 'delivered']);
  });

  it('is not offered elsewhere when the message is refused for what it says', async () => {
    mx.options.script = { BODY: () => '550 5.7.1 Message content rejected as spam' };
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['failed']);
    assert.equal(second.transactions.length, 0);
  });

  it('is never given to a second way when the first may have taken it', async () => {
    mx.options.script = { BODY: [{ do: 'close' }] };
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['queued']);
    assert.equal(second.transactions.length, 0);
  });

  it('waits when both ways refuse and one of them may take it later', async () => {
    mx.options.script = { RCPT: () => LISTED };
    second.options.script = { MAIL: () => '451 4.3.2 slow down' };
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['queued']);
    second.options.script = {};
    await out.pass(6 * MINUTE);
    assert.deepEqual(await out.states(id), ['delivered']);
  });

  it('comes back when every way refuses it for good', async () => {
    mx.options.script = { RCPT: () => LISTED };
    second.options.script = { RCPT: () => '550 5.1.1 no such user' };
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['failed']);
    const [bounce] = await mailbox(out.flow.store, out.flow.alice);
    assert.match(bounce?.text ?? '', /550 5\.1\.1 no such user/);
  });

  it('a port 25 that is closed to everybody is noticed after three destinations', async () => {
    await mx.close();
    for (const domain of ['far.test', 'b.test', 'c.test']) {
      out.flow.zone[domain] = { MX: [{ preference: 10, exchange: 'mx.far.test' }] };
      const id = await out.send([`x@${domain}`]);
      await out.idle();
      assert.deepEqual(await out.states(id), ['delivered'], domain);
    }
    const [entry] = await refused();
    assert.deepEqual([entry?.way, entry?.destination, entry?.cause], ['direct', '*', 'network']);
    assert.equal(second.transactions.length, 3);
  });

  it('a cap moves mail to the next way, and without one it waits until tomorrow', async () => {
    const capped = { kind: 'relay', host: '127.0.0.1', port: second.port, tls: 'none' };
    await configure({
      transports: { second: { ...capped, caps: { recipients_per_day: 1 } } },
      routes: [{ name: 'paid', transports: ['second', 'direct'] }],
    });
    await out.send(['x@far.test']);
    await out.idle();
    await out.send(['y@far.test']);
    await out.idle();
    assert.deepEqual([second.transactions.length, mx.transactions.length], [1, 1]);
    await configure({
      transports: { second: { ...capped, caps: { recipients_per_day: 1 } } },
      routes: [{ name: 'paid', transports: ['second'] }],
    });
    const id = await out.send(['z@far.test']);
    await out.idle();
    const [waiting] = (await out.entry(id)).recipients;
    assert.equal(waiting?.state, 'queued');
    assert.match(waiting?.lastReply ?? '', /second: its 1 recipients a day are used up/);
    await out.pass(24 * HOUR);
    assert.deepEqual(await out.states(id), ['delivered']);
  });

  it('routes choose by sender, account, recipient, field and size; the first that matches is taken', async () => {
    await configure({
      routes: [
        { name: 'big', match: { min_size: 5000 }, transports: ['second'] },
        {
          name: 'lists',
          match: { headers: [{ name: 'List-Id', contains: 'NEWS' }] },
          transports: ['second'],
        },
        {
          name: 'there',
          match: { recipient_domains: ['.test'], accounts: ['bob@example.test'] },
          transports: ['second'],
        },
        { name: 'else', match: { sender_domains: ['example.test'] }, transports: ['direct'] },
      ],
    });
    await out.send(['plain@far.test']);
    await out.send(['list@far.test'], `List-Id: <news.example.test>\r\n${MESSAGE}`);
    await out.send(['big@far.test'], MESSAGE + `${'y'.repeat(70)}\r\n`.repeat(90));
    await out.idle();
    assert.deepEqual(
      mx.transactions.map(({ to }) => to[0]),
      ['plain@far.test'],
    );
    assert.deepEqual(second.transactions.map(({ to }) => to[0]).toSorted(), [
      'big@far.test',
      'list@far.test',
    ]);
  });

  it('an address on the suppression list comes back at once, with the reason and without an attempt', async () => {
    const entry = {
      address: 'Gone@far.test',
      reason: 'bounce',
      source: 'ses',
      detail: '550 no such user',
    } as const;
    await out.flow.store.write.run('suppression.add', {
      entries: [{ ...entry, queueId: undefined, accountId: undefined, until: undefined }],
      events: [],
    });
    const id = await out.send(['gone@far.test', 'here@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['failed', 'delivered']);
    assert.deepEqual(
      mx.transactions.map(({ to }) => to),
      [['here@far.test']],
    );
    const [bounce] = await mailbox(out.flow.store, out.flow.alice);
    assert.match(bounce?.text ?? '', /suppression list since[\s\S]*mail to it came back/);
  });
});
