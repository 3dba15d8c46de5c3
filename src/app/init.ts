import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, lchownSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { makeDirectory } from '../base/files.ts';
import { createLogger } from '../base/log.ts';
import { hashPassword } from '../data/directory/passwords.ts';
import type { Actor } from '../data/directory/types.ts';
import { openStore } from '../data/open.ts';
import { domainRecords, formatRecordsText } from '../mail/dns-records.ts';
import { makeDkimKeys } from '../servers/http/admin/dkim-keys.ts';
import { type Ask, askTerminal, readPasswordFromStdin } from './ask.ts';
import { type Flags, readFlags } from './flags.ts';
import { publicAddresses } from './addresses.ts';
import { configText, dataOption, defaultPlaces, defaultUser, type InitPlan, makePlan } from './init-plan.ts';
import { lockDirectory, unwritable } from './lock.ts';
import { isTryOut } from './marker.ts';
import { findUser, type SystemUser, userCommand } from './privileges.ts';
import { DEFAULT_CONFIG } from './config-load.ts';
import { hasSystemd, launcher, systemdUnit, UNIT_PATH } from './systemd-unit.ts';

/** `postern init`: from nothing to a server that can be started, and the list of what is left to a person. */

const HELP = `postern init: set up a mail server on this machine.

It asks for what it is not told. Run as root it sets up the system's server
(${DEFAULT_CONFIG}, /var/lib/postern), otherwise one in the current directory.

  --domain NAME       the part after the @ of your addresses
  --hostname NAME     full name of this machine (default: mail.DOMAIN)
  --admin ADDRESS     first account, an administrator (default: admin@DOMAIN)
  --data DIR          where mail, accounts and keys are kept (default: POSTERN_DATA, else as above)
  --config FILE       the configuration file to write (default: POSTERN_CONFIG, else as above)
  --user NAME         user the server runs as (root: postern, made when missing; else: you)
  --cert FILE         certificate with its chain, PEM
  --key FILE          its private key
  --password-stdin    read the first account's password from stdin
  --yes               ask nothing; make up a password unless it comes on stdin
  --print-unit        print the systemd unit and do nothing else
  --help              this text
`;

const ACTOR: Actor = { name: 'system', role: 'system', domainId: undefined };
/** In a data directory that init has begun and not finished; the next init begins anew there. */
const UNFINISHED = 'init-unfinished';

/** The `init` command. Resolves with the exit status. */
export async function initCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('postern init', args, {
    text: ['domain', 'hostname', 'admin', 'data', 'config', 'user', 'cert', 'key'],
    on: ['password-stdin', 'yes', 'print-unit'],
  });
  if (flags.on.has('help')) {
    process.stdout.write(HELP);
    return 0;
  }
  if (flags.on.has('print-unit')) {
    printUnit(flags);
    return 0;
  }
  const password = flags.on.has('password-stdin') ? await readPasswordFromStdin() : undefined;
  const mayAsk = process.stdin.isTTY && !flags.on.has('yes') && password === undefined;
  const ask = mayAsk ? askTerminal() : undefined;
  try {
    const plan = await makePlan(flags, ask, password);
    refuseExisting(plan);
    const owner = await serverUser(plan, ask, flags.on.has('yes'));
    const records = await setUp(plan, owner);
    process.stdout.write(summary(plan, records));
    return 0;
  } finally {
    ask?.close();
  }
}

function printUnit({ text }: Flags): void {
  const { data, config, user = defaultUser() } = text;
  const places = defaultPlaces();
  process.stdout.write(
    systemdUnit({ user, data: data ?? places.data, configFile: config ?? places.configFile }),
  );
  if (findUser(user) === undefined) {
    const command = userCommand(user, data ?? places.data).join(' ');
    process.stderr.write(`There is no user "${user}" yet: make it with "${command}"\n`);
  }
}

/** What is there stays as it is. */
function refuseExisting({ configFile, data }: InitPlan): void {
  if (existsSync(configFile)) {
    throw new Refusal(
      'already-exists',
      `${configFile} exists already: this server is set up. Edit that file, or name another with --config`,
    );
  }
  if (!existsSync(data)) return;
  if (isTryOut(data)) {
    throw new Refusal('conflict', `${data} belongs to a try-out: choose another directory with --data`);
  }
  let entries: string[];
  try {
    entries = readdirSync(data);
  } catch (error) {
    throw unwritable(data, error);
  }
  if (entries.length === 0 || entries.includes(UNFINISHED)) return;
  const what = entries.includes('mail.db') ? 'holds a server’s data already' : 'is not empty';
  throw new Refusal('already-exists', `${data} ${what}: choose another directory with --data`);
}

/** Who is to own the data. Root sets up for an ordinary user, and makes it when it is missing. */
async function serverUser(
  plan: InitPlan,
  ask: Ask | undefined,
  yes: boolean,
): Promise<SystemUser | undefined> {
  if (process.getuid?.() !== 0 || plan.user === 'root') return undefined;
  const found = findUser(plan.user);
  if (found !== undefined) return found;
  const command = userCommand(plan.user, plan.data);
  const agreed =
    yes || (await ask?.yes(`There is no user "${plan.user}" for the server to run as. Make it?`)) === true;
  if (agreed) spawnSync(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  const made = findUser(plan.user);
  if (made === undefined) {
    throw new Refusal(
      'bad-input',
      `there is no user "${plan.user}" for the server to run as; make it with: ${command.join(' ')}`,
    );
  }
  return made;
}

/** Make the store, domain, keys and account; then the configuration, which says that all is done. Returns DNS records. */
async function setUp(plan: InitPlan, owner: SystemUser | undefined): Promise<string> {
  const { data } = plan;
  process.umask(0o077);
  try {
    makeDirectory(data);
    for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true });
    writeFileSync(
      join(data, UNFINISHED),
      'postern init was at work here and did not finish; run it again.\n',
    );
  } catch (error) {
    throw unwritable(data, error);
  }
  const records = await fillStore(plan);
  if (owner !== undefined) giveTo(data, owner);
  writeConfig(plan, owner);
  rmSync(join(data, UNFINISHED), { force: true });
  return records;
}

async function fillStore(plan: InitPlan): Promise<string> {
  const { data, domain, admin, hostname } = plan;
  const secrets = await hashPassword(plan.password);
  const logger = createLogger({ level: 'warn', pretty: true });
  const lock = lockDirectory(data);
  const store = await openStore({ directory: data, clock: systemClock, logger });
  try {
    await store.write.run('directory.addDomain', { actor: ACTOR, name: domain });
    const keys = await makeDkimKeys({ store, clock: systemClock }, ACTOR, domain);
    const displayName = admin.slice(0, admin.lastIndexOf('@'));
    const account = {
      actor: ACTOR,
      address: admin,
      displayName,
      role: 'admin',
      quota: 0,
      ...secrets,
    } as const;
    await store.write.run('directory.addAccount', account);
    const dkim = keys.map(({ selector, algorithm, publicKey }) => ({
      selector,
      algorithm: algorithm === 'rsa-sha256' ? ('rsa' as const) : ('ed25519' as const),
      publicKeyBase64: publicKey,
    }));
    const facts = { domain, hostname, addresses: publicAddresses(), dkim, adminAddress: admin };
    return formatRecordsText(domainRecords(facts));
  } finally {
    await store.close();
    lock.release();
  }
}

function writeConfig(plan: InitPlan, owner: SystemUser | undefined): void {
  const directory = dirname(plan.configFile);
  try {
    // Others may look into the directory; the file itself is for the server's user.
    const mask = process.umask(0o022);
    try {
      makeDirectory(directory, 0o755);
    } finally {
      process.umask(mask);
    }
    writeFileSync(plan.configFile, configText(plan), { mode: 0o600, flag: 'wx' });
    if (owner !== undefined) chownSync(plan.configFile, owner.uid, owner.gid);
  } catch (error) {
    throw unwritable(directory, error);
  }
}

/** Everything here was made by us a moment ago, so there are no links to follow. */
function giveTo(path: string, owner: SystemUser): void {
  lchownSync(path, owner.uid, owner.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) giveTo(inner, owner);
    else lchownSync(inner, owner.uid, owner.gid);
  }
}

function certificateText({ hostname, configFile }: InitPlan, option: string): string {
  return `Get a certificate for ${hostname}. Without one nobody can log in, and mail arrives unencrypted.

   From Let's Encrypt, renewed by itself: port 80 has to reach this machine. In ${configFile}
   take the "# " from the lines "[listen]", "https" (the web pages) and "acme"; start the server (step 3), and then:

   postern certificate terms${option}                      # read them and, if you agree:
   postern certificate set terms_agreed true${option}
   postern certificate set enabled true${option}
   postern certificate list${option}

   Or from files that another program keeps: name them there, section [tls].`;
}

function summary(plan: InitPlan, records: string): string {
  const program = launcher();
  const unit = `${process.execPath} ${program} init --print-unit --config ${plan.configFile} --data ${plan.data} --user ${plan.user}`;
  const password = plan.generated
    ? `password       ${plan.password}   (shown this once)`
    : 'password       as you gave it';
  const option = dataOption(plan.data);
  const certificate =
    plan.cert === ''
      ? certificateText(plan, option)
      : `The certificate is read from ${plan.cert} by user ${plan.user}: see that it may.`;
  return `
Done.

  configuration  ${plan.configFile}
  data           ${plan.data}
  first account  ${plan.admin} (administrator)
  ${password}

What is left to do:

1. Set these DNS records (again later: "postern domain records ${plan.domain}${option}").${publicAddresses().length === 0 ? `\n   This machine knows no public address of its own: set A and AAAA of ${plan.hostname} too, and its reverse name.` : ''}

${records.replaceAll(/^(?=.)/gm, '   ')}
2. ${certificate}

3. Start it${hasSystemd() ? '' : ' (with systemd)'}:

   ${unit} \\
     > ${UNIT_PATH}
   systemctl daemon-reload
   systemctl enable --now postern

   The unit:

${systemdUnit(plan).replaceAll(/^(?=.)/gm, '     ')}
   Or by hand: ${program} serve --config ${plan.configFile}

4. With "https" in the configuration, open https://${plan.hostname}/ and sign in as ${plan.admin}.
   Administration, Setting up says what is left and tries mail both ways ("postern setup show${option}" does it here).
`;
}
