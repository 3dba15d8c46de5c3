import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { tryAerc } from '../../bench/foreign-jmap/aerc.ts';
import { openSite } from '../../bench/foreign-jmap/site.ts';
import { steps } from '../../bench/foreign-jmap/steps.ts';
import { skipUnlessLong, skipWithout } from '../support/programs.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type JmapClient, jmapClient } from './client.ts';

/** Mail programs of other people; bench/foreign-jmap runs more of them. */

/** The aerc of POSTERN_AERC (a command) or of the PATH, when it knows JMAP: since 0.16. */
function findAerc(): string | undefined {
  const found = (process.env.PATH ?? '').split(':').find((path) => existsSync(join(path, 'aerc')));
  const command = process.env['POSTERN_AERC'] ?? (found && join(found, 'aerc'));
  if (command === undefined) return undefined;
  const said = execFileSync('/bin/sh', ['-c', `${command} --version`], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(said) ?? [];
  return Number(major) > 0 || Number(minor) >= 16 ? command : undefined;
}

const wanted = skipUnlessLong() || skipWithout('tmux');
const aerc = wanted === false ? findAerc() : undefined;

describe('aerc', { skip: wanted || (aerc === undefined && 'there is no aerc of 0.16 or newer') }, () => {
  it('does what people do with their mail', async () => {
    await using site = await openSite(300);
    const told = steps('aerc');
    await tryAerc(aerc ?? '', site, told);
    assert.deepEqual(
      told.results.filter(({ failed }) => failed !== undefined),
      [],
    );
  });
});

/** What programs turned out to need, without the programs. */
describe('what programs of other people say', () => {
  let server: TestServer;
  let bob: JmapClient;
  before(async () => {
    server = await startTestServer();
    bob = await jmapClient(server, 'bob@example.test');
  });
  after(() => server.close());

  it('go-jmap: an upload is answered 200', async () => {
    const response = await fetch(bob.url(`/jmap/upload/${bob.accountId}/`), {
      method: 'POST',
      headers: { ...bob.headers, 'content-type': 'application/json' },
      body: 'text',
    });
    assert.equal(response.status, 200);
  });

  it('meli: a download without a name', async () => {
    const blobId = await bob.upload('the octets');
    const url = bob.url(`/jmap/download/${bob.accountId}/${blobId}/?accept=application/octet-stream`);
    const response = await fetch(url, { headers: bob.headers });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'the octets');
    assert.match(response.headers.get('content-disposition') ?? '', /^attachment/);
    assert.equal((await fetch(url)).status, 401);
  });

  it('go-jmap before 0.5: "mailfrom" in an envelope; meli: undoStatus of a new submission', async () => {
    const { list } = await bob.call('Identity/get');
    const { list: boxes } = await bob.call('Mailbox/get', { properties: ['role'] });
    const drafts = boxes.find(({ role }: { role: string }) => role === 'drafts').id;
    const [email, submission] = await bob.calls(
      [
        'Email/set',
        {
          accountId: bob.accountId,
          create: {
            a: {
              mailboxIds: { [drafts]: true },
              from: [{ email: 'bob@example.test' }],
              to: [{ email: 'alice@example.test' }],
              textBody: [{ partId: 't', type: 'text/plain' }],
              bodyValues: { t: { value: 'hello' } },
            },
          },
        },
      ],
      [
        'EmailSubmission/set',
        {
          accountId: bob.accountId,
          create: {
            s: {
              identityId: list[0].id,
              emailId: '#a',
              undoStatus: 'final',
              envelope: {
                mailfrom: { email: 'bob@example.test' },
                rcptTo: [{ email: 'alice@example.test' }],
              },
            },
            t: { identityId: list[0].id, emailId: '#a', undoStatus: 'pending' },
          },
        },
      ],
    );
    assert.ok(email?.[1]['created'].a);
    assert.ok(submission?.[1]['created']?.s, JSON.stringify(submission));
    assert.equal(submission?.[1]['notCreated']?.t.type, 'invalidProperties');
  });
});
