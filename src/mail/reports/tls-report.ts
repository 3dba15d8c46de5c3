import { cleanCount, cleanDomain, cleanIp, cleanText, cleanTime } from './text.ts';
import { type ReportLimits, ReportProblem, reportLimits } from './problem.ts';
import type { TlsFailure, TlsPolicyReport, TlsPolicyType, TlsReport } from './tls-types.ts';

/** Strings of a policy, and patterns of MX hosts, that are kept. */
const STRINGS_MAX = 50;

/** The JSON of a TLS report (RFC 8460 section 4.4), a policy in each piece. */
export function* tlsReportJson(report: TlsReport): Generator<string> {
  const head = {
    'organization-name': report.organisation,
    'date-range': {
      'start-datetime': dateTime(report.beginMs),
      'end-datetime': dateTime(report.endMs),
    },
    'contact-info': report.contact,
    'report-id': report.reportId,
  };
  yield `${JSON.stringify(head).slice(0, -1)},"policies":[`;
  let separator = '';
  for (const policy of report.policies) {
    yield separator + JSON.stringify(policyJson(policy));
    separator = ',';
  }
  yield ']}';
}

function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}

function policyJson({ policy, successes, failures, details }: TlsPolicyReport): object {
  const { type, domain, strings, mxHosts } = policy;
  return {
    policy: {
      'policy-type': type,
      ...(strings.length > 0 && { 'policy-string': strings }),
      'policy-domain': domain,
      ...(mxHosts.length > 0 && { 'mx-host': mxHosts }),
    },
    summary: { 'total-successful-session-count': successes, 'total-failure-session-count': failures },
    ...(details.length > 0 && { 'failure-details': details.map(failureJson) }),
  };
}

function failureJson(failure: TlsFailure): object {
  return {
    'result-type': failure.resultType,
    'sending-mta-ip': failure.sendingIp,
    'receiving-mx-hostname': failure.mxHost,
    'receiving-mx-helo': failure.mxHelo,
    'receiving-ip': failure.receivingIp,
    'failed-session-count': failure.sessions,
    'additional-information': failure.information,
    'failure-reason-code': failure.reason,
  };
}

/**
 * Reads a TLS report, its octets unpacked. Takes what senders get wrong: lists that are single strings, counts that are
 * strings, missing parts. Throws ReportProblem 'broken', 'not-a-report'. Blocks as long as JSON of that size takes:
 * not for the event loop.
 */
export function parseTlsReport(octets: Buffer, limits: ReportLimits = reportLimits): TlsReport {
  let value: unknown;
  try {
    value = JSON.parse(octets.toString('utf8').replace(/^\ufeff/, ''));
  } catch {
    throw new ReportProblem('broken', 'it is not JSON');
  }
  const report = object(value);
  const policies = list(report['policies']);
  if (policies.length === 0) throw new ReportProblem('not-a-report', 'it has no policies');
  if (policies.length > limits.tlsPolicies)
    throw new ReportProblem('too-many', `it has ${policies.length} policies`);
  const range = object(report['date-range']);
  const beginMs = cleanTime(string(range['start-datetime']));
  if (beginMs === undefined) throw new ReportProblem('broken', 'it does not say what time it is about');
  const endMs = Math.max(beginMs, cleanTime(string(range['end-datetime'])) ?? beginMs);
  const contact = cleanText(string(report['contact-info']));
  const organisation = cleanText(string(report['organization-name']));
  const reportId = cleanText(string(report['report-id']));
  return {
    organisation: organisation || contact.slice(contact.lastIndexOf('@') + 1) || 'unknown',
    contact,
    reportId: reportId === '' ? `${beginMs}-${endMs}` : reportId,
    beginMs,
    endMs,
    policies: policies.map((one) => policyReport(object(one), limits)),
  };
}

type Json = Readonly<Record<string, unknown>>;

function policyReport(value: Json, limits: ReportLimits): TlsPolicyReport {
  const policy = object(value['policy']);
  const summary = object(value['summary']);
  const details = list(value['failure-details'])
    .slice(0, limits.tlsFailures)
    .map((one) => failureOf(object(one)));
  const stated = cleanCount(summary['total-failure-session-count']);
  return {
    policy: {
      type: policyType(string(policy['policy-type'])),
      domain: cleanDomain(string(policy['policy-domain'])),
      strings: textList(policy['policy-string']),
      mxHosts: textList(policy['mx-host']),
    },
    successes: cleanCount(summary['total-successful-session-count']) ?? 0,
    failures: stated ?? details.reduce((sum, { sessions }) => sum + sessions, 0),
    details,
  };
}

function policyType(text: string): TlsPolicyType {
  return text === 'sts' || text === 'tlsa' ? text : 'no-policy-found';
}

function failureOf(value: Json): TlsFailure {
  const text = (key: string): string => cleanText(string(value[key]));
  const ip = (key: string): string => cleanIp(string(value[key]));
  return {
    resultType: cleanText(string(value['result-type']), 60).toLowerCase(),
    sessions: cleanCount(value['failed-session-count']) ?? 0,
    ...optional('sendingIp', ip('sending-mta-ip')),
    ...optional('mxHost', text('receiving-mx-hostname')),
    ...optional('mxHelo', text('receiving-mx-helo')),
    ...optional('receivingIp', ip('receiving-ip')),
    ...optional('information', text('additional-information')),
    ...optional('reason', text('failure-reason-code')),
  };
}

function optional<K extends keyof TlsFailure>(key: K, value: string): { [P in K]?: string } {
  return value === '' ? {} : ({ [key]: value } as { [P in K]?: string });
}

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function string(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 4096) : '';
}

/** Strings of a list, of lists in it, or one string alone. */
function textList(value: unknown): string[] {
  const flat = Array.isArray(value) ? value.slice(0, STRINGS_MAX).flat(1) : [value];
  return flat
    .slice(0, STRINGS_MAX)
    .map((one) => cleanText(string(one), 500))
    .filter((one) => one !== '');
}
