import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { timeText } from '../quantities.ts';
import { flat, valueOf } from '../settings-words.ts';

const { alerts } = operations;

export const alertCommands: readonly CliCommand[] = [
  {
    words: ['alert', 'list'],
    summary: 'what is wrong at present',
    args: [],
    options: {},
    example: 'alert list',
    async run({ admin, io }) {
      const value = await admin.call(alerts.list, {});
      const problem =
        value.webhookProblem === ''
          ? ''
          : `The webhook was not taken the last time: ${plain(value.webhookProblem)}\n`;
      const rows = value.alerts.map(({ severity, since, summary, remedy, toldAt }) => [
        severity === 'critical' ? 'CRITICAL' : 'warning',
        timeText(since, io.timeZone),
        toldAt === undefined ? 'no' : 'yes',
        plain(`${summary} ${remedy.startsWith('postern ') ? `-> ${remedy}` : remedy}`.trim()),
      ]);
      const columns = [
        { title: 'HOW BAD' },
        { title: 'SINCE', whole: true },
        { title: 'TOLD' },
        { title: 'WHAT' },
      ];
      return {
        value,
        text: () => `${rows.length === 0 ? 'Nothing is wrong.\n' : table(columns, rows, io.width)}${problem}`,
      };
    },
  },
  {
    words: ['alert', 'show'],
    summary: 'of what administrators are told, and how',
    details: 'Settings marked with * were changed. docs/guides/monitoring.md explains each.',
    args: [],
    options: {},
    example: 'alert show',
    async run({ admin, io }) {
      const value = await admin.call(alerts.show, {});
      const rows = flat(value.settings).map(([name, setting]) => [
        `${value.changed.includes(name) ? '* ' : '  '}${name}`,
        typeof setting === 'string' && setting !== '' ? plain(setting) : JSON.stringify(setting),
      ]);
      return {
        value,
        text: () => table([{ title: '  SETTING', whole: true }, { title: 'VALUE' }], rows, io.width),
      };
    },
  },
  {
    words: ['alert', 'set'],
    summary: 'change a setting of the alerts, at once',
    args: [
      { name: 'NAME', help: 'as "postern alert show" names it' },
      { name: 'VALUE', help: 'the new value; lists as JSON; "default" brings the default back' },
    ],
    options: {},
    example: 'alert set limits.queue_recipients 5000',
    async run({ admin, arg }) {
      const value = arg(1) === 'default' ? null : valueOf(arg(1));
      const answer = await admin.call(alerts.set, { name: arg(0), value: value as null });
      const now = flat(answer.settings).find(([name]) => name === arg(0))?.[1];
      return said(`${plain(arg(0))} is ${plain(JSON.stringify(now ?? value))} from now on.`, answer);
    },
  },
  {
    words: ['alert', 'test'],
    summary: 'send a mail and a webhook to see whether they come',
    args: [],
    options: {},
    example: 'alert test',
    async run({ admin }) {
      const value = await admin.call(alerts.test, {});
      const { mailed, queued, webhook } = value;
      const mails = [
        ...(mailed.length === 0 ? [] : [`A mail is in the inbox of ${mailed.map(plain).join(', ')}.`]),
        ...(queued.length === 0 ? [] : [`A mail to ${queued.map(plain).join(', ')} is in the queue.`]),
      ];
      const mail = mails.length === 0 ? 'No mail was sent.' : mails.join(' ');
      const hook =
        webhook === undefined
          ? 'There is no webhook.'
          : webhook === ''
            ? 'The webhook was taken.'
            : `The webhook was not taken: ${plain(webhook)}.`;
      return said(`${mail} ${hook}`, value);
    },
  },
];
