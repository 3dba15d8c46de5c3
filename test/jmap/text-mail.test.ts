/** What the texts of RFC 8621, RFC 9404, RFC 9425 and RFC 9661 ask for, and was found wanting when they were read line by line. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type ImapClient, imapClient } from '../support/imap-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Answer, type Args, jmapClient, type JmapClient, mailboxes, put, USING } from './client.ts';

const MESSAGE = 'From: a@else.test\nTo: bob@example.test\nSubject: s\n\nbody\n';

describe('mail by the texts', () => {
  let server: TestServer;
  let bob: JmapClient;
  let box: Record<string, string>;
  let inbox = '';
  let imap: ImapClient;
  before(async () => {
    server = await startTestServer({
      accounts: ['alice@example.test', { address: 'bob@example.test', quota: 100_000_000 }],
    });
    bob = await jmapClient(server, 'bob@example.test');
    box = await mailboxes(bob);
    inbox = box['inbox'] ?? '';
    imap = await imapClient(server.ports.imaps ?? 0, { tls: true });
    await imap.next(/OK/);
    await imap.ok('LOGIN bob@example.test "correct horse"');
  });
  after(async () => {
    imap.close();
    await server.close();
  });

  const one = async (id: string, more: Args = {}): Promise<Answer> =>
    (await bob.call('Email/get', { ids: [id], ...more }))['list'][0] as Answer;
  const totals = async (id: string): Promise<Answer> => {
    const { list } = await bob.call('Mailbox/get', { ids: [id] });
    const { totalEmails, unreadEmails, totalThreads, unreadThreads } = list[0] as Answer;
    return [totalEmails, unreadEmails, totalThreads, unreadThreads] as unknown as Answer;
  };

  /** States that are pushed while something is done, until those of all these types have come. */
  async function pushed(
    types: readonly string[],
    run: () => Promise<unknown>,
    others: readonly string[] = [],
  ): Promise<Record<string, string>> {
    const abort = new AbortController();
    const response = await fetch(
      bob.url(`/jmap/eventsource?types=${[...types, ...others].join()}&closeafter=no&ping=0`),
      {
        headers: { ...bob.headers, 'last-event-id': 'none' },
        signal: abort.signal,
      },
    );
    assert.ok(response.body);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let told: Record<string, string> = {};
    let text = '';
    /** What is told next, which is everything at first. */
    const more = async (): Promise<Record<string, string>> => {
      for (;;) {
        const [, data, rest] = /^[^]*?\ndata: (.*)\n\n([^]*)$/.exec(`\n${text}`) ?? [];
        if (data !== undefined) {
          text = rest ?? '';
          return ((JSON.parse(data) as Answer)['changed'][bob.accountId] ?? {}) as Record<string, string>;
        }
        const { value, done } = await reader.read();
        assert.ok(!done, 'the stream ended');
        text += value;
      }
    };
    await more();
    await run();
    while (!types.every((type) => told[type] !== undefined)) told = { ...told, ...(await more()) };
    abort.abort();
    await reader.cancel().catch(() => undefined);
    return told;
  }

  describe('RFC 8621 section 4.1.1: \\Deleted', () => {
    const deleted = async (subject: string, more = ''): Promise<{ id: string; uid: string }> => {
      const id = await put(bob, `Subject: ${subject}\nMessage-ID: <${subject}@x.test>\n\nx\n`, inbox);
      await imap.ok('SELECT INBOX');
      const [line] = (await imap.ok('FETCH * (UID)')).filter((each) => each.includes('FETCH'));
      const uid = /UID (\d+)/.exec(line ?? '')?.[1] ?? '';
      if (more !== '') await imap.ok(`UID COPY ${uid} ${more}`);
      return { id, uid };
    };

    it('hides an email, and JMAP tells of it as destroyed', async () => {
      const counts = await totals(inbox);
      const { id, uid } = await deleted('hidden');
      const { state } = await bob.call('Email/get', { ids: [] });
      const query = { filter: { inMailbox: inbox } };
      const before = await bob.call('Email/query', query);
      assert.ok((before['ids'] as string[]).includes(id));
      await imap.ok(`UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`);
      assert.deepEqual((await bob.call('Email/get', { ids: [id] }))['notFound'], [id]);
      assert.ok(!((await bob.call('Email/query', query))['ids'] as string[]).includes(id));
      assert.deepEqual(await totals(inbox), counts);
      const changes = await bob.call('Email/changes', { sinceState: state });
      assert.deepEqual([changes['created'], changes['updated'], changes['destroyed']], [[], [], [id]]);
      const threads = await bob.call('Thread/changes', { sinceState: state });
      assert.equal(threads['destroyed'].length, 1);
      const since = await bob.call('Email/queryChanges', { ...query, sinceQueryState: before['queryState'] });
      assert.deepEqual([since['removed'], since['added']], [[id], []]);
      assert.equal(
        (await bob.call('Email/set', { update: { [id]: { 'keywords/x': true } } }))['notUpdated'][id].type,
        'notFound',
      );
      // Its expunge is no news any more.
      await imap.ok(`UID EXPUNGE ${uid}`);
      const later = await bob.call('Email/changes', { sinceState: changes['newState'] });
      assert.deepEqual([later['created'], later['updated'], later['destroyed']], [[], [], []]);
    });

    it('can be taken back, and then the email is there again', async () => {
      const { id, uid } = await deleted('back');
      const { state: first } = await bob.call('Email/get', { ids: [] });
      await imap.ok(`UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`);
      const { newState } = await bob.call('Email/changes', { sinceState: first });
      await imap.ok(`UID STORE ${uid} -FLAGS.SILENT (\\Deleted)`);
      assert.deepEqual((await one(id))['mailboxIds'], { [inbox]: true });
      assert.deepEqual((await bob.call('Email/changes', { sinceState: newState }))['created'], [id]);
      const { created, destroyed } = await bob.call('Email/changes', { sinceState: first });
      assert.deepEqual([created, destroyed], [[], []]);
    });

    it('in one mailbox leaves the email in the others', async () => {
      const { id, uid } = await deleted('twice', 'Archive');
      const { state } = await bob.call('Email/get', { ids: [] });
      await imap.ok(`UID STORE ${uid} +FLAGS.SILENT (\\Deleted)`);
      assert.deepEqual((await one(id))['mailboxIds'], { [box['archive'] ?? '']: true });
      assert.deepEqual((await bob.call('Email/changes', { sinceState: state }))['updated'], [id]);
      // To destroy it takes it away there too.
      await bob.call('Email/set', { destroy: [id] });
      assert.ok(!(await imap.ok('UID FETCH 1:* (FLAGS)')).some((line) => line.includes(`UID ${uid} `)));
    });

    it('does not keep a mailbox from being destroyed', async () => {
      const { created } = await bob.call('Mailbox/set', { create: { a: { name: 'Marked' } } });
      await put(bob, MESSAGE, created.a.id as string);
      await imap.ok('SELECT Marked');
      const destroy = (): Promise<Answer> => bob.call('Mailbox/set', { destroy: [created.a.id] });
      assert.equal((await destroy())['notDestroyed'][created.a.id].type, 'mailboxHasEmail');
      await imap.ok('STORE 1 +FLAGS.SILENT (\\Deleted)');
      assert.deepEqual((await destroy())['destroyed'], [created.a.id]);
    });
  });

  it('RFC 8621 section 1.5: EmailDelivery changes with what comes, and with nothing else', async () => {
    let id = '';
    const types = ['Email', 'EmailDelivery'];
    const first = await pushed(types, async () => (id = await put(bob, MESSAGE, inbox)));
    const [, state] = [first['Email'], first['EmailDelivery']];
    assert.ok(state);
    const read = (): Promise<unknown> =>
      bob.call('Email/set', {
        update: { [id]: { 'keywords/$seen': true, mailboxIds: { [box['trash'] ?? '']: true } } },
      });
    const destroy = (): Promise<unknown> => bob.call('Email/set', { destroy: [id] });
    for (const change of [read, destroy])
      assert.equal((await pushed(['Email'], change, ['EmailDelivery']))['EmailDelivery'], undefined);
    const second = await pushed(types, () => put(bob, MESSAGE, inbox));
    assert.notEqual(second['EmailDelivery'], state);
  });

  describe('RFC 9425: quotas', () => {
    it('are pushed when they change, and sorted as asked', async () => {
      const { Quota } = await pushed(['Quota'], () => put(bob, MESSAGE, inbox));
      assert.equal((await bob.call('Quota/get', { ids: null }))['state'], Quota);
      const { ids } = await bob.call('Quota/query', { sort: [{ property: 'used', isAscending: false }] });
      assert.ok((ids as string[]).length > 0);
      const filter = { operator: 'NOT', conditions: [{ resourceType: 'octets' }] };
      assert.ok(!((await bob.call('Quota/query', { filter }))['ids'] as string[]).includes('octets'));
    });

    it('are those of types that the client knows', async () => {
      const response = await fetch(bob.url('/jmap/api'), {
        method: 'POST',
        headers: { ...bob.headers, 'content-type': 'application/json' },
        body: JSON.stringify({
          using: USING.filter((each) => !each.endsWith(':mail')),
          methodCalls: [
            ['Quota/get', { accountId: bob.accountId, ids: null }, '0'],
            ['Blob/lookup', { accountId: bob.accountId, typeNames: ['Email'], ids: [] }, '1'],
          ],
        }),
      });
      const [quotas, blobs] = ((await response.json()) as Answer)['methodResponses'] as [string, Answer][];
      assert.deepEqual(quotas?.[1]['list'], []);
      assert.equal(blobs?.[1]['type'], 'unknownDataType');
    });
  });

  describe('RFC 8621 sections 2 and 4: mailboxes and emails', () => {
    it('a mailbox that somebody makes is subscribed, and its name no longer than the session says', async () => {
      const { created, notCreated } = await bob.call('Mailbox/set', {
        create: {
          a: { name: 'Made' },
          b: { name: 'Not seen', isSubscribed: false },
          c: { name: 'x'.repeat(501) },
        },
      });
      assert.deepEqual(notCreated.c.properties, ['name']);
      const { list } = await bob.call('Mailbox/get', { ids: [created.a.id, created.b.id] });
      assert.deepEqual(
        (list as Answer[]).map(({ isSubscribed }) => isSubscribed),
        [true, false],
      );
    });

    it('a part says its charset whatever its type is', async () => {
      const id = await put(
        bob,
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/json; charset=utf-16\n\n{}\n--b\nContent-Type: image/png\n\nx\n--b--\n',
        inbox,
      );
      const { bodyStructure } = await one(id, { properties: ['bodyStructure'], bodyProperties: ['charset'] });
      assert.deepEqual(
        (bodyStructure.subParts as Answer[]).map(({ charset }) => charset),
        ['us-ascii', 'utf-16', null],
      );
    });

    it('a text that is cut is not damaged for that', async () => {
      const text = `a${'é'.repeat(5000)}`;
      const head =
        'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n';
      const id = await put(bob, `${head}${text}\n`, inbox);
      for (const most of [1, 2, 3, 100, 101]) {
        const { bodyValues } = await one(id, {
          properties: ['bodyValues'],
          fetchTextBodyValues: true,
          maxBodyValueBytes: most,
        });
        const { value, isTruncated, isEncodingProblem } = bodyValues['1'] as Answer;
        assert.equal(value, `a${'é'.repeat(Math.floor((most - 1) / 2))}`);
        assert.deepEqual([isTruncated, isEncodingProblem], [true, false], String(most));
      }
    });

    it('control characters in encoded words are dropped', async () => {
      const id = await put(
        bob,
        'Subject: =?utf-8?q?a=01b=00c=7F?=\nFrom: =?utf-8?q?x=02y?= <a@b.test>\n\n\n',
        inbox,
      );
      const { subject, from } = await one(id, { properties: ['subject', 'from'] });
      assert.deepEqual([subject, from[0].name], ['abc', 'xy']);
    });

    it('a quote within a phrase is escaped', async () => {
      const id = await put(bob, 'Subject: they say "well done" here\n\nx\n', inbox);
      await put(bob, 'Subject: they say well done here\n\nx\n', inbox);
      const found = async (subject: string): Promise<unknown> =>
        (await bob.call('Email/query', { filter: { subject } }))['ids'];
      assert.deepEqual(await found('"say \\"well done\\" here"'), [id]);
      assert.deepEqual(await found(`'say "well done" here'`), [id]);
      const { list } = await bob.call('SearchSnippet/get', {
        emailIds: [id],
        filter: { subject: '"say \\"well"' },
      });
      assert.equal(list[0].subject, 'they <mark>say "well</mark> done" here');
    });

    it('more keywords or mailboxes than there may be have errors of their own', async () => {
      const keywords = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, true]));
      const create = { a: { mailboxIds: { [inbox]: true }, keywords } };
      assert.equal((await bob.call('Email/set', { create }))['notCreated'].a.type, 'tooManyKeywords');
    });

    it('what a new message may not say is refused', async () => {
      const text = { textBody: [{ partId: 't' }], bodyValues: { t: { value: 'x' } } };
      const body = (part: Args): Args => ({
        bodyStructure: { partId: 't', ...part },
        bodyValues: text.bodyValues,
      });
      for (const wrong of [
        { ...text, headers: [] },
        body({ headers: [] }),
        { ...body({ 'header:Subject': ' y' }), subject: 'x' },
        body({ 'header:X-A': ' 1', 'header:x-a:asText': '2' }),
        body({ language: ['de'], 'header:Content-Language': ' de' }),
        body({ 'header:From:asDate': '2020-01-01T00:00:00Z' }),
        body({ 'header:Message-ID:asMessageIds': ['a@b'] }),
      ]) {
        const create = { a: { mailboxIds: { [inbox]: true }, ...wrong } };
        const { notCreated } = await bob.call('Email/set', { create });
        assert.equal(notCreated?.a.type, 'invalidProperties', JSON.stringify(wrong));
      }
    });

    it('an import has no other properties', async () => {
      const blobId = await bob.upload(MESSAGE);
      const emails = { a: { blobId, mailboxIds: { [inbox]: true }, subject: 'x' } };
      const { notCreated } = await bob.call('Email/import', { emails });
      assert.deepEqual(notCreated.a.properties, ['subject']);
    });

    it('changes of a query on what never changes leave out marks, and what is behind the last known', async () => {
      const subject = 'immutable';
      const ids: string[] = [];
      for (const day of [1, 2, 3])
        ids.unshift(
          await put(bob, `Subject: ${subject}\n\n${day}\n`, inbox, {
            receivedAt: `2020-01-0${day}T00:00:00Z`,
          }),
        );
      const query = { filter: { subject }, sort: [{ property: 'receivedAt', isAscending: false }] };
      const { queryState, ids: found } = await bob.call('Email/query', query);
      assert.deepEqual(found, ids);
      await bob.call('Email/set', { update: { [ids[0] ?? '']: { 'keywords/$flagged': true } } });
      await put(bob, `Subject: ${subject}\n\n0\n`, inbox, { receivedAt: '2019-01-01T00:00:00Z' });
      const first = await put(bob, `Subject: ${subject}\n\n9\n`, inbox, {
        receivedAt: '2021-01-01T00:00:00Z',
      });
      const changes = await bob.call('Email/queryChanges', {
        ...query,
        sinceQueryState: queryState,
        upToId: ids[1],
        calculateTotal: true,
      });
      assert.deepEqual(
        [changes['removed'], changes['added'], changes['total']],
        [[], [{ id: first, index: 0 }], 5],
      );
    });
  });

  describe('RFC 8621 section 7: submission', () => {
    const draft = async (fields: Args): Promise<string> => {
      const { created, notCreated } = await bob.call('Email/set', {
        create: {
          d: {
            mailboxIds: { [box['drafts'] ?? '']: true },
            subject: 'out',
            to: [{ email: 'alice@example.test' }],
            ...fields,
          },
        },
      });
      assert.ok(created, JSON.stringify(notCreated));
      return created.d.id as string;
    };
    const submit = async (emailId: string): Promise<Answer> => {
      const { created, notCreated } = await bob.call('EmailSubmission/set', {
        create: { s: { identityId: 'I0', emailId } },
      });
      return (created?.s ?? notCreated?.s) as Answer;
    };

    it('the return address is the identity’s where the message’s is another', async () => {
      const sent = await submit(
        await draft({ from: [{ email: 'bob@example.test' }], sender: [{ email: 'bob+list@example.test' }] }),
      );
      assert.equal(sent['envelope'].mailFrom.email, 'bob@example.test', JSON.stringify(sent));
    });

    it('a message with several authors and no sender has no return address', async () => {
      const from = [{ email: 'bob@example.test' }, { email: 'alice@example.test' }];
      const { type, properties } = await submit(await draft({ from }));
      assert.deepEqual([type, properties], ['invalidEmail', ['from']]);
    });

    it('one that is too large is told how large it may be', async () => {
      const head = 'From: bob@example.test\nTo: alice@example.test\n\n';
      const id = await put(bob, head + `${'x'.repeat(70)}\n`.repeat(2000), inbox);
      // The limit has become a smaller one since the message came.
      const { config } = server;
      await server.reload({ ...config, limits: { ...config.limits, message_size: 100_000 } });
      const { type, maxSize } = await submit(id);
      await server.reload(config);
      assert.deepEqual([type, maxSize], ['tooLarge', 100_000]);
    });
  });

  describe('RFC 9404: blobs', () => {
    it('a source is one thing, whole numbers and UTF-8', async () => {
      const blobId = await bob.upload('0123456789');
      for (const source of [
        {},
        { 'data:asText': 'a', 'data:asBase64': 'YQ==' },
        { 'data:asText': 'a', blobId },
        { 'data:asText': 'a', offset: 0 },
        { 'data:asText': 'a', more: 1 },
        { 'data:asText': '\ud800' },
        { 'data:asBase64': 'Y' },
        { blobId, offset: -1 },
        { blobId, offset: 1.5 },
        { blobId, length: 11 },
        { blobId, offset: 11 },
      ]) {
        const { notCreated } = await bob.call('Blob/upload', { create: { a: { data: [source] } } });
        assert.equal(notCreated?.a.type, 'invalidProperties', JSON.stringify(source));
      }
      const { created } = await bob.call('Blob/upload', {
        create: {
          a: {
            data: [
              { blobId, offset: 8, length: null },
              { 'data:asText': 'é', 'data:asBase64': null },
            ],
          },
          b: { data: [{ blobId, offset: 0, length: 0 }], type: 'text/plain' },
        },
      });
      assert.deepEqual([created.a.size, created.b.size, created.b.type], [4, 0, 'text/plain']);
    });
  });

  it('RFC 9661 section 2.4: what is active is switched off before a script that is not there is not switched on', async () => {
    const blobId = await bob.upload('keep;');
    const { created } = await bob.call('SieveScript/set', {
      create: { a: { name: 'mine', blobId } },
      onSuccessActivateScript: '#a',
    });
    assert.equal(created.a.isActive, true);
    const both = { onSuccessDeactivateScript: true, onSuccessActivateScript: 'C999' };
    const { updated } = await bob.call('SieveScript/set', both);
    assert.deepEqual(updated, { [created.a.id]: { isActive: false } });
    assert.equal((await bob.call('SieveScript/set', { onSuccessActivateScript: 'C999' }))['updated'], null);
  });
});
