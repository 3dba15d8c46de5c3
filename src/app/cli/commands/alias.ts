import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said } from '../command.ts';
import { plain, table } from '../plain-text.ts';

const { aliases } = operations;
const ALIAS = { name: 'ALIAS', help: 'the address that leads elsewhere' };

export const aliasCommands: readonly CliCommand[] = [
  {
    words: ['alias', 'add'],
    summary: 'let an address lead to one or more others, here or elsewhere',
    details: 'If the alias exists, the addresses are added to it.',
    args: [ALIAS, { name: 'TARGET', help: 'where its mail goes', many: true }],
    options: {},
    example: 'alias add info@example.org alice@example.org bob@example.org',
    async run({ admin, args, arg }) {
      const value = await admin.call(aliases.add, { address: arg(0), targets: args.slice(1) });
      const { address, targets } = value.alias;
      return said(`${plain(address)} leads to ${targets.map(plain).join(', ')}.`, value);
    },
  },
  {
    words: ['alias', 'list'],
    summary: 'all aliases, or those of a domain',
    args: [{ name: 'DOMAIN', help: 'only its aliases', optional: true }],
    options: {},
    example: 'alias list example.org',
    async run({ admin, io, args }) {
      const domain = args[0];
      const value = await admin.call(aliases.list, domain === undefined ? {} : { domain });
      const rows = value.aliases.flatMap(({ address, targets }) =>
        targets.map((target, i) => [i === 0 ? address : '', target]),
      );
      const columns = [
        { title: 'ALIAS', whole: true },
        { title: 'LEADS TO', whole: true },
      ];
      return { value, text: () => (rows.length === 0 ? 'No aliases.\n' : table(columns, rows, io.width)) };
    },
  },
  {
    words: ['alias', 'remove'],
    summary: 'remove an alias, or one of the addresses it leads to',
    args: [
      ALIAS,
      { name: 'TARGET', help: 'only this one; the alias stays while others are left', optional: true },
    ],
    options: {},
    example: 'alias remove info@example.org bob@example.org',
    async run({ admin, args, arg }) {
      const target = args[1];
      const value = await admin.call(aliases.remove, {
        address: arg(0),
        ...(target !== undefined && { target }),
      });
      return said(
        target === undefined
          ? `The alias ${plain(arg(0))} is removed.`
          : `${plain(arg(0))} no longer leads to ${plain(target)}.`,
        value,
      );
    },
  },
];
