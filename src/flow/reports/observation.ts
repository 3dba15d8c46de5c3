import type { DkimAuthResult, DmarcPolicyPublished, DmarcRecord } from '../../mail/reports/dmarc-types.ts';
import type { TlsFailure, TlsPolicy } from '../../mail/reports/tls-types.ts';
import type { AppliedPolicy, ReportEvidence, TlsSession } from '../report-hooks.ts';

/** DKIM results of one row. RFC 9990 3.1.3 allows 100; each one more makes rows that are not alike. */
const DKIM_MAX = 10;
/** A row of an aggregate report without its count: what makes messages alike. */
export type DmarcObserved = Omit<DmarcRecord, 'count'>;

/** What is counted of a message, and the policy it was judged by; undefined when its domain wants no reports. */
export function dmarcObservation(
  evidence: ReportEvidence,
  applied: AppliedPolicy,
): { domain: string; policy: DmarcPolicyPublished; row: DmarcObserved } | undefined {
  const { state, dmarc, ip } = evidence;
  const { record, recordDomain: domain } = dmarc;
  if (state !== 'checked' || record === undefined || domain === undefined || ip === '') return undefined;
  if (record.rua.length === 0 || (dmarc.result !== 'pass' && dmarc.result !== 'fail')) return undefined;
  const policy: DmarcPolicyPublished = {
    domain,
    p: record.p,
    sp: record.sp,
    np: record.np,
    adkim: record.adkim,
    aspf: record.aspf,
    fo: record.fo.join(':'),
    testing: record.testing ? 'y' : 'n',
    discovery: 'treewalk',
  };
  return { domain, policy, row: rowOf(evidence, applied) };
}

function rowOf({ ip, reversePath, spf, dkim, dmarc }: ReportEvidence, applied: AppliedPolicy): DmarcObserved {
  const passed = dmarc.result === 'pass';
  const { disposition } = applied;
  return {
    sourceIp: ip,
    disposition: passed ? (dmarc.policy === 'none' ? 'none' : 'pass') : disposition,
    dkim: dmarc.alignedBy.dkim === undefined ? 'fail' : 'pass',
    spf: dmarc.alignedBy.spf === undefined ? 'fail' : 'pass',
    reasons: passed ? [] : reasonsOf(dmarc, applied),
    headerFrom: dmarc.domain,
    envelopeFrom: reversePath.slice(reversePath.lastIndexOf('@') + 1).toLowerCase(),
    dkimResults: dkimResults(dkim, dmarc.alignedBy.dkim),
    // RFC 9990 3.1.1.12: the identity that DMARC looks at, which is MAIL FROM (of HELO when that is empty).
    spfResults: [{ domain: spf.domain, scope: 'mfrom', result: spf.result }],
  };
}

/** Why what was done is not what the domain asks for (RFC 9990 3.1.6). */
function reasonsOf(
  dmarc: ReportEvidence['dmarc'],
  { disposition, reason }: AppliedPolicy,
): DmarcRecord['reasons'] {
  if (dmarc.policy === undefined || dmarc.policy === disposition) return [];
  if (reason !== undefined) return [reason];
  if (dmarc.testing) return [{ type: 'policy_test_mode' }];
  return [{ type: 'local_policy' }];
}

/** Those that say most first: aligned, passing, failing (RFC 9990 3.1.3). */
function dkimResults(
  results: ReportEvidence['dkim'],
  aligned: string | undefined,
): readonly DkimAuthResult[] {
  const rank = (one: DkimAuthResult): number => (one.result !== 'pass' ? 2 : one.domain === aligned ? 0 : 1);
  return results
    .flatMap(({ domain, selector, status }) =>
      domain === undefined ? [] : [{ domain, selector: selector ?? '', result: status }],
    )
    .toSorted((a, b) => rank(a) - rank(b))
    .slice(0, DKIM_MAX);
}

/** Sessions alike: `failure` is absent where they succeeded. */
export interface TlsObserved {
  readonly policy: TlsPolicy;
  readonly failure?: Omit<TlsFailure, 'sessions'>;
}

export function tlsObservation(session: TlsSession): TlsObserved {
  const { policy, result, mxHost, receivingIp, mxHelo, sendingIp, reason } = session;
  if (result === 'success') return { policy };
  const failure = {
    resultType: result,
    mxHost,
    receivingIp,
    ...(mxHelo !== undefined && { mxHelo }),
    ...(sendingIp !== undefined && { sendingIp }),
    ...(reason !== undefined && { reason: reason.slice(0, 200) }),
  };
  return { policy, failure };
}
