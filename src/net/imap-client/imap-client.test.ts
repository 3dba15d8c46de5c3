import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { internalDate, parseInternalDate } from './client.ts';
import { connectImap } from './connect.ts';
import { ImapFailure } from './failure.ts';
import { parseValues, type Value } from './response.ts';
import { decodeMailboxName, encodeMailboxName } from './utf7.ts';

/** A server that answers each command by a function; '' closes the connection. */
async function served<T>(
  answer: (command: string, socket: Socket) => string,
  use: (port: number) => Promise<T>,
): Promise<T> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n'); end !== -1; end = text.indexOf('\r\n')) {
        const [tag = '', ...words] = text.slice(0, end).split(' ');
        text = text.slice(end + 2);
        const said = answer(words.join(' '), socket);
        if (said === '') return socket.destroy();
        socket.write(said.replaceAll('TAG', tag), 'latin1');
      }
      return undefined;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  try {
    return await use(typeof address === 'object' && address !== null ? address.port : 0);
  } finally {
    server.close();
  }
}

const login = { user: 'a', secret: 'b' };
const place = (port: number) => ({ host: '127.0.0.1', port, tls: 'none', verify: 'none' }) as const;

test('bodies are streamed, whatever stands around them', async () => {
  const body = 'x'.repeat(200_000);
  const got: [number, number][] = [];
  await served(
    (command) =>
      command.startsWith('UID FETCH')
        ? `* 1 FETCH (UID 7 BODY[] {${body.length}}\r\n${body} FLAGS (\\Seen))\r\n* 2 FETCH (BODY[] {3}\r\nabc UID 9)\r\n* 3 EXISTS\r\nTAG OK done\r\n`
        : 'TAG OK done\r\n',
    async (port) => {
      const client = await connectImap(place(port), login, systemClock);
      let size = 0;
      await client.fetch(
        '1:*',
        'BODY.PEEK[]',
        (uid) => got.push([uid, size]),
        async (_before, _size, octets) => {
          size = 0;
          for await (const piece of octets) size += piece.length;
        },
      );
      await client.logout();
    },
  );
  assert.deepEqual(got, [
    [7, 200_000],
    [9, 3],
  ]);
});

for (const [what, answer] of [
  ['a line without end', `* ${'x'.repeat(2_000_000)}\r\n`],
  ['a string that is too large', '* LIST () "/" {99999999}\r\n'],
  ['lists that are nested too deeply', `* LIST ${'('.repeat(10_000)}\r\nTAG OK\r\n`],
  ['a list without end', '* LIST (\\Sent "/" a\r\nTAG OK\r\n'],
  ['a line that belongs to nothing', 'hello\r\n'],
] as const) {
  test(`hostile: ${what}`, async () => {
    await served(
      (command) => (command.startsWith('LIST') ? answer : 'TAG OK done\r\n'),
      async (port) => {
        const client = await connectImap(place(port), login, systemClock);
        await assert.rejects(
          client.list(),
          (error) => error instanceof ImapFailure && error.kind === 'protocol',
        );
        await client.logout();
      },
    );
  });
}

test('special uses are asked for and name spaces told apart, where the server can', async () => {
  const asked: string[] = [];
  const answers: Record<string, string> = {
    CAPABILITY: '* CAPABILITY IMAP4rev1 NAMESPACE LIST-EXTENDED SPECIAL-USE\r\n',
    NAMESPACE: '* NAMESPACE (("INBOX." ".")) NIL (("shared." ".")("#public/" "/"))\r\n',
    LIST: '* LIST (\\Sent) "." INBOX.Weg\r\n',
  };
  await served(
    (command) => {
      asked.push(command);
      return `${answers[command.split(' ', 1)[0] ?? ''] ?? ''}TAG OK done\r\n`;
    },
    async (port) => {
      const client = await connectImap(place(port), login, systemClock);
      const [sent] = await client.list();
      assert.deepEqual([sent?.levels, sent?.attributes], [['INBOX', 'Weg'], ['\\Sent']]);
      assert.ok(asked.includes('LIST "" "*" RETURN (SPECIAL-USE)'));
      assert.deepEqual(await client.namespaces(), {
        own: ['INBOX.'],
        others: [],
        shared: ['shared.', '#public/'],
      });
      await client.logout();
    },
  );
});

test('a wrong password and a lost connection are told apart', async () => {
  const kind = async (answer: string): Promise<string> =>
    served(
      (command) => (command.startsWith('LOGIN') ? answer : 'TAG OK done\r\n'),
      async (port) =>
        connectImap(place(port), login, systemClock).then(
          () => 'none',
          (error: unknown) => (error instanceof ImapFailure ? error.kind : 'other'),
        ),
    );
  assert.equal(await kind('TAG NO [AUTHENTICATIONFAILED] wrong\r\n'), 'login');
  assert.equal(await kind('TAG NO [UNAVAILABLE] later\r\n'), 'lost');
  assert.equal(await kind(''), 'lost');
});

test('values of a response', () => {
  const values = parseValues({
    texts: ['1 FETCH (FLAGS (\\Seen a) X "q\\"]" BODY[HEADER.FIELDS (DATE)] ', ' Y NIL)'],
    literals: [Buffer.from('lit')],
  });
  const shown = (value: Value): unknown =>
    Buffer.isBuffer(value)
      ? `"${value.toString()}"`
      : Array.isArray(value)
        ? value.map(shown)
        : value && 'atom' in value
          ? value.atom
          : value;
  assert.deepEqual(values.map(shown), [
    '1',
    'FETCH',
    ['FLAGS', ['\\Seen', 'a'], 'X', '"q"]"', 'BODY[HEADER.FIELDS (DATE)]', '"lit"', 'Y', undefined],
  ]);
});

test('names and dates', () => {
  for (const name of ['Entwürfe', 'a&b', '日本語/x', '😀', 'plain'])
    assert.equal(decodeMailboxName(Buffer.from(encodeMailboxName(name), 'latin1')), name);
  assert.equal(decodeMailboxName(Buffer.from('&broken', 'latin1')), '&broken');
  assert.equal(decodeMailboxName(Buffer.from('Entwürfe', 'utf8')), 'Entwürfe');
  assert.equal(parseInternalDate(internalDate(Date.UTC(2020, 1, 3, 4, 5, 6))), Date.UTC(2020, 1, 3, 4, 5, 6));
  assert.equal(parseInternalDate(' 3-Feb-2020 05:05:06 +0100'), Date.UTC(2020, 1, 3, 4, 5, 6));
});
