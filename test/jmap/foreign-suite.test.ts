import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { type Answer, type JmapClient, jmapClient, mailboxes, put } from './client.ts';

/** What the JMAP tests of another project found here (docs/guides/jmap.md): one test for each fault that was mended. */
describe('JMAP: faults that a foreign test suite found', () => {
  let server: TestServer;
  let alice: JmapClient;
  before(async () => {
    server = await startTestServer();
    alice = await jmapClient(server, 'alice@example.test');
  });
  after(() => server.close());

  async function create(name: string, more: Answer = {}): Promise<string> {
    const { created } = await alice.call('Mailbox/set', { create: { a: { name, ...more } } });
    return created.a.id as string;
  }
  async function names(...ids: string[]): Promise<(string | null)[]> {
    const { list } = await alice.call('Mailbox/get', { ids });
    return (list as Answer[]).map(({ name }) => name as string);
  }

  it('mailboxes swap their names and hand on their roles in one Mailbox/set (RFC 8620 section 5.3)', async () => {
    const [a, b] = [await create('swap a'), await create('swap b')];
    // Nobody, and no end of the program in between, ever finds one under a name that nobody gave.
    const { run } = server.store.write;
    const { id: accountId } = await server.account('alice@example.test');
    const seen = new Set<string>();
    server.store.write.run = (async (...args: Parameters<typeof run>) => {
      const done = await run(...args);
      for (const { name } of await server.store.read.run('mailstore.mailboxes', { accountId }))
        seen.add(name);
      return done;
    }) as typeof run;
    const { updated } = await alice.call('Mailbox/set', {
      update: { [a]: { name: 'swap b' }, [b]: { name: 'swap a' } },
    });
    server.store.write.run = run;
    assert.deepEqual([...seen].filter((name) => !/^[A-Z]/.test(name)).toSorted(), ['swap a', 'swap b']);
    assert.deepEqual(Object.keys(updated ?? {}).toSorted(), [a, b].toSorted());
    assert.deepEqual(await names(a, b), ['swap b', 'swap a']);

    const { archive = '' } = await mailboxes(alice);
    const moved = await alice.call('Mailbox/set', {
      create: { n: { name: 'new archive', role: 'archive' } },
      destroy: [archive],
    });
    assert.deepEqual([moved['notCreated'], moved['notDestroyed']], [null, null]);
    const { archive: now } = await mailboxes(alice);
    assert.equal(now, moved['created'].n.id);
  });

  it('what the Trash is changes what others count (RFC 8621 section 2), and /changes says so', async () => {
    const { inbox = '', trash = '' } = await mailboxes(alice);
    const unread = async (): Promise<number> =>
      (await alice.call('Mailbox/get', { ids: [inbox] }))['list'][0].unreadThreads as number;
    const talk = 'Subject: rubbish\nMessage-ID: <t1@x.test>\n\nx\n';
    const read = await put(alice, talk, inbox, { keywords: { $seen: true } });
    const other = await put(
      alice,
      talk.replace('\n\n', '\nReferences: <t1@x.test>\n\n').replace('<t1', '<t2'),
      trash,
    );
    const before = await unread();
    const { state } = await alice.call('Mailbox/get', { ids: [] });
    await alice.call('Mailbox/set', { update: { [trash]: { role: null } } });
    assert.equal(await unread(), before + 1);
    const { updated } = await alice.call('Mailbox/changes', { sinceState: state });
    assert.ok((updated as string[]).includes(inbox));
    await alice.call('Mailbox/set', { update: { [trash]: { role: 'trash' } } });
    assert.equal(await unread(), before);
    await alice.call('Email/set', { destroy: [read, other] });
  });

  it('a mailbox is made anew in the place of one that goes, and takes what lies below it', async () => {
    const old = await create('place');
    const below = await create('below', { parentId: old });
    const answer = await alice.call('Mailbox/set', {
      create: { n: { name: 'place' } },
      update: { [below]: { parentId: '#n' } },
      destroy: [old],
    });
    assert.deepEqual(
      [answer['notCreated'], answer['notUpdated'], answer['notDestroyed']],
      [null, null, null],
    );
    assert.deepEqual(answer['destroyed'], [old]);
  });

  it('what cannot all be done leaves nothing under a name that nobody gave', async () => {
    const [a, b] = [await create('stay a'), await create('stay b')];
    const answer = await alice.call('Mailbox/set', {
      update: { [a]: { name: 'INBOX' }, [b]: { name: 'stay a' } },
    });
    assert.deepEqual(Object.keys(answer['notUpdated']).toSorted(), [a, b].toSorted());
    assert.deepEqual(await names(a, b), ['stay a', 'stay b']);
  });

  it('all that a client may not set is told at once, and what it sends back as it got it is taken', async () => {
    const { notCreated } = await alice.call('Mailbox/set', {
      create: { a: { name: 'x', totalEmails: 1, unreadEmails: 2, myRights: {} } },
    });
    assert.deepEqual(notCreated.a.properties.toSorted(), ['myRights', 'totalEmails', 'unreadEmails']);
    const { inbox = '' } = await mailboxes(alice);
    const {
      list: [whole],
    } = await alice.call('Mailbox/get', { ids: [inbox] });
    const { id: _id, ...object } = whole as Answer;
    const myRights = Object.fromEntries(Object.entries(object['myRights']).toReversed());
    const { updated } = await alice.call('Mailbox/set', { update: { [inbox]: { ...object, myRights } } });
    assert.deepEqual(updated, { [inbox]: null });
  });

  it('a thread that is unread elsewhere is unread here, but for the Trash (RFC 8621 section 2)', async () => {
    const { trash = '' } = await mailboxes(alice);
    const [one, two] = [await create('thread one'), await create('thread two')];
    const mail = (n: number): string =>
      `From: a@example.test\nSubject: counted\nMessage-ID: <c${n}@t>\nReferences: <c0@t>\n\nx\n`;
    await put(alice, mail(1), one, { keywords: { $seen: true } });
    const unread = await put(alice, mail(2), two);
    const counts = async (id: string): Promise<number> =>
      (await alice.call('Mailbox/get', { ids: [id] }))['list'][0].unreadThreads as number;
    assert.deepEqual([await counts(one), await counts(two)], [1, 1]);
    const { state } = await alice.call('Mailbox/get', { ids: [] });
    await alice.call('Email/set', { update: { [unread]: { 'keywords/$seen': true } } });
    const { updated } = await alice.call('Mailbox/changes', { sinceState: state });
    assert.deepEqual((updated as string[]).toSorted(), [one, two].toSorted());
    assert.equal(await counts(one), 0);
    await alice.call('Email/set', {
      update: { [unread]: { keywords: {}, mailboxIds: { [trash]: true } } },
    });
    assert.deepEqual([await counts(one), await counts(trash)], [0, 1]);
  });

  it('what a request made is read by its creation id, also a blob that becomes an email or a part', async () => {
    const { inbox = '' } = await mailboxes(alice);
    const { accountId } = alice;
    const message = 'Subject: from a blob\r\nReceived: by a; Sat, 13 Aug 2022 12:01:10 +0000\r\n\r\nx\r\n';
    const mailboxIds = { [inbox]: true };
    const answers = await alice.calls(
      ['Blob/upload', { accountId, create: { b: { data: [{ 'data:asText': message }] } } }],
      ['Email/import', { accountId, emails: { e: { blobId: '#b', mailboxIds } } }],
      ['Email/get', { accountId, ids: ['#e', '#none'], properties: ['subject', 'receivedAt'] }],
      ['Email/parse', { accountId, blobIds: ['#b'], properties: ['subject'] }],
      [
        'Email/set',
        {
          accountId,
          create: {
            s: { mailboxIds, subject: 's', attachments: [{ blobId: '#b', type: 'message/rfc822' }] },
          },
        },
      ],
    );
    const [got, parsed, set] = answers.slice(2).map(([, answer]) => answer);
    // RFC 8621 section 4.8: the time of the most recent Received field.
    assert.deepEqual(
      got?.['list'].map(({ subject, receivedAt }: Answer) => [subject, receivedAt]),
      [['from a blob', '2022-08-13T12:01:10Z']],
    );
    assert.deepEqual(got?.['notFound'], ['#none']);
    assert.equal(parsed?.['parsed']['#b'].subject, 'from a blob');
    assert.ok(set?.['created']?.s, JSON.stringify(set?.['notCreated']));
  });

  it('new messages: the type of a related root, digests, a MIME-Version of the client', async () => {
    const { inbox = '' } = await mailboxes(alice);
    const blobId = await alice.upload('Subject: inner\r\n\r\nx\r\n', 'message/rfc822');
    const made = async (email: Answer): Promise<string> => {
      const { created, notCreated } = await alice.call('Email/set', {
        create: { a: { mailboxIds: { [inbox]: true }, ...email } },
      });
      assert.ok(created, JSON.stringify(notCreated));
      return (await alice.download(created.a.blobId as string)).text();
    };
    const related = await made({
      htmlBody: [{ partId: 'h', type: 'text/html' }],
      bodyValues: { h: { value: '<p>x' } },
      attachments: [{ blobId, type: 'image/png', cid: 'a', disposition: 'inline' }],
    });
    assert.match(related, /Content-Type: multipart\/related;[^]{0,100}type="text\/html"/);
    const long = `${'x'.repeat(2000)} end`;
    const encoded = await made({ 'header:X-Long:asText': long, subject: 'long' });
    assert.ok(encoded.split('\r\n').every((line) => line.length <= 998));
    const { ids } = await alice.call('Email/query', { filter: { subject: 'long' } });
    const { list } = await alice.call('Email/get', { ids, properties: ['header:X-Long:asText'] });
    assert.equal(list[0]['header:X-Long:asText'], long);
    const digest = await made({
      'header:MIME-Version': ' 1.0 (ours)',
      bodyStructure: { type: 'multipart/digest', subParts: [{ blobId }, { blobId }] },
    });
    assert.equal(digest.match(/^MIME-Version:.*$/gm)?.join(), 'MIME-Version: 1.0 (ours)');
    assert.doesNotMatch(digest, /^Content-Type: (?!multipart)/m);
  });

  it('parts: subParts is null where there are none, and a replacement character is text', async () => {
    const { inbox = '' } = await mailboxes(alice);
    const id = await put(
      alice,
      'Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nodd \ufffd\n',
      inbox,
    );
    const {
      list: [email],
    } = await alice.call('Email/get', {
      ids: [id],
      properties: ['bodyStructure', 'bodyValues'],
      bodyProperties: ['partId', 'subParts'],
      fetchAllBodyValues: true,
    });
    assert.deepEqual(email.bodyStructure, { partId: '1', subParts: null });
    assert.equal(email.bodyValues['1'].isEncodingProblem, false);
  });

  it('uploads and downloads: a type without parameters, plain file names', async () => {
    const response = await fetch(alice.url(`/jmap/upload/${alice.accountId}/`), {
      method: 'POST',
      headers: { ...alice.headers, 'content-type': 'text/plain; charset=latin1' },
      body: 'x',
    });
    const { type, blobId } = (await response.json()) as Answer;
    assert.equal(type, 'text/plain');
    const name = async (text: string): Promise<string | null> => {
      const url = alice.url(`/jmap/download/${alice.accountId}/${blobId}/${encodeURIComponent(text)}`);
      return (await fetch(url, { headers: alice.headers })).headers.get('content-disposition');
    };
    assert.equal(await name('a file.txt'), 'attachment; filename="a file.txt"');
    assert.equal(await name('é".txt'), "attachment; filename*=utf-8''%C3%A9_.txt");
  });

  it('notifications that come back are told with the submission (dsnBlobIds, mdnBlobIds)', async () => {
    const { inbox = '' } = await mailboxes(alice);
    const { accountId } = alice;
    const to = 'somebody@elsewhere.test';
    const { list } = await alice.call('Identity/get');
    const [, [, set]] = (await alice.calls(
      [
        'Email/set',
        {
          accountId,
          create: {
            e: {
              mailboxIds: { [inbox]: true },
              from: [{ email: 'alice@example.test' }],
              to: [{ email: to }],
              messageId: ['sent-1@example.test'],
              subject: 'x',
            },
          },
        },
      ],
      ['EmailSubmission/set', { accountId, create: { s: { identityId: list[0].id, emailId: '#e' } } }],
    )) as [unknown, [string, Answer]];
    const id = set['created'].s.id as string;
    const report = (type: string, fields: string, more = ''): string =>
      [
        'From: <reports@elsewhere.test>',
        'Subject: report',
        'MIME-Version: 1.0',
        `Content-Type: multipart/report; report-type=${type}; boundary=b`,
        '',
        '--b',
        'Content-Type: text/plain',
        '',
        'words',
        '--b',
        `Content-Type: message/${type}`,
        '',
        fields,
        `${more}--b--`,
        '',
      ].join('\r\n');
    const { state } = await alice.call('EmailSubmission/get', { ids: [id] });
    const dsn = report(
      'delivery-status',
      `Reporting-MTA: dns;mx.elsewhere.test\r\n\r\nFinal-Recipient: rfc822;${to}\r\nAction: failed\r\nStatus: 5.1.1\r\n`,
      '--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <sent-1@example.test>\r\n\r\n',
    );
    const mdn = report(
      'disposition-notification',
      `Final-Recipient: rfc822;${to}\r\nOriginal-Message-ID: <sent-1@example.test>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n`,
    );
    const other = mdn.replace('sent-1@', 'sent-2@');
    const client = await lineClient(server.ports.lmtp ?? 0);
    assert.match(await client.reply(), /^220/);
    await client.talk(['LHLO elsewhere.test\r\n', '250']);
    for (const message of [other, dsn, mdn])
      await client.talk(
        ['MAIL FROM:<>\r\n', '250'],
        ['RCPT TO:<alice@example.test>\r\n', '250'],
        ['DATA\r\n', '354'],
        [`${message}.\r\n`, '250'],
      );
    client.close();
    let now: Answer = {};
    for (let tries = 0; tries < 100; tries++) {
      now = (await alice.call('EmailSubmission/get', { ids: [id] }))['list'][0] as Answer;
      if (now['dsnBlobIds'].length > 0 && now['mdnBlobIds'].length > 0) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    assert.deepEqual([now['dsnBlobIds'].length, now['mdnBlobIds'].length], [1, 1]);
    assert.match(await (await alice.download(now['mdnBlobIds'][0] as string)).text(), /MDN-sent-manually/);
    assert.equal(now['deliveryStatus'][to].displayed, 'yes');
    const { updated } = await alice.call('EmailSubmission/changes', { sinceState: state });
    assert.deepEqual(updated, [id]);
  });
});
