import { limits } from '../../../base/limits.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import { siteOf } from '../../spam/facts/hosts.ts';
import { type Findings, together } from './findings.ts';
import { type DnsLists, type ListAnswer, listFindings } from './lists.ts';

/** Where a domain was found, as it is told. */
export type DomainPlace = 'HELO' | 'sender' | 'From' | 'DKIM' | 'body';

const TOLD: Readonly<Record<DomainPlace, (domain: string) => string>> = {
  HELO: (domain) => `The name of the sending host: ${domain}`,
  sender: (domain) => `The domain of the sender's address: ${domain}`,
  From: (domain) => `The domain of From: ${domain}`,
  DKIM: (domain) => `The domain that signed the message: ${domain}`,
  body: (domain) => `A link or address in the message: ${domain}`,
};

/**
 * The questions to domain lists (RFC 5782 section 2.2) for one message: each registrable domain once, so many in all as
 * `limits.domainQuestions` says, in the order they are asked for. A message full of links costs no more than that.
 */
export class DomainQuestions {
  readonly #lists: DnsLists;
  readonly #asked = new Set<string>();
  readonly #answers: { readonly place: DomainPlace; readonly answer: Promise<ListAnswer> }[] = [];

  constructor(lists: DnsLists) {
    this.#lists = lists;
  }

  /** Ask about domains or host names as they were found; what is none is passed over. Returns at once. */
  ask(place: DomainPlace, domains: Iterable<string>): void {
    const lists = this.#lists.lists('domain');
    if (lists.length === 0) return;
    for (const domain of domains) {
      if (this.#answers.length + lists.length > limits.domainQuestions) return;
      const name = normalizeDomain(domain.replace(/\.$/, ''));
      const site = name === undefined ? '' : siteOf(name);
      if (!site.includes('.') || this.#asked.has(site)) continue;
      this.#asked.add(site);
      for (const list of lists) this.#answers.push({ place, answer: this.#lists.ask(list, site) });
    }
  }

  /** Questions asked. */
  get size(): number {
    return this.#answers.length;
  }

  /** Answers there are about these places, in the order of the questions. */
  answers(...places: readonly DomainPlace[]): Promise<readonly ListAnswer[]> {
    return Promise.all(
      this.#answers.filter(({ place }) => places.includes(place)).map(({ answer }) => answer),
    );
  }

  /** One fact for each list, its strongest: ten links to one bad site are not ten bad signs. */
  async findings(): Promise<Findings> {
    const told = await Promise.all(
      this.#answers.map(async ({ place, answer }) => ({ place, answer: await answer })),
    );
    const strongest = new Map<string, (typeof told)[number]>();
    const unchecked = new Map<string, Findings>();
    for (const each of told) {
      const { list, score } = each.answer;
      if (each.answer.unchecked !== undefined) unchecked.set(list.zone, listFindings(each.answer, ''));
      const best = strongest.get(list.zone)?.answer.score ?? 0;
      if (score > 0 ? score > best : best <= 0 && score < best) strongest.set(list.zone, each);
    }
    return together(
      ...[...strongest.values()].map(({ place, answer }) =>
        listFindings(answer, TOLD[place](answer.subject)),
      ),
      ...unchecked.values(),
    );
  }
}
