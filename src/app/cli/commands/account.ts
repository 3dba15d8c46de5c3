import { operations } from '../../../servers/http/admin/operations.ts';
import type { AdminAccount } from '../../../servers/http/admin/schemas.ts';
import { type Call, type CliCommand, type Outcome, said, UsageError } from '../command.ts';
import { facts, plain, table } from '../plain-text.ts';
import { confirm, newPassword } from '../prompt.ts';
import { parseSize, sizeText, timeText } from '../quantities.ts';

const { accounts, grants } = operations;
const ADDRESS = { name: 'ADDRESS', help: 'the e-mail address of the account' };
const PASSWORD_OPTIONS = {
  'password-stdin': { help: 'read the password from standard input (one line)' },
  generate: { help: 'make a password and show it once' },
};
const ROLES = ['user', 'domain-admin', 'admin'] as const;

function parseRole(text: string): (typeof ROLES)[number] {
  const found = ROLES.find((role) => role === text);
  if (found === undefined)
    throw new UsageError(`"${plain(text)}" is no role: say user, domain-admin, or admin`);
  return found;
}

function passwordOf({ io, on }: Call): ReturnType<typeof newPassword> {
  return newPassword(io, { stdin: on('password-stdin'), generate: on('generate') });
}

function told(sentence: string, made: { password: string; generated: boolean }, value: object): Outcome {
  if (!made.generated) return said(sentence, value);
  const text = (): string => `${sentence}\nPassword: ${made.password}\nIt is not shown again.\n`;
  return { value: { ...value, password: made.password }, text };
}

function quotaText({ quota }: AdminAccount): string {
  return quota === 0 ? 'none' : sizeText(quota);
}

const change: readonly CliCommand[] = [
  {
    words: ['account', 'add'],
    summary: 'add an account',
    details:
      'Asks for the password at the terminal; without a terminal, or on an empty answer, one is made and shown once. A password is never taken from the command line, where others could read it.',
    args: [ADDRESS],
    options: {
      name: { value: 'NAME', help: 'name of the person, as others see it' },
      role: { value: 'ROLE', help: 'user (default), domain-admin, or admin' },
      quota: { value: 'SIZE', help: 'how much mail it may keep, e.g. 5G (default: no limit)' },
      ...PASSWORD_OPTIONS,
    },
    example: 'account add alice@example.org --name "Alice Liddell"',
    async run(call) {
      const { admin, arg, text } = call;
      const input = {
        address: arg(0),
        displayName: text('name') ?? '',
        role: parseRole(text('role') ?? 'user'),
        quota: parseSize(text('quota') ?? '0'),
      };
      const made = await passwordOf(call);
      const value = await admin.call(accounts.add, { ...input, password: made.password });
      return told(`The account ${plain(value.account.address)} is ready.`, made, value);
    },
  },
  {
    words: ['account', 'passwd'],
    summary: 'set a new password',
    details: 'Sessions of the account that are open are cut.',
    args: [ADDRESS],
    options: PASSWORD_OPTIONS,
    example: 'account passwd alice@example.org',
    async run(call) {
      const address = call.arg(0);
      // Before a person types a password twice for an account that does not exist.
      await call.admin.call(accounts.show, { address });
      const made = await passwordOf(call);
      const value = await call.admin.call(accounts.setPassword, { address, password: made.password });
      return told(`${plain(address)} has a new password; sessions with the old one are cut.`, made, value);
    },
  },
  {
    words: ['account', 'remove'],
    summary: 'remove an account',
    details:
      'Nobody can sign in or send mail to it any more, at once. Its mail is kept for 30 days, in which "account restore" undoes it; with --purge it is deleted now, for good.',
    args: [ADDRESS],
    options: { purge: { help: 'delete its mail now; cannot be undone' }, yes: { help: 'do not ask' } },
    example: 'account remove alice@example.org',
    async run({ admin, io, arg, on }) {
      const given = arg(0);
      const { account } = await admin.call(accounts.show, { address: given });
      const name = plain(account.address);
      const mail = `${account.emails} message(s), ${sizeText(account.used)}`;
      const question = on('purge')
        ? `Remove ${name} and delete its mail (${mail}) for good? This cannot be undone.`
        : `Remove ${name}? Its mail (${mail}) is kept for 30 days, in which this can be undone.`;
      if (!on('yes') && !(await confirm(io, question))) throw new UsageError('not removed');
      const value = await admin.call(accounts.remove, {
        address: account.address,
        ...(on('purge') && { purge: 'true' }),
      });
      return said(
        on('purge')
          ? `${name} and its mail are gone.`
          : `${name} is removed. Undo it within 30 days: postern account restore ${name}`,
        value,
      );
    },
  },
  {
    words: ['account', 'restore'],
    summary: 'bring back an account removed within the last 30 days',
    args: [ADDRESS],
    options: {},
    example: 'account restore alice@example.org',
    async run({ admin, arg }) {
      const value = await admin.call(accounts.restore, { address: arg(0) });
      return said(`${plain(arg(0))} is back, with its mail and its old password.`, value);
    },
  },
  {
    words: ['account', 'suspend'],
    summary: 'let nobody sign in; mail still arrives',
    details: 'Its sessions are cut at once.',
    args: [ADDRESS],
    options: {},
    example: 'account suspend alice@example.org',
    async run({ admin, arg }) {
      const value = await admin.call(accounts.setStatus, { address: arg(0), status: 'suspended' });
      return said(`${plain(arg(0))} is suspended. Undo it: postern account resume ${plain(arg(0))}`, value);
    },
  },
  {
    words: ['account', 'resume'],
    summary: 'let a suspended account in again',
    args: [ADDRESS],
    options: {},
    example: 'account resume alice@example.org',
    async run({ admin, arg }) {
      const value = await admin.call(accounts.setStatus, { address: arg(0), status: 'active' });
      return said(`${plain(arg(0))} may sign in again.`, value);
    },
  },
  {
    words: ['account', 'quota'],
    summary: 'how much mail an account may keep',
    args: [ADDRESS, { name: 'SIZE', help: 'e.g. 500M or 5G; none for no limit' }],
    options: {},
    example: 'account quota alice@example.org 5G',
    async run({ admin, arg }) {
      const quota = parseSize(arg(1));
      const value = await admin.call(accounts.setQuota, { address: arg(0), quota });
      return said(
        `${plain(arg(0))} may keep ${quota === 0 ? 'any amount of mail' : sizeText(quota)}.`,
        value,
      );
    },
  },
  {
    words: ['account', 'role'],
    summary: 'what an account may administer',
    args: [ADDRESS, { name: 'ROLE', help: 'user, domain-admin (its own domain), or admin (everything)' }],
    options: {},
    example: 'account role alice@example.org admin',
    async run({ admin, arg }) {
      const role = parseRole(arg(1));
      const value = await admin.call(accounts.setRole, { address: arg(0), role });
      return said(`${plain(arg(0))} is ${role === 'admin' ? 'an administrator' : `a ${role}`} now.`, value);
    },
  },
  {
    words: ['account', 'grant'],
    summary: 'let an account send as another address',
    details:
      'An account may always send as its own addresses and the aliases that lead to it alone. Without AS, shows its grants.',
    args: [ADDRESS, { name: 'AS', help: 'an address, or @example.net for all of a domain', optional: true }],
    options: { remove: { help: 'take the grant back' } },
    example: 'account grant alice@example.org sales@example.org',
    async run({ admin, args, arg, on }) {
      const [account, address] = [arg(0), args[1]];
      if (address === undefined) {
        if (on('remove'))
          throw new UsageError('say which grant to take back: account grant ADDRESS AS --remove');
        const value = await admin.call(grants.list, { account });
        return {
          value,
          text: () =>
            value.grants.length === 0 ? 'No grants.\n' : `${value.grants.map(plain).join('\n')}\n`,
        };
      }
      const value = await admin.call(on('remove') ? grants.remove : grants.add, { account, address });
      return said(
        `${plain(account)} may ${on('remove') ? 'no longer ' : ''}send as ${plain(address)}.`,
        value,
      );
    },
  },
];

const look: readonly CliCommand[] = [
  {
    words: ['account', 'list'],
    summary: 'all accounts, or those of a domain',
    args: [{ name: 'DOMAIN', help: 'only its accounts', optional: true }],
    options: { removed: { help: 'those that were removed and can be restored' } },
    example: 'account list example.org',
    async run({ admin, io, args, on }) {
      const domain = args[0];
      const value = await admin.call(accounts.list, {
        ...(domain !== undefined && { domain }),
        ...(on('removed') && { removed: 'true' }),
      });
      const rows = value.accounts.map((account) => [
        account.address,
        account.role,
        account.status,
        String(account.emails),
        sizeText(account.used),
        quotaText(account),
      ]);
      const columns = [
        { title: 'ACCOUNT', whole: true },
        { title: 'ROLE' },
        { title: 'STATUS' },
        { title: 'MESSAGES', right: true },
        { title: 'SIZE', right: true },
        { title: 'QUOTA', right: true },
      ];
      const none = on('removed')
        ? 'No account was removed.\n'
        : 'No accounts. Add one: postern account add alice@example.org\n';
      return { value, text: () => (rows.length === 0 ? none : table(columns, rows, io.width)) };
    },
  },
  {
    words: ['account', 'show'],
    summary: 'an account with its aliases and grants',
    args: [ADDRESS],
    options: {},
    example: 'account show alice@example.org',
    async run({ admin, io, arg }) {
      const value = await admin.call(accounts.show, { address: arg(0) });
      const { account } = value;
      const pairs: [string, string][] = [
        ['Account', account.address],
        ['Name', account.displayName || 'none'],
        ['Role', account.role],
        ['Status', account.status],
        ['Mail', `${account.emails} message(s), ${sizeText(account.used)}`],
        ['Quota', quotaText(account)],
        ['Aliases', value.aliases.map(({ address }) => address).join(', ') || 'none'],
        ['May send as', ['its own addresses', ...value.grants].join(', ')],
        ['Added', timeText(account.createdAt, io.timeZone)],
      ];
      return { value, text: () => facts(pairs, io.width) };
    },
  },
];

export const accountCommands: readonly CliCommand[] = [...change, ...look];
