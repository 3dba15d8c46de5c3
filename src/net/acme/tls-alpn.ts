import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { limits } from '../../base/limits.ts';
import { createSelfSigned } from '../tls-self-signed.ts';
import type { TlsValidations } from '../tls.ts';
import { firstRecordLength, readClientHello } from './client-hello.ts';
import type { Challenge, Solver } from './order.ts';

/** A name proven by a handshake (TLS-ALPN-01, RFC 8737), on any port of ours that an authority reaches as 443. */

const PROTOCOL = 'acme-tls/1';
/** Milliseconds around now in which the certificate that proves a name is valid. */
const VALID_MS = 86_400_000;
/** Octets of a first record that are waited for. */
const HELLO_MAX = 16 * 1024 + 5;

export interface TlsAlpnSolver extends Solver, TlsValidations {}

export function createTlsAlpnSolver(clock: Clock): TlsAlpnSolver {
  const contexts = new Map<string, ReturnType<typeof createSecureContext>>();
  return {
    type: 'tls-alpn-01',
    async present({ name, keyAuthorization }) {
      const now = clock.now();
      const pair = createSelfSigned({
        commonName: name,
        names: [name],
        notBefore: now - VALID_MS,
        notAfter: now + VALID_MS,
        acmeIdentifier: createHash('sha256').update(keyAuthorization).digest(),
      });
      contexts.set(name, createSecureContext({ ...pair, minVersion: 'TLSv1.2' }));
    },
    async remove({ name }: Challenge) {
      contexts.delete(name);
    },
    pending: () => contexts.size > 0,
    context: (serverName) => contexts.get(serverName),
  };
}

/**
 * True when the connection was a validation, which is then answered and over. Else nothing is taken from it. A server's
 * certificate is chosen before its protocol is, so that the first message has to be looked at from outside.
 */
export async function answerValidation(
  raw: Socket,
  validations: TlsValidations,
  clock: Clock,
): Promise<boolean> {
  const hello = readClientHello(await peek(raw, clock));
  // RFC 8737 section 3: this protocol alone, with the name.
  if (hello?.protocols.length !== 1 || hello.protocols[0] !== PROTOCOL) return false;
  const context = hello.serverName === undefined ? undefined : validations.context(hello.serverName);
  if (context === undefined) return false;
  const socket = new TLSSocket(raw, { isServer: true, secureContext: context, ALPNProtocols: [PROTOCOL] });
  await new Promise<void>((resolve) => {
    const late = clock.setTimer(limits.tlsHandshakeMs, resolve);
    const over = (): void => {
      late.cancel();
      resolve();
    };
    // The handshake is all there is to it.
    socket.on('secure', () => socket.end(over));
    for (const event of ['_tlsError', 'error', 'close'] as const) socket.on(event, over);
  });
  socket.destroySoon();
  return true;
}

/** The first record as far as it comes in time; the socket has it still. */
export function peek(
  raw: Socket,
  clock: Clock,
  enough: (bytes: Buffer) => boolean = wholeRecord,
): Promise<Buffer> {
  return new Promise((resolve) => {
    let seen: Buffer = Buffer.alloc(0);
    const done = (): void => {
      late.cancel();
      raw.off('readable', look);
      raw.off('end', done);
      raw.off('close', done);
      // Behind its end nothing can be put back; the handshake fails then, as it should.
      if (seen.length > 0 && !raw.destroyed && !raw.readableEnded) raw.unshift(seen);
      resolve(seen);
    };
    const look = (): void => {
      for (;;) {
        const chunk: unknown = raw.read();
        if (!Buffer.isBuffer(chunk)) break;
        seen = Buffer.concat([seen, chunk]);
      }
      if (seen.length >= HELLO_MAX || enough(seen)) done();
    };
    const late = clock.setTimer(limits.tlsHandshakeMs, done);
    raw.on('readable', look);
    raw.on('end', done);
    raw.on('close', done);
    look();
  });
}

function wholeRecord(bytes: Buffer): boolean {
  const length = firstRecordLength(bytes);
  return length !== undefined && bytes.length >= length;
}
