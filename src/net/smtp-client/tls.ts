import type { Socket } from 'node:net';
import { isIP } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { profileOptions, serverEndPoint, tlsFacts } from '../tls-context.ts';
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
}

export interface ClientTls {
  readonly facts: TlsFacts;
  /** Whether chain and name are valid, whatever `verify` asked for. */
  readonly authorized: boolean;
  /** Why not, e.g. "DEPTH_ZERO_SELF_SIGNED_CERT". */
  readonly authorizationError: string | undefined;
}

/** Making a context costs a millisecond and more (it loads the authorities); those with the same ones share it. */
const contexts = new Map<string, SecureContext>();

function contextFor(options: ClientTlsOptions): SecureContext {
  const profile = options.verify === 'none' ? 'opportunistic' : 'strict';
  if (options.ca !== undefined) {
    const ca = options.ca;
    const list = typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca];
    return createSecureContext({ ...profileOptions(profile), ca: list });
  }
  let context = contexts.get(profile);
  if (context === undefined) {
    context = createSecureContext(profileOptions(profile));
    contexts.set(profile, context);
  }
  return context;
}

/** Client-side handshake over `raw`. Throws a `Refusal` ('unavailable') that says why it failed or was not believed. */
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
    throw new Refusal('unavailable', `the certificate is not accepted: ${refused}`);
  }
  const certificate = socket.getPeerX509Certificate();
  const facts: TlsFacts = {
    ...tlsFacts(socket, undefined),
    serverName: servername,
    serverEndPoint: certificate && serverEndPoint(certificate),
  };
  return { socket, facts, result: { facts, authorized: socket.authorized, authorizationError } };
}

function verdict(
  verify: ClientTlsOptions['verify'],
  socket: TLSSocket,
  authorizationError: string | undefined,
): string | undefined {
  if (verify === 'none') return undefined;
  return verify === 'pkix' ? authorizationError : verify(socket);
}

function errorName(error: unknown): string {
  if (error instanceof Error)
    return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return String(error);
}
