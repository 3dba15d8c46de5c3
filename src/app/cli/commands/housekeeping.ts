import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { flat, valueOf } from '../settings-words.ts';

const { housekeeping } = operations;

export const housekeepingCommands: readonly CliCommand[] = [
  {
    words: ['housekeeping', 'show'],
    summary: 'what the server does by itself so that disks and mailboxes do not fill',
    details: 'Settings marked with * were changed. docs/guides/housekeeping.md explains each.',
    args: [],
    options: {},
    example: 'housekeeping show',
    async run({ admin, io }) {
      const value = await admin.call(housekeeping.show, {});
      const { accounts, archive, ...site } = value.settings;
      const rows = flat(site).map(([name, setting]) => [
        `${value.changed.includes(name) ? '* ' : '  '}${name}`,
        JSON.stringify(setting),
      ]);
      for (const [address, own] of Object.entries(accounts))
        for (const [name, setting] of Object.entries(own))
          rows.push([`* ${name} of ${plain(address)}`, JSON.stringify(setting)]);
      for (const [domain, { address, direction }] of Object.entries(archive))
        rows.push([`* archive of ${plain(domain)}`, `${plain(address)} (${direction})`]);
      return {
        value,
        text: () => table([{ title: '  SETTING', whole: true }, { title: 'VALUE' }], rows, io.width),
      };
    },
  },
  {
    words: ['housekeeping', 'set'],
    summary: 'change a setting of housekeeping, at once',
    details: 'Of one account trash_days and junk_days can be set; 0 keeps its mail for ever.',
    args: [
      { name: 'NAME', help: 'as "postern housekeeping show" names it' },
      { name: 'VALUE', help: 'the new value; "default" brings the default back' },
    ],
    options: { account: { value: 'ADDRESS', help: 'for this account alone' } },
    example: 'housekeeping set junk_days 60 --account alice@example.org',
    async run({ admin, arg, text }) {
      const value = arg(1) === 'default' ? null : valueOf(arg(1));
      const account = text('account');
      const answer = await admin.call(housekeeping.set, {
        name: arg(0),
        value: value as null,
        ...(account !== undefined && { account }),
      });
      const now = flat(answer.settings).find(([name]) => name === arg(0))?.[1];
      const whose = account === undefined ? '' : ` of ${plain(account)}`;
      const set =
        account !== undefined && value !== null ? value : account === undefined ? (now ?? value) : now;
      return said(`${plain(arg(0))}${whose} is ${plain(JSON.stringify(set))} from now on.`, answer);
    },
  },
  {
    words: ['housekeeping', 'archive'],
    summary: 'send a copy of all mail of a domain to an archive',
    details:
      'The copy is put into the queue in the commit that takes the mail, so there is none without the other. The address may be here or elsewhere.',
    args: [
      { name: 'DOMAIN', help: 'a domain of ours' },
      { name: 'ADDRESS', help: 'where copies go, or "off"' },
    ],
    options: { direction: { value: 'WHICH', help: 'inbound, outbound or both (default)' } },
    example: 'housekeeping archive example.org all@vault.example',
    async run({ admin, arg, text }) {
      const direction = text('direction') ?? 'both';
      if (direction !== 'inbound' && direction !== 'outbound' && direction !== 'both')
        throw new UsageError('--direction takes inbound, outbound or both');
      const address = arg(1) === 'off' ? null : arg(1);
      const value = await admin.call(housekeeping.archive, { domain: arg(0), address, direction });
      const words =
        address === null
          ? `No copies of mail of ${plain(arg(0))} are sent from now on.`
          : `A copy of all ${direction === 'both' ? '' : `${direction} `}mail of ${plain(arg(0))} goes to ${plain(address)} from now on.`;
      return said(words, value);
    },
  },
];
