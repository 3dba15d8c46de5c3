import { isIPv4 } from 'node:net';

/** Octets of one character-string of a TXT record (RFC 1035 3.3). */
const TXT_STRING_OCTETS = 255;

/** Seconds that resolvers may keep the records; short enough to mend a mistake within the hour. */
const TTL_SECONDS = 3600;

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
}

export interface DnsRecord {
  /** Fully qualified, without the final dot. */
  readonly name: string;
  readonly type: 'MX' | 'A' | 'AAAA' | 'PTR' | 'TXT' | 'SRV';
  /** As in a zone file, but host names without the final dot and text as one piece without quotes. */
  readonly value: string;
  /** One sentence: what the record is for. */
  readonly why: string;
  /** True when it cannot be set in the domain's own zone: PTR belongs to whoever gave the address. */
  readonly elsewhere?: boolean;
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
  dmarc,
  reportConsent,
  tlsReports,
  services,
];

/** What a domain should publish so that its mail arrives, is believed, and mail programs find their settings. */
export function domainRecords(facts: DomainFacts): DnsRecord[] {
  return TABLE.flatMap((make) => make(facts));
}

function mx({ domain, hostname }: DomainFacts): DnsRecord[] {
  return [
    {
      name: domain,
      type: 'MX',
      value: `10 ${hostname}`,
      why: 'Names the host that receives mail for the domain.',
    },
  ];
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

function spf({ domain }: DomainFacts): DnsRecord[] {
  const why =
    'Says that only the mail host sends mail of the domain (SPF); add other senders you use before "-all".';
  return [{ name: domain, type: 'TXT', value: 'v=spf1 mx -all', why }];
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

/** RFC 6186, RFC 8314 5.1: the lower priority number is preferred, so the ports with TLS from the start come first. */
const SERVICES: readonly (readonly [label: string, priority: number, port: number, what: string])[] = [
  ['_submissions', 0, 465, 'sending, TLS'],
  ['_imaps', 0, 993, 'reading, TLS'],
  ['_submission', 10, 587, 'sending, STARTTLS'],
  ['_imap', 10, 143, 'reading, STARTTLS'],
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
function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`;
  const [left = '', right] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  const digits = groups.map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].toReversed().join('.')}.ip6.arpa`;
}

/** The records as a list for a person: what to enter, and why. */
export function formatRecordsText(records: readonly DnsRecord[]): string {
  return records
    .map(({ name, type, value, why, elsewhere }) => {
      const note = elsewhere ? ' (not in this zone)' : '';
      return `${name}  ${type}${note}\n    ${value}\n    # ${why}\n`;
    })
    .join('\n');
}

/** The records as lines of a zone file (RFC 1035 5.1), those that belong elsewhere as comments. */
export function formatZone(records: readonly DnsRecord[]): string {
  return records
    .map((record) => {
      const line = `${record.name}. ${TTL_SECONDS} IN ${record.type} ${zoneValue(record)}`;
      return `; ${record.why}\n${record.elsewhere ? '; ' : ''}${line}\n`;
    })
    .join('');
}

function zoneValue({ type, value }: DnsRecord): string {
  if (type === 'TXT') return txtStrings(value).map(quoteString).join(' ');
  return type === 'A' || type === 'AAAA' ? value : `${value}.`; // the host name stands last in all the others
}

/** The character-strings of a TXT record: readers put them together without a space (RFC 7208 3.3, RFC 6376 3.6.2.2). */
export function txtStrings(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const strings: string[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += TXT_STRING_OCTETS) {
    strings.push(bytes.subarray(at, at + TXT_STRING_OCTETS).toString('latin1'));
  }
  return strings;
}

/** Quoted, with octets beyond printable ASCII as \DDD. `text` is latin-1, one character an octet. */
function quoteString(text: string): string {
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    .replace(/[^ -~]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, '0')}`);
  return `"${escaped}"`;
}
