import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { errnoCode, Refusal } from '../../../base/errors.ts';
import { readCouchmail } from '../../../flow/import/directory/couchmail.ts';
import { Gathering } from '../../../flow/import/directory/gather.ts';
import {
  readDockerMailserver,
  readPasswdFile,
  readPostfixMap,
  readWorkspace,
} from '../../../flow/import/directory/lists.ts';
import { readSqlDirectory } from '../../../flow/import/directory/sql-directory.ts';
import type { ForeignDirectory } from '../../../flow/import/directory/types.ts';
import { directorySteps } from '../../import/directory-steps.ts';
import { parseEnvFile } from '../../import/env-file.ts';
import { type Call, UsageError } from '../command.ts';
import type { Source } from './import.ts';
import { fileWords } from '../file-words.ts';

/** People and aliases of other systems: "import dovecot-passwd" and its kin. */

/** Octets of a file with a directory in it. */
const FILE_BYTES = 256 * 1024 * 1024;

async function text(path: string, missing?: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES) throw new Refusal('too-large', `${path} has more than ${FILE_BYTES} octets.`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (missing !== undefined && errnoCode(error) === 'ENOENT') return missing;
    if (error instanceof Refusal) throw error;
    throw new Refusal('bad-input', `${path} cannot be read: ${fileWords(error)}`);
  }
}

const domain = {
  value: 'DOMAIN',
  help: 'the domain of names without one',
} as const;

const SAFE =
  'People keep their passwords; the hash becomes one of ours at the next login. Nothing here is overwritten, and a second run changes nothing.';

interface Kind {
  readonly name: string;
  readonly summary: string;
  readonly details: string;
  readonly argument: { readonly name: string; readonly help: string };
  readonly example: string;
  readonly home?: boolean;
  read(path: string, home: string | undefined): Promise<ForeignDirectory>;
}

const kinds: readonly Kind[] = [
  {
    name: 'dovecot-passwd',
    summary: 'take over accounts of a Dovecot passwd-file, with their passwords',
    details: `Schemes: all of Dovecot's that are in use (ARGON2, BLF-CRYPT, SHA512-CRYPT, SSHA512, SSHA256, PBKDF2, SCRAM, CRAM-MD5, PLAIN and more). ${SAFE}`,
    argument: { name: 'FILE', help: 'e.g. /etc/dovecot/users' },
    example: 'import dovecot-passwd /etc/dovecot/users --dry-run',
    home: true,
    async read(path, home) {
      const into = new Gathering();
      readPasswdFile(await text(path), into, home);
      return into.done();
    },
  },
  {
    name: 'postfix-aliases',
    summary: 'take over aliases of Postfix: virtual, valias, the text of hash and lmdb tables',
    details: `"@domain" becomes the catch-all of a domain or, when it leads to another "@domain", another name of that one. The table is the text, not the .db beside it. ${SAFE}`,
    argument: { name: 'FILE', help: 'e.g. /etc/postfix/virtual' },
    example: 'import postfix-aliases /etc/postfix/virtual --dry-run',
    home: true,
    async read(path, home) {
      const into = new Gathering();
      readPostfixMap(await text(path), into, home);
      return into.done();
    },
  },
  {
    name: 'mariadb-dump',
    summary: 'take over users and aliases from a dump of MariaDB or MySQL',
    details: `Tables domains, users and aliases, as how-tos for Postfix and Dovecot have them, or domain, mailbox and alias of PostfixAdmin and mailcow. ${SAFE}`,
    argument: { name: 'FILE', help: 'what mysqldump or mariadb-dump wrote' },
    example: 'import mariadb-dump ./mailserver.sql --dry-run',
    read: async (path) => readSqlDirectory(await text(path)),
  },
  {
    name: 'mailcow',
    summary: 'take over mailboxes, aliases and domains of mailcow from its database',
    details: `Make the dump by: docker compose exec -T mysql-mailcow mysqldump -u root -p"$DBROOT" mailcow. ${SAFE}`,
    argument: { name: 'FILE', help: 'the dump' },
    example: 'import mailcow ./mailcow.sql --dry-run',
    read: async (path) => readSqlDirectory(await text(path)),
  },
  {
    name: 'docker-mailserver',
    summary: 'take over accounts, aliases and quotas of docker-mailserver',
    details: `From postfix-accounts.cf, postfix-virtual.cf and dovecot-quotas.cf. ${SAFE}`,
    argument: { name: 'DIR', help: 'its config directory (docker-data/dms/config)' },
    example: 'import docker-mailserver ./docker-data/dms/config --dry-run',
    async read(path) {
      return readDockerMailserver({
        accounts: await text(join(path, 'postfix-accounts.cf')),
        virtual: await text(join(path, 'postfix-virtual.cf'), ''),
        quotas: await text(join(path, 'dovecot-quotas.cf'), ''),
        regexp: await text(join(path, 'postfix-regexp.cf'), ''),
      });
    },
  },
  {
    name: 'couchmail',
    summary: 'take over domains, mailboxes and aliases of couchmail',
    details: `FILE is what CouchDB answers to /mail/_all_docs?include_docs=true. ${SAFE}`,
    argument: { name: 'FILE', help: 'the documents as JSON' },
    example: 'import couchmail ./all-docs.json --dry-run',
    read: async (path) => readCouchmail(await text(path)),
  },
  {
    name: 't-lo',
    summary: 'take over users and aliases of t-lo/mailserver',
    details: `DIR is _server_workspace_, or the directory it is in. Its mail follows by: postern import maildir 'DIR/mail/inboxes/%d/%u/Maildir'. ${SAFE}`,
    argument: { name: 'DIR', help: 'the workspace, or the checkout that it is in' },
    example: 'import t-lo ./mailserver/_server_workspace_ --dry-run',
    async read(path) {
      const root = (await isDirectory(join(path, '_server_workspace_')))
        ? join(path, '_server_workspace_')
        : path;
      const settings =
        (await text(join(path, 'settings.env'), '')) || (await text(join(root, '..', 'settings.env'), ''));
      const { values } = parseEnvFile(settings);
      const more = (values.get('ADDITIONAL_DOMAINS') ?? '').split(',');
      const domains = [values.get('DOMAIN') ?? '', ...more]
        .map((name) => name.trim())
        .filter((name) => name !== '');
      return readWorkspace({
        passwd: await text(join(root, 'etc/dovecot/passwd')),
        valias: await text(join(root, 'etc/postfix/valias'), ''),
        domains,
      });
    },
  },
];

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

export const directorySources: readonly Source[] = kinds.map((kind) => ({
  name: kind.name,
  summary: kind.summary,
  details: kind.details,
  argument: kind.argument,
  options: kind.home === true ? { domain } : {},
  example: kind.example,
  async read(call: Call) {
    const home = kind.home === true ? call.text('domain')?.toLowerCase() : undefined;
    if (home !== undefined && !/^[^\s@]+\.[^\s@]+$/.test(home))
      throw new UsageError('--domain is a domain name');
    const found = await kind.read(resolve(call.io.cwd, call.arg(0)), home);
    const notes = [
      `${found.accounts.length} account(s), ${found.aliases.length} alias(es), ${found.domains.length} domain(s) found.`,
    ];
    return { notes, steps: directorySteps(found), left: found.left };
  },
}));
