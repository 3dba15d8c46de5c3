import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type TestClock, testClock } from '../support/clock.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startTestServer, type TestServer, type TestServerOptions } from '../support/server.ts';
import { type Answer, type Args, jmapClient, type JmapClient, mailboxes } from './client.ts';

const DAY = 24 * 3600;

interface Place {
  readonly server: TestServer;
  readonly clock: TestClock;
  readonly bob: JmapClient;
  readonly alice: JmapClient;
  readonly box: Record<string, string>;
}

async function open(
  more: Partial<TestServerOptions> = {},
  clock = testClock(undefined, 60_000),
): Promise<Place> {
  const server = await startTestServer({ clock, ...more });
  const bob = await jmapClient(server, 'bob@example.test');
  const alice = await jmapClient(server, 'alice@example.test');
  return { server, clock, bob, alice, box: await mailboxes(bob) };
}

/** A draft of bob's to alice. */
async function draft({ bob, box }: Place, subject: string): Promise<string> {
  const { created } = await bob.call('Email/set', {
    create: {
      d: {
        mailboxIds: { [box['drafts'] ?? '']: true },
        keywords: { $draft: true },
        subject,
        from: [{ email: 'bob@example.test' }],
        to: [{ email: 'alice@example.test' }],
        textBody: [{ partId: '1' }],
        bodyValues: { 1: { value: 'hi' } },
      },
    },
  });
  return created.d.id as string;
}

function envelope(parameters: Args | null, to = 'alice@example.test'): Args {
  return { mailFrom: { email: 'bob@example.test', parameters }, rcptTo: [{ email: to, parameters: null }] };
}

async function submit(
  place: Place,
  subject: string,
  parameters: Args | null,
  more: Args = {},
): Promise<Answer> {
  const emailId = await draft(place, subject);
  const answer = await place.bob.call('EmailSubmission/set', {
    create: { s: { identityId: 'I0', emailId, envelope: envelope(parameters) } },
    ...more,
  });
  return { ...(answer['created']?.s ?? answer['notCreated'].s), emailId } as Answer;
}

async function submission({ bob }: Place, id: string): Promise<Answer> {
  return (await bob.call('EmailSubmission/get', { ids: [id] }))['list'][0] as Answer;
}

async function cancel({ bob }: Place, id: string, more: Args = {}): Promise<Answer> {
  return bob.call('EmailSubmission/set', { update: { [id]: { undoStatus: 'canceled' } }, ...more });
}

async function arrived({ alice }: Place, subject: string): Promise<number> {
  const { ids } = await alice.call('Email/query', { filter: { subject: `"${subject}"` } });
  return (ids as string[]).length;
}

describe('mail that is to leave later', { timeout: 60_000 }, () => {
  it('waits, people here too; then it arrives, and the state says so', async () => {
    const place = await open();
    await using _server = place.server;
    const { bob, clock, server } = place;
    const events = await fetch(bob.url('/jmap/eventsource?types=EmailSubmission&closeafter=no&ping=0'), {
      headers: bob.headers,
    });
    const reader = events.body?.getReader();
    assert.ok(reader);
    const until = async (pattern: RegExp): Promise<string> => {
      for (let text = ''; ; ) {
        const { value, done } = await reader.read();
        assert.ok(!done);
        text += Buffer.from(value).toString();
        if (pattern.test(text)) return text;
      }
    };
    await until(/here/);
    const made = await submit(place, 'later', { HOLDFOR: '3600' });
    assert.equal(made['undoStatus'], 'pending', JSON.stringify(made));
    assert.equal(Date.parse(made['sendAt']), clock.now() + 3_600_000);
    const told = until(/StateChange/);
    await clock.advance(1000);
    await told;
    const { state, list } = await bob.call('EmailSubmission/get', { ids: [made['id']] });
    assert.deepEqual(list[0].deliveryStatus, {
      'alice@example.test': { smtpReply: '250 2.0.0 Queued', delivered: 'queued', displayed: 'unknown' },
    });
    const pending = { filter: { undoStatus: 'pending' } };
    const found = await bob.call('EmailSubmission/query', pending);
    assert.deepEqual(found['ids'], [made['id']]);
    const [entry] = await server.store.read.run('queue.list', { limit: 10 });
    assert.equal(entry?.message.releaseAt, Date.parse(made['sendAt']));
    await clock.advance(3_500_000);
    assert.equal(await arrived(place, 'later'), 0);
    const again = until(/StateChange/);
    await clock.advance(200_000);
    await again;
    assert.equal(await arrived(place, 'later'), 1);
    const after = await submission(place, made['id']);
    assert.equal(after['undoStatus'], 'final');
    assert.equal(after['deliveryStatus']['alice@example.test'].delivered, 'yes');
    const changes = await bob.call('EmailSubmission/changes', { sinceState: state });
    assert.deepEqual([changes['created'], changes['updated']], [[], [made['id']]]);
    const moved = await bob.call('EmailSubmission/queryChanges', {
      ...pending,
      sinceQueryState: found['queryState'],
    });
    assert.deepEqual([moved['removed'], moved['added']], [[made['id']], []]);
    assert.equal((await cancel(place, made['id']))['notUpdated'][made['id']].type, 'cannotUnsend');
    await reader.cancel();
  });

  it('taken back, it never arrives, and its email goes where onSuccessUpdateEmail says', async () => {
    const place = await open();
    await using _server = place.server;
    const { bob, clock, box } = place;
    const sent = { [`mailboxIds/${box['drafts']}`]: null, [`mailboxIds/${box['sent']}`]: true };
    const made = await submit(place, 'regret', { HOLDFOR: '30' }, { onSuccessUpdateEmail: { '#s': sent } });
    const [undone, email] = await bob.calls([
      'EmailSubmission/set',
      {
        accountId: bob.accountId,
        update: { [made['id']]: { undoStatus: 'canceled' } },
        onSuccessUpdateEmail: {
          [made['id']]: { [`mailboxIds/${box['sent']}`]: null, [`mailboxIds/${box['drafts']}`]: true },
        },
      },
    ]);
    assert.deepEqual(undone?.[1]['updated'], { [made['id']]: null }, JSON.stringify(undone));
    assert.equal(email?.[0], 'Email/set');
    const [now] = (await bob.call('Email/get', { ids: [made['emailId']], properties: ['mailboxIds'] }))[
      'list'
    ];
    assert.deepEqual(now.mailboxIds, { [box['drafts'] ?? '']: true });
    await clock.advance(600_000);
    assert.equal(await arrived(place, 'regret'), 0);
    const after = await submission(place, made['id']);
    assert.equal(after['undoStatus'], 'canceled');
    assert.equal(after['deliveryStatus']['alice@example.test'].delivered, 'no');
    // Saying it again changes nothing and harms nothing.
    assert.deepEqual((await cancel(place, made['id']))['updated'], { [made['id']]: null });
    const gone = await bob.call('EmailSubmission/set', { destroy: [made['id']] });
    assert.deepEqual(gone['destroyed'], [made['id']]);
    const changes = await bob.call('EmailSubmission/changes', { sinceState: gone['oldState'] });
    assert.deepEqual(changes['destroyed'], [made['id']]);
  });

  it('a destroyed submission is sent all the same', async () => {
    const place = await open();
    await using _server = place.server;
    const made = await submit(place, 'no record', { HOLDFOR: '60' });
    await place.bob.call('EmailSubmission/set', { destroy: [made['id']] });
    await place.clock.advance(120_000);
    assert.equal(await arrived(place, 'no record'), 1);
  });

  it('an end of the program in between changes nothing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-later-'));
    try {
      const clock = testClock(undefined, 60_000);
      const first = await open({ directory }, clock);
      const wanted = await submit(first, 'goes', { HOLDFOR: '7200' });
      const regretted = await submit(first, 'stays', { HOLDFOR: '7200' });
      const before = await submit(first, 'canceled before', { HOLDFOR: '7200' });
      await cancel(first, before['id']);
      await first.server.abandon();
      const second = await open({ directory }, clock);
      try {
        assert.equal((await submission(second, wanted['id']))['undoStatus'], 'pending');
        assert.equal((await submission(second, before['id']))['undoStatus'], 'canceled');
        assert.deepEqual((await cancel(second, regretted['id']))['updated'], { [regretted['id']]: null });
        await clock.advance(7_260_000);
        assert.equal(await arrived(second, 'goes'), 1);
        assert.equal(await arrived(second, 'stays'), 0);
        assert.equal(await arrived(second, 'canceled before'), 0);
        assert.equal((await submission(second, wanted['id']))['undoStatus'], 'final');
      } finally {
        await second.server.close();
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('takes times up to ninety days, and says why not others', async () => {
    const place = await open();
    await using _server = place.server;
    const { clock } = place;
    const at = (seconds: number): string => new Date(clock.now() + seconds * 1000).toISOString();
    const until = await submit(place, 'until', { HOLDUNTIL: at(89 * DAY) });
    assert.equal(until['undoStatus'], 'pending');
    for (const parameters of [
      { HOLDFOR: String(91 * DAY) },
      { HOLDFOR: 'soon' },
      { HOLDFOR: '-1' },
      { HOLDFOR: null },
      { HOLDFOR: '60', HOLDUNTIL: at(60) },
      { HOLDUNTIL: at(-60) },
      { HOLDUNTIL: 'tomorrow' },
      { HOLDUNTIL: at(91 * DAY) },
      { MOON: '1' },
    ])
      assert.equal(
        (await submit(place, 'bad', parameters))['type'],
        'invalidProperties',
        JSON.stringify(parameters),
      );
    const at0 = await submit(place, 'now', { HOLDFOR: '0' });
    assert.ok(at0['id'], JSON.stringify(at0));
    await clock.advance(1000);
    assert.equal(await arrived(place, 'now'), 1);
  });

  it('SMTP submission has it too (RFC 4865)', async () => {
    const place = await open();
    await using _server = place.server;
    const { clock, server, bob } = place;
    const client = await lineClient(server.ports.submissions ?? 0, { tls: true });
    try {
      const auth = Buffer.from('\0bob@example.test\0correct horse').toString('base64');
      await client.reply();
      assert.match(await client.command('EHLO here.test'), /FUTURERELEASE 7776000 2030-04-01T00:00:\d\dZ/);
      await client.talk([`AUTH PLAIN ${auth}\r\n`, '235']);
      for (const bad of [
        'HOLDFOR=0',
        'HOLDFOR=7776001',
        'HOLDFOR',
        'HOLDUNTIL=x',
        'HOLDFOR=1 HOLDUNTIL=2030-01-02T00:00:00Z',
      ])
        await client.talk([`MAIL FROM:<bob@example.test> ${bad}\r\n`, '501 5.5.4']);
      await client.talk(
        ['MAIL FROM:<bob@example.test> HOLDUNTIL=2030-01-01T01:00:00Z\r\n', '250'],
        ['RCPT TO:<alice@example.test>\r\n', '250'],
        ['DATA\r\n', '354'],
        ['From: bob@example.test\r\nTo: alice@example.test\r\nSubject: by SMTP\r\n\r\nhi\r\n.\r\n', '250'],
      );
    } finally {
      client.close();
    }
    await clock.advance(3_000_000);
    assert.equal(await arrived(place, 'by SMTP'), 0);
    assert.deepEqual((await bob.call('EmailSubmission/query'))['ids'], []);
    await clock.advance(700_000);
    assert.equal(await arrived(place, 'by SMTP'), 1);
  });

  it('of two that ask for the same state only one is done (RFC 8620 section 5.3), and no state tells of more than was seen', async () => {
    const place = await open();
    await using _server = place.server;
    const { bob, server } = place;
    const emailId = await draft(place, 'once');
    const { id: accountId } = await server.account('bob@example.test');
    const later = { create: { s: { identityId: 'I0', emailId, envelope: envelope({ HOLDFOR: '3600' }) } } };
    const both = async (method: string, kind: string, args: Args): Promise<Answer[]> => {
      const { state: ifInState } = await bob.call(`${kind}/get`, { ids: [] });
      const calls = [0, 1].map(() => bob.calls([method, { accountId: bob.accountId, ifInState, ...args }]));
      const answers = (await Promise.all(calls)).flatMap(([first]) =>
        first === undefined ? [] : [first[1]],
      );
      assert.deepEqual(
        answers.map(({ type = 'done' }) => type as string).toSorted(),
        ['done', 'stateMismatch'],
        method,
      );
      return answers.filter(({ type }) => type === undefined);
    };
    for (let i = 0; i < 3; i++) {
      const [done] = await both('EmailSubmission/set', 'EmailSubmission', later);
      const id = done?.['created'].s.id as string;
      assert.equal(done?.['newState'], (await bob.call('EmailSubmission/get', { ids: [] }))['state']);
      await both('EmailSubmission/set', 'EmailSubmission', { update: { [id]: { undoStatus: 'canceled' } } });
      await both('EmailSubmission/set', 'EmailSubmission', { destroy: [id] });
      await both('Email/set', 'Email', {
        update: { [emailId]: { 'keywords/$flagged': i % 2 === 0 || null } },
      });
      await both('Email/set', 'Email', {
        create: { e: { mailboxIds: { [place.box['drafts'] ?? '']: true } } },
      });
      await both('Mailbox/set', 'Mailbox', { update: { [place.box['drafts'] ?? '']: { sortOrder: i } } });
      await both('Identity/set', 'Identity', { create: { i: { name: 'Bob', email: 'bob@example.test' } } });
      const { created } = await bob.call('Identity/set', {
        create: { i: { name: 'B', email: 'bob@example.test' } },
      });
      const one = created.i.id as string;
      await both('Identity/set', 'Identity', { update: { [one]: { name: 'Bobby' } } });
      await both('Identity/set', 'Identity', { destroy: [one] });
    }
    // Something of ours in between: the state before it is told, and with that its changes are heard.
    const { state } = await bob.call('Identity/get', { ids: [] });
    const data = JSON.stringify({ name: 'Robert', email: 'bob@example.test' });
    const { run } = server.store.write;
    server.store.write.run = (async (...args: Parameters<typeof run>) => {
      server.store.write.run = run;
      await run('jmap.putObject', { accountId, kind: 'identity', data });
      return run(...args);
    }) as typeof run;
    const { newState } = await bob.call('Identity/set', { update: { I0: { name: 'Bob' } } });
    assert.equal(newState, state);
    const { created, updated } = await bob.call('Identity/changes', { sinceState: newState });
    assert.deepEqual([(created as string[]).length, updated], [1, ['I0']]);
  });
});
