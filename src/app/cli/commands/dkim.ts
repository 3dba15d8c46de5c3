import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';

const { dkim } = operations;
const ALGORITHMS = { rsa: 'rsa-sha256', ed25519: 'ed25519-sha256' } as const;

export const dkimCommands: readonly CliCommand[] = [
  {
    words: ['dkim', 'list'],
    summary: 'the keys that sign our mail',
    args: [{ name: 'DOMAIN', help: 'only its keys', optional: true }],
    options: {},
    example: 'dkim list example.org',
    async run({ admin, io, args }) {
      const domain = args[0];
      const value = await admin.call(dkim.list, domain === undefined ? {} : { domain });
      const rows = value.keys.map((key) => [
        `${key.selector}._domainkey.${key.domain}`,
        key.algorithm,
        key.state,
      ]);
      const columns = [
        { title: 'KEY AND ITS RECORD', whole: true },
        { title: 'ALGORITHM' },
        { title: 'STATE' },
      ];
      return { value, text: () => (rows.length === 0 ? 'No keys.\n' : table(columns, rows, io.width)) };
    },
  },
  {
    words: ['dkim', 'add'],
    summary: 'make another key for a domain',
    details: 'Mail is signed with it from now on, so set its record (postern domain records) at once.',
    args: [{ name: 'DOMAIN', help: 'the domain whose mail it signs' }],
    options: {
      algorithm: { value: 'NAME', help: 'rsa (default) or ed25519' },
      selector: { value: 'NAME', help: 'name of the key (default: the month)' },
    },
    example: 'dkim add example.org --algorithm ed25519',
    async run({ admin, arg, text }) {
      const name = text('algorithm') ?? 'rsa';
      if (name !== 'rsa' && name !== 'ed25519')
        throw new UsageError(`"${plain(name)}" is no algorithm: say rsa or ed25519`);
      const selector = text('selector');
      const value = await admin.call(dkim.add, {
        domain: arg(0),
        algorithm: ALGORITHMS[name],
        ...(selector !== undefined && { selector }),
      });
      const lines = value.keys.map(
        (key) =>
          `${key.selector}._domainkey.${key.domain}  TXT\n    v=DKIM1; k=${name}; p=${key.publicKey}\n`,
      );
      return { value, text: () => `The key is in use. Set its record now:\n\n${lines.join('\n')}` };
    },
  },
];
