import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { CliIo } from '../../src/app/cli/command.ts';
import type { MailReport } from '../../src/app/cli/import-report.ts';
import { runCli } from '../../src/app/cli/run.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Flag } from '../../src/data/mailstore/types.ts';
import type { TestServer } from '../support/server.ts';

export interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** The command line against a server of the test. */
export function cliOf(server: TestServer, cwd: string): (...words: string[]) => Promise<Said> {
  return async (...words) => {
    const answer = { out: '', err: '' };
    const io: CliIo = {
      out: (text) => (answer.out += text),
      err: (text) => (answer.err += text),
      stdin: Object.assign(new PassThrough(), { isTTY: false }),
      env: {},
      cwd,
      clock: systemClock,
      systemDataDirectory: '/nonexistent',
      timeZone: 'UTC',
      width: 120,
    };
    const status = await runCli([...words, '--data', server.directory], io);
    return { status, ...answer };
  };
}

/** "import ..." with --json: the report, of a run that went well. */
export async function imported(
  run: (...words: string[]) => Promise<Said>,
  ...words: string[]
): Promise<MailReport> {
  const said = await run('import', ...words, '--json');
  assert.equal(said.status, 0, said.err + said.out);
  return JSON.parse(said.out) as MailReport;
}

export interface Held {
  readonly mailbox: string;
  readonly subject: string;
  readonly flags: string;
  readonly receivedAt: number;
  readonly octets: string;
}

const NAMES: readonly (readonly [number, string])[] = [
  [Flag.Seen, 'S'],
  [Flag.Answered, 'R'],
  [Flag.Flagged, 'F'],
  [Flag.Deleted, 'T'],
  [Flag.Draft, 'D'],
];

/** All mail of an account as a client would see it, in order of mailboxes and UIDs. */
export async function mailOf(server: TestServer, address: string): Promise<Held[]> {
  const { read, blobs } = server.store;
  const { id: accountId } = await server.account(address);
  const held: Held[] = [];
  for (const mailbox of await read.run('mailstore.mailboxes', { accountId })) {
    const rows = await read.run('mailstore.fetch', {
      mailboxId: mailbox.id,
      ranges: [{ from: 1, to: 0xffff_ffff }],
      want: ['content'],
      limit: 100_000,
    });
    for (const row of rows) {
      const octets = (await blobs.bytes(row.content?.blobId ?? 0)).toString('latin1');
      const marks = NAMES.filter(([bit]) => row.flags & bit).map(([, name]) => name);
      held.push({
        mailbox: mailbox.name,
        subject: /^Subject: (.*)\r$/m.exec(octets)?.[1] ?? '',
        flags: [marks.join(''), ...row.keywords].filter((word) => word !== '').join(' '),
        receivedAt: row.receivedAt,
        octets,
      });
    }
  }
  return held;
}
