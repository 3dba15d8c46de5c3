import type { Socket } from 'node:net';
import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import {
  connect,
  createSecureContext,
  type DetailedPeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { profileOptions, serverEndPoint, tlsFacts, type TlsProfile } from '../tls-context.ts';
import { awaitHandshake } from '../tls-handshake.ts';
import type { TlsFacts } from '../tls.ts';

/** Looks at a finished handshake; returns why the server is not the one we meant, or undefined. */
export type TlsVerifier = (socket: TLSSocket) => string | undefined;

export interface ClientTlsOptions {
  /** Name for SNI and for the certificate; an address is checked but not sent. */
  readonly servername: string;
  /** `none` takes any certificate, `pkix` wants a valid chain and name; a function decides itself (DANE). */
  readonly verify: 'none' | 'pkix' | TlsVerifier;
  /** PEM authorities instead of the system's. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  /** Ciphers; `opportunistic` unless the certificate is checked. */
  readonly profile?: TlsProfile;
  /** For servers that break on the usual form of TLS. */
  readonly form?: TlsForm;
}

/**
 * How much of TLS is shown: `small-hello` has classical key exchange and no session tickets, so that the first message
 * fits one segment; `tls1.2` has besides no TLS 1.3.
 */
export type TlsForm = 'usual' | 'small-hello' | 'tls1.2';

const CLASSICAL_GROUPS = 'X25519:P-256:P-384';
const FORMS: Readonly<Record<TlsForm, SecureContextOptions>> = {
  usual: {},
  'small-hello': { ecdhCurve: CLASSICAL_GROUPS, secureOptions: constants.SSL_OP_NO_TICKET },
  'tls1.2': {
    ecdhCurve: CLASSICAL_GROUPS,
    secureOptions: constants.SSL_OP_NO_TICKET,
    maxVersion: 'TLSv1.2',
  },
};

export interface ClientTls {
  readonly facts: TlsFacts;
  /** Whether chain and name are valid, whatever `verify` asked for. */
  readonly authorized: boolean;
  /** Why not, e.g. "DEPTH_ZERO_SELF_SIGNED_CERT". */
  readonly authorizationError: string | undefined;
  /** A verifier of the caller's looked at it and was content (DANE). */
  readonly verified: boolean;
}

/** Making a context costs a millisecond and more (it loads the authorities); those with the same ones share it. */
const contexts = new Map<string, SecureContext>();

function contextFor(options: ClientTlsOptions): SecureContext {
  const profile = options.profile ?? (options.verify === 'none' ? 'opportunistic' : 'strict');
  const form = options.form ?? 'usual';
  const base = { ...profileOptions(profile), ...FORMS[form] };
  if (options.ca !== undefined) {
    const ca = options.ca;
    const list = typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca];
    return createSecureContext({ ...base, ca: list });
  }
  const key = `${profile} ${form}`;
  let context = contexts.get(key);
  if (context === undefined) {
    context = createSecureContext(base);
    contexts.set(key, context);
  }
  return context;
}

/**
 * Client-side handshake over `raw`. Throws a `Refusal` that says why it failed ('unavailable') or was not believed
 * ('not-permitted').
 */
export async function clientHandshake(
  raw: Socket,
  options: ClientTlsOptions,
  clock: Clock,
): Promise<{ socket: TLSSocket; facts: TlsFacts; result: ClientTls }> {
  const { servername } = options;
  const socket = connect({
    socket: raw,
    // SNI takes host names only (RFC 6066 section 3); `host` is what the certificate is checked against.
    ...(isIP(servername) === 0 && { servername }),
    host: servername,
    secureContext: contextFor(options),
    rejectUnauthorized: false,
  });
  await awaitHandshake(socket, 'secureConnect', clock, limits.tlsHandshakeMs);
  const authorizationError = socket.authorized ? undefined : errorName(socket.authorizationError);
  const refused = verdict(options.verify, socket, authorizationError);
  if (refused !== undefined) {
    socket.on('error', () => undefined);
    socket.destroy();
    throw new Refusal('not-permitted', `the certificate is not accepted: ${refused}`);
  }
  const certificate = socket.getPeerX509Certificate();
  const facts: TlsFacts = {
    ...tlsFacts(socket, undefined),
    serverName: servername,
    serverEndPoint: certificate && serverEndPoint(certificate),
  };
  return {
    socket,
    facts,
    result: {
      facts,
      authorized: socket.authorized,
      authorizationError,
      verified: typeof options.verify === 'function',
    },
  };
}

function verdict(
  verify: ClientTlsOptions['verify'],
  socket: TLSSocket,
  authorizationError: string | undefined,
): string | undefined {
  if (verify === 'none') return undefined;
  return verify === 'pkix' ? authorizationError : verify(socket);
}

/** Certificates of a chain that are followed. */
const CHAIN_MAX = 10;

/** DER of the certificates a server showed, its own first, as far as each is issued by the next. */
export function shownChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let current: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (current?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(current.raw);
    const issuer: DetailedPeerCertificate | undefined = current.issuerCertificate;
    if (issuer === current) break; // a self-signed one names itself
    current = issuer;
  }
  return chain;
}

function errorName(error: unknown): string {
  if (error instanceof Error)
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return String(error);
}
