import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said } from '../command.ts';
import { plain, table, wrap } from '../plain-text.ts';
import { parseTime, timeText } from '../quantities.ts';
import { flat, valueOf } from '../settings-words.ts';
import { factsOf } from '../../../flow/explain/facts.ts';
import { tell } from '../../../flow/explain/steps.ts';

const { journal } = operations;

const INDENT = ' '.repeat(4);

export const journalCommands: readonly CliCommand[] = [
  {
    words: ['journal', 'search'],
    summary: 'events by what is known of them, newest first',
    details:
      'All that is given has to hold. "postern trace" with the id in brackets tells the whole story of one. Of repeats that are counted in one event, the first and the last are looked at. Addresses that were hidden since are found all the same.',
    args: [],
    options: {
      address: { value: 'ADDRESS', help: 'sender, recipient or login' },
      'message-id': { value: 'ID', help: 'of a message, with or without < >' },
      ip: { value: 'IP', help: 'of a client' },
      host: { value: 'TEXT', help: "part of the other host's name or address" },
      code: { value: 'CODE', help: 'of a reply: 550, 4xx, 5.7.1' },
      kind: { value: 'KIND', help: 'login.failed, or login for all of them' },
      text: { value: 'TEXT', help: 'part of anything in it' },
      from: { value: 'TIME', help: 'nothing older' },
      to: { value: 'TIME', help: 'nothing newer' },
      limit: { value: 'N', help: 'at most so many (50)' },
      after: { value: 'PLACE', help: 'go on where the last answer ended' },
    },
    example: 'journal search --code 5xx --host example.net --from 2d',
    async run({ admin, io, text }) {
      const now = io.clock.now();
      const [from, to, messageId] = [text('from'), text('to'), text('message-id')];
      const given = (['address', 'ip', 'host', 'code', 'kind', 'text', 'limit', 'after'] as const).flatMap(
        (name) => {
          const value = text(name);
          return value === undefined ? [] : [[name, value] as const];
        },
      );
      const value = await admin.call(journal.search, {
        ...Object.fromEntries(given),
        ...(messageId !== undefined && { message_id: messageId }),
        ...(from !== undefined && { from: parseTime(from, now) }),
        ...(to !== undefined && { to: parseTime(to, now) }),
      });
      const context = { timeZone: io.timeZone, notices: new Set<string>(), notified: false };
      const lines = value.events.flatMap((row) => {
        const facts = factsOf(row);
        const { headline } = tell(facts, context);
        const reply = facts.text('reply');
        const times = row.count > 1 ? ` (${row.count} times)` : '';
        const about = [headline.text + times, ...(reply === '' ? [] : [`${INDENT}${reply}`])];
        return [
          `${timeText(row.at, io.timeZone)}  ${row.kind}  [${row.trace}]`,
          ...about.flatMap((line) => wrap(line, io.width - INDENT.length)).map((line) => INDENT + line),
        ];
      });
      const more =
        value.next === undefined ? [] : ['', `There may be more: the same with --after ${value.next}`];
      const none = value.next === undefined ? ['Nothing like it is known.'] : ['Nothing like it so far.'];
      return {
        value,
        text: () =>
          [...(lines.length === 0 ? none : lines), ...more]
            .map((line) => `${plain(line).trimEnd()}\n`)
            .join(''),
      };
    },
  },
  {
    words: ['journal', 'show'],
    summary: 'what the journal and the log keep of people',
    details: 'Settings marked with * were changed. docs/guides/where-is-my-mail.md explains each.',
    args: [],
    options: {},
    example: 'journal show',
    async run({ admin, io }) {
      const value = await admin.call(journal.show, {});
      const rows = flat(value.settings).map(([name, setting]) => [
        `${value.changed.includes(name) ? '* ' : '  '}${name}`,
        typeof setting === 'string' ? plain(setting) : JSON.stringify(setting),
      ]);
      return {
        value,
        text: () => table([{ title: '  SETTING', whole: true }, { title: 'VALUE' }], rows, io.width),
      };
    },
  },
  {
    words: ['journal', 'set'],
    summary: 'change what the journal and the log keep of people, at once',
    args: [
      { name: 'NAME', help: 'as "postern journal show" names it' },
      { name: 'VALUE', help: 'the new value; "default" brings the default back' },
    ],
    options: {},
    example: 'journal set ips_days 7',
    async run({ admin, arg }) {
      const value = arg(1) === 'default' ? null : valueOf(arg(1));
      const answer = await admin.call(journal.set, { name: arg(0), value: value as null });
      const now = flat(answer.settings).find(([name]) => name === arg(0))?.[1];
      return said(`${plain(arg(0))} is ${plain(JSON.stringify(now ?? value))} from now on.`, answer);
    },
  },
];
