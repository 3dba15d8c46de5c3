import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { answerValidation } from './acme/tls-alpn.ts';
import { tlsFacts } from './tls-context.ts';
import type { TlsFacts, TlsSource } from './tls.ts';

/** Wait for `socket` to finish its handshake. Throws a `Refusal` ('unavailable') that says why it did not. */
export function awaitHandshake(
  socket: TLSSocket,
  event: 'secure' | 'secureConnect',
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (failure?: string): void => {
      timer.cancel();
      socket.off(event, onSecure);
      socket.off('close', onClose);
      socket.off('end', onClose);
      socket.off('readable', onReadable);
      socket.off('_tlsError', onError);
      socket.off('error', onError);
      if (failure === undefined) return resolve();
      socket.on('error', () => undefined); // a failing handshake may report more than one error
      socket.destroy();
      reject(new Refusal('unavailable', `TLS handshake failed: ${failure}`));
    };
    const onSecure = (): void => settle();
    const onClose = (): void => settle('the peer closed the connection');
    const onError = (error: unknown): void => settle(handshakeReason(error));
    // Our sockets stay open when the peer's half is closed: that it went away shows as an end, which has to be taken out.
    const onReadable = (): void => {
      if (socket.readableLength === 0) socket.read(0);
    };
    const timer = clock.setTimer(timeoutMs, () =>
      settle(`not finished after ${Math.round(timeoutMs / 1000)} s`),
    );
    socket.on(event, onSecure);
    socket.on('close', onClose);
    socket.on('end', onClose);
    socket.on('readable', onReadable);
    // Server-side sockets made without tls.Server report handshake errors by this event only.
    socket.on('_tlsError', onError);
    socket.on('error', onError);
  });
}

/** OpenSSL's errors made short: "ERR_SSL_NO_SHARED_CIPHER" says more than their text, which has source paths in it. */
function handshakeReason(error: unknown): string {
  const code = errnoCode(error);
  if (code?.startsWith('ERR_SSL_')) return code.slice(8).toLowerCase().replaceAll('_', ' ');
  return code === undefined || code.startsWith('ERR_') ? errorText(error).slice(0, 200) : code;
}

/**
 * Server side: wrap `raw`, do the handshake, return the wrapped socket and what it tells. Throws a `Refusal` when there is
 * no session: the handshake failed, or was an authority's to see a name proven, which is over with it (RFC 8737).
 * `protocols`: what is spoken here (RFC 7301). Who offers others alone is turned away, so that nobody leads a client of
 * another protocol to us; undefined: whatever they offer.
 */
export async function serverHandshake(
  raw: Socket,
  source: TlsSource,
  clock: Clock,
  protocols?: readonly string[],
): Promise<{ socket: TLSSocket; facts: TlsFacts }> {
  if (source.validations?.pending() === true) {
    if (await answerValidation(raw, source.validations, clock))
      throw new Refusal('unavailable', 'it was an authority that saw a name proven (TLS-ALPN-01)');
    if (raw.destroyed || raw.readableEnded)
      throw new Refusal('unavailable', 'TLS handshake failed: the peer closed the connection');
  }
  const fallback = source.context();
  if (fallback === undefined) throw new Refusal('unavailable', 'there is no TLS certificate yet');
  let served: SecureContext = fallback;
  const socket = new TLSSocket(raw, {
    isServer: true,
    secureContext: fallback,
    ...(protocols !== undefined && { ALPNProtocols: [...protocols] }),
    SNICallback: (name, done) => {
      served = source.context(name) ?? fallback;
      done(null, served);
    },
  });
  await awaitHandshake(socket, 'secure', clock, limits.tlsHandshakeMs);
  return { socket, facts: tlsFacts(socket, served) };
}
