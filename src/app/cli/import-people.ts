import { resolve } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import type { ImapLogin, ImapPlace } from '../../net/imap-client/connect.ts';
import { type Call, type Option, UsageError } from './command.ts';
import { plain } from './plain-text.ts';

/** Whose mail comes from another IMAP server, and how it is reached. */

/** People of one file. */
const PEOPLE = 100_000;

export interface ImapPerson {
  readonly account: string;
  readonly login: ImapLogin;
}

export const imapOptions: { readonly [name: string]: Option } = {
  user: { value: 'NAME', help: 'whom to sign in as there (default: the address of the account)' },
  'password-file': { value: 'FILE', help: 'file with the password there, on its first line' },
  'token-file': {
    value: 'FILE',
    help: 'file with an access token instead, for XOAUTH2 (Gmail, Microsoft 365)',
  },
  accounts: { value: 'FILE', help: 'many accounts: a CSV file of address,user,password' },
  master: {
    value: 'NAME',
    help: 'sign in with this name for everybody (Dovecot master user, Cyrus administrator)',
  },
  port: { value: 'N', help: 'its port (default: 993, or 143 with --tls starttls or none)' },
  tls: { value: 'HOW', help: 'implicit (default), starttls, or none (in clear: this machine only)' },
  ca: { value: 'FILE', help: 'certificate (PEM) that its own is checked by, for one that is self-signed' },
  shared: { help: 'also folders of other people and of everybody that the account may read' },
  parallel: { value: 'N', help: 'accounts at a time (default: 2)' },
};

const TLS: Readonly<Record<string, ImapPlace['tls']>> = {
  implicit: 'implicit',
  starttls: 'required',
  none: 'none',
};

export async function imapPlace(
  { io, arg, text }: Call,
  read: (path: string) => Promise<Buffer>,
): Promise<ImapPlace> {
  const tls = TLS[text('tls') ?? 'implicit'];
  if (tls === undefined) throw new UsageError('--tls is implicit, starttls, or none');
  const [, host = '', inHost] = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(arg(0)) ?? [];
  if (host === '') throw new UsageError(`"${plain(arg(0))}" is no host`);
  const port = Number(text('port') ?? inHost ?? (tls === 'implicit' ? 993 : 143));
  if (!Number.isSafeInteger(port) || port < 1 || port > 65_535) throw new UsageError('a port is a number');
  const bare = host.replace(/^\[|\]$/g, '');
  if (tls === 'none' && !/^(?:127\.|::1$|localhost$)/.test(bare))
    throw new UsageError('passwords would travel in clear: --tls none is for this machine only');
  const ca = text('ca');
  return {
    host: bare,
    port,
    tls,
    verify: 'pkix',
    ...(ca !== undefined && { ca: await read(resolve(io.cwd, ca)) }),
  };
}

export async function peopleOf(
  { io, text }: Call,
  read: (path: string) => Promise<string>,
): Promise<readonly ImapPerson[]> {
  const file = text('accounts');
  const master = text('master');
  const secretFile = text('password-file') ?? text('token-file');
  const shared =
    secretFile === undefined ? undefined : (await read(resolve(io.cwd, secretFile))).split(/\r?\n/, 1)[0];
  const mechanism = text('token-file') === undefined ? undefined : ('XOAUTH2' as const);
  if (file !== undefined) {
    const rows = parseCsv(await read(resolve(io.cwd, file)));
    return rows.flatMap(([account = '', user = '', password], index) => {
      if (account.toLowerCase() === 'address') return [];
      const secret = password === undefined || password === '' ? shared : password;
      if (!account.includes('@') || secret === undefined)
        throw new Refusal('bad-input', `${plain(file)}: line ${index + 1} needs an address and a password`);
      return [{ account, login: { user: user === '' ? account : user, secret, master, mechanism } }];
    });
  }
  const account = text('account');
  if (account === undefined)
    throw new UsageError('say whose mail it is: --account alice@example.org, or --accounts FILE');
  if (shared === undefined)
    throw new UsageError(
      'say where its password is: --password-file FILE (one is never taken from the command line)',
    );
  return [{ account, login: { user: text('user') ?? account, secret: shared, master, mechanism } }];
}

/** Lines of fields between commas; quotes take commas and, doubled, quotes (RFC 4180), a "#" begins a comment. */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/, PEOPLE)) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fields: string[] = [];
    let at = 0;
    while (at <= line.length) {
      if (line.charAt(at) === '"') {
        let value = '';
        for (at++; at < line.length; at++) {
          if (line.charAt(at) !== '"') value += line.charAt(at);
          else if (line.charAt(at + 1) === '"') value += line.charAt(at++);
          else break;
        }
        fields.push(value);
        at = line.indexOf(',', at) === -1 ? line.length + 1 : line.indexOf(',', at) + 1;
      } else {
        const comma = line.indexOf(',', at);
        const end = comma === -1 ? line.length : comma;
        fields.push(line.slice(at, end).trim());
        at = end + 1;
      }
    }
    rows.push(fields);
  }
  return rows;
}
