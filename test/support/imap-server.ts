import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { createLogger } from '../../src/base/log.ts';
import { openInlineStore, type InlineStore } from '../../src/data/inline.ts';
import { Intake } from '../../src/flow/intake.ts';
import type { ImapLimits } from '../../src/servers/imap/limits.ts';
import { createImapServer, type ImapServer, type ImapServerOptions } from '../../src/servers/imap/server.ts';
import { addAlice } from './account-server.ts';
import { type FakeAuthenticator, fakeAuthenticator } from './fake-mail-service.ts';
import { imapClient, type ImapClient } from './imap-client.ts';
import { testTls } from './smtp-server.ts';

export interface ImapTestServer {
  readonly server: ImapServer;
  readonly port: number;
  readonly store: InlineStore;
  readonly authenticator: FakeAuthenticator;
  /** Account of alice@example.test, password "postern". */
  readonly accountId: number;
  /** What was logged as warning or error: a test that expects none of it says so. */
  readonly logged: readonly string[];
  /** Reasons why sessions ended. */
  readonly ended: readonly string[];
  client(options?: { tls?: boolean }): Promise<ImapClient>;
  /** A client that has logged in and, with `mailbox`, selected it. */
  ready(mailbox?: string, login?: string): Promise<ImapClient>;
  /** One more account, with the same password; a shared one has none. Its id. */
  addAccount(address: string, options?: { shared?: boolean; role?: 'user' | 'admin' }): Promise<number>;
  close(): Promise<void>;
}

type More = Partial<Omit<ImapServerOptions, 'limits'>> & {
  readonly limits?: Partial<ImapLimits>;
  readonly clock?: Clock;
};

/** An IMAP server on a free port of 127.0.0.1 over a store in memory; passwords are taken without TLS. */
export async function imapTestServer(more: More = {}): Promise<ImapTestServer> {
  const clock = more.clock ?? systemClock;
  const store = await openInlineStore({ path: ':memory:', clock });
  const accountId = await addAlice(store);
  const authenticator = await fakeAuthenticator();
  const logged: string[] = [];
  const ended: string[] = [];
  const clients: ImapClient[] = [];
  const server = await createImapServer({
    store,
    authenticator,
    intake: () => new Intake({ bodies: store.bodies, maxBytes: limits.messageBytes }),
    hostname: 'mail.example.test',
    clock,
    logger: createLogger({ level: 'warn', pretty: false, write: (line) => logged.push(line) }),
    tls: testTls(),
    requireTlsForLogin: false,
    target: { address: '127.0.0.1', port: 0 },
    maxTotal: 2000,
    maxPerAddress: 0,
    hooks: { sessionEnded: (_, reason) => void ended.push(reason) },
    ...more,
    limits: { ...limits, ...more.limits },
  });
  const client: ImapTestServer['client'] = async (options) => {
    const made = await imapClient(server.port, options);
    clients.push(made);
    return made;
  };
  return {
    server,
    port: server.port,
    store,
    authenticator,
    accountId,
    logged,
    ended,
    client,
    async addAccount(address, { shared = false, role = 'user' } = {}) {
      const actor = { name: 'system', role: 'system', domainId: undefined } as const;
      const rest = { displayName: '', role, quota: 0, hash: 'none', scram: null, shared };
      const { id } = await store.write.run('directory.addAccount', { actor, address, ...rest });
      if (!shared) authenticator.add(address, id);
      return id;
    },
    async ready(mailbox, login) {
      const made = await client();
      await made.login(login);
      if (mailbox !== undefined) await made.ok(`SELECT ${mailbox}`);
      return made;
    },
    async close() {
      for (const made of clients) made.close();
      await server.drain(1000);
      await store.close();
    },
  };
}
