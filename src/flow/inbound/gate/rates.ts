import type { Clock } from '../../../base/clock.ts';
import { refusals } from './refusals.ts';
import { HourTally } from './tally.ts';

/** How many messages each network sends in an hour (settings.messages_per_hour). */
export class Rates {
  readonly #messages: HourTally;

  constructor(clock: Clock, max?: number) {
    this.#messages = new HourTally(clock, max);
  }

  /** Count a message of a network, or throw 450 when it has sent `limit` within the hour. Returns how to take it back. */
  take(network: string, limit: number): () => void {
    if (limit <= 0) return () => undefined;
    if (this.#messages.count(network) >= limit) {
      throw refusals.tooManyMessages(network, limit, this.#messages.minutesToWait(network));
    }
    return this.#messages.add(network);
  }
}
