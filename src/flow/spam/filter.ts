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
  /** What the site wants now, or did a second ago; `fresh`: what it wants now. */
  current(fresh?: boolean): Promise<FilterSettings>;
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

/** Milliseconds until settings are looked at again; who changes them says so at once. */
const SETTINGS_MS = 1000;

/** Nothing is started before the first message; settings are read anew every second. */
export async function createFilter(options: FilterOptions): Promise<Filter> {
  const { store, clock, logger, onPartner, adjust = (same) => same } = options;
  let json: string | undefined;
  let settings = adjust(defaultFilterSettings);

  let readAt = Number.NEGATIVE_INFINITY;

  async function current(fresh = false): Promise<FilterSettings> {
    // Asked several times for each message: a look at the store now and then is enough.
    const time = clock.monotonic();
    if (!fresh && time - readAt < SETTINGS_MS) return settings;
    readAt = time;
    const now = await store.read.run('spam.settings', null);
    if (now === json) return settings;
    json = now;
    try {
      settings = adjust(usable(now === undefined ? {} : JSON.parse(now), logger));
    } catch (error) {
      logger.error(
        { error: errorText(error) },
        'filter: its settings cannot be read; they stay as they were',
      );
    }
    return settings;
  }

  await current(true);
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

/** What was written by another version, or by hand: a section that is not usable has its defaults, the rest holds. */
function usable(stored: unknown, logger: Logger): FilterSettings {
  const whole = filterSettingsSchema.safeParse(stored);
  if (whole.success) return whole.data;
  const bad = new Set(
    whole.error.issues.flatMap(({ path, code, ...issue }) =>
      code === 'unrecognized_keys' && path.length === 0
        ? (issue as { keys: string[] }).keys
        : [String(path[0])],
    ),
  );
  logger.error({ settings: [...bad] }, 'filter: these settings are not usable and have their defaults');
  const rest = Object.entries(stored as object).filter(([name]) => !bad.has(name));
  return filterSettingsSchema.parse(Object.fromEntries(rest));
}
