import type { IncomingMessage } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { Refusal } from '../base/errors.ts';
import { tokenDigest } from '../data/access/tokens.ts';
import { ACCESS_LIMITS } from '../data/access/types.ts';
import type { Actor, Role } from '../data/directory/types.ts';
import type { Store } from '../data/store.ts';
import type { Authenticator, LoginAccount, Scope } from '../mail/sasl/types.ts';
import { canonicalAddress, isLoopback } from '../net/ip.ts';

export type { Scope } from '../mail/sasl/types.ts';

/** Who a request over HTTP is from, and what it may do. */
export interface Principal {
  readonly accountId: number;
  /** Primary address. */
  readonly address: string;
  readonly displayName: string;
  readonly role: Role;
  readonly domainId: number;
  readonly scopes: ReadonlySet<Scope>;
  readonly how: 'password' | 'app-password' | 'token' | 'session';
  /** Id of the web session, token or app password used; undefined for the account's own password. */
  readonly sessionId: number | undefined;
  /** Aborted when the account is suspended or its password changed, or this session or token is revoked. */
  readonly revoked: AbortSignal;
  readonly remoteAddress: string;
  readonly trace: string;
}

export type RequestLogin =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly status: 401 | 403 | 429; readonly sentence: string };

export interface RequestLoginOptions {
  readonly store: Pick<Store, 'read' | 'write' | 'changes'>;
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  /** Whether a peer is a proxy whose X-Forwarded-For holds. */
  readonly isProxy: (address: string) => boolean;
}

/** What a request is to be allowed: `protocol` is what the journal calls it ("jmap", "http"). */
export interface LoginWish {
  readonly scope: Scope;
  readonly protocol: string;
  readonly trace: string;
}

export type LogInRequest = (request: IncomingMessage, wish: LoginWish) => Promise<RequestLogin>;

/** Octets of an Authorization and of a Cookie field that are looked at. */
const AUTHORIZATION_BYTES = 4000;
const COOKIE_BYTES = 8192;

const ALL_SCOPES: readonly Scope[] = ['mail', 'send', 'settings', 'account', 'admin'];
/** What every login but a session of ours may do at most: the account's own security is for its web pages. */
const ALL_BUT_ACCOUNT: readonly Scope[] = ['mail', 'send', 'settings', 'admin'];

/** Basic (RFC 7617), Bearer (RFC 6750) or the session cookie. */
export function createRequestLogin(options: RequestLoginOptions): LogInRequest {
  return async (request, wish) => {
    const place = placeOf(request, options.isProxy);
    if (!place.secure) return insecure();
    try {
      const login = await whoAsks(options, request, place, wish);
      if ('ok' in login) return login;
      const principal = await principalOf(options, login, place.remoteAddress, wish.trace);
      if (principal.scopes.has(wish.scope)) return { ok: true, principal };
      return { ok: false, status: 403, sentence: 'What you are logged in with is not for this.' };
    } catch (error) {
      return refused(error, request);
    }
  };
}

async function whoAsks(
  options: RequestLoginOptions,
  request: IncomingMessage,
  place: RequestPlace,
  wish: LoginWish,
): Promise<LoginAccount | Extract<RequestLogin, { ok: false }>> {
  const { authenticator } = options;
  const { remoteAddress } = place;
  const field = request.headers.authorization;
  if (field === undefined) return bySession(options, request, place);
  const [, scheme = '', value = ''] =
    field.length > AUTHORIZATION_BYTES ? [] : (/^(\S+) +(\S+)$/.exec(field) ?? []);
  if (scheme.toLowerCase() === 'bearer' && authenticator.token !== undefined) {
    return authenticator.token({ login: '', token: value, remoteAddress, ...wish });
  }
  const credentials = scheme.toLowerCase() === 'basic' ? basicCredentials(value) : undefined;
  if (credentials === undefined) return nobody();
  return authenticator.password({ ...credentials, remoteAddress, ...wish });
}

function nobody(): Extract<RequestLogin, { ok: false }> {
  return { ok: false, status: 401, sentence: 'Log in with your address and its password.' };
}

/** By the cookie, which a browser sends whoever makes it do so: the rest of the request must show that it was our page. */
async function bySession(
  { store, clock }: RequestLoginOptions,
  request: IncomingMessage,
  place: RequestPlace,
): Promise<LoginAccount | Extract<RequestLogin, { ok: false }>> {
  const digest = sessionDigest(request, place);
  if (digest === undefined) return nobody();
  const foreign = foreignRequest(request);
  if (foreign !== undefined) return { ok: false, status: 403, sentence: foreign };
  const read = () => store.read.run('access.session', { digest, now: clock.now() });
  const first = await read();
  if (first === undefined) return nobody();
  const { id, accountId } = first;
  const revoked = store.changes.revocation(accountId, `session:${id}`);
  // Again: it may have been revoked before we listened for that.
  const session = await read();
  const account = session && (await store.read.run('directory.account', { id: accountId }));
  if (session === undefined || account === undefined) return nobody();
  const { remoteAddress } = place;
  if (clock.now() - session.usedAt > ACCESS_LIMITS.noteMs || session.address !== remoteAddress) {
    // A note alone: when it fails, the next request makes it.
    const { remember } = session;
    store.write.run('access.useSession', { id, remember, address: remoteAddress }).catch(() => undefined);
  }
  const scopes = new Set(ALL_SCOPES);
  return { accountId, address: account.address, revoked, how: 'session', scopes, sessionId: id };
}

/**
 * What browsers fetch private answers as (Fetch section 2.2.5). Never as scripts, workers or style sheets: by the address
 * of a download, octets of a stranger would be those of our own origin, which the policy of our pages lets run.
 */
const DESTINATIONS: ReadonlySet<string> = new Set([
  'empty',
  'document',
  'image',
  'audio',
  'video',
  'websocket',
]);

/** Our pages say who they are in a field that no other site's page can send without our leave; undefined: it is ours. */
export function foreignRequest({ method, headers }: IncomingMessage): string | undefined {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    return 'Pages of other sites may not use this server.';
  const destination = headers['sec-fetch-dest'];
  if (destination !== undefined && !DESTINATIONS.has(String(destination)))
    return 'This is no part of a page.';
  if (method === 'GET' || method === 'HEAD' || headers['x-postern'] === '1') return undefined;
  return 'Requests of a web session need the field X-Postern: 1.';
}

/** Over https the browser keeps the name to this host and to TLS (RFC 6265bis section 4.1.3.2). */
export function sessionCookieName(https: boolean): string {
  return https ? '__Host-postern' : 'postern';
}

/** The digest of the session token in the cookie; undefined: there is none. */
export function sessionDigest(request: IncomingMessage, { https }: RequestPlace): string | undefined {
  const name = sessionCookieName(https);
  const field = request.headers.cookie ?? '';
  if (field.length > COOKIE_BYTES) return undefined;
  for (const pair of field.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const digest = tokenDigest('session', pair.slice(equals + 1).trim());
    if (digest !== undefined) return digest;
  }
  return undefined;
}

/** Where a request comes from, and whether its words were kept from others on the way. */
export interface RequestPlace {
  /** The client's own, behind a proxy too. */
  readonly remoteAddress: string;
  /** It came over TLS, from this machine, or by a proxy of ours, which is trusted to have TLS. */
  readonly secure: boolean;
  /** The client sees an https URL: cookies may be Secure. */
  readonly https: boolean;
}

export function placeOf(request: IncomingMessage, isProxy: (address: string) => boolean): RequestPlace {
  const { socket, headers } = request;
  const peer = canonicalAddress(socket.remoteAddress ?? '') ?? '';
  const encrypted = 'encrypted' in socket && socket.encrypted === true;
  const proxied = isProxy(peer);
  const forwarded = headers['x-forwarded-for'];
  const last = (Array.isArray(forwarded) ? forwarded.at(-1) : forwarded)?.split(',').at(-1)?.trim() ?? '';
  return {
    remoteAddress: (proxied ? canonicalAddress(last) : undefined) ?? peer,
    secure: encrypted || proxied || isLoopback(peer),
    https: encrypted || (proxied && headers['x-forwarded-proto'] === 'https'),
  };
}

/**
 * The WWW-Authenticate field of a 401; undefined for our own pages, so that the browser opens no dialog of its own.
 */
export function challengeFor(request: IncomingMessage): string | undefined {
  if (request.headers['x-postern'] !== undefined) return undefined;
  return 'Basic realm="mail account", charset="UTF-8", Bearer realm="mail account"';
}

/** Who a principal is for administrative operations and the audit. */
export function actorOf({ address, role, domainId }: Principal): Actor {
  return { name: address, role, domainId: role === 'domain-admin' ? domainId : undefined };
}

function basicCredentials(encoded: string): { login: string; password: string } | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { login: text.slice(0, colon), password: text.slice(colon + 1) };
}

function insecure(): RequestLogin {
  const sentence =
    'Passwords are taken over TLS only: put a proxy with TLS in front of this server (docs/guides/behind-a-proxy.md).';
  return { ok: false, status: 403, sentence };
}

function refused(error: unknown, { headers }: IncomingMessage): RequestLogin {
  if (!(error instanceof Refusal)) throw error;
  if (error.kind === 'authentication-failed') {
    const byToken = /^bearer /i.test(headers.authorization ?? '');
    const sentence = byToken
      ? 'This token is not good, or not any more: the program has to get another one.'
      : 'The address or the password is wrong.';
    return { ok: false, status: 401, sentence };
  }
  const busy = error.kind === 'limit' || error.kind === 'unavailable';
  return { ok: false, status: busy ? 429 : 403, sentence: error.message };
}

async function principalOf(
  { store }: RequestLoginOptions,
  login: LoginAccount,
  remoteAddress: string,
  trace: string,
): Promise<Principal> {
  const account = await store.read.run('directory.account', { id: login.accountId });
  if (account === undefined || account.status !== 'active')
    throw new Refusal('authentication-failed', 'The account has gone.');
  const { displayName, role, domainId } = account;
  const scopes = new Set(login.scopes ?? ALL_BUT_ACCOUNT);
  if (role === 'user') scopes.delete('admin');
  return {
    accountId: login.accountId,
    address: login.address,
    displayName,
    role,
    domainId,
    scopes,
    how: login.how ?? 'password',
    sessionId: login.sessionId,
    revoked: login.revoked,
    remoteAddress,
    trace,
  };
}
