/** Every operation of the account API with the ids of somebody else: it answers as if there were no such thing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import {
  startTestServer,
  TEST_PASSWORD,
  testActor,
  type TestServer,
} from '../../../../test/support/server.ts';
import { ACCOUNT_PREFIX, type AccountOperation } from './operation.ts';
import { accountOperations } from './operations.ts';

const OWNER = 'alice@example.test';
const THIEF = 'bob@example.test';
const DAY = 24 * 3_600_000;

/** What the owner has, by the ids that requests name. */
interface Owned {
  readonly email: string;
  readonly deleted: string;
  readonly mailbox: string;
  readonly masked: number;
  readonly case: string;
  readonly contact: string;
  readonly key: number;
}

/** Requests of the thief for one operation, each with an id of the owner; `own`: it takes none. */
type Case = 'own' | ((ids: Owned) => readonly { readonly path?: object; readonly input?: object }[]);

const until = Date.UTC(2029, 0, 1);

/** By area and name, as in the table: an operation without a case fails the test below. */
const CASES: Readonly<Record<string, Readonly<Record<string, Case>>>> = {
  explaining: {
    explain: ({ email, deleted }) => [{ path: { emailId: email } }, { path: { emailId: deleted } }],
  },
  senders: { list: 'own', set: 'own' },
  deleted: {
    list: 'own',
    restore: ({ deleted, email }) => [{ input: { ids: [deleted] } }, { input: { ids: [email] } }],
  },
  refused: {
    list: 'own',
    show: (ids) => [{ path: { case: ids.case } }],
    release: (ids) => [{ path: { case: ids.case } }],
    remove: (ids) => [{ path: { case: ids.case } }],
  },
  masks: {
    list: 'own',
    add: 'own',
    change: ({ masked }) => [{ path: { id: masked }, input: { state: 'off', label: 'mine now' } }],
    remove: ({ masked }) => [{ path: { id: masked } }],
  },
  contacts: { list: 'own', forget: ({ contact }) => [{ path: { address: contact } }] },
  snooze: {
    put: ({ email, mailbox }) => [
      { input: { emailIds: [email], until } },
      { input: { emailIds: [email], until, mailboxId: mailbox } },
    ],
    wake: ({ email }) => [{ input: { emailIds: [email] } }],
    list: 'own',
  },
  images: { show: 'own' },
  lists: { leave: ({ email }) => [{ input: { emailId: email } }] },
  sieve: {
    vacation: 'own',
    setVacation: 'own',
    forward: 'own',
    setForward: 'own',
    rules: 'own',
    setRules: 'own',
    generated: 'own',
  },
  settings: { labels: 'own', setLabels: 'own', show: 'own', set: 'own' },
  search: { suggest: 'own' },
  keys: {
    list: 'own',
    show: ({ key }) => [{ path: { id: key } }],
    put: 'own',
    trust: ({ key }) => [{ path: { id: key }, input: { trusted: false } }],
    remove: ({ key }) => [{ path: { id: key } }],
    lookup: 'own',
  },
  smime: { authorities: 'own' },
};

describe('ids of another account', () => {
  let server: TestServer;
  let ids: Owned;

  before(async () => {
    server = await startTestServer();
    ids = await ownThings(server);
  });
  after(() => server.close());

  const request = async (row: AccountOperation, who: string, path: object, input: object) => {
    const inQuery = row.method === 'GET' || row.method === 'DELETE';
    const filled = row.path.replaceAll(/:(\w+)/g, (_, name: string) =>
      encodeURIComponent(String((path as Record<string, unknown>)[name])),
    );
    const response = await fetch(`http://127.0.0.1:${server.ports.http}${ACCOUNT_PREFIX}${filled}`, {
      method: row.method,
      headers: {
        authorization: `Basic ${Buffer.from(`${who}:${TEST_PASSWORD}`).toString('base64')}`,
        ...(!inQuery && { 'content-type': 'application/json' }),
      },
      ...(!inQuery && { body: JSON.stringify(input) }),
    });
    return { status: response.status, text: await response.text() };
  };

  it('every operation has a case', () => {
    const named = (table: object) =>
      Object.entries(table).flatMap(([area, rows]) =>
        Object.keys(rows as object).map((name) => `${area}.${name}`),
      );
    assert.deepEqual(named(CASES).toSorted(), named(accountOperations).toSorted());
  });

  it('are those of nothing, and nothing of the owner changes', async () => {
    const before = await snapshot(server);
    for (const [area, rows] of Object.entries(accountOperations)) {
      for (const [name, given] of Object.entries(rows)) {
        const row = given as unknown as AccountOperation;
        const made = CASES[area]?.[name];
        assert.ok(made, `${area}.${name} has no case`);
        if (made === 'own') {
          assert.ok(!row.path.includes(':'), `${area}.${name} names something in its path`);
          continue;
        }
        for (const { path = {}, input = {} } of made(ids)) {
          const { status, text } = await request(row, THIEF, path, input);
          assert.equal(status, 404, `${area}.${name}: ${status} ${text}`);
          assert.ok(!text.includes(OWNER), `${area}.${name} names the owner: ${text}`);
        }
      }
    }
    assert.deepEqual(await snapshot(server), before);
  });

  it('are answered as ids that never were', async () => {
    for (const [area, rows] of Object.entries(accountOperations)) {
      for (const [name, given] of Object.entries(rows)) {
        const row = given as unknown as AccountOperation;
        const made = CASES[area]?.[name];
        if (made === undefined || made === 'own') continue;
        const never: Owned = {
          email: 'M999999',
          deleted: 'M999998',
          mailbox: 'F999999',
          masked: 999_999,
          case: 'ZZZZZ-ZZZZZ',
          contact: 'never@nowhere.example',
          key: 999_997,
        };
        const [real] = made(ids);
        const [unreal] = made(never);
        const [a, b] = [
          await request(row, THIEF, real?.path ?? {}, real?.input ?? {}),
          await request(row, THIEF, unreal?.path ?? {}, unreal?.input ?? {}),
        ];
        const words = (text: string) => text.replaceAll(/[A-Z0-9]{5}-[A-Z0-9]{5}/g, 'CASE');
        assert.deepEqual([a.status, words(a.text)], [b.status, words(b.text)], `${area}.${name}`);
      }
    }
  });
});

async function ownThings(server: TestServer): Promise<Owned> {
  const { read, write } = server.store;
  const { id: accountId } = await server.account(OWNER);
  const box = await read.run('mailstore.mailbox', { accountId, name: 'INBOX' });
  assert.ok(box);
  const octets = Buffer.from('Subject: mine\r\nList-Unsubscribe: <https://x.example/>\r\n\r\nhello\r\n');
  const content = {
    envelope: Buffer.from('(NIL "mine" NIL NIL NIL NIL NIL NIL NIL NIL)'),
    bodystructure: Buffer.from('()'),
    structure: '{}',
    sentAt: undefined,
    messageId: undefined,
    references: [],
  };
  const blob = { size: octets.length, encoding: 'raw', data: octets, file: undefined } as const;
  const append = async () => {
    const deposit = {
      accountId,
      mailbox: { name: 'INBOX' },
      prefix: Buffer.alloc(0),
      hidden: [],
      set: { flags: 0, keywords: [] },
      receivedAt: 1,
      trace: undefined,
      ignoreQuota: false,
    };
    return write.run('mailstore.append', { accountId, mailboxId: box.id, blob, content, deposit });
  };
  const deleted = await append();
  await write.run('mailstore.expunge', { accountId, mailboxId: box.id, anyFlag: true });
  const { emailId } = await append();
  const masked = await write.run('account.addMasked', {
    actor: testActor,
    accountId,
    label: 'shop',
    site: '',
  });
  const key = await write.run('account.putKey', {
    accountId,
    kind: 'pgp',
    address: 'friend@b.example',
    fingerprint: 'ab'.repeat(20),
    data: Buffer.from('key'),
    source: 'given',
    trusted: true,
  });
  const caseNumber = 'ABCDE-FGHJK';
  await write.run('delivery.accept', {
    blob,
    content,
    deposits: [],
    overQuota: 'junk',
    queue: [],
    events: [],
    sent: { accountId, addresses: ['friend@b.example'], messageId: undefined },
    vault: {
      caseNumber,
      trace: 't',
      kind: 'held',
      reversePath: 'x@y.example',
      ip: '192.0.2.1',
      author: 'x@y.example',
      subject: 's',
      reason: 'r',
      verdict: '{}',
      expiresAt: Date.now() + DAY,
      received: Buffer.alloc(0),
      hidden: [],
      recipients: [{ accountId, address: OWNER }],
    },
  });
  return {
    email: `M${emailId}`,
    deleted: `M${deleted.emailId}`,
    mailbox: `F${box.id}`,
    masked: masked.id,
    case: caseNumber,
    contact: 'friend@b.example',
    key: key.id,
  };
}

/** All that an attack could have changed. */
async function snapshot(server: TestServer): Promise<unknown> {
  const { read } = server.store;
  const { id: accountId } = await server.account(OWNER);
  return {
    mailboxes: await read.run('mailstore.mailboxes', { accountId }),
    masked: await read.run('account.masked', { accountId }),
    snoozed: await read.run('account.snoozed', { accountId }),
    deleted: await read.run('account.deleted', { accountId, limit: 10 }),
    contacts: await read.run('account.contacts', { accountId, q: '', limit: 10 }),
    vault: await read.run('vault.list', { scope: { accountId }, limit: 10 }),
    lists: await read.run('spam.lists', { account: OWNER }),
    keys: await read.run('account.keys', { accountId }),
    sieve: await read.run('sieve.settings', { accountId }),
  };
}
