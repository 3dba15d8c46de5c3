import { destinationOf } from '../delivery/plan.ts';
import type { SessionFacts } from '../service.ts';
import type { Evidence } from './authenticate.ts';

/**
 * Whoever has a domain answers for the names below it, but who has a name below it (a customer's, say) does not answer
 * for the domain: stricter than relaxed alignment (RFC 9989 4.10.3). A whole top-level domain signs for nobody.
 */
function aligned(signer: string, domain: string): boolean {
  if (!signer.includes('.')) return false;
  return signer === domain || domain.endsWith(`.${signer}`);
}

/**
 * Whether the reverse-path is the sender's own, so that a notification to it after our 250 does not hit a bystander:
 * SPF passes, or a DKIM signature of its domain (or of one above it) holds.
 */
export function senderIsGenuine(session: SessionFacts, reversePath: string, evidence: Evidence): boolean {
  // A program beside us hands on what others sent: its own address proves nothing.
  if (session.protocol !== 'smtp' || reversePath === '' || evidence.state === 'unchecked') return false;
  if (evidence.spf.result === 'pass') return true;
  const domain = destinationOf(reversePath);
  return evidence.dkim.some((result) => result.status === 'pass' && aligned(result.domain ?? '', domain));
}
