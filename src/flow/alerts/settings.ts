import { z } from 'zod';

/**
 * Of what the administrator is told, and how. Data, not configuration: JSON in the store (setting 'alerts'), shown and set
 * by `postern alert`.
 */

export const ALERT_KINDS = [
  'queue',
  'destination',
  'certificate',
  'disk',
  'dns-list',
  'attack',
  'hold',
  'backup',
  'ses',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export const alertSettingsSchema = z.strictObject({
  /** Mails to the administrators. */
  mail: z.boolean().prefault(true),
  /** Addresses elsewhere that get them too, by the queue. */
  mail_to: z
    .array(z.email({ error: 'it takes mail addresses' }).max(320))
    .max(10)
    .prefault([]),
  /** Minutes between two mails, however much happens; what is critical waits for five at most. */
  digest_minutes: z.int().min(1).max(10_080).prefault(60),
  /** Hours after which what still lasts is told again; 0: never. */
  repeat_hours: z.int().min(0).max(8760).prefault(24),
  /** Kinds that nobody is told of. */
  off: z.array(z.enum(ALERT_KINDS)).max(ALERT_KINDS.length).prefault([]),
  webhook: z
    .strictObject({
      /** '': none. */
      url: z.union([z.literal(''), z.url({ protocol: /^https?$/ }).max(2000)]).prefault(''),
      /** File with the key of the signature. */
      secret_file: z.string().max(4096).prefault(''),
      /** Whether it may be in our own network. */
      private: z.boolean().prefault(false),
    })
    .refine(({ url, secret_file: file }) => url === '' || file !== '', {
      error: 'it needs secret_file, set that first',
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Recipients that wait, and minutes that one has waited. */
      queue_recipients: z.int().min(1).prefault(1000),
      queue_minutes: z.int().min(1).prefault(240),
      /** Recipients of one domain that did not get their mail in the last hour: large providers, and any other domain. */
      provider_recipients: z.int().min(1).prefault(5),
      destination_recipients: z.int().min(1).prefault(50),
      /** Days before its end; of a certificate that lives for weeks only, the last sixth of its life. */
      certificate_days: z.int().min(0).max(365).prefault(14),
      /** Failed logins in ten minutes. */
      failed_logins: z.int().min(1).prefault(200),
      /** Hours since the last good backup, where any are scheduled; at least two of its intervals. */
      backup_hours: z.int().min(1).prefault(36),
    })
    .prefault({}),
});
export type AlertSettings = z.output<typeof alertSettingsSchema>;

export const defaultAlerts: AlertSettings = alertSettingsSchema.parse({});
