import { Refusal } from '../../../base/errors.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import type { Call, CliCommand, Outcome } from '../command.ts';
import { plain } from '../plain-text.ts';
import { newPassword } from '../prompt.ts';
import { sizeText } from '../quantities.ts';

/**
 * The verbs and texts of user.sh of t-lo/mailserver, for the scripts and habits of people who come from there. They do
 * what "postern account" does.
 */

const { accounts, sharing } = operations;
const USER = { name: 'USER@DOMAIN', help: 'the address of the user' };
const PASSWORD = {
  name: 'PASSWORD',
  help: 'as user.sh takes it; others can read it in the list of processes, so better leave it out',
  optional: true,
};
const STDIN = { 'password-stdin': { help: 'read the password from standard input (one line)' } };

/** The password of the command line, as the original has it, or one of standard input, or one that is made. */
async function passwordOf({ io, args, on }: Call): Promise<{ password: string; generated: boolean }> {
  const given = args[1];
  if (given !== undefined) return { password: given, generated: false };
  return newPassword(io, { stdin: on('password-stdin'), generate: !on('password-stdin') });
}

function told(line: string, value: unknown, status = 0): Outcome {
  return { value, text: () => `${line}\n`, status };
}

/** user.sh's columns: user (40), mbox size (10), sanity checks. */
function listText(rows: readonly (readonly [string, string, string])[]): string {
  const line = ([user, size, sanity]: readonly [string, string, string]): string =>
    `${user.padEnd(40)} | ${size.padEnd(10)} | ${sanity}\n`;
  return line(['user', 'mbox size', 'sanity checks']) + rows.map(line).join('');
}

export const userCommands: readonly CliCommand[] = [
  {
    words: ['user', 'add'],
    summary: "add a user, as t-lo's user.sh does",
    details: 'Without PASSWORD one is made and shown.',
    args: [USER, PASSWORD],
    options: {
      ...STDIN,
      shared: { help: 'nobody is to log in to it; see "postern mailbox share"' },
    },
    example: 'user add alice@example.org',
    async run(call) {
      const address = call.arg(0);
      if (call.on('shared')) {
        const made = await call.admin.call(sharing.addShared, { address });
        return told(`Created shared user '${plain(address)}', without a password.`, made);
      }
      const { password, generated } = await passwordOf(call);
      const value = await call.admin.call(accounts.add, { address, password });
      const name = plain(address);
      return generated
        ? told(`Created user '${name}', generated password is:'${password}'.`, { ...value, password })
        : told(`Created user '${name}' with password provided.`, value);
    },
  },
  {
    words: ['user', 'del'],
    summary: "remove a user, as t-lo's user.sh does",
    details:
      'Mail is kept for 30 days ("account restore" undoes it) unless --purge-inbox deletes it now, for good.',
    args: [USER],
    options: { 'purge-inbox': { help: 'delete the mail too' } },
    example: 'user del alice@example.org',
    async run({ admin, arg, on }) {
      const address = arg(0);
      const purge = on('purge-inbox');
      const value = await admin.call(accounts.remove, { address, ...(purge && { purge: 'true' }) });
      const domain = address.slice(address.lastIndexOf('@') + 1);
      const name = plain(address);
      return told(
        purge ? `Deleted '${name}' and purged mail/inboxes/${plain(domain)}/${name}.` : `Deleted '${name}'.`,
        value,
      );
    },
  },
  {
    words: ['user', 'list'],
    summary: "all users, as t-lo's user.sh shows them",
    args: [],
    options: {},
    example: 'user list',
    async run({ admin }) {
      const value = await admin.call(accounts.list, {});
      const rows = value.accounts.map(({ address, used, emails, status }): [string, string, string] => [
        plain(address),
        emails === 0 ? '<empty>' : sizeText(used),
        status === 'active' ? 'OK' : `[The account is ${status}! User cannot login]`,
      ]);
      return { value, text: () => listText(rows) };
    },
  },
  {
    words: ['user', 'passwd'],
    summary: "set a user's password, as t-lo's user.sh does",
    args: [USER, PASSWORD],
    options: STDIN,
    example: 'user passwd alice@example.org --password-stdin',
    async run(call) {
      const address = call.arg(0);
      const name = plain(address);
      try {
        await call.admin.call(accounts.show, { address });
      } catch (error) {
        if (!(error instanceof Refusal) || error.kind !== 'no-such-account') throw error;
        throw new Refusal('no-such-account', `User '${name}' does not exist. Please create the user first.`);
      }
      const { password, generated } = await passwordOf(call);
      const value = await call.admin.call(accounts.setPassword, { address, password });
      const more = generated ? `, generated password is:'${password}'.` : '';
      return told(`Updated password for user '${name}'${more}`, generated ? { ...value, password } : value);
    },
  },
  {
    words: ['user', 'update-aliases'],
    summary: 'nothing to do: aliases hold from the moment they are changed',
    details: 'There the tables of Postfix had to be made anew. Here aliases are changed by "postern alias".',
    args: [],
    options: {},
    example: 'user update-aliases',
    run: async () =>
      told("Aliases are up to date: they hold from the moment 'postern alias' changes them.", { ok: true }),
  },
];
