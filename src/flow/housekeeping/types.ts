import type { DiskReserve } from '../../base/disk-reserve.ts';
import type { HousekeepingSettings } from './settings.ts';

/** What the flow asks of housekeeping. */
export interface Housekeeping {
  readonly disk: Pick<DiskReserve, 'low'>;
  /** As they hold now. */
  settings(): HousekeepingSettings;
}
