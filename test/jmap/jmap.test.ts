import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Answer, type Args, CORE, jmapClient, type JmapClient, mailboxes, put } from './client.ts';

const PLAIN = `From: Ann <ann@else.test>
To: bob@example.test
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= from afar
Date: Mon, 1 Jan 2024 10:00:00 +0100
Message-ID: <one@else.test>

The quick <brown> fox
jumps.
`;
const REPLY = PLAIN.replace('<one@else.test>', '<two@else.test>\nIn-Reply-To: <one@else.test>');
const MIXED = `From: Carl <carl@else.test>
To: bob@example.test, "D, E" <de@else.test>
Subject: files
Message-ID: <three@else.test>
List-Unsubscribe: <https://else.test/u>, <mailto:u@else.test>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

caf=E9
--c
Content-Type: text/html

<p>caf&eacute;</p>
--c--
--b
Content-Type: message/rfc822

Subject: inner
Content-Type: text/plain

within
--b
Content-Type: application/pdf; name="a.pdf"
Content-Disposition: attachment; filename="a.pdf"
Content-Transfer-Encoding: base64

JVBERi0=
--b--
`;

describe('JMAP', () => {
  let server: TestServer;
  let bob: JmapClient;
  let box: Record<string, string>;
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    box = await mailboxes(bob);
  });
  after(() => server.close());

  const inbox = (): Args => ({ [box['inbox'] ?? '']: true });
  const one = async (id: string, more: Args = {}): Promise<Answer> =>
    (await bob.call('Email/get', { ids: [id], ...more }))['list'][0] as Answer;
  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(bob.url('/jmap/api'), {
      method: 'POST',
      headers: { ...bob.headers, 'content-type': 'application/json', ...headers },
      body,
    });

  it('is found, and lets in who knows the password', async () => {
    const found = await fetch(bob.url('/.well-known/jmap'), { redirect: 'manual' });
    assert.equal(found.status, 302);
    assert.equal(found.headers.get('location'), '/jmap/session');
    assert.equal((await fetch(bob.url('/jmap/session'))).status, 401);
    const wrong = { authorization: `Basic ${btoa('bob@example.test:nonsense')}` };
    assert.equal((await fetch(bob.url('/jmap/session'), { headers: wrong })).status, 401);
    const session = (await (
      await fetch(bob.url('/jmap/session'), { headers: bob.headers })
    ).json()) as Answer;
    assert.equal(session['username'], 'bob@example.test');
    assert.equal(session['capabilities'][CORE].maxCallsInRequest, 16);
    assert.deepEqual(Object.keys(session['accounts']), [bob.accountId]);
  });

  it('refuses what is no request, by name', async () => {
    const type = async (response: Response): Promise<unknown> => {
      assert.match(response.headers.get('content-type') ?? '', /problem\+json/);
      const { type: name, limit } = (await response.json()) as Answer;
      return limit === undefined ? name : [name, limit];
    };
    const error = 'urn:ietf:params:jmap:error:';
    assert.equal(await type(await post('{')), `${error}notJSON`);
    assert.equal(await type(await post('{}', { 'content-type': 'text/plain' })), `${error}notJSON`);
    assert.equal(await type(await post('{}')), `${error}notRequest`);
    assert.equal(await type(await post('{"using":["x"],"methodCalls":[]}')), `${error}unknownCapability`);
    const calls = Array.from({ length: 17 }, (_, i) => ['Core/echo', {}, String(i)]);
    assert.deepEqual(await type(await post(JSON.stringify({ using: [CORE], methodCalls: calls }))), [
      `${error}limit`,
      'maxCallsInRequest',
    ]);
    const large = JSON.stringify({ using: [CORE], methodCalls: [], x: 'y'.repeat(10_000_001) });
    assert.deepEqual(await type(await post(large)), [`${error}limit`, 'maxSizeRequest']);
  });

  it('echoes, refers back, and names the errors of methods', async () => {
    const reference = (path: string, name = 'Core/echo'): Args => ({ resultOf: 'a', name, path });
    const answers = await bob.calls(
      ['Core/echo', { list: [{ ids: ['x', 'y'] }, { ids: ['z'] }], 'a/b': 1 }, 'a'],
      [
        'Core/echo',
        {
          '#all': reference('/list/*/ids'),
          '#first': reference('/list/0/ids/0'),
          '#slash': reference('/a~1b'),
        },
      ],
      ['Core/echo', { '#x': reference('/none') }],
      ['Core/echo', { '#x': reference('/list', 'Email/get') }],
      ['Core/echo', { '#x': reference('/list'), x: 1 }],
      ['No/such', {}],
      ['Email/get', { accountId: 'A1', ids: [] }],
      ['Email/get', { accountId: bob.accountId, ids: 3 }],
      ['Email/get', { accountId: bob.accountId, ids: Array.from({ length: 501 }, (_, i) => `M${i}`) }],
    );
    assert.deepEqual(answers[1]?.[1], { all: ['x', 'y', 'z'], first: 'x', slash: 1 });
    assert.deepEqual(
      answers.slice(2).map(([, { type }]) => type),
      [
        'invalidResultReference',
        'invalidResultReference',
        'invalidArguments',
        'unknownMethod',
        'accountNotFound',
        'invalidArguments',
        'requestTooLarge',
      ],
    );
    const body = JSON.stringify({ using: [CORE], methodCalls: [['Email/get', {}, 'x']] });
    const answer = (await (await post(body)).json()) as Answer;
    assert.equal(answer['methodResponses'][0][1].type, 'unknownMethod', 'its capability was not asked for');
    assert.equal(typeof answer['sessionState'], 'string');
  });

  it('imports, gets, finds and takes apart mail', async () => {
    const first = await put(bob, PLAIN, box['inbox'] ?? '', { receivedAt: '2024-01-01T09:00:01Z' });
    const second = await put(bob, REPLY, box['inbox'] ?? '', {
      receivedAt: '2024-01-02T09:00:00Z',
      keywords: { $seen: true },
    });
    const third = await put(bob, MIXED, box['inbox'] ?? '');
    const email = await one(first, { fetchTextBodyValues: true });
    assert.equal(email['subject'], 'Grüße from afar');
    assert.deepEqual(email['from'], [{ name: 'Ann', email: 'ann@else.test' }]);
    assert.equal(email['sentAt'], '2024-01-01T10:00:00+01:00');
    assert.equal(email['receivedAt'], '2024-01-01T09:00:01Z');
    assert.equal(email['bodyValues']['1'].value, 'The quick <brown> fox\njumps.\n');
    assert.equal(email['threadId'], (await one(second))['threadId']);
    const mixed = await one(third, {
      properties: [
        'bodyStructure',
        'bodyValues',
        'textBody',
        'htmlBody',
        'attachments',
        'hasAttachment',
        'header:List-Unsubscribe:asURLs',
        'header:To:asGroupedAddresses',
        'headers',
      ],
      fetchAllBodyValues: true,
      maxBodyValueBytes: 4,
    });
    assert.equal(mixed['hasAttachment'], true);
    assert.deepEqual(mixed['header:List-Unsubscribe:asURLs'], ['https://else.test/u', 'mailto:u@else.test']);
    assert.equal(mixed['header:To:asGroupedAddresses'][0].addresses[1].name, 'D, E');
    assert.deepEqual(mixed['bodyValues']['1.1'], {
      value: 'caf',
      isEncodingProblem: false,
      isTruncated: true,
    });
    assert.deepEqual(
      mixed['attachments'].map((part: Answer) => part['type']),
      ['message/rfc822', 'application/pdf'],
    );
    assert.equal(mixed['bodyStructure'].subParts[0].subParts[1].partId, '1.2');
    const pdf = mixed['attachments'][1] as Answer;
    assert.deepEqual([pdf['size'], pdf['name']], [5, 'a.pdf']);
    const response = await bob.download(pdf['blobId'] as string);
    assert.equal(await response.text(), '%PDF-');
    assert.match(response.headers.get('content-disposition') ?? '', /^attachment/);
    const inner = mixed['attachments'][0].blobId as string;
    const parsed = await bob.call('Email/parse', { blobIds: [inner, 'B99999'], fetchAllBodyValues: true });
    assert.equal(parsed['parsed'][inner].subject, 'inner');
    assert.deepEqual(parsed['notFound'], ['B99999']);
    const nested = parsed['parsed'][inner].textBody[0].blobId as string;
    assert.equal((await (await bob.download(nested)).text()).trim(), 'within');
    assert.equal(
      await bob.error('Email/get', { ids: [first], properties: ['nonsense'] }),
      'invalidArguments',
    );
    assert.deepEqual((await bob.call('Email/get', { ids: ['M999', 'x'] }))['notFound'], ['M999', 'x']);

    const query = async (filter: Args, more: Args = {}): Promise<string[]> =>
      (
        await bob.call('Email/query', {
          filter,
          sort: [{ property: 'receivedAt', isAscending: true }],
          ...more,
        })
      )['ids'] as string[];
    assert.deepEqual(await query({ inMailbox: box['inbox'] }), [first, second, third]);
    assert.deepEqual(await query({ text: 'quick "brown> fox"' }), [first, second]);
    assert.deepEqual(await query({ body: 'café' }), [third]);
    assert.deepEqual(await query({ from: 'carl' }), [third]);
    assert.deepEqual(await query({ header: ['List-Unsubscribe'] }), [third]);
    assert.deepEqual(await query({ hasAttachment: true }), [third]);
    assert.deepEqual(await query({ operator: 'NOT', conditions: [{ hasKeyword: '$seen' }] }), [first, third]);
    assert.deepEqual(await query({ before: '2024-01-02T00:00:00Z' }), [first]);
    assert.deepEqual(await query({ inMailbox: box['inbox'] }, { collapseThreads: true }), [first, third]);
    assert.deepEqual(await query({}, { anchor: third, anchorOffset: -1, limit: 1 }), [second]);
    assert.deepEqual(await query({}, { position: -1 }), [third]);
    assert.deepEqual(await query({}, { sort: [{ property: 'from' }, { property: 'size' }] }), [
      first,
      second,
      third,
    ]);
    assert.equal(await bob.error('Email/query', { filter: { moon: 'full' } }), 'unsupportedFilter');
    assert.equal(await bob.error('Email/query', { sort: [{ property: 'colour' }] }), 'unsupportedSort');
    assert.equal(await bob.error('Email/query', { anchor: 'M999' }), 'anchorNotFound');

    const snippets = await bob.call('SearchSnippet/get', {
      filter: { text: 'fox brown' },
      emailIds: [first],
    });
    assert.match(snippets['list'][0].preview, /quick &lt;<mark>brown<\/mark>&gt; <mark>fox<\/mark>/);
    const threads = await bob.call('Thread/get', { ids: [email['threadId']] });
    assert.deepEqual(threads['list'][0].emailIds, [first, second]);
    const { list } = await bob.call('Mailbox/get', { ids: [box['inbox']] });
    const { totalEmails, unreadEmails, totalThreads, unreadThreads } = list[0] as Answer;
    assert.deepEqual([totalEmails, unreadEmails, totalThreads, unreadThreads], [3, 2, 2, 2]);
  });

  it('makes, changes and destroys emails, and tells of it', async () => {
    const start = (await bob.call('Email/get', { ids: [] }))['state'] as string;
    const query = { filter: { inMailbox: box['drafts'] } };
    const { queryState } = await bob.call('Email/query', query);
    const fileId = await bob.upload('a,b\n', 'text/csv');
    const made = await bob.call('Email/set', {
      create: {
        k: {
          mailboxIds: { [box['drafts'] ?? '']: true },
          keywords: { $draft: true },
          from: [{ name: 'Bób', email: 'bob@example.test' }],
          to: [{ email: 'alice@example.test' }],
          subject: 'Träume',
          'header:X-Note': ' plain',
          textBody: [{ partId: 't', type: 'text/plain' }],
          htmlBody: [{ partId: 'h', type: 'text/html' }],
          attachments: [{ blobId: fileId, type: 'text/csv', name: 'täbel.csv' }],
          bodyValues: { t: { value: 'Hellö\nthere' }, h: { value: '<b>Hellö</b>' } },
        },
        noBox: { subject: 'x' },
        inject: { mailboxIds: inbox(), 'header:X-A': 'a\r\nBcc: evil@else.test' },
        noBlob: { mailboxIds: inbox(), attachments: [{ blobId: 'U999' }] },
      },
    });
    assert.deepEqual(
      ['noBox', 'inject', 'noBlob'].map((key) => made['notCreated'][key].type),
      ['invalidProperties', 'invalidProperties', 'blobNotFound'],
    );
    const id = made['created'].k.id as string;
    const email = await one(id, { fetchAllBodyValues: true });
    assert.equal(email['subject'], 'Träume');
    assert.equal(email['from'][0].name, 'Bób');
    assert.equal(email['bodyValues'][email['textBody'][0].partId].value, 'Hellö\nthere');
    assert.equal(email['attachments'][0].name, 'täbel.csv');
    assert.equal(await (await bob.download(email['attachments'][0].blobId as string)).text(), 'a,b\n');
    const update = (patch: Args): Promise<Answer> => bob.call('Email/set', { update: { [id]: patch } });
    assert.ok(
      (await update({ 'keywords/$flagged': true, [`mailboxIds/${box['archive']}`]: true }))['updated'],
    );
    assert.deepEqual((await one(id))['keywords'], { $draft: true, $flagged: true });
    assert.deepEqual(
      Object.keys((await one(id))['mailboxIds']).toSorted(),
      [box['archive'], box['drafts']].toSorted(),
    );
    assert.equal((await update({ subject: 'other' }))['notUpdated'][id].type, 'invalidProperties');
    assert.equal((await update({ mailboxIds: {} }))['notUpdated'][id].type, 'invalidProperties');
    assert.equal((await update({ keywords: {}, 'keywords/x': true }))['notUpdated'][id].type, 'invalidPatch');
    assert.equal((await update({ 'keywords/a b': true }))['notUpdated'][id].type, 'invalidProperties');
    assert.equal(await bob.error('Email/set', { ifInState: start, update: {} }), 'stateMismatch');
    const changes = await bob.call('Email/changes', { sinceState: start });
    assert.deepEqual([changes['created'], changes['updated'], changes['destroyed']], [[id], [], []]);
    const moved = await bob.call('Email/queryChanges', { ...query, sinceQueryState: queryState });
    assert.deepEqual(moved['added'], [{ id, index: 0 }]);
    const gone = await bob.call('Email/set', { destroy: [id, 'M999'] });
    assert.deepEqual(gone['destroyed'], [id]);
    assert.equal(gone['notDestroyed'].M999.type, 'notFound');
    const later = await bob.call('Email/changes', { sinceState: changes['newState'] });
    assert.deepEqual(later['destroyed'], [id]);
    assert.equal(await bob.error('Email/changes', { sinceState: 'nonsense' }), 'cannotCalculateChanges');
    assert.equal(await bob.error('Email/changes', { sinceState: '999999' }), 'cannotCalculateChanges');
  });

  it('makes, moves and deletes mailboxes', async () => {
    const { state } = await bob.call('Mailbox/get', { ids: [] });
    const made = await bob.call('Mailbox/set', {
      create: {
        b: { name: 'Below', parentId: '#a' },
        a: { name: 'Above', sortOrder: 3 },
        bad: { name: 'a/b' },
        two: { name: 'Sent' },
      },
    });
    const [a, b] = [made['created'].a.id, made['created'].b.id] as [string, string];
    assert.deepEqual(Object.keys(made['notCreated']).toSorted(), ['bad', 'two']);
    const set = (args: Args): Promise<Answer> => bob.call('Mailbox/set', args);
    assert.equal((await set({ destroy: [a] }))['notDestroyed'][a].type, 'mailboxHasChild');
    assert.ok((await set({ update: { [b]: { parentId: null, name: 'Beside' } } }))['updated']);
    await put(bob, PLAIN, b);
    assert.equal((await set({ destroy: [b] }))['notDestroyed'][b].type, 'mailboxHasEmail');
    const inboxId = box['inbox'] ?? '';
    assert.equal((await set({ destroy: [inboxId] }))['notDestroyed'][inboxId].type, 'forbidden');
    assert.equal(
      (await set({ update: { [b]: { role: 'sent' } } }))['notUpdated'][b].type,
      'invalidProperties',
    );
    const changes = await bob.call('Mailbox/changes', { sinceState: state });
    assert.ok(changes['created'].includes(a) && changes['created'].includes(b));
    const sorted = await bob.call('Mailbox/query', {
      filter: { hasAnyRole: false },
      sort: [{ property: 'name' }],
    });
    assert.deepEqual(sorted['ids'], [a, b]);
    assert.deepEqual(
      (await set({ destroy: [a, b], onDestroyRemoveEmails: true }))['destroyed'].toSorted(),
      [a, b].toSorted(),
    );
    const later = await bob.call('Mailbox/changes', { sinceState: changes['newState'] });
    assert.deepEqual(later['destroyed'].toSorted(), [a, b].toSorted());
    assert.equal(await bob.error('Mailbox/query', { filter: { moon: 1 } }), 'unsupportedFilter');
  });

  it('sends, and moves the draft to where it belongs', async () => {
    const [drafts, sent] = [box['drafts'] ?? '', box['sent'] ?? ''];
    const draft = {
      mailboxIds: { [drafts]: true },
      keywords: { $draft: true },
      subject: 'out',
      textBody: [{ partId: '1' }],
      bodyValues: { 1: { value: 'hi' } },
    };
    const { accountId } = bob;
    const [set, submitted, moved] = await bob.calls(
      [
        'Email/set',
        {
          accountId,
          create: {
            d: { ...draft, from: [{ email: 'bob@example.test' }], to: [{ email: 'alice@example.test' }] },
          },
        },
      ],
      [
        'EmailSubmission/set',
        {
          accountId,
          create: { s: { identityId: 'I0', emailId: '#d' } },
          onSuccessUpdateEmail: {
            '#s': { [`mailboxIds/${drafts}`]: null, [`mailboxIds/${sent}`]: true, 'keywords/$draft': null },
          },
        },
      ],
    );
    assert.equal(submitted?.[1]['created'].s.undoStatus, 'final', JSON.stringify(submitted));
    assert.equal(moved?.[0], 'Email/set');
    const id = set?.[1]['created'].d.id as string;
    assert.deepEqual((await one(id))['mailboxIds'], { [sent]: true });
    const alice = await jmapClient(server, 'alice@example.test');
    const { ids } = await alice.call('Email/query', { filter: { subject: 'out' } });
    assert.equal(ids.length, 1);
    const forged = await bob.call('Email/set', {
      create: {
        d: { ...draft, from: [{ email: 'alice@example.test' }], to: [{ email: 'alice@example.test' }] },
      },
    });
    const submit = (emailId: unknown, more: Args = {}): Promise<Answer> =>
      bob.call('EmailSubmission/set', { create: { s: { identityId: 'I0', emailId, ...more } } });
    // Without an envelope the return address is the identity's, and the From remains what it is.
    assert.equal((await submit(forged['created'].d.id))['notCreated'].s.type, 'forbiddenFrom');
    const other = { mailFrom: { email: 'alice@example.test' }, rcptTo: [{ email: 'alice@example.test' }] };
    assert.equal(
      (await submit(forged['created'].d.id, { envelope: other }))['notCreated'].s.type,
      'forbiddenMailFrom',
    );
    const envelope = { mailFrom: { email: 'bob@example.test' }, rcptTo: [{ email: 'alice@example.test' }] };
    assert.equal((await submit(forged['created'].d.id, { envelope }))['notCreated'].s.type, 'forbiddenFrom');
    assert.equal(
      (await submit(id, { envelope: { ...envelope, rcptTo: [] } }))['notCreated'].s.type,
      'noRecipients',
    );
    const nobody = { ...envelope, rcptTo: [{ email: 'nobody@example.test' }] };
    assert.equal((await submit(id, { envelope: nobody }))['notCreated'].s.type, 'invalidRecipients');
    const submissionId = submitted?.[1]['created'].s.id as string;
    assert.equal((await bob.call('EmailSubmission/get', { ids: null }))['list'][0].emailId, id);
    assert.deepEqual((await bob.call('EmailSubmission/query', { filter: { emailIds: [id] } }))['ids'], [
      submissionId,
    ]);
    const undo = await bob.call('EmailSubmission/set', {
      update: { [submissionId]: { undoStatus: 'canceled' } },
    });
    assert.equal(undo['notUpdated'][submissionId].type, 'cannotUnsend');
    // What belongs to another account is nowhere, whoever asks for it by id.
    assert.deepEqual((await alice.call('Email/get', { ids: [id] }))['notFound'], [id]);
    assert.equal((await alice.download(`B${id.slice(1)}`)).status, 404);
    assert.equal((await alice.call('Email/set', { destroy: [id] }))['notDestroyed'][id].type, 'notFound');
    assert.equal(
      (await fetch(alice.url(`/jmap/download/${bob.accountId}/B1/x`), { headers: alice.headers })).status,
      404,
    );
  });

  it('keeps identities, the vacation answer, blobs and quotas', async () => {
    const [own] = (await bob.call('Identity/get', { ids: null }))['list'] as Answer[];
    assert.equal(own?.['email'], 'bob@example.test');
    const set = await bob.call('Identity/set', {
      create: { a: { name: 'Bob +', email: 'bob+x@example.test' }, b: { email: 'alice@example.test' } },
      update: { I0: { textSignature: '-- \nBob' } },
      destroy: ['I0'],
    });
    assert.equal(set['notCreated'].b.type, 'forbiddenFrom');
    assert.equal(set['notDestroyed'].I0.type, 'forbidden');
    const changed = await bob.call('Identity/changes', { sinceState: set['oldState'] });
    assert.deepEqual([changed['created'], changed['updated']], [[set['created'].a.id], ['I0']]);
    const away = {
      isEnabled: true,
      textBody: 'away',
      fromDate: '2030-01-01T00:00:00Z',
      toDate: '2030-01-08T00:00:00Z',
    };
    assert.ok((await bob.call('VacationResponse/set', { update: { singleton: away } }))['updated']);
    const [vacation] = (await bob.call('VacationResponse/get', { ids: null }))['list'] as Answer[];
    assert.deepEqual(vacation, { id: 'singleton', subject: null, htmlBody: null, ...away });
    assert.equal(
      (await bob.call('VacationResponse/set', { create: { x: {} } }))['notCreated'].x.type,
      'singleton',
    );
    const blob = await bob.call('Blob/upload', {
      create: { x: { data: [{ 'data:asText': 'How ' }, { 'data:asBase64': 'YXJl' }], type: 'text/plain' } },
    });
    const id = blob['created'].x.id as string;
    const [got] = (
      await bob.call('Blob/get', {
        ids: [id],
        properties: ['data:asText', 'size', 'digest:sha'],
        offset: 1,
        length: 4,
      })
    )['list'] as Answer[];
    assert.deepEqual([got?.['data:asText'], got?.['size']], ['ow a', 7]);
    assert.deepEqual((await bob.call('Quota/get', { ids: null }))['list'], []);
    assert.deepEqual(
      (await bob.call('Blob/lookup', { ids: [id], typeNames: ['Email'] }))['list'][0].matchedIds,
      { Email: [] },
    );
  });

  it('pushes states as they change', async () => {
    const abort = new AbortController();
    const response = await fetch(bob.url('/jmap/eventsource?types=Email,Mailbox&closeafter=state&ping=0'), {
      headers: bob.headers,
      signal: abort.signal,
    });
    assert.ok(response.body);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = (await reader.read()).value ?? '';
    await new Promise((resolve) => setTimeout(resolve, 100));
    await put(bob, PLAIN, box['inbox'] ?? '');
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += value;
    }
    const data = JSON.parse(/data: (.*)/.exec(text)?.[1] ?? '{}') as Answer;
    const { state } = await bob.call('Email/get', { ids: [] });
    assert.equal(data['changed'][bob.accountId].Email, state);
  });
});
