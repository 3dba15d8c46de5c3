/** What the text of RFC 8620 asks for, and was found wanting when it was read line by line. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { limits } from '../../src/base/limits.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Answer, type Args, jmapClient, type JmapClient, mailboxes, put, USING } from './client.ts';

const MESSAGE = 'From: a@else.test\nTo: bob@example.test\nSubject: s\n\nbody\n';

describe('RFC 8620 by its text', () => {
  let server: TestServer;
  let bob: JmapClient;
  let box: Record<string, string>;
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    box = await mailboxes(bob);
  });
  after(() => server.close());

  const only = (answer: Answer, of: string): Answer => answer[of] as Answer;

  describe('3.9: arguments', () => {
    it('that a method has not are refused, whatever it is', async () => {
      for (const [name, args] of [
        ['Mailbox/get', { foo: 123 }],
        ['Email/query', { sortAsTree: true }],
        ['Email/set', { onDestroyRemoveEmails: true }],
        ['Email/parse', { blobIds: [], state: 'x' }],
        ['Identity/changes', { sinceState: '0', max: 1 }],
        ['EmailSubmission/query', { collapseThreads: true }],
        ['SearchSnippet/get', { emailIds: [], text: 'x' }],
        ['Blob/get', { ids: [], range: 1 }],
        ['SieveScript/set', { onSuccessDeactivatescript: true }],
        ['Quota/get', { __proto__x: 1 }],
      ] as const)
        assert.equal(await bob.error(name, args), 'invalidArguments', name);
      // Core/echo has whatever it is given.
      const [echo] = await bob.calls(['Core/echo', { foo: 123 }]);
      assert.deepEqual(echo, ['Core/echo', { foo: 123 }]);
    });

    it('that must be there and are not', async () => {
      for (const [name, args] of [
        ['Email/import', {}],
        ['Email/parse', {}],
        ['Blob/upload', {}],
        ['Blob/lookup', { ids: [] }],
        ['SearchSnippet/get', {}],
      ] as const)
        assert.equal(await bob.error(name, args), 'invalidArguments', name);
      const [missing, wrong] = await bob.calls(['Mailbox/get', {}], ['Mailbox/get', { accountId: 5 }]);
      assert.equal(missing?.[1]['type'], 'invalidArguments');
      assert.equal(wrong?.[1]['type'], 'invalidArguments');
    });
  });

  it('3.6.1: what is answered by HTTP itself is a problem as well (RFC 7807)', async () => {
    const { headers } = bob;
    const upload = bob.url('/jmap/upload/A999/');
    for (const [status, asked] of [
      [401, fetch(bob.url('/jmap/session'))],
      [404, fetch(bob.url(`/jmap/download/${bob.accountId}/B999999/x`), { headers })],
      [404, fetch(upload, { method: 'POST', headers, body: 'x' })],
    ] as const) {
      const answer = await asked;
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      const { type, status: told, detail } = (await answer.json()) as Answer;
      assert.deepEqual([type, told, typeof detail], ['about:blank', status, 'string']);
    }
  });

  it('2: the limits that the session tells of emails are those that hold', async () => {
    const answer = await fetch(bob.url('/jmap/session'), { headers: bob.headers });
    const session = (await answer.json()) as Answer;
    const mail = session['accounts'][bob.accountId].accountCapabilities['urn:ietf:params:jmap:mail'];
    // Attachments go in base64, and something stands around them.
    assert.ok((mail.maxSizeAttachmentsPerEmail * 78) / 57 < limits.messageBytes);
    const names = Array.from({ length: mail.maxMailboxesPerEmail + 1 }, (_, i) => `many ${i}`);
    const create = Object.fromEntries(names.map((name, i) => [`m${i}`, { name }]));
    const mailboxIds = Object.fromEntries(names.map((_, i) => [`#m${i}`, true]));
    const [made, refused] = await bob.calls(
      ['Mailbox/set', { accountId: bob.accountId, create }],
      ['Email/set', { accountId: bob.accountId, create: { e: { mailboxIds } } }],
    );
    assert.equal(refused?.[1]['notCreated']?.e.type, 'tooManyMailboxes', JSON.stringify(refused));
    const destroy = Object.values(made?.[1]['created'] as Record<string, Answer>).map(
      ({ id }) => id as string,
    );
    assert.equal((await bob.call('Mailbox/set', { destroy }))['notDestroyed'], null);
  });

  it('1.5: a request with a name twice in an object is no I-JSON', async () => {
    const { accountId } = bob;
    const body = `{"using":${JSON.stringify(USING)},"using":[],"methodCalls":[["Mailbox/get",{"accountId":"${accountId}"},"a"]]}`;
    const response = await fetch(bob.url('/jmap/api'), {
      method: 'POST',
      headers: { ...bob.headers, 'content-type': 'application/json' },
      body,
    });
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as Answer)['type'], 'urn:ietf:params:jmap:error:notJSON');
  });

  it('2: the session is not to be kept by caches', async () => {
    const response = await fetch(bob.url('/jmap/session'), { headers: bob.headers });
    assert.match(response.headers.get('cache-control') ?? '', /no-store/);
    await response.body?.cancel();
  });

  it('6: what is refused beside the API is a problem as well', async () => {
    for (const [path, headers, status] of [
      [`/jmap/download/${bob.accountId}/B999999/x?accept=text/plain`, bob.headers, 404],
      ['/jmap/session', {}, 401],
    ] as const) {
      const response = await fetch(bob.url(path), { headers });
      assert.equal(response.status, status);
      assert.match(response.headers.get('content-type') ?? '', /application\/problem\+json/);
      assert.equal(((await response.json()) as Answer)['status'], status);
      if (status === 401) assert.match(response.headers.get('www-authenticate') ?? '', /Basic/);
    }
  });

  describe('5.1: /get', () => {
    it('of emails gives all of them while they are few', async () => {
      const id = await put(bob, MESSAGE, box['archive'] ?? '');
      const { list, notFound } = await bob.call('Email/get', { ids: null, properties: ['id'] });
      assert.ok((list as Answer[]).some((each) => each['id'] === id));
      assert.deepEqual(notFound, []);
    });

    it('tells of each id once', async () => {
      const { notFound } = await bob.call('SearchSnippet/get', { emailIds: ['M999', 'M999'] });
      assert.deepEqual(notFound, ['M999']);
    });
  });

  it('5.2: /changes of identities come in as many as are asked for', async () => {
    const { state } = await bob.call('Identity/get', { ids: [] });
    const identity = { email: 'bob@example.test' };
    await bob.call('Identity/set', { create: { a: identity, b: identity, c: identity } });
    assert.equal(
      await bob.error('Identity/changes', { sinceState: state, maxChanges: 0 }),
      'invalidArguments',
    );
    const found: string[] = [];
    let since = state as string;
    for (let more = true, turns = 0; more; turns++) {
      assert.ok(turns < 5);
      const answer = await bob.call('Identity/changes', { sinceState: since, maxChanges: 1 });
      assert.ok(answer['created'].length + answer['updated'].length + answer['destroyed'].length <= 1);
      found.push(...(answer['created'] as string[]));
      since = answer['newState'] as string;
      more = answer['hasMoreChanges'] as boolean;
    }
    assert.equal(found.length, 3);
    await bob.call('Identity/set', { destroy: found });
    assert.equal(await bob.error('Quota/changes', { sinceState: 'x', maxChanges: 0 }), 'invalidArguments');
  });

  describe('5.3: /set', () => {
    const updated = async (type: string, id: string, patch: Args): Promise<Answer> => {
      const answer = await bob.call(`${type}/set`, { update: { [id]: patch } });
      return (answer['notUpdated']?.[id] ?? answer['updated']) as Answer;
    };

    it('takes the whole of an object as it was read', async () => {
      const emailId = await put(bob, MESSAGE, box['archive'] ?? '');
      const read = async (type: string, id: string, more: Args = {}): Promise<Answer> =>
        (await bob.call(`${type}/get`, { ids: [id], ...more }))['list'][0] as Answer;
      const email = await read('Email', emailId, { fetchAllBodyValues: true });
      const { blobId } = await read('Email', emailId, { properties: ['blobId'] });
      assert.ok(blobId);
      assert.deepEqual(await updated('Email', emailId, email), { [emailId]: null });
      assert.deepEqual(await updated('Email', emailId, { ...email, subject: 'other' }), {
        type: 'invalidProperties',
        properties: ['subject'],
        description: 'These cannot be changed.',
      });
      for (const [type, id] of [
        ['Identity', 'I0'],
        ['Mailbox', box['archive'] ?? ''],
        ['VacationResponse', 'singleton'],
      ] as const)
        assert.deepEqual(await updated(type, id, await read(type, id)), { [id]: null }, type);
      assert.deepEqual(
        (await updated('Identity', 'I0', { mayDelete: true, id: 'I5', email: 'x@y.test' }))['properties'],
        ['mayDelete', 'id', 'email'],
      );
    });

    it('sets to the usual value what is null', async () => {
      await updated('Identity', 'I0', { name: 'Bob', textSignature: '-- b', bcc: [{ email: 'c@d.test' }] });
      assert.deepEqual(await updated('Identity', 'I0', { textSignature: null, bcc: null }), { I0: null });
      const { list } = await bob.call('Identity/get', { ids: ['I0'] });
      assert.deepEqual([list[0].name, list[0].textSignature, list[0].bcc], ['Bob', '', null]);
      const id = box['archive'] ?? '';
      await updated('Mailbox', id, { sortOrder: 7 });
      assert.deepEqual(await updated('Mailbox', id, { sortOrder: null }), { [id]: null });
      assert.equal((await bob.call('Mailbox/get', { ids: [id] }))['list'][0].sortOrder, 0);
      const email = await put(bob, MESSAGE, id, { keywords: { $seen: true } });
      assert.deepEqual(await updated('Email', email, { keywords: null }), { [email]: null });
      assert.deepEqual((await bob.call('Email/get', { ids: [email] }))['list'][0].keywords, {});
      // To take away what is not there is nothing to be done.
      assert.deepEqual(await updated('Email', email, { 'mailboxIds/none': null }), { [email]: null });
    });

    it('refuses paths that lead into lists, nowhere, or below each other', async () => {
      await updated('Identity', 'I0', { bcc: [{ email: 'c@d.test' }] });
      for (const [type, id, patch] of [
        ['Identity', 'I0', { 'bcc/0/email': 'x@y.test' }],
        ['Identity', 'I0', { 'name/first': 'x' }],
        ['Identity', 'I0', { bcc: null, 'bcc/0': null }],
        ['Identity', 'I0', { 'na~me': 'x' }],
        ['Mailbox', box['archive'] ?? '', { 'name/x': 'y' }],
        ['VacationResponse', 'singleton', { 'subject/x': 'y' }],
      ] as const)
        assert.equal((await updated(type, id, patch))['type'], 'invalidPatch', JSON.stringify(patch));
    });

    it('names all properties that are wrong', async () => {
      const { notCreated } = await bob.call('Mailbox/set', {
        create: { a: { name: 5, isSubscribed: 'x', sortOrder: -1, totalEmails: 3 } },
      });
      assert.deepEqual((only(notCreated, 'a')['properties'] as string[]).toSorted(), [
        'isSubscribed',
        'name',
        'sortOrder',
        'totalEmails',
      ]);
      const identity = await bob.call('Identity/set', { create: { a: { name: 5, bcc: 'x', more: 1 } } });
      assert.deepEqual((only(identity['notCreated'], 'a')['properties'] as string[]).toSorted(), [
        'bcc',
        'email',
        'more',
        'name',
      ]);
    });

    it('destroys what the same call has made', async () => {
      const { destroyed } = await bob.call('Identity/set', {
        create: { a: { email: 'bob@example.test' } },
        destroy: ['#a'],
      });
      assert.deepEqual(destroyed, ['#a']);
    });

    it('tells of what was made what the client has not said', async () => {
      const { created } = await bob.call('Identity/set', {
        create: { a: { email: 'bob@example.test', name: 'B' } },
      });
      assert.deepEqual(Object.keys(created.a).toSorted(), [
        'bcc',
        'htmlSignature',
        'id',
        'mayDelete',
        'replyTo',
        'textSignature',
      ]);
      await bob.call('Identity/set', { destroy: [created.a.id] });
    });
  });

  describe('5.5: /query', () => {
    it('knows no other sort and no other collation', async () => {
      for (const type of ['Mailbox', 'SieveScript', 'Quota', 'EmailSubmission']) {
        const property = type === 'EmailSubmission' ? 'emailId' : 'name';
        const ask = (sort: unknown): Promise<string> => bob.error(`${type}/query`, { sort });
        assert.equal(await ask([{ property, collation: 'i;klingon' }]), 'unsupportedSort', type);
        assert.equal(await ask([{ property: 'none' }]), 'unsupportedSort', type);
        assert.equal(await ask([{ property, isAscending: 'no' }]), 'invalidArguments', type);
        assert.equal(await ask([{}]), 'invalidArguments', type);
        assert.equal(await bob.error(`${type}/query`, { filter: { none: 1 } }), 'unsupportedFilter', type);
        assert.equal(
          await bob.error(`${type}/query`, { filter: { operator: 'XOR', conditions: [] } }),
          'invalidArguments',
          type,
        );
        assert.equal(await bob.error(`${type}/query`, { limit: -1 }), 'invalidArguments', type);
        assert.equal(await bob.error(`${type}/query`, { anchor: 'none' }), 'anchorNotFound', type);
      }
      assert.equal(await bob.error('Mailbox/query', { filter: { role: 5 } }), 'invalidArguments');
      assert.equal(await bob.error('Mailbox/query', { filter: { isSubscribed: 'x' } }), 'invalidArguments');
    });

    it('counts places from the end, and from an anchor', async () => {
      const all = (await bob.call('Mailbox/query', { sort: [{ property: 'name' }] }))['ids'] as string[];
      const window = async (more: Args): Promise<unknown> => {
        const { ids, position } = await bob.call('Mailbox/query', { sort: [{ property: 'name' }], ...more });
        return [position, ids];
      };
      const end = all.length;
      assert.deepEqual(await window({ position: -2 }), [end - 2, all.slice(-2)]);
      assert.deepEqual(await window({ position: -100, limit: 1 }), [0, all.slice(0, 1)]);
      assert.deepEqual(await window({ position: 100 }), [100, []]);
      assert.deepEqual(await window({ anchor: all[2], anchorOffset: -1, limit: 2, position: 4 }), [
        1,
        all.slice(1, 3),
      ]);
      assert.deepEqual(await window({ anchor: all[1], anchorOffset: -5, limit: 1 }), [0, all.slice(0, 1)]);
      // Without an anchor its offset says nothing.
      assert.deepEqual(await window({ anchorOffset: 3, limit: 1 }), [0, all.slice(0, 1)]);
    });
  });
});
