import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { emlWriter } from '../../../flow/import/eml-writer.ts';
import { FrameReader } from '../../../flow/import/frames.ts';
import { imapWriter } from '../../../flow/import/imap-writer.ts';
import { maildirWriter } from '../../../flow/import/maildir-writer.ts';
import { mboxWriter } from '../../../flow/import/mbox-writer.ts';
import type { MailWriter } from '../../../flow/import/writer.ts';
import { connectImap } from '../../../net/imap-client/connect.ts';
import { ImapFailure } from '../../../net/imap-client/failure.ts';
import { Refusal } from '../../../base/errors.ts';
import { EXPORT_PATH } from '../../../servers/http/admin/message-stream.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type Call, type CliCommand, type Option, type Outcome, UsageError } from '../command.ts';
import { imapOptions, imapPlace, peopleOf } from '../import-people.ts';
import { plain, table } from '../plain-text.ts';

/** "export maildir|mbox|eml|imap": mail of an account to somewhere else, by the admin API of the running server. */

const COMMON: { readonly [name: string]: Option } = {
  account: { value: 'ADDRESS', help: 'the account whose mail it is' },
  only: { value: 'MAILBOX', help: 'only this mailbox', many: true },
};

const head = z.object({
  uid: z.number(),
  flags: z.number(),
  keywords: z.array(z.string()),
  receivedAt: z.number(),
  size: z.number(),
});

interface Exported {
  readonly mailbox: string;
  readonly messages: number;
  readonly written: number;
}

async function exportMail({ admin, text, texts, io }: Call, writer: MailWriter): Promise<Outcome> {
  const account = needAccount(text('account'));
  const only = new Set(texts('only').map((name) => name.toLowerCase()));
  const { mailboxes } = await admin.call(operations.importing.mailboxes, { account });
  const done: Exported[] = [];
  try {
    for (const mailbox of mailboxes) {
      if (only.size > 0 && !only.has(mailbox.name.toLowerCase())) continue;
      const folder = await writer.open(mailbox);
      const query = { account, mailbox: String(mailbox.id) };
      const reader = new FrameReader(await admin.stream({ method: 'GET', path: EXPORT_PATH, query }));
      let [messages, written] = [0, 0];
      for (let value = await reader.next(); value !== undefined; value = await reader.next()) {
        messages++;
        if ((await folder.write(head.parse(value), reader.octets())) === 'written') written++;
      }
      await folder.close();
      done.push({ mailbox: mailbox.name, messages, written });
    }
  } catch (error) {
    if (error instanceof ImapFailure)
      throw new Refusal('unavailable', `${error.message}. What is done stays; run it again to go on.`);
    throw error;
  } finally {
    await writer.close();
  }
  const columns = [
    { title: 'MAILBOX' },
    { title: 'MESSAGES', right: true },
    { title: 'WRITTEN', right: true },
  ];
  const rows = done.map((each) => [each.mailbox, String(each.messages), String(each.written)]);
  return {
    value: { account, mailboxes: done },
    text: () => `${plain(account)}\n${table(columns, rows, io.width)}`,
  };
}

function needAccount(account: string | undefined): string {
  if (account === undefined) throw new UsageError('say whose mail: --account alice@example.org');
  return account;
}

function toFiles(
  kind: string,
  summary: string,
  details: string,
  make: (path: string) => MailWriter,
): CliCommand {
  return {
    words: ['export', kind],
    summary,
    details,
    args: [{ name: 'DIR', help: 'where to; it is made when it is not there' }],
    options: COMMON,
    example: `export ${kind} ./alice --account alice@example.org`,
    run: (call) => exportMail(call, make(resolve(call.io.cwd, call.arg(0)))),
  };
}

export const exportCommands: readonly CliCommand[] = [
  toFiles(
    'maildir',
    'write an account as a Maildir that Dovecot reads',
    'With folders, flags, keywords, dates and subscriptions. Done again into the same DIR it adds what is new.',
    maildirWriter,
  ),
  toFiles(
    'mbox',
    'write an account as mbox files, one for each mailbox',
    'In the form mboxrd; flags in Status and X-Status. Files of an earlier export are replaced.',
    mboxWriter,
  ),
  toFiles(
    'eml',
    'write an account as a file for each message',
    'Octets as they are; an index in each directory has flags and dates, and "import eml" reads it.',
    emlWriter,
  ),
  {
    words: ['export', 'imap'],
    summary: 'copy an account to another IMAP server',
    details:
      'Mailboxes are made there; messages that are there already (by Message-ID, Date, From and Subject) are passed over.',
    args: [{ name: 'HOST', help: 'the other server, e.g. imap.new.example.org' }],
    options: {
      ...COMMON,
      ...Object.fromEntries(
        Object.entries(imapOptions).filter(([name]) => !['accounts', 'parallel', 'shared'].includes(name)),
      ),
    },
    example: 'export imap new.example --account a@b.org --password-file pw',
    async run(call) {
      const place = await imapPlace(call, (path) => readFile(path));
      const [person] = await peopleOf(call, (path) => readFile(path, 'utf8'));
      if (person === undefined) throw new UsageError('say whose mail: --account alice@example.org');
      return exportMail(call, imapWriter(await connect(call, place, person.login)));
    },
  },
];

async function connect(
  { io }: Call,
  ...place: [Parameters<typeof connectImap>[0], Parameters<typeof connectImap>[1]]
): ReturnType<typeof connectImap> {
  try {
    return await connectImap(...place, io.clock);
  } catch (error) {
    if (error instanceof ImapFailure) throw new Refusal('unavailable', error.message);
    throw error;
  }
}
