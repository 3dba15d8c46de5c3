import type { LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import type { ConnectOptions, ConnectOutcome } from '../../../net/smtp-client/connect.ts';
import type { SmtpClient } from '../../../net/smtp-client/client.ts';
import { connect } from '../../../net/smtp-client/connect.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type { FlowDeps } from '../../deps.ts';
import { noTlsPolicy, tlsOutcomeOf } from '../../tls-session.ts';
import type { ClientPool, PoolOutcome } from '../pool.ts';
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
  /** Domain of the recipients, where its TLS reports are to hear of the session. */
  readonly reportTo?: string;
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
  /** The program is stopping: the untried were not tried. */
  readonly stopped: boolean;
}

/** Sessions with one host for one message at most. */
const SESSIONS_MAX = 10;

/** What is to be handed over, and the signal not to begin. */
export interface Parcel {
  readonly work: LeasedWork;
  readonly content: MessageContent;
  readonly stopping: AbortSignal;
}

/**
 * Give a message to one host: by an open session if there is one, else by a new one; once more when a kept one had
 * died, and again while the host takes only so many recipients in a session.
 */
export async function tryHop(
  deps: FlowDeps,
  pool: ClientPool,
  hop: Hop,
  parcel: Parcel,
  recipients: readonly QueueRecipient[],
): Promise<HopResult> {
  const outcomes = new Map<number, Outcome>();
  let untried = recipients;
  for (let session = 0; ; session++) {
    const result = await oneSession(deps, pool, hop, parcel, untried, session > 0);
    if (result === 'stopped') return { outcomes, untried, failure: undefined, hostText: '', stopped: true };
    for (const [id, outcome] of result.outcomes) outcomes.set(id, outcome);
    untried = result.untried;
    const more = untried.length > 0 && result.failure === undefined && result.outcomes.size > 0;
    if (!more || session + 1 >= SESSIONS_MAX) return { ...result, outcomes, stopped: false };
  }
}

async function oneSession(
  deps: FlowDeps,
  pool: ClientPool,
  hop: Hop,
  { work, content, stopping }: Parcel,
  recipients: readonly QueueRecipient[],
  fresh: boolean,
): Promise<Omit<HopResult, 'stopped'> | 'stopped'> {
  const key = `${hop.host.name}:${hop.options.port}:${hop.options.tls}`;
  let hostText = hop.host.name;
  const use = async (client: SmtpClient, reused: boolean): Promise<HandOver & { reused: boolean }> => {
    hostText = `${hop.host.name} [${client.remoteAddress}]`;
    return { ...(await handOver(deps, client, work, recipients, content, hostText)), reused };
  };
  const open = (): Promise<ConnectOutcome> => openSession(deps, hop);
  let result = await pool.run(key, open, use, { stopping, fresh });
  // A session kept idle may have been closed by the other side just now: that says nothing about the host.
  if (diedIdle(result)) result = await pool.run(key, open, use, { stopping, fresh: true });
  if (result === 'stopped') return result;
  if ('failed' in result) {
    const { failure, address } = result.failed;
    return { outcomes: new Map(), untried: recipients, failure, hostText: `${hop.host.name} [${address}]` };
  }
  return { ...result.done, hostText };
}

function diedIdle(result: PoolOutcome<HandOver & { reused: boolean }>): boolean {
  if (result === 'stopped' || !('done' in result)) return false;
  const { reused, outcomes, failure } = result.done;
  return reused && outcomes.size === 0 && failure !== undefined;
}

async function openSession(deps: FlowDeps, hop: Hop): Promise<ConnectOutcome> {
  const outcome = await dial(deps, hop, hop.options.tls);
  if (hop.reportTo !== undefined) observeTls(deps, hop, hop.reportTo, outcome);
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

/** RFC 8460: how sessions with a domain's hosts begin is what it wants to be told of. */
function observeTls(deps: FlowDeps, hop: Hop, domain: string, outcome: ConnectOutcome): void {
  const policy = noTlsPolicy(domain);
  const seen = tlsOutcomeOf(outcome, policy);
  if (seen !== undefined) deps.reports?.observeTls({ domain, policy, mxHost: hop.host.name, ...seen });
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
  const lostReply = failure?.phase === 'after-data';
  return { outcome: 'deferred', reply, host: hostText, answered: said !== undefined, lostReply };
}
