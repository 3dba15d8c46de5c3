import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { settingsOf } from '../settings-words.ts';

const { routing } = operations;

type Settings = Record<string, unknown>;

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
