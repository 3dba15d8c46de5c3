import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type LineClient, lineClient } from '../support/smtp-client.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type Answer, jmapClient, type JmapClient } from './client.ts';

const KEEP = 'keep;\r\n';
const FILE = 'require "fileinto";\r\nfileinto "Work";\r\n';

describe('Sieve scripts by JMAP (RFC 9661)', () => {
  let server: TestServer;
  let bob: JmapClient;
  let manage: LineClient;
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
    manage = await lineClient(server.ports.managesieve ?? 0);
    await until(/^OK/);
    manage.send('STARTTLS\r\n');
    await until(/^OK/);
    await manage.startTls();
    await until(/^OK/);
    const login = Buffer.from('\0bob@example.test\0correct horse').toString('base64');
    assert.match(await ask(`AUTHENTICATE "PLAIN" "${login}"`), /^OK/m);
  });
  after(async () => {
    manage.close();
    await server.close();
  });

  async function until(pattern: RegExp): Promise<string> {
    const lines: string[] = [];
    for (;;) {
      const line = await manage.line();
      assert.ok(line !== undefined, lines.join('\n'));
      lines.push(line);
      if (pattern.test(line)) return lines.join('\n');
    }
  }
  function ask(command: string): Promise<string> {
    manage.send(`${command}\r\n`);
    return until(/^(?:OK|NO)/);
  }
  const get = async (): Promise<Answer> => bob.call('SieveScript/get', { ids: null });
  const set = (args: object): Promise<Answer> => bob.call('SieveScript/set', args as Record<string, unknown>);
  let first = '';
  let second = '';

  it('says what it can do', async () => {
    const session = (await (
      await fetch(bob.url('/jmap/session'), { headers: bob.headers })
    ).json()) as Answer;
    const urn = 'urn:ietf:params:jmap:sieve';
    assert.equal(session['capabilities'][urn].implementation, 'Postern');
    const mine = session['accounts'][bob.accountId].accountCapabilities[urn];
    assert.ok(mine.maxSizeScriptName >= 512);
    assert.ok(mine.sieveExtensions.includes('fileinto'));
    assert.deepEqual(mine.notificationMethods, ['mailto']);
    assert.equal(mine.externalLists, null);
  });

  it('makes scripts of blobs, and ManageSieve shows them', async () => {
    const { state: empty } = await get();
    const blobId = await bob.upload(KEEP);
    const made = await set({
      create: { a: { name: 'first', blobId }, b: { blobId: await bob.upload(FILE) } },
      onSuccessActivateScript: '#a',
    });
    first = made['created'].a.id;
    second = made['created'].b.id;
    assert.deepEqual(
      [made['created'].a.isActive, made['created'].b.isActive, made['oldState']],
      [true, false, empty],
    );
    assert.match(await ask('LISTSCRIPTS'), /"first" ACTIVE/);
    const { list, state } = await get();
    assert.equal(state, made['newState']);
    assert.equal(list.length, 2);
    const mine = (list as Answer[]).find(({ id }) => id === first);
    const text = await bob.download(mine?.['blobId'] as string);
    assert.equal(await text.text(), KEEP);
    const found = async (filter: object): Promise<unknown> =>
      (await bob.call('SieveScript/query', { filter, sort: [{ property: 'name' }] }))['ids'];
    assert.deepEqual(await found({ isActive: true }), [first]);
    assert.deepEqual(await found({ name: 'FIRST' }), [first]);
    assert.deepEqual(await found({ operator: 'NOT', conditions: [{ isActive: true }] }), [second]);
    assert.equal(await bob.error('SieveScript/query', { filter: { size: 1 } }), 'unsupportedFilter');
  });

  it('what ManageSieve changes is a new state, and wakes who watches', async () => {
    const { state } = await get();
    const events = await fetch(
      bob.url('/jmap/eventsource?types=SieveScript,VacationResponse&closeafter=state&ping=0'),
      {
        headers: bob.headers,
      },
    );
    const reader = events.body?.getReader();
    assert.ok(reader);
    await reader.read();
    // So that the stream has seen what there was before.
    await bob.call('Core/echo');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.match(await ask('PUTSCRIPT "by hand" "discard;"'), /^OK/m);
    let text = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      text += Buffer.from(value).toString();
    }
    assert.match(text, /"SieveScript"/);
    const now = await get();
    assert.notEqual(now['state'], state);
    assert.ok(text.includes(now['state']), text);
    const id = (now['list'] as Answer[]).find(({ name }) => name === 'by hand')?.['id'] as string;
    const gone = await set({ destroy: [id], ifInState: now['state'] });
    assert.deepEqual(gone['destroyed'], [id]);
    assert.doesNotMatch(await ask('LISTSCRIPTS'), /by hand/);
    assert.equal(await bob.error('SieveScript/set', { ifInState: 'never' }), 'stateMismatch');
  });

  it('changes name and text, not what is active by a property', async () => {
    const before = (await get())['list'] as Answer[];
    const old = before.find(({ id }) => id === second)?.['blobId'] as string;
    const done = await set({ update: { [second]: { name: 'Zweites', blobId: await bob.upload('stop;') } } });
    assert.equal((await bob.download(old)).status, 404, 'what it said is no blob any more');
    assert.equal(await (await bob.download(done['updated'][second].blobId)).text(), 'stop;');
    assert.match(await ask('GETSCRIPT "Zweites"'), /stop;/);
    const bad = await set({ update: { [second]: { isActive: true } } });
    assert.equal(bad['notUpdated'][second].type, 'invalidProperties');
    const same = await set({ update: { [second]: { name: 'first' } } });
    assert.deepEqual(
      [same['notUpdated'][second].type, same['notUpdated'][second].existingId],
      ['alreadyExists', first],
    );
    const swapped = await set({ onSuccessActivateScript: second });
    assert.deepEqual(swapped['updated'], { [first]: { isActive: false }, [second]: { isActive: true } });
    assert.equal((await set({ destroy: [second] }))['notDestroyed'][second].type, 'sieveIsActive');
    // Nothing is switched unless all succeeded.
    const mixed = await set({ destroy: ['C999999'], onSuccessDeactivateScript: true });
    assert.equal(mixed['updated'], null);
    assert.match(await ask('LISTSCRIPTS'), /"Zweites" ACTIVE/);
    const off = await set({ destroy: [first], onSuccessDeactivateScript: true });
    assert.deepEqual([off['destroyed'], off['updated']], [[first], { [second]: { isActive: false } }]);
    const ignored = await set({ onSuccessActivateScript: 'C999999' });
    assert.equal(ignored['updated'], null);
  });

  it('refuses what is no script, and says where', async () => {
    const bad = await bob.upload('require "fileinto";\r\nfileinto;\r\n');
    const made = await set({
      create: { a: { name: 'bad', blobId: bad }, b: { name: 'none', blobId: 'U999' } },
    });
    assert.equal(made['notCreated'].a.type, 'invalidSieve');
    assert.match(made['notCreated'].a.description, /line 2/);
    assert.equal(made['notCreated'].b.type, 'blobNotFound');
    assert.equal((await bob.call('SieveScript/validate', { blobId: bad }))['error'].type, 'invalidSieve');
    assert.equal((await bob.call('SieveScript/validate', { blobId: await bob.upload(KEEP) }))['error'], null);
    const large = await bob.upload(`#${'x'.repeat(200 * 1024)}`);
    assert.equal((await set({ create: { a: { blobId: large } } }))['notCreated'].a.type, 'tooLarge');
  });

  it('the vacation answer is one state, whoever sets it', async () => {
    const { state } = await bob.call('VacationResponse/get', { ids: null });
    const account = await server.account('bob@example.test');
    const settings = JSON.stringify({ vacation: { enabled: true, text: 'gone fishing' } });
    await server.store.write.run('sieve.saveSettings', {
      actor: { name: 'bob@example.test', role: 'user', domainId: undefined },
      accountId: account.id,
      settings,
      script: 'keep;',
    });
    const now = await bob.call('VacationResponse/get', { ids: null });
    assert.notEqual(now['state'], state);
    assert.deepEqual([now['list'][0].isEnabled, now['list'][0].textBody], [true, 'gone fishing']);
  });
});
