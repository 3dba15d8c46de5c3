import { type KeyObject, X509Certificate } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { type AcmeClient, type AcmeObject, record } from './client.ts';
import { certificateRequest } from './csr.ts';
import { AcmeFailure, problemText } from './failure.ts';
import { keyAuthorization } from './jws.ts';

/** From names to a certificate (RFC 8555 section 7.4). */

/** Milliseconds that an authority gets for its validations, and for making the certificate. */
const VALIDATION_MS = 5 * 60_000;
const ISSUANCE_MS = 5 * 60_000;
/** Milliseconds until the second look when the authority does not say, doubled up to the next with each. */
const POLL_FIRST_MS = 250;
const POLL_MS = 5000;
/** Milliseconds between two looks, at most and at least, when it does say. */
const POLL_MAX_MS = 60_000;
const POLL_MIN_MS = 250;
/** Times that a certificate is asked for. */
const DOWNLOADS = 4;
/** Certificates in a chain that are looked at. */
const CHAIN_MAX = 10;

export type ChallengeType = 'http-01' | 'tls-alpn-01' | 'dns-01';

/** What has to be shown for one name. */
export interface Challenge {
  /** Without "*." of a wildcard. */
  readonly name: string;
  readonly token: string;
  readonly keyAuthorization: string;
}

/** Shows what the authority looks for, in one of the ways. */
export interface Solver {
  readonly type: ChallengeType;
  present(challenge: Challenge): Promise<void>;
  /** All are presented: resolves when the authority can see them. */
  settle?(): Promise<void>;
  remove(challenge: Challenge): Promise<void>;
}

export interface ObtainOptions {
  /** DNS names in A-labels, lower case; "*.example.org" with DNS-01 only. */
  readonly names: readonly string[];
  /** Private key of the certificate. */
  readonly key: KeyObject;
  readonly solver: Solver;
  /** Certificate that this one comes for (RFC 9773 section 5). */
  readonly replaces?: string | undefined;
  readonly profile?: string | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** A certificate with its chain, PEM. Throws an `AcmeFailure`. */
export async function obtainCertificate(client: AcmeClient, options: ObtainOptions): Promise<string> {
  const { order, url } = await newOrder(client, options);
  await authorize(client, listOf(order.value['authorizations']), options);
  const ready = await pollOrder(client, url, options, VALIDATION_MS, ['ready', 'valid']);
  if (ready.value['status'] === 'ready') await finalize(client, ready, options);
  const done = await pollOrder(client, url, options, ISSUANCE_MS, ['valid']);
  const at = done.value['certificate'];
  if (typeof at !== 'string') throw new AcmeFailure('malformedAnswer', 'the order has no certificate');
  return checkedChain(await download(client, at, options), options);
}

async function newOrder(
  client: AcmeClient,
  { names, replaces, profile }: ObtainOptions,
): Promise<{ order: AcmeObject; url: string }> {
  const { newOrder: place, renewalInfo } = await client.directory();
  const wish = {
    identifiers: names.map((value) => ({ type: 'dns', value })),
    ...(profile !== undefined && { profile }),
  };
  const order = await placeOrder(client, place, wish, renewalInfo === undefined ? undefined : replaces);
  if (order.location === undefined) throw new AcmeFailure('malformedAnswer', 'the new order has no URL');
  return { order, url: order.location };
}

/** With what it replaces; where the authority will not have that, without (RFC 9773 section 5). */
async function placeOrder(
  client: AcmeClient,
  place: string,
  wish: object,
  replaces: string | undefined,
): Promise<AcmeObject> {
  if (replaces === undefined) return client.post(place, wish);
  try {
    return await client.post(place, { ...wish, replaces });
  } catch (error) {
    const refused = error instanceof AcmeFailure && ['alreadyReplaced', 'malformed'].includes(error.type);
    if (!refused) throw error;
    return client.post(place, wish);
  }
}

interface Pending {
  readonly url: string;
  readonly challenge: Challenge;
  readonly challengeUrl: string;
}

/** Show what is asked for, have it looked at, wait for the outcome of each. Valid ones of earlier orders are passed over. */
async function authorize(client: AcmeClient, urls: readonly string[], options: ObtainOptions): Promise<void> {
  const pending: Pending[] = [];
  for (const url of urls) {
    const { value } = await client.post(url);
    if (value['status'] === 'valid') continue;
    pending.push(pendingOf(client, url, value, options.solver.type));
  }
  const shown: Challenge[] = [];
  try {
    for (const { challenge } of pending) {
      shown.push(challenge);
      await options.solver.present(challenge);
    }
    if (shown.length > 0) await options.solver.settle?.();
    for (const { challengeUrl } of pending) await client.post(challengeUrl, {});
    const failures: AcmeFailure[] = [];
    for (const one of pending) {
      const failure = await outcome(client, one, options);
      if (failure !== undefined) failures.push(failure);
    }
    const [first] = failures;
    if (first !== undefined)
      throw new AcmeFailure(first.type, failures.map(({ message }) => message).join('; '));
  } finally {
    // What cannot be taken back does no harm; the outcome is what counts.
    for (const challenge of shown) await options.solver.remove(challenge).catch(() => undefined);
  }
}

function pendingOf(
  client: AcmeClient,
  url: string,
  value: Readonly<Record<string, unknown>>,
  type: ChallengeType,
): Pending {
  const name = record(value['identifier'])['value'];
  const all = Array.isArray(value['challenges']) ? value['challenges'].map(record) : [];
  const found = all.find((one) => one['type'] === type);
  if (typeof name !== 'string') throw new AcmeFailure('malformedAnswer', 'an authorization names nobody');
  if (value['status'] !== 'pending')
    throw new AcmeFailure('unauthorized', `${name}: the authorization is ${String(value['status'])}`);
  if (found === undefined) {
    const offered = all.map((one) => String(one['type'])).join(', ');
    throw new AcmeFailure(
      'unsupportedChallenge',
      `${name}: the authority offers ${offered}, and not ${type}`,
    );
  }
  const { token, url: challengeUrl } = found;
  // RFC 8555 section 8.3: base64url; it becomes part of a path and of a file name's like.
  if (typeof token !== 'string' || !/^[A-Za-z0-9_-]{16,200}$/.test(token) || typeof challengeUrl !== 'string')
    throw new AcmeFailure('malformedAnswer', `${name}: the challenge has no usable token`);
  const challenge = { name, token, keyAuthorization: keyAuthorization(client.key, token) };
  return { url, challenge, challengeUrl };
}

/** Undefined when the name is authorized. */
async function outcome(
  client: AcmeClient,
  { url, challenge: { name } }: Pending,
  options: ObtainOptions,
): Promise<AcmeFailure | undefined> {
  const { value } = await poll(client, url, options, VALIDATION_MS, (status) => status !== 'pending');
  if (value['status'] === 'valid') return undefined;
  const all = Array.isArray(value['challenges']) ? value['challenges'].map(record) : [];
  const problem = record(all.find((one) => one['error'] !== undefined)?.['error']);
  const type =
    typeof problem['type'] === 'string' ? (problem['type'].split(':').at(-1) ?? '') : 'unauthorized';
  return new AcmeFailure(type, `${name}: ${problemText(problem) || `it is ${String(value['status'])}`}`);
}

async function finalize(client: AcmeClient, order: AcmeObject, options: ObtainOptions): Promise<void> {
  const place = order.value['finalize'];
  if (typeof place !== 'string') throw new AcmeFailure('malformedAnswer', 'the order cannot be finalized');
  const csr = certificateRequest(options.key, options.names).toString('base64url');
  await client.post(place, { csr });
}

async function pollOrder(
  client: AcmeClient,
  url: string,
  options: ObtainOptions,
  withinMs: number,
  wanted: readonly string[],
): Promise<AcmeObject> {
  const order = await poll(client, url, options, withinMs, (status) =>
    [...wanted, 'invalid'].includes(status),
  );
  if (order.value['status'] !== 'invalid') return order;
  const error = record(order.value['error']);
  const type = typeof error['type'] === 'string' ? (error['type'].split(':').at(-1) ?? '') : 'orderInvalid';
  throw new AcmeFailure(type, problemText(error) || 'the order has become invalid');
}

/** What was issued is not given up for one answer that was lost. */
async function download(client: AcmeClient, url: string, { clock, signal }: ObtainOptions): Promise<Buffer> {
  for (let tries = 1; ; tries++) {
    try {
      return await client.download(url);
    } catch (error) {
      if (tries >= DOWNLOADS || !isPassing(error)) throw error;
      await clock.sleep(error.retryAfterMs ?? POLL_MS, signal);
    }
  }
}

/** Whether the same request may well succeed in a moment. */
function isPassing(error: unknown): error is AcmeFailure {
  return (
    error instanceof AcmeFailure && /^(unreachable|rateLimited|serverInternal|http5\d\d)$/.test(error.type)
  );
}

/** Look until `done`, as often as the authority says (RFC 8555 section 7.5.1). An answer that does not come is asked for again. */
async function poll(
  client: AcmeClient,
  url: string,
  { clock, signal }: ObtainOptions,
  withinMs: number,
  done: (status: string) => boolean,
): Promise<AcmeObject> {
  const until = clock.monotonic() + withinMs;
  for (let usualMs = POLL_FIRST_MS; ; usualMs = Math.min(2 * usualMs, POLL_MS)) {
    let waitMs = usualMs;
    try {
      const object = await client.post(url);
      if (done(String(object.value['status']))) return object;
      waitMs = object.retryAfterMs ?? usualMs;
    } catch (error) {
      if (!isPassing(error)) throw error;
      waitMs = error.retryAfterMs ?? usualMs;
    }
    if (signal?.aborted === true) throw new AcmeFailure('interrupted', 'the server stops');
    if (clock.monotonic() >= until)
      throw new AcmeFailure(
        'timeout',
        `the authority was not done within ${Math.round(withinMs / 60_000)} min`,
      );
    await clock.sleep(Math.min(Math.max(waitMs, POLL_MIN_MS), POLL_MAX_MS), signal);
  }
}

const ONE_PEM = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,100000}?-----END CERTIFICATE-----/g;

/** The chain as we serve it, seen to be for our key and names. */
function checkedChain(body: Buffer, { key, names }: ObtainOptions): string {
  const chain = (body.toString('latin1').match(ONE_PEM) ?? []).slice(0, CHAIN_MAX);
  const [first] = chain;
  if (first === undefined) throw new AcmeFailure('malformedAnswer', 'the authority sent no certificate');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(first);
  } catch {
    throw new AcmeFailure('malformedAnswer', 'the authority sent a certificate that cannot be read');
  }
  if (!certificate.checkPrivateKey(key))
    throw new AcmeFailure('malformedAnswer', 'the authority sent a certificate for another key');
  const missing = names.filter((name) => !certificateHas(certificate, name));
  if (missing.length > 0)
    throw new AcmeFailure('malformedAnswer', `the certificate is not for ${missing.join(', ')}`);
  return `${chain.join('\n')}\n`;
}

function certificateHas(certificate: X509Certificate, name: string): boolean {
  const names = (certificate.subjectAltName ?? '').toLowerCase().split(', ');
  return names.includes(`dns:${name}`);
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
