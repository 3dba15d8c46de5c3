import { type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../base/errors.ts';
import type { Dns } from '../mail/dns.ts';
import { lookupAddresses } from './dns/addresses.ts';
import { isPublicAddress } from './public-address.ts';

/**
 * A request to a URL that somebody else has written (a picture in a message, a push service, a link to unsubscribe): it
 * goes to hosts on the public Internet alone, at the address that was looked at, within limits of octets and time.
 */

/** Addresses of a host that are tried. */
const ADDRESSES_MAX = 3;
/** Milliseconds for reaching one address and its first answer, when there are more. */
const ADDRESS_MS = 10_000;
/** Octets of an answer's header. */
const HEADER_BYTES = 16 * 1024;
/** Characters of a URL. */
const URL_LENGTH = 8000;
/** What still goes along when a redirect leads to another host. */
const CARRIED: ReadonlySet<string> = new Set(['accept', 'accept-language', 'user-agent']);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export interface GuardedFetchOptions {
  readonly url: string;
  /** Default GET. Only GET and HEAD follow redirects. */
  readonly method?: 'GET' | 'HEAD' | 'POST' | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: Buffer | string | undefined;
  /** Octets of the answer's body; one that has more fails while it is read. */
  readonly maxBytes: number;
  /** Milliseconds for all of it, redirects and body included. */
  readonly timeoutMs: number;
  /** How many redirects are followed, each looked at as the first URL was; 0: a redirect is the answer. */
  readonly redirects?: number | undefined;
  /** http:// too. A redirect never leads from https to http. Default false. */
  readonly allowHttp?: boolean | undefined;
  readonly resolver: Dns;
  readonly clock: Clock;
  /** Which addresses may be asked; default: hosts on the public Internet. */
  readonly allow?: ((address: string) => boolean) | undefined;
  /** Which ports may be asked; default: 443 (https) and 80 (http), where nothing but web servers is expected. */
  readonly allowPort?: ((port: number) => boolean) | undefined;
  /** Authorities to trust instead of the system's, for tests. */
  readonly ca?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface GuardedResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /**
   * Throws a `Refusal` while it is read: 'too-large' beyond `maxBytes`, 'unavailable' when it breaks off, takes too long,
   * or is compressed (which is not asked for: a small one could become endless).
   */
  readonly body: AsyncIterable<Buffer>;
  /** The address that answered. */
  readonly address: string;
  /** The URL that answered, after redirects. */
  readonly url: string;
  /** For those who do not read the body to its end. Harmless at any time. */
  close(): void;
}

/**
 * Ask. Throws a `Refusal`: 'bad-input' for a URL that is not asked whatever its host is, 'not-permitted' for a host that
 * is not on the public Internet, 'unavailable' for what the network and the host do.
 */
export async function guardedFetch(options: GuardedFetchOptions): Promise<GuardedResponse> {
  const { clock, method = 'GET', redirects = 0, timeoutMs } = options;
  // What is refused at once must leave no timer behind.
  let url = guardedUrl(options.url, options);
  const life = lifeOf(clock, timeoutMs, options.signal);
  let headers = options.headers ?? {};
  try {
    for (let hops = 0; ; hops++) {
      const { response, address } = await ask(url, headers, options, life);
      const next = method === 'POST' || redirects === 0 ? undefined : redirectOf(response, url);
      if (next === undefined) return answerOf(response, address, url, options, life);
      response.destroy();
      if (hops >= redirects) throw new Refusal('unavailable', 'it redirects too often');
      const target = guardedUrl(next, options);
      if (url.protocol === 'https:' && target.protocol === 'http:')
        throw new Refusal('not-permitted', 'it redirects from https to http');
      if (target.host !== url.host)
        headers = Object.fromEntries(
          Object.entries(headers).filter(([name]) => CARRIED.has(name.toLowerCase())),
        );
      url = target;
    }
  } catch (error) {
    life.end();
    throw error;
  }
}

/**
 * The URL, if it is one that may be asked as far as its text tells. Numbers in all their ways of being written (0x7f.1,
 * 2130706433) become addresses here, which are looked at like those that DNS gives.
 * @throws Refusal 'bad-input', 'not-permitted'
 */
export function guardedUrl(
  text: string,
  { allowHttp = false, allowPort, allow = isPublicAddress }: Partial<GuardedFetchOptions> = {},
): URL {
  const url = text.length > URL_LENGTH ? null : URL.parse(text);
  if (url === null) throw new Refusal('bad-input', 'the URL cannot be understood');
  if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:'))
    throw new Refusal('bad-input', `the URL must begin with https://${allowHttp ? ' or http://' : ''}`);
  if (url.username !== '' || url.password !== '')
    throw new Refusal('bad-input', 'the URL must have no user name and no password');
  const port = portOf(url);
  // A port that was not written is the default one.
  if (url.port !== '' && allowPort?.(port) !== true)
    throw new Refusal('not-permitted', `the URL names port ${port}; only the usual ones are asked`);
  const host = hostOf(url);
  if (isIP(host) !== 0) {
    if (!allow(host)) throw new Refusal('not-permitted', `${host} is no address on the public Internet`);
  } else if (!host.includes('.')) {
    // Names of one label mean hosts of the own network, "localhost" first of all.
    throw new Refusal('not-permitted', `"${host}" is no name on the public Internet`);
  }
  return url;
}

/** The host without brackets, and without the dot that ends a full name. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

/** How long everything may take; what stops it early. */
interface Life {
  left(): number;
  /** Called once when time is up or somebody wants no more; returns how to take it back. */
  onEnd(fn: (reason: string) => void): () => void;
  end(): void;
}

function lifeOf(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined): Life {
  const deadline = clock.monotonic() + timeoutMs;
  const watching = new Set<(reason: string) => void>();
  let over: string | undefined;
  const stop = (reason: string): void => {
    over ??= reason;
    for (const fn of watching) fn(reason);
  };
  const timer = clock.setTimer(timeoutMs, () => stop(`it took more than ${Math.ceil(timeoutMs / 1000)} s`));
  const onAbort = (): void => stop('nobody waits for it any more');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return {
    left: () => (over === undefined ? deadline - clock.monotonic() : 0),
    onEnd(fn) {
      if (over !== undefined) fn(over);
      else watching.add(fn);
      return () => void watching.delete(fn);
    },
    end() {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      watching.clear();
    },
  };
}

interface Reached {
  readonly response: IncomingMessage;
  readonly address: string;
}

/** Look up, look at what came, ask one address after the other. */
async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: GuardedFetchOptions,
  life: Life,
): Promise<Reached> {
  const addresses = (await addressesOf(hostOf(url), options, life)).slice(0, ADDRESSES_MAX);
  let last: unknown;
  for (const [index, address] of addresses.entries()) {
    if (life.left() <= 0) break;
    const patience = index + 1 < addresses.length ? Math.min(ADDRESS_MS, life.left()) : undefined;
    try {
      return { response: await reach(url, address, headers, options, life, patience), address };
    } catch (error) {
      last = error;
      // A body may have arrived although no answer came: what changes something is not done twice.
      if (options.method === 'POST' && !neverConnected(error)) break;
    }
  }
  throw last ?? new Refusal('unavailable', 'it was not reached in time');
}

async function addressesOf(
  host: string,
  { resolver, allow = isPublicAddress, signal }: GuardedFetchOptions,
  life: Life,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  let forget: (() => void) | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    forget = life.onEnd((reason) => reject(new Refusal('unavailable', reason)));
  });
  const found = await Promise.race([lookupAddresses(resolver, host, signal), late]).finally(() => forget?.());
  if (found.status === 'temporary')
    throw new Refusal('unavailable', `DNS gave no address of ${host}: ${found.reason}`);
  if (found.status === 'none') throw new Refusal('unavailable', `${host} has no address`);
  const allowed = [...found.ipv4, ...found.ipv6].filter((address) => allow(address));
  if (allowed.length === 0)
    throw new Refusal('not-permitted', `${host} has no address on the public Internet`);
  return allowed;
}

const NOT_CONNECTED: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']);

class Unreached extends Refusal {
  readonly code: string | undefined;

  constructor(host: string, error: unknown) {
    super('unavailable', `${host} was not reached: ${errnoCode(error) ?? errorText(error).slice(0, 200)}`);
    this.code = errnoCode(error);
  }
}

function neverConnected(error: unknown): boolean {
  return error instanceof Unreached && NOT_CONNECTED.has(error.code ?? '');
}

/** Ask one address, which no further look at DNS can change. */
function reach(
  url: URL,
  address: string,
  headers: Readonly<Record<string, string>>,
  { method = 'GET', body, clock, ca }: GuardedFetchOptions,
  life: Life,
  patienceMs: number | undefined,
): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  const host = hostOf(url);
  return new Promise((resolve, reject) => {
    const call = (secure ? tlsRequest : plainRequest)({
      method,
      host: address,
      port: portOf(url),
      path: `${url.pathname}${url.search}`,
      // Not the default agent: it keeps connections, and may be told of proxies by the environment.
      agent: false,
      maxHeaderSize: HEADER_BYTES,
      headers: {
        'user-agent': 'Postern',
        ...headers,
        host: url.host,
        'accept-encoding': 'identity',
        connection: 'close',
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
      },
      ...(secure && isIP(host) === 0 && { servername: host }),
      ...(secure && ca !== undefined && { ca }),
    });
    const fail = (error: Refusal): void => {
      settle();
      reject(error);
      call.destroy();
    };
    const forget = life.onEnd((reason) => fail(new Refusal('unavailable', `${host}: ${reason}`)));
    const late = clock.setTimer(patienceMs ?? Math.max(0, life.left()), () =>
      fail(new Refusal('unavailable', `${host} gave no answer in time`)),
    );
    const settle = (): void => {
      late.cancel();
      forget();
    };
    // Stays behind the answer: what breaks off then is told by the body.
    call.on('error', (error) => fail(new Unreached(host, error)));
    call.on('response', (response) => {
      settle();
      response.on('error', () => undefined);
      resolve(response);
    });
    call.end(body);
  });
}

function redirectOf({ statusCode = 0, headers }: IncomingMessage, from: URL): string | undefined {
  if (!REDIRECTS.has(statusCode) || headers.location === undefined) return undefined;
  const target = headers.location.length > URL_LENGTH ? null : URL.parse(headers.location, from.href);
  if (target === null) throw new Refusal('unavailable', 'it redirects to what is no URL');
  return target.href;
}

function answerOf(
  response: IncomingMessage,
  address: string,
  url: URL,
  { maxBytes }: GuardedFetchOptions,
  life: Life,
): GuardedResponse {
  const close = (): void => {
    life.end();
    response.destroy();
  };
  // One that nobody reads ends with its time.
  let late: string | undefined;
  life.onEnd((reason) => {
    late = reason;
    response.destroy();
  });
  response.once('close', () => life.end());
  const { statusCode: status = 0, headers } = response;
  const body = bodyOf(response, maxBytes, () => late, close);
  return { status, headers, body, address, url: url.href, close };
}

async function* bodyOf(
  response: IncomingMessage,
  maxBytes: number,
  late: () => string | undefined,
  close: () => void,
): AsyncGenerator<Buffer> {
  const { headers } = response;
  const tooLarge = new Refusal('too-large', `the answer has more than ${maxBytes} octets`);
  try {
    const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
    if (encoding !== 'identity' && encoding !== '')
      throw new Refusal('unavailable', 'the answer is compressed, which was not asked for');
    if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge;
    let size = 0;
    for await (const piece of response as AsyncIterable<Buffer>) {
      size += piece.length;
      if (size > maxBytes) throw tooLarge;
      yield piece;
    }
    const reason = late();
    if (reason !== undefined) throw new Refusal('unavailable', reason);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('unavailable', late() ?? `the answer broke off: ${errnoCode(error) ?? 'unknown'}`);
  } finally {
    close();
  }
}

/** All of an answer's body at once, for those who ask for little. Throws what the body throws. */
export async function wholeBody({ body }: Pick<GuardedResponse, 'body'>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}
