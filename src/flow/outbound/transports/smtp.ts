import type { LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import type { TlsQuirk } from '../../../data/transport-security/types.ts';
import type { ConnectOptions, ConnectOutcome } from '../../../net/smtp-client/connect.ts';
import type { SmtpClient } from '../../../net/smtp-client/client.ts';
import { connect } from '../../../net/smtp-client/connect.ts';
import type { TlsForm } from '../../../net/smtp-client/tls.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type { FlowDeps } from '../../deps.ts';
import type { ClientPool, PoolOutcome } from '../pool.ts';
import type { Cause, MessageContent, Outcome } from '../transport.ts';
import { type HandOver, handOver } from './hand-over.ts';
import type { NextHost } from './hosts.ts';
import { dialWithQuirks } from './quirks.ts';

/** One host and how to speak with it. */
export interface Hop {
  readonly host: NextHost;
  readonly options: Pick<
    ConnectOptions,
    'tls' | 'verify' | 'protocol' | 'ca' | 'tlsProfile' | 'localAddresses' | 'timeouts' | 'transcript'
  > & {
    readonly port: number;
    /** Name for SNI and certificate, where it is not the host's. */
    readonly servername?: string;
    /** Argument of EHLO, where it is not our own name. */
    readonly helo?: string;
  };
  /** Sessions are shared by hops to one host whose tags are the same. */
  readonly tag?: string;
  /** Told how each session began, by TLS; with what is remembered where that kept TLS from being tried. */
  readonly observe?: (tls: ConnectOutcome, remembered: TlsQuirk | undefined) => void;
  /** Find and remember which form of TLS the host bears. */
  readonly quirks?: boolean;
  /** After EHLO: log in, or look whether the host will do. Answers why not, or undefined. */
  readonly login?: (outcome: ConnectOutcome & { status: 'connected' }) => Promise<ClientFailure | undefined>;
}

export interface HopResult {
  readonly outcomes: ReadonlyMap<number, Outcome>;
  /** Recipients another host may be tried for. */
  readonly untried: readonly QueueRecipient[];
  /** Why, when some are untried. */
  readonly failure: ClientFailure | undefined;
  readonly hostText: string;
  /** The address we spoke with last, '' without one. */
  readonly address: string;
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
    if (result === 'stopped')
      return { outcomes, untried, failure: undefined, hostText: '', address: '', stopped: true };
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
  const { options, tag = '' } = hop;
  const key = `${hop.host.path ?? hop.host.name}:${options.port}:${options.tls}:${tag}`;
  let hostText = hop.host.name;
  let address = '';
  const use = async (client: SmtpClient, reused: boolean): Promise<HandOver & { reused: boolean }> => {
    address = client.remoteAddress;
    hostText = withAddress(hop, address);
    return { ...(await handOver(deps, client, work, recipients, content, hostText)), reused };
  };
  const open = (): Promise<ConnectOutcome> => openSession(deps, hop);
  let result = await pool.run(key, open, use, { stopping, fresh });
  // A session kept idle may have been closed by the other side just now: that says nothing about the host.
  if (diedIdle(result)) result = await pool.run(key, open, use, { stopping, fresh: true });
  if (result === 'stopped') return result;
  if ('failed' in result) {
    const { failure, address: tried } = result.failed;
    const text = withAddress(hop, tried);
    return { outcomes: new Map(), untried: recipients, failure, hostText: text, address: tried };
  }
  return { ...result.done, hostText, address };
}

function withAddress({ host }: Hop, address: string): string {
  return host.path === undefined ? `${host.name} [${address}]` : host.name;
}

function diedIdle(result: PoolOutcome<HandOver & { reused: boolean }>): boolean {
  if (result === 'stopped' || !('done' in result)) return false;
  const { reused, outcomes, failure } = result.done;
  return reused && outcomes.size === 0 && failure !== undefined;
}

/** Open a session with a host, in the form of TLS it bears, logged in. */
export async function openSession(deps: FlowDeps, hop: Hop): Promise<ConnectOutcome> {
  const session = await dialHop(deps, hop);
  if (session.status === 'failed' || hop.login === undefined) return session;
  const failure = await hop.login(session);
  if (failure === undefined) return session;
  session.client.destroy();
  return { status: 'failed', failure, address: session.client.remoteAddress };
}

async function dialHop(deps: FlowDeps, hop: Hop): Promise<ConnectOutcome> {
  const { tls } = hop.options;
  const mayBePlain = tls === 'opportunistic';
  if (hop.quirks === true && tls !== 'none') {
    const {
      session,
      tls: seen,
      remembered,
    } = await dialWithQuirks(deps, {
      host: hop.options.servername ?? hop.host.name,
      mayBePlain,
      dial: (how) => (how === 'plain' ? dial(deps, hop, 'none') : dial(deps, hop, tls, how)),
    });
    hop.observe?.(seen, remembered);
    return session;
  }
  const outcome = await dial(deps, hop, tls);
  hop.observe?.(outcome, undefined);
  // RFC 3207 and 7435: where TLS is only opportunistic, a peer whose TLS is broken still gets its mail, in clear.
  const retryPlain = outcome.status === 'failed' && outcome.failure.phase === 'tls' && mayBePlain;
  return retryPlain ? dial(deps, hop, 'none') : outcome;
}

function dial(
  deps: FlowDeps,
  hop: Hop,
  tls: ConnectOptions['tls'],
  form: TlsForm = 'usual',
): Promise<ConnectOutcome> {
  const { port, servername, helo, tls: _tls, ...options } = hop.options;
  const { path, addresses, name } = hop.host;
  return connect({
    ...options,
    to: path === undefined ? { addresses, port } : { path },
    tls,
    tlsForm: form,
    servername: servername ?? name,
    helo: helo ?? deps.settings.hostname,
    clock: deps.clock,
  });
}

/** The outcome of recipients whom no host took or refused: try again later. */
export function failureOutcome(failure: ClientFailure | undefined, hostText: string): Outcome {
  const said = failure?.reply === undefined ? undefined : replyText(failure.reply);
  const reply = said ?? `451 ${statusOf(failure)} ${failure?.reason ?? 'no host could be reached'}`;
  const lostReply = failure?.phase === 'after-data';
  const cause = said === undefined ? causeOf(failure) : undefined;
  return { outcome: 'deferred', reply, cause, host: hostText, answered: said !== undefined, lostReply };
}

/** What is known of the cause without words of the remote. */
function causeOf(failure: ClientFailure | undefined): Cause | undefined {
  if (failure?.phase === 'tls') return 'tls';
  if (failure?.phase === 'auth') return 'auth';
  return failure?.kind === 'refused' ? undefined : 'network';
}

/** RFC 3463 3.8: X.7.5, the certificate; X.7.4, no TLS at all. */
function statusOf(failure: ClientFailure | undefined): string {
  if (failure?.tls === 'certificate') return '4.7.5';
  return failure?.tls === 'not-offered' ? '4.7.4' : '4.4.1';
}
