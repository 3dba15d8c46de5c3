import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { facts, plain, table } from '../plain-text.ts';

const { groups } = operations;
const GROUP = { name: 'GROUP', help: 'its address' };
const SENDERS = ['anyone', 'domain', 'members'] as const;
const WHO: Readonly<Record<(typeof SENDERS)[number], string>> = {
  anyone: 'everybody may send to it',
  domain: 'only people of its domain may send to it',
  members: 'only its members may send to it',
};
const options = {
  senders: { value: 'WHO', help: 'who may send to it: anyone, domain, members' },
  description: { value: 'TEXT', help: 'what it is for' },
} as const;

function sendersOf(given: string | undefined): (typeof SENDERS)[number] | undefined {
  const found = SENDERS.find((one) => one === given);
  if (given !== undefined && found === undefined)
    throw new UsageError(`"${plain(given)}" is nobody who may send: say ${SENDERS.join(', ')}`);
  return found;
}

function change(verb: 'join' | 'leave', summary: string, example: string): CliCommand {
  return {
    words: ['group', verb],
    summary,
    args: [GROUP, { name: 'ADDRESS', help: 'who', many: true }],
    options: {},
    example,
    async run({ admin, args, arg }) {
      const who = args.slice(1);
      const input = verb === 'join' ? { add: who } : { remove: who };
      const value = await admin.call(groups.changeMembers, { address: arg(0), ...input });
      return said(`${plain(value.group.address)} has ${value.group.members.length} member(s) now.`, value);
    },
  };
}

export const groupCommands: readonly CliCommand[] = [
  {
    words: ['group', 'add'],
    summary: 'make a group: mail to it goes to all of its members',
    args: [GROUP, { name: 'MEMBER', help: 'an address here or elsewhere', many: true }],
    options,
    example: 'group add team@example.org ann@example.org bob@example.net',
    async run({ admin, args, arg, text }) {
      const [senders, description] = [sendersOf(text('senders')), text('description')];
      const value = await admin.call(groups.add, {
        address: arg(0),
        members: args.slice(1),
        ...(senders !== undefined && { senders }),
        ...(description !== undefined && { description }),
      });
      const { address, members, senders: who } = value.group;
      return said(`${plain(address)} has ${members.length} member(s); ${WHO[who]}.`, value);
    },
  },
  {
    words: ['group', 'list'],
    summary: 'all groups, or those of a domain',
    args: [{ name: 'DOMAIN', help: 'only its groups', optional: true }],
    options: {},
    example: 'group list example.org',
    async run({ admin, io, args: [domain] }) {
      const value = await admin.call(groups.list, domain === undefined ? {} : { domain });
      const rows = value.groups.map((one) => [
        one.address,
        String(one.members.length),
        one.senders,
        one.description,
      ]);
      const columns = [
        { title: 'GROUP', whole: true },
        { title: 'MEMBERS', right: true },
        { title: 'SENDERS' },
        { title: 'DESCRIPTION' },
      ];
      return { value, text: () => (rows.length === 0 ? 'No groups.\n' : table(columns, rows, io.width)) };
    },
  },
  {
    words: ['group', 'show'],
    summary: 'a group with its members',
    args: [GROUP],
    options: {},
    example: 'group show team@example.org',
    async run({ admin, io, arg }) {
      const value = await admin.call(groups.show, { address: arg(0) });
      const { address, description, senders, members } = value.group;
      const head = facts(
        [
          ['Group', address],
          ['Description', description === '' ? 'none' : description],
          ['Senders', WHO[senders]],
        ],
        io.width,
      );
      return { value, text: () => `${head}\n${members.map((one) => `  ${plain(one)}\n`).join('')}` };
    },
  },
  {
    words: ['group', 'set'],
    summary: 'change who may send to a group, or what it is said to be for; an alias becomes a group by it',
    args: [GROUP],
    options,
    example: 'group set team@example.org --senders members',
    async run({ admin, arg, text }) {
      const [senders, description] = [sendersOf(text('senders')), text('description')];
      if (senders === undefined && description === undefined)
        throw new UsageError('say what is to change: --senders or --description');
      const value = await admin.call(groups.change, {
        address: arg(0),
        ...(senders !== undefined && { senders }),
        ...(description !== undefined && { description }),
      });
      return said(`${plain(value.group.address)}: ${WHO[value.group.senders]}.`, value);
    },
  },
  change('join', 'let people join a group', 'group join team@example.org carol@example.org'),
  change('leave', 'take people out of a group', 'group leave team@example.org bob@example.org'),
  {
    words: ['group', 'remove'],
    summary: 'remove a group; "postern audit undo" brings it back',
    args: [GROUP],
    options: {},
    example: 'group remove team@example.org',
    async run({ admin, arg }) {
      await admin.call(groups.remove, { address: arg(0) });
      return said(`${plain(arg(0))} is gone: mail to it is refused from now on.`);
    },
  },
];
