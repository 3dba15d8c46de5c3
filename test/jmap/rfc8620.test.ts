/** What RFC 8620 says that a server must, case by case. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import {
  type Answer,
  type Args,
  CORE,
  jmapClient,
  type JmapClient,
  mailboxes,
  put,
  USING,
} from './client.ts';

const MESSAGE = 'From: a@else.test\nTo: bob@example.test\nSubject: s\n\nbody\n';

describe('RFC 8620', () => {
  let server: TestServer;
  let bob: JmapClient;
  let box: Record<string, string>;
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    box = await mailboxes(bob);
  });
  after(() => server.close());

  async function post(
    body: unknown,
    type = 'application/json',
  ): Promise<{ status: number; json: Answer; type: string }> {
    const response = await fetch(bob.url('/jmap/api'), {
      method: 'POST',
      headers: { ...bob.headers, 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      json: (text.startsWith('{') ? JSON.parse(text) : {}) as Answer,
      type: response.headers.get('content-type') ?? '',
    };
  }
  const problem = async (body: unknown, type?: string): Promise<string> => {
    const { status, json, type: told } = await post(body, type);
    assert.ok(status >= 400);
    assert.match(told, /application\/problem\+json/);
    return String(json['type']).replace('urn:ietf:params:jmap:error:', '');
  };
  const request = (methodCalls: unknown, using: unknown = USING): Args => ({ using, methodCalls });

  describe('2: session', () => {
    it('is found at .well-known, needs a login, and has all members', async () => {
      assert.equal((await fetch(bob.url('/jmap/session'))).status, 401);
      const session = (await (
        await fetch(bob.url('/.well-known/jmap'), { headers: bob.headers })
      ).json()) as Answer;
      const names = [
        'capabilities',
        'accounts',
        'primaryAccounts',
        'username',
        'apiUrl',
        'downloadUrl',
        'uploadUrl',
        'eventSourceUrl',
        'state',
      ];
      for (const name of names) assert.ok(Object.hasOwn(session, name), name);
      const core = session['capabilities'][CORE];
      for (const name of [
        'maxSizeUpload',
        'maxConcurrentUpload',
        'maxSizeRequest',
        'maxConcurrentRequests',
        'maxCallsInRequest',
        'maxObjectsInGet',
        'maxObjectsInSet',
      ])
        assert.ok(Number.isSafeInteger(core[name]) && core[name] > 0, name);
      assert.ok(Array.isArray(core.collationAlgorithms));
      for (const name of ['accountId', 'blobId', 'type', 'name'])
        assert.ok(session['downloadUrl'].includes(`{${name}}`), name);
      assert.ok(session['uploadUrl'].includes('{accountId}'));
      for (const name of ['types', 'closeafter', 'ping'])
        assert.ok(session['eventSourceUrl'].includes(`{${name}}`), name);
      for (const account of Object.values(session['accounts'] as Record<string, Answer>)) {
        assert.equal(typeof account['isPersonal'], 'boolean');
        assert.equal(typeof account['isReadOnly'], 'boolean');
        for (const urn of Object.keys(account['accountCapabilities']))
          assert.ok(Object.hasOwn(session['capabilities'], urn), urn);
      }
      const { sessionState } = (await post(request([]))).json;
      assert.equal(sessionState, session['state']);
    });
  });

  describe('3: requests', () => {
    it('3.6.1 notJSON, for what is none and for another content type', async () => {
      assert.equal(await problem('{'), 'notJSON');
      assert.equal(await problem('{}', 'text/plain'), 'notJSON');
      assert.equal(await problem('"\ud800"'.replace('\ud800', '\\ud800x') + '}'), 'notJSON');
    });
    it('3.6.1 notRequest, for JSON that is no Request', async () => {
      for (const body of [
        [],
        {},
        { using: [], methodCalls: {} },
        { using: [1], methodCalls: [] },
        request([['Core/echo', {}]]),
        request([['Core/echo', [], '0']]),
      ])
        assert.equal(await problem(body), 'notRequest', JSON.stringify(body));
    });
    it('3.6.1 unknownCapability, and limit with the name of the limit', async () => {
      assert.equal(await problem(request([], ['urn:x'])), 'unknownCapability');
      const { json } = await post(
        request(Array.from({ length: 17 }, (_, i) => ['Core/echo', {}, String(i)])),
      );
      assert.deepEqual(
        [json['type'], json['limit']],
        ['urn:ietf:params:jmap:error:limit', 'maxCallsInRequest'],
      );
    });
    it('3.6.2 a method of a capability that is not used is unknown; the others go on', async () => {
      const { json } = await post(
        request(
          [
            ['Email/get', { accountId: bob.accountId, ids: [] }, 'a'],
            ['No/such', {}, 'b'],
            ['Core/echo', { x: 1 }, 'c'],
          ],
          [CORE],
        ),
      );
      assert.deepEqual(
        (json['methodResponses'] as [string, Answer, string][]).map(([name, answer, id]) => [
          name,
          answer['type'] ?? answer['x'],
          id,
        ]),
        [
          ['error', 'unknownMethod', 'a'],
          ['error', 'unknownMethod', 'b'],
          ['Core/echo', 1, 'c'],
        ],
      );
    });
    it('3.4 calls are done in order, and a client may use a call id twice', async () => {
      const { json } = await post(
        request([
          ['Core/echo', { n: 1 }, 'x'],
          ['Core/echo', { n: 2 }, 'x'],
        ]),
      );
      assert.deepEqual(json['methodResponses'], [
        ['Core/echo', { n: 1 }, 'x'],
        ['Core/echo', { n: 2 }, 'x'],
      ]);
    });
    it('3.3 createdIds come back, with what was made, only when they were given', async () => {
      const calls = [['Mailbox/set', { accountId: bob.accountId, create: { k: { name: 'created' } } }, '0']];
      const { json } = await post({ ...request(calls), createdIds: { old: 'F1' } });
      assert.equal(json['createdIds'].old, 'F1');
      assert.match(json['createdIds'].k, /^F\d+$/);
      const plain = await post(request([['Core/echo', {}, '0']]));
      assert.ok(!Object.hasOwn(plain.json, 'createdIds'));
      await bob.call('Mailbox/set', { destroy: [json['createdIds'].k] });
    });
    it('3.7 references: JSON pointers with *, and what does not resolve is invalidResultReference', async () => {
      const echo = ['Core/echo', { list: [{ ids: ['a', 'b'] }, { ids: ['c'] }], 'a/b': 7 }, 'e'];
      const ask = async (reference: unknown): Promise<Answer> => {
        const { json } = await post(request([echo, ['Core/echo', { '#x': reference }, 'f']]));
        return json['methodResponses'][1][1] as Answer;
      };
      const of = (path: string, more: Args = {}): Args => ({
        resultOf: 'e',
        name: 'Core/echo',
        path,
        ...more,
      });
      assert.deepEqual(await ask(of('/list/*/ids')), { x: ['a', 'b', 'c'] });
      assert.deepEqual(await ask(of('/list/1/ids/0')), { x: 'c' });
      assert.deepEqual(await ask(of('/a~1b')), { x: 7 });
      for (const bad of [
        of('/none'),
        of('/list/9'),
        of('list'),
        of('', { name: 'Email/get' }),
        of('', { resultOf: 'z' }),
        5,
      ])
        assert.equal((await ask(bad))['type'], 'invalidResultReference', JSON.stringify(bad));
      // What is looked at counts, also where nothing is found in it.
      const wide = Array.from({ length: 90_000 }, () => []);
      const often = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`#x${i}`, of('/wide/*/*')]));
      const { json: much } = await post(
        request([
          ['Core/echo', { wide }, 'e'],
          ['Core/echo', often, 'f'],
          ['Core/echo', { '#x': of('') }, 'g'],
        ]),
      );
      for (const n of [1, 2]) assert.equal(much['methodResponses'][n][1].type, 'requestTooLarge');
      assert.equal((await ask(of('/list'.repeat(1000))))['type'], 'invalidResultReference');
      const both = await post(request([echo, ['Core/echo', { x: 1, '#x': of('/list') }, 'f']]));
      assert.equal(both.json['methodResponses'][1][1].type, 'invalidArguments');
    });
    it('3.6.2 accountNotFound, invalidArguments', async () => {
      assert.equal(await bob.error('Mailbox/get', { accountId: 'A999' }), 'accountNotFound');
      assert.equal(await bob.error('Mailbox/get', { ids: 'F1' }), 'invalidArguments');
      assert.equal(await bob.error('Email/get', { ids: [], properties: ['none'] }), 'invalidArguments');
    });
  });

  describe('5: standard methods', () => {
    it('5.1 /get: null is all, an id twice is told once, unknown ones are notFound, id is always told', async () => {
      const inbox = box['inbox'] ?? '';
      const { list, notFound } = await bob.call('Mailbox/get', {
        ids: [inbox, inbox, 'x', 'F99999'],
        properties: ['name'],
      });
      assert.deepEqual(
        list,
        [{ id: inbox, name: 'Inbox' }].map((each) => ({ ...each, name: list[0].name })),
      );
      assert.deepEqual(notFound, ['x', 'F99999']);
      const many = Array.from({ length: 501 }, (_, i) => `M${i + 1}`);
      assert.equal(await bob.error('Email/get', { ids: many }), 'requestTooLarge');
    });
    it('5.2 /changes: nothing since now; an unknown state cannot be calculated; maxChanges is at least 1 and kept to', async () => {
      const { state } = await bob.call('Mailbox/get', { ids: [] });
      const same = await bob.call('Mailbox/changes', { sinceState: state });
      assert.deepEqual(
        [same['created'], same['updated'], same['destroyed'], same['hasMoreChanges']],
        [[], [], [], false],
      );
      assert.equal(same['newState'], state);
      assert.equal(await bob.error('Email/changes', { sinceState: 'moon' }), 'cannotCalculateChanges');
      assert.equal(
        await bob.error('Email/changes', { sinceState: state, maxChanges: 0 }),
        'invalidArguments',
      );
      const ids = [];
      for (let i = 0; i < 3; i++) ids.push(await put(bob, MESSAGE, box['inbox'] ?? ''));
      const told: string[] = [];
      for (let since = state as string; ; ) {
        const page = await bob.call('Email/changes', { sinceState: since, maxChanges: 1 });
        assert.ok(page['created'].length + page['updated'].length + page['destroyed'].length <= 1);
        told.push(...page['created']);
        since = page['newState'];
        if (!page['hasMoreChanges']) break;
      }
      assert.deepEqual(told.toSorted(), ids.toSorted());
    });
    it('5.3 /set: ifInState, each object by itself, patches, willDestroy, singleton rules of ids', async () => {
      const { state } = await bob.call('Mailbox/get', { ids: [] });
      assert.equal(await bob.error('Mailbox/set', { ifInState: 'old' }), 'stateMismatch');
      const made = await bob.call('Mailbox/set', {
        ifInState: state,
        create: { a: { name: 'A' }, b: { name: '' }, c: { name: 'C', id: 'F1' } },
      });
      assert.ok(made['created'].a.id);
      assert.deepEqual(
        [made['notCreated'].b.type, made['notCreated'].c.type],
        ['invalidProperties', 'invalidProperties'],
      );
      assert.notEqual(made['newState'], made['oldState']);
      const id = made['created'].a.id as string;
      const both = await bob.call('Mailbox/set', { update: { [id]: { name: 'B' } }, destroy: [id] });
      assert.equal(both['notUpdated'][id].type, 'willDestroy');
      assert.deepEqual(both['destroyed'], [id]);
      const gone = await bob.call('Mailbox/set', { update: { [id]: {} }, destroy: [id] });
      assert.equal(gone['notDestroyed'][id].type, 'notFound');
      const email = await put(bob, MESSAGE, box['inbox'] ?? '');
      const patch = async (change: Args): Promise<string | undefined> =>
        (await bob.call('Email/set', { update: { [email]: change } }))['notUpdated']?.[email].type as
          | string
          | undefined;
      assert.equal(await patch({ 'keywords/$seen': true }), undefined);
      assert.equal(await patch({ keywords: {}, 'keywords/$seen': true }), 'invalidPatch');
      assert.equal(await patch({ 'keywords/$seen/x': true }), 'invalidPatch');
      assert.equal(await patch({ subject: 'x' }), 'invalidProperties');
    });
    it('5.5 /query: positions, anchors, totals, filters and sorts that are unknown', async () => {
      const query = (args: Args): Promise<Answer> =>
        bob.call('Mailbox/query', { sort: [{ property: 'name' }], ...args });
      const all = (await query({ calculateTotal: true })) as Answer;
      const ids = all['ids'] as string[];
      assert.equal(all['total'], ids.length);
      assert.deepEqual((await query({ position: -2 }))['ids'], ids.slice(-2));
      assert.equal((await query({ position: -2 }))['position'], ids.length - 2);
      assert.deepEqual((await query({ position: ids.length + 5 }))['ids'], []);
      assert.deepEqual((await query({ anchor: ids[2], anchorOffset: -1, limit: 2 }))['ids'], ids.slice(1, 3));
      assert.deepEqual(
        (await query({ anchor: ids[1], anchorOffset: -10, limit: 1 }))['ids'],
        ids.slice(0, 1),
      );
      assert.equal(await bob.error('Mailbox/query', { anchor: 'F99999' }), 'anchorNotFound');
      assert.equal(await bob.error('Mailbox/query', { filter: { none: 1 } }), 'unsupportedFilter');
      assert.equal(await bob.error('Mailbox/query', { sort: [{ property: 'none' }] }), 'unsupportedSort');
      assert.equal(await bob.error('Mailbox/query', { limit: -1 }), 'invalidArguments');
    });
    it('5.6 /queryChanges: removed and added, put on the old list, make the new one', async () => {
      const sort = [{ property: 'name' }];
      for (const more of [
        {},
        { sortAsTree: true },
        { filter: { hasAnyRole: false } },
        { filter: { hasAnyRole: false }, sortAsTree: true, filterAsTree: true },
      ]) {
        const old = await bob.call('Mailbox/query', { sort, ...more });
        assert.equal(old['canCalculateChanges'], true);
        const { created } = await bob.call('Mailbox/set', {
          create: { a: { name: 'AAA' }, b: { name: 'below', parentId: '#a' }, z: { name: 'zzz' } },
        });
        await bob.call('Mailbox/set', {
          update: { [created.a.id]: { name: 'Middle' } },
          destroy: [created.z.id],
        });
        const changes = await bob.call('Mailbox/queryChanges', {
          sort,
          ...more,
          sinceQueryState: old['queryState'],
          calculateTotal: true,
        });
        const list = (old['ids'] as string[]).filter((id) => !changes['removed'].includes(id));
        for (const { id, index } of changes['added']) list.splice(index, 0, id);
        const now = await bob.call('Mailbox/query', { sort, ...more });
        assert.deepEqual(list, now['ids'], JSON.stringify(more));
        assert.equal(changes['total'], now['ids'].length);
        assert.equal(changes['newQueryState'], now['queryState']);
        await bob.call('Mailbox/set', { destroy: [created.b.id, created.a.id] });
      }
      const { queryState } = await bob.call('Mailbox/query', {});
      await bob.call('Mailbox/set', { create: { a: { name: 'one' }, b: { name: 'two' } } });
      assert.equal(
        await bob.error('Mailbox/queryChanges', { sinceQueryState: queryState, maxChanges: 1 }),
        'tooManyChanges',
      );
      assert.equal(
        await bob.error('Mailbox/queryChanges', { sinceQueryState: 'x' }),
        'cannotCalculateChanges',
      );
    });
    it('5.6 also of lists that were asked for while they changed', async () => {
      const inbox = (await mailboxes(bob))['inbox'] ?? '';
      const email = { filter: { inMailbox: inbox }, sort: [{ property: 'receivedAt', isAscending: false }] };
      const lists = [
        ['Email', email],
        ['Email', { ...email, collapseThreads: true }],
        ['Email', { ...email, filter: { operator: 'AND', conditions: [email.filter, { subject: 'race' }] } }],
        ['Mailbox', { sort: [{ property: 'name' }] }],
      ] as const;
      const { accountId } = bob;
      const blobId = await bob.upload('Subject: race\r\n\r\nx\r\n', 'message/rfc822');
      const emails = { a: { blobId, mailboxIds: { [inbox]: true } } };
      const queries = lists.map(([type, query]) => [`${type}/query`, { accountId, ...query }] as const);
      for (let round = 0; round < 3; round++) {
        // Changes come before, between and behind the reads that the answers are made of.
        const changes = Array.from({ length: 8 }, (_, n) => [
          ['Email/import', { accountId, emails }] as const,
          ['Mailbox/set', { accountId, create: { a: { name: `race ${round}.${n}` } } }] as const,
        ]);
        const [, ...answers] = await Promise.all([
          bob.calls(...changes.flat()),
          bob.calls(...queries, ...queries, ...queries, ...queries),
          bob.calls(...queries, ...queries, ...queries, ...queries),
        ]);
        for (const [at, [, old]] of answers.flat().entries()) {
          const [type, query] = lists[at % lists.length] ?? lists[0];
          const since = old['queryState'];
          const changed = await bob.call(`${type}/queryChanges`, { ...query, sinceQueryState: since });
          const list = (old['ids'] as string[]).filter((id) => !changed['removed'].includes(id));
          for (const { id, index } of changed['added']) list.splice(index, 0, id);
          const now = await bob.call(`${type}/query`, query);
          assert.deepEqual(list, now['ids'], `${type} ${JSON.stringify(query)} since ${since}`);
        }
      }
    });
  });

  describe('6: blobs', () => {
    it('6.1 an upload tells account, blob, type and size; 6.2 a download has the type that is asked for', async () => {
      const response = await fetch(bob.url(`/jmap/upload/${bob.accountId}/`), {
        method: 'POST',
        headers: { ...bob.headers, 'content-type': 'image/png' },
        body: 'octets',
      });
      assert.equal(response.status, 200);
      const made = (await response.json()) as Answer;
      assert.deepEqual([made['accountId'], made['type'], made['size']], [bob.accountId, 'image/png', 6]);
      const back = await bob.download(made['blobId']);
      assert.equal(back.headers.get('content-type'), 'text/plain');
      assert.equal(await back.text(), 'octets');
    });
    it('6.3 Blob/copy tells what was copied and what was not', async () => {
      const blobId = await bob.upload('x');
      const answer = await bob.call('Blob/copy', {
        fromAccountId: bob.accountId,
        blobIds: [blobId, 'U99999'],
      });
      assert.ok(answer['copied'][blobId]);
      assert.equal(answer['notCopied'].U99999.type, 'notFound');
      assert.equal(
        await bob.error('Blob/copy', { fromAccountId: 'A999', blobIds: [] }),
        'fromAccountNotFound',
      );
    });
  });
});
