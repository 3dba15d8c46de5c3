import { z } from 'zod';
import { categories } from './attachments/categories.ts';
import { networkList } from '../../net/ip.ts';
import { partnerPlace } from '../../net/partners/dial.ts';

/**
 * What a site wants of its filter. Data, not configuration: kept as JSON in the store (setting 'filter'), changed at run
 * time through the admin API, shown and set by `postern filter`. What is left out has its default.
 */
/** What a bad sign leads to: one more fact for the score, or a refusal. */
const scoreOrRefuse = z.enum(['score', 'refuse']);

/**
 * One DNS list (RFC 5782). `codes`: the return addresses that are listings, with their score in nats and meaning; those
 * of well-known lists are known (gate/presets-table.ts).
 */
export const dnsListSchema = z.strictObject({
  zone: z.string().min(1).max(253),
  /** What is asked: the client's address, or domains of the envelope and message. */
  of: z.enum(['ip', 'domain']).optional(),
  /** Negative scores make an allow list. */
  codes: z
    .record(z.string(), z.strictObject({ score: z.number().min(-20).max(20), means: z.string().max(200) }))
    .prefault({}),
  /** Refuse at connect (ip) or MAIL (domain) what is listed with a positive score. */
  refuse: z.boolean().prefault(false),
});
export type DnsList = z.output<typeof dnsListSchema>;

const partnerFailure = z.enum(['ignore', 'defer']);

const attachmentCategory = z.enum(categories);

/** A filter beside us; '' for none. */
const place = z
  .string()
  .max(255)
  .refine((text) => text === '' || partnerPlace(text) !== undefined, {
    error: 'it takes an address such as 127.0.0.1:3310 or unix:/run/clamav/clamd.ctl',
  });

function isNetwork(text: string): boolean {
  try {
    networkList([text]);
    return true;
  } catch {
    return false;
  }
}

const networks = z
  .array(
    z
      .string()
      .max(64)
      .refine(isNetwork, { error: 'it takes networks such as 192.0.2.0/24 or 2001:db8::/48' }),
  )
  .max(1000);
const domains = z.array(z.string().max(253)).max(10_000);

export const filterSettingsSchema = z.strictObject({
  enabled: z.boolean().prefault(true),
  /** At most one good message in so many goes to Junk. */
  good_per_junked: z.int().min(20).max(1_000_000).prefault(1000),
  /** Refuse with 550 5.7.1 what is spam beyond doubt; 'never' puts it into Junk. */
  refuse: z.enum(['never', 'certain']).prefault('certain'),
  dmarc: z
    .strictObject({
      enforce: z.boolean().prefault(true),
      /** Domains whose policy is not applied (their failures are scored only). */
      ignore: domains.prefault([]),
      /** Domains whose ARC seals are believed: forwarders and lists people here use. */
      forwarders: domains.prefault([]),
      /** Send daily aggregate reports to domains that ask for them. */
      reports: z.boolean().prefault(true),
    })
    .prefault({}),
  /** Send daily TLS reports (RFC 8460) to domains that ask for them. */
  tls_reports: z.boolean().prefault(true),
  /** Domains that get neither kind of report, with those below them. */
  report_opt_out: domains.prefault([]),
  lists: z.array(dnsListSchema).max(50).prefault([]),
  unknown_sender_domain: scoreOrRefuse.prefault('score'),
  helo: scoreOrRefuse.prefault('score'),
  reverse_dns: scoreOrRefuse.prefault('score'),
  early_talker: scoreOrRefuse.prefault('score'),
  /** Milliseconds to wait before the greeting, for clients that talk before their turn. */
  greeting_pause_ms: z.int().min(0).max(30_000).prefault(0),
  greylist: z
    .strictObject({
      /** 'suspicious': only mail the filter is not sure of; 'all': every stranger. */
      mode: z.enum(['off', 'suspicious', 'all']).prefault('suspicious'),
      delay_s: z.int().min(1).max(86_400).prefault(120),
    })
    .prefault({}),
  /** Messages an hour from one network (IPv4 /24, IPv6 /48) before it gets 450; 0: no limit. */
  messages_per_hour: z.int().min(0).max(10_000_000).prefault(0),
  /** Unknown recipients in one session before its replies slow down; twice as many end it. 0: never. */
  tarpit_after: z.int().min(0).max(1000).prefault(5),
  attachments: z
    .strictObject({
      refuse: z.array(attachmentCategory).prefault([]),
      junk: z.array(attachmentCategory).prefault(['executable', 'executable-in-archive']),
    })
    .prefault({}),
  vault: z
    .strictObject({
      days: z.int().min(0).max(365).prefault(14),
      bytes: z
        .int()
        .min(0)
        .prefault(1024 ** 3),
    })
    .prefault({}),
  clamav: z
    .strictObject({
      /** "127.0.0.1:3310" or "unix:/run/clamav/clamd.ctl"; '' for none. */
      address: place.prefault(''),
      failure: partnerFailure.prefault('ignore'),
      infected: z.enum(['refuse', 'junk']).prefault('refuse'),
    })
    .prefault({}),
  rspamd: z
    .strictObject({
      /** "http://127.0.0.1:11333"; '' for none. */
      url: z
        .string()
        .max(255)
        .refine((text) => text === '' || /^https?:\/\/[^\s/]/.test(text), {
          error: 'it takes a URL such as http://127.0.0.1:11333',
        })
        .prefault(''),
      failure: partnerFailure.prefault('ignore'),
      /** Nats for each point of its score. */
      weight: z.number().min(0).max(2).prefault(0.3),
    })
    .prefault({}),
  milters: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64),
        /** "127.0.0.1:8891" or "unix:/run/x.sock". */
        address: place.min(1),
        failure: partnerFailure.prefault('ignore'),
      }),
    )
    .max(10)
    .prefault([]),
  bans: z
    .strictObject({
      enabled: z.boolean().prefault(true),
      /** Failed logins of one network within `window_s` that ban it. */
      failures: z.int().min(2).max(10_000).prefault(20),
      window_s: z.int().min(10).max(86_400).prefault(600),
      /** First ban; each further one of the same network is twice as long, up to 30 days. */
      first_s: z.int().min(1).max(86_400).prefault(900),
      /** Networks that are never banned, beside loopback and listed proxies. */
      exempt: networks.prefault([]),
    })
    .prefault({}),
  outgoing: z
    .strictObject({
      /** Hold an account that suddenly sends far more, or to far more strangers, than it ever did. */
      hold_unusual: z.boolean().prefault(true),
      /** Messages in an hour below which nothing is unusual. */
      unusual_from: z.int().min(1).max(1_000_000).prefault(100),
      /** Hold outgoing mail the filter is sure to be spam. */
      hold_spam: z.boolean().prefault(true),
    })
    .prefault({}),
});

export type FilterSettings = z.output<typeof filterSettingsSchema>;
export type FilterSettingsInput = z.input<typeof filterSettingsSchema>;

export const defaultFilterSettings: FilterSettings = filterSettingsSchema.parse({});
