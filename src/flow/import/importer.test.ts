import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { systemClock } from '../../base/clock.ts';
import { connectImap } from '../../net/imap-client/connect.ts';
import { imapSource } from './imap.ts';
import { importMail } from './importer.ts';
import { compareMail } from './parity.ts';
import { spool } from './spool.ts';
import type { ImportTarget, KnownRow } from './target.ts';
import type { MailSource, SourceFolder, SourceMessage } from './types.ts';

/** How an import behaves towards the system it reads from. */

const SIZE = 1000;

async function* octets(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(SIZE, 'x');
}

/** Folders of ten messages each. */
function source(folders: number): MailSource {
  const all = Array.from({ length: folders }, (_, i): SourceFolder => {
    return { id: `f${i}`, levels: [`f${i}`], subscribed: true };
  });
  const messages = Array.from({ length: 10 }, (_, i): SourceMessage => {
    return { key: String(i), flags: 0, keywords: [], receivedAt: 0, size: SIZE };
  });
  return {
    name: 'test',
    folders: () => Promise.resolve(all),
    list: () => Promise.resolve(messages),
    async *read(_folder, wanted) {
      for (const message of wanted) yield { message, octets: await spool(octets()), receivedAt: 0 };
    },
    close: () => Promise.resolve(),
  };
}

/** Remembers what was brought, and has it. */
function target(): ImportTarget {
  const brought = new Map<string, KnownRow[]>();
  return {
    mailbox: ({ name }) => Promise.resolve({ id: 1, name, messages: 0 }),
    mailboxes: () => Promise.resolve([]),
    known: (id) => Promise.resolve(brought.get(id) ?? []),
    add(id, messages) {
      const rows = messages.map(({ key, octets: { size, digest } }, i): KnownRow => {
        const flags = { flags: 0, keywords: [] };
        return { key, mailboxId: 1, uid: i + 1, size, digest: digest.toString('hex'), ...flags, now: flags };
      });
      brought.set(id, [...(brought.get(id) ?? []), ...rows]);
      return Promise.resolve(messages.map(({ key }) => ({ key, status: 'stored' as const })));
    },
    setFlags: () => Promise.resolve(0),
    place: () => Promise.resolve(0),
    remove: () => Promise.resolve(0),
    digests: () =>
      Promise.resolve(new Map([...brought.values()].flat().map(({ uid, digest }) => [uid, digest]))),
  };
}

test('no more octets a second than were allowed, over all folders, and when they are compared', async () => {
  const still = manualClock();
  const clock = {
    ...still,
    // Time goes by sleeping alone.
    sleep: (ms: number): Promise<void> => Promise.resolve(still.advance(ms)),
  };
  const [from, to] = [source(20), target()];
  const reports = await importMail(from, to, { clock, bytesPerSecond: 10_000 });
  assert.equal(
    reports.reduce((sum, { added }) => sum + added, 0),
    200,
  );
  assert.ok(clock.monotonic() >= 19_999, `${clock.monotonic()} ms for 200,000 octets`);
  const parity = await compareMail(from, to, { clock, bytesPerSecond: 10_000, octets: true });
  assert.ok(parity.every(({ sameOctets }) => sameOctets === 10));
  assert.ok(clock.monotonic() >= 39_999);
  const before = clock.monotonic();
  await importMail(from, target(), { clock });
  assert.equal(clock.monotonic(), before, 'as fast as it goes where nothing is said');
});

test('a server that asks for patience is asked again after a while, on a new connection', async () => {
  let [connections, refusals] = [0, 3];
  const server = createServer((socket) => {
    connections++;
    socket.on('error', () => undefined);
    socket.write('* OK [CAPABILITY IMAP4rev1] ready\r\n');
    socket.on('data', (chunk) => {
      const [tag = '', verb = ''] = chunk.toString('latin1').split(' ');
      const listed = verb === 'LIST' ? '* LIST () "/" INBOX\r\n' : '';
      const no = verb === 'EXAMINE' && refusals-- > 0;
      socket.write(`${listed}${tag} ${no ? 'NO [THROTTLED] slow down' : 'OK done'}\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const waits: number[] = [];
  const clock = { ...systemClock, sleep: (ms: number) => Promise.resolve(void waits.push(ms)) };
  const place = { host: '127.0.0.1', port, tls: 'none', verify: 'none' } as const;
  const connect = (): ReturnType<typeof connectImap> =>
    connectImap(place, { user: 'a', secret: 'b' }, systemClock);
  const from = imapSource({ name: 'a', connect, clock });
  try {
    const folders = await from.folders();
    assert.deepEqual(
      folders.map(({ levels }) => levels),
      [['INBOX']],
    );
    assert.deepEqual(waits, [1000, 2000, 4000]);
    assert.equal(connections, 4);
  } finally {
    await from.close();
    server.close();
  }
});
