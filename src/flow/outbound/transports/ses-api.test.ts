import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { startAws } from '../../../../test/support/aws/emulator.ts';
import type { AwsEmulator, SesSettings } from '../../../../test/support/aws/types.ts';
import { openOutbound, type OutboundFixture } from '../../../../test/support/outbound.ts';
import { lines, session, transact } from '../../../../test/support/flow.ts';
import { readHeader } from '../../../mail/message/headers.ts';
import { createAws } from '../../../net/aws/client.ts';

import { createScheduler, type Scheduler } from '../scheduler.ts';
import { transportSchema, type SesApiSettings } from '../routing/settings.ts';
import { createWays } from '../routing/ways.ts';
import type { QueueMessage, QueueRecipient } from '../../../data/queue/types.ts';
import { createInbound } from '../../inbound/service.ts';
import type { MessageContent, Transport } from '../transport.ts';
import { createSesApi } from './ses-api.ts';

let aws: AwsEmulator;
let out: OutboundFixture;
let transport: Transport | undefined;
let scheduler: Scheduler | undefined;

beforeEach(async () => {
  aws = await startAws({ ses: { identities: ['example.test'] } });
  out = await openOutbound({ start: false });
});
afterEach(async () => {
  assert.deepEqual(aws.violations, []);
  await scheduler?.stop(0);
  await transport?.close();
  await out.close();
  await aws.close();
  scheduler = transport = undefined;
});

/** All mail goes by SES from now on. */
async function bySes(
  more: Partial<SesApiSettings> = {},
  account: Partial<SesSettings> = {},
): Promise<Transport> {
  Object.assign(aws.ses, account);
  const { region, endpoint } = aws.settings;
  const settings = transportSchema.parse({ kind: 'ses-api', region, endpoint, ...more }) as SesApiSettings;
  const deps = () => out.flow.deps;
  const client = createAws(aws.settings, { clock: out.flow.clock });
  transport = createSesApi(deps, 'amazon', settings, { aws: client });
  const ways = createWays({ deps, only: transport, build: () => undefined });
  scheduler = createScheduler({ deps, owner: 'ses', ways });
  await scheduler.start();
  return transport;
}

const MANY = Array.from({ length: 60 }, (_, i) => `r${i}@far.test`);
const sentTo = (): string[] => aws.ses.sent.flatMap(({ recipients }) => recipients);
const calls = (): number => aws.calls.filter(({ operation }) => operation.startsWith('Send')).length;

/** Work as the queue gives it, for what needs no queue. */
function work(recipients: readonly string[], more: Partial<QueueMessage> = {}) {
  const message = {
    id: 1,
    queueId: 'q',
    trace: 't',
    reversePath: 'alice@example.test',
    requireTls: false,
    body: '8BITMIME',
    smtputf8: false,
    originated: true,
    ...more,
  } as QueueMessage;
  return {
    message,
    destination: 'far.test',
    recipients: recipients.map((address, id) => ({ id, address, notify: '' }) as QueueRecipient),
  };
}
function content(text: string | Buffer): MessageContent {
  const octets = Buffer.from(text);
  return {
    size: octets.length,
    async *open() {
      yield octets;
    },
  };
}
const TEXT = lines('From: Alice <alice@example.test>', 'To: you@far.test', 'Subject: hi', '', 'Hello');
const go = new AbortController().signal;

function headersOf(raw: Buffer | undefined): Record<string, string[]> {
  const header = readHeader(raw ?? Buffer.alloc(0));
  const found: Record<string, string[]> = {};
  for (const field of header.fields) (found[field.name] ??= []).push(header.value(field));
  return found;
}

describe('mail by SES’s API', () => {
  for (const version of [1, 2] as const) {
    it(`version ${version}: arrives, with its id kept, tags and configuration set`, async () => {
      aws.ses.createConfigurationSet('main');
      const ses = await bySes({ version, configuration_set: 'main', tags: { site: 'one' } });
      assert.equal(ses.maxBytes, (version === 1 ? 10 : 40) * 1024 * 1024);
      assert.ok((ses.reportsWithinMs ?? 0) > 0);
      const found = await ses.attempt(work(['x@far.test']), content(TEXT), go, { tag: 'attempt-1' });
      const [sent] = aws.ses.sent;
      assert.ok(sent);
      assert.equal(sent.api, version);
      assert.equal(sent.raw.toString(), TEXT);
      assert.equal(sent.from, 'alice@example.test');
      assert.equal(sent.configurationSet, 'main');
      assert.deepEqual({ ...sent.tags }, { site: 'one', 'postern-attempt': 'attempt-1' });
      assert.deepEqual(found.get(0), {
        outcome: 'delivered',
        reply: `250 2.0.0 Ok ${sent.messageId}`,
        host: 'SES eu-west-1',
        answered: true,
        success: 'relayed',
        tls: 'plain',
        remoteId: sent.messageId,
      });
    });
  }

  it('through the queue: sixty recipients in two calls, each once', async () => {
    await bySes();
    const id = await out.send(MANY);
    await out.idle();
    assert.deepEqual(new Set(await out.states(id)), new Set(['delivered']));
    assert.deepEqual(sentTo().toSorted(), MANY.toSorted());
    assert.deepEqual(
      aws.ses.sent.map(({ recipients }) => recipients.length).toSorted((a, b) => a - b),
      [10, 50],
    );
    assert.match(aws.ses.sent[0]?.raw.toString() ?? '', /^\.dot/m);
  });

  it('a split that fails midway keeps what was sent, and the queue sends the rest alone', async () => {
    await bySes();
    aws.fault(
      { service: 'ses', operation: 'SendEmail', skip: 1 },
      { kind: 'status', status: 503, code: 'ServiceUnavailable' },
    );
    const id = await out.send(MANY);
    await out.idle();
    assert.equal((await out.states(id)).filter((state) => state === 'delivered').length, 50);
    await out.pass(3_600_000);
    assert.deepEqual(new Set(await out.states(id)), new Set(['delivered']));
    assert.deepEqual(sentTo().toSorted(), MANY.toSorted());
  });

  it('an answer that was cut off is not asked for again here, and counts as unsure', async () => {
    const ses = await bySes();
    aws.fault({ service: 'ses', operation: 'SendEmail' }, { kind: 'cut', when: 'after-effect' });
    const found = await ses.attempt(work(['x@far.test']), content(TEXT), go);
    const told = found.get(0);
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.lostReply, true);
    assert.equal(told.cause, 'network');
    assert.match(told.reply, /^451 4\.4\.2 .*may have been sent/);
    assert.equal(calls(), 1);
    assert.equal(aws.ses.sent.length, 1);
  });

  it('nobody there: nothing was sent, so nothing is unsure', async () => {
    const ses = await bySes();
    await ses.attempt(work(['x@far.test']), content(TEXT), go);
    await aws.close();
    const told = (await ses.attempt(work(['x@far.test']), content(TEXT), go)).get(0);
    aws = await startAws({ ses: { identities: ['example.test'] } });
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.lostReply, false);
    assert.equal(told.cause, 'network');
  });

  it('a store that cannot be read keeps the mail: it never bounces for that', async () => {
    const ses = await bySes();
    let opened = 0;
    const broken: MessageContent = {
      size: TEXT.length,
      async *open() {
        yield Buffer.from(TEXT.slice(0, 40));
        if (++opened > 1) throw new Error('the disk is gone');
        yield Buffer.from(TEXT.slice(40));
      },
    };
    const told = (await ses.attempt(work(['x@far.test']), broken, go)).get(0);
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.lostReply, false);
    assert.match(told.reply, /disk is gone/);
    assert.equal(calls(), 0);
  });

  it('39 MB go, more is told before anything is tried', async () => {
    const ses = await bySes();
    const big = (octets: number): MessageContent => {
      const piece = Buffer.alloc(64 * 1024, 'x'.repeat(70) + '\r\n');
      return {
        size: TEXT.length + octets,
        async *open() {
          yield Buffer.from(TEXT);
          for (let left = octets; left > 0; left -= piece.length) yield piece.subarray(0, left);
        },
      };
    };
    const fits = await ses.attempt(work(['x@far.test']), big(39 * 1024 * 1024), go);
    assert.equal(fits.get(0)?.outcome, 'delivered');
    assert.equal(aws.ses.sent[0]?.size, TEXT.length + 39 * 1024 * 1024);
    const tooLarge = (await ses.attempt(work(['x@far.test']), big(41 * 1024 * 1024), go)).get(0);
    assert.ok(tooLarge?.outcome === 'failed');
    assert.equal(tooLarge.cause, 'size');
    assert.match(tooLarge.reply, /^550 5\.3\.4 .*41 MB; SES takes 40 by this API/);
    assert.equal(calls(), 1);
  });
});

describe('what SES refuses', () => {
  it('throttling waits and slows down; nobody is lost', async () => {
    const ses = await bySes();
    aws.fault(
      { service: 'ses', operation: 'SendEmail' },
      {
        kind: 'status',
        status: 429,
        code: 'TooManyRequestsException',
        message: 'Maximum sending rate exceeded.',
      },
    );
    const told = (await ses.attempt(work(['x@far.test']), content(TEXT), go)).get(0);
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.cause, 'rate');
    assert.ok((told.pauseMs ?? 0) >= 1000);
  });

  it('the day’s allowance: what SES says, and what the account says before anything is tried', async () => {
    const ses = await bySes({}, { max24HourSend: 5, sentLast24Hours: 0 });
    assert.equal(
      (await ses.attempt(work(['a@far.test', 'b@far.test']), content(TEXT), go)).get(0)?.outcome,
      'delivered',
    );
    const before = calls();
    const told = (await ses.attempt(work(MANY.slice(0, 4)), content(TEXT), go)).get(0);
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.cause, 'quota');
    assert.ok((told.pauseMs ?? 0) >= 60_000);
    assert.equal(calls(), before);
    // Somebody else used it up meanwhile.
    aws.fault(
      { service: 'ses', operation: 'SendEmail' },
      {
        kind: 'status',
        status: 429,
        code: 'TooManyRequestsException',
        message: 'Daily message quota exceeded.',
      },
    );
    const late = (await ses.attempt(work(['c@far.test']), content(TEXT), go)).get(0);
    assert.equal(late?.cause, 'quota');
  });

  it('the sandbox is named, and verified recipients get their mail', async () => {
    aws.ses.verify('friend@far.test');
    const ses = await bySes({}, { production: false });
    const found = await ses.attempt(work(['x@far.test', 'friend@far.test']), content(TEXT), go);
    const refused = found.get(0);
    assert.ok(refused?.outcome === 'failed');
    assert.equal(refused.cause, 'sender');
    assert.match(
      refused.reply,
      /SES in eu-west-1 is still in the sandbox: it sends to verified addresses only; ask for production access/,
    );
    assert.equal(found.get(1)?.outcome, 'delivered');
    assert.deepEqual(sentTo(), ['friend@far.test']);
  });

  it('an account that is paused or shut down is told of without a try', async () => {
    const ses = await bySes({}, { sendingEnabled: false });
    const told = (await ses.attempt(work(['x@far.test']), content(TEXT), go)).get(0);
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.cause, 'auth');
    assert.match(told.reply, /sending is paused.*eu-west-1/);
    Object.assign(aws.ses, { sendingEnabled: true, enforcement: 'SHUTDOWN' });
    out.flow.clock.advance(100_000);
    const shut = (await ses.attempt(work(['x@far.test']), content(TEXT), go)).get(0);
    assert.match(shut?.reply ?? '', /shut down/);
    assert.equal(calls(), 0);
  });

  it('a configuration set that is missing defers with the remedy', async () => {
    const ses = await bySes({ configuration_set: 'nowhere' });
    const told = (await ses.attempt(work(['x@far.test']), content(TEXT), go)).get(0);
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.cause, 'ours');
    assert.match(told.reply, /no configuration set "nowhere"; create it/);
  });

  it('one bad address does not keep the others’ mail', async () => {
    const ses = await bySes();
    const match = { service: 'ses', operation: 'SendEmail', key: /.*/ } as const;
    // Whatever call has it is refused whole, without saying which it was: the emulator sees the first recipient alone.
    aws.fault(
      { ...match, key: 'a@far.test' },
      {
        kind: 'status',
        status: 400,
        code: 'BadRequestException',
        message: 'Local address contains control or whitespace',
      },
      3,
    );
    const found = await ses.attempt(work(['a@far.test', 'b@far.test', 'c@far.test']), content(TEXT), go);
    const bad = found.get(0);
    assert.ok(bad?.outcome === 'failed');
    assert.equal(bad.status, '5.1.3');
    assert.equal(found.get(1)?.outcome, 'delivered');
    assert.equal(found.get(2)?.outcome, 'delivered');
    assert.deepEqual(sentTo().toSorted(), ['b@far.test', 'c@far.test']);
  });

  it('wrong keys defer, and say so', async () => {
    const { region, endpoint } = aws.settings;
    const credentials = { accessKeyId: 'AKIANOSUCHKEY0000000', secretAccessKey: 'x' };
    const client = createAws({ region, endpoint, credentials }, { clock: out.flow.clock });
    const settings = transportSchema.parse({ kind: 'ses-api', region, endpoint }) as SesApiSettings;
    transport = createSesApi(() => out.flow.deps, 'amazon', settings, { aws: client });
    const told = (await transport.attempt(work(['x@far.test']), content(TEXT), go)).get(0);
    assert.ok(told?.outcome === 'deferred');
    assert.equal(told.cause, 'auth');
    client.close();
  });

  it('addresses and messages that SES cannot know are told apart from those of nobody', async () => {
    const ses = await bySes();
    const found = await ses.attempt(work(['grüße@far.test', 'x@bücher.test']), content(TEXT), go);
    assert.equal(found.get(0)?.cause, 'sender');
    assert.equal(found.get(1)?.outcome, 'delivered');
    assert.deepEqual(sentTo(), ['x@xn--bcher-kva.test']);
  });
});

const facts = (
  from: string,
  more: Partial<QueueMessage> = {},
  fields: { name: string; value: string }[] = [],
) => ({
  message: work([], more).message,
  account: undefined,
  fields: [{ name: 'from', value: from }, ...fields],
  from: [from],
});

describe('who may send by SES', () => {
  it('identities and domains below them, by From, Sender and envelope; the rest is told before a try', async () => {
    const ses = await bySes();
    const objection = async (...args: Parameters<typeof facts>) =>
      (await ses.objection?.(facts(...args)))?.reason;
    assert.equal(await objection('alice@example.test'), undefined);
    assert.equal(await objection('alice@news.example.test'), undefined);
    assert.match(
      (await objection('joe@shop.test')) ?? '',
      /SES in eu-west-1 does not send for joe@shop\.test: verify the domain shop\.test/,
    );
    assert.match(
      (await objection('alice@example.test', { reversePath: 'x@shop.test' })) ?? '',
      /x@shop\.test/,
    );
    const sender = [{ name: 'sender', value: 'List <list@lists.test>' }];
    assert.match((await objection('alice@example.test', {}, sender)) ?? '', /list@lists\.test/);
    assert.match((await objection('alice@example.test', { requireTls: true })) ?? '', /REQUIRETLS/);
    const asked = aws.calls.filter(({ operation }) => operation === 'ListEmailIdentities').length;
    assert.equal(asked, 1);
  });

  it('a refusal by SES itself says what to verify', async () => {
    const ses = await bySes({ identities: ['shop.test', 'example.test'] });
    const told = (
      await ses.attempt(
        work(['x@far.test']),
        content(TEXT.replace('alice@example.test', 'joe@shop.test')),
        go,
      )
    ).get(0);
    assert.ok(told?.outcome === 'failed');
    assert.equal(told.cause, 'sender');
    assert.match(
      told.reply,
      /^550 5\.7\.1 SES in eu-west-1 does not send for joe@shop\.test: verify the domain/,
    );
  });

  it('identities of another account come by ARN', async () => {
    const arn = 'arn:aws:ses:eu-west-1:210987654321:identity/partner.test';
    const ses = await bySes({ source_arn: arn });
    assert.equal(
      await ses.objection?.(facts('joe@partner.test', { reversePath: 'joe@partner.test' })),
      undefined,
    );
    await ses.attempt(work(['x@far.test']), content(TEXT), go);
    assert.equal(aws.ses.sent[0]?.fromArn, undefined);
    const theirs = TEXT.replace('alice@example.test', 'joe@partner.test');
    const found = await ses.attempt(
      work(['x@far.test'], { reversePath: 'joe@partner.test' }),
      content(theirs),
      go,
    );
    assert.equal(found.get(0)?.outcome, 'delivered');
    assert.equal(aws.ses.sent[1]?.fromArn, arn);
    assert.equal(aws.ses.sent[1]?.returnPathArn, arn);
  });

  it('a notification with the null reverse-path leaves under an address of ours that nobody answers', async () => {
    const ses = await bySes();
    const dsn = lines('From: mailer-daemon@example.test', 'To: x@far.test', '', 'sorry');
    const found = await ses.attempt(work(['x@far.test'], { reversePath: '' }), content(dsn), go);
    assert.equal(found.get(0)?.outcome, 'delivered');
    const from = aws.ses.sent[0]?.from ?? '';
    assert.match(from, /^SRST=[a-z2-7]{6}=[a-z2-7]{2}=0@example\.test$/);
    // What comes back to it is taken and gone, from anybody.
    const inbound = createInbound(() => out.flow.deps, 'smtp');
    for (const sender of ['', 'MAILER-DAEMON@amazonses.com']) {
      const done = await transact(
        inbound,
        session(),
        sender,
        [from],
        lines('From: m@amazonses.com', '', 'bounce'),
      );
      assert.equal(done.refused.size, 0);
      assert.match(JSON.stringify(done.reply), /250/);
    }
    const counts = await out.flow.store.read.run('queue.counts', null);
    assert.ok(counts.every(({ count }) => count === 0));
  });

  it('a forward of others’ mail does not go by SES unless From may be ours', async () => {
    await bySes();
    await out.flow.addAlias('list@example.test', 'x@far.test');
    const id = await out.receive(['list@example.test']);
    await out.idle();
    const told = (await out.journal(id)).join('\n');
    assert.match(told, /delivery\.failed .*SES in eu-west-1 does not send for carol@sender\.test/);
    assert.equal(aws.ses.sent.length, 0);
  });

  it('with foreign_from = rewrite it goes under an address of ours, and answers go to the author', async () => {
    await bySes({ foreign_from: 'rewrite' });
    await out.flow.addAlias('list@example.test', 'x@far.test');
    const id = await out.receive(
      ['list@example.test'],
      lines(
        'From: Carol <carol@sender.test>',
        'To: list@example.test',
        'X-SES-CONFIGURATION-SET: evil',
        'Bcc: z@y.test',
        '',
        'Body',
      ),
    );
    await out.idle();
    assert.match((await out.journal(id)).join('\n'), /delivery\.succeeded|delivered/);
    const [sent] = aws.ses.sent;
    assert.match(sent?.from ?? '', /^SRS0=.*=sender\.test=carol@example\.test$/);
    const header = headersOf(sent?.raw);
    assert.deepEqual(header['from'], ['"Carol via example.test" <postmaster@example.test>']);
    assert.deepEqual(header['reply-to'], ['Carol <carol@sender.test>']);
    assert.deepEqual(header['x-original-from'], ['Carol <carol@sender.test>']);
    assert.equal(header['x-ses-configuration-set'], undefined);
    assert.equal(header['bcc'], undefined);
    assert.equal(sent?.configurationSet, undefined);
  });

  it('where the identities cannot be asked for, SES itself judges', async () => {
    const denied = { kind: 'status', status: 403, code: 'AccessDeniedException' } as const;
    aws.fault({ service: 'ses', operation: ['ListEmailIdentities', 'GetAccount'] }, denied, Infinity);
    const ses = await bySes();
    assert.equal(await ses.objection?.(facts('joe@shop.test')), undefined);
    const found = await ses.attempt(work(['x@far.test']), content(TEXT), go);
    assert.equal(found.get(0)?.outcome, 'delivered');
  });
});
