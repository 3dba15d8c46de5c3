import { createDkimVerifier, type DkimVerifier } from '../../mail/dkim/verify.ts';
import { checkHost } from '../../mail/spf/check.ts';
import { BodySplit } from '../body-split.ts';
import type { FlowDeps } from '../deps.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { SessionFacts } from '../service.ts';

/** Verifies DKIM signatures while a message streams by; only for messages whose sender we may have to write to. */
export class DkimTap {
  readonly #verifier: DkimVerifier;
  readonly #split: BodySplit;

  constructor(deps: FlowDeps, dns: NonNullable<FlowDeps['dns']>) {
    const verifier = createDkimVerifier({ dns, nowMs: deps.clock.now() });
    this.#verifier = verifier;
    this.#split = new BodySplit({
      header: (header) => verifier.start(header),
      body: (chunk) => verifier.push(chunk),
    });
  }

  push(chunk: Buffer): void {
    this.#split.push(chunk);
  }

  /** Whether a signature that holds is by the reverse-path's domain or by one above it. */
  async passesFor(domain: string): Promise<boolean> {
    this.#split.end();
    const { results } = await this.#verifier.finish();
    return results.some((result) => result.status === 'pass' && aligned(result.domain ?? '', domain));
  }
}

/**
 * Whoever has a domain answers for the names below it, but who has a name below it (a customer's, say) does not answer
 * for the domain: stricter than the relaxed alignment of RFC 7489 3.1.1. A whole top-level domain signs for nobody.
 */
function aligned(signer: string, domain: string): boolean {
  if (!signer.includes('.')) return false;
  return signer === domain || domain.endsWith(`.${signer}`);
}

/**
 * Whether the reverse-path is the sender's own, so that a notification to it after our 250 does not hit a bystander:
 * SPF passes, or a DKIM signature of its domain (or of one above it) holds.
 */
export async function senderIsGenuine(
  deps: FlowDeps,
  session: SessionFacts,
  reversePath: string,
  dkim: DkimTap | undefined,
): Promise<boolean> {
  // A program beside us hands on what others sent: its own address proves nothing.
  if (deps.dns === undefined || session.protocol !== 'smtp' || reversePath === '') return false;
  const spf = await checkHost({
    ip: session.remoteAddress,
    helo: session.helo,
    mailFrom: reversePath,
    dns: deps.dns,
    nowMs: deps.clock.now(),
    receiver: deps.settings.hostname,
  });
  if (spf.result === 'pass') return true;
  return (await dkim?.passesFor(destinationOf(reversePath))) ?? false;
}
