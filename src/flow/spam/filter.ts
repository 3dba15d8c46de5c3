import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Store } from '../../data/store.ts';
import { createPartners, type Partners, type PartnerState } from './partners.ts';
import { createScanner, type Scanner } from './scanner.ts';
import { defaultFilterSettings, type FilterSettings, filterSettingsSchema } from './settings.ts';

/** The filter of a running server: what the site wants of it, and what it works with. */
export interface Filter {
  readonly scanner: Scanner;
  readonly partners: Partners;
  /** What the site wants now. */
  current(): Promise<FilterSettings>;
  /** What it wanted when last asked, for those that cannot wait. */
  readonly settings: FilterSettings;
  close(): Promise<void>;
}

export interface FilterOptions {
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onPartner?: (state: PartnerState) => void;
  /** What is wanted whatever the store says: for try-outs and tests. */
  readonly adjust?: ((settings: FilterSettings) => FilterSettings) | undefined;
}

/** Nothing is started before the first message; settings are read anew for each, which is one row. */
export async function createFilter(options: FilterOptions): Promise<Filter> {
  const { store, clock, logger, onPartner, adjust = (same) => same } = options;
  let json: string | undefined;
  let settings = adjust(defaultFilterSettings);

  async function current(): Promise<FilterSettings> {
    const now = await store.read.run('spam.settings', null);
    if (now === json) return settings;
    json = now;
    try {
      settings = adjust(filterSettingsSchema.parse(now === undefined ? {} : JSON.parse(now)));
    } catch (error) {
      // Written by a later version, or by hand: what held before is safer than nothing.
      logger.error(
        { error: errorText(error) },
        'filter: its settings cannot be read; they stay as they were',
      );
    }
    return settings;
  }

  await current();
  const scanner = createScanner({
    clock,
    logger,
    models: async (owner) => (await store.read.run('spam.model', { owner }))?.model,
  });
  return {
    scanner,
    partners: createPartners({ clock, logger, ...(onPartner !== undefined && { onState: onPartner }) }),
    current,
    get settings() {
      return settings;
    },
    close: () => scanner.close(),
  };
}
