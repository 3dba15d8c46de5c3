import type { StsEntry, StsFailure } from '../../../data/transport-security/types.ts';
import { TRANSPORT_SECURITY_KEPT } from '../../../data/transport-security/types.ts';
import type { Dns } from '../../../mail/dns.ts';
import { parseStsPolicy, type StsPolicy } from '../../../mail/mta-sts/policy.ts';
import { parseStsRecords, stsRecordName, type StsRecord } from '../../../mail/mta-sts/record.ts';
import { fetchStsPolicy, type StsFetched, type StsFetchOptions } from '../../../net/mta-sts/fetch.ts';
import type { FlowDeps } from '../../deps.ts';

/** A domain's MTA-STS policy, from our memory or from the domain (RFC 8461 sections 3.3 and 5.1). */

/** Milliseconds a fetch that failed is not tried again for the same id (section 3.3). */
const RETRY_MS = 5 * 60_000;
/** Milliseconds a policy is kept at least: one of a few seconds would be fetched for every message. */
const KEEP_MIN_MS = 5 * 60_000;
/** Milliseconds after which the daily look fetches a policy again even if its id is the same: that renews its term. */
const RENEW_MS = 20 * 3_600_000;
/** Milliseconds after which a use is written down again. */
const USED_MS = 86_400_000;
/** Policies that are fetched at once by the daily look. */
const REFRESH_AT_ONCE = 8;
const REFRESH_BATCH = 200;

/** How policies are fetched; for tests, see `StsFetchOptions`. */
export type StsOptions = Pick<StsFetchOptions, 'port' | 'ca' | 'allowPrivate'>;

export type StsState =
  | { readonly status: 'none' }
  | { readonly status: 'policy'; readonly policy: StsPolicy }
  /** The domain says that it has a policy, but none can be had, and none is remembered. */
  | { readonly status: 'failed'; readonly failure: StsFailure }
  /** DNS does not say whether there is one, and none is remembered. */
  | { readonly status: 'unknown'; readonly reason: string };

export interface StsPolicies {
  /** The policy to go by now. Fetches it if need be, which may take a minute. */
  of(deps: FlowDeps, domain: string): Promise<StsState>;
  /** The daily look: fetch those in use again, forget what has run out. Answers counts. */
  refresh(deps: FlowDeps, stopping: AbortSignal): Promise<StsRefreshed>;
}

export interface StsRefreshed {
  readonly fetched: number;
  readonly unchanged: number;
  readonly failed: number;
  readonly forgotten: number;
}

export function createStsPolicies(options: StsOptions = {}): StsPolicies {
  const policies = new FetchedPolicies(options);
  return {
    of: (deps, domain) => policies.of(deps, domain),
    refresh: (deps, stopping) => refreshAll(policies, deps, stopping),
  };
}

/** The daily look for a job: what is known stands in the store, so it needs no transport. */
export function refreshStsPolicies(
  deps: FlowDeps,
  stopping: AbortSignal,
  options: StsOptions = {},
): Promise<StsRefreshed> {
  return refreshAll(new FetchedPolicies(options), deps, stopping);
}

class FetchedPolicies {
  readonly #options: StsOptions;
  /** Fetches under way, so that a hundred messages to a new domain are one fetch. */
  readonly #underWay = new Map<string, Promise<StsFetched>>();

  constructor(options: StsOptions) {
    this.#options = options;
  }

  async of(deps: FlowDeps, domain: string): Promise<StsState> {
    const { dns, clock, store } = deps;
    if (dns === undefined) return { status: 'none' };
    const [record, entry] = await Promise.all([
      lookUpRecord(dns, domain),
      store.read.run('transport.sts', { domain }),
    ]);
    const now = clock.now();
    const known = livePolicy(entry, now);
    if (known !== undefined && entry !== undefined && now - entry.usedAt > USED_MS)
      await store.write.run('transport.stsUsed', { domain });
    // Section 5.1: a record that is gone or cannot be had does not end a policy; only its term or another policy does.
    if (record.status !== 'ok') return known ?? withoutRecord(record);
    if (known !== undefined && entry?.policy?.recordId === record.id) return known;
    const failed = entry?.failed;
    if (failed !== undefined && failed.recordId === record.id && now - failed.at < RETRY_MS)
      return known ?? { status: 'failed', failure: failed };
    const fetched = await this.#update(deps, dns, domain, record.id);
    if (fetched.status === 'ok') return { status: 'policy', policy: fetched.policy };
    return known ?? { status: 'failed', failure: { type: fetched.type, reason: fetched.reason } };
  }

  /** Fetch a policy that is known again, if it is time to. */
  async renew(deps: FlowDeps, domain: string): Promise<'fetched' | 'unchanged' | 'failed'> {
    const { dns, clock, store } = deps;
    const entry = await store.read.run('transport.sts', { domain });
    if (dns === undefined || entry?.policy === undefined) return 'unchanged';
    const record = await lookUpRecord(dns, domain);
    const { recordId, fetchedAt } = entry.policy;
    if (record.status !== 'ok') return 'unchanged';
    if (record.id === recordId && clock.now() - fetchedAt < RENEW_MS) return 'unchanged';
    return (await this.#update(deps, dns, domain, record.id)).status === 'ok' ? 'fetched' : 'failed';
  }

  async #update(deps: FlowDeps, dns: Dns, domain: string, recordId: string): Promise<StsFetched> {
    const fetched = await this.#fetch(deps, dns, domain);
    if (fetched.status === 'ok') {
      const { mode, maxAge } = fetched.policy;
      const forMs = Math.max(maxAge * 1000, KEEP_MIN_MS);
      await deps.store.write.run('transport.keepSts', { domain, recordId, mode, file: fetched.file, forMs });
    } else {
      const { type, reason } = fetched;
      await deps.store.write.run('transport.stsFailed', { domain, recordId, type, reason });
    }
    return fetched;
  }

  #fetch(deps: FlowDeps, dns: Dns, domain: string): Promise<StsFetched> {
    let fetching = this.#underWay.get(domain);
    if (fetching === undefined) {
      fetching = fetchStsPolicy(domain, { ...this.#options, dns, clock: deps.clock }).finally(() =>
        this.#underWay.delete(domain),
      );
      this.#underWay.set(domain, fetching);
    }
    return fetching;
  }
}

async function refreshAll(
  policies: FetchedPolicies,
  deps: FlowDeps,
  stopping: AbortSignal,
): Promise<StsRefreshed> {
  const counts = { fetched: 0, unchanged: 0, failed: 0 };
  const usedSince = deps.clock.now() - TRANSPORT_SECURITY_KEPT.unusedMs;
  let after = '';
  for (;;) {
    const args = { after, usedSince, limit: REFRESH_BATCH };
    const domains = await deps.store.read.run('transport.stsToRefresh', args);
    const last = domains.at(-1);
    if (last === undefined || stopping.aborted) break;
    after = last;
    const left = [...domains];
    const worker = async (): Promise<void> => {
      for (let domain = left.shift(); domain !== undefined && !stopping.aborted; domain = left.shift())
        counts[await policies.renew(deps, domain)]++;
    };
    await Promise.all(Array.from({ length: REFRESH_AT_ONCE }, worker));
  }
  const forgotten = await deps.store.write.run('transport.forget', {});
  return { ...counts, forgotten };
}

type Record = StsRecord | { readonly status: 'temporary'; readonly reason: string };

async function lookUpRecord(dns: Dns, domain: string): Promise<Record> {
  const answer = await dns.query(stsRecordName(domain), 'TXT');
  if (answer.status === 'temporary') return answer;
  if (answer.status !== 'ok') return { status: 'none' };
  return parseStsRecords(answer.records.map(({ text }) => text));
}

function withoutRecord(record: Exclude<Record, { status: 'ok' }>): StsState {
  if (record.status === 'temporary') return { status: 'unknown', reason: record.reason };
  // Section 3.1: a domain whose record cannot be read has no policy.
  return { status: 'none' };
}

function livePolicy(
  entry: StsEntry | undefined,
  now: number,
): Extract<StsState, { status: 'policy' }> | undefined {
  if (entry?.policy === undefined || entry.policy.expiresAt <= now) return undefined;
  const parsed = parseStsPolicy(entry.policy.file);
  return parsed.status === 'ok' ? { status: 'policy', policy: parsed.policy } : undefined;
}
