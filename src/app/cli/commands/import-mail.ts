import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { errnoCode, errorText, Refusal } from '../../../base/errors.ts';
import { emlSource } from '../../../flow/import/eml.ts';
import { imapSource } from '../../../flow/import/imap.ts';
import { importMail, type ImportOptions } from '../../../flow/import/importer.ts';
import { maildirSource } from '../../../flow/import/maildir.ts';
import { mboxSource } from '../../../flow/import/mbox.ts';
import { compareMail } from '../../../flow/import/parity.ts';
import { type MailSource, NoMail } from '../../../flow/import/types.ts';
import { connectImap } from '../../../net/imap-client/connect.ts';
import { ImapFailure } from '../../../net/imap-client/failure.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { importScripts } from '../import-scripts.ts';
import { adminTarget } from '../../import/admin-target.ts';
import { type Call, type CliCommand, type Option, type Outcome, UsageError } from '../command.ts';
import { fileProblem } from '../file-words.ts';
import { type AccountReport, isClean, type MailReport, mailReportText } from '../import-report.ts';
import { imapOptions, imapPlace, type ImapPerson, peopleOf } from '../import-people.ts';
import { plain } from '../plain-text.ts';
import { parseSize } from '../quantities.ts';

/** "import maildir|mbox|eml|imap": mail of other systems, through the admin API of the running server. */

const COMMON: { readonly [name: string]: Option } = {
  account: { value: 'ADDRESS', help: 'the account here that gets the mail' },
  only: { value: 'MAILBOX', help: 'only what comes into this mailbox', many: true },
  except: { value: 'MAILBOX', help: 'all but what comes into this mailbox', many: true },
  mirror: { help: 'what is gone there goes here too (it can be undeleted); else it stays' },
  verify: { help: 'afterwards compare counts and flags, and every message octet by octet' },
  rate: { value: 'SIZE', help: 'octets a second at most, e.g. 2M (default: as fast as it goes)' },
  'dry-run': { help: 'show what would be, change nothing' },
};
const INTO: Option = {
  value: 'MAILBOX',
  help: 'the mailbox that it becomes (default: by its name, or INBOX)',
};

/** One account's mail on its way here. */
export interface Journey {
  readonly account: string;
  readonly source: MailSource;
  /** Directory of a Maildir, where Sieve scripts may lie beside the mail. */
  readonly maildir?: string | undefined;
}

function sizeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Math.max(1, parseSize(text));
}

function lower(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.map((name) => name.toLowerCase()));
}

function optionsOf({ io, text, texts, on }: Call): ImportOptions & { wants: (name: string) => boolean } {
  const only = lower(texts('only'));
  const except = lower(texts('except'));
  const wants = (name: string): boolean =>
    (only.size === 0 || only.has(name.toLowerCase())) && !except.has(name.toLowerCase());
  return {
    clock: io.clock,
    dryRun: on('dry-run'),
    mirror: on('mirror'),
    wants,
    bytesPerSecond: sizeOf(text('rate')),
    progress: (folder, done, of) => {
      if (of > 1000) io.err(`${plain(folder)}: ${done} of ${of}\n`);
    },
  };
}

/** Bring one account's mail over, and compare when that is asked for. What ails its source is its own affair. */
async function travel(call: Call, { account, source, maildir }: Journey): Promise<AccountReport> {
  const options = optionsOf(call);
  const target = adminTarget(call.admin, account);
  const about = { account, source: source.name };
  try {
    const folders = await importMail(source, target, options);
    const compare = call.on('verify') && options.dryRun !== true;
    const parity = compare ? await compareMail(source, target, { ...options, octets: true }) : undefined;
    const scripts =
      maildir === undefined ? [] : await importScripts(call.admin, account, maildir, options.dryRun === true);
    return { ...about, folders, passed: source.passed?.() ?? [], parity, scripts };
  } catch (error) {
    const file = fileProblem(error);
    const missing = file !== undefined && ['ENOENT', 'ENOTDIR'].includes(errnoCode(error) ?? '');
    const empty = { ...about, folders: [], passed: [], parity: undefined };
    if (error instanceof NoMail || missing) return { ...empty, nothing: file ?? errorText(error) };
    if (file !== undefined) return { ...empty, problem: file };
    const ours = error instanceof Refusal && (error.kind === 'unavailable' || error.kind === 'storage-full');
    if (ours || !(error instanceof Refusal || error instanceof ImapFailure)) throw error;
    return { ...empty, problem: errorText(error) };
  } finally {
    await source.close();
  }
}

/** At most `parallel` at a time; reports in the order of the journeys. */
export async function travelAll(call: Call, journeys: readonly Journey[], parallel = 1): Promise<Outcome> {
  const accounts: AccountReport[] = [];
  const waiting = [...journeys.entries()];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      accounts[next[0]] = await travel(call, next[1]);
  };
  await Promise.all(Array.from({ length: Math.max(1, parallel) }, worker));
  const value: MailReport = { dryRun: call.on('dry-run'), accounts };
  return { value, text: () => mailReportText(value, call.io.width), status: isClean(value) ? 0 : 1 };
}

function needAccount({ text }: Call): string {
  const account = text('account');
  if (account === undefined) throw new UsageError('say whose mail it is: --account alice@example.org');
  return account;
}

/** "/var/vmail/%d/%n/Maildir" for every account there is; a path without % for the one that is named. */
async function journeysOf(
  call: Call,
  make: (path: string) => MailSource,
  withScripts = false,
): Promise<Journey[]> {
  const journey = (account: string, given: string): Journey => {
    const directory = resolve(call.io.cwd, given);
    return { account, source: make(directory), ...(withScripts && { maildir: directory }) };
  };
  const path = call.arg(0);
  if (!path.includes('%')) return [journey(needAccount(call), path)];
  const named = call.text('account');
  const all =
    named === undefined
      ? (await call.admin.call(operations.accounts.list, {})).accounts.map(({ address }) => address)
      : [named];
  return all.map((account) => {
    const [name = '', domain = ''] = account.split('@');
    const filled = path.replaceAll('%u', account).replaceAll('%n', name).replaceAll('%d', domain);
    return journey(account, filled);
  });
}

function intoOf({ text }: Call): { readonly into?: readonly string[] } {
  const into = text('into')
    ?.split('/')
    .filter((level) => level !== '');
  return into === undefined ? {} : { into };
}

const PATTERN =
  'With %u (address), %n (name) or %d (domain) in it, it is done for each account of the server, or the one of --account.';

const files: readonly CliCommand[] = [
  {
    words: ['import', 'maildir'],
    summary: 'bring in a Maildir with its folders, flags, keywords, dates and Sieve scripts',
    details: `Maildir++ and directories below each other, of Dovecot, Courier or others, compressed ones too. Nothing in DIR is changed, and mail may go on arriving there: a second run brings only what is new and the flags that changed. ${PATTERN}`,
    args: [{ name: 'DIR', help: 'the Maildir, e.g. /var/vmail/example.org/alice/Maildir' }],
    options: COMMON,
    example: "import maildir '/var/vmail/%d/%n/Maildir' --dry-run",
    run: async (call) => travelAll(call, await journeysOf(call, (path) => maildirSource(path), true)),
  },
  {
    words: ['import', 'mbox'],
    summary: 'bring in an mbox file, or a tree of them',
    details: `Flags of mutt, Dovecot (Status, X-Status, X-Keywords) and Thunderbird are kept, the labels of Google Takeout become folders. What has no flag at all is new, and counts as unread. ${PATTERN}`,
    args: [{ name: 'FILE', help: 'the file, or a directory of such files' }],
    options: { ...COMMON, into: INTO, seen: { help: 'messages count as read where nothing tells' } },
    example: 'import mbox ./All-mail.mbox --account alice@example.org',
    run: async (call) => {
      const options = { seen: call.on('seen'), ...intoOf(call) };
      return travelAll(call, await journeysOf(call, (path) => mboxSource(path, options)));
    },
  },
  {
    words: ['import', 'eml'],
    summary: 'bring in files of one message each, directories becoming folders',
    details: `Files named .eml (.mime, .mim, .rfc822) are taken, and others that begin with the header of a message; the report names those that are left. Times are taken from the header. ${PATTERN}`,
    args: [{ name: 'DIR', help: 'the directory, or one file' }],
    options: { ...COMMON, into: INTO, unseen: { help: 'messages count as unread where nothing tells' } },
    example: 'import eml ./export --account alice@example.org',
    run: async (call) => {
      const options = { unseen: call.on('unseen'), ...intoOf(call) };
      return travelAll(call, await journeysOf(call, (path) => emlSource(path, options)));
    },
  },
];

const PARALLEL = 2;

const imap: CliCommand = {
  words: ['import', 'imap'],
  summary: 'bring in mail from another IMAP server, while it is still in use',
  details:
    'Folders, flags, keywords, dates and subscriptions come along; Gmail gives each message once, in the folders of its labels. The other server is only read. Run it again as often as you like: only what is new or changed is moved, so the last run, after MX points here, takes seconds. docs/guides/moving-in.md tells the whole move. FILE of --accounts has lines "address,user,password" (address here; the rest may be left out with --master).',
  args: [{ name: 'HOST', help: 'the other server, e.g. imap.old.example.org or 127.0.0.1:1143' }],
  options: { ...COMMON, ...imapOptions },
  example: 'import imap old.example.org --accounts people.csv --verify',
  async run(call) {
    const place = await imapPlace(call, (path) => readFile(path));
    const people = await peopleOf(call, (path) => readFile(path, 'utf8'));
    const journeys = people.map((person): Journey => {
      const { account, login } = person;
      return { account, source: imapSource(sourceOptions(call, place, login)) };
    });
    const parallel = Number(call.text('parallel') ?? PARALLEL);
    if (!Number.isSafeInteger(parallel) || parallel < 1 || parallel > 20)
      throw new UsageError('--parallel is a number of accounts, 1 to 20');
    return travelAll(call, journeys, parallel);
  },
};

function sourceOptions(
  { io, on }: Call,
  place: Awaited<ReturnType<typeof imapPlace>>,
  login: ImapPerson['login'],
): Parameters<typeof imapSource>[0] {
  return {
    name: `${login.user}@${place.host}:${place.port}`,
    connect: () => connectImap(place, login, io.clock),
    clock: io.clock,
    shared: on('shared'),
  };
}

export const importMailCommands: readonly CliCommand[] = [...files, imap];
