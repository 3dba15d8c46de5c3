import { PartnerFailed } from '../partners/dial.ts';
import type { Connection } from '../connection.ts';

/**
 * Packets of the milter protocol, version 6: four octets of length, one of command, then data. Strings end with NUL,
 * numbers are big-endian.
 */

/** Octets of one packet from a milter. */
const PACKET_MAX = 1024 * 1024;

/** Commands we send. */
export const Send = {
  negotiate: 'O',
  macros: 'D',
  connect: 'C',
  helo: 'H',
  mail: 'M',
  rcpt: 'R',
  data: 'T',
  header: 'L',
  endOfHeader: 'N',
  body: 'B',
  endOfMessage: 'E',
  quit: 'Q',
} as const;

/** Steps that a milter may want to be left out (first line), or does not answer (second). */
export const Protocol = {
  noConnect: 0x1,
  noHelo: 0x2,
  noMail: 0x4,
  noRcpt: 0x8,
  noBody: 0x10,
  noHeader: 0x20,
  noEndOfHeader: 0x40,
  noData: 0x200,
  skip: 0x400,
  silentHeader: 0x80,
  silentConnect: 0x1000,
  silentHelo: 0x2000,
  silentMail: 0x4000,
  silentRcpt: 0x8000,
  silentData: 0x10000,
  silentEndOfHeader: 0x40000,
  silentBody: 0x80000,
  headerLeadingSpace: 0x100000,
} as const;

/** What a milter may do here: add fields, ask for quarantine. The octets of a message are never changed. */
export const Actions = { addHeaders: 0x1, changeHeaders: 0x10, quarantine: 0x20 } as const;

export interface Packet {
  /** One character. */
  readonly command: string;
  readonly data: Buffer;
}

export function packet(command: string, ...data: readonly (Buffer | string)[]): Buffer {
  const parts = data.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  const size = parts.reduce((sum, part) => sum + part.length, 1);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(size);
  head.write(command, 4, 'latin1');
  return Buffer.concat([head, ...parts]);
}

export function uint32(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value >>> 0);
  return octets;
}

/** A string as the protocol has it; a NUL inside would end it early. */
export function text(value: string): Buffer {
  return Buffer.from(`${value.replaceAll('\0', '')}\0`, 'utf8');
}

/** NUL-ended strings of a packet. */
export function texts(data: Buffer): string[] {
  const parts = data.toString('utf8').split('\0');
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}

/** Reads packets off a connection. */
export class PacketReader {
  readonly #connection: Connection;
  #buffer: Buffer = Buffer.alloc(0);
  /** Milliseconds of silence that are borne. */
  timeoutMs: number;

  constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.timeoutMs = timeoutMs;
  }

  /** @throws PartnerFailed when the milter closes, or breaks the framing; ReadTimeout when it is silent. */
  async next(): Promise<Packet> {
    await this.#fill(5);
    const size = this.#buffer.readUInt32BE(0);
    if (size < 1 || size > PACKET_MAX) throw new PartnerFailed(`a packet of ${size} octets`);
    await this.#fill(4 + size);
    const command = this.#buffer.toString('latin1', 4, 5);
    const data = this.#buffer.subarray(5, 4 + size);
    this.#buffer = this.#buffer.subarray(4 + size);
    return { command, data };
  }

  async #fill(octets: number): Promise<void> {
    while (this.#buffer.length < octets) {
      const piece = await this.#connection.read({ timeoutMs: this.timeoutMs });
      if (piece === undefined) throw new PartnerFailed('the milter closed the connection');
      this.#buffer = this.#buffer.length === 0 ? piece : Buffer.concat([this.#buffer, piece]);
    }
  }
}
