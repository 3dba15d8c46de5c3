/**
 * The world's DNS for the benchmark of the filter: answers made from the question, the same for every system. Addresses
 * of the documentation networks are everybody's servers, every domain exists, has mail servers and a signing key, and
 * every second one has SPF and DMARC.
 */
import type { Answer } from 'dns-packet';

export const SELECTOR = 'bench';
/** Lists of addresses and of domains (RFC 5782); one of sixteen domains is listed. */
export const IP_LIST = 'ip.lists.test';
export const DOMAIN_LIST = 'domain.lists.test';
/** Where clients come from; each also stands in SPF records. */
export const NETWORKS = ['198.51.100', '203.0.113'] as const;

const TTL = 300;
const LISTED = '127.0.0.2';

/** Spread evenly, and the same in every run. */
export function hashOf(text: string): number {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619) >>> 0;
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Whether a domain publishes SPF and DMARC. */
export function hasPolicy(domain: string): boolean {
  return hashOf(domain) % 2 === 0;
}

/** Undefined: there is no such name. An empty list: it has no such records. */
export function recordsOf(name: string, type: string, keyText: string): Answer[] | undefined {
  const list = listed(name);
  if (list !== undefined) return list ? of(type, 'A', name, LISTED) : undefined;
  if (name.endsWith('.in-addr.arpa')) return reverse(name, type);
  const key = `${SELECTOR}._domainkey.`;
  if (name.startsWith(key)) return text(type, name, keyText);
  if (name.startsWith('_dmarc.'))
    return hasPolicy(name.slice(7)) && name.split('.').length === 3
      ? text(type, name, 'v=DMARC1; p=none; rua=mailto:reports@' + name.slice(7))
      : undefined;
  if (name.startsWith('_') || !name.includes('.')) return undefined;
  return host(name, type);
}

function listed(name: string): boolean | undefined {
  if (name.endsWith(`.${IP_LIST}`)) return name === `2.0.0.127.${IP_LIST}` || hashOf(name) % 16 === 0;
  if (!name.endsWith(`.${DOMAIN_LIST}`)) return undefined;
  return name === `test.${DOMAIN_LIST}` || (name !== `invalid.${DOMAIN_LIST}` && hashOf(name) % 16 === 0);
}

function reverse(name: string, type: string): Answer[] {
  const address = name.split('.').slice(0, 4).reverse();
  return of(type, 'PTR', name, `mx-${address.join('-')}.senders.test`);
}

function host(name: string, type: string): Answer[] {
  const own = /^mx-(\d+)-(\d+)-(\d+)-(\d+)\./.exec(name);
  if (type === 'A') return of(type, 'A', name, own === null ? '198.51.100.10' : own.slice(1, 5).join('.'));
  if (own !== null) return [];
  if (type === 'MX')
    return [{ type: 'MX', name, ttl: TTL, data: { preference: 10, exchange: `mx.${name}` } }];
  const spf = `v=spf1 a mx ${NETWORKS.map((network) => `ip4:${network}.0/24`).join(' ')} ~all`;
  return hasPolicy(name) ? text(type, name, spf) : [];
}

function of(wanted: string, type: 'A' | 'PTR', name: string, data: string): Answer[] {
  return wanted === type ? [{ type, name, ttl: TTL, data }] : [];
}

function text(wanted: string, name: string, data: string): Answer[] {
  if (wanted !== 'TXT') return [];
  const pieces = data.match(/[^]{1,255}/g) ?? [];
  return [{ type: 'TXT', name, ttl: TTL, data: pieces }];
}
