import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { flat, valueOf } from '../settings-words.ts';

const { filter } = operations;

const account = { value: 'ADDRESS', help: "the account's own list (default: the whole site's)" } as const;

/** What an entry does, and when it does not. */
function effectOf(pattern: string, action: 'allow' | 'block', owner: string | undefined): string {
  const whose = owner === undefined ? '' : ` for ${plain(owner)}`;
  if (action === 'allow') {
    const proof = pattern.includes('@') ? ', where it is proven that it is from there' : '';
    return `Mail from ${pattern} is always taken${whose}${proof}.`;
  }
  return owner === undefined
    ? `Mail from ${pattern} is refused from now on.`
    : `Mail from ${pattern} goes to Junk${whose} from now on.`;
}

function listing(action: 'allow' | 'block', summary: string, details: string, example: string): CliCommand {
  return {
    words: ['filter', action],
    summary,
    details,
    args: [{ name: 'SENDER', help: 'an address, @domain, or a network such as 192.0.2.0/24' }],
    options: { account, note: { value: 'TEXT', help: 'why, for whoever reads the list later' } },
    example,
    async run({ admin, arg, text }) {
      const [owner, note] = [text('account'), text('note')];
      const value = await admin.call(filter.list, {
        pattern: arg(0),
        action,
        ...(owner !== undefined && { account: owner }),
        ...(note !== undefined && { note }),
      });
      return said(effectOf(plain(value.pattern), action, owner), value);
    },
  };
}

/** {"a": {"b": value}} of a.b. */
function nested(path: readonly string[], value: unknown): unknown {
  return path.toReversed().reduce((inner, name) => ({ [name]: inner }), value);
}

export const filterCommands: readonly CliCommand[] = [
  {
    words: ['filter', 'show'],
    summary: 'what the site wants of its filter',
    details: 'Settings marked with * were changed. docs/guides/spam.md explains each.',
    args: [{ name: 'NAME', help: 'only settings that begin so, such as greylist', optional: true }],
    options: {},
    example: 'filter show greylist',
    async run({ admin, io, args }) {
      const value = await admin.call(filter.show, {});
      const rows = flat(value.settings)
        .filter(([name]) => name.startsWith(args[0] ?? ''))
        .map(([name, setting]) => [
          `${value.changed.includes(name) ? '* ' : '  '}${name}`,
          typeof setting === 'string' && setting !== '' ? setting : JSON.stringify(setting),
        ]);
      if (rows.length === 0) throw new UsageError(`no setting begins with "${plain(args[0] ?? '')}"`);
      return {
        value,
        text: () => table([{ title: '  SETTING', whole: true }, { title: 'VALUE' }], rows, io.width),
      };
    },
  },
  {
    words: ['filter', 'set'],
    summary: 'change a setting of the filter, at once',
    args: [
      { name: 'NAME', help: 'as "postern filter show" names it' },
      { name: 'VALUE', help: 'the new value; lists as JSON; "default" brings the default back' },
    ],
    options: {},
    example: 'filter set good_per_junked 5000',
    async run({ admin, arg }) {
      const value = arg(1) === 'default' ? null : valueOf(arg(1));
      const answer = await admin.call(filter.set, { name: arg(0), value: value as null });
      const now = flat(answer.settings).find(([name]) => name === arg(0))?.[1];
      return said(`${plain(arg(0))} is ${plain(JSON.stringify(now ?? value))} from now on.`, answer);
    },
  },
  {
    words: ['filter', 'what-if'],
    summary: 'which messages of the last days a change of a setting would have moved; nothing is changed',
    details:
      'By what was written down when they were judged: contents are not looked at again. What cannot be told is said.',
    args: [
      { name: 'NAME', help: 'as "postern filter show" names it' },
      { name: 'VALUE', help: 'the new value; lists as JSON; "default" for the default' },
    ],
    options: { days: { value: 'N', help: 'so many days back, at most 30 (14)' } },
    example: 'filter what-if refuse never --days 30',
    async run({ admin, arg, io, text }) {
      const days = text('days');
      const value = arg(1) === 'default' ? null : valueOf(arg(1));
      const settings = nested(arg(0).split('.'), value) as Record<string, null>;
      const answer = await admin.call(filter.whatIf, {
        settings,
        ...(days !== undefined && { days: Number(days) }),
      });
      const rows = answer.moved.map((one) => [
        new Date(one.at).toISOString().slice(0, 16).replace('T', ' '),
        `${one.was} > ${one.would}`,
        one.from ?? '',
        one.subject ?? '',
        one.caseNumber ?? one.trace,
      ]);
      const columns = [
        { title: 'TIME (UTC)', whole: true },
        { title: 'WHERE', whole: true },
        { title: 'FROM' },
        { title: 'SUBJECT' },
        { title: 'CASE OR TRACE', whole: true },
      ];
      const all = answer.counts.reduce((sum, { count }) => sum + count, 0);
      const head = `It would have moved ${all} of ${answer.judged} message(s).\n`;
      const notes = answer.limits.map((one) => `Note: ${one}\n`).join('');
      const list = (): string => (rows.length === 0 ? '' : `\n${table(columns, rows, io.width)}`);
      return { value: answer, text: () => `${head}${notes}${list()}` };
    },
  },
  listing(
    'allow',
    'always take mail from a sender',
    'An address or domain holds where it is proven that the mail is from there (DMARC, or SPF or DKIM of that very domain); what only claims to be from there is judged as usual. A network needs no proof.',
    'filter allow @partner.example --note "they send invoices"',
  ),
  listing(
    'block',
    'never want mail from a sender',
    "The site's list refuses it; an account's own list puts it into that account's Junk.",
    'filter block newsletter@shop.example --account ann@example.org',
  ),
  {
    words: ['filter', 'unlist'],
    summary: 'take a sender off the list',
    args: [{ name: 'SENDER', help: 'as it stands in the list' }],
    options: { account },
    example: 'filter unlist @partner.example',
    async run({ admin, arg, text }) {
      const owner = text('account');
      await admin.call(filter.unlist, { pattern: arg(0), ...(owner !== undefined && { account: owner }) });
      return said(`${plain(arg(0))} is judged like everybody else from now on.`);
    },
  },
  {
    words: ['filter', 'senders'],
    summary: 'senders that are always taken or never wanted',
    args: [],
    options: { account },
    example: 'filter senders --account ann@example.org',
    async run({ admin, io, text }) {
      const owner = text('account');
      const value = await admin.call(filter.lists, owner === undefined ? {} : { account: owner });
      const rows = value.entries.map(({ pattern, action, note, createdAt }) => [
        pattern,
        action,
        new Date(createdAt).toISOString().slice(0, 10),
        note,
      ]);
      const columns = [
        { title: 'SENDER', whole: true },
        { title: 'IS' },
        { title: 'SINCE' },
        { title: 'NOTE' },
      ];
      return {
        value,
        text: () => (rows.length === 0 ? 'Nobody is listed.\n' : table(columns, rows, io.width)),
      };
    },
  },
];
