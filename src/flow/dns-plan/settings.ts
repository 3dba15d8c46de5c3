import { z } from 'zod';
import { normalizeDomain } from '../../mail/address/domain.ts';

/**
 * Who serves our zones and takes changes of them. Data, not configuration: kept as JSON in the store (setting
 * 'dns-providers'), changed at run time through the admin API. Secrets stand in files, never here.
 */

export const DNS_SETTING = 'dns-providers';

/** Key of the entry for all zones that have none of their own. */
export const ANY_ZONE = '*';

const filePath = z.string().min(1).max(4096);
/** Instead of the provider's own; for an installation of your own and for tests. */
const endpoint = z.url().max(500).optional();

const common = { credentials_file: filePath };

const rfc2136 = z.strictObject({
  kind: z.literal('rfc2136'),
  ...common,
  /** Host name or address of the primary server. */
  server: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).prefault(53),
});

const byHttp = <K extends string>(kind: K) => z.strictObject({ kind: z.literal(kind), ...common, endpoint });

export const providerSchema = z.discriminatedUnion('kind', [
  rfc2136,
  byHttp('cloudflare'),
  byHttp('desec'),
  byHttp('hetzner'),
  byHttp('digitalocean'),
  byHttp('porkbun'),
  byHttp('route53'),
]);
export type ProviderSettings = z.output<typeof providerSchema>;

const zoneName = z.string().refine((text) => text === ANY_ZONE || normalizeDomain(text) === text, {
  error: 'it takes zones such as example.org in lower case, or "*" for all others',
});

export const dnsSettingsSchema = z.strictObject({
  /** By zone, or a name above it; "*": all others. The longest zone that the account there has is the one that is changed. */
  zones: z.record(zoneName, providerSchema).prefault({}),
  /** Seconds that resolvers may keep what we write. */
  ttl: z.int().min(60).max(86_400).prefault(3600),
  /** Zones that are signed with DNSSEC: records that are right only there (TLSA) are written too. */
  signed: z.array(zoneName).max(1000).prefault([]),
});
export type DnsSettings = z.output<typeof dnsSettingsSchema>;

/** The provider for a name: that of the longest zone above it, else that for all. */
export function providerFor(
  settings: Pick<DnsSettings, 'zones'>,
  name: string,
): { readonly key: string; readonly provider: ProviderSettings } | undefined {
  const labels = name.split('.');
  for (let i = 0; i < labels.length; i++) {
    const key = labels.slice(i).join('.');
    const provider = Object.hasOwn(settings.zones, key) ? settings.zones[key] : undefined;
    if (provider !== undefined) return { key, provider };
  }
  const provider = settings.zones[ANY_ZONE];
  return provider === undefined ? undefined : { key: ANY_ZONE, provider };
}
