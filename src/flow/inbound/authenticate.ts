/**
 * Who sent this: SPF, DKIM, ARC, DMARC and iprev for one message, side by side while it arrives. The outcome is `Evidence`, which
 * refuses nothing by itself: what to do with a fail is the pipeline's to decide.
 */
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { type ArcResult, type ArcVerifier, createArcVerifier } from '../../mail/arc/verify.ts';
import { authenticationResultsField, type MethodResult } from '../../mail/authentication-results/build.ts';
import {
  arcMethod,
  dkimMethod,
  dmarcMethod,
  iprevMethod,
  spfMethod,
} from '../../mail/authentication-results/methods.ts';
import { type AuthorReading, readAuthor } from '../../mail/author/author.ts';
import { createBodyHashes } from '../../mail/dkim/body-hashes.ts';
import { createDkimVerifier, type DkimResult, type DkimVerifier } from '../../mail/dkim/verify.ts';
import type { DmarcResult, Identifier } from '../../mail/dmarc/check.ts';
import { judgeAuthor } from '../../mail/dmarc/judge.ts';
import { createLookup, walkTree } from '../../mail/dmarc/walk.ts';
import type { Dns, DnsAnswer } from '../../mail/dns.ts';
import { checkReverse, type ReverseResult } from '../../mail/iprev.ts';
import { checkHost, type SpfResult } from '../../mail/spf/check.ts';
import { BodySplit } from '../body-split.ts';

/** All that is known of where a message comes from. */
export interface Evidence {
  /** `unchecked`: there is no DNS, every result is a "none" that means nothing, and mail flows. */
  readonly state: 'checked' | 'unchecked';
  readonly ip: string;
  readonly helo: string;
  readonly reversePath: string;
  /** Of MAIL FROM; of HELO where that was empty. */
  readonly spf: SpfResult;
  readonly spfHelo: SpfResult;
  /** Never empty: one `none` for a message without signatures. */
  readonly dkim: readonly DkimResult[];
  /** Signatures of which nothing was read, as there were too many. */
  readonly dkimSkipped: number;
  readonly arc: ArcResult;
  readonly dmarc: DmarcResult;
  readonly iprev: ReverseResult;
  readonly author: AuthorReading;
}

export interface AuthenticationInput {
  /** Undefined: nothing is checked. */
  readonly dns: Dns | undefined;
  readonly clock: Clock;
  /** Our host name. */
  readonly receiver: string;
  /** The client's address; '' where it has none. */
  readonly ip: string;
  readonly helo: string;
  /** Without brackets; '' for the null reverse-path. */
  readonly reversePath: string;
  /** What another host found of the client's address by SPF, for where that address is not known to us. */
  readonly told?: SpfResult | undefined;
  /** Milliseconds for what the client said, and again for the message once it is there. */
  readonly timeoutMs?: number;
}

/** One message under examination. */
export interface Authentication {
  /** What can be known before the message: begun at once, never rejects. */
  readonly spf: Promise<SpfResult>;
  readonly spfHelo: Promise<SpfResult>;
  readonly iprev: Promise<ReverseResult>;
  /** The next octets of the message, header first, cut anywhere. Pieces of about 64 KiB keep the event loop free. */
  push(chunk: Buffer): void;
  /** After the last octet; `header` is the header section as the pipeline knows it. Never rejects for what others say. */
  finish(header: Buffer): Promise<Evidence>;
  /** The message will not come: open questions to DNS are dropped. */
  abandon(): void;
}

/** A DNS that gives up when `signal` aborts, whatever the one behind it does. */
function limited(dns: Dns, signal: AbortSignal): Dns {
  const late = { status: 'temporary', reason: 'out of time' } as const;
  const ask: Dns['query'] = async (name, type) => dns.query(name, type, signal); // one that throws rejects
  /** Those that wait, woken by one listener: a message asks some twenty questions, most of them answered at once. */
  const waiting = new Set<() => void>();
  signal.addEventListener('abort', () => waiting.forEach((stop) => stop()), { once: true });
  return {
    query(name, type) {
      if (signal.aborted) return Promise.resolve(late);
      return new Promise<DnsAnswer<typeof type>>((resolve) => {
        const stop = (): void => resolve(late);
        waiting.add(stop);
        const failed = (error: unknown): void =>
          resolve({ status: 'temporary', reason: error instanceof Error ? error.message : 'DNS failed' });
        ask(name, type)
          .then(resolve, failed)
          .finally(() => waiting.delete(stop));
      });
    },
  };
}

/** A time limit: `arm` starts it, `stop` ends it before its time. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #ms: number;
  #timer: { cancel(): void } | undefined;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  arm(): void {
    this.#timer ??= this.#clock.setTimer(this.#ms, () => this.#controller.abort());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  abort(): void {
    this.stop();
    this.#controller.abort();
  }
}

const NO_DNS = 'not checked: no DNS is configured';

function uncheckedSpf(identity: SpfResult['identity']): SpfResult {
  return { result: 'none', identity, domain: '', reason: NO_DNS, lookups: 0, voidLookups: 0 };
}

function uncheckedDmarc(author: AuthorReading): DmarcResult {
  return {
    result: 'none',
    reason: NO_DNS,
    domain: author.domains[0] ?? '',
    orgDomain: undefined,
    policy: undefined,
    disposition: 'none',
    testing: false,
    alignedBy: { dkim: undefined, spf: undefined },
    record: undefined,
    recordDomain: undefined,
  };
}

/** What there is to say without DNS. */
function unchecked(input: AuthenticationInput): Authentication {
  const { ip, helo, reversePath } = input;
  const spf = uncheckedSpf(reversePath === '' ? 'helo' : 'mailfrom');
  const spfHelo = uncheckedSpf('helo');
  const iprev: ReverseResult = { result: 'permerror', ip, name: undefined, claimed: [], reason: NO_DNS };
  return {
    spf: Promise.resolve(spf),
    spfHelo: Promise.resolve(spfHelo),
    iprev: Promise.resolve(iprev),
    push() {},
    async finish(header) {
      const author = readAuthor(header);
      return {
        state: 'unchecked',
        ip,
        helo,
        reversePath,
        spf,
        spfHelo,
        dkim: [{ status: 'none', reason: NO_DNS }],
        dkimSkipped: 0,
        arc: { status: 'none', reason: NO_DNS, links: [] },
        dmarc: uncheckedDmarc(author),
        iprev,
        author,
      };
    },
    abandon() {},
  };
}

function identifiers(results: readonly DkimResult[]): Identifier[] {
  return results.flatMap(({ status, domain }): Identifier[] => {
    if (domain === undefined || (status !== 'pass' && status !== 'temperror')) return [];
    return [{ domain, status }];
  });
}

/** RFC 9989 section 4.4.2 takes the MAIL FROM identity, which RFC 7208 section 2.4 makes of HELO when it is empty. */
function spfIdentifier({ result, domain }: SpfResult): Identifier {
  const status = result === 'pass' || result === 'temperror' ? result : 'other';
  return { domain, status };
}

/** The message as it streams by: header to both verifiers, body to the hashes they share. */
interface MessageTap {
  readonly split: BodySplit;
  readonly dkim: DkimVerifier;
  readonly arc: ArcVerifier;
}

function openTap(dns: Dns, nowMs: number): MessageTap {
  const hashes = createBodyHashes();
  const dkim = createDkimVerifier({ dns, nowMs }, hashes);
  const arc = createArcVerifier({ dns, nowMs }, hashes);
  const split = new BodySplit({
    header(header) {
      dkim.start(header);
      arc.start(header);
    },
    body: (chunk) => hashes.push(chunk),
  });
  return { split, dkim, arc };
}

/** What the client said, checked while the message is still to come. */
interface ClientChecks {
  readonly spf: Promise<SpfResult>;
  readonly spfHelo: Promise<SpfResult>;
  readonly iprev: Promise<ReverseResult>;
}

function checkClient(input: AuthenticationInput, dns: Dns, deadline: Deadline): ClientChecks {
  const { ip, helo, reversePath, receiver, clock } = input;
  const { signal } = deadline;
  const spfOf = (mailFrom: string): Promise<SpfResult> =>
    checkHost({ ip, helo, mailFrom, dns, nowMs: clock.now(), receiver, signal });
  deadline.arm();
  const spfHelo = spfOf('');
  const told = ip === '' ? input.told : undefined;
  const own = (): Promise<SpfResult> => (reversePath === '' ? spfHelo : spfOf(reversePath));
  const spf = told === undefined ? own() : Promise.resolve(told);
  const iprev = checkReverse({ ip, dns, signal });
  void Promise.all([spf, spfHelo, iprev]).finally(() => deadline.stop());
  return { spf, spfHelo, iprev };
}

/** Octets of a header that takes a part of a millisecond to read. */
const LONG_HEADER_BYTES = 64 * 1024;

/** The last stage: all that was begun is awaited, and DMARC judged from it. */
async function gather(
  input: AuthenticationInput,
  checks: ClientChecks,
  tap: MessageTap,
  dns: Dns,
  header: Buffer,
): Promise<Evidence> {
  const { ip, helo, reversePath } = input;
  // A header as long as we take has just been read for the store: others get their turn before it is read again.
  if (header.length > LONG_HEADER_BYTES) await new Promise<void>((resolve) => setImmediate(resolve));
  const author = readAuthor(header);
  const lookup = createLookup(dns);
  for (const domain of author.domains) void walkTree(domain, lookup); // asked while the signatures are verified
  const [spf, spfHelo, iprev, report, arc] = await Promise.all([
    checks.spf,
    checks.spfHelo,
    checks.iprev,
    tap.dkim.finish(),
    tap.arc.finish(),
  ]);
  const { results: dkim, skipped: dkimSkipped } = report;
  const signers = identifiers(dkim);
  const dmarc = await judgeAuthor(author, { dkim: signers, spf: spfIdentifier(spf), dns, lookup });
  return {
    state: 'checked',
    ip,
    helo,
    reversePath,
    spf,
    spfHelo,
    dkim,
    dkimSkipped,
    arc,
    dmarc,
    iprev,
    author,
  };
}

/**
 * Begin to authenticate one message, at MAIL. Questions about the client start at once, about signatures when the header has
 * passed, the rest at the end; each stage has `limits.authenticationMs`, and what is unfinished then is a temperror.
 */
export function createAuthentication(input: AuthenticationInput): Authentication {
  const { dns, clock } = input;
  if (dns === undefined) return unchecked(input);
  const timeoutMs = input.timeoutMs ?? limits.authenticationMs;
  const client = new Deadline(clock, timeoutMs);
  const message = new Deadline(clock, timeoutMs);
  const messageDns = limited(dns, message.signal);
  const checks = checkClient(input, limited(dns, client.signal), client);
  const tap = openTap(messageDns, clock.now());
  return {
    ...checks,
    push: (chunk) => tap.split.push(chunk),
    async finish(header) {
      tap.split.end();
      message.arm();
      try {
        return await gather(input, checks, tap, messageDns, header);
      } finally {
        message.stop();
      }
    },
    abandon() {
      client.abort();
      message.abort();
    },
  };
}

/** Octets handed on before other work gets its turn. */
const PIECE_BYTES = 64 * 1024;

/** The same for a message at hand, as a program or a test has it; CRLF line ends. */
export async function authenticateMessage(input: AuthenticationInput, whole: Buffer): Promise<Evidence> {
  const authentication = createAuthentication(input);
  for (let at = 0; at < whole.length; at += PIECE_BYTES) {
    authentication.push(whole.subarray(at, at + PIECE_BYTES));
    if (at + PIECE_BYTES < whole.length) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const end = whole.indexOf('\r\n\r\n');
  return authentication.finish(end < 0 ? whole : whole.subarray(0, end + 4));
}

/** The results as Authentication-Results tells them, in the order a person looks for them. */
export function evidenceResults(evidence: Evidence): MethodResult[] {
  if (evidence.state === 'unchecked') return [];
  const { spf, helo, reversePath, dkim, dmarc, arc, iprev } = evidence;
  const arcResult = arcMethod(arc);
  return [
    dmarcMethod(dmarc),
    ...dkim.map(dkimMethod),
    spfMethod(spf, spf.identity === 'helo' ? helo : reversePath),
    ...(arcResult === undefined || arc.status === 'none' ? [] : [arcResult]),
    ...(iprev.ip === '' ? [] : [iprevMethod(iprev)]),
  ];
}

/** Our Authentication-Results field for a message, with its CRLF. "none" where nothing was checked. */
export function evidenceField(evidence: Evidence, authservId: string): Buffer {
  return authenticationResultsField(authservId, evidenceResults(evidence));
}
export { type ForwarderWord, trustedForwarder } from './forwarder.ts';
