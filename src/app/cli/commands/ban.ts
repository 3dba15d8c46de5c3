import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, type CliIo, said, UsageError } from '../command.ts';
import { plain, table, wrap } from '../plain-text.ts';
import { parseSpan, spanText, timeText } from '../quantities.ts';

const { bans } = operations;
const NETWORK = { name: 'NETWORK', help: '192.0.2.7, 192.0.2.0/24 or 2001:db8::/48' };
/** Milliseconds of a ban set by hand unless told otherwise. */
const DEFAULT_MS = 86_400_000;

type Ban = z.output<typeof bans.list.output>['bans'][number];

/** The subject, whole, for copying; below it until when and why. */
function entryLines({ kind, subject, cause, reason, offences, since, until }: Ban, io: CliIo): string[] {
  const whom = kind === 'account' ? '  from places it does not know' : '';
  const left = spanText(until - io.clock.now());
  const time = (ms: number): string => timeText(ms, io.timeZone);
  const times = offences > 1 ? `, number ${offences} in a row` : '';
  const why = cause === 'manual' ? `set by hand${reason === '' ? '' : `: ${plain(reason)}`}` : plain(reason);
  return [
    `${plain(subject)}${whom}`,
    `    until ${time(until)} (${left} left), since ${time(since)}`,
    ...wrap(`${why}${times}`, io.width - 4).map((line) => `    ${line}`),
  ];
}

const list: CliCommand = {
  words: ['ban', 'list'],
  summary: 'who may not log in at present, and until when',
  details:
    'A network that is banned cannot log in at all; its mail to us (port 25) still comes in. An account that is listed is closed to places it does not know: where it logged in from within the last 30 days it is not affected.',
  args: [],
  options: {},
  example: 'ban list',
  async run({ admin, io }) {
    const value = await admin.call(bans.list, {});
    const entries = value.bans.flatMap((ban) => entryLines(ban, io));
    const hint = ['', `To end one: postern ban lift ${plain(value.bans[0]?.subject ?? '')}`];
    const lines = [...entries, ...hint].map((line) => `${line}\n`);
    return { value, text: () => (value.bans.length === 0 ? 'Nobody is banned.\n' : lines.join('')) };
  },
};

const change: readonly CliCommand[] = [
  {
    words: ['ban', 'add'],
    summary: 'let nobody of a network log in for a time',
    details:
      'Takes effect at the next connection, and at the next failed login of a session that is open. An IPv6 address alone means its /64. Mail from there (port 25) still comes in.',
    args: [NETWORK],
    options: {
      for: { value: 'TIME', help: 'how long: 30min, 1h, 7d, up to 30d (1d)' },
      reason: { value: 'TEXT', help: 'why, for whoever looks at the list' },
    },
    example: 'ban add 192.0.2.0/24 --for 1h --reason "guesses passwords"',
    async run({ admin, io, arg, text }) {
      const wanted = text('for');
      const ms = wanted === undefined ? DEFAULT_MS : parseSpan(wanted);
      if (ms < 1000) throw new UsageError('--for says how long, such as 30min, 1h or 7d');
      const value = await admin.call(bans.add, {
        network: arg(0),
        seconds: Math.round(ms / 1000),
        reason: text('reason') ?? '',
      });
      const { subject, until } = value.ban;
      return said(`${plain(subject)} may not log in until ${timeText(until, io.timeZone)}.`, value);
    },
  },
  {
    words: ['ban', 'lift'],
    summary: 'end a ban now',
    details: 'What came before is forgotten too: the next ban of the same network is as short as the first.',
    args: [{ name: 'WHAT', help: 'the network or account, as "ban list" shows it' }],
    options: {},
    example: 'ban lift 192.0.2.7',
    async run({ admin, arg }) {
      const value = await admin.call(bans.lift, { subject: arg(0) });
      const subject = plain(value.subject);
      return said(
        value.active
          ? `The ban of ${subject} is lifted: logins are possible at once.`
          : `${subject} was not banned any more; its earlier bans are forgotten.`,
        value,
      );
    },
  },
];

const exempt: readonly CliCommand[] = [
  {
    words: ['ban', 'exempt', 'list'],
    summary: 'networks that are never banned',
    details:
      'This machine itself, the proxies of listen.proxy_from, and the filter setting bans.exempt are never banned either.',
    args: [],
    options: {},
    example: 'ban exempt list',
    async run({ admin, io }) {
      const value = await admin.call(bans.exemptions, {});
      const rows = value.exemptions.map(({ network, note, since }) => [
        network,
        timeText(since, io.timeZone),
        note,
      ]);
      const columns = [{ title: 'NETWORK', whole: true }, { title: 'SINCE', whole: true }, { title: 'NOTE' }];
      const none = 'No network is on the list. This machine and listed proxies are never banned anyway.\n';
      return { value, text: () => (rows.length === 0 ? none : table(columns, rows, io.width)) };
    },
  },
  {
    words: ['ban', 'exempt', 'add'],
    summary: 'never ban a network: an office with many people, a monitoring host',
    args: [NETWORK],
    options: { note: { value: 'TEXT', help: 'what it is' } },
    example: 'ban exempt add 198.51.100.0/24 --note "the office"',
    async run({ admin, arg, text }) {
      const value = await admin.call(bans.exempt, { network: arg(0), note: text('note') ?? '' });
      return said(`${plain(value.exemption.network)} is never banned.`, value);
    },
  },
  {
    words: ['ban', 'exempt', 'remove'],
    summary: 'let a network be banned again',
    args: [NETWORK],
    options: {},
    example: 'ban exempt remove 198.51.100.0/24',
    async run({ admin, arg }) {
      const value = await admin.call(bans.unexempt, { network: arg(0) });
      return said(`${plain(arg(0))} can be banned like any other network.`, value);
    },
  },
];

export const banCommands: readonly CliCommand[] = [list, ...change, ...exempt];
