import { connect as dialSocket, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText } from '../../base/errors.ts';
import { SocketConnection } from '../socket-connection.ts';

/** Milliseconds for a filter beside us to accept a connection. */
const CONNECT_MS = 5000;

/**
 * Milliseconds for a whole question. A sender waits ten minutes for the answer to its message (RFC 5321 4.5.3.2.6) and
 * then sends it again: what takes longer than this would double mail.
 */
export const PARTNER_MS = 120_000;

/** A filter that could not be asked, or answered what cannot be understood. The message is one clause for a person. */
export class PartnerFailed extends Error {
  override readonly name = 'PartnerFailed';
}

/** What a filter beside us is told of a message, its octets in pieces. */
export interface PartnerMessage {
  /** Octets. */
  readonly size: number;
  /** May be called once for each partner. */
  read(): AsyncIterable<Buffer>;
  readonly ip: string;
  readonly port: number;
  readonly helo: string;
  /** Name of the client that was confirmed; '' for none. */
  readonly clientName: string;
  readonly reversePath: string;
  readonly recipients: readonly string[];
  /** Our host name. */
  readonly hostname: string;
  readonly trace: string;
}

/** "127.0.0.1:3310", "[::1]:3310", "name:3310" or "unix:/run/x.sock". Undefined for what is none. */
export function partnerPlace(text: string): { path: string } | { host: string; port: number } | undefined {
  if (text.startsWith('unix:/')) return { path: text.slice('unix:'.length) };
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  const host = found?.[1] ?? found?.[2];
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** Connect. @throws PartnerFailed */
export async function dialPartner(place: string, clock: Clock): Promise<SocketConnection> {
  const to = partnerPlace(place);
  if (to === undefined) throw new PartnerFailed(`"${place}" is no address`);
  const socket = dialSocket({ ...to, allowHalfOpen: true, noDelay: true });
  await connected(socket, clock, place);
  return new SocketConnection(socket, clock);
}

function connected(socket: Socket, clock: Clock, place: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      timer.cancel();
      socket.destroy();
      reject(new PartnerFailed(`${place} cannot be reached: ${why}`));
    };
    const timer = clock.setTimer(CONNECT_MS, () => fail(`no answer for ${CONNECT_MS / 1000} s`));
    const onError = (error: Error): void => fail(errnoCode(error) ?? errorText(error));
    socket.once('error', onError);
    socket.once('connect', () => {
      timer.cancel();
      socket.removeListener('error', onError);
      resolve();
    });
  });
}
