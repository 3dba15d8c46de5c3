import type { z } from 'zod';
import { zoneLine } from '../../../mail/dns-records.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';

const { dkim: keys, doctor } = operations;
const dkim = { ...keys, rotate: doctor.rotate };
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
  {
    words: ['dkim', 'rotate'],
    summary: 'change the keys of a domain without a gap',
    details:
      'The first call makes the next keys and shows their records. Once these are seen in DNS for an hour, mail is signed with them; old keys stay published for 14 days and are then revoked. The server goes on with it every hour by itself; a further call does it now. With the setting dkim_rotate_days ("postern doctor set dkim_rotate_days 180") it begins by itself as well.',
    args: [{ name: 'DOMAIN', help: 'a domain of yours' }],
    options: { now: { help: 'use the next keys as soon as they are seen, not an hour later' } },
    example: 'dkim rotate example.org',
    async run({ admin, arg, on }) {
      const domain = arg(0);
      const value = await admin.call(dkim.rotate, { domain, ...(on('now') && { now: true }) });
      const { records } = await admin.call(operations.domains.records, { domain });
      const wanted = records.filter(({ name }) =>
        value.selectors.some((one) => name.startsWith(`${one}._domainkey.`)),
      );
      const show = (): string => wanted.map((record) => `  ${zoneLine(record)}\n`).join('');
      return { value, text: () => plainLines(rotationText(value, domain, show())) };
    },
  },
];

type Step = z.output<typeof operations.doctor.rotate.output>;

function rotationText({ kind, selectors, reason }: Step, domain: string, records: string): string {
  const names = selectors.join(', ');
  switch (kind) {
    case 'begun':
      return `The next keys of ${domain} are ${names}. Set their records; they are used once they are seen:\n\n${records}`;
    case 'waiting':
      return `The next keys (${names}) are ${reason ?? 'waited for'}.\n\n${records}`;
    case 'changed':
      return `Mail of ${domain} is signed with ${names} from now on. Leave the old records where they are for two weeks.\n`;
    case 'revoked':
      return `${names} is revoked. Set its record:\n\n${records}`;
    case 'forgotten':
      return `${names} is gone. Its record may be removed.\n`;
    case 'nothing':
      return 'There is nothing to do.\n';
  }
}

function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}
