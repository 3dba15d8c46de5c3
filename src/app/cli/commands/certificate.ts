import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, type CliIo, said } from '../command.ts';
import { facts, plain, table } from '../plain-text.ts';
import { spanText, timeText } from '../quantities.ts';
import { flat, type Json, valueOf } from '../settings-words.ts';

const { certificates } = operations;

type Listed = z.output<typeof certificates.list.output>;
type AcmeRow = Listed['acme'][number];

const OFF =
  'Certificates are not requested by this server. To begin (docs/guides/certificates.md):\n' +
  '  postern certificate set contact you@example.org\n' +
  '  postern certificate set terms_agreed true   (postern certificate terms: where they are)\n' +
  '  postern certificate set enabled true\n';

function lifeText(notAfter: number, now: number, { timeZone }: CliIo): string {
  const left = notAfter - now;
  const until = timeText(notAfter, timeZone);
  return left <= 0 ? `ENDED on ${until}` : `good for ${spanText(left)}, until ${until}`;
}

function rowFacts(row: AcmeRow, now: number, io: CliIo): [string, string][] {
  const { names = [], wanted, notAfter, renewAt, explanation, failures, failure, retryAt } = row;
  const missing = wanted.filter((name) => !names.includes(name));
  const when = (at: number): string => (at <= now ? 'now' : timeText(at, io.timeZone));
  return [
    [row.name, notAfter === undefined ? 'NONE YET' : lifeText(notAfter, now, io)],
    ...(names.length > 1 ? [['  names', names.join(', ')] as [string, string]] : []),
    ...(missing.length > 0 && notAfter !== undefined
      ? [['  still without', missing.join(', ')] as [string, string]]
      : []),
    ...(wanted.length === 0
      ? [['  not renewed', 'its names are no longer wanted, or own files have them'] as [string, string]]
      : renewAt === undefined
        ? []
        : [['  next', when(renewAt)] as [string, string]]),
    ...(explanation === undefined ? [] : [['  because', explanation] as [string, string]]),
    ...(failure === undefined
      ? []
      : [
          ['  FAILED', `${failures} time(s) in a row: ${failure}`] as [string, string],
          ['  next try', when(retryAt ?? now)] as [string, string],
        ]),
  ];
}

function listText(value: Listed, io: CliIo): string {
  const files = value.files.map(({ names, notAfter, certFile }): [string, string] => [
    names.join(', '),
    `${lifeText(notAfter, value.now, io)}, from ${certFile}`,
  ]);
  const rows = value.acme.flatMap((row) => rowFacts(row, value.now, io));
  const all = [...files, ...rows];
  const text =
    all.length === 0
      ? 'There is no certificate: mail programs cannot connect safely.\n'
      : facts(all, io.width);
  return value.enabled ? text : `${text}\n${OFF}`;
}

/** Names with lists, which people write with commas. */
function isList(name: string): boolean {
  return name === 'contact' || name === 'names' || name.startsWith('domain_hosts.');
}

function settingValue(name: string, text: string): Json {
  if (text === 'default') return null;
  const value = valueOf(text);
  if (!isList(name) || typeof value !== 'string') return value;
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export const certificateCommands: readonly CliCommand[] = [
  {
    words: ['certificate', 'list'],
    summary: 'certificates in use, when they end and are renewed, and what is in the way',
    args: [],
    options: {},
    example: 'certificate list',
    async run({ admin, io }) {
      const value = await admin.call(certificates.list, {});
      return { value, text: () => listText(value, io) };
    },
  },
  {
    words: ['certificate', 'renew'],
    summary: 'request certificates now, and say what came of it',
    details:
      'Without a name those that are missing, due or failed; with one also a certificate that is good for long. ' +
      'Authorities take only so many requests a week.',
    args: [{ name: 'NAME', help: 'as "postern certificate list" shows it', optional: true, many: true }],
    options: {},
    example: 'certificate renew',
    async run({ admin, args, io }) {
      const value = await admin.call(certificates.renew, { names: [...args] });
      const failed = value.renewed.some(({ failure }) => failure !== undefined);
      const lines = value.renewed.map(({ name, notAfter, failure }) =>
        failure === undefined
          ? `${plain(name)}: a new certificate is in use, until ${timeText(notAfter ?? 0, io.timeZone)}.\n`
          : `${plain(name)}: none was issued: ${plain(failure)}\n`,
      );
      const none = 'Nothing is due: every certificate that is wanted is there.\n';
      const text = value.underWay
        ? 'The authority takes its time; "postern certificate list" shows what becomes of it.\n'
        : lines.join('') || none;
      return { value, text: () => text, ...(failed && { status: 1 }) };
    },
  },
  {
    words: ['certificate', 'show'],
    summary: 'the settings of certificates by ACME',
    args: [],
    options: { all: { help: 'those at their defaults too' } },
    example: 'certificate show --all',
    async run({ admin, io, on }) {
      const value = await admin.call(certificates.show, {});
      const rows = flat(value.settings)
        .filter(([name]) => on('all') || value.set.some((own) => name === own || name.startsWith(`${own}.`)))
        .map(([name, setting]) => [name, JSON.stringify(setting)]);
      const columns = [{ title: 'SETTING', whole: true }, { title: 'VALUE' }];
      const none = 'Everything is at its default; --all shows it.\n';
      return {
        value: on('all') ? value.settings : value,
        text: () => (rows.length === 0 ? none : table(columns, rows, io.width)),
      };
    },
  },
  {
    words: ['certificate', 'set'],
    summary: 'change a setting of certificates by ACME',
    details: 'It holds at once; what failed before is tried again. Lists are written with commas.',
    args: [
      { name: 'NAME', help: 'the setting, as "postern certificate show --all" names it' },
      { name: 'VALUE', help: 'the new value; "default" brings the default back' },
    ],
    options: {},
    example: 'certificate set staging true',
    async run({ admin, arg }) {
      const [name, text] = [arg(0), arg(1)];
      const value = await admin.call(certificates.set, { name, value: settingValue(name, text) as null });
      return said(`${plain(name)} holds from now on.`, value.settings);
    },
  },
  {
    words: ['certificate', 'terms'],
    summary: 'where the terms of service of the authority are',
    args: [],
    options: {},
    example: 'certificate terms',
    async run({ admin }) {
      const value = await admin.call(certificates.terms, {});
      return said(
        value.url === undefined ? `${plain(value.directory)} names no terms.` : plain(value.url),
        value,
      );
    },
  },
];
