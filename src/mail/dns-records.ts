import { isIPv4 } from 'node:net';
import type { StsMode } from './mta-sts/policy.ts';
import { stsPolicyId, stsPolicyText } from './mta-sts/publish.ts';

export { formatRecordsText, formatZone, recordValue, txtStrings, zoneLine } from './dns-records-text.ts';

export interface DkimKey {
  readonly selector: string;
  readonly algorithm: 'rsa' | 'ed25519';
  /** The value of p= (RFC 6376 3.6.1, RFC 8463 4). */
  readonly publicKeyBase64: string;
}

export interface DomainFacts {
  /** The mail domain and the host that serves it: normalized names (address/domain.ts). */
  readonly domain: string;
  readonly hostname: string;
  /** Public addresses of the host, IPv4 and IPv6. */
  readonly addresses: readonly string[];
  readonly dkim: readonly DkimKey[];
  /** Where reports go. */
  readonly adminAddress: string;
  /** Keys that signed until lately; `revoked`: what they signed is not to be believed any more (RFC 6376 3.6.1). */
  readonly oldDkim?: readonly (DkimKey & { readonly revoked: boolean })[];
  /** How the policy for encrypted delivery to us is published (RFC 8461); undefined: not at all. */
  readonly mtaSts?: { readonly mode: StsMode; readonly maxAge: number } | undefined;
  /** We answer at autoconfig.DOMAIN and autodiscover.DOMAIN. */
  readonly discovery?: boolean;
  /** Authorities that may issue certificates for the domain, as in CAA (RFC 8659): "letsencrypt.org". */
  readonly issuers?: readonly string[];
  /** SHA-256 of the public keys of our certificates, hex. */
  readonly tlsKeys?: readonly string[];
  readonly ses?: SesUse | undefined;
}

/** What Amazon SES does for a domain. */
export interface SesUse {
  readonly sends: boolean;
  /** Region where it receives, alone or while our host does not answer; undefined: it does not. */
  readonly receives?: { readonly region: string; readonly alone: boolean } | undefined;
}

export interface DnsRecord {
  /** Fully qualified, without the final dot. */
  readonly name: string;
  readonly type: 'MX' | 'A' | 'AAAA' | 'PTR' | 'TXT' | 'SRV' | 'CNAME' | 'TLSA' | 'CAA';
  /** As in a zone file, but host names without the final dot and text as one piece without quotes. */
  readonly value: string;
  /** One sentence: what the record is for. */
  readonly why: string;
  /** True when it cannot be set in the domain's own zone: PTR belongs to whoever gave the address. */
  readonly elsewhere?: boolean;
  /** It is right only then, e.g. "the zone is signed with DNSSEC". */
  readonly onlyIf?: string;
}

/** One kind of record: the rows it contributes. To publish another, add a row to `TABLE`. */
type RecordMaker = (facts: DomainFacts) => DnsRecord[];

/** In the order in which a person sets them: without the first ones nothing arrives, without the next nobody trusts us. */
const TABLE: readonly RecordMaker[] = [
  mx,
  hostAddresses,
  reverse,
  spf,
  hostSpf,
  dkim,
  oldDkim,
  dmarc,
  reportConsent,
  tlsReports,
  mtaSts,
  tlsa,
  issuers,
  services,
  discovery,
];

/** What a domain should publish so that its mail arrives, is believed, and mail programs find their settings. */
export function domainRecords(facts: DomainFacts): DnsRecord[] {
  return TABLE.flatMap((make) => make(facts));
}

/** Preferences: our own host first, SES where it does not answer. */
const FIRST = 10;
const BACKUP = 20;

/** Hosts that receive for the domain, the first one first. */
export function mailHosts({ hostname, ses }: Pick<DomainFacts, 'hostname' | 'ses'>): string[] {
  if (ses?.receives === undefined) return [hostname];
  const host = `inbound-smtp.${ses.receives.region}.amazonaws.com`;
  return ses.receives.alone ? [host] : [hostname, host];
}

function mx(facts: DomainFacts): DnsRecord[] {
  return mailHosts(facts).map((host, index) => ({
    name: facts.domain,
    type: 'MX',
    value: `${index === 0 ? FIRST : BACKUP} ${host}`,
    why:
      index === 0
        ? 'Names the host that receives mail for the domain.'
        : 'Receives mail of the domain while the host above does not answer.',
  }));
}

function hostAddresses({ hostname, addresses }: DomainFacts): DnsRecord[] {
  return addresses.map((address) => ({
    name: hostname,
    type: isIPv4(address) ? 'A' : 'AAAA',
    value: address,
    why: 'Address of the mail host.',
  }));
}

function reverse({ hostname, addresses }: DomainFacts): DnsRecord[] {
  return addresses.map((address) => ({
    name: reverseName(address),
    type: 'PTR',
    value: hostname,
    why: 'Many hosts refuse mail from an address without a matching name; set it where you rent the address.',
    elsewhere: true,
  }));
}

function spf({ domain, hostname, ses }: DomainFacts): DnsRecord[] {
  const why =
    'Says that only the mail host sends mail of the domain (SPF); add other senders you use before "-all".';
  // Where SES alone receives, "mx" would not mean our host.
  const own = ses?.receives?.alone === true ? `a:${hostname}` : 'mx';
  const value = ses?.sends === true ? `v=spf1 ${own} include:amazonses.com -all` : `v=spf1 ${own} -all`;
  return [{ name: domain, type: 'TXT', value, why }];
}

/** Notifications have no reverse-path, so receivers check the host's own name (RFC 7208 2.4). */
function hostSpf({ domain, hostname }: DomainFacts): DnsRecord[] {
  if (hostname === domain) return [];
  const why = 'The same for notifications, which are checked by the name of the host.';
  return [{ name: hostname, type: 'TXT', value: 'v=spf1 a -all', why }];
}

function dkim(facts: DomainFacts): DnsRecord[] {
  return facts.dkim.map(({ selector, algorithm, publicKeyBase64 }) => ({
    name: `${selector}._domainkey.${facts.domain}`,
    type: 'TXT',
    value: `v=DKIM1; k=${algorithm}; p=${publicKeyBase64}`,
    why: `Public key with which others verify our signatures (DKIM, ${algorithm === 'rsa' ? 'RSA' : 'Ed25519'}).`,
  }));
}

/** Signatures are still looked at for days after they were made; then p= is empty, so that nobody can use the key. */
function oldDkim({ domain, oldDkim: keys = [] }: DomainFacts): DnsRecord[] {
  return keys.map(({ selector, algorithm, publicKeyBase64, revoked }) => ({
    name: `${selector}._domainkey.${domain}`,
    type: 'TXT',
    value: revoked ? 'v=DKIM1; p=' : `v=DKIM1; k=${algorithm}; p=${publicKeyBase64}`,
    why: revoked
      ? 'Revokes a key that is used no more; the record may go after a month.'
      : 'Verifies mail that was signed before the key was changed; keep it until it is revoked.',
  }));
}

function dmarc({ domain, adminAddress }: DomainFacts): DnsRecord[] {
  const value = `v=DMARC1; p=none; rua=mailto:${mailtoAddress(adminAddress)}`;
  const why =
    'Asks others to report mail that claims our domain (DMARC); once the reports show only ours, raise p to quarantine, then reject.';
  return [{ name: `_dmarc.${domain}`, type: 'TXT', value, why }];
}

/** Reports that go to another domain need its consent (RFC 7489 7.1). */
function reportConsent({ domain, adminAddress }: DomainFacts): DnsRecord[] {
  const reportDomain = adminAddress.slice(adminAddress.lastIndexOf('@') + 1).toLowerCase();
  if (reportDomain === domain) return [];
  const name = `${domain}._report._dmarc.${reportDomain}`;
  return [
    { name, type: 'TXT', value: 'v=DMARC1', why: `Agrees to receive the reports about ${domain} there.` },
  ];
}

function tlsReports({ domain, adminAddress }: DomainFacts): DnsRecord[] {
  const value = `v=TLSRPTv1; rua=mailto:${mailtoAddress(adminAddress)}`;
  const why = 'Asks others to report when they could not reach us over an encrypted connection (TLS-RPT).';
  return [{ name: `_smtp._tls.${domain}`, type: 'TXT', value, why }];
}

/** RFC 8461 3.1. The policy itself is served by us, at https://mta-sts.DOMAIN/.well-known/mta-sts.txt. */
function mtaSts(facts: DomainFacts): DnsRecord[] {
  if (facts.mtaSts === undefined) return [];
  const { domain, hostname } = facts;
  const id = stsPolicyId(stsPolicyText({ ...facts.mtaSts, mx: mailHosts(facts) }));
  const host = 'Host of that policy: it has to answer over HTTPS with a certificate for this name.';
  return [
    {
      name: `_mta-sts.${domain}`,
      type: 'TXT',
      value: `v=STSv1; id=${id}`,
      why: 'Tells others that there is a policy to deliver to us over TLS only (MTA-STS); the id changes with the policy.',
    },
    alias(`mta-sts.${domain}`, hostname, host),
  ];
}

function alias(name: string, target: string, why: string): DnsRecord {
  return { name, type: 'CNAME', value: target, why };
}

/** RFC 7672 3.1: DANE-EE(3) SPKI(1) SHA2-256(1) for port 25. */
function tlsa({ hostname, tlsKeys = [] }: DomainFacts): DnsRecord[] {
  return tlsKeys.map((digest) => ({
    name: `_25._tcp.${hostname}`,
    type: 'TLSA',
    value: `3 1 1 ${digest}`,
    why: 'The key of our certificate, for senders that use DANE; publish that of a new key a day before it is used.',
    onlyIf: 'its zone is signed with DNSSEC',
  }));
}

function issuers({ domain, issuers: names = [] }: DomainFacts): DnsRecord[] {
  return names.map((name) => ({
    name: domain,
    type: 'CAA',
    value: `0 issue "${name}"`,
    why: 'Only this authority may issue certificates for the domain; add one for each other that you use.',
  }));
}

function discovery({ domain, hostname, discovery: on = false }: DomainFacts): DnsRecord[] {
  if (!on) return [];
  return [
    alias(`autoconfig.${domain}`, hostname, 'Thunderbird and others ask this name for their settings.'),
    alias(`autodiscover.${domain}`, hostname, 'Outlook asks this name for its settings.'),
    {
      name: `_autodiscover._tcp.${domain}`,
      type: 'SRV',
      value: `0 1 443 ${hostname}`,
      why: 'Outlook asks here when the name above does not answer.',
    },
  ];
}

/** RFC 6186, RFC 8314 5.1, RFC 5804 1.8: the lower priority number is preferred, so the ports with TLS from the start come first. */
const SERVICES: readonly (readonly [label: string, priority: number, port: number, what: string])[] = [
  ['_submissions', 0, 465, 'sending, TLS'],
  ['_imaps', 0, 993, 'reading, TLS'],
  ['_submission', 10, 587, 'sending, STARTTLS'],
  ['_imap', 10, 143, 'reading, STARTTLS'],
  ['_sieve', 0, 4190, 'filter scripts, STARTTLS'],
];

function services({ domain, hostname }: DomainFacts): DnsRecord[] {
  return SERVICES.map(([label, priority, port, what]) => ({
    name: `${label}._tcp.${domain}`,
    type: 'SRV',
    value: `${priority} 1 ${port} ${hostname}`,
    why: `Lets mail programs find the server by themselves (${what}).`,
  }));
}

/** In a list of URIs "," and "!" mean something (RFC 7489 6.2), and ";" ends the tag. */
function mailtoAddress(address: string): string {
  return address.replace(/[^A-Za-z0-9.@_+~-]/gu, (char) => encodeURIComponent(char).replace('!', '%21'));
}

/** The name under in-addr.arpa or ip6.arpa (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  const digits = groups.map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].toReversed().join('.')}.ip6.arpa`;
}
