import type { TlsQuirk, TlsQuirkKind } from '../../../data/transport-security/types.ts';
import type { ConnectOutcome } from '../../../net/smtp-client/connect.ts';
import type { TlsForm } from '../../../net/smtp-client/tls.ts';
import type { FlowDeps } from '../../deps.ts';

/** Hosts whose TLS breaks on the usual form of it: what works with them is found once, remembered, tried anew later. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Milliseconds a reduced form of TLS is used before the usual one is tried again. */
const REDUCED_MS = 7 * DAY;
/**
 * Milliseconds mail goes in clear before TLS is tried again: short the first time, since one bad moment of a host looks
 * the same, longer when it is found again.
 */
const PLAIN_MS: readonly number[] = [HOUR, DAY, 3 * DAY];

/** Forms in the order they are tried: each leaves out something more that hosts break on. */
const LADDER: readonly TlsForm[] = ['usual', 'small-hello', 'tls1.2'];

export interface TlsAttempt {
  readonly host: string;
  /** Whether mail may go in clear when TLS fails: only where no policy asks for it. */
  readonly mayBePlain: boolean;
  dial(how: TlsForm | 'plain'): Promise<ConnectOutcome>;
}

export interface TlsAttempted {
  readonly session: ConnectOutcome;
  /** The outcome that TLS reports speak of: not that of the session in clear after it. */
  readonly tls: ConnectOutcome;
  /** Mail goes in clear because of what is remembered, and TLS was not tried. */
  readonly remembered: TlsQuirk | undefined;
}

/** Open a session in the form of TLS that the host bears. */
export async function dialWithQuirks(deps: FlowDeps, attempt: TlsAttempt): Promise<TlsAttempted> {
  const host = attempt.host.toLowerCase();
  const kept = await deps.store.read.run('transport.quirk', { host });
  const known = kept !== undefined && kept.until > deps.clock.now() ? kept : undefined;
  if (known?.quirk === 'plain' && attempt.mayBePlain) {
    const session = await attempt.dial('plain');
    return { session, tls: session, remembered: known };
  }
  const first: TlsForm = known === undefined || known.quirk === 'plain' ? 'usual' : known.quirk;
  let reason = known?.reason ?? '';
  let tls = await attempt.dial(first);
  let form: TlsForm = first;
  for (const next of LADDER.slice(LADDER.indexOf(first) + 1)) {
    const broke = brokenHandshake(tls);
    if (broke === undefined) break;
    reason = broke;
    tls = await attempt.dial((form = next));
  }
  const broke = brokenHandshake(tls);
  if (broke === undefined) {
    // Without TLS there was nothing to be odd about.
    if (tls.status === 'connected' && tls.client.tls !== undefined)
      await remember(deps, host, kept, known, form, reason);
    return { session: tls, tls, remembered: undefined };
  }
  if (!attempt.mayBePlain) return { session: tls, tls, remembered: undefined };
  // RFC 3207 and 7435: where TLS is only opportunistic, a peer whose TLS is broken still gets its mail, in clear.
  const session = await attempt.dial('plain');
  if (session.status === 'connected') {
    const forMs = PLAIN_MS[Math.min(kept?.quirk === 'plain' ? kept.seen : 0, PLAIN_MS.length - 1)] ?? HOUR;
    await keep(deps, { host, quirk: 'plain', reason: broke, forMs });
  }
  return { session, tls, remembered: undefined };
}

/** Why the handshake failed; undefined when that is not what happened. A certificate that is no good is no quirk. */
function brokenHandshake(outcome: ConnectOutcome): string | undefined {
  if (outcome.status !== 'failed' || outcome.failure.tls !== 'handshake') return undefined;
  return outcome.failure.reason;
}

async function remember(
  deps: FlowDeps,
  host: string,
  kept: TlsQuirk | undefined,
  known: TlsQuirk | undefined,
  form: TlsForm,
  reason: string,
): Promise<void> {
  if (form === 'usual') {
    if (kept !== undefined) await drop(deps, host);
  } else if (known?.quirk !== form) await keep(deps, { host, quirk: form, reason, forMs: REDUCED_MS });
}

type Kept = { host: string; quirk: TlsQuirkKind; reason: string; forMs: number };

/** What is remembered never decides over a delivery: a store that fails is logged and passed over. */
async function keep(deps: FlowDeps, quirk: Kept): Promise<void> {
  deps.logger.info({ host: quirk.host, quirk: quirk.quirk, reason: quirk.reason }, 'tls: a host is odd');
  await deps.store.write.run('transport.keepQuirk', quirk).catch(() => undefined);
}

async function drop(deps: FlowDeps, host: string): Promise<void> {
  await deps.store.write.run('transport.dropQuirk', { host }).catch(() => undefined);
}
