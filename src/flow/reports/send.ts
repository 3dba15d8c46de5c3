import { createHash } from 'node:crypto';
import { errorText } from '../../base/errors.ts';
import { normalizeDomain } from '../../mail/address/domain.ts';
import type { AggregateKind, SentOutcome } from '../../data/reports/types.ts';
import type { FlowDeps } from '../deps.ts';
import { type Composed, composeReport, type ReportTask } from './compose.ts';
import { type Destinations, dmarcDestinations, tlsDestinations } from './destinations.ts';
import type { ReportMetrics } from './metrics.ts';
import { DAY_MS, dayOf, isOptedOut, type ReportSettings } from './settings.ts';

/** Milliseconds after midnight (UTC) at which the first reports go, and over which they are spread. */
const FIRST_MS = 10 * 60_000;
const SPREAD_MS = 6 * 3_600_000;
/** Days back for which reports are still sent, after the server was down or DNS away. */
const DAYS_BACK = 3;
/** Reports made in one run, and sent in a day of each kind. */
export const REPORTS_PER_RUN = 20;
const REPORTS_PER_DAY = 2000;
/** Domains looked at in one run. */
const DOMAINS_PER_RUN = 5000;
const PAGE = 500;

export interface SendParts {
  readonly deps: () => FlowDeps;
  readonly settings: () => ReportSettings;
  readonly metrics: ReportMetrics;
  /** Name and version of the program. */
  readonly generator: string;
  readonly postponed: Postponed;
}

/** Milliseconds until a domain whose report could not be made is tried again; until then it keeps no other waiting. */
const POSTPONE_MS = 3_600_000;
const POSTPONED_MAX = 10_000;

/** Domains that have to wait, with the time until when (ms). */
export type Postponed = Map<string, number>;

/**
 * Make the reports that are due: of the days before today (UTC), each domain at a time of its own within the first hours
 * of the day, at most `REPORTS_PER_RUN` in one call. Returns whether more are due now. Each is noted in the commit that
 * queues it, so a crash sends none twice; one that could not be decided (DNS) stays due.
 */
export async function sendDueReports(parts: SendParts, stopping: () => boolean): Promise<boolean> {
  const deps = parts.deps();
  if (deps.dns === undefined) return false;
  const sender = await senderDomain(deps);
  if (sender === undefined) return false;
  let room = REPORTS_PER_RUN;
  for (const kind of ['dmarc', 'tls'] as const) {
    if (!parts.settings()[kind]) continue;
    const today = dayOf(deps.clock.now());
    const sent = await deps.store.read.run('reports.sentCount', { kind, since: today * DAY_MS });
    let left = REPORTS_PER_DAY - sent;
    for (let day = today - DAYS_BACK; day < today && left > 0; day++) {
      for await (const domain of dueDomains(deps, kind, day, parts.postponed)) {
        if (room === 0 || stopping()) return room === 0;
        const outcome = await sendOne(parts, { kind, day, domain, sender, generator: parts.generator });
        room--;
        if (outcome === undefined) postpone(parts, kind, domain);
        if (outcome === 'sent' && --left === 0) break;
      }
    }
  }
  return false;
}

/** The domain we report as: our oldest, which has keys to sign with if any has. */
async function senderDomain({ store }: FlowDeps): Promise<string | undefined> {
  const domains = await store.read.run('directory.domains', null);
  return domains.filter(({ aliasOf }) => aliasOf === undefined).toSorted((a, b) => a.id - b.id)[0]?.name;
}

/** Domains of a day whose time has come and which have no report yet. */
async function* dueDomains(
  deps: FlowDeps,
  kind: AggregateKind,
  day: number,
  postponed: Postponed,
): AsyncGenerator<string> {
  let after = '';
  for (let seen = 0; seen < DOMAINS_PER_RUN; seen += PAGE) {
    const page = await deps.store.read.run('reports.unreported', { kind, day, after, limit: PAGE });
    for (const domain of page) {
      after = domain;
      const now = deps.clock.now();
      if ((postponed.get(`${kind} ${domain}`) ?? 0) > now) continue;
      if (now >= dueAt(deps.settings.hostname, kind, day, domain)) yield domain;
    }
    if (page.length < PAGE) return;
  }
}

function postpone({ deps, postponed }: SendParts, kind: AggregateKind, domain: string): void {
  if (postponed.size >= POSTPONED_MAX) postponed.clear();
  postponed.set(`${kind} ${domain}`, deps().clock.now() + POSTPONE_MS);
}

/** The same for each host and domain every day, different for others: so reports of all hosts do not come at once. */
export function dueAt(hostname: string, kind: AggregateKind, day: number, domain: string): number {
  const hash = createHash('sha256').update(`${hostname} ${kind} ${domain}`).digest().readUInt32BE(0);
  return (day + 1) * DAY_MS + FIRST_MS + (hash % SPREAD_MS);
}

/** Undefined when it has to wait. */
async function sendOne(parts: SendParts, task: ReportTask): Promise<SentOutcome | undefined> {
  const deps = parts.deps();
  const { kind, day, domain } = task;
  const note = async (
    outcome: SentOutcome,
    detail: string,
    composed?: Composed,
  ): Promise<SentOutcome | undefined> => {
    const { first } = await deps.store.write.run('reports.send', {
      kind,
      day,
      domain,
      reportId: composed?.reportId ?? '',
      outcome,
      detail,
      outgoing: composed?.outgoing ?? null,
      events: composed === undefined ? [] : [composed.event],
    });
    if (!first) return undefined;
    if (composed !== undefined) deps.recorder.committed([composed.event]);
    parts.metrics.sent(kind, outcome);
    return outcome;
  };
  try {
    const to = await destinations(parts, task);
    if (to.status === 'temporary') {
      deps.logger.info({ kind, domain, reason: to.reason }, 'reports: one has to wait for DNS');
      return undefined;
    }
    if (to.status === 'none') return await note('none', to.reason);
    const composed = await composeReport(deps, task, to.to);
    if (composed === undefined) return await note('none', 'there is nothing to tell');
    if (composed === 'too-large') return await note('failed', 'the report is larger than its addresses take');
    const left = to.skipped.length === 0 ? '' : `; left out: ${to.skipped.join('; ')}`;
    return await note('sent', `to ${composed.to.join(', ')}${left}`, composed);
  } catch (error) {
    deps.logger.warn(
      { kind, domain, error: errorText(error) },
      'reports: one could not be made, will try again',
    );
    return undefined;
  }
}

async function destinations(parts: SendParts, { kind, domain, sender }: ReportTask): Promise<Destinations> {
  const deps = parts.deps();
  const { dns, settings, store } = deps;
  if (dns === undefined) return { status: 'temporary', reason: 'there is no DNS' };
  if (isOptedOut(parts.settings(), domain)) return { status: 'none', reason: 'switched off for this domain' };
  if (normalizeDomain(domain) !== domain) return { status: 'none', reason: 'it is no domain name' };
  const found = await (kind === 'dmarc' ? dmarcDestinations : tlsDestinations)(dns, domain);
  if (found.status !== 'ok') return found;
  const skipped = [...found.skipped];
  const to: (typeof found.to)[number][] = [];
  for (const one of found.to) {
    const name = one.address.slice(one.address.lastIndexOf('@') + 1);
    const ours = (await store.read.run('directory.domain', { name })) !== undefined;
    if (settings.holdOutgoing === undefined || ours) to.push(one);
    else skipped.push(`${one.address}: mail to other hosts is held here`);
  }
  if (to.length > 0) return { status: 'ok', to, skipped };
  return { status: 'none', reason: `${skipped.join('; ')} (${sender})` };
}
