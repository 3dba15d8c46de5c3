import { formatRecordsText, formatZone } from '../../../mail/dns-records.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, type Outcome, said, UsageError } from '../command.ts';
import { confirm } from '../prompt.ts';
import { facts, plain, table } from '../plain-text.ts';
import { timeText } from '../quantities.ts';

const { domains } = operations;
const DOMAIN = { name: 'DOMAIN', help: 'a domain, e.g. example.org' };

/** Records hold nothing but names of ours, but their text has line ends of its own. */
function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

async function addDomain(
  call: Parameters<CliCommand['run']>[0],
  aliasOf: string | undefined,
): Promise<Outcome> {
  const name = call.arg(0);
  const added = await call.admin.call(domains.add, aliasOf === undefined ? { name } : { name, aliasOf });
  const what =
    aliasOf === undefined
      ? `The domain ${added.domain.name} is set up`
      : `${added.domain.name} is another name of ${added.domain.aliasOf ?? ''}`;
  const text = (): string =>
    `${plain(what)}, with DKIM keys.\nNow set these records in its DNS (again: postern domain records ${plain(added.domain.name)}):\n\n` +
    plainLines(formatRecordsText(added.records));
  return { value: added, text };
}

export const domainCommands: readonly CliCommand[] = [
  {
    words: ['domain', 'add'],
    summary: 'take mail for a domain',
    details: 'Makes DKIM keys for it and shows the DNS records to set.',
    args: [DOMAIN],
    options: {},
    example: 'domain add example.org',
    run: (call) => addDomain(call, undefined),
  },
  {
    words: ['domain', 'alias'],
    summary: 'take mail for another name of a domain',
    details: 'Every address of the domain exists under the other name as well.',
    args: [
      { name: 'NAME', help: 'the other name' },
      { name: 'DOMAIN', help: 'the domain it stands for' },
    ],
    options: {},
    example: 'domain alias example.net example.org',
    run: (call) => addDomain(call, call.arg(1)),
  },
  {
    words: ['domain', 'list'],
    summary: 'all domains',
    args: [],
    options: {},
    example: 'domain list',
    async run({ admin, io }) {
      const value = await admin.call(domains.list, {});
      const rows = value.domains.map(({ name, aliasOf, catchAll, accounts, aliases }) => [
        name,
        aliasOf === undefined ? String(accounts) : '',
        aliasOf === undefined ? String(aliases) : '',
        aliasOf === undefined ? (catchAll ?? '') : `= ${aliasOf}`,
      ]);
      const columns = [
        { title: 'DOMAIN', whole: true },
        { title: 'ACCOUNTS', right: true },
        { title: 'ALIASES', right: true },
        { title: 'CATCH-ALL' },
      ];
      const text = (): string =>
        rows.length === 0
          ? 'There is no domain yet. Add one: postern domain add example.org\n'
          : table(columns, rows, io.width);
      return { value, text };
    },
  },
  {
    words: ['domain', 'show'],
    summary: 'a domain with its addresses and DKIM keys',
    args: [DOMAIN],
    options: {},
    example: 'domain show example.org',
    async run({ admin, io, arg }) {
      const value = await admin.call(domains.show, { domain: arg(0) });
      const { domain, otherNames, accounts, aliases, dkim } = value;
      const pairs: [string, string][] = [
        ['Domain', domain.name],
        ...(domain.aliasOf === undefined ? [] : [['Alias of', domain.aliasOf] as [string, string]]),
        ['Added', timeText(domain.createdAt, io.timeZone)],
        ['Other names', otherNames.join(', ') || 'none'],
        ['Catch-all', domain.catchAll ?? 'none'],
        ['Accounts', accounts.map(({ address }) => address).join(', ') || 'none'],
        [
          'Aliases',
          aliases.map(({ address, targets }) => `${address} -> ${targets.join(', ')}`).join('; ') || 'none',
        ],
        [
          'DKIM keys',
          dkim.map(({ selector, algorithm, state }) => `${selector} (${algorithm}, ${state})`).join(', ') ||
            'none',
        ],
      ];
      return { value, text: () => facts(pairs, io.width) };
    },
  },
  {
    words: ['domain', 'remove'],
    summary: 'take no more mail for a domain',
    details: 'Only a domain without accounts and aliases can be removed. Its DKIM keys are deleted.',
    args: [DOMAIN],
    options: { yes: { help: 'do not ask' } },
    example: 'domain remove example.org',
    async run({ admin, io, arg, on }) {
      const domain = arg(0);
      const question = `Remove ${plain(domain)} and its DKIM keys for good?`;
      if (!on('yes') && !(await confirm(io, question))) throw new UsageError('not removed');
      await admin.call(domains.remove, { domain });
      return said(`${plain(domain)} is removed.`);
    },
  },
  {
    words: ['domain', 'catch-all'],
    summary: 'who gets mail for addresses that do not exist',
    args: [DOMAIN, { name: 'ADDRESS', help: 'the address that gets it', optional: true }],
    options: { off: { help: 'nobody: refuse such mail (the default of a domain)' } },
    example: 'domain catch-all example.org alice@example.org',
    async run({ admin, args, arg, on }) {
      const [domain, address] = [arg(0), args[1]];
      if ((address === undefined) !== on('off'))
        throw new UsageError('name the ADDRESS that gets the mail, or say --off');
      await admin.call(domains.catchAll, { domain, address: address ?? null });
      return said(
        address === undefined
          ? `Mail to addresses that do not exist at ${plain(domain)} is refused.`
          : `${plain(address)} gets mail to addresses that do not exist at ${plain(domain)}. Spammers try many; expect some.`,
      );
    },
  },
  {
    words: ['domain', 'records'],
    summary: 'the DNS records a domain should have',
    args: [DOMAIN],
    options: { zone: { help: 'as lines of a zone file' } },
    example: 'domain records example.org',
    async run({ admin, arg, on }) {
      const value = await admin.call(domains.records, { domain: arg(0) });
      const format = on('zone') ? formatZone : formatRecordsText;
      return { value, text: () => plainLines(format(value.records)) };
    },
  },
];
