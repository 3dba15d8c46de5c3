import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { type AccountTestServer, accountTestServer } from '../../../test/support/account-server.ts';
import { lineClient } from '../../../test/support/smtp-client.ts';
import { createManageSieveServer } from './server.ts';

let server: AccountTestServer;
before(async () => {
  server = await accountTestServer(createManageSieveServer, { limits: { errorsPerSession: 10_000 } });
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

const LOGIN = 'AUTHENTICATE "PLAIN" "AGFsaWNlQGV4YW1wbGUudGVzdABwb3N0ZXJu"\r\n';

/** Whole commands as their octets, good and bad ones, whose literals hold what looks like commands. */
const hostile = fc
  .array(
    fc.constantFrom('\r\n', 'NOOP "evil"\r\n', '"', '{5+}', '\\', '\0', '\xff', ' ', 'keep;', '#', '('),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join(''));
const literal = hostile.map((text) => `{${text.length}+}\r\n${text}`);
const quoted = hostile.map((text) => `"${text.replaceAll(/[\r\n]/g, '').replaceAll(/["\\]/g, '\\$&')}"`);
const junk = fc
  .array(
    fc.constantFrom('"', '\\', '{', '}', '{5}x', '+', '(', '99999999999', 'a', '\0', '\xff', '\r', ' '),
    {
      maxLength: 6,
    },
  )
  // What ends like the head of a literal is one, and has its octets.
  .map((parts) =>
    parts
      .join('')
      .replace(/\{\d+\+?\}$/, '')
      .replace(/\r$/, ''),
  );
const argument = fc.oneof(literal, quoted, junk, fc.constantFrom('1', '4294967296', '"s"', '"t"'));
const name = fc.oneof(
  fc.constantFrom(
    'PUTSCRIPT',
    'CHECKSCRIPT',
    'GETSCRIPT',
    'HAVESPACE',
    'SETACTIVE',
    'RENAMESCRIPT',
    'DELETESCRIPT',
    'LISTSCRIPTS',
    'CAPABILITY',
    'noop',
    'AUTHENTICATE',
    'X',
  ),
  junk,
);
const command = fc
  .tuple(name, fc.array(argument, { maxLength: 5 }))
  .map(([word, args]) => `${[word, ...args].join(' ')}\r\n`);

function marks(all: string): string[] {
  return [...all.matchAll(/^OK \(TAG "?([^")]*)"?\)/gm)].map((match) => match[1] ?? '');
}

for (const loggedIn of [true, false])
  test(`commands good and bad, ${loggedIn ? 'after' : 'before'} the login: one answer each, and the next one is heard`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 12 }), async (commands) => {
        const text = commands.map((each, at) => `${each}NOOP "mark${at}"\r\n`).join('');
        const all = await said(Buffer.from(`${loggedIn ? LOGIN : ''}${text}LOGOUT\r\n`, 'latin1'));
        // A lone NOOP of the generator has no mark.
        assert.deepEqual(
          marks(all).filter((mark) => mark.startsWith('mark')),
          commands.map((_, at) => `mark${at}`),
          all,
        );
        assert.ok(!marks(all).includes('evil'), all);
        assert.ok(all.trimEnd().endsWith('OK "Goodbye"'), all);
        assert.deepEqual(server.logged, []);
      }),
      { numRuns: 150 },
    );
  });

test('octets without any sense end a session or are answered, and are nobody else’s trouble', async () => {
  const octets = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom(
        '\r\n',
        '{3+}\r\n',
        '{99999999999+}\r\n',
        '{4294967296+}\r\n',
        '"',
        LOGIN,
        'AUTHENTICATE "LOGIN"',
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

test('a response to a challenge that announces octets nobody asked for is not followed by commands', async () => {
  const all = await said(
    Buffer.from('AUTHENTICATE "LOGIN"\r\nx {15+}\r\nNOOP "evil"\r\n\r\n\r\nNOOP "after"\r\n', 'latin1'),
  );
  assert.deepEqual(marks(all), []);
  assert.match(all, /BYE "Expected a string"/);
});
