import { spawn } from 'node:child_process';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exitOf, stopTree } from './processes.ts';
import { accountNames, DOMAIN, PASSWORD, type Setup } from './system.ts';

/** Owner of the mail; no such user need exist. */
const MAIL_UID = 5000;

export interface Dovecot {
  readonly pid: number;
  readonly lmtpSocket: string;
  stop(): Promise<void>;
}

/** Write the configuration and start `dovecot -F`; it needs a moment until it listens. */
export async function startDovecot(setup: Setup, imapPort: number): Promise<Dovecot> {
  const dir = join(setup.dir, 'dovecot');
  const mail = join(dir, 'mail');
  await mkdir(mail, { recursive: true });
  await chown(mail, MAIL_UID, MAIL_UID);
  const users = accountNames(setup.accounts).map((name) => `${name}@${DOMAIN}:{PLAIN}${PASSWORD}\n`);
  await writeFile(join(dir, 'users'), users.join(''));
  const file = join(dir, 'dovecot.conf');
  await writeFile(file, configuration(dir, setup.mailFormat, imapPort));
  const child = spawn('dovecot', ['-F', '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const exit = exitOf(child);
  if (child.pid === undefined) await exit;
  const pid = child.pid ?? 0;
  return { pid, lmtpSocket: join(dir, 'lmtp'), stop: () => stopTree(pid) };
}

/**
 * `mail_fsync = optimized` is Dovecot's durable default: LMTP syncs the message file and its directory (Maildir) or
 * file and index log (sdbox) before its 250; `always` adds syncs of what an index can rebuild.
 * Limits are raised as for a busy server; `imap-login` runs in its high-performance mode.
 */
function configuration(dir: string, format: Setup['mailFormat'], imapPort: number): string {
  const location = `${format}:~/${format}`;
  return `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = ${location}
mail_fsync = optimized
mail_uid = ${MAIL_UID}
mail_gid = ${MAIL_UID}
maildir_very_dirty_syncs = yes
mail_max_userip_connections = 0
first_valid_uid = ${MAIL_UID}
auth_cache_size = 10M
default_client_limit = 8192
default_process_limit = 2048
passdb {
  driver = passwd-file
  args = ${dir}/users
}
userdb {
  driver = static
  args = uid=${MAIL_UID} gid=${MAIL_UID} home=${dir}/mail/%n
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 0
  }
  service_count = 0
  process_min_avail = 2
}
service imap {
  process_limit = 2048
}
service lmtp {
  unix_listener ${dir}/lmtp {
    mode = 0666
  }
  process_min_avail = 4
}
`;
}
