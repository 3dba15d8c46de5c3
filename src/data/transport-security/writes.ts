import type { StsMode } from '../../mail/mta-sts/policy.ts';
import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import {
  dropQuirk,
  dropSts,
  forgetQuirks,
  forgetSts,
  forgetStsBefore,
  keepQuirk,
  keepSts,
  quirkSeenAt,
  stsFailed,
  stsUsed,
  stsUsedAt,
} from './transport-security.sql.ts';
import { type StsFailure, type TlsQuirkKind, TRANSPORT_SECURITY_KEPT as KEPT } from './types.ts';

const DAY = 86_400_000;
/** Characters of a reason that are kept. */
const REASON_MAX = 300;

interface KeepSts {
  readonly domain: string;
  readonly recordId: string;
  readonly mode: StsMode;
  readonly file: Uint8Array;
  /** Milliseconds it may be kept from now. */
  readonly forMs: number;
}

async function forget(
  tx: WriteTx,
  args: { readonly policies?: number; readonly quirks?: number },
): Promise<number> {
  let gone = await tx.run(forgetSts, tx.now, tx.now - DAY);
  gone += await tx.run(forgetQuirks, tx.now - KEPT.quirkMs);
  const policy = await tx.get(stsUsedAt, args.policies ?? KEPT.policies);
  if (policy !== undefined) gone += await tx.run(forgetStsBefore, policy.used_at);
  const quirk = await tx.get(quirkSeenAt, args.quirks ?? KEPT.quirks);
  if (quirk !== undefined) gone += await tx.run(forgetQuirks, quirk.last_at);
  return gone;
}

export const writes = {
  /** A policy was fetched. What failed before is forgotten. */
  'transport.keepSts': (async (tx, { domain, recordId, mode, file, forMs }) => {
    await tx.run(keepSts, domain, recordId, mode, file, tx.now, tx.now + forMs, tx.now);
    return null;
  }) as WriteFunction<KeepSts, null>,
  /** A fetch failed; a policy that is known stays. */
  'transport.stsFailed': (async (tx, { domain, recordId, type, reason }) => {
    await tx.run(stsFailed, domain, tx.now, tx.now, recordId, type, reason.slice(0, REASON_MAX));
    return null;
  }) as WriteFunction<StsFailure & { domain: string; recordId: string }, null>,
  /** Mail goes to a domain by its policy: it is to be kept fresh. */
  'transport.stsUsed': (async (tx, { domain }) => {
    await tx.run(stsUsed, tx.now, domain);
    return null;
  }) as WriteFunction<{ domain: string }, null>,
  'transport.dropSts': ((tx, { domain }) => tx.run(dropSts, domain)) as WriteFunction<
    { domain: string },
    number
  >,
  /** A host needs a reduced form of TLS for `forMs` milliseconds. */
  'transport.keepQuirk': (async (tx, { host, quirk, reason, forMs }) => {
    await tx.run(keepQuirk, host, quirk, reason.slice(0, REASON_MAX), tx.now, tx.now, tx.now + forMs);
    return null;
  }) as WriteFunction<{ host: string; quirk: TlsQuirkKind; reason: string; forMs: number }, null>,
  'transport.dropQuirk': ((tx, { host }) => tx.run(dropQuirk, host)) as WriteFunction<
    { host: string },
    number
  >,
  /** Forget what has run out and the oldest of too many; answers how many rows. */
  'transport.forget': forget as WriteFunction<{ policies?: number; quirks?: number }, number>,
} as const;
