import { z } from 'zod';
import type { DmarcSource } from '../../../data/reports/types.ts';
import type { FailingSource } from '../../../data/reports/findings.ts';
import type { Arg, Said } from '../../../base/words.ts';
import type { healthTexts } from '../health-texts.ts';
import { healthSentences, healthWords } from '../health-words.ts';
import { said } from '../said.ts';
import { type AdminContext, operation } from './operation.ts';
import { about, failuresOf, FAILING_MAX, judged, wanted } from './reports.ts';

/** What the reports of others come to: sentences that somebody can act on, and numbers for charts. */

const DAY_MS = 86_400_000;
/** Sources that are looked through. */
const SOURCES = 1000;
/** Complaints of one account from which they are worth a sentence. */
const COMPLAINTS_LEAST = 2;

const finding = z.object({
  severity: z.enum(['problem', 'warning', 'note']),
  kind: z.enum(['dmarc', 'tls', 'complaints', 'none']),
  sentence: z.string(),
  domain: z.string(),
  ip: z.string().optional(),
  /** Of the source, or the host that could not be reached. */
  name: z.string().optional(),
  since: z.number(),
  lastAt: z.number(),
  /** Messages, sessions or complaints. */
  count: z.number(),
  remedy: z.string(),
  /** The same with codes. */
  words: said,
  remedyWords: z.array(said).readonly(),
});
type Finding = z.input<typeof finding>;

const WEIGHT = { problem: 0, warning: 1, note: 2 } as const;

export const findings = operation({
  method: 'GET',
  path: '/reports/findings',
  summary: 'What the reports of others come to: who sends in our name, who cannot reach us, in sentences',
  access: 'administrator',
  input: about,
  output: z.object({ since: z.number(), findings: z.array(finding) }),
  async run(context, input) {
    const args = wanted(context, input);
    const { store } = context;
    const [dmarc, failing, tls] = await Promise.all([
      store.read.run('reports.dmarc', { ...args, limit: SOURCES }),
      store.read.run('reports.failing', args),
      store.read.run('reports.tls', { ...args, limit: FAILING_MAX }),
    ]);
    const own = new Set(context.facts.publicAddresses());
    const first = new Map(failing.map((one) => [`${one.domain} ${one.ip}`, one]));
    const found = [
      ...dmarc.sources.flatMap((one) => ofSource(one, first.get(`${one.domain} ${one.ip}`), own)),
      ...failuresOf(tls.failing).map((one) => ofTls(one, tls.failing)),
      ...(await ofComplaints(context, args.since)),
      ...(await ofSilence(context, input.domain, dmarc.domains)),
    ].toSorted((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity] || b.count - a.count);
    return { since: args.since, findings: found.slice(0, input.limit) };
  },
});

const { say } = healthWords;

/** "3 May", of this year or the last. */
function day(ms: number): Arg {
  const text = new Date(ms).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });
  return { day: ms, text };
}

/** "without DKIM and SPF": what all of the failing mail lacks. */
function lack({ failed, noDkim, noSpf }: FailingSource): keyof typeof healthTexts {
  if (noDkim >= failed && noSpf >= failed) return 'sendsAsNeither';
  if (noDkim >= failed) return 'sendsAsNoDkim';
  return noSpf >= failed ? 'sendsAsNoSpf' : 'sendsAsPartly';
}

/** A finding in English and with codes. */
function inBoth(
  words: Said,
  remedyWords: readonly Said[],
): Pick<Finding, 'sentence' | 'remedy' | 'words' | 'remedyWords'> {
  return { sentence: words.text, words, remedyWords, remedy: remedyWords.map(({ text }) => text).join(' ') };
}

function ofSource(one: DmarcSource, first: FailingSource | undefined, own: ReadonlySet<string>): Finding[] {
  const { verdict, advice } = judged(one, own);
  if (verdict === 'fine' || first === undefined) return [];
  const since = first.firstAt;
  const who = verdict === 'own-host' ? say('thisServer', { ip: one.ip }) : one.ip;
  const words = say(lack(first), { who, domain: one.domain, day: day(since) });
  const severity =
    verdict === 'own-host' || verdict === 'unknown'
      ? 'problem'
      : verdict === 'forwarded' || verdict === 'signature-only'
        ? 'note'
        : 'warning';
  const { domain, ip, lastAt } = one;
  const count = one.messages - one.passed || first.failed;
  const sentences = inBoth(words, healthSentences(advice));
  return [{ severity, kind: 'dmarc', ...sentences, domain, ip, since, lastAt, count }];
}

function ofTls(
  one: ReturnType<typeof failuresOf>[number],
  rows: readonly { domain: string; endAt: number }[],
): Finding {
  const ends = rows.filter(({ domain }) => domain === one.domain).map(({ endAt }) => endAt);
  const since = Math.min(...ends, one.lastAt);
  const host = one.mxHost === '' ? one.domain : one.mxHost;
  return {
    severity: 'warning',
    kind: 'tls',
    ...inBoth(
      say('unencrypted', { count: one.sessions, host, day: day(since), type: one.resultType }),
      healthSentences(`${host} ${one.meaning}`),
    ),
    domain: one.domain,
    ...(one.mxHost !== '' && { name: one.mxHost }),
    since,
    lastAt: one.lastAt,
    count: one.sessions,
  };
}

async function ofComplaints({ store }: AdminContext, since: number): Promise<Finding[]> {
  const { accounts, complaints } = await store.read.run('reports.complaints', { since, limit: SOURCES });
  return accounts.flatMap(({ account, complaints: count }) => {
    if (account === undefined || count < COMPLAINTS_LEAST) return [];
    const times = complaints.filter((one) => one.account === account).map(({ at }) => at);
    return {
      severity: 'warning',
      kind: 'complaints',
      ...inBoth(say('complained', { count, account }), [say('complainedMend')]),
      domain: account.slice(account.lastIndexOf('@') + 1),
      name: account,
      since: Math.min(...times, Number.MAX_SAFE_INTEGER),
      lastAt: Math.max(...times, 0),
      count,
    } as const;
  });
}

/** Domains of which nobody ever reports: their record asks for none, or their mail reaches nobody large. */
async function ofSilence(
  { store, clock }: AdminContext,
  domain: string | undefined,
  told: readonly { domain: string }[],
): Promise<Finding[]> {
  const known = new Set(told.map((one) => one.domain));
  const all = await store.read.run('directory.domains', null);
  return all
    .filter(({ name, createdAt }) => !known.has(name) && clock.now() - createdAt > 7 * DAY_MS)
    .filter(({ name }) => domain === undefined || name === domain.toLowerCase())
    .map(({ name, createdAt }) => ({
      severity: 'note' as const,
      kind: 'none' as const,
      ...inBoth(say('noReports', { domain: name }), [say('noReportsMend', { domain: name })]),
      domain: name,
      since: createdAt,
      lastAt: clock.now(),
      count: 0,
    }));
}

const numbers = z.array(z.number());

export const reportSeries = operation({
  method: 'GET',
  path: '/reports/series',
  summary: 'Mail and sessions by day, as the reports of others count them',
  access: 'administrator',
  input: about,
  output: z.object({
    /** The first millisecond of each day, UTC. */
    days: numbers,
    dmarc: z.object({ passed: numbers, failed: numbers, blocked: numbers }),
    tls: z.object({ successes: numbers, failures: numbers }),
  }),
  async run(context, input) {
    const args = wanted(context, input);
    const { dmarc, tls } = await context.store.read.run('reports.days', args);
    const first = Math.floor(args.since / DAY_MS);
    const last = Math.floor(context.clock.now() / DAY_MS);
    const days = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const dmarcAt = new Map(dmarc.map((row) => [row.day, row]));
    const tlsAt = new Map(tls.map((row) => [row.day, row]));
    return {
      days: days.map((each) => each * DAY_MS),
      dmarc: {
        passed: days.map((each) => dmarcAt.get(each)?.passed ?? 0),
        failed: days.map((each) => dmarcAt.get(each)?.failed ?? 0),
        blocked: days.map((each) => dmarcAt.get(each)?.blocked ?? 0),
      },
      tls: {
        successes: days.map((each) => tlsAt.get(each)?.successes ?? 0),
        failures: days.map((each) => tlsAt.get(each)?.failures ?? 0),
      },
    };
  },
});
