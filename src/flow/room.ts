import type { FlowDeps } from './deps.ts';
import { replies } from './replies.ts';

/** New mail is put off while only the disk's reserve is left. Throws 452 4.3.1. */
export function requireRoom({ housekeeping }: Pick<FlowDeps, 'housekeeping'>): void {
  if (housekeeping?.disk.low() === true) throw replies.diskReserve();
}
