import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';

const { routing } = operations;

type Settings = Record<string, unknown>;

/** "caps.recipients_per_day=1000" and the like to settings; values are JSON where they are some. */
export function settingsOf(pairs: readonly string[]): Settings {
  const settings: Settings = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`"${plain(pair)}" is not NAME=VALUE`);
    put(settings, pair.slice(0, at).split('.'), valueOf(pair.slice(at + 1)));
  }
  return settings;
}

function put(settings: Settings, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (['__proto__', 'constructor', 'prototype', ''].includes(name))
    throw new UsageError(`"${plain(path.join('.'))}" is no name of a setting`);
  if (rest.length === 0) settings[name] = value;
  else {
    const inner = settings[name];
    const group: Settings = typeof inner === 'object' && inner !== null ? (inner as Settings) : {};
    settings[name] = group;
    put(group, rest, value);
  }
}

/** JSON where it is a list, an object, a number or a truth value; else the text itself. */
function valueOf(text: string): unknown {
  if (!/^(?:[[{"]|-?\d+(?:\.\d+)?$|true$|false$)/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** What a person wants to see of a transport at a glance. */
function aboutOf(settings: Settings): string {
  const shown = ['host', 'port', 'region', 'endpoint', 'configuration_set', 'source_addresses', 'helo'];
  const words = shown.flatMap((name) => {
    const value = settings[name];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    return [`${name}=${Array.isArray(value) ? value.join(',') : String(value)}`];
  });
  return words.join(' ');
}

const KINDS =
  'direct (to MX hosts), relay (any SMTP host), ses-api and ses-smtp (Amazon SES), lmtp. docs/guides/routes.md lists what each takes; secrets are given as files.';

export const transportCommands: readonly CliCommand[] = [
  {
    words: ['transport', 'list'],
    summary: 'ways to send',
    details: '`direct` is always there; `relay` is the [relay] of the configuration, where it has one.',
    args: [],
    options: {},
    example: 'transport list',
    async run({ admin, io }) {
      const { settings } = await admin.call(routing.show, {});
      const rows = Object.entries({ direct: { kind: 'direct' }, ...settings.transports }).map(
        ([name, transport]) => {
          const used = settings.routes.filter(({ transports }) => transports.includes(name));
          return [
            name,
            transport.kind,
            used.map((route) => route.name).join(', ') || '-',
            aboutOf(transport),
          ];
        },
      );
      const columns = [
        { title: 'NAME', whole: true },
        { title: 'KIND' },
        { title: 'ROUTES' },
        { title: 'SETTINGS' },
      ];
      return { value: settings.transports, text: () => table(columns, rows, io.width) };
    },
  },
  {
    words: ['transport', 'add'],
    summary: 'add a way to send, for routes to name',
    details: `Kinds: ${KINDS} A dot reaches into a group: caps.recipients_per_day=1000.`,
    args: [
      { name: 'NAME', help: 'how routes call it' },
      { name: 'KIND', help: 'direct, relay, ses-api, ses-smtp or lmtp' },
      { name: 'SETTING=VALUE', help: 'its settings', many: true, optional: true },
    ],
    options: { replace: { help: 'put it in the place of one of that name' } },
    example: 'transport add ses ses-api region=eu-west-1',
    async run({ admin, args, arg, on }) {
      const settings = { ...settingsOf(args.slice(2)), kind: arg(1) };
      const value = await admin.call(routing.setTransport, {
        name: arg(0),
        settings: settings as z.input<typeof routing.setTransport.input>['settings'],
        replace: on('replace'),
      });
      const used = value.settings.routes.some(({ transports }) => transports.includes(arg(0)));
      const next = used ? '' : ` No route uses it yet: postern route add NAME --via ${plain(arg(0))}`;
      return said(`The transport ${plain(arg(0))} is there.${next}`, value.settings.transports[arg(0)]);
    },
  },
  {
    words: ['transport', 'remove'],
    summary: 'remove a way to send that no route uses',
    args: [{ name: 'NAME', help: 'as "postern transport list" shows it' }],
    options: {},
    example: 'transport remove ses',
    async run({ admin, arg }) {
      await admin.call(routing.removeTransport, { name: arg(0) });
      return said(`The transport ${plain(arg(0))} is gone.`);
    },
  },
];
