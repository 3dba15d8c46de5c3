import type { DepositResult } from '../../data/mailstore/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import type { AppliedPolicy, RecognisedReport } from '../report-hooks.ts';
import type { TakenMessage } from '../intake.ts';
import type { Evidence } from './authenticate.ts';
import { covers } from './decisions.ts';
import type { Envelope } from './envelope.ts';
import type { Judgement } from './judge.ts';

/** What the reports are told of mail from other hosts: for theirs about us, and for ours about them. */

/** Count the message for the daily report of the domain it says it is from. */
export function observe(envelope: Envelope, evidence: Evidence, judgement: Judgement | undefined): void {
  const { deps, session } = envelope;
  if (session.protocol !== 'smtp' || evidence.state === 'unchecked') return;
  // A report is about addresses; of mail that another host took, the client's may not be known.
  if (session.remoteAddress === '') return;
  deps.reports?.observeDmarc(evidence, appliedPolicy(evidence, judgement));
}

/** What was done because of DMARC, and why it is not what the domain asks for when it is not. */
function appliedPolicy({ dmarc }: Evidence, judgement: Judgement | undefined): AppliedPolicy {
  const verdict = judgement?.accounts.values().next().value ?? judgement?.site;
  if (verdict?.decidedBy?.name === 'DMARC_POLICY')
    return { disposition: verdict.action === 'refuse' ? 'reject' : 'quarantine' };
  if (dmarc.disposition === 'none') return { disposition: 'none' };
  if (judgement?.forwarder !== undefined) {
    return {
      disposition: 'none',
      reason: { type: 'trusted_forwarder', comment: judgement.forwarder.domain },
    };
  }
  const ignored = judgement !== undefined && covers(judgement.settings.dmarc.ignore, dmarc.domain);
  return { disposition: 'none', reason: { type: 'local_policy', ...(ignored && { comment: 'listed' }) } };
}

/** Is it a report for us? To be asked before the commit, which may give the octets away. */
export function recognise(
  envelope: Envelope,
  { structure, header }: TakenMessage,
): RecognisedReport | undefined {
  return envelope.deps.reports?.recognise(structure, header);
}

/** Have a report read in the background, now that it is stored. */
export function take(
  envelope: Envelope,
  report: RecognisedReport | undefined,
  evidence: Evidence,
  stored: {
    readonly deposits: readonly DepositResult[];
    readonly queue: readonly Enqueue[];
    readonly at: number;
  },
): void {
  const { deps, recipients } = envelope;
  if (report === undefined || deps.reports === undefined) return;
  const deposit = stored.deposits.find(({ status }) => status === 'stored');
  const queueId = stored.queue[0]?.queueId;
  const place =
    deposit?.status === 'stored'
      ? { emailId: deposit.emailId }
      : queueId === undefined
        ? undefined
        : { queueId };
  if (place === undefined) return;
  deps.reports.take(report, {
    recipients: recipients.map(({ address }) => address),
    receivedAt: stored.at,
    evidence,
    stored: place,
  });
}
