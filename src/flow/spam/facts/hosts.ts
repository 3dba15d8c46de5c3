/** Names of hosts: what site they belong to, what form they have. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { getDomain } from 'tldts';

const OPTIONS = {
  extractHostname: false,
  validateHostname: false,
  detectIp: false,
  allowPrivateDomains: true,
};
/** Hosts that are remembered, the same few come again and again. */
const MAX_SITES = 4096;
let recent = new Map<string, string>();
let older = new Map<string, string>();

/** The registrable domain of a host name in lower case; the host itself where there is none. */
export function siteOf(host: string): string {
  if (host === '') return '';
  const known = recent.get(host) ?? older.get(host);
  if (known !== undefined) return known;
  const bare = host.endsWith('.') ? host.slice(0, -1) : host;
  const site = isIP(bare) !== 0 ? bare : (getDomain(bare, OPTIONS) ?? bare);
  if (recent.size >= MAX_SITES) {
    older = recent;
    recent = new Map();
  }
  if (host.length <= 255) recent.set(host, site);
  return site;
}

/** A host name in A-labels; the name itself where that fails or nothing is to do. */
export function asciiHost(host: string): string {
  for (let i = 0; i < host.length; i++) {
    if (host.charCodeAt(i) > 127) return domainToASCII(host.slice(0, 255)) || host;
  }
  return host;
}

/** Forms of an IPv4 address that browsers take and nobody types: "3232235777", "0xc0.0xa8.1", "0300.1". */
export function isOddIp(host: string): boolean {
  if (host === '' || host.length > 60 || !/^[0-9a-fx.]+$/.test(host)) return false;
  const labels = host.split('.');
  if (labels.length > 4 || isIP(host) === 4) return false;
  return labels.every((label) => /^(?:0x[0-9a-f]{1,16}|\d{1,16})$/.test(label));
}
