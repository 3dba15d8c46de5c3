import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { limits } from '../../src/base/limits.ts';
import { createLogger } from '../../src/base/log.ts';
import { openInlineStore, type InlineStore } from '../../src/data/inline.ts';
import type { AccountServerOptions, AccountSessionLimits } from '../../src/servers/account-session.ts';
import type { SessionServer, SessionServerOptions } from '../../src/servers/session-server.ts';
import { type FakeAuthenticator, fakeAuthenticator } from './fake-mail-service.ts';
import { testTls } from './smtp-server.ts';

export interface AccountTestServer {
  readonly server: SessionServer;
  readonly port: number;
  readonly store: InlineStore;
  readonly authenticator: FakeAuthenticator;
  /** Account of alice@example.test, password "postern". */
  readonly accountId: number;
  /** What was logged as warning or error: a test that expects none of it says so. */
  readonly logged: readonly string[];
  /** Reasons why sessions ended. */
  readonly ended: readonly string[];
  close(): Promise<void>;
}

type Options = AccountServerOptions & SessionServerOptions;
export type AccountServerMore = Partial<Omit<Options, 'limits'>> & {
  readonly limits?: Partial<AccountSessionLimits>;
  readonly clock?: Clock;
};

/** Limits as the program has them. */
const LIMITS: AccountSessionLimits = {
  preauthTimeoutMs: limits.imapPreauthTimeoutMs,
  timeoutMs: limits.imapTimeoutMs,
  errorsPerSession: limits.errorsPerSession,
};

/** A server of POP3 or ManageSieve on a free port of 127.0.0.1 over a store in memory; passwords are taken without TLS. */
export async function accountTestServer(
  create: (options: Options) => Promise<SessionServer>,
  more: AccountServerMore = {},
): Promise<AccountTestServer> {
  const clock = more.clock ?? systemClock;
  const store = await openInlineStore({ path: ':memory:', clock });
  const accountId = await addAlice(store);
  const authenticator = await fakeAuthenticator();
  const logged: string[] = [];
  const ended: string[] = [];
  const server = await create({
    store,
    authenticator,
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
    limits: { ...LIMITS, ...more.limits },
  });
  return {
    server,
    port: server.port,
    store,
    authenticator,
    accountId,
    logged,
    ended,
    async close() {
      await server.drain(1000);
      await store.close();
    },
  };
}

/** The account of fakeAuthenticator: alice@example.test. */
export async function addAlice(store: InlineStore): Promise<number> {
  const actor = { name: 'system', role: 'system', domainId: undefined } as const;
  await store.write.run('directory.addDomain', { actor, name: 'example.test' });
  const { id } = await store.write.run('directory.addAccount', {
    actor,
    address: 'alice@example.test',
    displayName: 'Alice',
    role: 'admin',
    quota: 0,
    hash: 'none',
    scram: null,
  });
  return id;
}
