import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.ts';
import { startDovecot } from '../dovecot.ts';
import { ImapClient } from '../imap.ts';
import { startPostfix } from '../postfix.ts';
import { until } from '../processes.ts';
import { defer } from '../resources.ts';
import { accountNames, DOMAIN, PASSWORD, type Setup } from '../system.ts';
import type { RawLetter } from './mail.ts';
import { startRspamd } from './rspamd.ts';
import type { FilteredSystem } from './system.ts';

/** Postfix with rspamd as its milter, and Dovecot behind LMTP. Needs root. `lessons` undefined: without rspamd. */
export async function startFilteredPeer(
  setup: Setup,
  dns: number,
  lessons: readonly RawLetter[] | undefined,
): Promise<FilteredSystem> {
  const ports = { smtp: setup.portBase + 25, imap: setup.portBase + 143 };
  const from = systemClock.monotonic();
  const dovecot = await startDovecot(setup, ports.imap);
  const undoDovecot = defer(() => dovecot.stop());
  const dir = join(setup.dir, 'rspamd');
  const { portBase } = setup;
  const rspamd = lessons === undefined ? undefined : await startRspamd({ dir, portBase, dns, lessons });
  const postfix = await startPostfix(setup, ports.smtp, dovecot.lmtpSocket, [
    'smtpd_upstream_proxy_protocol = haproxy',
    'smtpd_client_connection_count_limit = 0',
    'message_size_limit = 104857600',
    'mailbox_size_limit = 0',
    'virtual_mailbox_limit = 0',
    ...(rspamd === undefined
      ? []
      : [
          `smtpd_milters = inet:127.0.0.1:${rspamd.milterPort}`,
          'milter_default_action = tempfail',
          'milter_protocol = 6',
        ]),
  ]);
  const undoPostfix = defer(() => postfix.stop());
  const accounts = accountNames(setup.accounts).map((name) => ({
    address: `${name}@${DOMAIN}`,
    password: PASSWORD,
  }));
  await until('Dovecot', 30_000, 50, async () => {
    const [first] = accounts;
    if (first === undefined) return true;
    try {
      (await ImapClient.login(ports.imap, first)).close();
      return true;
    } catch {
      return false;
    }
  });
  const master = await postfix.pid();
  return {
    name: rspamd === undefined ? 'Postfix + Dovecot' : 'Postfix + rspamd + Dovecot',
    ports,
    accounts,
    mailboxes: ['INBOX'],
    submission: ports.smtp,
    roots: () => [master, dovecot.pid, ...(rspamd?.pids ?? [])],
    startMs: systemClock.monotonic() - from,
    flushQueue: async () => void (await postfix.command('postqueue', '-f')),
    async stop() {
      await undoPostfix();
      await rspamd?.stop();
      await undoDovecot();
    },
  };
}
