import { z } from 'zod';
import type { ReserveWish } from '../../base/disk-reserve.ts';

/**
 * What the server does by itself so that disks and mailboxes do not fill. Data, not configuration: JSON in the store
 * (setting 'housekeeping'), shown and set by `postern housekeeping`.
 */

const MIB = 1024 * 1024;
const days = z.int().min(0).max(3650);
const address = z.string().min(3).max(320);

const archive = z.strictObject({
  /** Gets a copy of all mail of the domain. */
  address,
  direction: z.enum(['inbound', 'outbound', 'both']).prefault('both'),
});

export const housekeepingSettingsSchema = z.strictObject({
  /** Days after which mail leaves Trash and Junk, from the time it came into the mailbox; 0: never. */
  trash_days: days.prefault(30),
  junk_days: days.prefault(30),
  /** The same for single accounts. */
  accounts: z
    .record(address, z.strictObject({ trash_days: days.optional(), junk_days: days.optional() }))
    .prefault({}),
  quota: z
    .strictObject({
      /** Owner and administrators are told when an account has filled so much of its quota. */
      tell: z.boolean().prefault(true),
      warn_percent: z.int().min(1).max(99).prefault(80),
      urgent_percent: z.int().min(1).max(100).prefault(95),
    })
    .prefault({}),
  /** Below this much free room, whichever is more, new mail is put off. */
  disk_reserve: z
    .strictObject({
      percent: z.number().min(0).max(50).prefault(5),
      megabytes: z.int().min(0).max(1_000_000).prefault(500),
    })
    .prefault({}),
  /** By domain. */
  archive: z.record(z.string().min(1).max(253), archive).prefault({}),
});
export type HousekeepingSettings = z.output<typeof housekeepingSettingsSchema>;
export type ArchiveRules = HousekeepingSettings['archive'];

/** What of the disk is kept free. */
export function reserveWish({ disk_reserve }: HousekeepingSettings): ReserveWish {
  return { percent: disk_reserve.percent, bytes: disk_reserve.megabytes * MIB };
}

export const defaultHousekeeping: HousekeepingSettings = housekeepingSettingsSchema.parse({});
