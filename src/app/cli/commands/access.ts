import { APP_SCOPES } from '../../../data/access/types.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { confirm } from '../prompt.ts';
import { parseSpan, timeText } from '../quantities.ts';

const { access } = operations;
const ADDRESS = { name: 'ADDRESS', help: 'the e-mail address of the account' };

function parseId(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`"${plain(text)}" is no number of the list`);
}

function parseScopes(text: string): (typeof APP_SCOPES)[number][] {
  return text.split(',').map((word) => {
    const found = APP_SCOPES.find((one) => one === word.trim());
    if (found === undefined)
      throw new UsageError(`"${plain(word)}" is no scope: say ${APP_SCOPES.join(', ')}, with commas`);
    return found;
  });
}

const never = (at: number | undefined): string => (at === undefined ? 'never' : timeText(at));

export const appPasswordCommands: readonly CliCommand[] = [
  {
    words: ['app-password', 'add'],
    summary: 'make a password for one program of an account, shown once',
    details:
      'For programs of an account with a second factor, and for those that need no more than a part of it. What it may do is said by --for: mail (read and change mail), send, settings (filters).',
    args: [ADDRESS, { name: 'NAME', help: 'which program it is for, e.g. "Phone"' }],
    options: {
      for: { value: 'SCOPES', help: 'mail,send (default), settings' },
      expires: { value: 'TIME', help: 'how long it holds, e.g. 30d (default: until it is removed)' },
    },
    example: 'app-password add alice@example.org Phone --for mail,send',
    async run({ admin, io, arg, text }) {
      const expires = text('expires');
      const until = expires === undefined ? undefined : io.clock.now() + parseSpan(expires);
      const value = await admin.call(access.addAppPassword, {
        address: arg(0),
        name: arg(1),
        scopes: parseScopes(text('for') ?? 'mail,send'),
        ...(until !== undefined && { expiresAt: until }),
      });
      return { value, text: () => `App password: ${value.password}\nIt is not shown again.\n` };
    },
  },
  {
    words: ['app-password', 'list'],
    summary: 'app passwords of an account, and when each was used last',
    args: [ADDRESS],
    options: {},
    example: 'app-password list alice@example.org',
    async run({ admin, io, arg }) {
      const value = await admin.call(access.appPasswords, { address: arg(0) });
      const rows = value.appPasswords.map((one) => [
        String(one.id),
        one.name,
        one.scopes.join(' '),
        timeText(one.createdAt),
        never(one.expiresAt),
        one.usedAt === undefined ? 'never' : `${timeText(one.usedAt)} from ${one.usedFrom ?? ''}`,
      ]);
      const columns = ['ID', 'NAME', 'FOR', 'MADE', 'ENDS', 'LAST USED'].map((title) => ({ title }));
      return {
        value,
        text: () => (rows.length === 0 ? 'No app passwords.\n' : table(columns, rows, io.width)),
      };
    },
  },
  {
    words: ['app-password', 'remove'],
    summary: 'take an app password away; what is connected by it is cut at once',
    args: [ADDRESS, { name: 'ID', help: 'its number in the list' }],
    options: {},
    example: 'app-password remove alice@example.org 3',
    async run({ admin, arg }) {
      const value = await admin.call(access.removeAppPassword, { address: arg(0), id: parseId(arg(1)) });
      return said('The app password is removed.', value);
    },
  },
];

export const sessionCommands: readonly CliCommand[] = [
  {
    words: ['session', 'list'],
    summary: 'where an account is signed in by the web, and which programs have tokens of it',
    args: [ADDRESS],
    options: {},
    example: 'session list alice@example.org',
    async run({ admin, io, arg }) {
      const value = await admin.call(access.sessions, { address: arg(0) });
      const rows = [
        ...value.sessions.map((one) => [
          String(one.id),
          one.userAgent,
          one.address,
          timeText(one.createdAt),
          timeText(one.usedAt),
        ]),
        ...value.grants.map((one) => [
          `grant ${one.id}`,
          one.client,
          one.scopes.join(' '),
          timeText(one.createdAt),
          never(one.usedAt),
        ]),
      ];
      const columns = ['ID', 'BROWSER OR PROGRAM', 'FROM, OR FOR', 'SINCE', 'LAST USED'].map((title) => ({
        title,
      }));
      return { value, text: () => (rows.length === 0 ? 'No sessions.\n' : table(columns, rows, io.width)) };
    },
  },
  {
    words: ['session', 'revoke'],
    summary: 'end a web session of an account, or all of them',
    args: [ADDRESS, { name: 'ID', help: 'its number in the list (default: all)', optional: true }],
    options: { grant: { help: 'the number is that of a grant: its tokens end' } },
    example: 'session revoke alice@example.org',
    async run({ admin, args, arg, on }) {
      const given = args[1];
      if (given === undefined) {
        const value = await admin.call(access.revokeSessions, { address: arg(0) });
        return said(`Web sessions ended: ${value.ended}.`, value);
      }
      const what = on('grant') ? access.revokeGrant : access.revokeSession;
      const value = await admin.call(what, { address: arg(0), id: parseId(given) });
      return said(on('grant') ? 'The grant is taken back.' : 'The session is ended.', value);
    },
  },
];

export const secondFactorCommands: readonly CliCommand[] = [
  {
    words: ['second-factor', 'show'],
    summary: 'which second factors an account has',
    args: [ADDRESS],
    options: {},
    example: 'second-factor show alice@example.org',
    async run({ admin, arg }) {
      const value = await admin.call(access.secondFactor, { address: arg(0) });
      const { totp, passkeys, recoveryCodes } = value;
      const has = totp || passkeys > 0;
      const parts = [`authenticator app: ${totp ? 'yes' : 'no'}`, `passkeys: ${passkeys}`];
      if (has) parts.push(`recovery codes left: ${recoveryCodes}`);
      return said(`${parts.join(', ')}.`, value);
    },
  },
  {
    words: ['second-factor', 'reset'],
    summary: 'for a lost telephone: the password alone is enough again, all sessions end',
    details:
      'Takes authenticator, passkeys and recovery codes of the account away. Be sure who asks for it: whoever has the password is in afterwards. App passwords stay.',
    args: [ADDRESS],
    options: { yes: { help: 'do not ask' } },
    example: 'second-factor reset alice@example.org',
    async run({ admin, io, arg, on }) {
      const question = `Take all second factors of ${plain(arg(0))} away?`;
      if (!on('yes') && !(await confirm(io, question))) throw new UsageError('not reset');
      const value = await admin.call(access.resetSecondFactor, { address: arg(0) });
      return said(`${plain(arg(0))} has no second factor any more, and is signed out everywhere.`, value);
    },
  },
];
