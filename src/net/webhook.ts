import { createHmac } from 'node:crypto';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { errnoCode, errorText } from '../base/errors.ts';
import type { Dns } from '../mail/dns.ts';
import { lookupAddresses } from './dns/addresses.ts';
import { isPublicAddress } from './public-address.ts';

/** Telling a program elsewhere by a POST that it can prove to be ours. */

/** Milliseconds for all of it. */
const POST_MS = 15_000;

export interface WebhookOptions {
  readonly url: string;
  /** Key of the signature. */
  readonly secret: string;
  readonly clock: Clock;
  readonly dns: Dns | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Addresses of our own network too: only where an administrator says so. */
  readonly allowPrivate?: boolean | undefined;
  /** Authorities to trust instead of the system's, for tests. */
  readonly ca?: string | undefined;
}

/** The value of the Postern-Signature field: HMAC-SHA-256 over "TIME.BODY", TIME in seconds since the epoch. */
export function webhookSignature(secret: string, seconds: number, body: string): string {
  const hmac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hmac}`;
}

/**
 * POST `body` (JSON) there, to a public address that was looked at, without following redirects. Resolves to undefined
 * when it was taken (2xx), else to why not; never rejects.
 */
export async function postWebhook(body: string, options: WebhookOptions): Promise<string | undefined> {
  const { dns, signal, allowPrivate = false } = options;
  let url: URL;
  try {
    url = new URL(options.url);
  } catch {
    return 'the URL cannot be understood';
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'the URL is neither https nor http';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  let addresses = [host];
  if (isIP(host) === 0) {
    if (dns === undefined) return 'no DNS may be asked here';
    const found = await lookupAddresses(dns, host, signal);
    if (found.status === 'temporary') return `DNS gave no address of ${host}: ${found.reason}`;
    if (found.status === 'none') return `${host} has no address`;
    addresses = [...found.ipv4, ...found.ipv6];
  }
  const address = addresses.find((each) => allowPrivate || isPublicAddress(each));
  if (address === undefined) return `${host} has no public address; webhook.private allows others`;
  return post(body, url, address, options);
}

function post(
  body: string,
  url: URL,
  address: string,
  { clock, secret, signal, ca }: WebhookOptions,
): Promise<string | undefined> {
  const secure = url.protocol === 'https:';
  const name = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const settle = (result: string | undefined): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      resolve(result);
      call.destroy();
    };
    const call = (secure ? tlsRequest : plainRequest)({
      method: 'POST',
      host: address,
      port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      // Not the default agent: it keeps connections, and may be told of proxies by the environment.
      agent: false,
      maxHeaderSize: 16 * 1024,
      headers: {
        host: url.host,
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'Postern',
        connection: 'close',
        'postern-signature': webhookSignature(secret, Math.floor(clock.now() / 1000), body),
      },
      ...(secure && isIP(name) === 0 && { servername: name }),
      ...(secure && ca !== undefined && { ca }),
    });
    const onAbort = (): void => settle('the server stops');
    const timer = clock.setTimer(POST_MS, () => settle(`no answer within ${POST_MS / 1000} s`));
    signal?.addEventListener('abort', onAbort, { once: true });
    call.on('error', (error) => settle(`it was not reached: ${errnoCode(error) ?? errorText(error)}`));
    call.on('response', ({ statusCode = 0 }) => {
      settle(statusCode >= 200 && statusCode < 300 ? undefined : `it answered with status ${statusCode}`);
    });
    call.end(body);
  });
}
