import type { Clock } from '../../../base/clock.ts';
import { Refusal } from '../../../base/errors.ts';
import type { Store } from '../../../data/store.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import type { ReverseResult } from '../../../mail/iprev.ts';
import type { SpfStatus } from '../../../mail/spf/check.ts';
import { siteOf } from '../../spam/facts/hosts.ts';
import type { FilterSettings } from '../../spam/settings.ts';
import type { Client } from './client.ts';
import type { DomainPlace, DomainQuestions } from './domain-questions.ts';
import { type Findings, found, nothingFound, together } from './findings.ts';
import { greylist, type GreylistDecision } from './greylist.ts';
import type { HelloResult } from './hello.ts';
import { listFindings } from './lists.ts';
import type { GateMetrics } from './metrics.ts';
import { refusals } from './refusals.ts';
import { reverseFindings } from './reverse.ts';
import { type SenderDomain, senderDomainFindings } from './sender-domain.ts';
import type { Tarpit, TarpitStep } from './tarpit.ts';

/** What the gate knows when a message has arrived. */
export interface GateFacts extends Findings {
  /** One of us, or a protocol the gate is not for: nothing was asked. */
  readonly exempt: boolean;
  /** For Authentication-Results (iprev). */
  readonly reverse: ReverseResult | undefined;
  /** An allow list has the client. */
  readonly allowListed: boolean;
}

/** What is to be known about the sender before it is made to wait. */
export interface GreylistQuestion {
  readonly recipient: string;
  readonly spf: SpfStatus | undefined;
  /** DKIM or SPF aligned, and the domain has a good name here. */
  readonly authenticatedGood: boolean;
  /** A correspondent, or a reply to mail of ours. */
  readonly known: boolean;
}

/** The gate's part in one transaction. */
export interface EnvelopeGate {
  /** Ask domain lists about domains or host names; returns at once, the answers are among the facts. */
  askDomains(place: DomainPlace, domains: Iterable<string>): void;
  /** A recipient was accepted: waits where the client has guessed before. Resolves with the milliseconds it waited. */
  accepted(): Promise<number>;
  /**
   * A recipient was refused: waits, and gives the error to throw in its place (another one when the session is to end)
   * with the milliseconds it waited.
   */
  refused(error: unknown): Promise<{ readonly error: unknown; readonly waitedMs: number }>;
  /** Throws 451 when this message is to come again. Asked once a transaction: the answer stays. */
  greylist(question: GreylistQuestion): Promise<void>;
  /** What connection and envelope say, at most `limits.senderQuestionMs` after MAIL. */
  facts(): Promise<GateFacts>;
  /** What domain lists say, of HELO and sender too, at most `limits.senderQuestionMs` after the last `askDomains`. */
  domainFacts(): Promise<Findings>;
  /** The transaction ended without a message: it is not counted. */
  abandon(): void;
}

/** For whom the gate does nothing. */
export const openGate: EnvelopeGate = {
  askDomains: () => undefined,
  accepted: async () => 0,
  refused: async (error) => ({ error, waitedMs: 0 }),
  greylist: async () => undefined,
  facts: async () => ({ ...nothingFound, exempt: true, reverse: undefined, allowListed: false }),
  domainFacts: async () => nothingFound,
  abandon: () => undefined,
};

export interface EnvelopeParts {
  readonly client: Client;
  readonly reversePath: string;
  /** Of the reverse-path, '' for the null one; a literal in brackets. */
  readonly senderDomain: string;
  readonly hello: Promise<HelloResult>;
  readonly sender: Promise<SenderDomain> | undefined;
  readonly domains: DomainQuestions;
  readonly settings: FilterSettings;
  readonly store: Store;
  readonly clock: Clock;
  readonly tarpit: Tarpit;
  readonly metrics: GateMetrics;
  /** "Questions: postmaster@..." */
  readonly ask: string;
  readonly giveBack: () => void;
}

/** The gate for one transaction of a stranger. */
export class StrangerGate implements EnvelopeGate {
  readonly #parts: EnvelopeParts;
  #greylisted: Promise<GreylistDecision> | undefined;

  constructor(parts: EnvelopeParts) {
    this.#parts = parts;
  }

  askDomains(place: DomainPlace, domains: Iterable<string>): void {
    this.#parts.domains.ask(place, domains);
  }

  async accepted(): Promise<number> {
    const { client, tarpit, settings } = this.#parts;
    const step = tarpit.accepted(client.network, client.unknown, settings.tarpit_after);
    return this.#wait(step);
  }

  async refused(error: unknown): Promise<{ error: unknown; waitedMs: number }> {
    const { client, tarpit, settings, metrics, ask } = this.#parts;
    if (!(error instanceof Refusal) || error.kind !== 'no-such-account') return { error, waitedMs: 0 };
    const step = tarpit.unknown(client.network, ++client.unknown, settings.tarpit_after);
    const waitedMs = await this.#wait(step);
    if (step.tooMany === undefined) return { error, waitedMs };
    metrics.tarpit('ended');
    return { error: refusals.tooManyGuesses(step.tooMany, ask), waitedMs };
  }

  async #wait({ delayMs }: TarpitStep): Promise<number> {
    if (delayMs === 0) return 0;
    this.#parts.metrics.tarpit('delayed');
    await this.#parts.clock.sleep(delayMs);
    return delayMs;
  }

  async greylist(question: GreylistQuestion): Promise<void> {
    const { metrics, ask } = this.#parts;
    const first = this.#greylisted === undefined;
    const decision = await (this.#greylisted ??= this.#decide(question));
    if (first) metrics.greylist(decision === 'pass' ? 'passed' : 'deferred');
    if (decision === 'pass') return;
    const domain = await this.#greylistDomain();
    throw refusals.greylisted(domain === '' ? 'you' : domain, decision.defer, ask);
  }

  async #decide(question: GreylistQuestion): Promise<GreylistDecision> {
    const { client, reversePath, settings, store, clock } = this.#parts;
    const { recipient, spf, authenticatedGood, known } = question;
    if (known || authenticatedGood || (await this.#allowListed())) return 'pass';
    return greylist(store, {
      network: client.network,
      senderDomain: await this.#greylistDomain(),
      envelope: `${reversePath}\n${recipient.toLowerCase()}`,
      spf,
      authenticatedGood,
      known,
      now: clock.now(),
      delayMs: settings.greylist.delay_s * 1000,
    });
  }

  /** Notifications have no sender; their host's name stands for it. */
  async #greylistDomain(): Promise<string> {
    const { senderDomain, hello } = this.#parts;
    if (senderDomain.startsWith('[')) return senderDomain;
    return siteOf(senderDomain === '' ? ((await hello).domain ?? '') : senderDomain);
  }

  async #allowListed(): Promise<boolean> {
    return (await this.#parts.client.lists).some(({ score }) => score < 0);
  }

  async facts(): Promise<GateFacts> {
    const { client, senderDomain, metrics } = this.#parts;
    const [lists, reverse, hello, sender, allowListed] = await Promise.all([
      client.lists,
      client.reverse,
      this.#parts.hello,
      this.#parts.sender,
      this.#allowListed(),
    ]);
    const { remoteAddress } = client.session;
    const findings = together(
      ...lists.map((answer) => listFindings(answer, `The sending host: ${remoteAddress}`)),
      reverse === undefined ? nothingFound : reverseFindings(reverse),
      hello.findings,
      sender === undefined ? nothingFound : senderDomainFindings(senderDomain, sender),
      mannersFindings(client),
    );
    metrics.unchecked(findings.unchecked.length);
    return { ...findings, exempt: false, reverse, allowListed };
  }

  async domainFacts(): Promise<Findings> {
    const findings = await this.#parts.domains.findings();
    this.#parts.metrics.unchecked(findings.unchecked.length);
    return findings;
  }

  abandon(): void {
    this.#parts.giveBack();
  }
}

/** How the client spoke. */
function mannersFindings({ session }: Client): Findings {
  if (session.earlyTalk) {
    return found({
      name: 'EARLY_TALKER',
      score: 3,
      text: 'The sending host talked before our greeting, as only spam programs do',
      lever: 'the sending host waited for the greeting',
    });
  }
  if (!session.earlyPipelining) return nothingFound;
  return found({
    name: 'EARLY_PIPELINING',
    score: 1.5,
    text: 'The sending host sent commands before it could know that it may',
    lever: 'the sending host waited for replies where it has to',
  });
}

/** The domain of a reverse-path, normalized; a literal as it is, '' for the null path. */
export function domainOfPath(reversePath: string): string {
  const at = reversePath.lastIndexOf('@');
  if (at === -1) return '';
  const domain = reversePath.slice(at + 1);
  return domain.startsWith('[') ? domain : (normalizeDomain(domain) ?? domain.toLowerCase());
}
