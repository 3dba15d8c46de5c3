import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Metrics } from '../base/metrics.ts';
import { type MailSearch, mailSearch } from '../data/search/mail-search.ts';
import { openSearch } from '../data/search/open.ts';
import type { SearchIndex } from '../data/search/types.ts';
import type { Store } from '../data/store.ts';

/** The search index of a running server. */
export interface SearchPart extends MailSearch {
  readonly index: SearchIndex;
}

/** Open it; its thread starts a little later, or with the first search. */
export function createSearchPart(parts: {
  readonly data: string;
  readonly store: Pick<Store, 'read' | 'changes'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): SearchPart {
  const { data, store, clock, logger, metrics } = parts;
  const seconds = metrics.duration(
    'postern_search_seconds',
    'Questions to the search index, by whether it could answer (or the messages had to be read)',
    ['answer'],
  );
  const index = openSearch({
    database: { kind: 'sqlite', path: join(data, 'mail.db') },
    data,
    changes: store.changes,
    clock,
    logger,
    onQuery: (ms, answered) => seconds.observe({ answer: answered ? 'index' : 'scan' }, ms / 1000),
  });
  totalMetrics(metrics, index);
  return { ...mailSearch(index, store.read), index };
}

function totalMetrics(metrics: Metrics, index: SearchIndex): void {
  const collect = async (
    set: (totals: Awaited<ReturnType<SearchIndex['totals']>>) => void,
  ): Promise<void> => {
    // A thread that is not there has nothing to tell.
    const totals = await index.totals().catch(() => undefined);
    if (totals !== undefined) set(totals);
  };
  metrics.gauge('postern_search_bytes', 'Octets of the files of the search index', [], function bytes() {
    return collect((totals) => this.set(totals.bytes));
  });
  metrics.gauge('postern_search_emails', 'Emails in the search index', [], function emails() {
    return collect((totals) => this.set(totals.emails));
  });
  metrics.gauge(
    'postern_search_waiting',
    'Accounts with mail that has yet to be put into the search index',
    [],
    function waiting() {
      return collect((totals) => this.set(totals.waiting));
    },
  );
}
