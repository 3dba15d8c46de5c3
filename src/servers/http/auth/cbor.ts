/** Reading CBOR (RFC 8949), as far as WebAuthn uses it: what its section 6 calls CTAP2 canonical. */

export type Cbor =
  | number
  | string
  | boolean
  | null
  | Buffer
  | readonly Cbor[]
  | ReadonlyMap<number | string, Cbor>;

/** Levels within one another, and items in all: a key has ten, an attestation some dozens. */
const DEPTH = 8;
const ITEMS = 1000;

/** One item and where it ends. Undefined for what is cut off, of indefinite length, or of a kind that is not used. */
export function readCbor(
  octets: Buffer,
  start = 0,
): { readonly value: Cbor; readonly end: number } | undefined {
  const reader = { octets, at: start, items: 0 };
  try {
    const value = item(reader, 0);
    return { value, end: reader.at };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

interface CborReader {
  readonly octets: Buffer;
  at: number;
  items: number;
}

function take(reader: CborReader, count: number): Buffer {
  const { octets, at } = reader;
  if (count > octets.length - at) throw new RangeError('cut off');
  reader.at += count;
  return octets.subarray(at, at + count);
}

/** The argument of a head (section 3). Numbers of 8 octets are not used. */
function argument(reader: CborReader, info: number): number {
  if (info < 24) return info;
  if (info === 24) return take(reader, 1).readUInt8();
  if (info === 25) return take(reader, 2).readUInt16BE();
  if (info === 26) return take(reader, 4).readUInt32BE();
  throw new RangeError('length');
}

function item(reader: CborReader, depth: number): Cbor {
  if (depth > DEPTH || ++reader.items > ITEMS) throw new RangeError('too much');
  const head = take(reader, 1).readUInt8();
  const [major, info] = [head >>> 5, head & 31];
  if (major === 7) return simple(info);
  const count = argument(reader, info);
  switch (major) {
    case 0:
      return count;
    case 1:
      return -1 - count;
    case 2:
      return Buffer.from(take(reader, count));
    case 3:
      return take(reader, count).toString('utf8');
    case 4:
      return list(reader, depth, count);
    case 5:
      return map(reader, depth, count);
    default:
      throw new RangeError('tag');
  }
}

function simple(info: number): Cbor {
  if (info === 20 || info === 21) return info === 21;
  if (info === 22) return null;
  throw new RangeError('simple value');
}

function list(reader: CborReader, depth: number, count: number): Cbor[] {
  const values: Cbor[] = [];
  for (let i = 0; i < count; i++) values.push(item(reader, depth + 1));
  return values;
}

function map(reader: CborReader, depth: number, count: number): Map<number | string, Cbor> {
  const values = new Map<number | string, Cbor>();
  for (let i = 0; i < count; i++) {
    const key = item(reader, depth + 1);
    if ((typeof key !== 'number' && typeof key !== 'string') || values.has(key)) throw new RangeError('key');
    values.set(key, item(reader, depth + 1));
  }
  return values;
}
