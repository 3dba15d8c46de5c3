import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/app/config.ts';
import { makeConfig } from '../../src/app/config-load.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../src/app/server.ts';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { createLogger } from '../../src/base/log.ts';
import { hashPassword, type PasswordSecrets } from '../../src/data/directory/passwords.ts';
import type { Account, Actor, Role } from '../../src/data/directory/types.ts';
import { openSqlite, SqliteReadTx, SqliteSession } from '../../src/data/db/sqlite.ts';
import { checkInvariants } from '../../src/data/mailstore/invariants.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { openTlsStore } from '../../src/net/tls-store.ts';
import type { TestClock } from './clock.ts';

/** Password of every account of a test server unless it says otherwise. */
export const TEST_PASSWORD = 'correct horse';

/** Who sets up what a test needs. */
export const testActor: Actor = { name: 'system', role: 'system', domainId: undefined };

export interface TestAccount {
  readonly address: string;
  readonly password?: string;
  readonly role?: Role;
  readonly quota?: number;
}

export interface TestServerOptions
  extends Partial<Omit<ServerOptions, 'config' | 'logger' | 'tls' | 'clock'>> {
  /** Accounts; their domains are made too. Default: alice@ (administrator) and bob@example.test. */
  readonly accounts?: readonly (string | TestAccount)[];
  /** Further domains of ours. */
  readonly domains?: readonly string[];
  /** Over the defaults of a test: loopback, port 0, all services, no limit of sessions by address. */
  readonly config?: Omit<Partial<ConfigInput>, 'data'>;
  /** A directory of an earlier server, which then is not deleted at close. */
  readonly directory?: string;
  /** False: no certificate. */
  readonly certificate?: boolean;
  readonly clock?: Clock | TestClock;
}

export interface TestServer extends RunningServer {
  readonly directory: string;
  readonly clock: Clock;
  /** Everything that was logged, parsed. */
  readonly logs: readonly Record<string, unknown>[];
  /** The account of an address. */
  account(address: string): Promise<Account>;
  /** Stop, check the store's invariants, delete the directory unless it was handed in. Throws what is violated. */
  close(): Promise<void>;
  /** Like a power cut of the program: no draining; the directory stays. Invariants are not checked. */
  abandon(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const LISTEN = ['127.0.0.1:0'];
const EVERYWHERE = {
  smtp: LISTEN,
  submission: LISTEN,
  submissions: LISTEN,
  imap: LISTEN,
  imaps: LISTEN,
  pop3: LISTEN,
  pop3s: LISTEN,
  managesieve: LISTEN,
  lmtp: LISTEN,
  http: LISTEN,
};

/** The whole server in this process: temporary directory, free ports, accounts. Close it at the end of the test. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'postern-test-')));
  const clock = options.clock ?? systemClock;
  const logs: Record<string, unknown>[] = [];
  const write = (line: string): void => void logs.push(JSON.parse(line) as Record<string, unknown>);
  const { listen, limits, ...rest } = options.config ?? {};
  const config = makeConfig({
    hostname: 'mx.example.test',
    ...rest,
    data: directory,
    listen: { ...EVERYWHERE, ...listen },
    limits: { sessions_per_address: 0, ...limits },
  });
  const server = await startServer({
    ...options,
    config,
    clock,
    logger: createLogger({ level: 'debug', pretty: false, write }),
    tls: await testTlsStore(clock, options.certificate !== false),
  });
  await addAccounts(server, options);
  if (isTestClock(clock)) clock.settleWith(() => storeAtRest(server));
  return testServer(server, options, { directory, clock, logs });
}

/** Certificates of test servers: self-signed, for localhost, 127.0.0.1 and mx.example.test. */
async function testTlsStore(clock: Clock, wanted: boolean): ReturnType<typeof openTlsStore> {
  const tls = await openTlsStore({ files: [], clock });
  if (wanted) {
    const names = ['localhost', 'mx.example.test', '127.0.0.1', '::1'];
    const [notBefore, notAfter] = [Date.UTC(2020, 0, 1), Date.UTC(2049, 0, 1)];
    tls.install([createSelfSigned({ commonName: 'mx.example.test', names, notBefore, notAfter })]);
  }
  return tls;
}

const secretsOf = new Map<string, Promise<PasswordSecrets>>();

/** The same password is hashed once for all servers of a test process. */
function secrets(password: string): Promise<PasswordSecrets> {
  const found = secretsOf.get(password) ?? hashPassword(password, { minLength: 1 });
  secretsOf.set(password, found);
  return found;
}

async function addAccounts(server: RunningServer, options: TestServerOptions): Promise<void> {
  const given = options.accounts ?? [
    { address: 'alice@example.test', role: 'admin' as const },
    'bob@example.test',
  ];
  const accounts: readonly TestAccount[] = given.map((one) =>
    typeof one === 'string' ? { address: one } : one,
  );
  const domains = accounts.map(({ address }) => address.slice(address.lastIndexOf('@') + 1));
  const { read, write } = server.store;
  const actor = testActor;
  for (const name of new Set([...domains, ...(options.domains ?? [])])) {
    if ((await read.run('directory.domain', { name })) === undefined) {
      await write.run('directory.addDomain', { actor, name });
    }
  }
  for (const { address, password = TEST_PASSWORD, role = 'user', quota = 0 } of accounts) {
    if ((await read.run('directory.account', { address })) !== undefined) continue;
    const displayName = address.slice(0, address.indexOf('@'));
    const hashed = await secrets(password);
    await write.run('directory.addAccount', { actor, address, displayName, role, quota, ...hashed });
  }
}

function testServer(
  server: RunningServer,
  options: TestServerOptions,
  more: { directory: string; clock: Clock; logs: Record<string, unknown>[] },
): TestServer {
  const { directory, clock } = more;
  let closed = false;

  async function end(graceMs: number): Promise<void> {
    const stopped = server.stop({ graceMs });
    if (!isTestClock(clock)) return stopped;
    let over = false;
    const done = stopped.finally(() => {
      over = true;
    });
    // What lingers waits on the clock, so it must go on.
    while (!over) await clock.advance(1000);
    return done;
  }

  async function close(): Promise<void> {
    if (closed) return;
    closed = true;
    await end(1000);
    const violations = await storeViolations(directory);
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    assert.deepEqual(violations, [], 'the store breaks its invariants');
    const bugs = more.logs.filter(({ msg }) => String(msg).startsWith('bug:'));
    assert.deepEqual(bugs, [], 'bugs were logged');
  }

  return Object.defineProperties({} as TestServer, {
    ...Object.getOwnPropertyDescriptors(server),
    ...Object.getOwnPropertyDescriptors({
      ...more,
      async account(address: string): Promise<Account> {
        const found = await server.store.read.run('directory.account', { address });
        assert.ok(found, `there is no account ${address}`);
        return found;
      },
      close,
      async abandon() {
        closed = true;
        await end(0);
      },
      [Symbol.asyncDispose]: close,
    }),
  });
}

/** Round trips through the store's thread until what a timer asked of it, and what that led to, is answered. */
const ROUND_TRIPS = 3;

async function storeAtRest(server: RunningServer): Promise<void> {
  for (let i = 0; i < ROUND_TRIPS; i++) {
    await server.store.write.run('journal.append', { events: [] }).catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function isTestClock(clock: Clock): clock is TestClock {
  return 'advance' in clock;
}

/** What is wrong in the store of a data directory whose server has ended; empty when all is well. */
export async function storeViolations(directory: string): Promise<string[]> {
  const db = openSqlite(join(directory, 'mail.db'), 'reader');
  try {
    const integrity = db
      .prepare('PRAGMA integrity_check(10)')
      .all()
      .map((row) => String(row.integrity_check));
    const damage = integrity.filter((line) => line !== 'ok');
    return [...damage, ...(await checkInvariants(new SqliteReadTx(new SqliteSession(db))))];
  } finally {
    db.close();
  }
}
