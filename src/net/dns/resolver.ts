import type { Clock } from '../../base/clock.ts';
import type { Dns, DnsAnswer, DnsRecords, DnsTemporary, DnsType } from '../../mail/dns.ts';
import { TtlCache } from './cache.ts';
import { askTcp, askUdp, type Exchange } from './exchange.ts';
import type { DnsServer } from './resolv-conf.ts';
import { askableName, buildQuery, MAX_CNAMES, readResponse, recordData, type Reading } from './wire.ts';

export const DNS_LIMITS = {
  /** Milliseconds to wait for a server in the first round; doubled in the second. */
  firstTimeoutMs: 2000,
  /** Rounds through all servers. */
  rounds: 2,
  /** Milliseconds to wait for an answer over TCP. */
  tcpTimeoutMs: 5000,
  /** Milliseconds for one question in all. RFC 7208 4.6.4 wants at least 20 s for a whole SPF check. */
  totalMs: 15_000,
  /** Questions in flight; each holds a socket. */
  concurrency: 200,
  /** Questions waiting for one of those places; beyond it they fail at once. */
  waiting: 10_000,
  cacheEntries: 20_000,
  cacheBytes: 16 * 1024 * 1024,
  /** Seconds: a day for records, three hours for denials (RFC 2308 section 5), whatever the TTL says. */
  maxTtl: 86_400,
  maxNegativeTtl: 10_800,
  /** Milliseconds a failure is remembered (RFC 2308 section 7 allows five minutes), so a dead zone is not hammered. */
  failureMs: 5000,
  /** Milliseconds during which a server that timed out is asked last. */
  sickMs: 30_000,
} as const;

export interface ResolverOptions {
  readonly servers: readonly DnsServer[];
  readonly clock: Clock;
  /** Mix the case of questions; for servers across a network that is not ours. Default false. */
  readonly mixCase?: boolean;
  readonly limits?: Partial<{ [K in keyof typeof DNS_LIMITS]: number }>;
}

export interface Resolver extends Dns {
  /** Forget everything cached. */
  flush(): void;
}

/** An answer with what caching needs: its size in octets. */
interface Fetched {
  readonly answer: DnsAnswer;
  readonly cost: number;
}

/** Octets an entry takes beside its records. */
const ENTRY_BYTES = 200;

/** A stub resolver: asks recursive servers, caches (RFC 2308), never throws. */
export function createResolver(options: ResolverOptions): Resolver {
  const bounds = { ...DNS_LIMITS, ...options.limits };
  const cache = new TtlCache<DnsAnswer>(options.clock, bounds.cacheEntries, bounds.cacheBytes);
  const inFlight = new Map<string, Promise<DnsAnswer>>();
  const upstream = createUpstream(options, bounds);
  const slots = createSlots(bounds.concurrency, bounds.waiting);

  async function fetchAndKeep(name: string, type: DnsType, key: string): Promise<DnsAnswer> {
    if (!(await slots.enter())) return temporary('too many lookups waiting');
    try {
      const { answer, cost } = await resolveChain(upstream, name, type);
      cache.set(key, answer, keepMs(answer, bounds), cost + ENTRY_BYTES);
      return answer;
    } catch (error) {
      return temporary(error instanceof Error ? error.message : 'failed');
    } finally {
      slots.leave();
      inFlight.delete(key);
    }
  }

  function lookUp(name: string, type: DnsType, signal?: AbortSignal): Promise<DnsAnswer> {
    const asked = askableName(name);
    if (asked === undefined) return Promise.resolve({ status: 'nxdomain' });
    if (signal?.aborted) return Promise.resolve(temporary('aborted'));
    const key = `${type} ${asked}`;
    const cached = cache.get(key);
    if (cached !== undefined) return Promise.resolve(aged(cached.value, cached.leftMs));
    let pending = inFlight.get(key);
    if (pending === undefined) {
      pending = fetchAndKeep(asked, type, key);
      inFlight.set(key, pending);
    }
    return signal === undefined ? pending : unlessAborted(pending, signal);
  }

  return {
    // The records of an answer are those of its question's type: `recordData` reads nothing else.
    query: <T extends DnsType>(name: string, type: T, signal?: AbortSignal) =>
      lookUp(name, type, signal) as Promise<DnsAnswer<T>>,
    flush: () => cache.clear(),
  };
}

function temporary(reason: string): DnsTemporary {
  return { status: 'temporary', reason };
}

function unlessAborted(pending: Promise<DnsAnswer>, signal: AbortSignal): Promise<DnsAnswer> {
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(temporary('aborted'));
    signal.addEventListener('abort', onAbort, { once: true });
    void pending.then((answer) => {
      signal.removeEventListener('abort', onAbort);
      resolve(answer);
    });
  });
}

function keepMs(
  answer: DnsAnswer,
  bounds: { maxTtl: number; maxNegativeTtl: number; failureMs: number },
): number {
  if (answer.status === 'ok') return Math.min(answer.ttl, bounds.maxTtl) * 1000;
  if (answer.status === 'temporary') return bounds.failureMs;
  // RFC 2308 section 5: a denial without SOA is not cached.
  return Math.min(answer.ttl ?? 0, bounds.maxNegativeTtl) * 1000;
}

/** A cached answer with the TTL it has left. */
function aged(answer: DnsAnswer, leftMs: number): DnsAnswer {
  if (answer.status === 'temporary' || answer.ttl === undefined) return answer;
  return { ...answer, ttl: Math.min(answer.ttl, Math.ceil(leftMs / 1000)) };
}

/** A reading that decides, with whether its AD bit counts and the octets it came in. */
interface Decided {
  readonly reading: Reading;
  readonly bytes: number;
  readonly from: string;
}

type Upstream = (name: string, type: DnsType) => Promise<Decided>;

/** Ask, and ask again for the target where a response ends in a CNAME without its target. */
async function resolveChain(upstream: Upstream, question: string, type: DnsType): Promise<Fetched> {
  const seen = new Set([question]);
  let name = question;
  let ttl = Number.POSITIVE_INFINITY;
  let authenticated = true;
  let cost = 0;
  for (let hops = 0; hops <= MAX_CNAMES; ) {
    const { reading, bytes, from } = await upstream(name, type);
    cost += bytes;
    if (reading.kind === 'chain') {
      const target = askableName(reading.target);
      if (target === undefined) return { answer: temporary('CNAME to an unusable name'), cost };
      if (seen.has(target)) return { answer: temporary(`CNAME loop at ${target}`), cost };
      seen.add(target);
      name = target;
      ttl = Math.min(ttl, reading.ttl);
      authenticated &&= reading.ad;
      hops += reading.hops;
      continue;
    }
    return { answer: finalAnswer(reading, from, question, ttl, authenticated), cost };
  }
  return { answer: temporary('CNAME chain too long'), cost };
}

function finalAnswer(
  reading: Exclude<Reading, { kind: 'chain' }>,
  from: string,
  question: string,
  chainTtl: number,
  chainAuthenticated: boolean,
): DnsAnswer {
  switch (reading.kind) {
    case 'records': {
      const records = reading.records
        .map(recordData)
        .filter((data): data is DnsRecords[DnsType] => data !== undefined);
      if (records.length === 0) return temporary(`unusable answer from ${from}`);
      const owner = reading.owner.toLowerCase();
      return {
        status: 'ok',
        records,
        ttl: Math.min(chainTtl, reading.ttl),
        authenticated: chainAuthenticated && reading.ad,
        ...(owner !== question && { canonicalName: owner }),
      };
    }
    case 'nodata':
    case 'nxdomain':
      return {
        status: reading.kind,
        authenticated: chainAuthenticated && reading.ad,
        ...(reading.ttl !== undefined && { ttl: Math.min(chainTtl, reading.ttl) }),
      };
    case 'failed':
      return temporary(reading.reason);
    case 'truncated':
      return temporary(`truncated answer over TCP from ${from}`);
    case 'no-edns':
      return temporary(`query refused as malformed by ${from}`);
  }
}

function failedAt(from: string, what: string): Decided {
  return { reading: { kind: 'failed', reason: `${what} from ${from}` }, bytes: 0, from };
}

/** Questions to all servers in rounds, those that recently failed to answer last. */
function createUpstream(
  options: ResolverOptions,
  bounds: { firstTimeoutMs: number; rounds: number; tcpTimeoutMs: number; totalMs: number; sickMs: number },
): Upstream {
  const { clock, servers } = options;
  const sickUntil = new Map<DnsServer, number>();

  async function askOnce(
    server: DnsServer,
    name: string,
    type: DnsType,
    timeoutMs: number,
    edns = true,
  ): Promise<Decided> {
    const from = server.address;
    const query = buildQuery(name, type, {
      edns,
      mixCase: options.mixCase === true,
    });
    let exchange: Exchange = await askUdp(server, query, timeoutMs, clock);
    const overTcp = exchange.kind === 'response' ? exchange.packet.flag_tc : exchange.suspicious === true;
    if (overTcp) exchange = await askTcp(server, query, bounds.tcpTimeoutMs, clock);
    if (exchange.kind === 'failed') {
      sickUntil.set(server, clock.monotonic() + bounds.sickMs);
      return failedAt(from, exchange.reason);
    }
    sickUntil.delete(server);
    const reading = readResponse(query, exchange.packet);
    if (reading.kind === 'failed') return failedAt(from, reading.reason);
    // For this question only: one odd answer must not cost all later ones their EDNS.
    if (reading.kind === 'no-edns' && edns) return askOnce(server, name, type, timeoutMs, false);
    // AD means something only from a validating server that nobody can impersonate (RFC 4035 section 4.9.3).
    return {
      reading: 'ad' in reading ? { ...reading, ad: reading.ad && server.trusted } : reading,
      bytes: exchange.bytes,
      from,
    };
  }

  return async (name, type) => {
    const deadline = clock.monotonic() + bounds.totalMs;
    const now = clock.monotonic();
    const isSick = (server: DnsServer): number => ((sickUntil.get(server) ?? 0) > now ? 1 : 0);
    const order = servers.toSorted((a, b) => isSick(a) - isSick(b));
    let last = failedAt('an empty list', 'no DNS server');
    for (let round = 0; round < bounds.rounds; round++) {
      for (const server of order) {
        const left = deadline - clock.monotonic();
        if (left <= 0) return last;
        last = await askOnce(server, name, type, Math.min(left, bounds.firstTimeoutMs * 2 ** round));
        const { kind } = last.reading;
        if (kind !== 'failed' && kind !== 'truncated' && kind !== 'no-edns') return last;
      }
    }
    return last;
  };
}

/** At most `places` inside at once, at most `waiting` in line; `enter` is false for those beyond. */
function createSlots(places: number, waiting: number): { enter(): Promise<boolean>; leave(): void } {
  let inside = 0;
  const line: ((entered: boolean) => void)[] = [];
  return {
    enter() {
      if (inside < places) {
        inside++;
        return Promise.resolve(true);
      }
      if (line.length >= waiting) return Promise.resolve(false);
      return new Promise((resolve) => line.push(resolve));
    },
    leave() {
      const next = line.shift();
      if (next === undefined) inside--;
      else next(true);
    },
  };
}
