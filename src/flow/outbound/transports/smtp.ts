import type { LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import type { ConnectOptions, ConnectOutcome } from '../../../net/smtp-client/connect.ts';
import { connect } from '../../../net/smtp-client/connect.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type { FlowDeps } from '../../deps.ts';
import type { ClientPool } from '../pool.ts';
import type { MessageContent, Outcome } from '../transport.ts';
import { type HandOver, handOver } from './hand-over.ts';
import type { NextHost } from './hosts.ts';

/** One host and how to speak with it. */
export interface Hop {
  readonly host: NextHost;
  readonly options: Pick<ConnectOptions, 'tls' | 'verify' | 'protocol'> & {
    readonly port: number;
    readonly ca?: ConnectOptions['ca'];
  };
  /** After EHLO: log in. Answers why it failed, or undefined. */
  readonly login?: (outcome: ConnectOutcome & { status: 'connected' }) => Promise<ClientFailure | undefined>;
}

export interface HopResult {
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** Recipients another host may be tried for. */
  readonly untried: readonly QueueRecipient[];
  /** Why, when some are untried. */
  readonly failure: ClientFailure | undefined;
  readonly hostText: string;
}

/** Give a message to one host: an open session if there is one, else a new one; once more when a kept one had died. */
export async function tryHop(
  deps: FlowDeps,
  pool: ClientPool,
  hop: Hop,
  work: LeasedWork,
  recipients: readonly QueueRecipient[],
  content: MessageContent,
): Promise<HopResult> {
  const key = `${hop.host.name}:${hop.options.port}:${hop.options.tls}`;
  let hostText = hop.host.name;
  const use = async (
    client: Parameters<typeof handOver>[1],
    reused: boolean,
  ): Promise<HandOver & { reused: boolean }> => {
    hostText = `${hop.host.name} [${client.remoteAddress}]`;
    return { ...(await handOver(deps, client, work, recipients, content, hostText)), reused };
  };
  const open = (): Promise<ConnectOutcome> => openSession(deps, hop);
  let result = await pool.run(key, open, use);
  // A session kept idle may have been closed by the other side just now: that says nothing about the host.
  if (
    'done' in result &&
    result.done.reused &&
    result.done.outcomes.size === 0 &&
    result.done.failure !== undefined
  ) {
    result = await pool.run(key, open, use, { fresh: true });
  }
  if ('failed' in result) {
    const { failure, address } = result.failed;
    return { outcomes: new Map(), untried: recipients, failure, hostText: `${hop.host.name} [${address}]` };
  }
  return { ...result.done, hostText };
}

async function openSession(deps: FlowDeps, hop: Hop): Promise<ConnectOutcome> {
  const outcome = await dial(deps, hop, hop.options.tls);
  // RFC 3207 and 7435: where TLS is only opportunistic, a peer whose TLS is broken still gets its mail, in clear.
  const retryPlain =
    outcome.status === 'failed' && outcome.failure.phase === 'tls' && hop.options.tls === 'opportunistic';
  const session = retryPlain ? await dial(deps, hop, 'none') : outcome;
  if (session.status === 'failed' || hop.login === undefined) return session;
  const failure = await hop.login(session);
  if (failure === undefined) return session;
  session.client.destroy();
  return { status: 'failed', failure, address: session.client.remoteAddress };
}

function dial(deps: FlowDeps, hop: Hop, tls: ConnectOptions['tls']): Promise<ConnectOutcome> {
  const { protocol, port, verify, ca } = hop.options;
  return connect({
    protocol,
    to: { addresses: hop.host.addresses, port },
    tls,
    servername: hop.host.name,
    helo: deps.settings.hostname,
    clock: deps.clock,
    ...(verify !== undefined && { verify }),
    ...(ca !== undefined && { ca }),
  });
}

/** The outcome of recipients whom no host took or refused: try again later. */
export function failureOutcome(failure: ClientFailure | undefined, hostText: string): Outcome {
  const said = failure?.reply === undefined ? undefined : replyText(failure.reply);
  const reply = said ?? `451 4.4.1 ${failure?.reason ?? 'no host could be reached'}`;
  return { outcome: 'deferred', reply, host: hostText, lostReply: failure?.phase === 'after-data' };
}
