/** VacationResponse (RFC 8621 section 8), and what whoever writes gets of it. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { generate } from '../../src/flow/sieve/generate.ts';
import { storedSettings } from '../../src/flow/sieve/settings.ts';
import { type TestClock, testClock } from '../support/clock.ts';
import { startTestServer, type TestServer, testActor } from '../support/server.ts';
import { type Answer, type Args, jmapClient, type JmapClient, mailboxes } from './client.ts';

const NONE = {
  id: 'singleton',
  isEnabled: false,
  fromDate: null,
  toDate: null,
  subject: null,
  textBody: null,
  htmlBody: null,
};

function utc(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

describe('the vacation answer', { timeout: 60_000 }, () => {
  const people = ['alice', 'bob', 'carol', 'dora'].map((name) => `${name}@example.test`);
  let server: TestServer;
  let clock: TestClock;
  let bob: JmapClient;
  before(async () => {
    clock = testClock();
    server = await startTestServer({ clock, accounts: people });
    bob = await jmapClient(server, 'bob@example.test');
  });
  after(() => server.close());
  beforeEach(() => keep({}));

  /** What the other ways in set. */
  async function keep(settings: object): Promise<void> {
    const { id } = await server.account('bob@example.test');
    const text = JSON.stringify(settings);
    const script = generate(storedSettings(text));
    await server.store.write.run('sieve.saveSettings', {
      actor: testActor,
      accountId: id,
      settings: text,
      script,
    });
  }
  const kept = async (): Promise<Answer> => {
    const { id } = await server.account('bob@example.test');
    const row = await server.store.read.run('sieve.settings', { accountId: id });
    return JSON.parse(row?.settings ?? '{}') as Answer;
  };
  const get = async (): Promise<Answer> =>
    (await bob.call('VacationResponse/get', { ids: null }))['list'][0] as Answer;
  const set = (patch: Args): Promise<Answer> =>
    bob.call('VacationResponse/set', { update: { singleton: patch } });

  it('is one object, that is there before anything is set and cannot be made or destroyed', async () => {
    assert.deepEqual(await get(), NONE);
    const answer = await bob.call('VacationResponse/set', {
      create: { a: { isEnabled: true } },
      update: { other: { isEnabled: true } },
      destroy: ['singleton'],
    });
    assert.equal(answer['notCreated'].a.type, 'singleton');
    assert.equal(answer['notDestroyed'].singleton.type, 'singleton');
    assert.equal(answer['notUpdated'].other.type, 'notFound');
    assert.deepEqual([answer['oldState'], await get()], [answer['newState'], NONE]);
  });

  it('is kept exactly, changes the state, and null unsets', async () => {
    const all = {
      isEnabled: true,
      fromDate: '2030-06-01T08:30:01Z',
      toDate: '2030-06-02T23:59:59Z',
      subject: 'Fort – bis Juni',
      textBody: '  Away.\nBob \n',
      htmlBody: '<p>Away.</p>\n',
    };
    const first = await set(all);
    assert.deepEqual(first['updated'], { singleton: null });
    assert.notEqual(first['newState'], first['oldState']);
    assert.deepEqual(await get(), { id: 'singleton', ...all });
    const again = await set(all);
    assert.equal(again['newState'], first['newState'], 'nothing has changed');
    const second = await set({ fromDate: '2030-06-01T08:30:02Z' });
    assert.notEqual(second['newState'], first['newState'], 'a second counts');
    const stale = { ifInState: first['newState'], update: { singleton: { isEnabled: false } } };
    assert.equal(await bob.error('VacationResponse/set', stale), 'stateMismatch');
    const { id: _id, ...unset } = NONE;
    assert.deepEqual((await set(unset))['updated'], { singleton: null });
    assert.deepEqual(await get(), NONE);
  });

  it('tells what it made of what it was given, and what it does not take', async () => {
    const answer = await set({
      isEnabled: true,
      fromDate: '2030-06-01T08:30:01.75Z',
      textBody: ' ',
      subject: ' x ',
    });
    assert.deepEqual(answer['updated'].singleton, {
      fromDate: '2030-06-01T08:30:01Z',
      textBody: null,
      subject: 'x',
    });
    const bad: [string, unknown][] = [
      ['isEnabled', null],
      ['fromDate', '2030-06-01'],
      ['toDate', 'tomorrow'],
      ['textBody', 7],
      ['textBody', 'x'.repeat(10_001)],
      ['htmlBody', 'x'.repeat(20_001)],
      ['subject', 'x'.repeat(201)],
      ['days', 3],
    ];
    for (const [name, value] of bad) {
      const { notUpdated } = await set({ [name]: value });
      assert.equal(notUpdated.singleton.type, 'invalidProperties', name);
      assert.deepEqual(notUpdated.singleton.properties, [name]);
    }
  });

  it('keeps what it has no properties for: days, period, addresses, forwards', async () => {
    const forward = { addresses: ['x@else.test'], keep: true };
    const vacation = {
      enabled: true,
      from: '2030-06-01',
      until: '2030-06-02',
      text: 'Away.',
      days: 3,
      addresses: ['robert@else.test'],
    };
    await keep({ vacation, forward, rules: [] });
    const shown = await get();
    // Days are those of the server's time zone.
    assert.equal(Date.parse(shown['fromDate']), new Date(2030, 5, 1).getTime());
    assert.equal(Date.parse(shown['toDate']), new Date(2030, 5, 3).getTime());
    await set({ ...shown, textBody: 'Gone.' });
    assert.deepEqual(await kept(), { vacation: { ...vacation, text: 'Gone.' }, forward, rules: [] });
    await set({ toDate: '2030-06-02T12:00:00Z', htmlBody: '<b>Gone.</b>' });
    assert.deepEqual((await kept())['vacation'], {
      ...vacation,
      text: 'Gone.',
      html: '<b>Gone.</b>',
      until: '2030-06-02T12:00:00Z',
    });
  });

  async function write(from: string, subject: string): Promise<void> {
    const client = await jmapClient(server, `${from}@example.test`);
    const box = await mailboxes(client);
    const [, sent] = await client.calls(
      [
        'Email/set',
        {
          accountId: client.accountId,
          create: {
            d: {
              mailboxIds: { [box['drafts'] ?? '']: true },
              subject,
              from: [{ email: `${from}@example.test` }],
              to: [{ email: 'bob@example.test' }],
              textBody: [{ partId: '1' }],
              bodyValues: { 1: { value: 'hi' } },
            },
          },
        },
      ],
      [
        'EmailSubmission/set',
        { accountId: client.accountId, create: { s: { identityId: 'I0', emailId: '#d' } } },
      ],
    );
    assert.ok(sent?.[1]['created']?.s, JSON.stringify(sent));
    await clock.advance(0);
  }

  /** The octets of what lies in an inbox. */
  async function inbox(name: string): Promise<string[]> {
    const client = await jmapClient(server, `${name}@example.test`);
    const inMailbox = (await mailboxes(client))['inbox'];
    const { ids } = await client.call('Email/query', {
      filter: { inMailbox },
      sort: [{ property: 'receivedAt' }],
    });
    const { list } = await client.call('Email/get', { ids, properties: ['blobId'] });
    return Promise.all((list as Answer[]).map(async ({ blobId }) => (await client.download(blobId)).text()));
  }

  it('is sent in its span, to the second, with both bodies', async () => {
    const start = clock.now() - (clock.now() % 1000) + 60_000;
    const at = (ms: number): Promise<void> => clock.advance(ms - clock.now());
    await set({
      isEnabled: true,
      fromDate: utc(start),
      toDate: utc(start + 10_000),
      textBody: 'Fort. Grüße',
      htmlBody: '<p>Fort.</p>\n<p>Grüße</p>\n.\nBcc: x@else.test',
    });
    await at(start - 1);
    await write('alice', 'a moment too early');
    await at(start);
    await write('alice', 'as it begins');
    await at(start + 9_999);
    await write('carol', 'as it ends');
    await at(start + 10_000);
    await write('dora', 'too late');
    await clock.advance(120_000);
    const subjects = async (name: string): Promise<(string | undefined)[]> =>
      (await inbox(name)).map((text) => /^Subject: (.*)\r$/m.exec(text)?.[1]);
    assert.deepEqual(await subjects('bob'), ['a moment too early', 'as it begins', 'as it ends', 'too late']);
    assert.deepEqual(await subjects('alice'), ['Auto: as it begins']);
    assert.deepEqual(await subjects('carol'), ['Auto: as it ends']);
    assert.deepEqual(await subjects('dora'), []);
    const [reply = ''] = await inbox('alice');
    const [header = ''] = reply.split('\r\n\r\n');
    assert.match(header, /^Auto-Submitted: auto-replied \(vacation\)\r$/m);
    assert.match(header, /^To: alice@example\.test\r$/m);
    assert.doesNotMatch(header, /Bcc/);
    const client = await jmapClient(server, 'alice@example.test');
    const { ids } = await client.call('Email/query', { filter: { subject: 'Auto' } });
    const { list } = await client.call('Email/get', {
      ids,
      properties: ['bodyStructure', 'bodyValues', 'textBody', 'htmlBody'],
      fetchAllBodyValues: true,
    });
    const { bodyStructure, bodyValues, textBody, htmlBody } = list[0] as Answer;
    assert.equal(bodyStructure.type, 'multipart/alternative');
    assert.deepEqual(
      (bodyStructure.subParts as Answer[]).map(({ type, charset }) => [type, charset]),
      [
        ['text/plain', 'utf-8'],
        ['text/html', 'utf-8'],
      ],
    );
    assert.equal(bodyValues[textBody[0].partId].value, 'Fort. Grüße');
    assert.equal(bodyValues[htmlBody[0].partId].value, '<p>Fort.</p>\n<p>Grüße</p>\n.\nBcc: x@else.test');
  });

  it('has the text of its HTML where it has none, its own subject, and says something where nothing is set', async () => {
    await set({ isEnabled: true, subject: 'Away\r\nBcc: x@else.test', htmlBody: '<p>Away.</p><p>Bob</p>' });
    await write('carol', 'one');
    await set({ htmlBody: null, subject: null });
    await write('dora', 'two');
    await clock.advance(120_000);
    const html = (await inbox('carol')).at(-1) ?? '';
    assert.match(html, /^Subject: Away Bcc: x@else\.test\r$/m);
    assert.doesNotMatch(html, /^Bcc/m);
    assert.match(html, /Content-Type: text\/plain[^]*\r\n\r\nAway\.\r\n\r\nBob\r\n--/);
    assert.match(html, /Content-Type: text\/html[^]*<p>Away\.<\/p><p>Bob<\/p>\r\n--/);
    const plain = (await inbox('dora')).at(-1) ?? '';
    assert.match(plain, /^Subject: Auto: two\r$/m);
    assert.match(plain, /^Content-Type: text\/plain; charset=utf-8\r$/m);
    assert.match(plain, /\r\n\r\nI am away/);
    assert.equal((await get())['textBody'], null);
  });
});
