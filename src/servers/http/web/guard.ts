import type { IncomingMessage, ServerResponse } from 'node:http';
import { canonicalAddress, isLoopback } from '../../../net/ip.ts';

/** The names under which a server for this machine alone is reached. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Characters of a Host field that are looked at: a domain name, brackets and a port fit. */
const HOST_LENGTH = 300;

export interface Refused {
  readonly status: 400 | 403 | 421;
  readonly sentence: string;
}

/**
 * Whether a request may be answered. `allowed` are host names without ports; undefined: any. A name that is not ours
 * means that somebody's DNS points at us so that their page may read our answers (DNS rebinding), or a mistake; an
 * Origin that is not the one asked means another site's script.
 */
export function judgeRequest(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  url: string,
  allowed: readonly string[] | undefined,
): Refused | undefined {
  const host = headers.host ?? '';
  if (allowed !== undefined && !allowed.includes(hostName(host))) return wrongHost(allowed);
  // RFC 9112 3.2.2: a target in absolute form overrides Host, so it has to pass as well.
  if (!url.startsWith('/') && url !== '*') {
    const named = URL.parse(url);
    if (named === null || !sameAuthority(named, host)) return wrongHost(allowed ?? [host]);
  }
  if (headers.origin === undefined) return undefined;
  const origin = URL.parse(headers.origin);
  if (origin !== null && sameAuthority(origin, host)) return undefined;
  return { status: 403, sentence: 'Pages of other sites may not use this server.' };
}

/** Whether a request came to a loopback address under a name of this machine, and so not through somebody's DNS. */
export function fromThisMachine(
  localAddress: string,
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  url: string,
): boolean {
  const address = canonicalAddress(localAddress);
  if (address === undefined || !isLoopback(address)) return false;
  return judgeRequest(headers, url, LOOPBACK_HOSTS) === undefined;
}

function wrongHost(allowed: readonly string[]): Refused {
  return { status: 421, sentence: `This server answers to the name ${allowed.join(', ')} only.` };
}

/** The name in a Host field in lower case, without the port; '' for what is none. */
export function hostName(host: string): string {
  if (host.length > HOST_LENGTH) return '';
  const port = host.lastIndexOf(':');
  const hasPort = port > host.lastIndexOf(']') && /^\d{0,5}$/.test(host.slice(port + 1));
  return (hasPort ? host.slice(0, port) : host).toLowerCase();
}

/** Same host and port, default ports filled in by the scheme of the URL. */
function sameAuthority(url: URL, host: string): boolean {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return false;
  const ours = URL.parse(`${url.protocol}//${host}`);
  return ours !== null && ours.pathname === '/' && ours.username === '' && ours.host === url.host;
}

/** RFC 9112 section 3.2: of two Host fields one reader would believe the first and another the second. */
export function oneHost({ headersDistinct }: Pick<IncomingMessage, 'headersDistinct'>): Refused | undefined {
  if ((headersDistinct['host']?.length ?? 0) < 2) return undefined;
  return { status: 400, sentence: 'A request has one Host field.' };
}

/** The check as the first thing a server does with a request. */
export function createGuard(
  allowed: readonly string[] | undefined,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const refused = oneHost(request) ?? judgeRequest(request.headers, request.url ?? '/', allowed);
    if (refused === undefined) return false;
    response.writeHead(refused.status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Cache-Control': 'no-store',
      // What the client still wants to send is not read.
      Connection: 'close',
    });
    response.end(`${refused.sentence}\n`);
    return true;
  };
}
