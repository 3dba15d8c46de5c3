/** Blobs of parts as they stand in a message, header and all: what a signature covers (RFC 1847 section 2.1). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type JmapClient, jmapClient, mailboxes } from './client.ts';

const PART = 'Content-Type: text/plain; charset=utf-8\r\nX-Odd:  kept \r\n\r\nline with blanks  \r\n\r\n';
const MESSAGE = `Subject: x\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: multipart/signed; boundary=s\r\n\r\npreamble\r\n--s\r\n${PART}\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n--s--\r\n--o\r\n\r\nfooter\r\n--o--\r\n`;

describe('blobs of parts as they were signed', () => {
  let server: TestServer;
  let client: JmapClient;
  let blobId: string;
  before(async () => {
    server = await startTestServer();
    client = await jmapClient(server, 'bob@example.test');
    const { inbox } = await mailboxes(client);
    const uploaded = await client.upload(MESSAGE, 'message/rfc822');
    const emails = { a: { blobId: uploaded, mailboxIds: { [inbox ?? '']: true } } };
    blobId = (await client.call('Email/import', { emails }))['created'].a.blobId;
  });
  after(() => server.close());
  const octets = async (id: string) => {
    const response = await client.download(id);
    return response.status === 200 ? response.text() : response.status;
  };

  it('are the octets between the delimiters', async () => {
    assert.equal(await octets(`${blobId}-e1_1`), PART);
    const [, outer] = /--o\r\n(Content-Type: multipart\/signed[^]*--s--)\r\n--o/.exec(MESSAGE) ?? [];
    assert.equal(await octets(`${blobId}-e1`), outer);
    // In an upload, and on from there.
    const uploaded = await client.upload(MESSAGE, 'message/rfc822');
    assert.equal(await octets(`${uploaded}-e1_1`), PART);
    assert.equal(await octets(`${blobId}-e1-1`), 'line with blanks  \r\n\r\n');
  });

  it('can be read as messages', async () => {
    const { parsed } = await client.call('Email/parse', {
      blobIds: [`${blobId}-e1_1`],
      properties: ['bodyValues', 'textBody'],
      fetchTextBodyValues: true,
    });
    assert.equal(parsed[`${blobId}-e1_1`].bodyValues['1'].value, 'line with blanks  \n\n');
  });

  it('are there for parts of multiparts alone', async () => {
    for (const none of ['e0', 'e3', 'e2_1', 'e1_3', 'e', 'e1_', 'e_1', 'e1_1_1', 'e1x'])
      assert.equal(await octets(`${blobId}-${none}`), 404, none);
    const other = await jmapClient(server, 'alice@example.test');
    assert.equal((await other.download(`${blobId}-e1`)).status, 404);
  });
});
