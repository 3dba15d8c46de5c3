import { createHash } from 'node:crypto';
import { Refusal } from '../../../base/errors.ts';
import { MAX_KEY_BYTES } from '../../../data/account/keys.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import { guardedFetch, wholeBody } from '../../../net/guarded-fetch.ts';
import type { AccountContext } from './operation.ts';

/** OpenPGP Web Key Directory (draft-koch-openpgp-webkey-service): a domain tells the keys of its addresses by HTTPS. */

const LOOKUP_MS = 15_000;
const REDIRECTS = 2;
const Z_BASE_32 = 'ybndrfg8ejkmcpqxot1uwisza345h769';

/** z-base-32: five bits a letter, no padding. */
export function zBase32(octets: Buffer): string {
  let text = '';
  let value = 0;
  let bits = 0;
  for (const octet of octets) {
    value = (value << 8) | octet;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += Z_BASE_32.charAt((value >> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + Z_BASE_32.charAt((value << (5 - bits)) & 31);
}

export interface DirectoryUrls {
  /** Asked whether it exists before anything is fetched. */
  readonly host: string;
  readonly advanced: string;
  readonly direct: string;
}

/** Where the key of an address is; undefined for what is no address of the Internet. */
export function directoryUrls(address: string): DirectoryUrls | undefined {
  const at = address.lastIndexOf('@');
  const domain = normalizeDomain(address.slice(at + 1));
  const local = address.slice(0, at);
  if (at < 1 || domain === undefined || !domain.includes('.')) return undefined;
  // Only ASCII letters are made small (section 3.1).
  const hash = zBase32(
    createHash('sha1')
      .update(local.replaceAll(/[A-Z]/g, (c) => c.toLowerCase()))
      .digest(),
  );
  const rest = `hu/${hash}?l=${encodeURIComponent(local)}`;
  const host = `openpgpkey.${domain}`;
  return {
    host,
    advanced: `https://${host}/.well-known/openpgpkey/${domain}/${rest}`,
    direct: `https://${domain}/.well-known/openpgpkey/${rest}`,
  };
}

export interface FoundKey {
  readonly method: 'advanced' | 'direct';
  readonly octets: Buffer;
}

/**
 * The key of an address as its domain tells it; undefined where there is none. The direct method is tried only where the
 * sub-domain of the advanced one does not exist. Refusals 'bad-input', 'unavailable'.
 */
export async function lookUpKey(
  { dns, clock, fetching }: Pick<AccountContext, 'dns' | 'clock' | 'fetching'>,
  address: string,
  signal: AbortSignal,
  /** Other than that of HTTPS in tests alone. */
  port?: number,
): Promise<FoundKey | undefined> {
  const resolver = dns?.();
  if (resolver === undefined)
    throw new Refusal('unavailable', 'This server has no DNS: it cannot look up keys.');
  const urls = directoryUrls(address);
  if (urls === undefined) throw new Refusal('bad-input', 'That is no address whose domain could be asked.');
  const there = await lookupAddresses(resolver, urls.host, signal);
  if (there.status === 'temporary')
    throw new Refusal('unavailable', 'The domain could not be asked just now; try again in a while.');
  const method = there.status === 'ok' ? 'advanced' : 'direct';
  const url = new URL(urls[method]);
  if (port !== undefined) url.port = String(port);
  const response = await guardedFetch({
    url: url.href,
    resolver,
    clock,
    maxBytes: MAX_KEY_BYTES,
    timeoutMs: LOOKUP_MS,
    redirects: REDIRECTS,
    signal,
    ...fetching,
  });
  if (response.status !== 200) {
    response.close();
    return undefined;
  }
  const octets = await wholeBody(response);
  return octets.length === 0 ? undefined : { method, octets };
}
