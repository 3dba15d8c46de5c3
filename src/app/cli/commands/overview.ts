import { operations } from '../../../servers/http/admin/operations.ts';
import { LIVE_PATH } from '../../../servers/http/admin/live.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { facts, plain, table } from '../plain-text.ts';
import { parseTime, sizeText, spanText, timeText } from '../quantities.ts';

const { overview, stats, delegation, adminAccess, audit } = operations;

const HEALTH = {
  good: 'all is well',
  warning: 'something needs a look',
  critical: 'something is wrong',
} as const;
/** Milliseconds that statistics look back unless told otherwise. */
const DAY_MS = 86_400_000;

function shown(unit: string, value: number | null): string {
  if (value === null) return '-';
  if (unit === 'bytes') return sizeText(value);
  if (unit === 'ms') return value < 1000 ? `${Math.round(value)} ms` : spanText(value);
  return unit === 'percent' ? `${value} %` : String(value);
}

export const overviewCommands: readonly CliCommand[] = [
  {
    words: ['overview'],
    summary: 'how the server is: what is wrong and what mends it, the numbers of the last day',
    args: [],
    options: {},
    example: 'overview',
    async run({ admin, io }) {
      const value = await admin.call(overview.get, {});
      const { today, queue, counts, problems } = value;
      const pairs: (readonly [string, string])[] = [
        ['Server', `${value.hostname}, version ${value.version}: ${HEALTH[value.health]}`],
        [
          'In use',
          `${counts.domains} domain(s), ${counts.accounts} account(s), ${counts.emails} email(s), ${sizeText(counts.mailBytes)}`,
        ],
        ...(today === undefined
          ? []
          : [
              [
                'Last day',
                `${today.received} received, ${today.junk} into Junk, ${today.refused} refused, ${today.submitted} sent, ${today.delivered} delivered, ${today.failed} failed`,
              ] as const,
            ]),
        ...(queue === undefined ? [] : [['Queue', `${queue.waiting} wait, ${queue.held} held`] as const]),
        ...(value.setup.complete
          ? []
          : [['Setup', `${value.setup.open} step(s) are left: postern setup show`] as const]),
      ];
      const lines = problems.flatMap(({ severity, sentence, remedy }) => [
        `${severity === 'critical' ? '!!' : ' !'} ${plain(sentence)}`,
        ...(remedy === '' ? [] : [`     ${plain(remedy)}`]),
      ]);
      return {
        value,
        text: () => facts(pairs, io.width) + (lines.length === 0 ? '' : `\n${lines.join('\n')}\n`),
        status: value.health === 'critical' ? 1 : 0,
      };
    },
  },
  {
    words: ['stats'],
    summary: 'what was counted and measured, over a time',
    details:
      'The last day unless told otherwise. Counts are sums, what is measured is a mean; --json has every step.',
    args: [{ name: 'SERIES', help: 'only those that begin so, such as mail or system', optional: true }],
    options: {
      from: { value: 'TIME', help: 'from when on (1d)' },
      to: { value: 'TIME', help: 'until when' },
      step: { value: 'MINUTES', help: 'minutes of a step' },
    },
    example: 'stats mail --from 7d',
    async run({ admin, io, args: [begin = ''], text }) {
      const now = io.clock.now();
      const [from, to, step] = [text('from'), text('to'), text('step')];
      const known = (await admin.call(stats.series, {})).series;
      const wanted = known.filter(({ name }) => name.startsWith(begin));
      if (wanted.length === 0) {
        const names = new Set(known.map(({ name }) => name.split('.', 1)[0]));
        throw new UsageError(`no series begins with "${plain(begin)}" (there are ${[...names].join(', ')})`);
      }
      const value = await admin.call(stats.get, {
        from: from === undefined ? now - DAY_MS : parseTime(from, now),
        ...(to !== undefined && { to: parseTime(to, now) }),
        ...(step !== undefined && { step: Number(step) * 60_000 }),
        series: wanted.map(({ name }) => name).join(','),
      });
      const titles = new Map(known.map(({ name, title }) => [name, title]));
      const rows = value.series.map(({ name, unit, values }) => {
        const there = values.filter((one) => one !== null);
        const sum = there.reduce((total, one) => total + one, 0);
        const counted = unit === 'count' && !/^(?:queue|sessions\.(?!refused))/.test(name);
        const told = there.length === 0 ? null : counted ? sum : Math.round((sum / there.length) * 10) / 10;
        return [
          name,
          shown(unit, told),
          shown(unit, there.length === 0 ? null : Math.max(...there)),
          titles.get(name) ?? '',
        ];
      });
      const columns = [
        { title: 'SERIES', whole: true },
        { title: 'ALL', right: true, whole: true },
        { title: 'HIGHEST STEP', right: true },
        { title: 'WHAT' },
      ];
      return { value, text: () => table(columns, rows, io.width) };
    },
  },
  {
    words: ['account', 'domains'],
    summary: 'domains that an account administers beside its own; with names: these from now on',
    details:
      'The account must be a domain administrator ("postern account role"). --none takes all of them back.',
    args: [
      { name: 'ADDRESS', help: 'the account' },
      { name: 'DOMAIN', help: 'domains, in place of those before', optional: true, many: true },
    ],
    options: { none: { help: 'none beside its own any more' } },
    example: 'account domains ann@example.org example.net',
    async run({ admin, args, arg, on }) {
      const domains = args.slice(1);
      const value =
        domains.length > 0 || on('none')
          ? await admin.call(delegation.set, { address: arg(0), domains })
          : await admin.call(delegation.show, { address: arg(0) });
      const list = value.domains.map(plain).join(', ');
      return said(
        list === ''
          ? `${plain(arg(0))} administers nothing beside its own domain.`
          : `${plain(arg(0))} administers ${list} beside its own domain.`,
        value,
      );
    },
  },
  {
    words: ['audit', 'undo'],
    summary: 'take back what an entry of the audit says was done',
    details: 'Refused when it was changed since. What can be taken back is marked in "postern audit".',
    args: [{ name: 'ID', help: 'number of the entry, as "postern audit" shows it' }],
    options: {},
    example: 'audit undo 17',
    async run({ admin, arg }) {
      const value = await admin.call(audit.undo, { id: arg(0) });
      return said(`Entry ${plain(arg(0))} is taken back; that is entry ${value.id}.`, value);
    },
  },
  {
    words: ['admin', 'show'],
    summary: 'what is asked of administrators who come over the network',
    args: [],
    options: {},
    example: 'admin show',
    async run({ admin, io }) {
      const value = await admin.call(adminAccess.show, {});
      const pairs = Object.entries(value.settings).map(([name, one]) => [name, String(one)] as const);
      return { value, text: () => facts(pairs, io.width) };
    },
  },
  {
    words: ['admin', 'set'],
    summary: 'change what is asked of administrators, at once',
    args: [
      { name: 'NAME', help: 'require_second_factor' },
      { name: 'VALUE', help: 'true or false; "default" brings the default back' },
    ],
    options: {},
    example: 'admin set require_second_factor true',
    async run({ admin, arg }) {
      const [name, given] = [arg(0), arg(1)];
      if (name !== 'require_second_factor') throw new UsageError(`there is no setting "${plain(name)}"`);
      if (!['true', 'false', 'default'].includes(given)) throw new UsageError('it takes true or false');
      const value = given === 'default' ? null : given === 'true';
      const answer = await admin.call(adminAccess.set, { name, value });
      return said(`${name} is ${answer.settings.require_second_factor} from now on.`, answer);
    },
  },
  {
    words: ['journal', 'live'],
    summary: 'events as they happen, until Ctrl-C',
    args: [],
    options: {
      address: { value: 'ADDRESS', help: 'only what names it' },
      kind: { value: 'KIND', help: 'login.failed, or login for all of them' },
      trace: { value: 'TRACE', help: 'only of one message or connection' },
    },
    example: 'journal live --kind login',
    async run({ admin, io, text }) {
      const given = (['address', 'kind', 'trace'] as const).flatMap((name) => {
        const value = text(name);
        return value === undefined ? [] : [[name, value] as const];
      });
      const query = Object.fromEntries(given);
      const pieces = await admin.stream({ method: 'GET', path: LIVE_PATH, query });
      let rest = '';
      for await (const piece of pieces) {
        rest += piece.toString('utf8');
        const messages = rest.split('\n\n');
        rest = messages.pop() ?? '';
        for (const message of messages) io.out(liveLine(message, io.timeZone));
      }
      return { value: {}, text: () => '', printed: true };
    },
  },
];

/** One event on a line; '' for signs of life. */
function liveLine(message: string, timeZone: string | undefined): string {
  const name = /^event: (\w+)$/m.exec(message)?.[1];
  const json = /^data: (.*)$/m.exec(message)?.[1];
  if (name === undefined || json === undefined) return '';
  if (name === 'dropped') return `... ${(JSON.parse(json) as { count: number }).count} more, not shown\n`;
  const { at, kind, trace, data } = JSON.parse(json) as {
    at: number;
    kind: string;
    trace: string;
    data: object;
  };
  return `${plain(`${timeText(at, timeZone)}  ${kind}  [${trace}]  ${JSON.stringify(data)}`)}\n`;
}
