import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, type CliIo, said, UsageError } from '../command.ts';
import { facts, plain, table, wrap } from '../plain-text.ts';
import { spanText, timeText } from '../quantities.ts';
import { settingsOf, valueOf } from '../settings-words.ts';

const { intake } = operations;

type Status = z.output<typeof intake.status.output>;
type Listed = z.output<typeof intake.list.output>;
type Problems = z.output<typeof intake.problems.output>;

const SOURCE = { value: 'NAME', help: 'as "postern intake status" names it' } as const;
const LIMIT = { value: 'N', help: 'at most so many (50)' } as const;
/** Characters of a notice that are shown. */
const BODY_SHOWN = 1000;

const WAYS: Readonly<Record<string, string>> = {
  sns: 'HTTPS endpoint',
  sqs: 'queue (SQS)',
  'dead-letter': 'dead-letter queue',
  sweep: 'looks through the bucket',
};

const NONE =
  'No mail is taken in from Amazon SES: no source is set. To add one:\n' +
  '  postern intake add main region=eu-west-1 bucket=BUCKET\n' +
  'docs/guides/ses-intake.md tells the whole way.\n';

function statusText(value: Status, { width, timeZone }: CliIo): string {
  if (value.sources.length === 0) return NONE;
  const { now, oldest, alarmSince } = value;
  const count = (state: string): number => value.counts.find((each) => each.state === state)?.count ?? 0;
  const waiting = count('waiting');
  const age =
    oldest === undefined
      ? ''
      : `, the oldest since ${timeText(oldest, timeZone)} (${spanText(now - oldest)})`;
  const rows: [string, string][] = [
    ['Waiting', waiting === 0 ? `none${age}` : `${waiting}${age}: postern intake list`],
    ['Stuck', count('stuck') === 0 ? 'none' : `${count('stuck')} need a person: postern intake list`],
    ['Guessed', count('guessed') === 0 ? 'none' : `${count('guessed')} were for whom their header names`],
    ['Not there', String(count('gone'))],
    ['Taken', String(count('done'))],
    [
      'Notices',
      value.problems === 0 ? 'all understood' : `${value.problems} not understood: postern intake problems`,
    ],
    ...(alarmSince === undefined
      ? []
      : [['ALARM', `mail has waited too long since ${timeText(alarmSince, timeZone)}`] as [string, string]]),
  ];
  const sources = value.sources.map(({ name, bucket, region, problem, ways }) => {
    const lines = ways.map(({ way, okAt, problem: trouble }) => {
      const last = okAt === undefined ? '' : `, last at ${timeText(okAt, timeZone)}`;
      const state =
        trouble === ''
          ? way === 'sns' && okAt === undefined
            ? 'nothing came yet'
            : `works${last}`
          : `DOES NOT WORK: ${trouble}`;
      return wrap(plain(`${WAYS[way] ?? way}: ${state}`), width - 6).map(
        (line, i) => `    ${i > 0 ? '  ' : ''}${line}`,
      );
    });
    const trouble = problem === '' ? [] : wrap(plain(problem), width - 4).map((line) => `    ${line}`);
    return [
      `${name}: ${bucket === '' ? 'no bucket' : `bucket ${bucket}`} in ${region}`,
      ...trouble,
      ...lines.flat(),
    ]
      .map((line) => `${plain(line)}\n`)
      .join('');
  });
  return `${sources.join('')}\n${facts(rows, width)}`;
}

function listText({ objects }: Listed, { width, timeZone }: CliIo): string {
  if (objects.length === 0) return 'Nothing waits and nothing is stuck. --all shows what was taken.\n';
  const columns = [
    { title: 'KEY', whole: true },
    { title: 'STATE' },
    { title: 'RECEIVED', whole: true },
    { title: 'TOLD BY' },
    { title: 'TRIES', right: true },
    { title: 'WHY' },
  ];
  const rows = objects.map(({ key, state, receivedAt, toldBy, attempts, reason }) => [
    key,
    state,
    timeText(receivedAt, timeZone).slice(0, 16),
    toldBy,
    String(attempts),
    reason,
  ]);
  return `${table(columns, rows, width)}\nWhat happened to one: postern trace KEY (without its prefix)\n`;
}

function problemsText({ total, problems }: Problems, { width, timeZone }: CliIo): string {
  if (total === 0) return 'Every notice was understood.\n';
  const told = problems.map(({ id, source, toldBy, lastAt, count, reason, body }) => {
    const head = `${id}  ${timeText(lastAt, timeZone)}  ${source}, by ${toldBy}${count > 1 ? `, ${count} times` : ''}`;
    const shown = plain(body.slice(0, BODY_SHOWN)) + (body.length > BODY_SHOWN ? ' …' : '');
    return [
      head,
      ...[...wrap(plain(reason), width - 4), ...wrap(shown, width - 4)].map((line) => `    ${line}`),
    ]
      .map((line) => `${line}\n`)
      .join('');
  });
  return `${told.join('\n')}\n${total} in all. To forget one: postern intake forget NUMBER\n`;
}

/** Settings of a source that are lists: on the command line words with commas between will do. */
const LISTS: ReadonlySet<string> = new Set(['topic_arns']);

function sourceSettings(pairs: readonly string[]): z.input<typeof intake.addSource.input>['settings'] {
  const given = Object.entries(settingsOf(pairs)).map(([name, value]) => [
    name,
    LISTS.has(name) && typeof value === 'string' ? value.split(',') : value,
  ]);
  return Object.fromEntries(given) as z.input<typeof intake.addSource.input>['settings'];
}

export const intakeCommands: readonly CliCommand[] = [
  {
    words: ['intake', 'status'],
    summary: 'mail that Amazon SES took for us: is it coming in, what waits',
    args: [],
    options: {},
    example: 'intake status',
    async run({ admin, io }) {
      const value = await admin.call(intake.status, {});
      return { value, text: () => statusText(value, io) };
    },
  },
  {
    words: ['intake', 'list'],
    summary: 'messages in buckets that wait or are stuck, and why',
    args: [],
    options: {
      all: { help: 'also those that were taken, the newest first' },
      state: { value: 'STATE', help: 'only waiting, guessed, done, gone or stuck' },
      limit: LIMIT,
    },
    example: 'intake list --all --limit 20',
    async run({ admin, io, text, on }) {
      const [state, limit] = [text('state'), text('limit')];
      const value = await admin.call(intake.list, {
        ...(state !== undefined && { state: state as 'stuck' }),
        ...(limit !== undefined && { limit }),
        ...(on('all') && { all: 'true' }),
      });
      return { value, text: () => listText(value, io) };
    },
  },
  {
    words: ['intake', 'problems'],
    summary: 'notices of new mail that could not be understood',
    details:
      'They are kept so that nothing is lost silently; the mail they are about is found in the bucket all the same.',
    args: [],
    options: { limit: LIMIT },
    example: 'intake problems',
    async run({ admin, io, text }) {
      const limit = text('limit');
      const value = await admin.call(intake.problems, limit === undefined ? {} : { limit });
      return { value, text: () => problemsText(value, io) };
    },
  },
  {
    words: ['intake', 'forget'],
    summary: 'forget a notice that could not be understood',
    args: [{ name: 'NUMBER', help: 'as "postern intake problems" shows it' }],
    options: {},
    example: 'intake forget 3',
    async run({ admin, arg }) {
      await admin.call(intake.forget, { id: arg(0) });
      return said(`Problem ${plain(arg(0))} is forgotten.`);
    },
  },
  {
    words: ['intake', 'retry'],
    summary: 'take in one message from its bucket now',
    details:
      'Nobody gets it twice. With --to it is given to these too: for a message of which nobody told whom it is for.',
    args: [{ name: 'KEY', help: 'of the object, with or without its prefix' }],
    options: {
      to: { value: 'ADDRESS', help: 'a recipient; may be given several times', many: true },
      source: SOURCE,
    },
    example: 'intake retry o3vrnil0e2ic28trm7dfhrc2v0clambda4nbp0g1',
    async run({ admin, io, arg, texts, text }) {
      const [source, to] = [text('source'), texts('to')];
      const value = await admin.call(intake.retry, {
        key: arg(0),
        ...(source !== undefined && { source }),
        ...(to.length > 0 && { to: [...to] }),
      });
      const { outcome, again, reason, nextAt } = value;
      const when = nextAt === undefined ? '' : ` It is tried again at ${timeText(nextAt, io.timeZone)}.`;
      const words = {
        taken: again === true ? 'Everybody it is for has it already.' : 'It is taken in.',
        waiting: `It could not be taken in: ${plain(reason ?? '')}.${when}`,
        gone: 'It is not in the bucket.',
        setup: 'That is no mail: SES leaves it when a rule is made. It is removed.',
        stuck: `It cannot be taken in as it is: ${plain(reason ?? '')}.`,
      };
      return said(words[outcome], value);
    },
  },
  {
    words: ['intake', 'sweep'],
    summary: 'look through the buckets now, and take in what nobody told of',
    args: [],
    options: { source: SOURCE },
    example: 'intake sweep',
    async run({ admin, text }) {
      const source = text('source');
      const value = await admin.call(intake.sweep, source === undefined ? {} : { source });
      const lines = value.sources.map(({ name, objects, untold, problem }) =>
        problem === undefined
          ? `${plain(name)}: ${objects} in the bucket, ${untold} of them nobody had told of.`
          : `${plain(name)}: ${plain(problem)}`,
      );
      return said(lines.join('\n'), value);
    },
  },
  {
    words: ['intake', 'show'],
    summary: 'where mail waits that Amazon SES took for us, and how we are told of it',
    details: 'docs/guides/ses-intake.md explains each setting.',
    args: [],
    options: {},
    example: 'intake show',
    async run({ admin, io }) {
      const value = await admin.call(intake.show, {});
      const { sources, ...rest } = value.settings;
      const rows = [
        ...Object.entries(rest).map(([name, setting]) => [name, JSON.stringify(setting)]),
        ...sources.flatMap((source) =>
          Object.entries(source).map(([name, setting]) => [
            `sources.${source.name}.${name}`,
            typeof setting === 'string' && setting !== '' ? setting : JSON.stringify(setting),
          ]),
        ),
      ];
      return {
        value,
        text: () => table([{ title: 'SETTING', whole: true }, { title: 'VALUE' }], rows, io.width),
      };
    },
  },
  {
    words: ['intake', 'add'],
    summary: 'fetch mail, or events about sent mail, from one more place',
    details:
      'A source is a bucket that SES puts mail into, or, without a bucket, a queue of events about mail that SES sent. docs/guides/ses-intake.md lists the settings; the stack of "postern ses template" has the whole command among its outputs.',
    args: [
      { name: 'NAME', help: 'a word of your own: small letters, digits and hyphens' },
      { name: 'SETTING=VALUE', help: 'its settings; a list has commas between its parts', many: true },
    ],
    options: { replace: { help: 'put it in the place of one of that name' } },
    example: 'intake add main region=eu-west-1 bucket=my-mail',
    async run({ admin, args, arg, on }) {
      const value = await admin.call(intake.addSource, {
        name: arg(0),
        settings: sourceSettings(args.slice(1)),
        replace: on('replace'),
      });
      const added = value.settings.sources.find(({ name }) => name === arg(0));
      const what = added?.bucket === '' ? 'Events about sent mail are' : 'Mail is';
      const text = `${what} fetched from ${plain(arg(0))} from now on; does it work? postern intake status`;
      return said(text, added);
    },
  },
  {
    words: ['intake', 'remove'],
    summary: 'fetch nothing from a source any more; what is in its bucket stays there',
    args: [{ name: 'NAME', help: 'as "postern intake status" names it' }],
    options: {},
    example: 'intake remove main',
    async run({ admin, arg }) {
      await admin.call(intake.removeSource, { name: arg(0) });
      return said(`The source ${plain(arg(0))} is gone.`);
    },
  },
  {
    words: ['intake', 'set'],
    summary: 'change a setting of the intake, at once',
    args: [
      { name: 'NAME', help: 'as "postern intake show" names it, such as sources.main.sweep_minutes' },
      { name: 'VALUE', help: 'the new value; lists as JSON; "default" brings the default back' },
    ],
    options: {},
    example: 'intake set lag_alarm_minutes 60',
    async run({ admin, arg }) {
      const name = arg(0);
      if (name === '') throw new UsageError('name a setting');
      const value = arg(1) === 'default' ? null : valueOf(arg(1));
      const answer = await admin.call(intake.set, { name, value: value as null });
      return said(`${plain(name)} is set; the sources begin anew with it.`, answer);
    },
  },
];
