import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../base/errors.ts';
import type { LoginAccount } from '../../mail/sasl/types.ts';
import { canonicalAddress, isLoopback } from '../../net/ip.ts';
import type { JmapOptions } from './context.ts';

/** Octets of an Authorization field that are looked at. */
const AUTHORIZATION_BYTES = 4000;

export type Login =
  | { readonly ok: true; readonly account: LoginAccount; readonly remoteAddress: string }
  | { readonly ok: false; readonly status: 401 | 403 | 429; readonly sentence: string };

function basicCredentials(encoded: string): { login: string; password: string } | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { login: text.slice(0, colon), password: text.slice(colon + 1) };
}

/**
 * Who asks. Passwords come by HTTP Basic (RFC 7617), only over TLS (by a proxy in front of us) or from this machine. Other
 * schemes get their place in `schemes` here.
 */
export async function logIn(
  { authenticator, isProxy }: Pick<JmapOptions, 'authenticator' | 'isProxy'>,
  { socket, headers }: IncomingMessage,
  trace: string,
): Promise<Login> {
  const peer = canonicalAddress(socket.remoteAddress ?? '') ?? '';
  const proxied = isProxy(peer);
  if (!isLoopback(peer) && !proxied) {
    const sentence =
      'Passwords are taken over TLS only: put a proxy with TLS in front of this server (docs/guides/behind-a-proxy.md).';
    return { ok: false, status: 403, sentence };
  }
  const forwarded = headers['x-forwarded-for'];
  const last = (Array.isArray(forwarded) ? forwarded.at(-1) : forwarded)?.split(',').at(-1)?.trim() ?? '';
  const remoteAddress = (proxied ? canonicalAddress(last) : undefined) ?? peer;
  const field = headers.authorization ?? '';
  const [, scheme = '', value = ''] =
    field.length > AUTHORIZATION_BYTES ? [] : (/^(\S+) +(\S+)$/.exec(field) ?? []);
  const credentials = scheme.toLowerCase() === 'basic' ? basicCredentials(value) : undefined;
  if (credentials === undefined)
    return { ok: false, status: 401, sentence: 'Log in with your address and its password.' };
  try {
    const account = await authenticator.password({ ...credentials, remoteAddress, protocol: 'jmap', trace });
    return { ok: true, account, remoteAddress };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.kind === 'authentication-failed')
      return { ok: false, status: 401, sentence: 'The address or the password is wrong.' };
    const busy = error.kind === 'limit' || error.kind === 'unavailable';
    return { ok: false, status: busy ? 429 : 403, sentence: error.message };
  }
}
