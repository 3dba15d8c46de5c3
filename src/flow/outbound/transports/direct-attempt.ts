import { isIP } from 'node:net';
import type { QueueRecipient } from '../../../data/queue/types.ts';
import type { Dns } from '../../../mail/dns.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type { FlowDeps } from '../../deps.ts';
import type { ClientPool } from '../pool.ts';
import type { DirectSettings } from '../routing/settings.ts';
import { deferred, failed, type Outcome } from '../transport.ts';
import { directHop, tlsOf, type TlsTarget } from './direct-hop.ts';
import type { FoundHosts, NextHost } from './hosts.ts';
import type { Ipv6Memory } from './ipv6-memory.ts';
import { isIpv6Trouble, isRateTrouble } from './rate-replies.ts';
import { hostGroup, type Shaper, type TurnEnd } from './shaping.ts';
import { failureOutcome, type Hop, type HopResult, type Parcel, tryHop } from './smtp.ts';
import type { StsPolicies } from './sts.ts';
import type { HostTls } from './tls-policy.ts';
import { waivesTls } from './tls-required-field.ts';

/** One attempt at the hosts of a destination, one after the other. */

export interface DirectParts {
  readonly deps: FlowDeps;
  readonly dns: Dns;
  readonly settings: DirectSettings;
  readonly port: number;
  readonly ca: string | undefined;
  readonly pool: ClientPool;
  readonly shaper: Shaper;
  readonly sts: StsPolicies;
  readonly ipv6: Ipv6Memory;
}

/** Hosts of one operator that are tried after it complained of too much: the next may have room, all of them have not. */
const HOSTS_AFTER_RATE = 1;

/** How far an attempt has come. */
interface Progress {
  readonly outcomes: Map<number, Outcome>;
  left: readonly QueueRecipient[];
  last: Outcome;
  /** Who complained of too much, with its last words and how many of its hosts were tried since. */
  readonly busy: Map<string, { reply: string; hosts: number }>;
  /** Hosts that cannot do what REQUIRETLS asks, and hosts in all, as far as they were looked at. */
  unfit: number;
  hosts: number;
}

/** Outcomes by recipient; those missing were not tried because the program stops. */
export async function deliverDirectly(
  parts: DirectParts,
  found: FoundHosts,
  parcel: Parcel,
): Promise<Map<number, Outcome>> {
  const { work, content } = parcel;
  let waived: Promise<boolean> | undefined;
  const target: TlsTarget = {
    domain: work.destination,
    found,
    requireTls: work.message.requireTls,
    waived: () => (waived ??= waivesTls(content)),
  };
  const progress: Progress = {
    outcomes: new Map(),
    left: work.recipients,
    last: deferred('451 4.4.1 No host could be reached'),
    busy: new Map(),
    unfit: 0,
    hosts: 0,
  };
  for (const host of found.hosts) {
    if (progress.left.length === 0) break;
    if ((await tryHost(parts, target, host, parcel, progress)) === 'stopped') return progress.outcomes;
  }
  settleLeft(parts, target, progress);
  return progress.outcomes;
}

async function tryHost(
  parts: DirectParts,
  target: TlsTarget,
  host: NextHost,
  parcel: Parcel,
  progress: Progress,
): Promise<'stopped' | 'done'> {
  const group = hostGroup(host.name);
  const busy = progress.busy.get(group);
  if (busy !== undefined && busy.hosts++ >= HOSTS_AFTER_RATE) return 'done';
  const addresses = addressesFor(parts, group, host);
  progress.hosts++;
  if (addresses.length === 0) {
    progress.last = because(
      '451 4.4.4',
      `${host.name} has IPv6 addresses only, which are switched off here`,
      'network',
    );
    return 'done';
  }
  const tls = await tlsOf(parts, target, host);
  if (tls.use === 'skip') {
    reportSkip(parts, target, host, tls);
    if (tls.lasting) progress.unfit++;
    progress.last = because('451 4.7.5', tls.reason, 'tls');
    return 'done';
  }
  const turn = await parts.shaper.enter(group, parcel.stopping);
  if (turn.status === 'stopped') return 'stopped';
  if (turn.status === 'paused') {
    progress.last = paused(host, turn.leftMs, turn.reply);
    return 'done';
  }
  let end: TurnEnd = { kind: 'neutral' };
  try {
    const hop = directHop(parts, target, { ...host, addresses }, tls);
    const result = await tryFamilies(parts, group, hop, parcel, progress.left);
    if (result.stopped) {
      for (const [id, outcome] of result.outcomes) progress.outcomes.set(id, outcome);
      return 'stopped';
    }
    end = take(parts, group, result, progress);
  } finally {
    turn.end(end);
  }
  return 'done';
}

/** IPv6 and IPv4, or IPv4 alone where the settings or what an operator said of our IPv6 want it. */
function addressesFor({ settings, ipv6 }: DirectParts, group: string, host: NextHost): readonly string[] {
  const four = host.addresses.filter((address) => isIP(address) === 4);
  if (!settings.ipv6) return four;
  return four.length > 0 && ipv6.refuses(group) ? four : host.addresses;
}

/** Give it to a host; what it does not take because we came by IPv6 goes to it by IPv4 before it counts as refused. */
async function tryFamilies(
  parts: DirectParts,
  group: string,
  hop: Hop,
  parcel: Parcel,
  recipients: readonly QueueRecipient[],
): Promise<HopResult> {
  const first = await tryHop(parts.deps, parts.pool, hop, parcel, recipients);
  const four = hop.host.addresses.filter((address) => isIP(address) === 4);
  if (first.stopped || isIP(first.address) !== 6 || four.length === 0) return first;
  const byName = new Map(recipients.map((recipient) => [recipient.id, recipient]));
  const again = [...first.outcomes].flatMap(([id, outcome]) => {
    const recipient = byName.get(id);
    return recipient !== undefined && refusedForIpv6(outcome) ? [recipient] : [];
  });
  const said = first.failure?.reply;
  if (said !== undefined && isIpv6Trouble(replyText(said))) again.push(...first.untried);
  if (again.length === 0) return first;
  parts.ipv6.note(group);
  const byFour = { ...hop, host: { ...hop.host, addresses: four }, tag: `${hop.tag} ipv4` };
  const second = await tryHop(parts.deps, parts.pool, byFour, parcel, again);
  const outcomes = new Map(first.outcomes);
  for (const { id } of again) outcomes.delete(id);
  for (const [id, outcome] of second.outcomes) outcomes.set(id, outcome);
  const others = first.untried.filter((recipient) => !again.includes(recipient));
  return { ...second, outcomes, untried: [...others, ...second.untried] };
}

function refusedForIpv6(outcome: Outcome): boolean {
  if (outcome.outcome === 'delivered' || outcome.answered !== true) return false;
  if (outcome.outcome === 'deferred' && outcome.lostReply) return false;
  return isIpv6Trouble(outcome.reply);
}

/** Take in what a host did; answers how the turn went. */
function take(parts: DirectParts, group: string, result: HopResult, progress: Progress): TurnEnd {
  let complaint: string | undefined;
  let delivered = false;
  for (const [id, outcome] of result.outcomes) {
    delivered ||= outcome.outcome === 'delivered';
    const slow = outcome.outcome === 'deferred' && outcome.answered === true && isRateTrouble(outcome.reply);
    if (slow) complaint = outcome.reply;
    const pauseMs = slow ? parts.shaper.pause(group, outcome.reply) : undefined;
    progress.outcomes.set(id, slow ? { ...outcome, cause: 'rate', pauseMs } : outcome);
  }
  progress.left = result.untried;
  if (result.untried.length > 0) {
    progress.last = failureOutcome(result.failure, result.hostText);
    if (isUnfit(result.failure)) progress.unfit++;
    const said = result.failure?.reply;
    if (said !== undefined && isRateTrouble(replyText(said))) {
      complaint = replyText(said);
      progress.busy.set(group, { reply: complaint, hosts: progress.busy.get(group)?.hosts ?? 0 });
    }
  }
  if (complaint !== undefined) return { kind: 'trouble', reply: complaint };
  return { kind: delivered ? 'success' : 'neutral' };
}

/** RFC 8689 section 4.2.1: without TLS, with a wrong certificate or without the extension, another host is tried. */
function isUnfit(failure: ClientFailure | undefined): boolean {
  return failure?.tls === 'not-offered' || failure?.tls === 'certificate';
}

/** What those get whom no host took. */
function settleLeft(parts: DirectParts, target: TlsTarget, progress: Progress): void {
  if (progress.left.length === 0) return;
  let outcome = progress.last;
  if (target.requireTls && progress.hosts > 0 && progress.unfit === progress.hosts) {
    const why = outcome.reply.replace(/^\d{3} (?:\d\.\d+\.\d+ )?/, '');
    // RFC 8689 section 5: X.7.30, REQUIRETLS support required.
    outcome = {
      ...failed('5.7.30', `No host can take this message as REQUIRETLS asks: ${why}`),
      cause: 'tls',
    };
  }
  for (const [group, { reply }] of progress.busy) {
    const pauseMs = parts.shaper.pause(group, reply);
    if (outcome.outcome === 'deferred') outcome = { ...outcome, cause: 'rate', pauseMs };
  }
  for (const { id } of progress.left) progress.outcomes.set(id, outcome);
}

function because(code: string, reason: string, cause: NonNullable<Outcome['cause']>): Outcome {
  return { ...deferred(`${code} ${reason}`), cause };
}

function paused(host: NextHost, leftMs: number, reply: string): Outcome {
  const seconds = Math.ceil(leftMs / 1000);
  const text = `${host.name} asked for less mail, nothing is sent there for ${seconds} s: ${reply}`;
  // RFC 3463 3.5: X.4.5, the destination is congested.
  return { ...because('451 4.4.5', text, 'rate'), pauseMs: leftMs };
}

function reportSkip(
  { deps }: DirectParts,
  { domain }: TlsTarget,
  host: NextHost,
  { policy, finding }: HostTls,
): void {
  if (policy === undefined || finding === undefined) return;
  const receivingIp = host.addresses[0] ?? '';
  deps.reports?.observeTls({ domain, policy, mxHost: host.name, receivingIp, ...finding });
}
