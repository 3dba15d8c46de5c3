import type { Clock } from '../../base/clock.ts';
import { AcmeFailure, failureOf } from './failure.ts';
import type { AcmeAnswer, AcmeHttp } from './http.ts';
import { type AccountKey, type ExternalAccount, externalAccountBinding, signed } from './jws.ts';

/** Speaks to one authority (RFC 8555) for one account. */

/** Times a request is made anew when its nonce was refused (RFC 8555 section 6.5). */
const NONCE_TRIES = 20;

export interface AcmeDirectory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  /** RFC 9773 section 4.1; undefined: the authority has no opinion about renewals. */
  readonly renewalInfo: string | undefined;
  readonly termsOfService: string | undefined;
  readonly externalAccountRequired: boolean;
  /** Names of profiles that can be asked for. */
  readonly profiles: readonly string[];
}

/** A JSON object of the authority, with where it is and what came with it. */
export interface AcmeObject {
  /** Of a Location field. */
  readonly location: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface AcmeClient {
  readonly key: AccountKey;
  /** Read once, then remembered. */
  directory(): Promise<AcmeDirectory>;
  /** Make the account, or find the one of this key; answers its URL. Later requests are made in its name. */
  register(options: {
    readonly contact: readonly string[];
    readonly external?: ExternalAccount | undefined;
  }): Promise<string>;
  /** Without a payload it is a POST-as-GET. Throws an `AcmeFailure` with what the authority says. */
  post(url: string, payload?: object): Promise<AcmeObject>;
  /** POST-as-GET of something that is not JSON. */
  download(url: string): Promise<Buffer>;
  /** A plain GET of JSON, as RFC 9773 wants it. */
  get(url: string): Promise<AcmeObject>;
}

export interface AcmeClientOptions {
  /** URL of the authority's directory. */
  readonly directory: string;
  readonly key: AccountKey;
  /** URL of the account, when it is known. */
  readonly account?: string | undefined;
  readonly http: AcmeHttp;
  readonly clock: Clock;
}

export function createAcmeClient(options: AcmeClientOptions): AcmeClient {
  const { http, key } = options;
  let { account } = options;
  let known: AcmeDirectory | undefined;
  let nonce: string | undefined;

  async function directory(): Promise<AcmeDirectory> {
    known ??= directoryOf(objectOf(checked(await http.request('GET', options.directory))).value);
    return known;
  }

  async function freshNonce(): Promise<string> {
    const kept = nonce;
    nonce = undefined; // each is good once
    if (kept !== undefined) return kept;
    const answer = checked(await http.request('HEAD', (await directory()).newNonce));
    const given = nonceOf(answer);
    if (given === undefined) throw new AcmeFailure('malformedAnswer', 'the authority gave no nonce');
    return given;
  }

  /** Sign and send; a refused nonce is replaced by the one of the refusal (RFC 8555 section 6.5). */
  async function send(url: string, payload: object | undefined, as: string | undefined): Promise<AcmeAnswer> {
    for (let tries = 1; ; tries++) {
      const jws = signed(key, payload, { url, nonce: await freshNonce(), account: as });
      const answer = await http.request('POST', url, JSON.stringify(jws));
      nonce = nonceOf(answer);
      if (answer.status < 400) return answer;
      const failure = failureIn(answer);
      if (failure.type !== 'badNonce' || tries >= NONCE_TRIES) throw failure;
    }
  }

  function asAccount(): string {
    if (account === undefined) throw new Error('register() comes first');
    return account;
  }

  return {
    key,
    directory,
    async register({ contact, external }) {
      const request = accountRequest(key, await directory(), contact, external);
      const answer = await send(request.url, request.payload, undefined);
      const { location } = objectOf(answer);
      if (location === undefined) throw new AcmeFailure('malformedAnswer', 'the new account has no URL');
      account = location;
      return location;
    },
    post: async (url, payload) => objectOf(await send(url, payload, asAccount())),
    download: async (url) => (await send(url, undefined, asAccount())).body,
    get: async (url) => objectOf(checked(await http.request('GET', url))),
  };
}

/** What makes the account, bound to one that the authority knows already where it wants that (RFC 8555 section 7.3.4). */
function accountRequest(
  key: AcmeClientOptions['key'],
  { newAccount: url, externalAccountRequired }: AcmeDirectory,
  contact: readonly string[],
  external: ExternalAccount | undefined,
): { url: string; payload: object } {
  if (externalAccountRequired && external === undefined)
    throw new AcmeFailure(
      'externalAccountRequired',
      'the authority wants an account of its own named: set eab.key_id and eab.hmac_key_file',
    );
  const payload = {
    termsOfServiceAgreed: true,
    contact: contact.map((address) => `mailto:${address}`),
    ...(external && { externalAccountBinding: externalAccountBinding(key, external, url) }),
  };
  return { url, payload };
}

function nonceOf({ headers }: AcmeAnswer): string | undefined {
  const given = headers['replay-nonce'];
  // base64url (RFC 8555 section 6.5.1); anything else would not get through.
  return typeof given === 'string' && /^[A-Za-z0-9_-]{1,500}$/.test(given) ? given : undefined;
}

function checked(answer: AcmeAnswer): AcmeAnswer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw failureIn(answer);
}

function failureIn({ status, body, retryAfterMs }: AcmeAnswer): AcmeFailure {
  return failureOf(status, jsonOf(body), retryAfterMs);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

function objectOf({ headers, body, retryAfterMs }: AcmeAnswer): AcmeObject {
  const value = body.length === 0 ? {} : jsonOf(body);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AcmeFailure('malformedAnswer', 'the authority answered with something that is no JSON object');
  return { location: headers.location, retryAfterMs, value: value as Record<string, unknown> };
}

function directoryOf(value: Readonly<Record<string, unknown>>): AcmeDirectory {
  const url = (name: string): string => {
    const found = value[name];
    if (typeof found === 'string') return found;
    throw new AcmeFailure('malformedAnswer', `this is no ACME directory: it has no ${name}`);
  };
  const meta = record(value['meta']);
  const { termsOfService } = meta;
  return {
    newNonce: url('newNonce'),
    newAccount: url('newAccount'),
    newOrder: url('newOrder'),
    renewalInfo: typeof value['renewalInfo'] === 'string' ? value['renewalInfo'] : undefined,
    termsOfService: typeof termsOfService === 'string' ? termsOfService : undefined,
    externalAccountRequired: meta['externalAccountRequired'] === true,
    profiles: Object.keys(record(meta['profiles'])),
  };
}

/** The value as an object; an empty one for anything else. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
