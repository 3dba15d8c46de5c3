import type { PushSubscription } from '../../data/push/push.ts';

/** What the program has for pushes to devices (RFC 8620 section 7.2). */
export interface WebPush {
  /** Our key as push services know it: base64url without padding (RFC 9749 section 3). */
  readonly applicationServerKey: string;
  /** Refusal 'bad-input' or 'not-permitted' for a URL that nothing would ever be sent to. */
  check(url: string): void;
  /** One was made: ask the device whether it hears us, before anything else is told to it. Refusal 'limit'. */
  begin(subscription: PushSubscription): void;
  /** Those of an account are others now. */
  changed(accountId: number): void;
}
