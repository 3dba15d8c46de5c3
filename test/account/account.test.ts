/** What people do with their own account, over HTTP, on a whole server that judges real mail. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { jmapClient, type JmapClient } from '../jmap/client.ts';
import { ALICE, BAD_IP, BOB, caseOf, GOOD_IP, type Judged, letter, startJudged } from '../support/judged.ts';
import { type AccountClient, accountClient } from './client.ts';

const FORGED = { ip: BAD_IP, helo: 'stranger.test', from: 'ann@good.test' };
const HOUR = 3_600_000;

let mx: Judged;
let alice: AccountClient;
let bob: AccountClient;
let jmap: JmapClient;

before(async () => {
  mx = await startJudged({
    accounts: [{ address: ALICE, role: 'admin' }, BOB],
    zone: {
      'shop.test': { A: [GOOD_IP], TXT: [`v=spf1 ip4:${GOOD_IP} -all`] },
      'leaky.test': { A: [GOOD_IP], TXT: [`v=spf1 ip4:${GOOD_IP} -all`] },
    },
  });
  await mx.want({});
  alice = accountClient(mx.server, ALICE);
  bob = accountClient(mx.server, BOB);
  jmap = await jmapClient(mx.server, ALICE);
});
after(() => mx.close());

/** Ids of messages of Alice, newest first, with the names of the mailboxes they lie in. */
async function mail(): Promise<{ id: string; subject: string; in: string[]; keywords: string[] }[]> {
  const { ids } = await jmap.call('Email/query', { sort: [{ property: 'receivedAt', isAscending: false }] });
  const { list: boxes } = await jmap.call('Mailbox/get', { ids: null });
  const names = new Map((boxes as { id: string; name: string }[]).map(({ id, name }) => [id, name]));
  const { list } = await jmap.call('Email/get', { ids, properties: ['subject', 'mailboxIds', 'keywords'] });
  const found = list as { id: string; subject: string; mailboxIds: object; keywords: object }[];
  return found.map(({ id, subject, mailboxIds, keywords }) => ({
    id,
    subject,
    in: Object.keys(mailboxIds).map((box) => names.get(box) ?? ''),
    keywords: Object.keys(keywords),
  }));
}

async function arrived(subject: string): Promise<{ id: string; in: string[]; keywords: string[] }> {
  return (await mail()).find((each) => each.subject === subject) ?? assert.fail(`no "${subject}" has come`);
}

async function ok(client: AccountClient, method: string, path: string, body?: unknown) {
  const { status, json } = await client(method, path, body);
  assert.equal(status, 200, `${method} ${path}: ${JSON.stringify(json)}`);
  return json;
}

describe('why is this here', () => {
  it('tells of mail in the inbox who sent it, that this was proven, and what the filter thought', async () => {
    assert.match(await mx.send({ message: letter({ subject: 'From home' }) }), /^250/);
    const { id } = await arrived('From home');
    const told = await ok(alice, 'GET', `/explain/${id}`);
    assert.equal(told['sender'].address, 'ann@good.test');
    assert.equal(told['sender'].authenticated, 'pass');
    assert.equal(told['verdict'].spam, false);
    assert.match(told['why'][0], /inbox/);
    assert.ok(
      told['why'].includes('It really is from good.test: that was proven.'),
      JSON.stringify(told['why']),
    );
    const kinds = told['timeline'].map(({ kind }: { kind: string }) => kind);
    assert.deepEqual(kinds, ['message.accepted', 'message.judged', 'message.deposited']);
    assert.deepEqual(told['levers'], {
      address: 'ann@good.test',
      domain: 'good.test',
      state: 'none',
      wholeDomain: false,
    });
    assert.ok(!JSON.stringify(told).includes('postern '), 'no commands for administrators');
  });

  it('tells nobody whom else a message was for', async () => {
    await mx.send({ to: [ALICE, BOB], message: letter({ subject: 'For two' }) });
    const { id } = await arrived('For two');
    const told = await ok(alice, 'GET', `/explain/${id}`);
    assert.ok(!JSON.stringify(told).includes(BOB), JSON.stringify(told));
    assert.ok(told['timeline'].length >= 3);
  });

  it('tells which rule filed a message, and that the reader moved one', async () => {
    const rules = [
      {
        name: 'Bills',
        conditions: [{ field: 'subject', value: 'invoice' }],
        actions: [{ file: 'Money' }],
      },
    ];
    assert.equal((await ok(alice, 'PUT', '/rules', { rules }))['rules'][0].name, 'Bills');
    assert.match((await ok(alice, 'GET', '/scripts/generated'))['script'], /# Rule: Bills/);
    await mx.send({ message: letter({ subject: 'Your invoice' }) });
    const { id, in: boxes } = await arrived('Your invoice');
    assert.deepEqual(boxes, ['Money']);
    const told = await ok(alice, 'GET', `/explain/${id}`);
    assert.equal(told['filing'].sentence, 'Your rule "Bills" put it into Money.');
    assert.ok(told['filing'].line > 0);
    await ok(alice, 'PUT', '/rules', { rules: [] });
    const { list: all } = await jmap.call('Mailbox/get', { ids: null });
    const archive = (all as { id: string; role: string }[]).find(({ role }) => role === 'archive')?.id ?? '';
    await jmap.call('Email/set', { update: { [id]: { mailboxIds: { [archive]: true } } } });
    const moved = await ok(alice, 'GET', `/explain/${id}`);
    assert.match(
      moved['why'][0],
      /^It came into "Money"; you, or one of your programs, moved it to "Archive"/,
    );
  });

  it('tells the sender what became of it, and a colleague only that it was them', async () => {
    const message =
      'From: alice@example.test\r\nTo: bob@example.test\r\nSubject: To a colleague\r\nMessage-ID: <c1@example.test>\r\n\r\nhello\r\n';
    const { list } = await jmap.call('Mailbox/get', { ids: null });
    const sentBox = (list as { id: string; role: string }[]).find(({ role }) => role === 'sent')?.id ?? '';
    const { ids: identities } = await jmap.call('Identity/get', { ids: null }).then(({ list: found }) => ({
      ids: (found as { id: string }[]).map(({ id }) => id),
    }));
    const blobId = await jmap.upload(message, 'message/rfc822');
    await jmap.call('Email/import', { emails: { a: { blobId, mailboxIds: { [sentBox]: true } } } });
    const { id } = await arrived('To a colleague');
    const sent = await jmap.call('EmailSubmission/set', {
      create: { s: { emailId: id, identityId: identities[0] } },
    });
    assert.ok(sent['created']?.s, JSON.stringify(sent));
    const own = await ok(alice, 'GET', `/explain/${id}`);
    const yours = 'You sent it yourself, or a program that signed in as you did.';
    assert.ok(own['why'].includes(yours), JSON.stringify(own));
    const words = own['timeline'].map(({ sentence }: { sentence: string }) => sentence);
    assert.ok(words.includes('It was delivered to bob@example.test'), JSON.stringify(words));
    assert.ok(!JSON.stringify(own).includes('INBOX'), 'the mailboxes of others are theirs');
    const { list: found } = await (await jmapClient(mx.server, BOB)).call('Email/get', {
      ids: ((await (await jmapClient(mx.server, BOB)).call('Email/query'))['ids'] as string[]).slice(),
      properties: ['subject'],
    });
    const got = (found as { id: string; subject: string }[]).find(
      ({ subject }) => subject === 'To a colleague',
    );
    const told = await ok(bob, 'GET', `/explain/${got?.id}`);
    assert.equal(told['sender'].sentence, 'It was written by alice@example.test, who has an account here.');
    assert.ok(!JSON.stringify(told['timeline']).includes('127.0.0.1'), 'from where she wrote is her affair');
  });

  it('says so when a message did not come by mail', async () => {
    const blobId = await jmap.upload(
      'From: me@x.test\r\nSubject: Put here\r\n\r\nhello\r\n',
      'message/rfc822',
    );
    const { list } = await jmap.call('Mailbox/get', { ids: null });
    const inbox = (list as { id: string; role: string }[]).find(({ role }) => role === 'inbox')?.id ?? '';
    await jmap.call('Email/import', { emails: { a: { blobId, mailboxIds: { [inbox]: true } } } });
    const { id } = await arrived('Put here');
    const told = await ok(alice, 'GET', `/explain/${id}`);
    assert.equal(told['verdict'], null);
    assert.match(told['why'][0], /did not come by mail/);
    assert.equal(told['sender'].authenticated, 'none');
  });
});

describe('senders', () => {
  it('blocked mail goes to Junk, and the reader is told why; nobody else is affected', async () => {
    await ok(alice, 'POST', '/senders', { address: 'Ann@Good.test', state: 'block' });
    await mx.send({ to: [ALICE, BOB], message: letter({ subject: 'Blocked now' }) });
    const { id, in: boxes } = await arrived('Blocked now');
    assert.deepEqual(boxes, ['Junk']);
    assert.equal((await mx.inbox(BOB)).filter((text) => text.includes('Blocked now')).length, 1);
    const told = await ok(alice, 'GET', `/explain/${id}`);
    assert.equal(told['levers'].state, 'blocked');
    assert.equal(told['verdict'].spam, true);
    const { senders } = await ok(alice, 'GET', '/senders');
    assert.deepEqual(
      senders.map(({ address, state }: { address: string; state: string }) => [address, state]),
      [['ann@good.test', 'blocked']],
    );
    assert.deepEqual((await ok(bob, 'GET', '/senders'))['senders'], []);
    await ok(alice, 'POST', '/senders', { address: 'ann@good.test', state: 'none' });
    await ok(alice, 'POST', '/senders', { address: 'ann@good.test', state: 'none' });
    assert.deepEqual((await ok(alice, 'GET', '/senders'))['senders'], []);
  });

  it('an allowed name opens no door to a forger: DMARC refuses it all the same', async () => {
    await ok(alice, 'POST', '/senders', { address: '@good.test', state: 'allow' });
    const reply = await mx.send({ ...FORGED, message: letter({ subject: 'Let me in' }) });
    assert.match(reply, /^550 5\.7\.1 Refused \(case/);
    const { entries } = await ok(alice, 'GET', '/refused');
    const number = caseOf(reply);
    const [entry] = entries;
    assert.equal(entry.case, number);
    assert.equal(entry.subject, 'Let me in');
    assert.equal((await bob('GET', `/refused/${number}`)).status, 404);
    assert.equal((await bob('POST', `/refused/${number}/release`)).status, 404);
    assert.match((await ok(alice, 'GET', `/refused/${number}`))['beginning'], /Subject: Let me in/);
    assert.equal((await ok(alice, 'POST', `/refused/${number}/release`))['delivered'], 1);
    assert.deepEqual((await arrived('Let me in')).in, ['Inbox']);
    await ok(alice, 'POST', '/senders', { address: '@good.test', state: 'none' });
  });
});

describe('masked addresses', () => {
  it('get mail, tell who leaked them, send, and are refused in clear words when they are off', async () => {
    const made = await ok(alice, 'POST', '/masked', { label: 'The shop', site: 'https://www.shop.test/x' });
    const address = String(made['address']);
    const from = async (domain: string, subject: string) =>
      mx.send({
        from: `news@${domain}`,
        to: [address],
        message: letter({ from: `News <news@${domain}>`, subject }),
      });
    assert.match(await from('shop.test', 'Welcome to the shop'), /^250/);
    let [shown] = (await ok(alice, 'GET', '/masked'))['addresses'];
    assert.equal(shown.count, 1);
    assert.equal(shown.leaked, false);
    const { id } = await arrived('Welcome to the shop');
    const told = await ok(alice, 'GET', `/explain/${id}`);
    const sentence = `It came to your masked address ${address}, which you made for The shop.`;
    assert.ok(told['why'].includes(sentence), JSON.stringify(told['why']));

    assert.match(await from('leaky.test', 'Buy now'), /^250/);
    [shown] = (await ok(alice, 'GET', '/masked'))['addresses'];
    assert.equal(shown.leaked, true);
    assert.deepEqual(
      shown.senders.map(({ domain, expected }: { domain: string; expected: boolean }) => [domain, expected]),
      [
        ['shop.test', true],
        ['leaky.test', false],
      ],
    );

    await ok(alice, 'PUT', `/masked/${made['id']}`, { state: 'off' });
    assert.match(
      await from('leaky.test', 'Buy more'),
      /^550 5\.1\.1 .*made for one sender and its owner has switched it off/,
    );
    assert.equal((await bob('PUT', `/masked/${made['id']}`, { state: 'on' })).status, 404);
    await ok(alice, 'DELETE', `/masked/${made['id']}`);
    assert.deepEqual((await ok(alice, 'GET', '/masked'))['addresses'], []);
    assert.match(await from('leaky.test', 'Buy even more'), /^550/);
  });
});

describe('for administrators', () => {
  it('the command line makes, lists and switches masked addresses, and tells what is snoozed', async () => {
    const made = await mx.said('masked', 'add', ALICE, '--site', 'shop.test', '--label', 'By hand');
    const [, address = ''] = /^(\S+@example\.test) leads to alice/.exec(made) ?? [];
    assert.match(await mx.said('masked', 'list', ALICE), new RegExp(`${address} +on +By hand +0`));
    await mx.said('masked', 'off', address);
    assert.match(await mx.send({ to: [address] }), /^550 5\.1\.1/);
    assert.match(await mx.trace(address), /switched it off/);
    await mx.said('masked', 'on', address);
    assert.match(await mx.send({ to: [address] }), /^250/);
    assert.match(await mx.said('snooze', 'list', ALICE), /Nothing is snoozed/);
  });
});

describe('snoozed mail', () => {
  it('is away in every program until it is woken', async () => {
    await mx.send({ message: letter({ subject: 'Later please' }) });
    const { id } = await arrived('Later please');
    const until = Date.now() + HOUR;
    assert.equal((await ok(alice, 'POST', '/snooze', { emailIds: [id], until }))['snoozed'], 1);
    const away = await arrived('Later please');
    assert.deepEqual(away.in, ['Snoozed']);
    assert.ok(away.keywords.includes('$snoozed'));
    assert.equal((await mx.mailbox('Snoozed')).length, 1);
    assert.deepEqual((await ok(alice, 'GET', '/snooze'))['snoozed'], [{ emailId: id, until }]);
    const told = await ok(alice, 'GET', `/explain/${id}`);
    assert.match(told['why'][0], /^You put it away/);
    assert.equal((await bob('POST', '/snooze/wake', { emailIds: [id] })).status, 404);
    assert.equal((await ok(alice, 'POST', '/snooze/wake', { emailIds: [id] }))['woken'], 1);
    const back = await arrived('Later please');
    assert.deepEqual(back.in, ['Inbox']);
    assert.ok(!back.keywords.includes('$snoozed') && !back.keywords.includes('$seen'));
  });
});

describe('what else is the account’s own', () => {
  it('deleted mail is listed with what it was, and comes back', async () => {
    await mx.send({ message: letter({ subject: 'Gone by mistake' }) });
    const { id } = await arrived('Gone by mistake');
    await jmap.call('Email/set', { destroy: [id] });
    const { messages } = await ok(alice, 'GET', '/deleted?limit=5');
    const [first] = messages;
    assert.equal(first.id, id);
    assert.equal(first.subject, 'Gone by mistake');
    assert.equal(first.from.address, 'ann@good.test');
    assert.equal(first.mailbox, 'INBOX');
    assert.equal((await bob('POST', '/deleted/restore', { ids: [id] })).status, 404);
    assert.equal((await ok(alice, 'POST', '/deleted/restore', { ids: [id] }))['restored'], 1);
    assert.deepEqual((await arrived('Gone by mistake')).in, ['Inbox']);
  });

  it('settings are kept for all devices, and within bounds', async () => {
    const labels = [{ keyword: 'work', name: 'Work', colour: '#aa0000' }];
    await ok(alice, 'PUT', '/labels', { labels });
    assert.deepEqual((await ok(alice, 'GET', '/labels'))['labels'], labels);
    assert.deepEqual((await ok(bob, 'GET', '/labels'))['labels'], []);
    await ok(alice, 'PUT', '/preferences', { theme: 'dark', undoSendSeconds: 10, own: { a: [1] } });
    assert.deepEqual(await ok(alice, 'GET', '/preferences'), {
      theme: 'dark',
      undoSendSeconds: 10,
      own: { a: [1] },
    });
    assert.equal((await alice('PUT', '/preferences', { undoSendSeconds: 61 })).status, 400);
    assert.equal((await alice('PUT', '/preferences', { x: 'x'.repeat(20_000) })).status, 413);
    const bad = await alice('PUT', '/labels', { labels: [{ keyword: 'a b', name: 'x', colour: 'red' }] });
    assert.equal(bad.status, 400);
    assert.equal(bad.json['error'].field, 'labels.0.keyword');
    const vacation = { enabled: true, text: 'Away', days: 3, addresses: [] };
    assert.deepEqual((await ok(alice, 'PUT', '/vacation', { vacation }))['vacation'], vacation);
    assert.deepEqual((await ok(alice, 'GET', '/forward'))['forward'], null);
    assert.equal((await ok(alice, 'PUT', '/vacation', { vacation: null }))['vacation'], null);
  });

  it('suggests people, mailboxes, labels and operators', async () => {
    await mx.server.store.write.run('account.setSetting', {
      accountId: (await mx.server.account(ALICE)).id,
      kind: 'labels',
      json: JSON.stringify([{ keyword: 'friends', name: 'Friends', colour: 'red' }]),
    });
    const texts = async (q: string) =>
      (await ok(alice, 'GET', `/search/suggest?q=${encodeURIComponent(q)}`))['suggestions'].map(
        ({ text }: { text: string }) => text,
      );
    assert.deepEqual(await texts('hello fr'), ['label:friends', 'from:']);
    assert.ok((await texts('in:arch')).includes('in:Archive'));
  });

  it('a login without the scope may not, and a stranger not at all', async () => {
    const nobody = accountClient(mx.server, 'nobody@example.test');
    const { status, json, headers } = await nobody('GET', '/senders');
    assert.equal(status, 401);
    assert.equal(json['error'].kind, 'authentication-failed');
    assert.match(headers.get('www-authenticate') ?? '', /^Basic /);
    const page = accountClient(mx.server, 'nobody@example.test', { 'x-postern': '1' });
    assert.equal((await page('GET', '/senders')).headers.get('www-authenticate'), null);
    assert.equal((await alice('GET', '/senders')).headers.get('cache-control'), 'no-store');
  });

  it('the picture proxy asks no host of this network', async () => {
    for (const url of [
      'http://127.0.0.1/x.png',
      'http://localhost/x.png',
      'file:///etc/passwd',
      'http://[::1]/',
    ])
      assert.match(
        String((await alice('GET', `/image?url=${encodeURIComponent(url)}`)).status),
        /^40[03]$/,
        url,
      );
  });
});
