import { z } from 'zod';

/**
 * The ways mail leaves and which message takes which. Data, not configuration: kept as JSON in the store (setting
 * 'routing'), changed at run time through the admin API, shown and set by `postern route` and `postern transport`.
 * Names of transports are free but for those that are always there: `direct` (to MX hosts) and, where the configuration
 * has a [relay], `relay`.
 */

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, {
  error: 'it takes up to 40 of a-z, 0-9, ".", "_" and "-"',
});
const host = z.string().min(1).max(255);
const port = z.int().min(1).max(65_535);
const filePath = z.string().min(1).max(4096);
const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, { error: 'it takes a region such as eu-west-1' });
const arn = z.string().regex(/^arn:[^\s]{1,2000}$/, { error: 'it takes an ARN' });
const domains = z.array(z.string().min(1).max(253)).max(10_000);

/** How we log in: secrets stand in files that are read when they are needed. */
const login = z.strictObject({
  user: z.string().min(1).max(320),
  /** File with the password, or with the access token for XOAUTH2. */
  secret_file: filePath,
  /** The best that is offered unless named. */
  mechanism: z.enum(['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'XOAUTH2']).optional(),
});

/** What a way may be used for in a while; beyond it mail takes the next way or waits. */
const caps = z
  .strictObject({
    recipients_per_day: z.int().min(1).optional(),
    recipients_per_month: z.int().min(1).optional(),
    /** In whole units of the currency of the prices. */
    cost_per_month: z.number().positive().optional(),
    price_per_1000_recipients: z.number().min(0).prefault(0.1),
    price_per_gigabyte: z.number().min(0).prefault(0.12),
    /** Per recipient and second, at most. */
    recipients_per_second: z.number().positive().max(10_000).optional(),
  })
  .prefault({});
export type Caps = z.output<typeof caps>;

const ses = {
  region,
  /** Instead of Amazon's: an emulator, a VPC endpoint. */
  endpoint: z.url().max(500).optional(),
  profile: z.string().min(1).max(100).optional(),
  /** File with "key:secret"; else the AWS chain (environment, shared files, SSO, web identity, ECS, EC2). */
  credentials_file: filePath.optional(),
  role_arn: arn.optional(),
  external_id: z.string().min(2).max(1224).optional(),
  configuration_set: z.string().max(64).optional(),
  tags: z.record(z.string().regex(/^[\w-]{1,256}$/), z.string().regex(/^[\w@.-]{1,256}$/)).prefault({}),
  source_arn: arn.optional(),
  from_arn: arn.optional(),
  return_path_arn: arn.optional(),
  /** Verified identities. Left out: asked of the API every now and then. */
  identities: domains.optional(),
  /** Mail whose From is no identity of ours (forwards): take another way, or put our own address into From. */
  foreign_from: z.enum(['other-way', 'rewrite']).prefault('other-way'),
  caps,
};

const direct = z.strictObject({
  kind: z.literal('direct'),
  /** Addresses to send from, one of each family at random for a destination. Empty: the system's choice. */
  source_addresses: z.array(z.string().min(2).max(64)).max(256).prefault([]),
  /** Name for EHLO; the server's own unless named. Needs a PTR of the source address. */
  helo: z.string().min(1).max(253).optional(),
  mta_sts: z.boolean().prefault(true),
  dane: z.boolean().prefault(true),
  /** Sessions with one host at a time. */
  sessions_per_host: z.int().min(1).max(100).prefault(8),
  ipv6: z.boolean().prefault(true),
  /** Instead of 25; for tests and private networks. */
  port: port.optional(),
  caps,
});

const relay = z.strictObject({
  kind: z.literal('relay'),
  host,
  port: port.prefault(587),
  /** `required`: STARTTLS and a valid certificate; `implicit`: TLS from the first octet, likewise. */
  tls: z.enum(['none', 'opportunistic', 'required', 'implicit']).prefault('required'),
  login: login.optional(),
  /** PEM file with authorities to trust instead of the system's. */
  ca_file: filePath.optional(),
  caps,
});

const lmtp = z.strictObject({
  kind: z.literal('lmtp'),
  /** Host name or address, or "unix:/path". */
  host,
  port: port.prefault(24),
  tls: z.enum(['none', 'opportunistic', 'required', 'implicit']).prefault('none'),
  caps,
});

const sesSmtp = z.strictObject({
  kind: z.literal('ses-smtp'),
  ...ses,
  /** The region's own unless named. */
  host: host.optional(),
  port: port.prefault(587),
  tls: z.enum(['none', 'required', 'implicit']).prefault('required'),
  ca_file: filePath.optional(),
  /** File with "user:password" made for SES SMTP; left out: derived from the IAM key. */
  smtp_credentials_file: filePath.optional(),
});

const sesApi = z.strictObject({
  kind: z.literal('ses-api'),
  ...ses,
  version: z.union([z.literal(1), z.literal(2)]).prefault(2),
});

export const transportSchema = z.discriminatedUnion('kind', [direct, relay, lmtp, sesSmtp, sesApi]);
export type TransportSettings = z.output<typeof transportSchema>;
export type DirectSettings = z.output<typeof direct>;
export type RelayTransportSettings = z.output<typeof relay>;
export type LmtpSettings = z.output<typeof lmtp>;
export type SesSmtpSettings = z.output<typeof sesSmtp>;
export type SesApiSettings = z.output<typeof sesApi>;

/** All that is given must hold; a list holds when one of it does. An empty match is every message. */
const match = z.strictObject({
  /** Domains of the reverse-path (or of From, where that is null); ".example.org" is those below it. */
  sender_domains: domains.optional(),
  /** Addresses of accounts of ours. */
  accounts: z.array(z.string().min(3).max(320)).max(10_000).optional(),
  recipient_domains: domains.optional(),
  /** A header field is there, and contains a text (letter case aside) where one is given. */
  headers: z
    .array(z.strictObject({ name: z.string().min(1).max(100), contains: z.string().max(500).optional() }))
    .max(20)
    .optional(),
  /** Octets, as sent. */
  min_size: z.int().min(0).optional(),
  max_size: z.int().min(0).optional(),
  origins: z.array(z.enum(['submission', 'forward', 'dsn', 'report'])).optional(),
});
export type RouteMatch = z.output<typeof match>;

export const routeSchema = z.strictObject({
  name,
  match: match.prefault({}),
  /** In the order they are tried. */
  transports: z.array(name).min(1).max(10),
});
export type Route = z.output<typeof routeSchema>;

export const routingSettingsSchema = z
  .strictObject({
    transports: z.record(name, transportSchema).prefault({}),
    /** The first that matches is taken; without one mail goes by [relay] where the configuration has it, else directly. */
    routes: z.array(routeSchema).max(200).prefault([]),
    /** Minutes after which a way that a destination refuses is tried there again; doubled up to a day while it does. */
    probe_minutes: z.int().min(1).max(1440).prefault(60),
    suppression: z
      .strictObject({
        enabled: z.boolean().prefault(true),
        /** Days a hard bounce keeps mail from an address; complaints do for ever. */
        bounce_days: z.int().min(1).max(3650).prefault(30),
      })
      .prefault({}),
  })
  .superRefine((settings, context) => {
    const names = new Set<string>();
    settings.routes.forEach((route, index) => {
      if (names.has(route.name))
        context.addIssue({
          code: 'custom',
          path: ['routes', index, 'name'],
          message: 'there are two of this name',
        });
      names.add(route.name);
      for (const way of route.transports) {
        if (way === 'direct' || way === 'relay' || settings.transports[way] !== undefined) continue;
        context.addIssue({
          code: 'custom',
          path: ['routes', index, 'transports'],
          message: `there is no transport "${way}"; add it first`,
        });
      }
    });
  });
export type RoutingSettings = z.output<typeof routingSettingsSchema>;
