import { z } from 'zod';

/**
 * What is backed up where and when. Data, not configuration: kept as JSON in the store (setting 'backup'), shown and
 * changed by `postern backup show` and `postern backup set`.
 */
export const backupSettingsSchema = z.strictObject({
  /** A directory ("/backup/postern") or a bucket ("s3://bucket/prefix"). Empty: nothing is scheduled. */
  target: z
    .string()
    .max(1024)
    .regex(/^(?:\/|s3:\/\/[a-z0-9][a-z0-9.-]+|$)/, {
      error: 'it takes a path from / on, or s3://BUCKET/PREFIX',
    })
    .prefault(''),
  /** File with the passphrase in its first line; or `key_file`. */
  passphrase_file: z.string().max(4096).prefault(''),
  /** File of 32 octets or more that nobody can guess. */
  key_file: z.string().max(4096).prefault(''),
  /** Of the bucket. */
  region: z
    .string()
    .regex(/^([a-z]{2}(-[a-z]+)+-\d)?$/, { error: 'it takes a region such as eu-west-1' })
    .prefault(''),
  /** Instead of Amazon's: another store that speaks S3. */
  endpoint: z.union([z.literal(''), z.url().max(500)]).prefault(''),
  /** File with "key:secret"; empty: the AWS chain. */
  credentials_file: z.string().max(4096).prefault(''),
  profile: z.string().max(100).prefault(''),
  role_arn: z.union([z.literal(''), z.string().regex(/^arn:\S{1,2000}$/)]).prefault(''),
  /** Hours between two backups; 0: none by itself. */
  every_hours: z.int().min(0).max(720).prefault(24),
  /** How many of the newest days, weeks and months with a backup keep their last one. */
  keep_daily: z.int().min(0).max(3650).prefault(7),
  keep_weekly: z.int().min(0).max(520).prefault(4),
  keep_monthly: z.int().min(0).max(120).prefault(6),
  /** Days between two restores into a scratch directory, to see that it works; 0: never. */
  drill_days: z.int().min(0).max(365).prefault(7),
  /** Directory for that and for restoring single accounts; empty: in the data directory. */
  scratch: z.string().max(4096).prefault(''),
  /** MiB read in a second at most; 0: as fast as it goes beside everything else. */
  mib_per_second: z.number().min(0).max(100_000).prefault(0),
});
export type BackupSettings = z.output<typeof backupSettingsSchema>;
