/** For tests of direct delivery: one transport, one message at a time, no queue. */
import type { LeasedWork, QueueMessage } from '../../src/data/queue/types.ts';
import type { TlsSession } from '../../src/flow/report-hooks.ts';
import { noReports } from '../../src/flow/report-hooks.ts';
import {
  createDirect,
  directDefaults,
  type DirectOptions,
  type DirectTransport,
} from '../../src/flow/outbound/transports/direct.ts';
import type { DirectSettings } from '../../src/flow/outbound/routing/settings.ts';
import type { Outcome } from '../../src/flow/outbound/transport.ts';
import type { Dns } from '../../src/mail/dns.ts';
import type { FlowDeps } from '../../src/flow/deps.ts';
import { type DnsTable, tableDns } from './dns-table.ts';
import { type FlowFixture, openFlow } from './flow.ts';

export interface DirectFixture {
  readonly flow: FlowFixture;
  readonly deps: FlowDeps;
  readonly transport: DirectTransport;
  /** What reports were told. */
  readonly observed: TlsSession[];
  readonly asked: string[];
  /** One attempt for these recipients of one domain; outcomes in their order. */
  send(to: string | readonly string[], more?: SendOptions): Promise<Outcome[]>;
  close(): Promise<void>;
}

export interface SendOptions {
  readonly header?: string;
  readonly requireTls?: boolean;
}

export async function openDirect(options: {
  readonly table?: DnsTable;
  /** Instead of the table. */
  readonly dns?: Dns;
  readonly secure?: boolean;
  readonly settings?: Partial<DirectSettings>;
  readonly options?: DirectOptions;
}): Promise<DirectFixture> {
  const flow = await openFlow();
  const observed: TlsSession[] = [];
  const asked: string[] = [];
  const dns = options.dns ?? tableDns(options.table ?? {}, options.secure === true, asked);
  const reports = { ...noReports, observeTls: (session: TlsSession) => void observed.push(session) };
  const deps: FlowDeps = { ...flow.deps, dns, reports };
  const settings = { ...directDefaults(), ...options.settings };
  const transport = createDirect(() => deps, 'direct', settings, options.options);
  let serial = 0;
  return {
    flow,
    deps,
    transport,
    observed,
    asked,
    async send(to, more = {}) {
      const addresses = typeof to === 'string' ? [to] : to;
      const text = `${more.header ?? ''}From: a@example.test\r\nSubject: s\r\n\r\nHello\r\n`;
      const bytes = Buffer.from(text, 'latin1');
      const work = workFor(addresses, bytes.length, ++serial, more.requireTls === true);
      const content = {
        size: bytes.length,
        async *open() {
          yield bytes;
        },
      };
      const outcomes = await transport.attempt(work, content, new AbortController().signal);
      return work.recipients.map(({ id }) => {
        const outcome = outcomes.get(id);
        if (outcome === undefined) throw new Error('a recipient was not tried');
        return outcome;
      });
    },
    async close() {
      await transport.close();
      await flow.close();
    },
  };
}

function workFor(
  addresses: readonly string[],
  size: number,
  serial: number,
  requireTls: boolean,
): LeasedWork {
  const destination = (addresses[0] ?? '').split('@')[1] ?? '';
  const message: QueueMessage = {
    id: serial,
    queueId: `q${serial}`,
    trace: `q${serial}`,
    blobId: 1,
    blobSize: size,
    prefix: Buffer.alloc(0),
    hidden: [],
    size,
    accountId: undefined,
    origin: 'submission',
    reversePath: 'a@example.test',
    mayBounce: true,
    ret: undefined,
    envid: undefined,
    body: '7BIT',
    smtputf8: false,
    requireTls,
    originated: true,
    messageId: undefined,
    createdAt: 0,
    warnAt: undefined,
    expiresAt: undefined,
    holdReason: undefined,
  };
  const recipients = addresses.map((address, index) => ({
    id: serial * 1000 + index,
    messageId: serial,
    address,
    destination,
    orcpt: undefined,
    notify: '',
    state: 'leased' as const,
    attempts: 0,
    nextAt: 0,
    lastAt: undefined,
    lastReply: undefined,
    lastHost: undefined,
    warned: false,
  }));
  return { message, destination, recipients };
}

/** "delivered TLSv1.3 verified", "deferred 451 …", "failed 550 …". */
export function told(outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'nothing';
  return `${outcome.outcome} ${outcome.outcome === 'delivered' ? outcome.tls : outcome.reply}`;
}
