/** What RFC 8621 says that a server must, case by case, where other tests do not say it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Answer, type Args, jmapClient, type JmapClient, mailboxes, put } from './client.ts';

const FIRST = `From: "Ann" <ann@else.test>
To: bob@example.test
Subject: plans
Message-ID: <p1@else.test>
Date: Mon, 1 Jan 2024 10:00:00 +0100
X-Num: 1
X-Num: 2

Plans for all.
`;
const SECOND = FIRST.replace('<p1@', '<p2@').replace(
  'Subject: plans',
  'Subject: Re: plans\nIn-Reply-To: <p1@else.test>',
);

describe('RFC 8621', () => {
  let server: TestServer;
  let bob: JmapClient;
  let box: Record<string, string>;
  let one = '';
  let two = '';
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    box = await mailboxes(bob);
    one = await put(bob, FIRST, box['inbox'] ?? '', { receivedAt: '2024-01-01T09:00:00Z' });
    two = await put(bob, SECOND, box['inbox'] ?? '', { receivedAt: '2024-01-02T09:00:00Z' });
  });
  after(() => server.close());

  const email = async (id: string, properties: readonly string[]): Promise<Answer> =>
    (await bob.call('Email/get', { ids: [id], properties }))['list'][0] as Answer;
  const mailboxSet = (args: Args): Promise<Answer> => bob.call('Mailbox/set', args);

  it('2: a mailbox has all its properties, and rights that say what may be done', async () => {
    const { list } = await bob.call('Mailbox/get', { ids: [box['inbox']] });
    const names = [
      'id',
      'name',
      'parentId',
      'role',
      'sortOrder',
      'totalEmails',
      'unreadEmails',
      'totalThreads',
      'unreadThreads',
      'myRights',
      'isSubscribed',
    ];
    assert.deepEqual(Object.keys(list[0]).toSorted(), names.toSorted());
    const rights = [
      'mayReadItems',
      'mayAddItems',
      'mayRemoveItems',
      'maySetSeen',
      'maySetKeywords',
      'mayCreateChild',
      'mayRename',
      'mayDelete',
      'maySubmit',
    ];
    assert.deepEqual(Object.keys(list[0].myRights).toSorted(), rights.toSorted());
    assert.deepEqual([list[0].totalEmails, list[0].totalThreads], [2, 1]);
  });

  it('2: no two siblings have a name, no two mailboxes a role', async () => {
    const made = await mailboxSet({ create: { a: { name: 'Twice' } } });
    const again = await mailboxSet({ create: { a: { name: 'Twice' } } });
    assert.ok(again['notCreated'].a);
    const role = await mailboxSet({ create: { a: { name: 'Other sent', role: 'sent' } } });
    assert.equal(role['notCreated'].a.type, 'invalidProperties');
    const loop = await mailboxSet({ update: { [made['created'].a.id]: { parentId: made['created'].a.id } } });
    assert.equal(loop['notUpdated'][made['created'].a.id].type, 'invalidProperties');
  });

  it('2.5: what has children or emails is not destroyed unasked', async () => {
    const { created } = await mailboxSet({
      create: { a: { name: 'Top' }, b: { name: 'Below', parentId: '#a' } },
    });
    const [a, b] = [created.a.id as string, created.b.id as string];
    assert.equal((await mailboxSet({ destroy: [a] }))['notDestroyed'][a].type, 'mailboxHasChild');
    const inside = await put(bob, FIRST.replace('<p1@', '<p3@'), b);
    assert.equal((await mailboxSet({ destroy: [b] }))['notDestroyed'][b].type, 'mailboxHasEmail');
    assert.deepEqual((await mailboxSet({ destroy: [b], onDestroyRemoveEmails: true }))['destroyed'], [b]);
    assert.deepEqual((await bob.call('Email/get', { ids: [inside] }))['notFound'], [inside]);
  });

  it('3: a thread has its emails, the oldest first', async () => {
    const { threadId } = await email(one, ['threadId']);
    const { list } = await bob.call('Thread/get', { ids: [threadId] });
    assert.deepEqual(list[0].emailIds, [one, two]);
  });

  it('4.1: header forms, all of a field, and what a form is not for', async () => {
    const found = await email(one, [
      'header:From:asAddresses',
      'header:x-num:all',
      'header:X-Num',
      'header:Subject:asText',
      'header:Date:asDate',
      'header:message-id:asMessageIds',
      'header:None',
    ]);
    assert.deepEqual(found['header:From:asAddresses'], [{ name: 'Ann', email: 'ann@else.test' }]);
    assert.deepEqual(found['header:x-num:all'], [' 1', ' 2']);
    assert.equal(found['header:X-Num'], ' 2');
    assert.equal(found['header:Subject:asText'], 'plans');
    assert.equal(found['header:Date:asDate'], '2024-01-01T10:00:00+01:00');
    assert.deepEqual(found['header:message-id:asMessageIds'], ['p1@else.test']);
    assert.equal(found['header:None'], null);
    assert.equal(
      await bob.error('Email/get', { ids: [one], properties: ['header:From:asDate'] }),
      'invalidArguments',
    );
    assert.equal(
      await bob.error('Email/get', { ids: [one], properties: ['header:From:asMoon'] }),
      'invalidArguments',
    );
  });

  it('4.1.1: keywords are in lower case, and only what may be one', async () => {
    const set = (patch: Args): Promise<Answer> => bob.call('Email/set', { update: { [one]: patch } });
    await set({ keywords: { $Flagged: true, MixedCase: true } });
    assert.deepEqual((await email(one, ['keywords']))['keywords'], { $flagged: true, mixedcase: true });
    for (const bad of ['a b', 'a(', '', 'x'.repeat(256), 'ä'])
      assert.equal(
        (await set({ keywords: { [bad]: true } }))['notUpdated'][one].type,
        'invalidProperties',
        bad,
      );
    assert.equal((await set({ keywords: { a: false } }))['notUpdated'][one].type, 'invalidProperties');
    assert.equal((await set({ mailboxIds: {} }))['notUpdated'][one].type, 'invalidProperties');
  });

  it('4.4: collapsed threads show once, and conditions on threads look at all of them', async () => {
    const query = async (args: Args): Promise<unknown> =>
      (await bob.call('Email/query', { sort: [{ property: 'receivedAt', isAscending: false }], ...args }))[
        'ids'
      ];
    const filter = { inMailbox: box['inbox'] };
    assert.deepEqual(await query({ filter }), [two, one]);
    assert.deepEqual(await query({ filter, collapseThreads: true }), [two]);
    assert.deepEqual(await query({ filter: { someInThreadHaveKeyword: '$flagged' } }), [two, one]);
    assert.deepEqual(await query({ filter: { allInThreadHaveKeyword: '$flagged' } }), []);
    assert.deepEqual(await query({ filter: { before: '2024-01-02T00:00:00Z' } }), [one]);
    assert.deepEqual(await query({ filter: { after: '2024-01-02T00:00:00Z' } }), [two]);
    assert.deepEqual(await query({ filter: { header: ['In-Reply-To'] } }), [two]);
    assert.deepEqual(await query({ filter: { operator: 'NOT', conditions: [{ subject: 're' }] } }), [one]);
  });

  it('4.6: a new email has at least one mailbox; header fields and body are not given twice', async () => {
    const create = async (more: Args): Promise<string | undefined> => {
      const a = { mailboxIds: { [box['drafts'] ?? '']: true }, ...more };
      return (await bob.call('Email/set', { create: { a } }))['notCreated']?.a.type as string | undefined;
    };
    assert.equal(await create({ mailboxIds: {} }), 'invalidProperties');
    assert.equal(await create({ headers: [{ name: 'X', value: 'y' }] }), 'invalidProperties');
    assert.equal(await create({ subject: 'x', 'header:Subject:asText': 'y' }), 'invalidProperties');
    assert.equal(await create({ 'header:Content-Type': 'text/plain' }), 'invalidProperties');
    const text = { partId: 't', type: 'text/plain' };
    assert.equal(
      await create({ bodyStructure: text, textBody: [text], bodyValues: { t: { value: 'x' } } }),
      'invalidProperties',
    );
    assert.equal(await create({ textBody: [text], bodyValues: {} }), 'invalidProperties');
    assert.equal(await create({ textBody: [{ blobId: 'U999', type: 'text/plain' }] }), 'blobNotFound');
    assert.equal(
      await create({ subject: 'fine', textBody: [text], bodyValues: { t: { value: 'x' } } }),
      undefined,
    );
  });

  it('4.6: a text may bring its own Content-Type for format=flowed, in place of its type', async () => {
    const create = async (part: Args): Promise<Answer> => {
      const textBody = [{ partId: 't', ...part }];
      const bodyValues = { t: { value: 'one line that \nflows\n' } };
      const a = { mailboxIds: { [box['drafts'] ?? '']: true }, subject: 'flows', textBody, bodyValues };
      return bob.call('Email/set', { create: { a } });
    };
    const field = 'header:Content-Type';
    const made = await create({ [field]: ' text/plain; format=flowed; delsp=no' });
    const { list } = await bob.call('Email/get', {
      ids: [made['created'].a.id],
      properties: ['textBody', 'bodyValues'],
      bodyProperties: ['partId', 'type', 'charset', `${field}:asRaw`],
      fetchTextBodyValues: true,
    });
    const { textBody, bodyValues } = list[0];
    assert.equal(textBody[0].type, 'text/plain');
    assert.equal(textBody[0].charset, 'utf-8');
    assert.match(textBody[0][`${field}:asRaw`], /format=flowed;\s*delsp=no/);
    assert.equal(bodyValues[textBody[0].partId].value, 'one line that \nflows\n');
    for (const bad of [
      { [field]: 'text/plain; format=flowed', type: 'text/plain' },
      { [field]: 'text/html' },
      { [field]: 'text/plain; charset=utf-7' },
      { [field]: 'text/plain; format=flowed\r\nBcc: a@b.test' },
    ])
      assert.equal((await create(bad))['notCreated']?.a.type, 'invalidProperties', JSON.stringify(bad));
  });

  it('4.8: Email/import needs a blob that is there; 4.9: Email/parse says what it cannot', async () => {
    const answer = await bob.call('Email/import', {
      emails: { a: { blobId: 'U999', mailboxIds: { [box['inbox'] ?? '']: true } } },
    });
    assert.ok(['blobNotFound', 'invalidProperties'].includes(answer['notCreated'].a.type));
    const parsed = await bob.call('Email/parse', { blobIds: ['U999', await bob.upload(FIRST)] });
    assert.deepEqual(parsed['notFound'], ['U999']);
    const [told] = Object.values(parsed['parsed'] as Record<string, Answer>);
    assert.equal(told?.['subject'], 'plans');
  });

  it('6: an identity is only of an address one may send as, and its address stays', async () => {
    const set = (args: Args): Promise<Answer> => bob.call('Identity/set', args);
    assert.equal(
      (await set({ create: { a: { email: 'alice@example.test' } } }))['notCreated'].a.type,
      'forbiddenFrom',
    );
    const { created } = await set({ create: { a: { name: 'B', email: 'bob@example.test' } } });
    const moved = await set({ update: { [created.a.id]: { email: 'x@example.test' } } });
    assert.equal(moved['notUpdated'][created.a.id].type, 'invalidProperties');
    assert.deepEqual((await set({ destroy: [created.a.id] }))['destroyed'], [created.a.id]);
  });

  it('7: a submission has all its properties, and only undoStatus is changed', async () => {
    const { created } = await bob.call('Email/set', {
      create: {
        a: {
          mailboxIds: { [box['drafts'] ?? '']: true },
          from: [{ email: 'bob@example.test' }],
          to: [{ email: 'alice@example.test' }],
          subject: 'x',
        },
      },
    });
    const sent = await bob.call('EmailSubmission/set', {
      create: { s: { identityId: 'I0', emailId: created.a.id } },
    });
    const id = sent['created'].s.id as string;
    const { list } = await bob.call('EmailSubmission/get', { ids: [id] });
    const names = [
      'id',
      'identityId',
      'emailId',
      'threadId',
      'envelope',
      'sendAt',
      'undoStatus',
      'deliveryStatus',
      'dsnBlobIds',
      'mdnBlobIds',
    ];
    assert.deepEqual(Object.keys(list[0]).toSorted(), names.toSorted());
    assert.deepEqual(list[0].envelope.rcptTo, [{ email: 'alice@example.test', parameters: null }]);
    assert.equal(list[0].deliveryStatus['alice@example.test'].delivered, 'yes');
    const patched = await bob.call('EmailSubmission/set', { update: { [id]: { emailId: one } } });
    assert.equal(patched['notUpdated'][id].type, 'invalidProperties');
    const unknown = await bob.call('EmailSubmission/set', {
      create: { s: { identityId: 'I9', emailId: one }, t: { identityId: 'I0', emailId: 'M999' } },
    });
    assert.deepEqual(
      [unknown['notCreated'].s.type, unknown['notCreated'].t.type],
      ['invalidProperties', 'invalidProperties'],
    );
  });

  it('8: the vacation answer is a singleton', async () => {
    const { list } = await bob.call('VacationResponse/get', { ids: null });
    assert.equal(list[0].id, 'singleton');
    const set = await bob.call('VacationResponse/set', { create: { a: {} }, destroy: ['singleton'] });
    assert.deepEqual(
      [set['notCreated'].a.type, set['notDestroyed'].singleton.type],
      ['singleton', 'singleton'],
    );
  });
});
