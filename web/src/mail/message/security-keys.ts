import { api } from '../../base/http.ts';
import { toBase64 } from './security-find.ts';
import type { KeySource, KnownKey, Signer } from './security-verdict.ts';

/** Keys of correspondents as the server keeps them for us. */

export interface StoredKey extends KnownKey {
  readonly id: number;
  readonly address: string;
  readonly size: number;
  /** Base64; where the keys of one address were asked for. */
  readonly octets?: string;
}

const PATH = '/account/v1/keys';

export async function keysOf(address: string): Promise<readonly StoredKey[]> {
  return (await api<{ keys: readonly StoredKey[] }>('GET', PATH, { address })).keys;
}

export async function allKeys(signal: AbortSignal): Promise<readonly StoredKey[]> {
  return (await api<{ keys: readonly StoredKey[] }>('GET', PATH, undefined, { signal })).keys;
}

export function keepKey(
  { kind, fingerprint, octets }: Pick<Signer, 'kind' | 'fingerprint' | 'octets'>,
  address: string,
  source: KeySource,
  trusted = false,
): Promise<StoredKey> {
  return api('POST', PATH, { kind, fingerprint, address, source, trusted, octets: toBase64(octets) });
}

export function trustKey(id: number, trusted: boolean): Promise<StoredKey> {
  return api('PUT', `${PATH}/${id}`, { trusted });
}

export function removeKey(id: number): Promise<unknown> {
  return api('DELETE', `${PATH}/${id}`);
}

/** What an address's domain publishes; base64. */
export function askDomain(address: string): Promise<{ readonly found: boolean; readonly octets?: string }> {
  return api('POST', `${PATH}/lookup`, { address });
}

export async function authoritiesOf(
  certificates: readonly Uint8Array[],
): Promise<readonly Uint8Array<ArrayBuffer>[]> {
  const answer = await api<{ authorities: readonly string[] }>('POST', '/account/v1/smime/authorities', {
    certificates: certificates.map(toBase64),
  });
  return answer.authorities.map((text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
}

/** What keeping a key needs of the server. */
export const keyServer = { keysOf, keepKey, askDomain } as const;
export type KeyServer = typeof keyServer;
