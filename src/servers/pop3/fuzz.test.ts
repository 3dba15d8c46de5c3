import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type AccountTestServer, accountTestServer } from '../../../test/support/account-server.ts';
import { lineClient } from '../../../test/support/smtp-client.ts';
import { createPop3Server } from './server.ts';

let server: AccountTestServer;
before(async () => {
  server = await accountTestServer(createPop3Server, { limits: { errorsPerSession: 10_000 } });
});
after(() => server.close());

/** All that a server says to what is sent in one write. */
async function said(octets: Buffer): Promise<string> {
  const client = await lineClient(server.port);
  client.send(octets);
  client.halfClose();
  const all = await client.closed();
  client.close();
  return all;
}

const LOGIN = 'USER alice@example.test\r\nPASS postern\r\n';

const junk = fc
  .array(
    fc.constantFrom(
      ' ',
      '  ',
      '1',
      '0',
      '-1',
      '99999999999',
      '\0',
      '\xff',
      '=',
      '*',
      '.',
      '\r',
      'x',
      'PLAIN',
      '\t',
    ),
    {
      maxLength: 6,
    },
  )
  .map((parts) => parts.join('').replace(/\r$/, ''));
const line = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(
        'CAPA',
        'STAT',
        'LIST',
        'UIDL',
        'RETR',
        'TOP',
        'DELE',
        'RSET',
        'NOOP',
        'USER',
        'PASS',
        'stls',
        'AUTH',
        '',
        'APOP',
      ),
      junk,
    ),
    junk,
    fc.constantFrom(' ', '', '\t'),
  )
  .map(([word, argument, between]) => `${word}${between}${argument}\r\n`)
  // Those end the session, or begin TLS.
  .filter((text) => !/^(?:QUIT|STLS\s*\r)/i.test(text));

test('lines good and bad after the login: one answer each, and the next one is heard', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
      const text = lines.map((each, at) => `${each}DELE ${900_000 + at}\r\n`).join('');
      const all = await said(Buffer.from(`${LOGIN}${text}QUIT\r\n`, 'latin1'));
      assert.deepEqual(
        [...all.matchAll(/^-ERR There is no message (9\d{5})\r$/gm)].map((match) => Number(match[1])),
        lines.map((_, at) => 900_000 + at),
        all,
      );
      assert.ok(all.endsWith('+OK Goodbye\r\n'), all);
      assert.deepEqual(server.logged, []);
    }),
    { numRuns: 200 },
  );
});

test('octets without any sense end a session or are answered, and are nobody else’s trouble', async () => {
  const octets = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom(
        '\r\n',
        'AUTH PLAIN\r\n',
        'AUTH LOGIN\r\n',
        '=\r\n',
        '*\r\n',
        'x'.repeat(20_000),
        LOGIN,
        'USER \0\r\nPASS \0\r\n',
      ),
    ),
    { maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(octets, async (parts) => {
      await said(Buffer.from(parts.join(''), 'latin1'));
      assert.deepEqual(server.logged, []);
    }),
    { numRuns: 200 },
  );
});
