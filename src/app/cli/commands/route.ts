import { operations } from '../../../servers/http/admin/operations.ts';
import { type Call, type CliCommand, said, UsageError } from '../command.ts';
import { plain, table, wrap } from '../plain-text.ts';
import { parseSize, sizeText, spanText, timeText } from '../quantities.ts';

const { routing } = operations;

type Match = Record<string, unknown>;

/** "recipients at gmail.com, over 10 MB": a route's conditions in words. */
function matchText(match: Match): string {
  const list = (name: string): string => ((match[name] as string[] | undefined) ?? []).join(', ');
  const size = (name: string): number | undefined => match[name] as number | undefined;
  const headers = (match['headers'] as { name: string; contains?: string }[] | undefined) ?? [];
  const parts = [
    ['from ', list('sender_domains')],
    ['of ', list('accounts')],
    ['to ', list('recipient_domains')],
    ['kind ', list('origins')],
    ['from size ', size('min_size') === undefined ? '' : sizeText(size('min_size') ?? 0)],
    ['up to size ', size('max_size') === undefined ? '' : sizeText(size('max_size') ?? 0)],
    [
      'with ',
      headers
        .map(({ name, contains }) => (contains === undefined ? name : `${name}: ${contains}`))
        .join(', '),
    ],
  ].flatMap(([before = '', text = '']) => (text === '' ? [] : [before + text]));
  return parts.length === 0 ? 'all mail' : parts.join('; ');
}

function sizeOption({ text }: Call, option: string): number | undefined {
  const given = text(option);
  if (given === undefined) return undefined;
  return parseSize(given);
}

function matchOf(call: Call): Match {
  const { texts } = call;
  const some = (name: string, option: string): Match =>
    texts(option).length === 0 ? {} : { [name]: texts(option).flatMap((one) => one.split(',')) };
  const [min, max] = [sizeOption(call, 'min-size'), sizeOption(call, 'max-size')];
  const headers = texts('header').map((one) => {
    const at = one.indexOf(':');
    if (at === -1) return { name: one };
    return { name: one.slice(0, at).trim(), contains: one.slice(at + 1).trim() };
  });
  return {
    ...some('sender_domains', 'sender-domain'),
    ...some('accounts', 'account'),
    ...some('recipient_domains', 'recipient-domain'),
    ...some('origins', 'origin'),
    ...(headers.length > 0 && { headers }),
    ...(min !== undefined && { min_size: min }),
    ...(max !== undefined && { max_size: max }),
  };
}

export const routeCommands: readonly CliCommand[] = [
  {
    words: ['route', 'list'],
    summary: 'which mail leaves which way',
    details:
      'Routes are looked through in this order; the first that matches is taken. Its transports are tried one after the other, a further one for recipients whose refusal it may cure (docs/guides/routes.md).',
    args: [],
    options: {},
    example: 'route list',
    async run({ admin, io }) {
      const { settings } = await admin.call(routing.show, {});
      const rows = settings.routes.map(({ name, match, transports }) => [
        name,
        transports.join(', then '),
        matchText(match),
      ]);
      rows.push(['default', 'relay of the configuration, else direct', 'what no other route takes']);
      const columns = [{ title: 'ROUTE', whole: true }, { title: 'VIA' }, { title: 'TAKES' }];
      return { value: settings.routes, text: () => table(columns, rows, io.width) };
    },
  },
  {
    words: ['route', 'show'],
    summary: 'all settings of routing, as JSON',
    args: [],
    options: {},
    example: 'route show',
    async run({ admin }) {
      const { settings } = await admin.call(routing.show, {});
      return { value: settings, text: () => `${JSON.stringify(settings, null, 2)}\n` };
    },
  },
  {
    words: ['route', 'add'],
    summary: 'add a route, or replace it',
    details:
      'All conditions that are given must hold; of a list, one of it. Without any the route takes all mail.',
    args: [{ name: 'NAME', help: 'how the journal calls it' }],
    options: {
      via: { value: 'TRANSPORTS', help: 'names in the order they are tried: "direct,ses"' },
      'recipient-domain': {
        value: 'DOMAINS',
        help: 'mail to these; ".example.org" is what is below it',
        many: true,
      },
      'sender-domain': { value: 'DOMAINS', help: 'mail from these', many: true },
      account: { value: 'ADDRESSES', help: 'mail of these accounts', many: true },
      header: { value: 'NAME[:TEXT]', help: 'mail with such a header field, containing a text', many: true },
      origin: { value: 'KINDS', help: 'submission, forward, dsn or report', many: true },
      'min-size': { value: 'SIZE', help: 'messages of at least so much, such as 10MB' },
      'max-size': { value: 'SIZE', help: 'messages of at most so much' },
      before: { value: 'ROUTE', help: 'where it stands in the order (default: last)' },
      replace: { help: 'put it in the place of one of that name' },
    },
    example: 'route add everything --via direct,ses',
    async run(call) {
      const { admin, arg, text, on } = call;
      const [via, before] = [text('via'), text('before')];
      if (via === undefined) throw new UsageError('a route needs --via, such as --via direct,ses');
      const value = await admin.call(routing.setRoute, {
        name: arg(0),
        match: matchOf(call),
        transports: via.split(',').map((name) => name.trim()),
        ...(before !== undefined && { before }),
        replace: on('replace'),
      });
      const route = value.settings.routes.find(({ name }) => name === arg(0));
      const takes = route === undefined ? '' : matchText(route.match);
      return said(`The route ${plain(arg(0))} takes ${plain(takes)}, via ${plain(via)}.`, route);
    },
  },
  {
    words: ['route', 'remove'],
    summary: 'remove a route',
    args: [{ name: 'NAME', help: 'as "postern route list" shows it' }],
    options: {},
    example: 'route remove everything',
    async run({ admin, arg }) {
      await admin.call(routing.removeRoute, { name: arg(0) });
      return said(`The route ${plain(arg(0))} is gone.`);
    },
  },
  {
    words: ['route', 'set'],
    summary: 'change probe_minutes, suppression.enabled or suppression.bounce_days',
    args: [
      { name: 'NAME', help: 'the setting' },
      { name: 'VALUE', help: 'the new value; "default" brings the default back' },
    ],
    options: {},
    example: 'route set probe_minutes 30',
    async run({ admin, arg }) {
      const value = await admin.call(routing.set, {
        name: arg(0) as 'probe_minutes',
        value: arg(1) === 'default' ? null : settingValue(arg(1)),
      });
      return said(`${plain(arg(0))} holds from now on.`, value.settings);
    },
  },
  {
    words: ['route', 'test'],
    summary: 'which way a message to an address would take now; nothing is sent',
    args: [{ name: 'ADDRESS', help: 'the recipient' }],
    options: {
      from: { value: 'ADDRESS', help: 'sender of the envelope and of From' },
      account: { value: 'ADDRESS', help: 'account of ours that sends it' },
      header: { value: 'FIELD', help: 'a header field it has, such as "List-Id: <a.example>"', many: true },
      size: { value: 'SIZE', help: 'its size (default 10 kB)' },
      origin: { value: 'KIND', help: 'submission (default), forward, dsn or report' },
    },
    example: 'route test someone@gmail.com --from ann@example.org',
    async run(call) {
      const { admin, arg, text, texts } = call;
      const [from, account, origin, size] = [
        text('from'),
        text('account'),
        text('origin'),
        sizeOption(call, 'size'),
      ];
      const value = await admin.call(routing.test, {
        address: arg(0),
        headers: [...texts('header')],
        ...(from !== undefined && { from }),
        ...(account !== undefined && { account }),
        ...(origin !== undefined && { origin: origin as 'submission' }),
        ...(size !== undefined && { size }),
      });
      return { value, text: () => planText(arg(0), value) };
    },
  },
  {
    words: ['route', 'probe'],
    summary: 'go the direct way to an address, up to its acceptance; nothing is sent',
    details:
      'MX, MTA-STS, DANE, connection, TLS, MAIL and RCPT, each with what came of it. Exit status 1 when mail would not be taken.',
    args: [{ name: 'ADDRESS', help: 'the recipient' }],
    options: {
      from: { value: 'ADDRESS', help: 'reverse-path to give (default: the null one, as of a bounce)' },
      verbose: { help: 'the dialogue with the hosts too' },
    },
    example: 'route probe someone@example.net',
    async run({ admin, io, arg, text, on }) {
      const from = text('from');
      const value = await admin.call(routing.probe, {
        address: arg(0),
        ...(from !== undefined && { from }),
      });
      const marks = { ok: 'ok  ', note: 'note', problem: 'NOT ' } as const;
      const lines = value.steps.flatMap(({ step, host, result, text: words }) => {
        const [first = '', ...more] = wrap(
          plain(`${step}${host === undefined ? '' : ` ${host}`}: ${words}`),
          io.width - 6,
        );
        return [`${marks[result]}  ${first}`, ...more.map((line) => `      ${line}`)];
      });
      const said = value.deliverable
        ? `Mail to ${plain(arg(0))} would be taken.`
        : `Mail to ${plain(arg(0))} would not be taken now.`;
      const dialogue = on('verbose') ? ['', ...value.transcript.map(plain)] : [];
      return {
        value,
        status: value.deliverable ? 0 : 1,
        text: () => [...lines, '', said, ...dialogue].map((line) => `${line}\n`).join(''),
      };
    },
  },
  {
    words: ['route', 'hosts'],
    summary: 'what is remembered of other hosts: slowed down, odd TLS, MTA-STS',
    args: [],
    options: {},
    example: 'route hosts',
    async run({ admin, io }) {
      const value = await admin.call(routing.hosts, {});
      const rows = [
        ...value.slowed.map(({ group, limit, pausedMs, reply }) => [
          group,
          pausedMs > 0 ? `left alone for ${spanText(pausedMs)}` : `${limit} session(s) at once`,
          reply ?? '',
        ]),
        ...value.quirks.map(({ host, quirk, reason }) => [host, `TLS: ${quirk}`, reason]),
        ...value.policies.map(({ domain, mode, problem }) => [
          domain,
          `MTA-STS: ${mode ?? 'none known'}`,
          problem ?? '',
        ]),
      ];
      const columns = [{ title: 'HOST', whole: true }, { title: 'STATE' }, { title: 'WHY' }];
      return {
        value,
        text: () =>
          rows.length === 0 ? 'Nothing is remembered of other hosts.\n' : table(columns, rows, io.width),
      };
    },
  },
  {
    words: ['route', 'refused'],
    summary: 'ways that destinations refuse at present, and when they are tried again',
    args: [],
    options: {},
    example: 'route refused',
    async run({ admin, io }) {
      const { refusals } = await admin.call(routing.refused, {});
      const now = io.clock.now();
      const rows = refusals.map(({ way, destination, cause, since, until, reply }) => [
        way,
        destination === '*' ? 'everybody' : destination,
        cause,
        timeText(since, io.timeZone),
        until <= now ? 'with the next message' : `in ${spanText(until - now)}`,
        reply,
      ]);
      const columns = [
        { title: 'WAY', whole: true },
        { title: 'REFUSED BY', whole: true },
        { title: 'CAUSE' },
        { title: 'SINCE' },
        { title: 'NEXT TRY' },
        { title: 'THEIR WORDS' },
      ];
      return {
        value: refusals,
        text: () => (rows.length === 0 ? 'No way is refused anywhere.\n' : table(columns, rows, io.width)),
      };
    },
  },
  {
    words: ['route', 'retry'],
    summary: 'try a refused way again with the next message',
    args: [
      { name: 'TRANSPORT', help: 'the way' },
      { name: 'DESTINATION', help: 'the domain that refuses it; "*" for everybody' },
    ],
    options: {},
    example: 'route retry direct gmail.com',
    async run({ admin, arg }) {
      await admin.call(routing.retry, { way: arg(0), destination: arg(1) });
      return said(`The next message to ${plain(arg(1))} tries ${plain(arg(0))} again.`);
    },
  },
  {
    words: ['route', 'usage'],
    summary: 'what each way took, by day and month, and what it cost',
    details:
      'Days and months are UTC. Costs follow from the prices in the caps of a transport, which you set.',
    args: [],
    options: {
      since: { value: 'DATE', help: 'from a day or month on, such as 2026-11 (default: this month)' },
    },
    example: 'route usage --since 2026-01',
    async run({ admin, io, text }) {
      const since = text('since') ?? new Date(io.clock.now()).toISOString().slice(0, 7);
      const value = await admin.call(routing.usage, { since });
      const rows = value.usage.map(({ period, way, messages, recipients, octets, cost }) => [
        period,
        way,
        String(messages),
        String(recipients),
        sizeText(octets),
        cost === undefined ? '' : cost.toFixed(2),
      ]);
      const columns = [
        { title: 'WHEN' },
        { title: 'WAY', whole: true },
        { title: 'MESSAGES', right: true },
        { title: 'RECIPIENTS', right: true },
        { title: 'SIZE', right: true },
        { title: 'COST', right: true },
      ];
      return {
        value: value.usage,
        text: () => (rows.length === 0 ? 'Nothing was sent.\n' : table(columns, rows, io.width)),
      };
    },
  },
];

function settingValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^\d+$/.test(text) ? Number(text) : text;
}

interface Planned {
  readonly route: string;
  readonly destination: string;
  readonly local: boolean;
  readonly ways: readonly {
    readonly transport: string;
    readonly kind: string;
    readonly obstacle?: string | undefined;
  }[];
  readonly suppressed?: string | undefined;
}

function planText(address: string, { route, destination, local, ways, suppressed }: Planned): string {
  if (local) return `${plain(destination)} is a domain of this server: the message stays here.\n`;
  const lines = [`Mail to ${plain(address)} takes the route ${plain(route)}:`];
  let taken = false;
  ways.forEach(({ transport, kind, obstacle }, index) => {
    const open = obstacle === undefined;
    const words = open
      ? taken
        ? 'if that is refused for a cause it may cure'
        : 'taken'
      : `passed over: ${plain(obstacle)}`;
    if (open) taken = true;
    lines.push(`  ${index + 1}. ${plain(transport)} (${kind}): ${words}`);
  });
  if (ways.length === 0)
    lines.push('  no transport of it exists: mail waits. "postern transport list" shows those there are');
  else if (!taken) lines.push('No way is open now: mail waits, or comes back where no wait can help.');
  if (suppressed !== undefined) {
    lines.push(`But it is on the suppression list and comes back at once (${plain(suppressed)}).`);
    lines.push(`To end that: postern suppression remove ${plain(address)}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
