/** For the tests of sending: the flow with a scheduler that delivers to peers on 127.0.0.1. */
import type { QueueMessage, QueueRecipient } from '../../src/data/queue/types.ts';
import { type FlowFixture, lines, loggedIn, openFlow, session, traceOf, transact, until } from './flow.ts';
import { createInbound } from '../../src/flow/inbound/service.ts';
import { HourlyCounts } from '../../src/flow/submission/hourly.ts';
import { createSubmission } from '../../src/flow/submission/service.ts';
import { createScheduler, type Scheduler } from '../../src/flow/outbound/scheduler.ts';
import { buildTransport } from '../../src/flow/outbound/routing/build.ts';
import { createWays } from '../../src/flow/outbound/routing/ways.ts';
import type { Transport } from '../../src/flow/outbound/transport.ts';
import type { RelaySettings } from '../../src/flow/outbound/transports/relay.ts';

export const MESSAGE = lines(
  'From: alice@example.test',
  'Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=',
  '',
  'Hello',
  '.dot',
);

export interface Entry {
  readonly message: QueueMessage;
  readonly recipients: readonly QueueRecipient[];
}

export interface OutboundFixture {
  readonly flow: FlowFixture;
  readonly scheduler: Scheduler;
  /** Submit as alice. Answers the queue id. */
  send(
    to: Parameters<typeof transact>[3],
    message?: string | Buffer,
    params?: Parameters<typeof transact>[5],
  ): Promise<string>;
  /** Receive from carol@sender.test. */
  receive(to: Parameters<typeof transact>[3], message?: string, from?: string): Promise<string>;
  entry(queueId: string): Promise<Entry>;
  /** Wait until no attempt is under way or due. */
  idle(): Promise<void>;
  /** Let time pass and what is due be done. */
  pass(ms: number): Promise<void>;
  /** Outcomes so far: "delivery.deferred 451 ...". */
  journal(trace: string): Promise<string[]>;
  states(queueId: string): Promise<string[]>;
  close(): Promise<void>;
}

export async function openOutbound(options: {
  port?: number;
  relay?: RelaySettings;
  start?: boolean;
  /** Everything goes this way. */
  only?: Transport;
}): Promise<OutboundFixture> {
  const flow = await openFlow();
  const deps = () => flow.deps;
  const submission = createSubmission(deps, new HourlyCounts(flow.clock));
  const inbound = createInbound(deps, 'smtp');
  const scheduler = createScheduler({
    deps,
    owner: 'test',
    metrics: flow.metrics,
    ...(options.port !== undefined && { directPort: options.port }),
    ...(options.relay !== undefined && { relay: options.relay }),
    ...(options.only !== undefined && {
      ways: createWays({ deps, build: buildTransport, only: options.only }),
    }),
  });
  flow.zone['far.test'] = { MX: [{ preference: 10, exchange: 'mx.far.test' }] };
  flow.zone['mx.far.test'] = { A: ['127.0.0.1'] };
  if (options.start !== false) await scheduler.start();
  const entry = async (queueId: string): Promise<Entry> => {
    const found = await flow.store.read.run('queue.show', { queueId });
    if (found === undefined) throw new Error(`no ${queueId}`);
    return found;
  };
  const idle = async (): Promise<void> => {
    await until(async () => {
      const due = await flow.store.read.run('queue.nextDue', { busy: [] });
      const counts = await flow.store.read.run('queue.counts', null);
      const leased = counts.find(({ state }) => state === 'leased')?.count ?? 0;
      return leased === 0 && (due === undefined || due > flow.clock.now());
    });
    await new Promise((resolve) => setTimeout(resolve, 10)); // the loop goes to sleep
  };
  return {
    flow,
    scheduler,
    entry,
    idle,
    async send(to, message = MESSAGE, params = {}) {
      const done = await transact(submission, loggedIn(flow), 'alice@example.test', to, message, params);
      return traceOf(done.reply);
    },
    async receive(
      to,
      message = MESSAGE.replace('alice@example.test', 'carol@sender.test'),
      from = 'carol@sender.test',
    ) {
      const done = await transact(inbound, session(), from, to, message);
      return traceOf(done.reply);
    },
    async pass(ms) {
      await idle();
      flow.clock.advance(ms);
      await idle();
    },
    async journal(trace) {
      const rows = await flow.store.read.run('journal.byTrace', { trace });
      return rows.map(({ kind, data }) => `${kind} ${data['reply'] ?? data['reason'] ?? ''}`.trim());
    },
    async states(queueId) {
      return (await entry(queueId)).recipients.map(({ state }) => state);
    },
    async close() {
      await scheduler.stop(0);
      await flow.close();
    },
  };
}
