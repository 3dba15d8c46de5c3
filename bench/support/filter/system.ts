import type { MailSystem } from '../system.ts';
import type { LoopDelay } from './postern.main.ts';

/** A mail system with a filter, as the cells see it. */
export interface FilteredSystem extends MailSystem {
  /** Mailboxes where mail may go; counted together. */
  readonly mailboxes: readonly string[];
  /** Begin to watch the event loop, where there is one of ours. */
  watchLoop?(): void;
  /** How long it was held since. */
  loopDelay?(): Promise<LoopDelay>;
}
