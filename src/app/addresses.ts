import { networkInterfaces } from 'node:os';
import { isLoopback } from '../net/ip.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import { ALL_ADDRESSES, type ListenSpec } from './config-values.ts';

/** Where to bind for what the configuration says; `*` is `::`, which takes IPv4 too, where the machine has IPv6. */
export function listenTarget(spec: ListenSpec): ListenTarget {
  if ('path' in spec || spec.address !== ALL_ADDRESSES) return spec;
  return { address: hasIPv6() ? '::' : '0.0.0.0', port: spec.port };
}

function hasIPv6(): boolean {
  return machineAddresses().some((address) => address.includes(':'));
}

/** Addresses of this machine's interfaces, loopback included. */
export function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

/** Networks that nobody outside can reach (RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291). */
const PRIVATE =
  /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd]|fe[89ab])/i;

/** Addresses of this machine that the world can reach; none behind address translation. */
export function publicAddresses(): string[] {
  return [...new Set(machineAddresses())].filter((address) => !isLoopback(address) && !PRIVATE.test(address));
}
