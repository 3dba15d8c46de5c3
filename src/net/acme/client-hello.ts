/** What a TLS client says first (RFC 8446 section 4.1.2), as far as a validation of a name is told by it. */
export interface ClientHello {
  /** Lower case; undefined: it names nobody. */
  readonly serverName: string | undefined;
  /** Application protocols it offers (RFC 7301). */
  readonly protocols: readonly string[];
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;
/** Octets of a record's header. */
const RECORD_HEADER = 5;
/** Octets of a record, at most (RFC 8446 section 5.1). */
const RECORD_MAX = 16_384;

/** Whether the first octets are those of TLS. */
export function beginsTls(bytes: Buffer): boolean {
  return bytes[0] === HANDSHAKE;
}

/** Octets of the first record, header included; 0 when it is none, undefined when more has to come to tell. */
export function firstRecordLength(bytes: Buffer): number | undefined {
  if (bytes.length > 0 && !beginsTls(bytes)) return 0;
  if (bytes.length < RECORD_HEADER) return undefined;
  const length = bytes.readUInt16BE(3);
  return length > RECORD_MAX ? 0 : RECORD_HEADER + length;
}

/** Reads a first message that came in one record; undefined for anything else. */
export function readClientHello(bytes: Buffer): ClientHello | undefined {
  const length = firstRecordLength(bytes);
  if (length === undefined || length === 0 || bytes.length < length) return undefined;
  const at = cursor(bytes.subarray(RECORD_HEADER, length));
  if (at.number(1) !== CLIENT_HELLO) return undefined;
  const body = cursor(at.vector(3));
  body.skip(2 + 32); // version, random
  body.vector(1); // session id
  body.vector(2); // cipher suites
  body.vector(1); // compression methods
  const extensions = cursor(body.vector(2));
  let serverName: string | undefined;
  let protocols: readonly string[] = [];
  while (extensions.left() >= 4) {
    const type = extensions.number(2);
    const value = extensions.vector(2);
    if (type === SERVER_NAME) serverName = nameIn(value);
    if (type === ALPN) protocols = protocolsIn(value);
  }
  return { serverName, protocols };
}

/** RFC 6066 section 3: a list whose one usable kind is a host name (0). */
function nameIn(value: Buffer): string | undefined {
  const list = cursor(cursor(value).vector(2));
  if (list.number(1) !== 0) return undefined;
  return list.vector(2).toString('latin1').toLowerCase() || undefined;
}

function protocolsIn(value: Buffer): string[] {
  const list = cursor(cursor(value).vector(2));
  const found: string[] = [];
  while (list.left() > 0) found.push(list.vector(1).toString('latin1'));
  return found;
}

/** Reads forward and never beyond the end: what is not there is 0 and empty. */
function cursor(bytes: Buffer) {
  let at = 0;
  const take = (count: number): Buffer => {
    const piece = bytes.subarray(at, at + count);
    at = Math.min(bytes.length, at + count);
    return piece;
  };
  const number = (octets: 1 | 2 | 3): number => {
    const piece = take(octets);
    return piece.length < octets ? 0 : piece.readUIntBE(0, octets);
  };
  return {
    left: (): number => bytes.length - at,
    skip: (count: number): void => void take(count),
    number,
    vector: (octets: 1 | 2 | 3): Buffer => take(number(octets)),
  };
}
