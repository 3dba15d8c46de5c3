import type { ReserveWish } from '../../base/disk-reserve.ts';
import type { Clock } from '../../base/clock.ts';
import type { Dns } from '../../mail/dns.ts';
import type { DomainFacts } from '../../mail/dns-records.ts';
import type { DnsServer } from '../../net/dns/resolv-conf.ts';
import type { Zones } from './zones.ts';

/** `unknown`: it could not be looked at from here; `mend` has the command that shows it. */
export type DoctorState = 'ok' | 'warning' | 'problem' | 'unknown';

/** Every check, in the order in which a person reads them. Gauges and `--json` use these words. */
export const CHECKS = [
  'name',
  'address',
  'reverse',
  'hello-spf',
  'ports',
  'certificate',
  'open-relay',
  'outbound',
  'lists',
  'time',
  'disk',
  'zone',
  'mx',
  'spf',
  'dkim',
  'dmarc',
  'mta-sts',
  'tls-rpt',
  'tlsa',
  'caa',
  'srv',
  'autoconfig',
  'ses',
] as const;
export type CheckName = (typeof CHECKS)[number];

/** One thing that has to be right for mail to arrive and to be believed. */
export interface DoctorLine {
  readonly check: CheckName;
  /** The domain it is about; undefined: the server. */
  readonly domain?: string;
  /** What was looked at: a name, an address, a port. */
  readonly subject: string;
  readonly state: DoctorState;
  /** What was found, in a sentence or two. */
  readonly found: string;
  /** Why it matters, one sentence. */
  readonly why: string;
  /** Records and commands that mend it, as they are to be typed; sentences where there is none. */
  readonly mend: readonly string[];
}

export interface DoctorListener {
  /** "smtp", "submissions", "imaps". */
  readonly service: string;
  readonly address: string;
  readonly port: number;
}

export interface DoctorKey {
  readonly selector: string;
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256';
  /** Base64 for the p= tag. */
  readonly publicKey: string;
  readonly state: 'pending' | 'active' | 'retired' | 'revoked';
}

export interface DoctorDomain {
  readonly name: string;
  /** From which its records are made. */
  readonly records: DomainFacts;
  readonly keys: readonly DoctorKey[];
}

/** What the server knows of itself. */
export interface DoctorFacts {
  readonly hostname: string;
  /** Public addresses; empty when they are not known. */
  readonly addresses: readonly string[];
  readonly domains: readonly DoctorDomain[];
  readonly listeners: readonly DoctorListener[];
  readonly dataDirectory: string;
  /** Mail leaves straight from here, not only through relays or SES. */
  readonly sendsDirectly: boolean;
  /** The last client with a public address that came to a service, and when. */
  readonly visitor?: (service: string) => Promise<{ readonly ip: string; readonly at: number } | undefined>;
}

/** What can be turned: ports and thresholds for tests, hosts to ask. */
export interface DoctorOptions {
  /** DNS lists that are asked about our addresses. */
  readonly lists: readonly string[];
  /** SNTP servers, "host" or "host:port". */
  readonly timeServers: readonly string[];
  /** Domains to whose mail hosts port 25 is tried. */
  readonly bigDomains: readonly string[];
  /** Below it new mail is put off, which is a problem; below twice as much there is a warning. */
  readonly diskReserve: ReserveWish;
  /** 53, 25 and 443 except in tests. */
  readonly dnsPort: number;
  readonly smtpPort: number;
  readonly httpsPort: number;
  /** PEM of authorities beside the system's. */
  readonly ca?: string | undefined;
  /** Tests: hosts on private addresses are asked too. */
  readonly allowPrivate?: boolean | undefined;
  /** Milliseconds for one connection. */
  readonly connectMs: number;
}

/** What a check works with. */
export interface World {
  readonly facts: DoctorFacts;
  readonly options: DoctorOptions;
  readonly clock: Clock;
  /** The resolver that the server uses, without what it remembers. */
  readonly resolver: Dns;
  readonly zones: Zones;
  readonly signal: AbortSignal;
  /** Public addresses that are checked, and whether they are ours for certain or only what DNS says. */
  readonly addresses: { readonly all: readonly string[]; readonly certain: boolean };
}

export type MakeResolver = (servers: readonly DnsServer[]) => Dns;

export type ServerCheck = (world: World) => Promise<readonly DoctorLine[]>;
export type DomainCheck = (world: World, domain: DoctorDomain) => Promise<readonly DoctorLine[]>;
