import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { errnoCode, errorText } from '../base/errors.ts';

/** Asking a time server how late it is (SNTP: RFC 4330, RFC 5905 section 14). */

const NTP_PORT = 123;
const PACKET_BYTES = 48;
/** Seconds from 1900, where NTP begins, to 1970. */
const EPOCH_SECONDS = 2_208_988_800;
/** Version 4, mode 3: client. */
const CLIENT = 0x23;
const SERVER_MODE = 4;
/** Where the time that the server got and sent the packet stands, and where it repeats what we sent. */
const ORIGINATE = 24;
const RECEIVED = 32;
const SENT = 40;

export type TimeAnswer =
  /** Milliseconds that our clock is behind the server's; negative: ahead. */
  | { readonly status: 'ok'; readonly offsetMs: number }
  | { readonly status: 'failed'; readonly reason: string };

/** Ask one server once, within `timeoutMs` milliseconds. Never rejects. */
export function askTime(
  server: { readonly address: string; readonly port?: number },
  timeoutMs: number,
  clock: Clock,
): Promise<TimeAnswer> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: isIP(server.address) === 6 ? 'udp6' : 'udp4' });
    let over = false;
    const finish = (answer: TimeAnswer): void => {
      if (over) return;
      over = true;
      timer.cancel();
      socket.close();
      resolve(answer);
    };
    const failed = (error: unknown): void =>
      finish({ status: 'failed', reason: errnoCode(error) ?? errorText(error) });
    const timer = clock.setTimer(timeoutMs, () => finish({ status: 'failed', reason: 'no answer' }));
    const query = Buffer.alloc(PACKET_BYTES);
    query[0] = CLIENT;
    const begun = clock.now();
    writeTime(query, SENT, begun);
    socket.on('error', failed);
    socket.on('message', (reply) => {
      const ended = clock.now();
      // What does not repeat our time is not the answer to it.
      if (reply.length < PACKET_BYTES || !reply.subarray(ORIGINATE, RECEIVED).equals(query.subarray(SENT)))
        return;
      const stratum = reply[1] ?? 0;
      if (
        ((reply[0] ?? 0) & 7) !== SERVER_MODE ||
        stratum === 0 ||
        stratum > 15 ||
        (reply[0] ?? 0) >> 6 === 3
      )
        return finish({ status: 'failed', reason: 'the server does not know the time itself' });
      const offset = (readTime(reply, RECEIVED) - begun + (readTime(reply, SENT) - ended)) / 2;
      finish({ status: 'ok', offsetMs: Math.round(offset) });
    });
    socket.connect(server.port ?? NTP_PORT, server.address, (error?: Error) => {
      if (over) return;
      if (error) failed(error);
      else socket.send(query);
    });
  });
}

function writeTime(packet: Buffer, at: number, ms: number): void {
  const seconds = Math.floor(ms / 1000);
  packet.writeUInt32BE((seconds + EPOCH_SECONDS) % 2 ** 32, at);
  packet.writeUInt32BE(Math.floor(((ms % 1000) / 1000) * 2 ** 32), at + 4);
}

/** RFC 4330 section 3: times with the first bit clear are those after 2036. */
function readTime(packet: Buffer, at: number): number {
  const seconds = packet.readUInt32BE(at);
  const era = seconds < 2 ** 31 ? 2 ** 32 : 0;
  return (seconds + era - EPOCH_SECONDS) * 1000 + (packet.readUInt32BE(at + 4) / 2 ** 32) * 1000;
}
