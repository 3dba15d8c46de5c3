import { errorText, Refusal } from '../../../base/errors.ts';
import type { Metrics } from '../../../base/metrics.ts';
import type { FlowDeps } from '../../deps.ts';
import type { Greeting, SessionFacts } from '../../service.ts';
import type { Filter } from '../../spam/filter.ts';
import { defaultFilterSettings, type FilterSettings } from '../../spam/settings.ts';
import { createAsker } from './ask.ts';
import { type Client, type ClientParts, helloOf, openClient, unawaited } from './client.ts';
import { DomainQuestions } from './domain-questions.ts';
import { domainOfPath, type EnvelopeGate, openGate, StrangerGate } from './envelope.ts';
import { refuseHello } from './hello.ts';
import type { ListStatus } from './list-health.ts';
import { createDnsLists, type DnsLists, type ListAnswer } from './lists.ts';
import { type GateMetrics, gateMetrics, noMetrics } from './metrics.ts';
import { exemption } from './networks.ts';
import { Rates } from './rates.ts';
import { earlyTalkReply, refusals } from './refusals.ts';
import { refuseReverse } from './reverse.ts';
import { askSenderDomain, refuseSenderDomain } from './sender-domain.ts';
import { Tarpit } from './tarpit.ts';
import { askPostmaster } from './texts.ts';

/** What the site wants: read anew, and as it was read last. */
export type SettingsSource = Pick<Filter, 'current' | 'settings'>;

export interface GateOptions {
  /** Read anew at each use. */
  readonly deps: () => Pick<FlowDeps, 'store' | 'clock' | 'logger' | 'dns' | 'settings'>;
  /** The site's settings; the same object as long as they are the same. Undefined: nothing is judged. */
  readonly filter: () => SettingsSource | undefined;
  /** Networks that are us: listed proxies, own networks. The same array as long as they are the same. */
  readonly own?: () => readonly string[];
  readonly metrics?: Metrics;
}

/**
 * What is judged of a client and an envelope before there is a message. Questions begin as early as they can be asked
 * and are awaited as late as possible; each finding is a fact for the score, and a refusal only where the site says so.
 * One gate serves all listeners of a program: networks are counted across them.
 */
export interface Gate {
  /** Begin the self tests of DNS lists, now and daily. */
  start(): { cancel(): void };
  /** A new connection: ask about its address. Throws 554 for a listed one where a list says so. */
  connect(session: SessionFacts): Promise<Greeting>;
  /** A HELO name was said: ask about it. */
  hello(session: SessionFacts): void;
  /**
   * MAIL with a parsed reverse-path ('' the null one). Throws what the settings want refused: 450 for too many messages,
   * 550 5.7.25 (reverse name), 550 5.7.1 (HELO, listed domains), 550 5.1.8, 550 5.7.27, 451 4.1.8 (sender's domain).
   */
  mail(session: SessionFacts, reversePath: string): Promise<EnvelopeGate>;
  /**
   * The same for mail that another host took for us: nobody is there to be refused, slowed or counted. `refusal` is what
   * a client would have been told.
   */
  late(
    session: SessionFacts,
    reversePath: string,
  ): Promise<{ readonly gate: EnvelopeGate; readonly refusal: Refusal | undefined }>;
  /** How each DNS list of the settings does. */
  lists(): readonly ListStatus[];
}

/** Runs what may refuse. */
type Refusing = (check: string, run: () => void | Promise<void>) => Promise<void>;

export function createGate(options: GateOptions): Gate {
  return new SiteGate(options);
}

const NO_NETWORKS: readonly string[] = [];
const NOTHING_TAKEN = (): void => undefined;
const GREET_AT_ONCE: Greeting = { pauseMs: 0, earlyTalk: undefined };

class SiteGate implements Gate {
  readonly #options: GateOptions;
  readonly #lists: DnsLists;
  readonly #rates: Rates;
  readonly #tarpit: Tarpit;
  readonly #metrics: GateMetrics;
  readonly #clients = new WeakMap<SessionFacts, Client>();
  #own: { readonly networks: readonly string[]; readonly has: (address: string) => boolean } | undefined;

  constructor(options: GateOptions) {
    const { clock, logger } = options.deps();
    this.#options = options;
    this.#metrics = options.metrics === undefined ? noMetrics : gateMetrics(options.metrics);
    this.#rates = new Rates(clock);
    this.#tarpit = new Tarpit(clock);
    this.#lists = createDnsLists({
      dns: () => options.deps().dns,
      clock,
      logger,
      settings: () => this.#settings.lists,
      count: (zone, answer) => this.#metrics.list(zone, answer),
    });
  }

  start(): { cancel(): void } {
    return this.#lists.start();
  }

  lists(): readonly ListStatus[] {
    return this.#lists.status();
  }

  async connect(session: SessionFacts): Promise<Greeting> {
    // Read here too: a site that refuses everybody at connect must be able to change its mind.
    await this.#options.filter()?.current();
    const client = this.#client(session);
    if (client === undefined) return GREET_AT_ONCE;
    await this.#refusing(client, 'list', () => this.#refuseListed(client));
    const { greeting_pause_ms: pauseMs, early_talker: earlyTalker } = this.#settings;
    const refuse = earlyTalker === 'refuse' && !(await this.#isWelcome(client));
    return { pauseMs, earlyTalk: refuse ? earlyTalkReply(this.#ask) : undefined };
  }

  hello(session: SessionFacts): void {
    const client = this.#client(session);
    if (client !== undefined) void helloOf(this.#parts, client);
  }

  async mail(session: SessionFacts, reversePath: string): Promise<EnvelopeGate> {
    const client = this.#client(session);
    if (client === undefined) return openGate;
    const settings = this.#settings;
    let giveBack = NOTHING_TAKEN;
    await this.#refusing(client, 'rate', () => {
      giveBack = this.#rates.take(client.network, settings.messages_per_hour);
    });
    try {
      const refusing: Refusing = (check, run) => this.#refusing(client, check, run);
      return await this.#open(client, reversePath, settings, giveBack, refusing);
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  async late(
    session: SessionFacts,
    reversePath: string,
  ): Promise<{ gate: EnvelopeGate; refusal: Refusal | undefined }> {
    await this.#options.filter()?.current();
    const client = this.#client(session);
    if (client === undefined) return { gate: openGate, refusal: undefined };
    let refusal: Refusal | undefined;
    const noting: Refusing = async (check, run) => {
      try {
        await this.#refusing(client, check, run);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        // To come again later is no answer to mail that is here.
        if ((error.smtp?.code ?? 0) >= 500) refusal ??= error;
      }
    };
    await noting('list', () => this.#refuseListed(client));
    const gate = await this.#open(client, reversePath, this.#settings, NOTHING_TAKEN, noting);
    return { gate, refusal };
  }

  async #open(
    client: Client,
    reversePath: string,
    settings: FilterSettings,
    giveBack: () => void,
    refusing: Refusing,
  ): Promise<EnvelopeGate> {
    const { store, clock, dns } = this.#options.deps();
    const senderDomain = domainOfPath(reversePath);
    const asker = createAsker(dns, clock);
    const sender =
      asker !== undefined && senderDomain !== ''
        ? unawaited(askSenderDomain(asker, senderDomain))
        : undefined;
    const hello = helloOf(this.#parts, client);
    const domains = new DomainQuestions(this.#lists);
    if (senderDomain !== '') domains.ask('sender', [senderDomain]);
    domains.ask('HELO', [client.session.helo]);
    const ask = this.#ask;
    // Everything is asked by now. What the settings want refused is awaited here, the rest at the end of the data.
    await refusing('reverse_dns', async () => {
      if (settings.reverse_dns !== 'refuse' || client.reverse === undefined) return;
      refuseReverse(await client.reverse, ask);
    });
    await refusing('helo', async () => {
      if (settings.helo === 'refuse') refuseHello(await hello, ask);
    });
    await refusing('sender_domain', async () => {
      if (settings.unknown_sender_domain !== 'refuse' || sender === undefined) return;
      refuseSenderDomain(senderDomain, await sender, ask);
    });
    await refusing('list', () => this.#refuseListedDomains(domains));
    return new StrangerGate({
      client,
      reversePath,
      senderDomain,
      hello,
      sender,
      domains,
      settings,
      store,
      clock,
      tarpit: this.#tarpit,
      metrics: this.#metrics,
      ask,
      giveBack,
    });
  }

  /** Undefined for one of us, for other protocols than SMTP, and while the filter is off. */
  #client(session: SessionFacts): Client | undefined {
    if (session.protocol !== 'smtp' || session.login !== undefined) return undefined;
    const known = this.#clients.get(session);
    if (known !== undefined) return known;
    if (!this.#isOn || this.#isOwn(session.remoteAddress)) return undefined;
    const client = openClient(this.#parts, session);
    this.#clients.set(session, client);
    return client;
  }

  get #settings(): FilterSettings {
    return this.#options.filter()?.settings ?? defaultFilterSettings;
  }

  get #isOn(): boolean {
    return this.#options.filter()?.settings.enabled === true;
  }

  #isOwn(address: string): boolean {
    const networks = this.#options.own?.() ?? NO_NETWORKS;
    if (this.#own?.networks !== networks) this.#own = { networks, has: this.#exemption(networks) };
    return this.#own.has(address);
  }

  #exemption(networks: readonly string[]): (address: string) => boolean {
    try {
      return exemption(networks);
    } catch (error) {
      this.#options.deps().logger.warn({ error: errorText(error) }, 'own networks are not usable');
      return exemption([]);
    }
  }

  get #parts(): ClientParts {
    const { dns, clock, store, settings } = this.#options.deps();
    return {
      dns,
      clock,
      lists: this.#lists,
      own: {
        hostname: settings.hostname,
        isOurDomain: async (name) => (await store.read.run('directory.domain', { name })) !== undefined,
      },
    };
  }

  get #ask(): string {
    return askPostmaster(this.#options.deps().settings.hostname);
  }

  /** Run what may refuse; the refusal is counted, and does not hold for those the site always takes mail from. */
  async #refusing(client: Client, check: string, run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (await this.#isWelcome(client)) return;
      this.#metrics.refused(check);
      throw error;
    }
  }

  /** Whether the client's network is one the site always takes mail from (postern filter allow NETWORK). */
  #isWelcome(client: Client): Promise<boolean> {
    const { store } = this.#options.deps();
    return (client.welcome ??= unawaited(isWelcome(store, client.session.remoteAddress)));
  }

  async #refuseListed(client: Client): Promise<void> {
    if (!this.#lists.lists('ip').some(({ refuse }) => refuse)) return;
    const answers = await client.lists;
    const worst = worstRefusing(answers);
    // An allow list has the last word: whoever is on both is judged by the message.
    if (worst === undefined || answers.some(({ score }) => score < 0)) return;
    const words = await this.#lists.words(worst);
    const { list, subject, means } = worst;
    throw refusals.listedAddress(subject, list.shown, means.join(' and '), words, this.#ask);
  }

  async #refuseListedDomains(domains: DomainQuestions): Promise<void> {
    if (!this.#lists.lists('domain').some(({ refuse }) => refuse)) return;
    const worst = worstRefusing(await domains.answers('sender', 'HELO'));
    if (worst === undefined) return;
    const words = await this.#lists.words(worst);
    const { list, subject, means } = worst;
    throw refusals.listedDomain(subject, list.shown, means.join(' and '), words, this.#ask);
  }
}

async function isWelcome({ read }: Pick<FlowDeps['store'], 'read'>, ip: string): Promise<boolean> {
  // The site's own list alone: what an account allows counts when it is known whom the mail is for.
  const [relation] = await read.run('spam.relation', { accountIds: [0], from: [], ip, references: [] });
  return relation?.list?.action === 'allow';
}

/** The worst listing on a list that refuses. */
function worstRefusing(answers: readonly ListAnswer[]): ListAnswer | undefined {
  return answers
    .filter(({ list, score }) => list.refuse && score > 0)
    .toSorted((a, b) => b.score - a.score)[0];
}
