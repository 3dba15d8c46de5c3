import { operations } from '../../../servers/http/admin/operations.ts';
import { type Call, type CliCommand, type Outcome, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { parseSize } from '../quantities.ts';

const { accounts, sharing } = operations;

const ACCOUNT = { name: 'ACCOUNT', help: 'address of the account that the mailbox belongs to' };
const MAILBOX = { name: 'MAILBOX', help: 'full name of the mailbox, e.g. INBOX or Projects/Rome' };
const WHO = {
  name: 'WHO',
  help: 'an address, "anyone" (every account here), @domain (every account of it), group:ALIAS (those an alias names)',
};

/** Words for what people mean, so that nobody need learn the letters. */
const WORDS: Readonly<Record<string, string>> = {
  read: 'lrs',
  edit: 'lrswite',
  full: 'lrswipkxte',
  manage: 'lrswipkxtea',
};

interface Acl {
  readonly mailbox: string;
  readonly entries: readonly { readonly who: string; readonly rights: string }[];
}

function listed(value: Acl): Outcome {
  const rows = value.entries.map(({ who, rights }) => [plain(who), rights, meaning(rights)]);
  return { value, text: () => table([{ title: 'WHO' }, { title: 'RIGHTS' }, { title: 'THAT IS' }], rows) };
}

function meaning(rights: string): string {
  const found = Object.entries(WORDS).find(([, letters]) => letters === rights);
  return found?.[0] ?? '';
}

function lettersOf(text: string): string {
  return Object.hasOwn(WORDS, text) ? (WORDS[text] ?? text) : text;
}

/** Who is meant: with --deny the entry that says what they are not to have. */
function whoOf({ arg, on }: Call): string {
  return on('deny') ? `-${arg(2)}` : arg(2);
}

const DENY = { help: 'the entry says what WHO is not to have, whatever others give them' };

export const mailboxCommands: readonly CliCommand[] = [
  {
    words: ['mailbox', 'share'],
    summary: 'let others see or change a mailbox',
    details:
      'RIGHTS is a word: read (the default: see and read it, mark as read), edit (put in, mark, delete too), full (make and delete mailboxes below it too), manage (give rights to others too); or letters of RFC 4314 (lrswipkxtea). They see it in their mail program under "Other Users", or "Shared" for accounts that nobody logs in to.',
    args: [
      ACCOUNT,
      MAILBOX,
      WHO,
      { name: 'RIGHTS', help: 'read, edit, full, manage, or letters', optional: true },
    ],
    options: {
      add: { help: 'add RIGHTS to those that WHO has' },
      take: { help: 'take RIGHTS from those that WHO has' },
      deny: DENY,
    },
    example: 'mailbox share alice@example.org Projects bob@example.org edit',
    async run(call) {
      const { admin, arg, args, on } = call;
      const rights = lettersOf(args[3] ?? 'read');
      if (on('add') && on('take')) throw new UsageError('say --add or --take, not both');
      const mode = on('add') ? 'add' : on('take') ? 'remove' : 'replace';
      const value = { account: arg(0), mailbox: arg(1), who: whoOf(call), rights, mode } as const;
      return listed(await admin.call(sharing.set, value));
    },
  },
  {
    words: ['mailbox', 'unshare'],
    summary: 'take all rights to a mailbox away from somebody',
    details: 'It counts at once, also in sessions that have it open.',
    args: [ACCOUNT, MAILBOX, WHO],
    options: { deny: DENY },
    example: 'mailbox unshare alice@example.org Projects bob@example.org',
    async run(call) {
      const [account, mailbox, who] = [call.arg(0), call.arg(1), whoOf(call)];
      return listed(await call.admin.call(sharing.set, { account, mailbox, who, rights: '' }));
    },
  },
  {
    words: ['mailbox', 'acl'],
    summary: 'who may do what with a mailbox',
    args: [ACCOUNT, MAILBOX],
    options: {},
    example: 'mailbox acl alice@example.org Projects',
    async run({ admin, arg }) {
      return listed(await admin.call(sharing.show, { account: arg(0), mailbox: arg(1) }));
    },
  },
];

export const sharedCommands: readonly CliCommand[] = [
  {
    words: ['shared', 'add'],
    summary: 'add an account that nobody logs in to',
    details:
      'It receives mail at its address like any other. Who may read and change its mailboxes is said by "mailbox share"; they find them under "Shared".',
    args: [{ name: 'ADDRESS', help: 'the e-mail address of the account' }],
    options: {
      name: { value: 'NAME', help: 'what others see as its name' },
      quota: { value: 'SIZE', help: 'how much mail it may keep, e.g. 5G (default: no limit)' },
    },
    example: 'shared add info@example.org',
    async run({ admin, arg, text }) {
      const quota = parseSize(text('quota') ?? '0');
      const value = await admin.call(sharing.addShared, {
        address: arg(0),
        displayName: text('name') ?? '',
        quota,
      });
      const name = plain(value.account.address);
      return said(
        `The shared account ${name} is ready. Give rights to it: postern mailbox share ${name} INBOX WHO edit`,
        value,
      );
    },
  },
  {
    words: ['shared', 'list'],
    summary: 'accounts that nobody logs in to',
    args: [],
    options: {},
    example: 'shared list',
    async run({ admin }) {
      const all = await admin.call(accounts.list, {});
      const value = { accounts: all.accounts.filter(({ shared }) => shared) };
      const rows = value.accounts.map(({ address, emails }) => [plain(address), String(emails)]);
      return { value, text: () => table([{ title: 'ADDRESS' }, { title: 'MESSAGES' }], rows) };
    },
  },
];
