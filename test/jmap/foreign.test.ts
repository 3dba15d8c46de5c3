/** A JMAP client that others wrote (jmap-jam), against the real server, with a token of OAuth. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { digestOf, newToken } from '../../src/data/access/tokens.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import type { Answer, Args } from './client.ts';

type Call<R> = (args: Args) => R;
type Api<R> = Record<string, Record<string, Call<R>>>;
interface Draft {
  $ref(path: string): unknown;
}
/** What of it is used here. Its own types come as sources that this project's settings do not allow. */
interface Jam {
  readonly session: Promise<Answer>;
  readonly api: Api<Promise<[Answer, unknown]>>;
  getPrimaryAccount(): Promise<string>;
  requestMany(make: (t: Api<Draft>) => Record<string, Draft>): Promise<[Record<string, Answer>, unknown]>;
  uploadBlob(accountId: string, body: Blob): Promise<Answer>;
  downloadBlob(options: Args): Promise<Response>;
}
const MODULE: string = 'jmap-jam';
const { default: JamClient } = (await import(MODULE)) as {
  default: new (options: { sessionUrl: string; bearerToken: string }) => Jam;
};

/** What the OAuth pages would do: register a client, grant, redeem. */
async function accessToken(server: TestServer, address: string): Promise<string> {
  const { write } = server.store;
  const account = await server.account(address);
  const redirectUri = 'http://127.0.0.1/done';
  const [code, access, refresh] = [newToken('code'), newToken('access'), newToken('refresh')];
  const challenge = digestOf('v'.repeat(50));
  await write.run('access.registerClient', { id: 'jam', name: 'Jam', redirectUris: [redirectUri] });
  await write.run('access.grant', {
    actor: { name: address, role: 'user', domainId: undefined },
    accountId: account.id,
    clientId: 'jam',
    scopes: ['mail', 'send', 'settings'],
    digest: code.digest,
    redirectUri,
    challenge,
  });
  const tokens = { access: access.digest, refresh: refresh.digest };
  const redeemed = await write.run('access.redeemCode', {
    digest: code.digest,
    clientId: 'jam',
    redirectUri,
    challenge,
    tokens,
  });
  assert.ok(redeemed.ok);
  return access.token;
}

describe('jmap-jam', () => {
  let server: TestServer;
  let jam: Jam;
  let accountId = '';
  before(async () => {
    server = await startTestServer();
    jam = new JamClient({
      sessionUrl: `http://127.0.0.1:${server.ports.http}/.well-known/jmap`,
      bearerToken: await accessToken(server, 'bob@example.test'),
    });
    accountId = await jam.getPrimaryAccount();
  });
  after(() => server.close());

  function draft(t: Api<Draft>, type: string, name: string, args: Args): Draft {
    const made = t[type]?.[name]?.(args);
    assert.ok(made);
    return made;
  }

  /** One call; its answer. */
  async function ask(type: string, name: string, args: Args): Promise<[Answer]> {
    const made = jam.api[type]?.[name];
    assert.ok(made);
    return [(await made(args))[0]];
  }

  it('finds the session and its account', async () => {
    const session = await jam.session;
    assert.equal(session['username'], 'bob@example.test');
    assert.equal(session['accounts'][accountId]?.name, 'bob@example.test');
  });

  it('reads mailboxes, and asks several things at once with references', async () => {
    const [{ list }] = await ask('Mailbox', 'get', { accountId });
    const inbox = (list as Answer[]).find(({ role }) => role === 'inbox');
    assert.ok(inbox);
    const [{ created }] = await ask('Email', 'set', {
      accountId,
      create: {
        a: {
          mailboxIds: { [inbox['id']]: true },
          from: [{ name: 'Bob', email: 'bob@example.test' }],
          to: [{ name: 'Alice', email: 'alice@example.test' }],
          subject: 'from a foreign client',
          textBody: [{ partId: 't', type: 'text/plain' }],
          bodyValues: { t: { value: 'hello', isEncodingProblem: false, isTruncated: false } },
        },
      },
    });
    assert.ok(created?.['a']);
    const [found] = await jam.requestMany((t) => {
      const query = draft(t, 'Email', 'query', { accountId, filter: { inMailbox: inbox['id'] } });
      const emails = draft(t, 'Email', 'get', {
        accountId,
        ids: query.$ref('/ids'),
        properties: ['id', 'subject', 'preview', 'threadId'],
      });
      const threads = draft(t, 'Thread', 'get', { accountId, ids: emails.$ref('/list/*/threadId') });
      return { query, emails, threads };
    });
    assert.equal(found['emails']?.['list'][0]?.subject, 'from a foreign client');
    assert.equal(found['emails']?.['list'][0]?.preview, 'hello');
    assert.equal(found['threads']?.['list'].length, 1);
  });

  it('follows changes', async () => {
    const [{ state }] = await ask('Mailbox', 'get', { accountId, ids: [] });
    const [{ created }] = await ask('Mailbox', 'set', { accountId, create: { m: { name: 'Made by Jam' } } });
    const id = created.m.id as string;
    const [changes] = await ask('Mailbox', 'changes', { accountId, sinceState: state });
    assert.deepEqual(changes['created'], [id]);
    const [query] = await ask('Mailbox', 'query', { accountId, filter: { name: 'Jam' } });
    assert.deepEqual(query['ids'], [id]);
  });

  it('sends, looks the submission up, and searches with snippets', async () => {
    const [{ list: identities }] = await ask('Identity', 'get', { accountId });
    const [{ ids }] = await ask('Email', 'query', { accountId, filter: { subject: 'foreign' } });
    const emailId = ids[0] ?? '';
    const [sent] = await ask('EmailSubmission', 'set', {
      accountId,
      create: { s: { identityId: identities[0]?.id ?? '', emailId } },
    });
    assert.ok(sent['created']?.s, JSON.stringify(sent));
    const [{ list }] = await ask('EmailSubmission', 'get', { accountId });
    assert.equal(list[0]?.emailId, emailId);
    const [snippets] = await ask('SearchSnippet', 'get', {
      accountId,
      emailIds: [emailId],
      filter: { text: 'foreign' },
    });
    assert.match(String(snippets['list'][0]?.subject), /<mark>foreign<\/mark>/);
  });

  it('uploads, parses, imports, downloads', async () => {
    const message = 'From: a@else.test\r\nSubject: uploaded\r\n\r\nbody\r\n';
    const { blobId } = await jam.uploadBlob(accountId, new Blob([message], { type: 'message/rfc822' }));
    const [parsed] = await ask('Email', 'parse', { accountId, blobIds: [blobId] });
    assert.equal(parsed['parsed']?.[blobId]?.subject, 'uploaded');
    const response = await jam.downloadBlob({
      accountId,
      blobId,
      mimeType: 'message/rfc822',
      fileName: 'm.eml',
    });
    assert.equal(await response.text(), message);
  });

  it('has the vacation answer', async () => {
    await ask('VacationResponse', 'set', {
      accountId,
      update: { singleton: { isEnabled: true, textBody: 'away' } },
    });
    const [{ list }] = await ask('VacationResponse', 'get', { accountId });
    assert.deepEqual([list[0]?.isEnabled, list[0]?.textBody], [true, 'away']);
  });
});
