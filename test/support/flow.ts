/** For the tests of the flow: a store, accounts with DKIM keys, a clock that is moved by hand, sessions. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { startDnsServer, type TestDnsServer, type Zone } from './dns-server.ts';
import { type ManualClock, manualClock } from './manual-clock.ts';
import { Refusal, type SmtpReply } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/log.ts';
import { Metrics } from '../../src/base/metrics.ts';
import type { Actor } from '../../src/data/directory/types.ts';
import { type InlineStore, openInlineStore } from '../../src/data/inline.ts';
import type { JournalEvent } from '../../src/data/journal/types.ts';
import { checkInvariants } from '../../src/data/mailstore/invariants.ts';
import { MAX_UID } from '../../src/data/mailstore/types.ts';
import { verify } from '../../src/mail/dkim/verify.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import type { FlowDeps, FlowSettings } from '../../src/flow/deps.ts';
import type {
  DataOutcome,
  MailParams,
  MailService,
  RcptParams,
  SessionFacts,
} from '../../src/flow/service.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };
const HOUR = 3_600_000;

export interface FlowFixture {
  deps: FlowDeps;
  readonly store: InlineStore;
  readonly clock: ManualClock;
  readonly dns: TestDnsServer;
  readonly zone: Zone;
  readonly metrics: Metrics;
  /** Background events. */
  readonly events: JournalEvent[];
  /** What was logged and counted of each commit. */
  readonly committed: { readonly events: readonly JournalEvent[]; readonly reply: string | undefined }[];
  /** Account ids of alice@ and bob@example.test. */
  readonly alice: number;
  readonly bob: number;
  set(settings: Partial<FlowSettings>): void;
  addAccount(address: string, more?: { quota?: number; displayName?: string }): Promise<number>;
  addAlias(address: string, ...targets: string[]): Promise<void>;
  admin: Actor;
  close(): Promise<void>;
}

const settings: FlowSettings = {
  hostname: 'mx.example.test',
  delimiter: '+',
  maxMessageBytes: 1024 * 1024,
  recipientsPerHour: 500,
  messagesPerHour: 300,
  warnAfterMs: 4 * HOUR,
  expireAfterMs: 5 * 24 * HOUR,
  holdOutgoing: undefined,
  srsKeys: [Buffer.alloc(32, 7)],
};

export async function openFlow(): Promise<FlowFixture> {
  const clock = manualClock();
  const store = await openInlineStore({ path: ':memory:', clock });
  const dns = await startDnsServer({});
  const resolver = createResolver({
    servers: [{ address: dns.address, port: dns.port, trusted: false }],
    clock,
  });
  const events: JournalEvent[] = [];
  const addAccount = async (address: string, more: { quota?: number; displayName?: string } = {}) => {
    const { quota = 0, displayName = '' } = more;
    const args = {
      actor: SYSTEM,
      address,
      displayName,
      role: 'user' as const,
      quota,
      hash: 'x',
      scram: null,
    };
    return (await store.write.run('directory.addAccount', args)).id;
  };
  await store.write.run('directory.addDomain', { actor: SYSTEM, name: 'example.test' });
  const alice = await addAccount('alice@example.test', { displayName: 'Alice A.' });
  const bob = await addAccount('bob@example.test');
  await store.write.run('directory.setRole', { actor: SYSTEM, address: 'alice@example.test', role: 'admin' });
  await addKeys(store, dns.zone);
  const fixture: FlowFixture = {
    deps: {
      store,
      clock,
      logger: silentLogger,
      recorder: {
        event: (event) => void events.push(event),
        committed: (committed, reply) => void fixture.committed.push({ events: committed, reply }),
        flush: async () => undefined,
        lastError: () => undefined,
      },
      dns: resolver,
      settings,
    },
    store,
    clock,
    dns,
    zone: dns.zone,
    metrics: new Metrics(),
    events,
    committed: [],
    alice,
    bob,
    admin: SYSTEM,
    set(more) {
      fixture.deps = { ...fixture.deps, settings: { ...fixture.deps.settings, ...more } };
    },
    addAccount,
    async addAlias(address, ...targets) {
      await store.write.run('directory.addAlias', { actor: SYSTEM, address, targets });
    },
    async close() {
      assert.deepEqual(await store.inspect(checkInvariants), []);
      await dns.close();
      // Questions of transactions that were given up wait for an answer until their time is over.
      for (let i = 0; i < 12; i++) {
        clock.advance(10_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await store.close();
    },
  };
  return fixture;
}

let pairs: { rsa: KeyPairKeyObjectResult; ed: KeyPairKeyObjectResult } | undefined;

/** Made once: an RSA key takes longer than a test. */
function keyPairs(): NonNullable<typeof pairs> {
  pairs ??= {
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ed: generateKeyPairSync('ed25519'),
  };
  return pairs;
}

/** An RSA and an Ed25519 key of example.test, published in the zone. */
async function addKeys(store: InlineStore, zone: Zone): Promise<void> {
  const { rsa, ed } = keyPairs();
  const keys = [
    ['rsa', 'rsa-sha256', rsa.privateKey, rsa.publicKey.export({ type: 'spki', format: 'der' })],
    [
      'ed',
      'ed25519-sha256',
      ed.privateKey,
      ed.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32),
    ],
  ] as const;
  for (const [selector, algorithm, key, publicKey] of keys) {
    await store.write.run('directory.addDkimKey', {
      actor: SYSTEM,
      domain: 'example.test',
      selector,
      algorithm,
      privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      publicKey: publicKey.toString('base64'),
    });
    const tag = selector === 'rsa' ? 'rsa' : 'ed25519';
    zone[`${selector}._domainkey.example.test`] = {
      TXT: [`v=DKIM1; k=${tag}; p=${publicKey.toString('base64')}`],
    };
  }
}

export function session(more: Partial<SessionFacts> = {}): SessionFacts {
  return {
    id: 'session',
    protocol: 'smtp',
    remoteAddress: '192.0.2.1',
    remotePort: 40_000,
    localAddress: '198.51.100.1',
    localPort: 25,
    helo: 'client.sender.test',
    extended: true,
    tls: undefined,
    login: undefined,
    earlyTalk: false,
    earlyPipelining: false,
    ...more,
  };
}

export function loggedIn(
  fixture: FlowFixture,
  address = 'alice@example.test',
  accountId?: number,
): SessionFacts {
  const revoked = new AbortController().signal;
  const login = { accountId: accountId ?? fixture.alice, address, mechanism: 'PLAIN', revoked };
  return session({
    protocol: 'submission',
    remoteAddress: '203.0.113.77',
    helo: 'alices-laptop.home',
    login,
  });
}

export const noParams: MailParams = {
  size: undefined,
  body: '7BIT',
  smtputf8: false,
  requireTls: false,
  ret: undefined,
  envid: undefined,
  auth: undefined,
};

export type Rcpt = string | ({ address: string } & Partial<RcptParams>);

/** A whole transaction; refused recipients are passed over (their refusals in `refused`). */
export async function transact(
  service: MailService,
  facts: SessionFacts,
  from: string,
  to: readonly Rcpt[],
  message: string | Buffer,
  params: Partial<MailParams> = {},
): Promise<DataOutcome & { refused: Map<string, SmtpReply> }> {
  const transaction = await service.mail(facts, from, { ...noParams, ...params });
  const refused = new Map<string, SmtpReply>();
  for (const rcpt of to) {
    const { address, ...more } = typeof rcpt === 'string' ? { address: rcpt } : rcpt;
    try {
      await transaction.rcpt(address, { notify: [], orcpt: undefined, ...more });
    } catch (error) {
      if (!(error instanceof Refusal) || error.smtp === undefined) throw error;
      refused.set(address, error.smtp);
    }
  }
  const sink = await transaction.open();
  const bytes = Buffer.isBuffer(message) ? message : Buffer.from(message, 'latin1');
  try {
    // Odd pieces: what streams must not depend on where they end.
    for (let at = 0; at < bytes.length; at += 7919)
      await sink.write(Buffer.from(bytes.subarray(at, at + 7919)));
  } catch (error) {
    sink.abort();
    throw error;
  }
  return { ...(await sink.finish()), refused };
}

/** The SMTP reply that a promise is refused with: "550 5.1.1". */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refusal && error.smtp) return `${error.smtp.code} ${error.smtp.enhanced}`;
    throw error;
  }
  return 'not refused';
}

export function code(reply: SmtpReply | undefined): string {
  return reply === undefined ? 'none' : `${reply.code} ${reply.enhanced}`;
}

/** The id that "Ok: queued as" names. */
export function traceOf(reply: SmtpReply): string {
  return /queued as (\S+)/.exec(reply.lines[0] ?? '')?.[1] ?? '';
}

export interface StoredMessage {
  /** As a reader sees it. */
  readonly text: string;
  readonly bytes: Buffer;
  /** As it came. */
  readonly stored: Buffer;
  readonly envelope: string;
}

/** Every message in a mailbox, oldest first. */
export async function mailbox(
  store: InlineStore,
  accountId: number,
  name = 'INBOX',
): Promise<StoredMessage[]> {
  const boxes = await store.read.run('mailstore.mailboxes', { accountId });
  const box = boxes.find((each) => each.name === name);
  assert.ok(box, `mailbox ${name}`);
  const rows = await store.read.run('mailstore.fetch', {
    mailboxId: box.id,
    ranges: [{ from: 1, to: MAX_UID }],
    want: ['content', 'envelope'],
    limit: 1000,
  });
  const messages: StoredMessage[] = [];
  for (const { content, envelope, size } of rows) {
    assert.ok(content && envelope);
    const stored = await store.blobs.bytes(content.blobId);
    const parts: Buffer[] = [Buffer.from(content.prefix)];
    let at = 0;
    for (const [start, end] of content.hidden) {
      parts.push(stored.subarray(at, start));
      at = end;
    }
    const bytes = Buffer.concat([...parts, stored.subarray(at)]);
    assert.equal(bytes.length, size, 'RFC822.SIZE is that of what is shown');
    messages.push({
      bytes,
      text: bytes.toString('latin1'),
      stored,
      envelope: Buffer.from(envelope).toString('latin1'),
    });
  }
  return messages;
}

/** Results of all DKIM signatures of a message, as "pass rsa-sha256". */
export async function dkimResults(fixture: FlowFixture, message: Buffer): Promise<string[]> {
  const found = message.indexOf('\r\n\r\n');
  const end = found < 0 ? message.length : found + 4;
  const { dns, clock } = fixture.deps;
  assert.ok(dns);
  const { results } = await verify({
    dns,
    nowMs: clock.now(),
    header: message.subarray(0, end),
    body: message.subarray(end),
  });
  return results.map(({ status, algorithm, reason }) =>
    status === 'pass' ? `pass ${algorithm}` : `${status}: ${reason}`,
  );
}

/** Names of all finished body files. */
export async function bodyFiles(store: InlineStore): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of store.bodies.list()) names.push(name);
  return names;
}

/** The journal of a trace. */
export async function journalOf(store: InlineStore, trace: string): Promise<string[]> {
  return (await store.read.run('journal.byTrace', { trace })).map(
    ({ kind, data }) => `${kind} ${JSON.stringify(data)}`,
  );
}

/** Wait, in real time, until something is so. */
export async function until<T>(
  what: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 8000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await what();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function lines(...text: string[]): string {
  return text.map((line) => `${line}\r\n`).join('');
}
