import assert from 'node:assert/strict';
import { TEST_PASSWORD } from '../support/server.ts';

export type Args = Record<string, unknown>;
// What answers are is what tests find out.
// oxlint-disable-next-line typescript/no-explicit-any
export type Answer = Record<string, any>;

export const CORE = 'urn:ietf:params:jmap:core';
export const USING = ['core', 'mail', 'submission', 'vacationresponse', 'blob', 'quota', 'sieve'].map(
  (name) => `urn:ietf:params:jmap:${name}`,
);

/** A JMAP client as small as can be. */
export interface JmapClient {
  readonly accountId: string;
  readonly headers: Record<string, string>;
  url(path: string): string;
  /** Calls in one request; their responses without call ids. */
  calls(...calls: readonly (readonly [string, Args, string?])[]): Promise<[string, Answer][]>;
  /** One call, with the account put in; its answer, which must not be an error. */
  call(name: string, args?: Args): Promise<Answer>;
  /** The type of the error that one call is answered with. */
  error(name: string, args?: Args): Promise<string>;
  upload(octets: string | Uint8Array, type?: string): Promise<string>;
  download(blobId: string): Promise<Response>;
}

export async function jmapClient(
  server: { readonly ports: { readonly http?: number | undefined } },
  address: string,
  password = TEST_PASSWORD,
  /** Tries while other clients of the account have all the requests that may run at once. */
  tries = 1,
): Promise<JmapClient> {
  const base = `http://127.0.0.1:${server.ports.http}`;
  const headers = { authorization: `Basic ${Buffer.from(`${address}:${password}`).toString('base64')}` };
  const session = (await (await fetch(`${base}/jmap/session`, { headers })).json()) as Answer;
  const accountId = session['primaryAccounts']['urn:ietf:params:jmap:mail'] as string;
  const client: JmapClient = {
    accountId,
    headers,
    url: (path) => base + path,
    async calls(...calls) {
      const methodCalls = calls.map(([name, args, id], i) => [name, args, id ?? String(i)]);
      for (let left = tries; ; left--) {
        const response = await fetch(`${base}/jmap/api`, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify({ using: USING, methodCalls }),
        });
        const body = (await response.json()) as Answer;
        if (body['limit'] === 'maxConcurrentRequests' && left > 1) {
          await new Promise((done) => setTimeout(done, 50));
          continue;
        }
        assert.equal(response.status, 200, JSON.stringify(body));
        return (body['methodResponses'] as [string, Answer, string][]).map(([name, answer]) => [
          name,
          answer,
        ]);
      }
    },
    async call(name, args = {}) {
      const [answer] = await client.calls([name, { accountId, ...args }]);
      assert.ok(answer);
      assert.equal(answer[0], name, JSON.stringify(answer[1]));
      return answer[1];
    },
    async error(name, args = {}) {
      const [answer] = await client.calls([name, { accountId, ...args }]);
      assert.ok(answer);
      assert.equal(answer[0], 'error', JSON.stringify(answer));
      return answer[1]['type'] as string;
    },
    async upload(octets, type = 'application/octet-stream') {
      const response = await fetch(`${base}/jmap/upload/${accountId}/`, {
        method: 'POST',
        headers: { ...headers, 'content-type': type },
        body: octets as string,
      });
      assert.equal(response.status, 200);
      return ((await response.json()) as Answer)['blobId'] as string;
    },
    download: (blobId) =>
      fetch(`${base}/jmap/download/${accountId}/${blobId}/file?accept=text/plain`, { headers }),
  };
  return client;
}

/** Put a message into a mailbox; returns the id of the email. */
export async function put(
  client: JmapClient,
  message: string,
  mailboxId: string,
  more: Args = {},
): Promise<string> {
  const blobId = await client.upload(message.replaceAll(/\r?\n/g, '\r\n'), 'message/rfc822');
  const answer = await client.call('Email/import', {
    emails: { a: { blobId, mailboxIds: { [mailboxId]: true }, ...more } },
  });
  assert.ok(answer['created'], JSON.stringify(answer));
  return answer['created'].a.id as string;
}

export async function mailboxes(client: JmapClient): Promise<Record<string, string>> {
  const { list } = await client.call('Mailbox/get', { ids: null });
  return Object.fromEntries((list as Answer[]).map(({ role, name, id }) => [role ?? name, id]));
}
