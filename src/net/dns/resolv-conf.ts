import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { isLoopback } from '../ip.ts';

/** A recursive resolver that we ask. */
export interface DnsServer {
  readonly address: string;
  readonly port: number;
  /** Whether its AD bit is believed: it validates DNSSEC and nobody can change its answers on the way to us. */
  readonly trusted: boolean;
}

const DNS_PORT = 53;
/** Servers that are used of a list; resolv.conf(5) takes three. */
const MAX_SERVERS = 3;
/** Octets of resolv.conf that are read. */
const MAX_FILE_BYTES = 64 * 1024;
/**
 * Docker's embedded forwarder. It is on loopback but hands on the AD bit of whatever server stands outside, so that
 * loopback proves nothing here.
 */
const DOCKER_FORWARDER = '127.0.0.11';

/**
 * A server from text: "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:53", "2001:db8::53"; undefined when it is none.
 * Loopback servers are trusted, others only when `trusted` says so.
 */
export function parseDnsServer(text: string, trusted = false): DnsServer | undefined {
  const bracketed = /^\[([^\]]{2,64})\](?::(\d{1,5}))?$/.exec(text) ?? /^([\d.]{7,15}):(\d{1,5})$/.exec(text);
  const address = bracketed?.[1] ?? text;
  const port = bracketed?.[2] === undefined ? DNS_PORT : Number(bracketed[2]);
  if (isIP(address) === 0 || port < 1 || port > 65_535) return undefined;
  return { address, port, trusted: trusted || (isLoopback(address) && address !== DOCKER_FORWARDER) };
}

/**
 * The servers named in a resolv.conf(5) file, at most three, 127.0.0.1 when it names none or is missing, as resolv.conf(5)
 * has it. `options trust-ad` (the administrator's word that the path is safe) makes all of them trusted.
 */
export async function readResolvConf(path: string): Promise<readonly DnsServer[]> {
  let text = '';
  try {
    text = (await readFile(path, 'latin1')).slice(0, MAX_FILE_BYTES);
  } catch {
    // No file: the default of resolv.conf(5) below.
  }
  return parseResolvConf(text);
}

/** The text form of `readResolvConf`. */
export function parseResolvConf(text: string): readonly DnsServer[] {
  const names: string[] = [];
  let trusted = false;
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/, 16);
    if (word === 'nameserver' && rest[0] !== undefined) names.push(rest[0]);
    if (word === 'options' && rest.includes('trust-ad')) trusted = true;
  }
  const servers = names.flatMap((name) => parseDnsServer(name, trusted) ?? []).slice(0, MAX_SERVERS);
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: DNS_PORT, trusted: true }];
}
