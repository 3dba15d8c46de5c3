import { type Clock, every } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import type { Dns } from '../../../mail/dns.ts';
import type { Reason } from '../../spam/types.ts';
import { type Asker, createAsker } from './ask.ts';
import { type Findings, found, nothingFound, unanswered } from './findings.ts';
import { ListHealth, type ListStatus, readList } from './list-health.ts';
import { type ListSetting, listQuestion, type PreparedList, prepareLists } from './list-prepare.ts';
import { plainText } from './texts.ts';

const HOUR = 3_600_000;
/** Characters of a list's own words that are passed on. */
const LIST_TEXT = 160;

export interface DnsListsOptions {
  readonly dns: () => Dns | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The site's lists; the same array as long as they are the same. */
  readonly settings: () => readonly ListSetting[];
  /** Counts answers: 'listed', 'clear', 'blocked', 'broken', 'failed', 'skipped'. */
  readonly count: (zone: string, answer: string) => void;
}

/** What one list says of one subject. */
export interface ListAnswer {
  readonly list: PreparedList;
  readonly subject: string;
  /** Nats: 0 when it says nothing of it. */
  readonly score: number;
  readonly means: readonly string[];
  /** Why there is no answer. */
  readonly unchecked?: string;
}

export interface DnsLists {
  /** The lists for addresses or domains, in the order of the settings. */
  lists(of: 'ip' | 'domain'): readonly PreparedList[];
  ask(list: PreparedList, subject: string): Promise<ListAnswer>;
  /** What a list says about why somebody is on it (its TXT record); '' when it says nothing. */
  words(answer: ListAnswer): Promise<string>;
  status(): readonly ListStatus[];
  /** Test all lists that are due now, and every hour those that are due then. */
  start(): { cancel(): void };
}

/** The site's DNS lists: asked, read, and watched over. */
export function createDnsLists(options: DnsListsOptions): DnsLists {
  return new SiteLists(options);
}

class SiteLists implements DnsLists {
  readonly #options: DnsListsOptions;
  readonly #health: ListHealth;
  #source: readonly ListSetting[] | undefined;
  #prepared: readonly PreparedList[] = [];

  constructor(options: DnsListsOptions) {
    this.#options = options;
    this.#health = new ListHealth(options.clock, options.logger);
  }

  /** The lists of the settings, prepared when those have changed. */
  get #all(): readonly PreparedList[] {
    const { settings, logger } = this.#options;
    const source = settings();
    if (source !== this.#source) {
      this.#source = source;
      this.#prepared = prepareLists(source, (problem) =>
        logger.warn({ problem }, 'DNS list: not usable as it is set'),
      );
    }
    return this.#prepared;
  }

  get #asker(): Asker | undefined {
    return createAsker(this.#options.dns(), this.#options.clock);
  }

  lists(of: 'ip' | 'domain'): readonly PreparedList[] {
    return this.#all.filter((list) => list.of === of);
  }

  async ask(list: PreparedList, subject: string): Promise<ListAnswer> {
    const question = listQuestion(list, subject);
    if (question === undefined) return silent(list, subject);
    const asker = this.#asker;
    const why = asker === undefined ? 'no DNS' : this.#health.unusable(list);
    if (asker === undefined || why !== undefined) {
      this.#options.count(list.shown, 'skipped');
      return silent(list, subject, why);
    }
    return this.#answer(list, subject, question, asker);
  }

  async #answer(list: PreparedList, subject: string, question: string, asker: Asker): Promise<ListAnswer> {
    const [reading] = await Promise.all([readList(asker, list, question), this.#health.ready(asker, list)]);
    this.#options.count(list.shown, reading.kind);
    if (reading.kind === 'clear') return silent(list, subject);
    if (reading.kind === 'failed') return silent(list, subject, reading.why);
    if (reading.kind !== 'listed') {
      this.#health.trouble(list, reading);
      return silent(list, subject, reading.why);
    }
    // Its first test may have come back with the answer, and have shown that it lists everything.
    const unusable = this.#health.unusable(list);
    if (unusable !== undefined) return silent(list, subject, unusable);
    return { list, subject, score: reading.score, means: reading.means };
  }

  async words({ list, subject }: ListAnswer): Promise<string> {
    const asker = this.#asker;
    const question = listQuestion(list, subject);
    if (asker === undefined || question === undefined) return '';
    const answer = await asker((dns, signal) => dns.query(question, 'TXT', signal));
    return answer.status === 'ok' ? plainText(answer.records[0]?.text ?? '', LIST_TEXT) : '';
  }

  status(): readonly ListStatus[] {
    return this.#all.map((list) => this.#health.status(list));
  }

  start(): { cancel(): void } {
    void this.#testDue();
    return every(this.#options.clock, HOUR, () => this.#testDue());
  }

  async #testDue(): Promise<void> {
    const asker = this.#asker;
    if (asker !== undefined) await this.#health.testDue(asker, this.#all);
  }
}

function silent(list: PreparedList, subject: string, unchecked?: string): ListAnswer {
  return { list, subject, score: 0, means: [], ...(unchecked !== undefined && { unchecked }) };
}

/** The name of a list's reason: LIST_ZEN_SPAMHAUS_ORG. */
function reasonName(list: PreparedList): string {
  return `LIST_${list.shown.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`;
}

/** What an answer says, as a fact. `who`: "The sending host 192.0.2.7", "The domain of From, example.test,". */
export function listFindings(answer: ListAnswer, who: string): Findings {
  const { list, score, means, unchecked } = answer;
  if (unchecked !== undefined) return unanswered(`${list.shown}: ${unchecked}`);
  if (score === 0) return nothingFound;
  const text = `${who} ${means.join(' and ')}`;
  const reason: Reason = { name: reasonName(list), score, text };
  if (score < 0) return found(reason);
  return found({ ...reason, lever: `the sender were taken off the list ${list.shown}` });
}
