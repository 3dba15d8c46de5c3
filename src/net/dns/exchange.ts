import { createSocket } from 'node:dgram';
import { connect, isIP } from 'node:net';
import type { DecodedPacket } from 'dns-packet';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import type { DnsServer } from './resolv-conf.ts';
import { decodeResponse, type Query } from './wire.ts';

/** One question put to one server once. */
export type Exchange =
  | { readonly kind: 'response'; readonly packet: DecodedPacket; readonly bytes: number }
  | { readonly kind: 'failed'; readonly reason: string; readonly suspicious?: boolean };

/** Answers with a wrong id or question beyond which somebody is guessing: the question goes over TCP then. */
const MAX_FORGED = 8;

function reasonOf(error: unknown): string {
  return errnoCode(error) ?? errorText(error);
}

/**
 * Ask over UDP. A new socket each time gives a random source port (RFC 5452 section 9.2), and connecting it makes the
 * kernel drop datagrams from any other address or port.
 */
export function askUdp(server: DnsServer, query: Query, timeoutMs: number, clock: Clock): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: isIP(server.address) === 6 ? 'udp6' : 'udp4' });
    let forged = 0;
    let over = false;
    const finish = (outcome: Exchange): void => {
      if (over) return;
      over = true;
      timer.cancel();
      socket.close();
      resolve(outcome);
    };
    const timer = clock.setTimer(timeoutMs, () => finish({ kind: 'failed', reason: 'timeout' }));
    socket.on('error', (error) => finish({ kind: 'failed', reason: reasonOf(error) }));
    socket.on('message', (bytes) => {
      const packet = decodeResponse(query, bytes);
      if (packet !== undefined) finish({ kind: 'response', packet, bytes: bytes.length });
      else if (++forged >= MAX_FORGED) finish({ kind: 'failed', reason: 'forged answers', suspicious: true });
    });
    socket.connect(server.port, server.address, (error?: Error) => {
      if (over) return;
      if (error) finish({ kind: 'failed', reason: reasonOf(error) });
      else socket.send(query.packet);
    });
  });
}

/** Ask over TCP (RFC 7766), where the answer did not fit a datagram. */
export function askTcp(server: DnsServer, query: Query, timeoutMs: number, clock: Clock): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = connect({ host: server.address, port: server.port, noDelay: true });
    let received = Buffer.alloc(0);
    const finish = (outcome: Exchange): void => {
      timer.cancel();
      socket.destroy();
      resolve(outcome);
    };
    const timer = clock.setTimer(timeoutMs, () => finish({ kind: 'failed', reason: 'timeout over TCP' }));
    socket.on('error', (error) => finish({ kind: 'failed', reason: `${reasonOf(error)} over TCP` }));
    socket.on('close', () => finish({ kind: 'failed', reason: 'TCP connection closed' }));
    socket.on('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.packet.length);
      socket.write(Buffer.concat([length, query.packet]));
    });
    socket.on('data', (chunk) => {
      // Bounded by the 16-bit length; a second message is not asked for and not read.
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const bytes = received.subarray(2, 2 + received.readUInt16BE(0));
      const packet = decodeResponse(query, bytes);
      if (packet !== undefined) finish({ kind: 'response', packet, bytes: bytes.length });
      else finish({ kind: 'failed', reason: 'unusable answer over TCP' });
    });
  });
}
