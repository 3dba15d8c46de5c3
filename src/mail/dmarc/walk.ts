/** The DNS tree walk (RFC 9989 section 4.10): which records stand above a name, and whose domain it is. */
import type { Dns } from '../dns.ts';
import { type DmarcRecord, isDmarcRecord, parseDmarcRecord } from './record.ts';

/** Questions of one walk: the name itself, then at most seven labels of it, one less each time. */
export const MAX_WALK_QUERIES = 8;

/** TXT records at one name that are looked at; more are none of ours. */
const MAX_TXT_RECORDS = 100;

/** `several` counts as none (section 4.10 step 2) and is told apart for people. */
export type RecordLookup =
  | { readonly status: 'found'; readonly record: DmarcRecord }
  | { readonly status: 'none' | 'several' }
  | { readonly status: 'temporary'; readonly reason: string };

/** Asks for the record of a domain. One message's lookups share the answers. */
export type Lookup = (domain: string) => Promise<RecordLookup>;

/** Lookups through `dns`, each name asked for once. Never rejects. */
export function createLookup(dns: Dns, signal?: AbortSignal): Lookup {
  const known = new Map<string, Promise<RecordLookup>>();
  return (domain) => {
    const answer = known.get(domain) ?? fetchRecord(dns, domain, signal);
    known.set(domain, answer);
    return answer;
  };
}

async function fetchRecord(dns: Dns, domain: string, signal?: AbortSignal): Promise<RecordLookup> {
  const name = `_dmarc.${domain}`;
  if (name.length > 253) return { status: 'none' };
  try {
    const answer = await dns.query(name, 'TXT', signal);
    if (answer.status === 'temporary') return { status: 'temporary', reason: `${name}: ${answer.reason}` };
    if (answer.status !== 'ok') return { status: 'none' };
    const texts = answer.records.slice(0, MAX_TXT_RECORDS).filter(({ text }) => isDmarcRecord(text));
    const [only, ...others] = texts;
    if (only === undefined) return { status: 'none' };
    if (others.length > 0) return { status: 'several' };
    return { status: 'found', record: parseDmarcRecord(only.text) };
  } catch (error) {
    return { status: 'temporary', reason: error instanceof Error ? error.message : 'DNS failed' };
  }
}

/** What a walk from `domain` found. */
export interface Walk {
  readonly domain: string;
  /** Records from the longest name to the shortest. */
  readonly found: readonly { readonly name: string; readonly record: DmarcRecord }[];
  /** Names with several records, which count as none. */
  readonly several: readonly string[];
  /** Why the walk ended early: what stands above is not known. */
  readonly failed: string | undefined;
}

/** The names a walk asks about, at most eight. */
export function walkNames(domain: string): string[] {
  const labels = domain.split('.');
  const names = [domain];
  // Step 4: of eight and more labels all but seven go at once.
  const from = labels.length >= MAX_WALK_QUERIES ? labels.length - MAX_WALK_QUERIES + 1 : 1;
  for (let cut = from; cut < labels.length; cut++) names.push(labels.slice(cut).join('.'));
  return names;
}

/** Walk from `domain` (A-labels, lower case) towards the root, up to a record that says whether it is a public suffix. */
export async function walkTree(domain: string, lookup: Lookup): Promise<Walk> {
  const found: { name: string; record: DmarcRecord }[] = [];
  const several: string[] = [];
  for (const name of walkNames(domain)) {
    const answer = await lookup(name);
    if (answer.status === 'temporary') return { domain, found, several, failed: answer.reason };
    if (answer.status === 'several') several.push(name);
    if (answer.status !== 'found') continue;
    found.push({ name, record: answer.record });
    if (answer.record.psd !== 'u') break;
  }
  return { domain, found, several, failed: undefined };
}

/**
 * The organisational domain (section 4.10.2); undefined when the walk failed before it was clear. A top-level domain that
 * publishes a record without `psd=` counts as a public suffix, stricter than the RFC: else every domain below it would be of one
 * organisation.
 */
export function organizationalDomain({ domain, found, failed }: Walk): string | undefined {
  let shortest = domain;
  for (const { name, record } of found) {
    if (record.psd === 'n') return name;
    const suffix = record.psd === 'y' || !name.includes('.');
    if (suffix && name !== domain) {
      const labels = name.split('.').length + 1;
      return domain.split('.').slice(-labels).join('.');
    }
    shortest = name;
  }
  return failed === undefined ? shortest : undefined;
}
