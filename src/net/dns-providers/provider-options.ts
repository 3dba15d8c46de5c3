import type { Clock } from '../../base/clock.ts';

/** What every provider with an HTTP API is made from. */
export interface ProviderOptions {
  readonly clock: Clock;
  /** All of the credentials file, without white space around it. */
  readonly credentials: string;
  /** The provider's own unless named. */
  readonly endpoint?: string | undefined;
}
