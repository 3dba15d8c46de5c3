import { createHmac } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { ipv6Groups } from '../../net/ip.ts';
import type { JournalData, JournalEvent, JournalKind, JournalValue } from './types.ts';

/**
 * What of people and their machines the journal and the log keep, and for how long. Data, not configuration: JSON in the
 * store (setting 'journal'), shown and set by `postern journal`.
 */

export const SETTING = 'journal';
/** Key of the pseudonyms, made once, kept with the data. */
export const KEY_SETTING = 'journal.key';

const days = z.int().min(0).max(3650);

export const journalSettingsSchema = z.strictObject({
  /** Days after which mail addresses become pseudonyms, and IP addresses networks (/24, /48); 0: never. */
  addresses_days: days.prefault(0),
  ips_days: days.prefault(0),
  /** What is written of clients' IP addresses at all. */
  client_ips: z.enum(['full', 'network', 'none']).prefault('full'),
  /** Whether the filter's reasons may quote words of subjects and texts. Subjects themselves are never kept. */
  words: z.boolean().prefault(true),
  /** Whether lines of the log name mail addresses, or pseudonyms instead; they have IP addresses as `client_ips` says. */
  log_addresses: z.boolean().prefault(true),
});
export type JournalSettings = z.output<typeof journalSettingsSchema>;

export const defaultJournalSettings: JournalSettings = journalSettingsSchema.parse({});

/** What is hidden. */
export interface Hiding {
  readonly addresses: boolean;
  readonly ips: JournalSettings['client_ips'];
  readonly words: boolean;
  /** Of the pseudonyms. */
  readonly key: string;
}

/** What stands in the place of an IP address that is not kept. */
export const NO_IP = 'not kept';
const PSEUDONYM = 12;

/** The same address has the same pseudonym, so that it can still be asked for; without the key it leads nowhere. */
export function pseudonym(address: string, key: string): string {
  const digest = createHmac('sha256', key).update(address.toLowerCase()).digest('base64url');
  return `someone-${digest.slice(0, PSEUDONYM)}`;
}

/** "192.0.2.0/24", "2001:db8:1::/48"; what is no address stays. */
export function networkOf(ip: string): string {
  if (isIP(ip) === 4) return `${ip.slice(0, ip.lastIndexOf('.'))}.0/24`;
  const groups = ipv6Groups(ip);
  if (groups.length !== 8) return ip;
  const head = groups.slice(0, 3).map((group) => group.toString(16));
  return `${head.join(':')}::/48`;
}

/** Delimiters of mail text end an address; a quoted local part (RFC 5321 4.1.2) has its own form. Bounded, so linear. */
const ADDRESS =
  /(?:"[^"\r\n]{1,254}"|[^\s<>()[\],;:"'`|{}@]{1,254})@(?:\[[^\]\s]{1,60}\]|[\p{L}\p{N}._-]{1,255})/gu;
const IPV4 = /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\/\d)/g;
const IPV6 = /(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:]|\/\d)/g;

/** A text without what is hidden; anything may be in it. */
export function hideText(text: string, { addresses, ips, key }: Hiding): string {
  const shown =
    addresses && text.includes('@') ? text.replaceAll(ADDRESS, (found) => pseudonym(found, key)) : text;
  if (ips === 'full') return shown;
  const cut = (found: string): string =>
    isIP(found) === 0 ? found : ips === 'none' ? NO_IP : networkOf(found);
  return shown.replaceAll(IPV4, cut).replaceAll(IPV6, cut);
}

/** Names of people even where there is no @ in them. */
const PERSONS: ReadonlySet<string> = new Set(['login', 'subject', 'account', 'user']);
/** Names of messages, which look like addresses. */
const MESSAGES: ReadonlySet<string> = new Set(['messageId', 'remoteId']);
/** Events about other servers: their addresses are nobody's. */
const OF_SERVERS = /^(?:delivery|bounce|certificate|queue|disk)\./;

/** The facts of an event without what is hidden. */
export function hideData(kind: string, data: JournalData, hiding: Hiding): JournalData {
  const about = OF_SERVERS.test(kind) ? { ...hiding, ips: 'full' as const } : hiding;
  const names = about.ips === 'full' ? [] : spellings(data['ip']);
  const hidden = hideObject(data, about, names);
  return hiding.words || kind !== 'message.judged' ? hidden : withoutWords(hidden);
}

function hideObject(data: JournalData, hiding: Hiding, names: readonly string[]): JournalData {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, hideValue(key, value, hiding, names)]),
  );
}

function hideValue(key: string, value: JournalValue, hiding: Hiding, names: readonly string[]): JournalValue {
  if (typeof value === 'string') return hideString(key, value, hiding, names);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value))
    return (value as readonly JournalValue[]).map((entry) => hideValue(key, entry, hiding, names));
  // Of a line of the log it may be anything; an event's is plain.
  const plain = [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
  return plain ? hideObject(value as JournalData, hiding, names) : value;
}

function hideString(key: string, value: string, hiding: Hiding, names: readonly string[]): string {
  if (value === '' || MESSAGES.has(key)) return value;
  if (hiding.addresses && PERSONS.has(key) && !value.includes('@') && !value.startsWith('someone-'))
    return pseudonym(value, hiding.key);
  const shown = hideText(value, hiding);
  return names.reduce((text, name) => text.replaceAll(name, NO_IP.replace(' ', '-')), shown);
}

/** How providers put an address into the names of hosts: mail programs' HELO and reverse DNS are full of it. */
function spellings(ip: JournalValue | undefined): string[] {
  if (typeof ip !== 'string' || isIP(ip) !== 4) return [];
  const parts = ip.split('.');
  const reversed = parts.toReversed();
  return [parts.join('-'), reversed.join('-'), reversed.join('.'), ip];
}

function withoutWords(data: JournalData): JournalData {
  const quoted = (text: string): string => text.replaceAll(/"[^"]*"/g, '"…"');
  const { reasons, decidedBy } = data;
  return {
    ...data,
    ...(Array.isArray(reasons) && {
      reasons: (reasons as readonly JournalValue[]).map((one) =>
        typeof one === 'string' ? quoted(one) : one,
      ),
    }),
    ...(typeof decidedBy === 'string' && { decidedBy: quoted(decidedBy) }),
  };
}

/** What a trace is found by afterwards; undefined: no longer by this. */
export function hideTerm(term: string, { addresses, ips, key }: Hiding): string | undefined {
  const value = term.slice(2);
  if (addresses && term.startsWith('a:'))
    return value.startsWith('someone-') ? term : `a:${pseudonym(value, key)}`;
  if (ips === 'full' || !term.startsWith('i:')) return term;
  return ips === 'none' ? undefined : `i:${networkOf(value)}`;
}

export function hideTerms(terms: readonly string[], hiding: Hiding): string[] {
  return terms.flatMap((term) => hideTerm(term, hiding) ?? []);
}

export function hideEvent<E extends JournalEvent>(event: E, hiding: Hiding): E {
  const kind: JournalKind = event.kind;
  return { ...event, data: hideData(kind, event.data, hiding), terms: hideTerms(event.terms, hiding) };
}
