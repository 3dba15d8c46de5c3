import { systemClock } from '../../src/base/clock.ts';
import { startDovecot } from './dovecot.ts';
import { greeting } from './line-client.ts';
import { startPostfix } from './postfix.ts';
import { defer } from './resources.ts';
import { accountNames, DOMAIN, type MailSystem, PASSWORD, type Setup } from './system.ts';

export interface Peer extends MailSystem {
  /** Change main.cf settings ("name=value") and reload. */
  set(...settings: string[]): Promise<void>;
}

/** Postfix and Dovecot side by side, both started at once, LMTP between them. Needs root. */
export async function startPeer(setup: Setup): Promise<Peer> {
  const ports = { smtp: setup.portBase + 25, imap: setup.portBase + 143 };
  const from = systemClock.monotonic();
  const dovecot = await startDovecot(setup, ports.imap);
  const undoDovecot = defer(() => dovecot.stop());
  // `postfix start` lingers after its services answer: the greetings are what counts.
  const greeted = Promise.all([greeting(ports.smtp, '220'), greeting(ports.imap, '* OK')]).then(() =>
    systemClock.monotonic(),
  );
  const postfix = await startPostfix(setup, ports.smtp, dovecot.lmtpSocket);
  const undoPostfix = defer(() => postfix.stop());
  const startMs = (await greeted) - from;
  const master = await postfix.pid();
  return {
    name: 'Postfix + Dovecot',
    ports,
    accounts: accountNames(setup.accounts).map((name) => ({
      address: `${name}@${DOMAIN}`,
      password: PASSWORD,
    })),
    submission: ports.smtp,
    roots: () => [master, dovecot.pid],
    startMs,
    set: (...settings) => postfix.set(...settings),
    flushQueue: async () => void (await postfix.command('postqueue', '-f')),
    async stop() {
      await undoPostfix();
      await undoDovecot();
    },
  };
}
