import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Context } from '../../src/servers/jmap/context.ts';
import { runRequest } from '../../src/servers/jmap/engine.ts';
import { CAPABILITY } from '../../src/servers/jmap/limits.ts';
import { methods } from '../../src/servers/jmap/table.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Answer, type Args, jmapClient, type JmapClient, mailboxes, put } from './client.ts';

/** One of everything that an account may have. */
interface Ids {
  readonly email: string;
  readonly thread: string;
  readonly mailbox: string;
  readonly identity: string;
  readonly submission: string;
  readonly script: string;
  readonly blobs: readonly string[];
}

const ABSENT: Ids = {
  email: 'M900001',
  thread: 'T900002',
  mailbox: 'F900003',
  identity: 'I900004',
  submission: 'S900005',
  script: 'C900006',
  blobs: ['B900001', 'B900001-1', 'U900007', 'C900006-0123456789abcdef'],
};

/** Where the attacker's own account is needed. */
interface Mine {
  readonly inbox: string;
  readonly email: string;
}

type Row = (ids: Ids, mine: Mine) => readonly Args[];

const none: Row = () => [{}];
const get =
  (kind: keyof Omit<Ids, 'blobs'>): Row =>
  (ids) => [{ ids: [ids[kind]] }, { ids: [ids[kind]], properties: ['id'] }];

/** A row for every method: calls that name what is somebody else's. A method without one fails the test. */
const ROWS: Readonly<Record<string, Row>> = {
  'Core/echo': none,
  'Mailbox/get': get('mailbox'),
  'Mailbox/changes': none,
  'Mailbox/query': ({ mailbox }) => [{ filter: { parentId: mailbox } }, { anchor: mailbox }],
  'Mailbox/queryChanges': none,
  'Mailbox/set': ({ mailbox }) => [
    { update: { [mailbox]: { name: 'mine' } } },
    { destroy: [mailbox], onDestroyRemoveEmails: true },
    { create: { a: { name: 'x', parentId: mailbox } } },
  ],
  'Thread/get': get('thread'),
  'Thread/changes': none,
  'Email/get': (ids) => [
    { ids: [ids.email] },
    { ids: [ids.email], properties: ['id', 'preview', 'bodyValues'] },
  ],
  'Email/changes': none,
  'Email/query': ({ email, mailbox }) => [
    { filter: { inMailbox: mailbox } },
    { filter: { inMailboxOtherThan: [mailbox], text: 'secret' } },
    { anchor: email },
  ],
  'Email/queryChanges': none,
  'Email/set': ({ email, mailbox, blobs }, { email: own, inbox }) => [
    { update: { [email]: { 'keywords/$seen': true } } },
    { update: { [email]: { mailboxIds: { [inbox]: true } } } },
    { update: { [own]: { mailboxIds: { [mailbox]: true } } } },
    { destroy: [email] },
    { create: { a: { mailboxIds: { [mailbox]: true }, subject: 'x' } } },
    ...blobs.map((blobId) => ({
      create: {
        a: {
          mailboxIds: { [inbox]: true },
          bodyStructure: { type: 'multipart/mixed', subParts: [{ blobId, type: 'a/b' }] },
        },
      },
    })),
  ],
  'Email/copy': none,
  'Email/import': ({ blobs, mailbox }, { inbox }) => [
    ...blobs.map((blobId) => ({ emails: { a: { blobId, mailboxIds: { [inbox]: true } } } })),
    { emails: { a: { blobId: 'B1', mailboxIds: { [mailbox]: true } } } },
  ],
  'Email/parse': ({ blobs }) => [{ blobIds: blobs }],
  'Identity/get': get('identity'),
  'Identity/changes': none,
  'Identity/set': ({ identity }) => [{ update: { [identity]: { name: 'eve' } } }, { destroy: [identity] }],
  'EmailSubmission/get': get('submission'),
  'EmailSubmission/changes': none,
  'EmailSubmission/query': ({ submission, email, thread, identity }) => [
    { filter: { emailIds: [email] } },
    { filter: { threadIds: [thread] } },
    { filter: { identityIds: [identity] } },
    { anchor: submission },
  ],
  'EmailSubmission/queryChanges': none,
  'EmailSubmission/set': ({ submission, email, identity }, { email: own }) => [
    { update: { [submission]: { undoStatus: 'canceled' } } },
    { destroy: [submission] },
    { create: { a: { identityId: 'I0', emailId: email } } },
    { create: { a: { identityId: identity, emailId: own } } },
    { onSuccessDestroyEmail: [submission] },
  ],
  'VacationResponse/get': none,
  'VacationResponse/set': none,
  'SearchSnippet/get': ({ email }) => [{ emailIds: [email], filter: { text: 'secret' } }],
  'Blob/get': ({ blobs }) => [{ ids: blobs }, { ids: blobs, properties: ['size', 'digest:sha'] }],
  'Blob/upload': ({ blobs }) => blobs.map((blobId) => ({ create: { a: { data: [{ blobId }] } } })),
  'Blob/copy': ({ blobs }) => [{ fromAccountId: 'A2', blobIds: blobs }],
  'Blob/lookup': ({ blobs }) => [{ ids: blobs, typeNames: ['Email', 'Thread', 'Mailbox'] }],
  'Quota/get': none,
  'Quota/changes': none,
  'Quota/query': none,
  'Quota/queryChanges': none,
  'SieveScript/get': get('script'),
  'SieveScript/query': ({ script }) => [{ anchor: script }],
  'SieveScript/set': ({ script, blobs }) => [
    { update: { [script]: { name: 'mine' } } },
    { destroy: [script] },
    { onSuccessActivateScript: script },
    ...blobs.map((blobId) => ({ create: { a: { blobId } } })),
  ],
  'SieveScript/validate': ({ blobs }) => blobs.map((blobId) => ({ blobId })),
};

/** Methods that belong to the login, not to an account: they have no accountId (RFC 8620 section 7.2). */
const WITHOUT_ACCOUNT = /^PushSubscription\//;

describe('what is another account’s is nowhere, whoever asks for it', () => {
  let server: TestServer;
  let bob: JmapClient;
  let eve: JmapClient;
  let theirs: Ids;
  let mine: Mine;
  const names = [...methods.keys()].filter((name) => !WITHOUT_ACCOUNT.test(name));

  before(async () => {
    server = await startTestServer({ accounts: ['bob@example.test', 'eve@example.test'] });
    bob = await jmapClient(server, 'bob@example.test');
    eve = await jmapClient(server, 'eve@example.test');
    const box = await mailboxes(bob);
    // Threads and the like are numbered in each account: bob's are to have numbers that eve never gets to.
    for (let i = 0; i < 5; i++) {
      const rename = (n: number): [string, Args] => [
        'Mailbox/set',
        { accountId: bob.accountId, update: { [box['archive'] ?? '']: { name: `Archive ${i} ${n}` } } },
      ];
      await bob.calls(...Array.from({ length: 16 }, (_, n) => rename(n)));
    }
    const text =
      'From: bob@example.test\nTo: bob@example.test\nSubject: secret\nMessage-ID: <s@example.test>\n\nsecret\n';
    const email = await put(bob, text, box['inbox'] ?? '');
    const [facts] = (await bob.call('Email/get', { ids: [email], properties: ['threadId', 'blobId'] }))[
      'list'
    ];
    const upload = await bob.upload('keep;');
    const { created: identity } = await bob.call('Identity/set', {
      create: { a: { name: 'Bob', email: 'bob@example.test' } },
    });
    const mailFrom = { email: 'bob@example.test', parameters: { HOLDFOR: '86400' } };
    const { created: sent } = await bob.call('EmailSubmission/set', {
      create: {
        a: {
          identityId: 'I0',
          emailId: email,
          envelope: { mailFrom, rcptTo: [{ email: 'bob@example.test', parameters: null }] },
        },
      },
    });
    const { created: script } = await bob.call('SieveScript/set', {
      create: { a: { name: 'bob’s', blobId: upload } },
    });
    theirs = {
      email,
      thread: facts.threadId,
      mailbox: box['sent'] ?? '',
      identity: identity.a.id,
      submission: sent.a.id,
      script: script.a.id,
      blobs: [facts.blobId, `${facts.blobId}-1`, upload, script.a.blobId],
    };
    const inbox = (await mailboxes(eve))['inbox'] ?? '';
    mine = { inbox, email: await put(eve, 'From: eve@example.test\nTo: eve@example.test\n\nmine\n', inbox) };
  });
  after(() => server.close());

  /** An answer with every id and state that differs by what was asked for written as one word. */
  function plain(answer: unknown, ids: Ids): string {
    const { blobs, ...rest } = ids;
    const all = [...blobs, ...Object.values(rest)].toSorted((a, b) => b.length - a.length);
    let text = JSON.stringify(answer);
    for (const id of all) text = text.replaceAll(id, '…');
    return text
      .replace(/"(?:oldState|newState|state|queryState|oldQueryState|newQueryState)":"[^"]*"/g, '"state":""')
      .replace(/"id":"[A-Z]\d+"|"blobId":"[A-Z]\d+"|"threadId":"T\d+"|"size":\d+/g, '"…":""');
  }

  /** All that bob has, as he sees it. */
  async function everything(): Promise<unknown> {
    const calls = ['Mailbox/get', 'Thread/get', 'Identity/get', 'EmailSubmission/get', 'SieveScript/get'];
    const lists = await bob.calls(
      ...calls.map((name) => [name, { accountId: bob.accountId, ids: null }] as const),
      ['Email/get', { accountId: bob.accountId, ids: [theirs.email] }],
    );
    return lists.map(([, answer]) => answer);
  }

  it('every method has a row', () => {
    assert.deepEqual(
      names.filter((name) => ROWS[name] === undefined),
      [],
      'write a row of calls with ids of another account',
    );
    assert.deepEqual(
      Object.keys(ROWS).filter((name) => !methods.has(name)),
      [],
    );
  });

  it('in one’s own account, another’s ids are answered like ids of nothing, and change nothing', async () => {
    const before = await everything();
    for (const name of names) {
      const row = ROWS[name] ?? none;
      const real = row(theirs, mine);
      const absent = row(ABSENT, mine);
      for (const [i, args] of real.entries()) {
        const ask = async (given: Args | undefined): Promise<Answer> => {
          const [answer] = await eve.calls([name, { accountId: eve.accountId, ...given }]);
          assert.ok(answer);
          return answer;
        };
        const [one, two] = [await ask(args), await ask(absent[i])];
        assert.equal(plain(one, theirs), plain(two, ABSENT), `${name} ${JSON.stringify(args)}`);
        assert.doesNotMatch(JSON.stringify(one), /secret|bob@/, `${name} ${JSON.stringify(args)}`);
      }
    }
    assert.deepEqual(await everything(), before);
  });

  it('another’s account is not there for any method', async () => {
    const before = await everything();
    for (const name of names) {
      if (name === 'Core/echo') continue;
      for (const args of (ROWS[name] ?? none)(theirs, mine)) {
        const asked = { ...args, ...(name.endsWith('/copy') && { fromAccountId: eve.accountId }) };
        const [answer] = await eve.calls([name, { accountId: bob.accountId, ...asked }]);
        const [other] = await eve.calls([name, { accountId: 'A900000', ...asked }]);
        assert.deepEqual(answer, ['error', { type: 'accountNotFound' }], name);
        assert.deepEqual(answer, other, name);
      }
    }
    const from = { accountId: eve.accountId, fromAccountId: bob.accountId, create: {} };
    assert.deepEqual(await eve.calls(['Email/copy', from]), [['error', { type: 'fromAccountNotFound' }]]);
    assert.deepEqual(await everything(), before);
  });

  it('nor for uploads and downloads', async () => {
    const status = async (path: string, init: RequestInit = {}): Promise<number> =>
      (await fetch(eve.url(path), { headers: eve.headers, ...init })).status;
    for (const blob of [...theirs.blobs, ...ABSENT.blobs]) {
      for (const account of [eve.accountId, bob.accountId, 'A900000'])
        assert.equal(await status(`/jmap/download/${account}/${blob}/x`), 404, `${account} ${blob}`);
    }
    for (const account of [bob.accountId, 'A900000'])
      assert.equal(await status(`/jmap/upload/${account}/`, { method: 'POST', body: 'x' }), 404);
  });
});

describe('a login does what it is for', () => {
  /** What each method asks for besides reading mail. */
  const SCOPES: Readonly<Record<string, string>> = {
    'EmailSubmission/set': 'send',
    'Identity/set': 'settings',
    'VacationResponse/set': 'settings',
    'SieveScript/set': 'settings',
  };

  it('and nothing else: "forbidden", before anything is looked at', async () => {
    for (const { name, scope, capability } of methods.values()) {
      assert.equal(scope, SCOPES[name] ?? 'mail', name);
      if (scope === 'mail') continue;
      const context = { login: { scopes: new Set(['mail']) } } as unknown as Context;
      const request = {
        using: new Set([CAPABILITY.core, capability]),
        calls: [[name, { accountId: 'A1' }, '0']] as const,
        createdIds: undefined,
      };
      const [answer] = await runRequest(context, methods, request);
      assert.deepEqual([answer?.[0], answer?.[1]['type']], ['error', 'forbidden'], name);
    }
  });
});
