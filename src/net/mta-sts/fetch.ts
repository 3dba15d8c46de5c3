import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import type { Dns } from '../../mail/dns.ts';
import { parseStsPolicy, STS_LIMITS, type StsPolicy } from '../../mail/mta-sts/policy.ts';
import { lookupAddresses } from '../dns/addresses.ts';
import { isPublicAddress } from '../public-address.ts';

/** Fetching an MTA-STS policy (RFC 8461 section 3.3). */

/** Milliseconds for all of it (section 3.3 suggests a minute). */
const FETCH_MS = 60_000;
const HTTPS_PORT = 443;
/** Addresses of the policy host that are tried. */
const ADDRESSES_MAX = 3;
/** Milliseconds for one address, when there are more. */
const ADDRESS_MS = 15_000;

export interface StsFetchOptions {
  readonly dns: Dns;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** For tests: another port, authorities of their own, addresses that are not public. */
  readonly port?: number;
  readonly ca?: string;
  readonly allowPrivate?: boolean;
}

export type StsFetched =
  | { readonly status: 'ok'; readonly policy: StsPolicy; readonly file: Buffer }
  /** `type` in the words of RFC 8460 section 4.3.2.2. */
  | {
      readonly status: 'failed';
      readonly type: 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid';
      readonly reason: string;
    };

/**
 * Fetch and read the policy of a domain: over HTTPS with a valid certificate, without following redirects, at most
 * 64 KiB in at most a minute, from public addresses only. The connection goes to the address that was looked at: a name
 * that answers otherwise the next time changes nothing. Never throws for what the network or the server does.
 */
export async function fetchStsPolicy(domain: string, options: StsFetchOptions): Promise<StsFetched> {
  const host = `mta-sts.${domain}`;
  const found = await lookupAddresses(options.dns, host, options.signal);
  if (found.status === 'temporary') return failed(`DNS gave no address of ${host}: ${found.reason}`);
  if (found.status === 'none') return failed(`${host} has no address`);
  const addresses = [...found.ipv4, ...found.ipv6].filter(
    (address) => options.allowPrivate === true || isPublicAddress(address),
  );
  if (addresses.length === 0) return failed(`${host} has no public address`);
  const deadline = options.clock.monotonic() + FETCH_MS;
  let last: StsFetched = failed(`${host} was not reached`);
  for (const [index, address] of addresses.slice(0, ADDRESSES_MAX).entries()) {
    const left = deadline - options.clock.monotonic();
    if (left <= 0 || options.signal?.aborted === true) break;
    const more = index + 1 < Math.min(addresses.length, ADDRESSES_MAX);
    const answer = await get(host, address, more ? Math.min(left, ADDRESS_MS) : left, options);
    if ('file' in answer) return readPolicy(answer.file);
    last = answer;
    if (answer.type !== 'sts-policy-fetch-error') return answer;
  }
  return last;
}

function readPolicy(file: Buffer): StsFetched {
  const parsed = parseStsPolicy(file);
  if (parsed.status === 'ok') return { status: 'ok', policy: parsed.policy, file };
  return { status: 'failed', type: 'sts-policy-invalid', reason: parsed.reason };
}

function failed(reason: string, type: FetchFailure['type'] = 'sts-policy-fetch-error'): FetchFailure {
  return { status: 'failed', type, reason };
}

type FetchFailure = Extract<StsFetched, { status: 'failed' }>;

function get(
  host: string,
  address: string,
  timeoutMs: number,
  options: StsFetchOptions,
): Promise<{ readonly file: Buffer } | FetchFailure> {
  return new Promise((resolve) => {
    const settle = (result: { file: Buffer } | FetchFailure): void => {
      timer.cancel();
      options.signal?.removeEventListener('abort', onAbort);
      resolve(result);
      call.destroy();
    };
    const call = request({
      host: address,
      servername: host,
      port: options.port ?? HTTPS_PORT,
      path: '/.well-known/mta-sts.txt',
      // Not the default agent: it keeps connections, and may be told of proxies by the environment.
      agent: false,
      headers: { host, accept: 'text/plain', 'user-agent': 'Postern', connection: 'close' },
      maxHeaderSize: 16 * 1024,
      rejectUnauthorized: true,
      ...(options.ca !== undefined && { ca: options.ca }),
    });
    const onAbort = (): void => settle(failed('aborted'));
    const timer = options.clock.setTimer(timeoutMs, () =>
      settle(failed(`no answer from ${host} within ${Math.round(timeoutMs / 1000)} s`)),
    );
    options.signal?.addEventListener('abort', onAbort, { once: true });
    call.on('error', (error) => settle(failureOf(host, error)));
    call.on('response', (response) => void takeBody(host, response).then(settle));
    call.end();
  });
}

/** RFC 8461 section 3.3: 200 and nothing else; a redirect must not be followed. */
async function takeBody(host: string, response: IncomingMessage): Promise<{ file: Buffer } | FetchFailure> {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200)
    return failed(
      statusCode >= 300 && statusCode < 400
        ? `${host} redirects (${statusCode}), which is not followed`
        : `${host} answered with status ${statusCode}`,
    );
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== 'text/plain') return failed(`${host} gave a policy of type "${type}", not text/plain`);
  if (headers['content-encoding'] !== undefined) return failed(`${host} gave a policy that is encoded`);
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > STS_LIMITS.policyBytes) return failed(`the policy at ${host} is longer than 64 KiB`);
      parts.push(part);
    }
  } catch (error) {
    return failureOf(host, error);
  }
  return { file: Buffer.concat(parts) };
}

/** Errors of a certificate that is no good have these codes; all others are of the network. */
const CERTIFICATE =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT|HOSTNAME_MISMATCH|INVALID_PURPOSE|INVALID_CA|PATH_LENGTH)/;

function failureOf(host: string, error: unknown): FetchFailure {
  const code = errnoCode(error) ?? errorText(error).slice(0, 100);
  if (CERTIFICATE.test(code))
    return failed(`the certificate of ${host} is not valid: ${code}`, 'sts-webpki-invalid');
  return failed(`${host} could not be asked: ${code}`);
}
