import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, type CliIo, said, UsageError } from '../command.ts';
import { facts, fit, plain, wrap } from '../plain-text.ts';
import { sizeText, timeText } from '../quantities.ts';

const { vault } = operations;

/** Lines of a message that are shown unless all are asked for. */
const LINES = 40;

const account = { value: 'ADDRESS', help: 'only the copy of this account' } as const;
const CASE = {
  name: 'CASE',
  help: 'case number, as the sender was told it or "postern vault list" shows it',
};

function limitOf(text: string | undefined): number {
  const limit = Number(text ?? 50);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new UsageError(`--limit takes a number from 1 to 1000, not "${plain(text ?? '')}"`);
  return limit;
}

type Entry = z.output<typeof vault.list.output>['entries'][number];

/** The number to copy and what it is; below it from whom, for whom, why. */
function entryLines(entry: Entry, io: CliIo): string[] {
  const { caseNumber, createdAt, subject, author, reversePath, recipients, reason } = entry;
  const head = `${caseNumber}  ${timeText(createdAt, io.timeZone)}  `;
  const whom = recipients.map(({ address, state }) => (state === 'kept' ? address : `${address} (${state})`));
  const from = author === '' ? reversePath || 'nobody (a notification)' : author;
  const more = [`from ${from}${whom.length === 0 ? '' : ` for ${whom.join(', ')}`}`, reason];
  return [
    `${head}${fit(plain(subject === '' ? '(no subject)' : subject), io.width - head.length)}`,
    ...more.flatMap((text) => wrap(plain(text), io.width - 4).map((line) => `    ${line}`)),
  ];
}

export const vaultCommands: readonly CliCommand[] = [
  {
    words: ['vault', 'list'],
    summary: 'mail that was refused after it had arrived, and is kept for some days',
    args: [],
    options: { account, limit: { value: 'N', help: 'at most so many, the newest (default 50)' } },
    example: 'vault list --account ann@example.org',
    async run({ admin, io, text }) {
      const owner = text('account');
      const limit = limitOf(text('limit'));
      const value = await admin.call(vault.list, {
        limit,
        ...(owner !== undefined && { account: owner }),
      });
      const entries = value.entries.flatMap((entry) => entryLines(entry, io));
      const more = value.entries.length === limit ? [`Older ones: --limit N shows more than ${limit}.`] : [];
      const lines = [...entries, ...more].map((line) => `${line}\n`);
      return { value, text: () => (value.entries.length === 0 ? 'Nothing is kept.\n' : lines.join('')) };
    },
  },
  {
    words: ['vault', 'show'],
    summary: 'one kept message: why it was refused, and how it begins',
    args: [CASE],
    options: { all: { help: 'show the first 64 KiB instead of the first lines' } },
    example: 'vault show 7K2QF-M9XHT',
    async run({ admin, io, arg, on }) {
      const value = await admin.call(vault.show, { caseNumber: arg(0) });
      const { entry, beginning, truncated } = value;
      const lines = beginning.split(/\r?\n/);
      const shown = on('all') ? lines : lines.slice(0, LINES);
      const more = truncated || shown.length < lines.length;
      const address = entry.reversePath || 'nobody (a notification)';
      const head = facts(
        [
          [
            `Case ${entry.caseNumber}`,
            `refused at ${timeText(entry.createdAt, io.timeZone)}, kept until ${timeText(entry.expiresAt, io.timeZone)}`,
          ],
          ['From', entry.author === '' ? address : entry.author],
          ['Envelope', `from ${address}, by ${entry.ip === '' ? 'a program on this machine' : entry.ip}`],
          ...entry.recipients.map(
            ({ address: to, state }) => ['For', state === 'kept' ? to : `${to} (${state})`] as const,
          ),
          ['Subject', entry.subject],
          ['Size', sizeText(entry.size)],
          ['Why', entry.reason],
          ['All about it', `postern trace ${entry.caseNumber}`],
          ['To deliver it', `postern vault release ${entry.caseNumber}`],
        ],
        io.width,
      );
      const text = ['', ...shown.map((line) => `  | ${plain(line)}`), ...(more ? ['  | ...'] : [])];
      return { value, text: () => head + text.map((line) => `${line.trimEnd()}\n`).join('') };
    },
  },
  {
    words: ['vault', 'release'],
    summary: 'deliver a kept message to the inbox; the filter learns that it was good',
    args: [CASE],
    options: { account },
    example: 'vault release 7K2QF-M9XHT',
    async run({ admin, arg, text }) {
      const owner = text('account');
      const value = await admin.call(vault.release, {
        caseNumber: arg(0),
        ...(owner !== undefined && { account: owner }),
      });
      return said(
        `Delivered to ${value.delivered} ${value.delivered === 1 ? 'mailbox' : 'mailboxes'}.`,
        value,
      );
    },
  },
  {
    words: ['vault', 'delete'],
    summary: 'forget a kept message',
    args: [CASE],
    options: { account },
    example: 'vault delete 7K2QF-M9XHT',
    async run({ admin, arg, text }) {
      const owner = text('account');
      await admin.call(vault.remove, { caseNumber: arg(0), ...(owner !== undefined && { account: owner }) });
      return said('It is gone.');
    },
  },
];
