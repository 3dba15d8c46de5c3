import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said } from '../command.ts';
import { plain } from '../plain-text.ts';
import { sizeText } from '../quantities.ts';

const { search } = operations;

const ACCOUNT = { name: 'ACCOUNT', help: 'address of one account; all accounts without it', optional: true };

export const searchCommands: readonly CliCommand[] = [
  {
    words: ['search', 'status'],
    summary: 'how much mail is in the search index',
    args: [ACCOUNT],
    options: {},
    example: 'search status alice@example.org',
    async run({ admin, args }) {
      const [account] = args;
      const value = await admin.call(search.status, account === undefined ? {} : { account });
      const size = `${value.emails} emails in the index, ${sizeText(value.bytes)}`;
      const words =
        account === undefined
          ? `${size}, of ${value.accounts ?? 0} accounts; ${value.waiting ?? 0} accounts have mail that waits.`
          : `${plain(account)} has ${value.mail ?? 0} emails; ${size} in ${value.segments ?? 0} files, ${value.open} too large for it.`;
      return said(words, value);
    },
  },
  {
    words: ['search', 'rebuild'],
    summary: 'throw the search index away and build it anew',
    details:
      'It is built in the background. Searches work meanwhile, and take longer. Nothing of the mail itself is touched.',
    args: [ACCOUNT],
    options: {},
    example: 'search rebuild alice@example.org',
    async run({ admin, args }) {
      const [account] = args;
      const value = await admin.call(search.rebuild, account === undefined ? {} : { account });
      const whose = account === undefined ? 'all accounts' : plain(account);
      return said(`The search index of ${whose} is being built anew.`, value);
    },
  },
];
