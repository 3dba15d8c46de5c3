import { Refusal } from '../base/errors.ts';
import { keepCompiled } from './compiled.ts';
import { reportRefusals } from './report.ts';
import { programVersion } from './version.ts';

/** The program: one command, one row. Modules are loaded when their command is given, so that `--help` is quick. */
interface Command {
  readonly name: string;
  readonly summary: string;
  /** Resolves with the exit status; throws a `Refusal` for what a person can mend. */
  run(args: string[]): Promise<number>;
}

const SERVERS: readonly Command[] = [
  {
    name: 'try',
    summary: 'a mail server on this machine only, to look at (npm start)',
    run: async (args) => (await import('./try.ts')).tryCommand(args),
  },
  {
    name: 'init',
    summary: 'set up a real server: configuration, DKIM keys, first account',
    run: async (args) => (await import('./init.ts')).initCommand(args),
  },
  {
    name: 'serve',
    summary: 'run the server that init set up',
    run: async (args) => (await import('./serve.ts')).serveCommand(args),
  },
  {
    name: 'upgrade',
    summary: 'see whether this version can take over the data of an older one',
    run: async (args) => (await import('./upgrade.ts')).upgradeCommand(args),
  },
  {
    name: 'relay',
    summary: 'take mail and send it through Amazon SES, in the place of aws-smtp-relay',
    run: async (args) => (await import('./relay/command.ts')).relayCommand(args),
  },
];

/** Commands that talk to a running server through its admin API. */
const CLIENTS: readonly Command[] = [
  ['status', 'is all well: services, queue, certificates, disk'],
  ['overview', 'what is wrong and what mends it, the numbers of the last day'],
  ['setup', 'the first day: show what is left, test-mail, expect-mail, skip'],
  ['stats', 'mail, spam, sessions, logins, queue and machine over a time'],
  ['admin', 'what is asked of administrators over the network: show, set'],
  ['domain', 'domains: add, list, show, remove, DNS records'],
  ['account', 'accounts: add, list, show, passwd, suspend, remove, undelete mail'],
  ['mailbox', 'who may see and change whose mailboxes: share, unshare, acl'],
  ['app-password', 'passwords for single programs of an account: add, list, remove'],
  ['session', 'where accounts are signed in by the web: list, revoke'],
  ['second-factor', 'second factors of an account: show, reset (for a lost telephone)'],
  ['shared', 'accounts that nobody logs in to: add, list'],
  ['alias', 'aliases: add, list, remove'],
  ['group', 'lists of people: add, list, show, set, join, leave, remove'],
  ['invite', 'links by which people make their account: add, list, remove'],
  ['masked', 'masked addresses of people: list, add, off, on'],
  ['snooze', 'mail that people have put away: list'],
  ['lookup', 'Postfix lookup tables: who gets mail for an address, who may send as it'],
  ['import', 'take over other mail systems: mail (IMAP, Maildir, mbox, EML), people, aliases'],
  ['export', 'write mail elsewhere: maildir, mbox, eml, imap'],
  ['user', "accounts by the verbs of t-lo/mailserver's user.sh"],
  ['queue', 'outgoing mail: list, show, retry, hold, release, drop, bounce'],
  ['route', 'which mail leaves which way: list, add, remove, test, refused, usage'],
  ['transport', 'ways to send: direct, relays, Amazon SES, LMTP: list, add, remove'],
  ['ses', 'Amazon SES: smtp-credentials, template, status, events'],
  ['suppression', 'addresses that nothing is sent to: list, show, add, remove'],
  ['secret', 'secrets in files beside the data, for settings that name one: put'],
  ['intake', 'mail that Amazon SES took for us: status, list, problems, retry, sweep, show, set'],
  ['hold', 'accounts whose outgoing mail is held: list, release'],
  ['housekeeping', 'Trash and Junk, quota notices, disk reserve, archives: show, set, archive'],
  ['search', 'the search index: status, rebuild'],
  ['alert', 'what is wrong, and who is told: list, show, set, test'],
  ['ban', 'who may not log in: list, add, lift, exempt'],
  ['backup', 'copies of everything: create, list, verify, restore, prune, drill, show, set'],
  ['trace', 'what happened to a message, an address, a connection'],
  ['journal', 'look through all events; what is kept of people: search, show, set'],
  ['report', 'what others report of our mail: dmarc, tls, complaints; and what we sent'],
  ['doctor', 'what is wrong around the server, and how to mend it'],
  ['dkim', 'keys that sign our mail: add, rotate, list'],
  ['dns', 'records at DNS providers: plan, apply, undo, use, show'],
  ['certificate', 'certificates by ACME: list, renew, show, set'],
  ['audit', 'who changed what'],
  ['filter', 'the spam filter: settings, senders that are always welcome or never'],
  ['sieve', 'filter scripts (Sieve): list, show, put, activate, delete, settings, check, test'],
  ['vacation', 'answer that somebody is away: set, off, show'],
  ['forward', 'send the mail of an account on: set, off, show'],
  ['vault', 'refused mail that is kept for some days: list, show, release, delete'],
  ['spam', 'score, teach and measure the filter: score, train, eval'],
  ['check', 'judge a sender or a message by hand: spf, message (needs no server)'],
].map(([name = '', summary = '']) => ({ name, summary, run: (args) => client(name, args) }));

/** What people say to other servers' commands. */
const SERVICE_WORDS: ReadonlySet<string> = new Set(['start', 'stop', 'restart', 'reload']);

async function client(name: string, args: string[]): Promise<number> {
  const { cliCommands } = await import('./cli/index.ts');
  const command = cliCommands[name];
  if (command === undefined) throw new Refusal('not-found', `"postern ${name}" is not there yet`);
  return command(args);
}

function helpText(): string {
  const rows = (commands: readonly Command[]): string =>
    commands.map(({ name, summary }) => `  ${name.padEnd(14)}${summary}`).join('\n');
  return `postern: a complete mail server

Servers
${rows(SERVERS)}

Administration of a running server (found by --data DIR, POSTERN_DATA, ./.postern or /var/lib/postern)
${rows(CLIENTS)}

  postern COMMAND --help   what a command takes
  postern --version        the version of this program

First steps on a public machine: "postern init" asks a few questions and says what to do next.
`;
}

async function main(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === 'help' && rest.length > 0) return main([...rest, '--help']);
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(helpText());
    return 0;
  }
  if (name === '--version' || name === '-v' || name === 'version') {
    process.stdout.write(`postern ${programVersion()} (Node.js ${process.version})\n`);
    return 0;
  }
  const commands = [...SERVERS, ...CLIENTS];
  const command = commands.find((row) => row.name === name);
  if (command === undefined) {
    if (SERVICE_WORDS.has(name))
      throw new Refusal(
        'bad-input',
        `there is no command "${name}": an installed server is told by "systemctl ${name} postern"; "postern serve" runs it here, until Ctrl-C`,
      );
    const known = commands.map((row) => row.name);
    const { suggest } = await import('./config-load.ts');
    throw new Refusal(
      'bad-input',
      `there is no command "${name}"${suggest(name, known)} ("postern --help" lists them)`,
    );
  }
  return command.run(rest);
}

keepCompiled();
// Whatever still waits (a remembered login's timer, a kept connection) is of no use once the command is over.
process.exit(await reportRefusals(() => main(process.argv.slice(2))));
