import { isIP } from 'node:net';
import { z } from 'zod';
import { normalizeDomain } from '../../mail/address/domain.ts';

/**
 * What a site publishes beside the records every domain has, and what the doctor asks. Kept as JSON in the store (setting
 * 'doctor'), shown by `postern doctor settings` and changed by `postern doctor set`.
 */

const host = z
  .string()
  .transform((text) => normalizeDomain(text) ?? '')
  .refine((name) => name.includes('.'), { error: 'it takes names such as example.org' });

export const doctorSettingsSchema = z.strictObject({
  /** Our public addresses, where the machine does not have them itself (behind address translation). */
  addresses: z
    .array(z.string().refine((text) => isIP(text) !== 0, { error: 'it takes addresses such as "192.0.2.7"' }))
    .max(64)
    .prefault([]),
  /** The policy that is served at https://mta-sts.DOMAIN; off: none, and no record for it. */
  mta_sts: z.enum(['off', 'none', 'testing', 'enforce']).prefault('testing'),
  /** Days that hosts may keep the policy. */
  mta_sts_days: z.int().min(1).max(365).prefault(7),
  /** Answer at autoconfig.DOMAIN and autodiscover.DOMAIN, and ask for their records. */
  autoconfig: z.boolean().prefault(true),
  /** Authorities that may issue our certificates, as CAA names them. */
  issuers: z.array(host).max(10).prefault(['letsencrypt.org']),
  /** DNS lists that are asked about our addresses. */
  lists: z
    .array(host)
    .max(20)
    .prefault(['zen.spamhaus.org', 'bl.spamcop.net', 'b.barracudacentral.org', 'psbl.surriel.com']),
  /** Asked for the time. */
  time_servers: z.array(z.string().min(1).max(260)).max(5).prefault(['pool.ntp.org']),
  /** Domains at whose mail hosts it is tried whether port 25 is open. */
  big_domains: z.array(host).max(5).prefault(['gmail.com', 'outlook.com']),
  /** Look every day, and tell the administrator what changed. */
  daily: z.boolean().prefault(true),
  /** Days after which each domain gets new DKIM keys; 0: never by itself. */
  dkim_rotate_days: z.int().min(0).max(3650).prefault(0),
});

export type DoctorSettings = z.output<typeof doctorSettingsSchema>;

export const DOCTOR_SETTING = 'doctor';

/** The settings from the store's text; undefined and what cannot be read are the defaults. */
export function readDoctorSettings(json: string | undefined): DoctorSettings {
  // Names of other versions are passed over: the rest of what was set holds.
  const parsed = doctorSettingsSchema.strip().safeParse(json === undefined ? {} : JSON.parse(json));
  return parsed.success ? parsed.data : doctorSettingsSchema.parse({});
}
