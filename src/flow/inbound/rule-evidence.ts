import type { RuleEvidence } from '../spam/rules/types.ts';
import type { Evidence } from './authenticate.ts';
import type { Envelope } from './envelope.ts';
import type { ForwarderWord } from './forwarder.ts';

/** What rules may know of where a message comes from. */
export function ruleEvidence(
  envelope: Envelope,
  evidence: Evidence,
  forwarder: ForwarderWord | undefined,
): RuleEvidence {
  const { deps, session, reversePath, recipients } = envelope;
  const envelopeFacts = {
    reversePath,
    recipientCount: recipients.length,
    recipients: recipients.map(({ address }) => address.toLowerCase()),
    tls: session.tls !== undefined,
    ownHosts: new Set([deps.settings.hostname.toLowerCase()]),
    ownDomains: new Set(
      recipients.map(({ address }) => address.slice(address.lastIndexOf('@') + 1).toLowerCase()),
    ),
    now: deps.clock.now(),
  };
  if (session.protocol !== 'smtp') return envelopeFacts;
  return {
    ...envelopeFacts,
    clientIp: session.remoteAddress,
    helo: session.helo.toLowerCase(),
    ...(evidence.state === 'checked' && authentication(evidence, forwarder)),
  };
}

function authentication(evidence: Evidence, forwarder: ForwarderWord | undefined): Partial<RuleEvidence> {
  const { spf, dkim, dmarc, arc, iprev } = evidence;
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
    ...(iprev.result !== 'temperror' && {
      rdns: iprev.name ?? iprev.claimed[0] ?? null,
      iprev: iprev.result === 'permerror' ? ('none' as const) : iprev.result,
    }),
  };
}
