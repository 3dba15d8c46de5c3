import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { connectImap } from '../../src/net/imap-client/connect.ts';
import type { ImapClient } from '../../src/net/imap-client/client.ts';
import { cleanEnvironment } from '../support/programs.ts';
import { freePort } from '../app/program.ts';

/** Owner of the mail; no such user need exist. */
const MAIL_UID = 5000;
const PATIENCE_MS = 10_000;

export interface Dovecot {
  readonly directory: string;
  readonly port: number;
  /** Its certificate (PEM), for localhost. */
  readonly certificate: string;
  maildir(user: string): string;
  client(user: string): Promise<ImapClient>;
  stop(): Promise<void>;
}

export const DOVECOT_PASSWORD = 'old secret';

/** Debian's Dovecot with Maildirs, one master user "boss*", and passwords of several schemes. */
export async function startDovecot(users: readonly string[]): Promise<Dovecot> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-dovecot-'));
  await chmod(directory, 0o755);
  const mail = join(directory, 'mail');
  await mkdir(mail);
  await chown(mail, MAIL_UID, MAIL_UID);
  const [notBefore, notAfter] = [Date.UTC(2020, 0, 1), Date.UTC(2049, 0, 1)];
  const { cert, key } = createSelfSigned({
    commonName: 'localhost',
    names: ['localhost'],
    notBefore,
    notAfter,
  });
  await writeFile(join(directory, 'cert.pem'), cert);
  await writeFile(join(directory, 'key.pem'), key, { mode: 0o600 });
  await writeFile(
    join(directory, 'users'),
    users.map((name) => `${name}:{PLAIN}${DOVECOT_PASSWORD}\n`).join(''),
  );
  await writeFile(join(directory, 'masters'), `boss:{PLAIN}${DOVECOT_PASSWORD}\n`);
  const port = await freePort();
  const file = join(directory, 'dovecot.conf');
  await writeFile(file, configuration(directory, port));
  const child = spawn('dovecot', ['-F', '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: cleanEnvironment(directory),
  });
  await listening(port, child);
  return {
    directory,
    port,
    certificate: join(directory, 'cert.pem'),
    maildir: (user) => join(mail, user, 'Maildir'),
    client: (user) =>
      connectImap(
        { host: '127.0.0.1', port, tls: 'none', verify: 'none' },
        { user, secret: DOVECOT_PASSWORD },
        systemClock,
      ),
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (const begun = Date.now(); ; ) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => undefined);
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    if (child.exitCode !== null || Date.now() - begun > PATIENCE_MS) throw new Error('dovecot did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function configuration(dir: string, port: number): string {
  return `base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${dir}/cert.pem
ssl_key = <${dir}/key.pem
disable_plaintext_auth = no
mail_location = maildir:~/Maildir
mail_uid = ${MAIL_UID}
mail_gid = ${MAIL_UID}
first_valid_uid = ${MAIL_UID}
mail_max_userip_connections = 0
auth_master_user_separator = *
passdb {
  driver = passwd-file
  args = ${dir}/masters
  master = yes
  result_success = continue
}
passdb {
  driver = passwd-file
  args = ${dir}/users
}
userdb {
  driver = static
  args = uid=${MAIL_UID} gid=${MAIL_UID} home=${dir}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox "Sent Messages" {
    special_use = \\Sent
    auto = subscribe
  }
  mailbox Rubbish {
    special_use = \\Trash
    auto = create
  }
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
}
