import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { mailbox } from '../../../test/support/flow.ts';
import { MESSAGE, openOutbound, type OutboundFixture } from '../../../test/support/outbound.ts';
import type { Outcome, Transport } from '../outbound/transport.ts';
import { createReports } from '../reports/service.ts';
import { isSesEvent, readSesEvent } from './ses-event.ts';
import { takeSesEvent } from './ses-feedback.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const REMOTE = '0102018b-aaaa-000000';

describe('what SES reports afterwards', () => {
  let out: OutboundFixture;
  let attempts: { tag: string; to: string[] }[];
  let answer: () => Partial<Outcome> & { outcome: string };

  const transport: Transport = {
    name: 'ses',
    kind: 'ses-api',
    reportsWithinMs: 15 * MINUTE,
    async attempt(work, _content, _stopping, attempt) {
      attempts.push({ tag: attempt?.tag ?? '', to: work.recipients.map(({ address }) => address) });
      const outcome = { reply: '250 ok', host: 'ses', answered: true, ...answer() } as Outcome;
      return new Map(work.recipients.map(({ id }) => [id, outcome]));
    },
    close: async () => undefined,
  };
  const taken = () => ({
    outcome: 'delivered' as const,
    success: undefined,
    tls: 'TLS',
    remoteId: REMOTE,
  });
  const lost = () => ({ outcome: 'deferred' as const, reply: '451 4.4.2 no answer', lostReply: true });

  beforeEach(async () => {
    attempts = [];
    answer = taken;
    out = await openOutbound({ only: transport });
  });
  afterEach(() => out.close());

  function event(
    kind: string,
    more: object,
    tag = attempts[0]?.tag,
  ): NonNullable<ReturnType<typeof readSesEvent>> {
    const tags = tag === undefined ? {} : { 'postern-attempt': [tag] };
    const made = {
      eventType: kind,
      mail: { messageId: REMOTE, source: 'alice@example.test', destination: ['x@far.test'], tags },
      ...more,
    };
    assert.ok(isSesEvent(made));
    return readSesEvent(made) ?? assert.fail();
  }
  const take = (one: ReturnType<typeof event>) => takeSesEvent({ deps: out.flow.deps, bounceDays: 30 }, one);
  const bounce = (type = 'Permanent') =>
    event('Bounce', {
      bounce: {
        bounceType: type,
        bounceSubType: 'General',
        reportingMTA: 'dns; a8-50.smtp-out.amazonses.com',
        bouncedRecipients: [
          { emailAddress: 'x@far.test', status: '5.1.1', diagnosticCode: 'smtp; 550 5.1.1 user unknown' },
        ],
      },
    });
  const suppressed = () =>
    out.flow.store.read.run('suppression.of', { addresses: ['X@far.test'], now: out.flow.clock.now() });

  it('a bounce reaches the mailbox of the sender, the trace of the message and the list, once', async () => {
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.equal(await take(bounce()), 'bounced');
    assert.equal(await take(bounce()), 'known');
    await out.idle();
    const [notice, more] = await mailbox(out.flow.store, out.flow.alice);
    assert.equal(more, undefined);
    assert.match(
      notice?.text ?? '',
      /Final-Recipient: rfc822; x@far\.test\r\nAction: failed\r\nStatus: 5\.1\.1/,
    );
    assert.match(notice?.text ?? '', /Diagnostic-Code: smtp; 550 5\.1\.1 user unknown/);
    assert.ok((await out.journal(id)).includes('delivery.bounced 550 5.1.1 user unknown'));
    assert.equal((await suppressed())[0]?.queueId, id);

    const again = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(again), ['failed']);
    assert.equal(attempts.length, 1, 'nothing is sent to it again');
    out.flow.clock.advance(31 * DAY);
    assert.deepEqual(await suppressed(), []);
  });

  it('a bounce that SES calls temporary is told, and mail to the address goes on', async () => {
    await out.send(['x@far.test']);
    await out.idle();
    await take(bounce('Transient'));
    await out.idle();
    assert.equal((await mailbox(out.flow.store, out.flow.alice)).length, 1);
    assert.deepEqual(await suppressed(), []);
  });

  it('a complaint holds for ever; its sender is told, but by no bounce', async () => {
    await out.send(['x@far.test']);
    await out.idle();
    const complaint = {
      complaint: { complaintFeedbackType: 'abuse', complainedRecipients: [{ emailAddress: 'x@far.test' }] },
    };
    assert.equal(await take(event('Complaint', complaint)), 'complained');
    const [entry] = await suppressed();
    assert.deepEqual([entry?.reason, entry?.until], ['complaint', undefined]);
    const [notice, more] = await mailbox(out.flow.store, out.flow.alice);
    assert.equal(more, undefined);
    assert.match(notice?.text ?? '', /Subject: Reported as spam by x@far\.test/);
  });

  it('finds the message by the id of SES where the tag is missing', async () => {
    await out.send(['x@far.test']);
    await out.idle();
    assert.equal(
      await take(event('Delivery', { delivery: { recipients: ['x@far.test'] } }, undefined)),
      'noted',
    );
    const other = { ...bounce(), tag: 'unknown', messageId: 'of-somebody-else' };
    assert.equal(await take(other), 'unknown');
    assert.deepEqual(await suppressed(), []);
  });

  it('an attempt without an answer waits for the report, and is not made again when it comes', async () => {
    answer = lost;
    const id = await out.send(['x@far.test']);
    await out.idle();
    assert.deepEqual(await out.states(id), ['queued']);
    await out.pass(10 * MINUTE);
    assert.equal(attempts.length, 1, 'it waits longer than the usual minute');
    assert.equal(await take(event('Send', {})), 'confirmed');
    await out.pass(DAY);
    assert.equal(attempts.length, 1);
    assert.deepEqual(await out.states(id), ['delivered']);
  });

  it('is made again when no report comes', async () => {
    answer = lost;
    const id = await out.send(['x@far.test']);
    await out.idle();
    answer = taken;
    await out.pass(16 * MINUTE);
    assert.equal(attempts.length, 2);
    assert.deepEqual(await out.states(id), ['delivered']);
  });

  it('a bounce that comes by mail joins the message too, when it names one that we sent there', async () => {
    const reports = createReports({
      deps: () => out.flow.deps,
      settings: () => ({ dmarc: false, tls: false, optOut: [] }),
      metrics: out.flow.metrics,
      generator: 'Postern test',
    });
    out.flow.deps = { ...out.flow.deps, reports: reports.hooks };
    const id = await out.send(['x@far.test'], `Message-ID: <one@example.test>\r\n${MESSAGE}`);
    await out.idle();
    const dsn = (final: string, messageId: string): string =>
      [
        'From: mailer-daemon@far.test',
        'Subject: Undelivered',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        '',
        '--b',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; mx.far.test',
        '',
        `Final-Recipient: rfc822; ${final}`,
        'Action: failed',
        'Status: 5.1.1',
        'Diagnostic-Code: smtp; 550 5.1.1 no such user',
        '',
        '--b',
        'Content-Type: text/rfc822-headers',
        '',
        `Message-ID: <${messageId}>`,
        '',
        '--b--',
        '',
      ].join('\r\n');
    await out.receive(['alice@example.test'], dsn('stranger@far.test', 'one@example.test'), '');
    await out.receive(['alice@example.test'], dsn('x@far.test', 'other@example.test'), '');
    await reports.idle();
    assert.deepEqual(await suppressed(), [], 'forged ones change nothing');
    await out.receive(['alice@example.test'], dsn('x@far.test', 'one@example.test'), '');
    await reports.idle();
    assert.equal((await suppressed())[0]?.source, 'dsn');
    assert.ok((await out.journal(id)).some((line) => line.startsWith('delivery.bounced 550 5.1.1 no such')));
    await reports.stop();
  });
});
