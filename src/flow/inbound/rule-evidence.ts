import type { RuleEvidence } from '../spam/rules/types.ts';
import type { Evidence } from './authenticate.ts';
import type { Envelope } from './envelope.ts';
import { exemption } from './gate/networks.ts';
import type { ForwarderWord } from './forwarder.ts';

/** An address that cannot come from outside. */
const isPrivate = exemption([]);

/** What rules may know of where a message comes from. */
export function ruleEvidence(
  envelope: Envelope,
  evidence: Evidence,
  forwarder: ForwarderWord | undefined,
  ownProgram = false,
): RuleEvidence {
  const { deps, session, reversePath, recipients, elsewhere } = envelope;
  const envelopeFacts = {
    reversePath,
    recipientCount: recipients.length,
    recipients: recipients.map(({ address }) => address.toLowerCase()),
    ownHosts: new Set([deps.settings.hostname.toLowerCase()]),
    ownDomains: new Set(
      recipients.map(({ address }) => address.slice(address.lastIndexOf('@') + 1).toLowerCase()),
    ),
    now: deps.clock.now(),
  };
  if (session.protocol !== 'smtp') return envelopeFacts;
  return {
    ...envelopeFacts,
    // How a program of ours on this machine or beside it comes in says nothing. Names of hosts are the gate's matter:
    // the same fact must not count twice.
    ...(!isPrivate(session.remoteAddress) && {
      clientIp: session.remoteAddress,
      // How it came to another host is not known.
      ...(elsewhere === undefined && { tls: session.tls !== undefined }),
    }),
    // It is no server of our domain by its records, and no forger for that.
    ...(evidence.state === 'checked' && !ownProgram && authentication(evidence, forwarder)),
  };
}

/** What could be proven of the sender, as rules take it. */
export function authentication(
  evidence: Evidence,
  forwarder: ForwarderWord | undefined,
): Partial<RuleEvidence> {
  const { spf, dkim, dmarc, arc } = evidence;
  return {
    spf: { result: spf.result, domain: spf.domain },
    dkim: dkim
      .filter(({ status }) => status !== 'none')
      .map(({ status, domain }) => ({ result: status, domain: domain ?? '' })),
    dmarc: { result: dmarc.result, policy: dmarc.policy ?? 'none', domain: dmarc.domain },
    arc: {
      result: arc.status === 'pass' || arc.status === 'fail' ? arc.status : 'none',
      trusted: forwarder !== undefined,
      sealer: forwarder?.domain ?? arc.links.at(-1)?.domain ?? '',
    },
  };
}
