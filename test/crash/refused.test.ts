import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runProgram } from '../app/program.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startTryServer, type TryServer } from '../support/try-server.ts';
import { damage, gatherEvidence } from './evidence.ts';
import { skipUnlessLong } from '../support/programs.ts';

const ROUNDS = 2;
const CONNECTIONS = 6;
/** Milliseconds from the first refusal until the kill, at most. */
const ALIVE_MS = 400;
/** So many octets of a message have it put into a segment, and into a file of its own. */
const SIZES = [500, 100 * 1024, 300 * 1024];

/** What was sent, and the case number that the sender was told. */
interface Refused {
  readonly subject: string;
  told: string | undefined;
}

async function pour(
  port: number,
  label: string,
  size: number,
  ledger: Refused[],
  onTold: () => void,
): Promise<void> {
  const client = await lineClient(port);
  try {
    await client.talk(['', '220'], ['EHLO load.test\r\n', '250']);
    for (let serial = 0; ; serial++) {
      await client.talk(
        ['MAIL FROM:<x@blocked.test>\r\n', '250'],
        ['RCPT TO:<alice@example.test>\r\n', '250'],
        ['DATA\r\n', '354'],
      );
      const entry: Refused = { subject: `${label}-${serial}`, told: undefined };
      ledger.push(entry);
      const header = `From: <x@blocked.test>\r\nSubject: ${entry.subject}\r\nMessage-ID: <${entry.subject}@blocked.test>\r\n\r\n`;
      const line = `${entry.subject} ${'x'.repeat(60)}\r\n`;
      client.send(`${header}${line.repeat(Math.ceil(size / line.length))}.\r\n`);
      const reply = await client.reply();
      if (reply.includes('(closed)')) return;
      const number = /^550 5\.7\.1 Refused \(case (\S+)\)/.exec(reply)?.[1];
      assert.ok(number, reply);
      entry.told = number;
      onTold();
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    // The server went before a message was under way.
  } finally {
    client.close();
  }
}

interface Kept {
  readonly caseNumber: string;
  readonly subject: string;
}

async function keptIn(directory: string): Promise<Map<string, Kept>> {
  const { stdout, stderr, status } = await runProgram([
    'vault',
    'list',
    '--limit',
    '1000',
    '--json',
    '--data',
    directory,
  ]);
  assert.equal(status, 0, stderr);
  const { entries } = JSON.parse(stdout) as { entries: Kept[] };
  return new Map(entries.map((entry) => [entry.caseNumber, entry]));
}

describe('SIGKILL while mail is refused', () => {
  it('a case number that was told leads to the message; nothing is kept twice', {
    skip: skipUnlessLong(),
  }, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
    let server: TryServer | undefined;
    t.after(async () => {
      await server?.end('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    });
    const ledger: Refused[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      server = await startTryServer({ directory });
      const port = server.ports.smtp;
      const blocked = await runProgram(['filter', 'block', '@blocked.test', '--data', directory]);
      assert.equal(blocked.status, 0, blocked.stderr);
      const { promise, resolve } = Promise.withResolvers<void>();
      const answered = (): void => void setTimeout(resolve, Math.random() * ALIVE_MS);
      const load = Array.from({ length: CONNECTIONS }, (_, i) =>
        pour(port, `r${round}-${i}`, SIZES[i % SIZES.length] ?? 0, ledger, answered),
      );
      await promise;
      await server.end('SIGKILL');
      await Promise.all(load);
    }
    server = await startTryServer({ directory });
    const kept = await keptIn(directory);
    for (const { told, subject } of ledger) {
      if (told !== undefined) assert.equal(kept.get(told)?.subject, subject, `case ${told} is lost`);
    }
    const subjects = [...kept.values()].map(({ subject }) => subject);
    assert.equal(new Set(subjects).size, subjects.length, 'one message, one entry');
    const told = ledger.filter((entry) => entry.told !== undefined);
    const [first] = told;
    assert.ok(first?.told);
    const released = await runProgram(['vault', 'release', first.told, '--data', directory]);
    assert.equal(released.status, 0, released.stderr);
    assert.equal(await server.end('SIGTERM'), 0);
    // What was released is mail of this test's own making: its octets are not those of the usual load.
    const evidence = { ...gatherEvidence(directory), files: new Map() };
    assert.deepEqual(await damage(directory, evidence), []);
    t.diagnostic(
      `report: ${ROUNDS} kills; ${ledger.length} messages, ${told.length} told a case number, all of them kept; ` +
        `${kept.size - told.length} kept without the sender being told`,
    );
  });
});
