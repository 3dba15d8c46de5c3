import { isIP } from 'node:net';
import { cleanCount, cleanDomain, cleanIp, cleanText, cleanTime } from './text.ts';
import type {
  DkimAuthResult,
  DmarcAction,
  DmarcDisposition,
  DmarcPolicyPublished,
  DmarcReason,
  DmarcRecord,
  DmarcReport,
  SpfAuthResult,
} from './dmarc-types.ts';
import { type ReportLimits, ReportProblem, reportLimits } from './problem.ts';
import { createXmlReader } from './xml.ts';

export interface DmarcReader {
  push(piece: Buffer): void;
  /** Throws ReportProblem 'not-a-report', 'broken'. */
  end(): DmarcReport;
}

/** `T` while it is being filled in. */
type Draft<T> = { -readonly [K in keyof T]?: T[K] };

interface State {
  readonly limits: ReportLimits;
  readonly head: {
    -readonly [K in 'organisation' | 'email' | 'contact' | 'reportId' | 'generator']?: string;
  };
  readonly policy: { -readonly [K in keyof DmarcPolicyPublished]?: DmarcPolicyPublished[K] };
  readonly errors: string[];
  begin: string;
  end: string;
  readonly records: DmarcRecord[];
  damaged: number;
  record: RecordDraft;
  reason: Draft<DmarcReason>;
  dkim: Draft<DkimAuthResult>;
  spf: Draft<SpfAuthResult>;
}

interface RecordDraft {
  ip: string;
  count: number | undefined;
  disposition: DmarcDisposition;
  dkim: 'pass' | 'fail';
  spf: 'pass' | 'fail';
  headerFrom: string;
  envelopeFrom: string | undefined;
  envelopeTo: string | undefined;
  readonly reasons: DmarcReason[];
  readonly dkimResults: DkimAuthResult[];
  readonly spfResults: SpfAuthResult[];
}

/**
 * Reads an aggregate report of RFC 9990 or RFC 7489, with the right namespace, another or none, and with the mistakes
 * that are sent every day: elements out of order, capitals, white space, missing fields. Memory is bounded by `limits`.
 */
export function createDmarcReader(limits: ReportLimits = reportLimits): DmarcReader {
  const state: State = {
    limits,
    head: {},
    policy: {},
    errors: [],
    begin: '',
    end: '',
    records: [],
    damaged: 0,
    record: newRecord(),
    reason: {},
    dkim: {},
    spf: {},
  };
  const xml = createXmlReader(
    {
      open(path) {
        if (path.length === 1 && path[0] !== 'feedback')
          throw new ReportProblem('not-a-report', `its root is <${cleanText(path[0] ?? '', 40)}>`);
        if (path.length === 2 && path[1] === 'record') state.record = newRecord();
      },
      close(path, text) {
        const set = ELEMENTS[path.slice(1).join('/')];
        if (set !== undefined) set(state, text.trim());
      },
    },
    limits,
  );
  return {
    push: (piece) => xml.push(piece),
    end() {
      xml.end();
      return finished(state);
    },
  };
}

function newRecord(): RecordDraft {
  return {
    ip: '',
    count: undefined,
    disposition: 'none',
    dkim: 'fail',
    spf: 'fail',
    headerFrom: '',
    envelopeFrom: undefined,
    envelopeTo: undefined,
    reasons: [],
    dkimResults: [],
    spfResults: [],
  };
}

/** What each element sets, by its path below the root. Elements that are not here are passed over. */
const ELEMENTS: Readonly<Record<string, (state: State, text: string) => void>> = {
  'report_metadata/org_name': ({ head }, text) => void (head.organisation = cleanText(text)),
  'report_metadata/email': ({ head }, text) => void (head.email = cleanText(text)),
  'report_metadata/extra_contact_info': ({ head }, text) => void (head.contact = cleanText(text)),
  'report_metadata/report_id': ({ head }, text) => void (head.reportId = cleanText(text)),
  'report_metadata/generator': ({ head }, text) => void (head.generator = cleanText(text)),
  'report_metadata/date_range/begin': (state, text) => void (state.begin = text),
  'report_metadata/date_range/end': (state, text) => void (state.end = text),
  'report_metadata/error': ({ errors, limits }, text) => {
    if (errors.length < limits.resultsPerRecord) errors.push(cleanText(text));
  },
  'policy_published/domain': ({ policy }, text) => void (policy.domain = cleanDomain(text)),
  'policy_published/p': ({ policy }, text) => void (policy.p = action(text)),
  'policy_published/sp': ({ policy }, text) => void (policy.sp = action(text)),
  'policy_published/np': ({ policy }, text) => void (policy.np = action(text)),
  'policy_published/adkim': ({ policy }, text) => void (policy.adkim = alignment(text)),
  'policy_published/aspf': ({ policy }, text) => void (policy.aspf = alignment(text)),
  'policy_published/fo': ({ policy }, text) => void (policy.fo = cleanText(text, 20)),
  'policy_published/pct': ({ policy }, text) => void (policy.pct = cleanCount(text)),
  'policy_published/testing': ({ policy }, text) => void (policy.testing = /^y/i.test(text) ? 'y' : 'n'),
  'policy_published/discovery_method': ({ policy }, text) =>
    void (policy.discovery = /^psl$/i.test(text) ? 'psl' : 'treewalk'),
  'record/row/source_ip': ({ record }, text) => void (record.ip = addressOf(text)),
  'record/row/count': ({ record }, text) => void (record.count = cleanCount(text)),
  'record/row/policy_evaluated/disposition': ({ record }, text) =>
    void (record.disposition = /^pass$/i.test(text) ? 'pass' : action(text)),
  'record/row/policy_evaluated/dkim': ({ record }, text) => void (record.dkim = aligned(text)),
  'record/row/policy_evaluated/spf': ({ record }, text) => void (record.spf = aligned(text)),
  'record/row/policy_evaluated/reason/type': ({ reason }, text) => void (reason.type = word(text)),
  'record/row/policy_evaluated/reason/comment': ({ reason }, text) => void (reason.comment = cleanText(text)),
  'record/row/policy_evaluated/reason': (state) => {
    const { type, comment } = state.reason;
    if (type !== undefined) add(state, state.record.reasons, { type, ...optional('comment', comment) });
    state.reason = {};
  },
  'record/identifiers/header_from': ({ record }, text) => void (record.headerFrom = cleanDomain(text)),
  'record/identifiers/envelope_from': ({ record }, text) => void (record.envelopeFrom = envelope(text)),
  'record/identifiers/envelope_to': ({ record }, text) => void (record.envelopeTo = envelope(text)),
  'record/auth_results/dkim/domain': ({ dkim }, text) => void (dkim.domain = cleanDomain(text)),
  'record/auth_results/dkim/selector': ({ dkim }, text) => void (dkim.selector = cleanText(text)),
  'record/auth_results/dkim/result': ({ dkim }, text) => void (dkim.result = word(text)),
  'record/auth_results/dkim/human_result': ({ dkim }, text) => void (dkim.human = cleanText(text)),
  'record/auth_results/dkim': (state) => {
    const { domain, selector = '', result = 'none', human } = state.dkim;
    if (domain !== undefined && domain !== '')
      add(state, state.record.dkimResults, { domain, selector, result, ...optional('human', human) });
    state.dkim = {};
  },
  'record/auth_results/spf/domain': ({ spf }, text) => void (spf.domain = cleanDomain(text)),
  'record/auth_results/spf/scope': ({ spf }, text) =>
    void (spf.scope = /^helo$/i.test(text) ? 'helo' : 'mfrom'),
  'record/auth_results/spf/result': ({ spf }, text) => void (spf.result = word(text)),
  'record/auth_results/spf/human_result': ({ spf }, text) => void (spf.human = cleanText(text)),
  'record/auth_results/spf': (state) => {
    const { domain = '', scope, result = 'none', human } = state.spf;
    const more = { ...optional('scope', scope), ...optional('human', human) };
    add(state, state.record.spfResults, { domain, result, ...more });
    state.spf = {};
  },
  record: closeRecord,
};

function closeRecord(state: State): void {
  const { record, records, limits } = state;
  const { ip, count, headerFrom, ...rest } = record;
  if (records.length >= limits.records)
    throw new ReportProblem('too-many', `it has more than ${limits.records} rows`);
  if (ip === '' || count === undefined) state.damaged++;
  else records.push({ sourceIp: ip, count, headerFrom, ...rest });
}

function finished(state: State): DmarcReport {
  const { head, policy, errors, records, damaged } = state;
  const { domain } = policy;
  if (domain === undefined || domain === '')
    throw new ReportProblem('not-a-report', 'it names no policy domain');
  const [beginMs, endMs] = period(state);
  const { organisation = '', email = '', reportId = '', contact, generator } = head;
  const by = organisation === '' ? email.slice(email.lastIndexOf('@') + 1) : organisation;
  return {
    organisation: by === '' ? 'unknown' : by,
    email,
    // Without an id the period has to tell one report from another.
    reportId: reportId === '' ? `${beginMs}-${endMs}` : reportId,
    beginMs,
    endMs,
    errors,
    ...optional('contact', contact),
    ...optional('generator', generator),
    policy: { ...policy, domain, p: policy.p ?? 'none' },
    records: records.map((record) => (record.headerFrom === '' ? { ...record, headerFrom: domain } : record)),
    damaged,
  };
}

function period({ begin, end }: State): [number, number] {
  const from = cleanTime(begin);
  const to = cleanTime(end);
  if (from === undefined && to === undefined)
    throw new ReportProblem('broken', 'it does not say what time it is about');
  const first = from ?? to ?? 0;
  return [first, Math.max(first, to ?? first)];
}

function add<T>({ limits }: State, list: T[], value: T): void {
  if (list.length < limits.resultsPerRecord) list.push(value);
}

function optional<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined || value === '' ? {} : ({ [key]: value } as { [P in K]?: T });
}

function action(text: string): DmarcAction {
  const lower = text.toLowerCase();
  return lower === 'quarantine' || lower === 'reject' ? lower : 'none';
}

function alignment(text: string): 'r' | 's' {
  return /^s/i.test(text) ? 's' : 'r';
}

/** '' for what is no address: such a row says nothing. */
function addressOf(text: string): string {
  const ip = cleanIp(text);
  return isIP(ip) === 0 ? '' : ip;
}

function aligned(text: string): 'pass' | 'fail' {
  return /^pass$/i.test(text) ? 'pass' : 'fail';
}

/** A result or a type: one word in lower case. */
function word(text: string): string {
  return /^[a-z0-9_-]{1,40}/.exec(text.toLowerCase())?.[0] ?? '';
}

/** Some reporters write whole addresses or "<>" where a domain belongs; the people in them are nobody's business. */
function envelope(text: string): string {
  const domain = text.slice(text.lastIndexOf('@') + 1).replace(/[<>]/g, '');
  return cleanDomain(domain);
}
