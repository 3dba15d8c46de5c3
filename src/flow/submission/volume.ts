import type { Clock, Timer } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { dayOf, type Volume } from '../../data/holds/types.ts';
import type { Store } from '../../data/store.ts';

/** How often more than on its largest day an account must send within an hour to be unusual. */
export const UNUSUAL_FACTOR = 5;
/** New addresses are written to in larger numbers than messages are: a card to everybody is no break-in. */
const STRANGERS_FACTOR = 4;
/** Milliseconds until what was counted is stored; a crash forgives so much. */
const STORE_EVERY_MS = 30_000;

export interface Envelope {
  /** Messages in an hour below which nothing is unusual. */
  readonly unusualFrom: number;
  /** The most of a day within the last 30, today not counted. */
  readonly largest: Volume;
}

/** Why what was sent within the hour, this message included, is unusual for the account; undefined when it is not. */
export function whyUnusual(
  hour: { readonly messages: number; readonly strangers: number },
  { unusualFrom, largest }: Envelope,
): string | undefined {
  const { messages, strangers } = hour;
  const most = (count: number): string => `the most of a day in the last 30 days was ${count}`;
  if (messages >= unusualFrom && messages > UNUSUAL_FACTOR * largest.messages) {
    return `it sent ${messages} messages within an hour; ${most(largest.messages)}`;
  }
  if (strangers >= unusualFrom * STRANGERS_FACTOR && strangers > UNUSUAL_FACTOR * largest.strangers) {
    return `it wrote to ${strangers} new addresses within an hour; ${most(largest.strangers)}`;
  }
  return undefined;
}

/** Sums up what accounts send by days; stored a little later, so that a message costs no write of its own. */
export class VolumeBook {
  readonly #store: Pick<Store, 'write'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #rows = new Map<string, Volume & { accountId: number; day: number }>();
  #timer: Timer | undefined;

  constructor(options: { store: Pick<Store, 'write'>; clock: Clock; logger: Logger }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
  }

  add(accountId: number, recipients: number, strangers: number): void {
    const day = dayOf(this.#clock.now());
    const key = `${accountId} ${day}`;
    const row = this.#rows.get(key) ?? { accountId, day, messages: 0, recipients: 0, strangers: 0 };
    this.#rows.set(key, {
      accountId,
      day,
      messages: row.messages + 1,
      recipients: row.recipients + recipients,
      strangers: row.strangers + strangers,
    });
    this.#timer ??= this.#clock.setTimer(STORE_EVERY_MS, () => void this.flush());
  }

  /** Store what was counted. Never throws: what the store does not take is lost. */
  async flush(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const rows = [...this.#rows.values()];
    this.#rows = new Map();
    if (rows.length === 0) return;
    try {
      await this.#store.write.run('holds.count', { rows });
    } catch (error) {
      this.#logger.warn({ error: errorText(error) }, 'what accounts sent could not be counted');
    }
  }
}
