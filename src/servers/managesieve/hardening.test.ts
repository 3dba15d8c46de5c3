import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountTestServer } from '../../../test/support/account-server.ts';
import { lineClient } from '../../../test/support/smtp-client.ts';
import { createPop3Server } from '../pop3/server.ts';
import { createManageSieveServer } from './server.ts';

/** What a server says to octets in one write, until it closes or has answered all of it. */
async function said(create: typeof createPop3Server, octets: string): Promise<string> {
  const server = await accountTestServer(create);
  try {
    const client = await lineClient(server.port);
    client.send(Buffer.from(octets, 'latin1'));
    client.halfClose();
    const all = await client.closed();
    assert.deepEqual(server.logged, []);
    return all;
  } finally {
    await server.close();
  }
}

test('ManageSieve: base64 without end in AUTHENTICATE is not kept (Pigeonhole CVE-2026-27858)', async () => {
  const long = 'A'.repeat(1024 * 1024);
  for (const text of [
    `AUTHENTICATE "PLAIN" {${long.length}+}\r\n${long}\r\n`,
    `AUTHENTICATE "PLAIN" "${long}"\r\n`,
    `AUTHENTICATE "PLAIN"\r\n{${long.length}+}\r\n${long}\r\n`,
    `AUTHENTICATE "PLAIN"\r\n"${long}"\r\n`,
  ])
    assert.match(await said(createManageSieveServer, text), /^BYE /m);
});

test('ManageSieve: many literals in one command count together (Cyrus CVE-2024-34055)', async () => {
  const literals = ' {3000+}\r\n'.concat('x'.repeat(3000)).repeat(3);
  const all = await said(createManageSieveServer, `NOOP${literals}\r\nNOOP "next"\r\n`);
  assert.match(all, /^NO \(QUOTA\/MAXSIZE\)/m);
  assert.match(all, /^OK \(TAG "next"\)/m);
});

test('POP3: base64 without end in AUTH is not kept (CVE-2025-59028)', async () => {
  const long = 'A'.repeat(1024 * 1024);
  assert.match(
    await said(createPop3Server, `AUTH PLAIN ${long}\r\n`),
    /^-ERR Command line too long|^-ERR line too long/m,
  );
  assert.match(
    await said(createPop3Server, `AUTH PLAIN\r\n${long}\r\n`),
    /^-ERR Response too long|too long/m,
  );
});
