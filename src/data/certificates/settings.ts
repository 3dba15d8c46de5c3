import { z } from 'zod';
import { isHostName, normalizeDomain } from '../../mail/address/domain.ts';

/**
 * How certificates are got by ACME. Data, not configuration: kept as JSON in the store (setting 'acme'), changed at run
 * time through the admin API, shown and set by `postern certificate`. Nothing is requested until `enabled`.
 */

/** Directories of Let's Encrypt: the real one, and the one for trying things out, which nobody trusts. */
export const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
export const LETS_ENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

/** Names in one certificate (Let's Encrypt takes 100). */
const NAMES_MAX = 100;

/** A full host name in A-labels, lower case; "*." in front for a wildcard. */
const hostName = z
  .string()
  .max(255)
  .transform((text, context): string => {
    const star = text.startsWith('*.') ? '*.' : '';
    const name = normalizeDomain(text.slice(star.length));
    if (name !== undefined && isHostName(name)) return star + name;
    context.addIssue({
      code: 'custom',
      message: `"${text}" is not a full host name such as mail.example.org`,
    });
    return z.NEVER;
  });

const domain = z.string().min(1).max(255);

/** Names below a domain of ours that programs and other servers look for. */
const domainHost = z.enum(['mta-sts', 'autoconfig', 'autodiscover', 'mail', 'imap', 'smtp']);

const https = z.url({ protocol: /^https$/, error: 'it takes an https URL' }).max(500);

export const acmeSettingsSchema = z
  .strictObject({
    /** Request certificates and renew them. Own files (tls.cert, tls.key) come first where they have the name. */
    enabled: z.boolean().prefault(false),
    /** You have read the terms of service of the authority and agree to them. */
    terms_agreed: z.boolean().prefault(false),
    /** Directory of the authority; Let's Encrypt's unless named. */
    directory: https.prefault(LETS_ENCRYPT),
    /** Take certificates from Let's Encrypt's staging place: nobody trusts them, and its limits are wide. */
    staging: z.boolean().prefault(false),
    /** PEM file with authorities to trust when speaking to the directory, for an authority of your own. */
    ca_file: z.string().max(4096).prefault(''),
    /** Addresses the authority may write to. */
    contact: z
      .array(z.email({ error: 'it takes addresses such as admin@example.org' }).max(320))
      .max(10)
      .prefault([]),
    /** An account at the authority's shop, where it wants one (ZeroSSL, Google, Sectigo). */
    eab: z
      .strictObject({
        key_id: z.string().max(500).prefault(''),
        /** File with the key as the authority gave it (base64url). */
        hmac_key_file: z.string().max(4096).prefault(''),
      })
      .prefault({}),
    /** How names are proven: on port 80, on port 443, or by DNS records. */
    challenge: z.enum(['http-01', 'tls-alpn-01', 'dns-01']).prefault('http-01'),
    /** Seconds for all name servers of a zone to have a record, with dns-01. */
    dns_wait_seconds: z.int().min(0).max(3600).prefault(30),
    /** The name of this machine, as the configuration has it, is in the first certificate. */
    hostname: z.boolean().prefault(true),
    /** Further names of the first certificate. */
    names: z
      .array(hostName)
      .max(NAMES_MAX - 1)
      .prefault([]),
    /** Names below domains of ours, a certificate for each domain: {"example.org": ["mta-sts", "autoconfig"]}; "*": all. */
    domain_hosts: z.record(domain, z.array(domainHost).max(10)).prefault({}),
    key_type: z.enum(['ecdsa-p256', 'rsa-2048']).prefault('ecdsa-p256'),
    /** A profile of the authority, such as "shortlived". Empty: its usual one. */
    profile: z.string().max(100).prefault(''),
    /** Days before the end of a certificate when it is warned of; a fifth of its life at most. */
    alarm_days: z.int().min(1).max(365).prefault(14),
  })
  .superRefine((settings, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (settings.enabled && !settings.terms_agreed)
      wrong(
        'enabled',
        'first agree to the terms of service of the authority: certificate set terms_agreed true',
      );
    if (settings.staging && settings.directory !== LETS_ENCRYPT)
      wrong('staging', "it is for Let's Encrypt; another authority's place for tests goes into directory");
    if (settings.challenge !== 'dns-01' && settings.names.some((name) => name.startsWith('*.')))
      wrong('names', 'wildcards can be proven with dns-01 only');
    if ((settings.eab.key_id === '') !== (settings.eab.hmac_key_file === '') && settings.enabled)
      wrong('eab', 'key_id and hmac_key_file go together');
  });
export type AcmeSettings = z.output<typeof acmeSettingsSchema>;

/** The directory that is asked. */
export function directoryOf({ directory, staging }: Pick<AcmeSettings, 'directory' | 'staging'>): string {
  return staging ? LETS_ENCRYPT_STAGING : directory;
}

/** What one certificate is to hold. */
export interface WantedCertificate {
  /** Its first name. */
  readonly name: string;
  readonly names: readonly string[];
}

/**
 * The certificates that are wanted: one for this machine with the names that were added, and one for each domain, so
 * that a domain whose DNS is wrong takes nobody else's certificate with it. `covered`: names that own files have.
 */
export function wantedCertificates(
  settings: AcmeSettings,
  place: {
    readonly hostname: string;
    readonly domains: readonly string[];
    readonly covered: (name: string) => boolean;
  },
): WantedCertificate[] {
  const first = [...(settings.hostname ? [place.hostname] : []), ...settings.names];
  const groups = [first];
  for (const each of place.domains) {
    const hosts = settings.domain_hosts[each] ?? settings.domain_hosts['*'] ?? [];
    groups.push(hosts.map((host) => `${host}.${each}`));
  }
  const seen = new Set<string>();
  return groups.flatMap((group) => {
    const names = [...new Set(group)]
      .filter((name) => !seen.has(name) && !place.covered(name))
      .slice(0, NAMES_MAX);
    for (const name of names) seen.add(name);
    const [name] = names;
    return name === undefined ? [] : [{ name, names }];
  });
}
