import { X509Certificate } from 'node:crypto';
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import { connect } from '../../net/smtp-client/connect.ts';

/** The certificates a service shows, and what a client that checks them says. */

/** Certificates of a chain that are looked at. */
const CHAIN_MAX = 10;
/** Milliseconds for the end of a connection. */
const END_MS = 1000;

export type TlsLook =
  | {
      readonly status: 'ok';
      readonly leaf: X509Certificate;
      /** DER as the server sent them, its own first. */
      readonly chain: readonly Buffer[];
      /** Undefined: valid, for this name. Else OpenSSL's code. */
      readonly error: string | undefined;
    }
  | { readonly status: 'no-tls' }
  | { readonly status: 'failed'; readonly reason: string };

export interface TlsTarget {
  readonly address: string;
  readonly port: number;
  readonly servername: string;
  readonly service: 'smtp' | 'implicit';
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export function lookAtTls(target: TlsTarget): Promise<TlsLook> {
  return target.service === 'smtp' ? lookBySmtp(target) : lookDirectly(target);
}

async function lookBySmtp(target: TlsTarget): Promise<TlsLook> {
  const { address, port, servername, ca, timeoutMs, clock, signal } = target;
  const looks: TlsLook[] = [];
  const outcome = await connect({
    protocol: 'smtp',
    to: { addresses: [address], port },
    tls: 'opportunistic',
    servername,
    verify: (socket) => {
      looks.push(lookOf(socket));
      return undefined;
    },
    ...(ca !== undefined && { ca }),
    helo: servername,
    clock,
    timeouts: { connect: timeoutMs, greeting: timeoutMs, ehlo: timeoutMs, quit: timeoutMs },
    signal,
  });
  if (outcome.status === 'failed') return { status: 'failed', reason: outcome.failure.reason };
  const { tls } = outcome.client;
  await outcome.client.quit();
  const look = looks[0] ?? { status: 'no-tls' };
  // The name is compared by the client, whatever the verifier says.
  if (look.status === 'ok' && tls !== undefined)
    return { ...look, error: tls.authorized ? undefined : (tls.authorizationError ?? 'not valid') };
  return look;
}

function lookDirectly(target: TlsTarget): Promise<TlsLook> {
  const { address, port, servername, ca, timeoutMs, clock } = target;
  return new Promise((resolve) => {
    const socket = connectTls({
      host: address,
      port,
      servername,
      rejectUnauthorized: false,
      ...(ca !== undefined && { ca }),
    });
    const finish = (look: TlsLook): void => {
      timer.cancel();
      resolve(look);
      // The end is said in TLS too; a service that does not answer it is left.
      socket.end();
      const end = clock.setTimer(END_MS, () => socket.destroy());
      socket.once('close', () => end.cancel());
    };
    const timer = clock.setTimer(timeoutMs, () => finish({ status: 'failed', reason: 'no answer' }));
    const onError = (error: unknown): void =>
      finish({ status: 'failed', reason: errnoCode(error) ?? errorText(error) });
    socket.once('secureConnect', () => finish(lookOf(socket)));
    socket.on('error', onError);
  });
}

function lookOf(socket: TLSSocket): TlsLook {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return { status: 'failed', reason: 'the server showed no certificate' };
  const chain: Buffer[] = [];
  let at: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (at?.raw !== undefined && chain.length < CHAIN_MAX) {
    chain.push(at.raw);
    if (at.issuerCertificate === at) break;
    at = at.issuerCertificate;
  }
  const { authorizationError } = socket;
  const error = socket.authorized ? undefined : codeOf(authorizationError);
  return { status: 'ok', leaf, chain, error };
}

/** Node gives an Error or its code, whatever its types say. */
function codeOf(error: unknown): string {
  return typeof error === 'string' ? error : (errnoCode(error) ?? errorText(error));
}
