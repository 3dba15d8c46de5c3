import { createHmac, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../../base/errors.ts';
import { encodeName, skipName } from './wire.ts';

/** Transaction signatures (RFC 8945): each message carries a MAC made with a key that both sides know. */

const ALGORITHMS = {
  'hmac-sha256': 'sha256',
  'hmac-sha384': 'sha384',
  'hmac-sha512': 'sha512',
} as const;
export type TsigAlgorithm = keyof typeof ALGORITHMS;

export interface TsigKey {
  /** Lower case, without the final dot. */
  readonly name: string;
  readonly algorithm: TsigAlgorithm;
  readonly secret: Buffer;
}

const TYPE_TSIG = 250;
const CLASS_ANY = 255;
/** Seconds that clocks may differ (RFC 8945 section 10 recommends 300). */
const FUDGE_SECONDS = 300;
const HEADER_OCTETS = 12;

function isAlgorithm(text: string): text is TsigAlgorithm {
  return Object.hasOwn(ALGORITHMS, text);
}

/**
 * A key as programs keep it: "hmac-sha256:name:secret" (kdig, nsupdate -y), or the statement of BIND and Knot with
 * name, algorithm and secret (tsig-keygen, keymgr -t). Refusal 'bad-input'.
 */
export function parseTsigKey(text: string): TsigKey {
  const [, algorithm = '', name = '', secret = ''] = /^([\w-]+):([^\s:]+):(\S+)$/.exec(text.trim()) ?? [];
  if (secret !== '') return checkedKey(name, algorithm, secret);
  const uncommented = text.replace(/^\s*(#|\/\/).*$/gm, '');
  const named = /\bkey\s+"?([^\s"{;]+)"?\s*\{/.exec(uncommented) ?? /\bid:\s*"?([^\s"]+)/.exec(uncommented);
  const value = (field: string): string =>
    new RegExp(`\\b${field}:?\\s+"?([^\\s";]+)`).exec(uncommented)?.[1] ?? '';
  return checkedKey(named?.[1] ?? '', value('algorithm'), value('secret'));
}

function checkedKey(name: string, algorithm: string, secret: string): TsigKey {
  const kind = algorithm.toLowerCase().replace(/\.$/, '');
  const octets = Buffer.from(secret, 'base64');
  if (name === '' || octets.length === 0)
    throw new Refusal(
      'bad-input',
      'The file with the TSIG key holds neither "hmac-sha256:NAME:SECRET" nor a key statement of BIND or Knot.',
    );
  if (!isAlgorithm(kind))
    throw new Refusal(
      'bad-input',
      `The TSIG key is for ${kind}; ${Object.keys(ALGORITHMS).join(', ')} are known.`,
    );
  return { name: name.toLowerCase().replace(/\.$/, ''), algorithm: kind, secret: octets };
}

export interface Signed {
  readonly packet: Buffer;
  /** Goes into the signature of the answer. */
  readonly mac: Buffer;
}

/** Add a signature to a query or update. `now` in milliseconds. */
export function signMessage(message: Buffer, key: TsigKey, now: number): Signed {
  const time = timeField(Math.floor(now / 1000));
  const mac = macOf(key, [message, variables(key, time, 0, Buffer.alloc(0))]);
  const algorithm = encodeName(key.algorithm);
  const rdata = Buffer.concat([
    algorithm,
    time,
    u16(FUDGE_SECONDS),
    u16(mac.length),
    mac,
    message.subarray(0, 2),
    u16(0),
    u16(0),
  ]);
  const record = [
    encodeName(key.name),
    u16(TYPE_TSIG),
    u16(CLASS_ANY),
    Buffer.alloc(4),
    u16(rdata.length),
    rdata,
  ];
  const packet = Buffer.concat([message, ...record]);
  packet.writeUInt16BE(packet.readUInt16BE(10) + 1, 10);
  return { packet, mac };
}

/**
 * Check the signature of the answer to a message whose MAC was `requestMac`: whether there is one. Refusal
 * 'not-permitted' in words when the server did not take our key, 'unavailable' when the signature is wrong.
 */
export function verifyAnswer(
  answer: Buffer,
  key: TsigKey,
  requestMac: Buffer,
  now: number,
): 'signed' | 'unsigned' {
  const at = lastRecord(answer);
  const field = at === undefined ? undefined : readTsig(answer, at);
  if (at === undefined || field === undefined) return 'unsigned';
  const problem = ERRORS[field.error];
  if (problem !== undefined) throw new Refusal('not-permitted', problem);
  const message = Buffer.from(answer.subarray(0, at));
  message.writeUInt16BE(message.readUInt16BE(10) - 1, 10);
  message.writeUInt16BE(field.originalId, 0);
  const parts = [
    u16(requestMac.length),
    requestMac,
    message,
    variables(key, field.time, field.error, field.other),
  ];
  const expected = macOf(key, parts);
  if (field.mac.length !== expected.length || !timingSafeEqual(field.mac, expected))
    throw new Refusal('unavailable', 'The signature (TSIG) of the answer of the DNS server is wrong.');
  const seconds = field.time.readUIntBE(0, 6);
  if (Math.abs(seconds - now / 1000) > FUDGE_SECONDS)
    throw new Refusal(
      'unavailable',
      'The clocks of this machine and of the DNS server differ by over 5 minutes.',
    );
  return 'signed';
}

/** RFC 8945 section 5.2. */
const ERRORS: Readonly<Record<number, string>> = {
  16: 'The DNS server found our signature (TSIG) wrong: the secret of the key is another one there.',
  17: 'The DNS server does not know our TSIG key by this name and algorithm.',
  18: 'The DNS server found the time of our signature (TSIG) wrong: the clocks differ.',
  22: 'The DNS server wants a longer signature (TSIG).',
};

function macOf({ algorithm, secret }: TsigKey, parts: readonly Buffer[]): Buffer {
  const mac = createHmac(ALGORITHMS[algorithm], secret);
  for (const part of parts) mac.update(part);
  return mac.digest();
}

/** RFC 8945 section 4.3.3. */
function variables(key: TsigKey, time: Buffer, error: number, other: Buffer): Buffer {
  return Buffer.concat([
    encodeName(key.name),
    u16(CLASS_ANY),
    Buffer.alloc(4),
    encodeName(key.algorithm),
    time,
    u16(FUDGE_SECONDS),
    u16(error),
    u16(other.length),
    other,
  ]);
}

function u16(value: number): Buffer {
  const octets = Buffer.alloc(2);
  octets.writeUInt16BE(value);
  return octets;
}

function timeField(seconds: number): Buffer {
  const octets = Buffer.alloc(6);
  octets.writeUIntBE(seconds, 0, 6);
  return octets;
}

/** Where the last record of a message begins; undefined: it is broken or has none. */
function lastRecord(packet: Buffer): number | undefined {
  if (packet.length < HEADER_OCTETS) return undefined;
  let at = HEADER_OCTETS;
  for (let i = packet.readUInt16BE(4); i > 0; i--) {
    const end = skipName(packet, at);
    if (end === undefined || end + 4 > packet.length) return undefined;
    at = end + 4;
  }
  let last: number | undefined;
  const records = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10);
  for (let i = 0; i < records; i++) {
    const end = skipName(packet, at);
    if (end === undefined || end + 10 > packet.length) return undefined;
    last = at;
    at = end + 10 + packet.readUInt16BE(end + 8);
    if (at > packet.length) return undefined;
  }
  return packet.readUInt16BE(10) === 0 ? undefined : last;
}

interface TsigField {
  readonly time: Buffer;
  readonly mac: Buffer;
  readonly originalId: number;
  readonly error: number;
  readonly other: Buffer;
}

function readTsig(packet: Buffer, start: number): TsigField | undefined {
  const head = skipName(packet, start);
  if (head === undefined || packet.readUInt16BE(head) !== TYPE_TSIG) return undefined;
  const end = head + 10 + packet.readUInt16BE(head + 8);
  const at = skipName(packet, head + 10);
  if (at === undefined || at + 10 > end) return undefined;
  const macEnd = at + 10 + packet.readUInt16BE(at + 8);
  if (macEnd + 6 > end) return undefined;
  const otherEnd = macEnd + 6 + packet.readUInt16BE(macEnd + 4);
  if (otherEnd > end) return undefined;
  return {
    time: packet.subarray(at, at + 6),
    mac: packet.subarray(at + 10, macEnd),
    originalId: packet.readUInt16BE(macEnd),
    error: packet.readUInt16BE(macEnd + 2),
    other: packet.subarray(macEnd + 6, otherEnd),
  };
}
