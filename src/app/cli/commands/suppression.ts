import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { facts, plain, table } from '../plain-text.ts';
import { timeText } from '../quantities.ts';

const { suppression } = operations;

const REASONS = {
  bounce: 'mail to it came back',
  complaint: 'its owner reported mail as spam',
  manual: 'put on the list by hand',
} as const;

const SOURCES = {
  dsn: 'a bounce that came by mail',
  ses: 'a notice of Amazon SES',
  arf: 'a complaint that came by mail',
  admin: 'an administrator',
} as const;

function untilText(until: number | undefined, timeZone: string | undefined): string {
  return until === undefined ? 'for ever' : timeText(until, timeZone);
}

export const suppressionCommands: readonly CliCommand[] = [
  {
    words: ['suppression', 'list'],
    summary: 'addresses that nothing is sent to',
    details:
      'Mail to them is returned at once with the reason. Bounces are kept for some days (suppression.bounce_days of "postern route set"), complaints for ever.',
    args: [],
    options: {},
    example: 'suppression list',
    async run({ admin, io }) {
      const entries = [];
      for (let after = ''; ; ) {
        const page = (await admin.call(suppression.list, { after, limit: 1000 })).entries;
        entries.push(...page);
        const last = page.at(-1);
        if (last === undefined || page.length < 1000) break;
        after = last.address;
      }
      const rows = entries.map(({ address, reason, createdAt, until, detail }) => [
        address,
        reason,
        timeText(createdAt, io.timeZone),
        untilText(until, io.timeZone),
        detail,
      ]);
      const columns = [
        { title: 'ADDRESS', whole: true },
        { title: 'REASON' },
        { title: 'SINCE' },
        { title: 'UNTIL' },
        { title: 'DETAIL' },
      ];
      return {
        value: entries,
        text: () =>
          rows.length === 0 ? 'Nobody is on the suppression list.\n' : table(columns, rows, io.width),
      };
    },
  },
  {
    words: ['suppression', 'show'],
    summary: 'why nothing is sent to an address',
    args: [{ name: 'ADDRESS', help: 'the recipient' }],
    options: {},
    example: 'suppression show gone@example.net',
    async run({ admin, io, arg }) {
      const { entry } = await admin.call(suppression.show, { address: arg(0) });
      const { address, reason, source, detail, queueId, createdAt, until } = entry;
      return {
        value: entry,
        text: () =>
          facts(
            [
              ['Address', address],
              ['Why', `${REASONS[reason]}, as ${SOURCES[source]} said`],
              ['Their words', detail],
              ['Since', timeText(createdAt, io.timeZone)],
              ['Until', untilText(until, io.timeZone)],
              ...(queueId === undefined ? [] : [['Message', `postern trace ${queueId}`] as const]),
              ['To end it', `postern suppression remove ${address}`],
            ],
            io.width,
          ),
      };
    },
  },
  {
    words: ['suppression', 'add'],
    summary: 'send nothing to an address from now on',
    args: [{ name: 'ADDRESS', help: 'the recipient' }],
    options: {
      note: { value: 'TEXT', help: 'why, for those who ask later' },
      days: { value: 'N', help: 'for so many days (default: for ever)' },
    },
    example: 'suppression add gone@example.net --note "left the company"',
    async run({ admin, arg, text }) {
      const [note, days] = [text('note'), text('days')];
      if (days !== undefined && !/^\d{1,4}$/.test(days))
        throw new UsageError('--days takes a number of days, 1 to 3650');
      await admin.call(suppression.add, {
        address: arg(0),
        ...(note !== undefined && { note }),
        ...(days !== undefined && { days: Number(days) }),
      });
      return said(`Nothing is sent to ${plain(arg(0))} from now on.`);
    },
  },
  {
    words: ['suppression', 'remove'],
    summary: 'send to an address again',
    args: [{ name: 'ADDRESS', help: 'as it stands in the list' }],
    options: {},
    example: 'suppression remove gone@example.net',
    async run({ admin, arg }) {
      await admin.call(suppression.remove, { address: arg(0) });
      return said(`Mail to ${plain(arg(0))} is sent again.`);
    },
  },
];
