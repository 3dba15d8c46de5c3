import { z } from 'zod';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import type { DmarcSource, TlsFailing } from '../../../data/reports/types.ts';
import { healthSentences } from '../health-words.ts';
import { said } from '../said.ts';
import { type SourceFacts, sourceAdvice, tlsMeaning } from '../../../mail/reports/advice.ts';
import { type AdminContext, operation } from './operation.ts';
import { domainName } from './schemas.ts';

const DAY_MS = 86_400_000;
/** Rows with failed TLS sessions that are looked through. */
export const FAILING_MAX = 1000;

const days = z.coerce.number<number | string>().int().min(1).max(400).default(30);
const limit = z.coerce.number<number | string>().int().min(1).max(1000).default(50);
const yes = z.stringbool().default(false);
const time = z.number();

export const about = z.strictObject({
  domain: domainName.optional(),
  days,
  limit,
  /** Also reports that do not prove who wrote them. */
  unproven: yes,
});

interface About {
  readonly domain?: string | undefined;
  readonly days: number;
  readonly limit: number;
  readonly unproven: boolean;
}

export function wanted({ clock }: AdminContext, input: About) {
  const { domain, unproven } = input;
  const name = domain === undefined ? undefined : (normalizeDomain(domain) ?? domain);
  const since = clock.now() - input.days * DAY_MS;
  return { since, unproven, limit: input.limit, ...(name !== undefined && { domain: name }) };
}

const source = z.object({
  domain: z.string(),
  ip: z.string(),
  messages: z.number(),
  passed: z.number(),
  dkim: z.number(),
  spf: z.number(),
  blocked: z.number(),
  lastAt: time,
  verdict: z.string(),
  advice: z.string(),
  adviceWords: z.array(said).readonly().optional(),
});

const dmarc = operation({
  method: 'GET',
  path: '/reports/dmarc',
  summary: 'Who sends mail in the name of our domains, by the reports of others, those that fail most first',
  access: 'administrator',
  input: about,
  output: z.object({
    since: time,
    domains: z.array(
      z.object({
        domain: z.string(),
        reports: z.number(),
        unproven: z.number(),
        messages: z.number(),
        passed: z.number(),
        lastAt: time,
      }),
    ),
    sources: z.array(source),
    more: z.boolean(),
  }),
  async run(context, input) {
    const args = wanted(context, input);
    const { domains, sources, more } = await context.store.read.run('reports.dmarc', args);
    const own = new Set(context.facts.publicAddresses());
    return { since: args.since, domains, more, sources: sources.map((one) => judged(one, own)) };
  },
});

export function judged(one: DmarcSource, own: ReadonlySet<string>): z.input<typeof source> {
  const { verdict, text } = sourceAdvice({ ...one, isOurs: own.has(one.ip), ...sampleOf(one.sample) });
  return { ...one, verdict, advice: text, adviceWords: healthSentences(text) };
}

/** The names in a stored row; it is our own JSON, but of a stranger's words. */
const sample = z.object({
  dkimResults: z.array(z.object({ domain: z.string(), result: z.string() })).catch([]),
  spfResults: z.array(z.object({ domain: z.string(), result: z.string() })).catch([]),
  reasons: z.array(z.object({ type: z.string() })).catch([]),
});

function sampleOf(data: string): Pick<SourceFacts, 'signedBy' | 'sentBy' | 'reasons'> {
  const { dkimResults, spfResults, reasons } = sample.parse(JSON.parse(data));
  const passing = (list: readonly { domain: string; result: string }[]): string[] =>
    list.filter(({ result }) => result === 'pass').map(({ domain }) => domain);
  return {
    signedBy: passing(dkimResults),
    sentBy: passing(spfResults),
    reasons: reasons.map(({ type }) => type),
  };
}

const tlsFailure = z.object({
  domain: z.string(),
  resultType: z.string(),
  mxHost: z.string(),
  sessions: z.number(),
  /** Who said so. */
  reporters: z.array(z.string()),
  lastAt: time,
  meaning: z.string(),
});

const tls = operation({
  method: 'GET',
  path: '/reports/tls',
  summary: 'Whether others reached our domains by encrypted connections, by their reports',
  access: 'administrator',
  input: about,
  output: z.object({
    since: time,
    policies: z.array(
      z.object({
        domain: z.string(),
        policyType: z.string(),
        successes: z.number(),
        failures: z.number(),
        reporters: z.number(),
        lastAt: time,
      }),
    ),
    failures: z.array(tlsFailure),
  }),
  async run(context, input) {
    const args = wanted(context, input);
    const found = await context.store.read.run('reports.tls', { ...args, limit: FAILING_MAX });
    const failures = failuresOf(found.failing).slice(0, input.limit);
    return { since: args.since, policies: found.policies, failures };
  },
});

const details = z.object({
  details: z
    .array(z.object({ resultType: z.string(), sessions: z.number(), mxHost: z.string().default('') }))
    .catch([]),
});

/** By domain, kind of failure and host, the most frequent first. Failures without details are told as such. */
export function failuresOf(rows: readonly TlsFailing[]): z.input<typeof tlsFailure>[] {
  const found = new Map<string, z.input<typeof tlsFailure>>();
  for (const { domain, organisation, endAt, failures, data } of rows) {
    const told = details.parse(JSON.parse(data)).details;
    const list = told.length > 0 ? told : [{ resultType: '', sessions: failures, mxHost: '' }];
    for (const { resultType, sessions, mxHost } of list) {
      const key = JSON.stringify([domain, resultType, mxHost]);
      const before = found.get(key);
      const reporters = new Set([...(before?.reporters ?? []), organisation]);
      found.set(key, {
        domain,
        resultType: resultType === '' ? 'unsaid' : resultType,
        mxHost,
        sessions: (before?.sessions ?? 0) + sessions,
        reporters: [...reporters].slice(0, 10),
        lastAt: Math.max(before?.lastAt ?? 0, endAt),
        meaning: resultType === '' ? 'failed; the report does not say how.' : tlsMeaning(resultType),
      });
    }
  }
  return [...found.values()].toSorted((a, b) => b.sessions - a.sessions);
}

const complaints = operation({
  method: 'GET',
  path: '/reports/complaints',
  summary: 'Complaints about mail of ours, newest first, and how many each account has',
  access: 'administrator',
  input: z.strictObject({ days, limit }),
  output: z.object({
    since: time,
    accounts: z.array(z.object({ account: z.string().optional(), complaints: z.number() })),
    complaints: z.array(
      z.object({
        id: z.number(),
        at: time,
        account: z.string().optional(),
        feedbackType: z.string(),
        reporter: z.string(),
        recipient: z.string(),
        messageId: z.string(),
        sourceIp: z.string(),
        /** JSON. */
        data: z.string(),
      }),
    ),
  }),
  async run({ store, clock }, input) {
    const since = clock.now() - input.days * DAY_MS;
    return { since, ...(await store.read.run('reports.complaints', { since, limit: input.limit })) };
  },
});

const sent = operation({
  method: 'GET',
  path: '/reports/sent',
  summary: 'Reports we made for other domains, newest first; with `all` also for those that want none',
  access: 'administrator',
  input: z.strictObject({ domain: domainName.optional(), days, limit, all: yes }),
  output: z.object({
    since: time,
    reports: z.array(
      z.object({
        kind: z.enum(['dmarc', 'tls']),
        /** The day it is about (its first millisecond, UTC). */
        day: time,
        domain: z.string(),
        reportId: z.string(),
        outcome: z.enum(['sent', 'none', 'failed']),
        detail: z.string(),
        at: time,
      }),
    ),
  }),
  async run(context, { domain, days: back, limit: max, all }) {
    const { store, clock } = context;
    const since = clock.now() - back * DAY_MS;
    const name = domain === undefined ? {} : { domain: normalizeDomain(domain) ?? domain };
    const rows = await store.read.run('reports.sent', { since, all, limit: max, ...name });
    return { since, reports: rows.map((row) => ({ ...row, day: row.day * DAY_MS })) };
  },
});

export const reports = { dmarc, tls, complaints, sent };
