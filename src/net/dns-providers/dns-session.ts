import { randomInt } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { decode, encode, type DecodedPacket } from 'dns-packet';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import { signMessage, type TsigKey, verifyAnswer } from './tsig.ts';

/** Signed messages to one DNS server over one TCP connection (RFC 7766), several under way at a time. */

/** Milliseconds for a connection, and for an answer. */
const ANSWER_MS = 10_000;
/** Questions that are under way at a time. */
const AT_ONCE = 16;
/** NOERROR and NXDOMAIN: response codes that say something of the zone. */
const ANSWERED: ReadonlySet<number> = new Set([0, 3]);

export interface DnsServerPlace {
  readonly host: string;
  readonly port: number;
  readonly key: TsigKey;
  readonly clock: Clock;
}

export interface DnsAnswer {
  /** RFC 1035 section 4.1.1, RFC 2136 section 2.2. */
  readonly rcode: number;
  readonly packet: DecodedPacket;
}

export interface DnsSession {
  query(
    name: string,
    type: 'SOA' | 'A' | 'AAAA' | 'CNAME' | 'MX' | 'TXT' | 'SRV' | 'TLSA' | 'CAA',
  ): Promise<DnsAnswer>;
  /** Send a message that was made with this id. */
  exchange(make: (id: number) => Buffer): Promise<DnsAnswer>;
}

interface Waiting {
  answered(bytes: Buffer): void;
  failed(why: Refusal): void;
}

/** Do something over a connection, which is closed afterwards. Refusal 'unavailable' when there is none. */
export async function withSession<T>(
  place: DnsServerPlace,
  run: (session: DnsSession) => Promise<T>,
): Promise<T> {
  const { host, port, key, clock } = place;
  const trouble = (why: string): Refusal =>
    new Refusal('unavailable', `The DNS server ${host} (port ${port}) cannot be asked: ${why}.`);
  const socket = await open(place, trouble);
  const waiting = new Map<number, Waiting>();
  const over = (why: string): void => {
    for (const each of waiting.values()) each.failed(trouble(why));
    waiting.clear();
  };
  socket.on('error', (error) => over(reason(error)));
  socket.on('close', () => over('it closed the connection'));
  receive(socket, (bytes) => waiting.get(bytes.readUInt16BE(0))?.answered(bytes));

  async function exchange(make: (id: number) => Buffer): Promise<DnsAnswer> {
    let id = randomInt(0x10000);
    while (waiting.has(id)) id = randomInt(0x10000);
    const { packet: sent, mac } = signMessage(make(id), key, clock.now());
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const timer = clock.setTimer(ANSWER_MS, () =>
        reject(trouble(`no answer within ${ANSWER_MS / 1000} s`)),
      );
      const end = (then: () => void): void => {
        timer.cancel();
        then();
      };
      waiting.set(id, {
        answered: (answer) => end(() => resolve(answer)),
        failed: (why) => end(() => reject(why)),
      });
      if (socket.destroyed) over('it closed the connection');
      else socket.write(framed(sent));
    }).finally(() => waiting.delete(id));
    const rcode = (bytes[3] ?? 0) & 0x0f;
    const packet = decoded(bytes, trouble);
    if (verifyAnswer(bytes, key, mac, clock.now()) === 'signed') return { rcode, packet };
    // That a server will not answer needs no signature; nothing else is believed without.
    if (ANSWERED.has(rcode)) throw trouble('it answered without a signature (TSIG)');
    return { rcode, packet: { ...packet, flag_aa: false, answers: [], authorities: [] } };
  }

  try {
    return await run({
      exchange,
      query: (name, type) =>
        exchange((id) => encode({ type: 'query', id, flags: 0, questions: [{ name, type, class: 'IN' }] })),
    });
  } finally {
    socket.destroy();
  }
}

function framed(packet: Buffer): Buffer {
  if (packet.length > 0xffff) throw new Refusal('too-large', 'That is too much for one DNS message.');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(packet.length);
  return Buffer.concat([length, packet]);
}

function decoded(bytes: Buffer, trouble: (why: string) => Refusal): DecodedPacket {
  try {
    return decode(bytes);
  } catch {
    throw trouble('its answer is broken');
  }
}

function reason(error: unknown): string {
  const code = errnoCode(error);
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'there is no such host';
  return code ?? errorText(error);
}

async function open(
  { host, port, clock }: DnsServerPlace,
  trouble: (why: string) => Refusal,
): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  const timer = clock.setTimer(ANSWER_MS, () => socket.destroy(new Error('no connection in time')));
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(trouble(reason(error))));
    });
    return socket;
  } finally {
    timer.cancel();
  }
}

/** Each message has its length in front; at most 64 kB are kept. */
function receive(socket: Socket, message: (bytes: Buffer) => void): void {
  let kept = Buffer.alloc(0);
  socket.on('data', (piece: Buffer) => {
    kept = Buffer.concat([kept, piece]);
    let at = 0;
    while (kept.length >= at + 2 && kept.length >= at + 2 + kept.readUInt16BE(at)) {
      const end = at + 2 + kept.readUInt16BE(at);
      if (end >= at + 14) message(kept.subarray(at + 2, end));
      at = end;
    }
    kept = kept.subarray(at);
  });
}

/** The results of a function for each of a list, in order, a few at a time. */
export async function severalAtOnce<A, R>(list: readonly A[], run: (each: A) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < list.length; at += AT_ONCE)
    results.push(...(await Promise.all(list.slice(at, at + AT_ONCE).map(run))));
  return results;
}
