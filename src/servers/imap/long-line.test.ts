import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { imapTestServer } from '../../../test/support/imap-server.ts';
import { skipUnlessLong } from '../../../test/support/programs.ts';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { openStore } from '../../data/open.ts';
import { Intake } from '../../flow/intake.ts';

/** A message that is one line of very many octets: no command may hold it in memory, or keep others waiting for it. */

const MB = 1_000_000;
const MAX_BYTES = 100 * MB;
/** Octets that the process may hold more while a command works on such a line. */
const HELD_BYTES = 16 * MB;
/** How often another session must be answered meanwhile. */
const ANSWERED = 10;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Octets that are in use, less what is garbage. */
function inUse(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function opened(t: TestContext): Promise<{ c: ImapClient; other: ImapClient }> {
  const directory = mkdtempSync(join(tmpdir(), 'postern-line-'));
  const store = await openStore({ directory, clock: systemClock, logger: silentLogger });
  const actor = { name: 'system', role: 'system', domainId: undefined } as const;
  await store.write.run('directory.addDomain', { actor, name: 'example.test' });
  await store.write.run('directory.addAccount', {
    actor,
    address: 'alice@example.test',
    displayName: '',
    role: 'user',
    quota: 0,
    hash: 'none',
    scram: null,
  });
  const server = await imapTestServer({
    store,
    intake: () => new Intake({ bodies: store.bodies, maxBytes: MAX_BYTES }),
    limits: { messageBytes: MAX_BYTES },
  });
  t.after(async () => {
    await server.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
    assert.deepEqual(server.logged, []);
  });
  return { c: await server.ready('INBOX'), other: await server.ready('INBOX') };
}

/** Run a command; count how often another session is answered until it is, and look at the memory meanwhile. */
async function alongside<T>(
  other: ImapClient,
  run: () => Promise<T>,
): Promise<{ result: T; answered: number; held: number }> {
  const before = inUse();
  let over = false;
  const running = run().finally(() => {
    over = true;
  });
  let answered = 0;
  let held = 0;
  while (!over) {
    await other.ok('NOOP');
    answered++;
    // It takes its time.
    if (answered % 50 === 10) held = Math.max(held, inUse() - before);
  }
  return { result: await running, answered, held };
}

const PIECE = 64 * 1024;

/** Append head, one line of so many octets, and tail, piece by piece. */
async function appendLine(
  c: ImapClient,
  head: string,
  size: number,
  unit: string,
  tail: string,
): Promise<void> {
  const piece = Buffer.from(
    unit.repeat(Math.ceil(PIECE / unit.length)).slice(0, PIECE - (PIECE % unit.length)),
  );
  const count = Math.ceil(size / piece.length);
  const octets = head.length + count * piece.length + tail.length;
  c.send(`x APPEND INBOX {${octets}+}\r\n${head}`);
  for (let i = 0; i < count; i++) {
    c.send(piece);
    if (i % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  c.send(`${tail}\r\n`);
  for (;;) if ((await c.response())?.startsWith('x OK [APPENDUID') === true) return;
}

const KINDS: readonly (readonly [name: string, size: number, head: string, unit: string, tail: string])[] = [
  ['plain text', 60 * MB, 'Subject: s\r\n\r\n', 'lorem ipsum ', 'needle'],
  ['one HTML tag', 20 * MB, 'Content-Type: text/html\r\n\r\n<p title="', 'lorem ipsum ', '">needle'],
  [
    'base64',
    20 * MB,
    'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n',
    'bG9yZW0gaXBzdW0g',
    'bmVlZGxl',
  ],
];

for (const [name, size, head, unit, tail] of KINDS)
  test(`a line of ${size / MB} MB of ${name} is searched and shown without holding it, or anybody`, {
    skip: skipUnlessLong(),
  }, async (t) => {
    const { c, other } = await opened(t);
    const check = ({ answered, held }: { answered: number; held: number }, what: string): void => {
      assert(held < HELD_BYTES, `${what} holds ${Math.round(held / MB)} MB`);
      assert(answered >= ANSWERED, `${what}: another session was answered ${answered} times`);
    };
    await appendLine(c, head, size, unit, tail);
    await c.ok('NOOP');
    const search = await alongside(other, () => c.ok('SEARCH OR SUBJECT needles TEXT needle'));
    assert.deepEqual(search.result, ['SEARCH 1']);
    check(search, 'SEARCH');
    const preview = await alongside(other, () => c.ok('FETCH 1 (PREVIEW ENVELOPE BODYSTRUCTURE)'));
    assert(preview.held < HELD_BYTES, `PREVIEW holds ${preview.held}`);
    assert.match(preview.result.join(), /^1 FETCH \(PREVIEW /);
    const [part = ''] = await c.ok(`FETCH 1 BODY.PEEK[TEXT]<${size - 10}.20>`);
    assert.match(part, /\{20\}/);
  });
