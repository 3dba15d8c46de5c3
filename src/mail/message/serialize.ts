/** The structure as compact JSON, to stand beside the stored message. */
import type { Disposition, EnvelopeFields, HeaderField, MessageStructure, Param, Part } from './structure.ts';

const VERSION = 1;

type Flat = readonly string[];

interface PackedPart {
  /** headerStart relative to the parent's bodyStart, then lengths of header and body, then lines. */
  readonly o: readonly [number, number, number, number];
  /** type/subtype, then as sent. */
  readonly t: string;
  readonly T?: string | undefined;
  readonly p?: Flat | undefined;
  readonly e?: string | undefined;
  readonly E?: string | undefined;
  readonly d?: readonly [string, string, ...string[]] | undefined;
  readonly i?: string | undefined;
  readonly n?: string | undefined;
  readonly g?: readonly string[] | undefined;
  readonly l?: string | undefined;
  readonly m?: string | undefined;
  readonly v?: EnvelopeFields | undefined;
  readonly x?: 1 | undefined;
  readonly k?: readonly PackedPart[] | undefined;
}

interface Packed {
  readonly v: number;
  readonly s: number;
  readonly r: number;
  readonly w: number;
  readonly f: number;
  readonly p: PackedPart;
  readonly h?: readonly (string | number)[] | undefined;
}

function flat(params: readonly Param[]): string[] | undefined {
  return params.length === 0 ? undefined : params.flat();
}

function pairs(values: Flat | undefined): Param[] {
  const params: Param[] = [];
  if (values === undefined) return params;
  for (let i = 0; i + 1 < values.length; i += 2) params.push([values[i] ?? '', values[i + 1] ?? '']);
  return params;
}

function packPart(part: Part, base: number): PackedPart {
  const d = part.disposition;
  return {
    o: [
      part.headerStart - base,
      part.bodyStart - part.headerStart,
      part.bodyEnd - part.bodyStart,
      part.lines,
    ],
    t: `${part.type}/${part.subtype}`,
    T: part.typeAsSent,
    p: flat(part.params),
    e: part.encoding === '7bit' ? undefined : part.encoding,
    E: part.encodingAsSent,
    d: d && [d.kind, d.asSent ?? d.kind, ...d.params.flat()],
    i: part.id,
    n: part.description,
    g: part.language,
    l: part.location,
    m: part.md5,
    v: part.envelope,
    x: part.opaque ? 1 : undefined,
    k: part.children.length === 0 ? undefined : part.children.map((child) => packPart(child, part.bodyStart)),
  };
}

function unpackDisposition(packed: PackedPart['d']): Disposition | undefined {
  if (packed === undefined) return undefined;
  const [kind, asSent, ...params] = packed;
  return { kind, asSent: asSent === kind ? undefined : asSent, params: pairs(params) };
}

function unpackPart(packed: PackedPart, base: number): Part {
  const [start, header, body, lines] = packed.o;
  const slash = packed.t.indexOf('/');
  const headerStart = base + start;
  const bodyStart = headerStart + header;
  return {
    headerStart,
    bodyStart,
    bodyEnd: bodyStart + body,
    lines,
    type: packed.t.slice(0, slash),
    subtype: packed.t.slice(slash + 1),
    typeAsSent: packed.T,
    params: pairs(packed.p),
    encoding: packed.e ?? '7bit',
    encodingAsSent: packed.E,
    disposition: unpackDisposition(packed.d),
    id: packed.i,
    description: packed.n,
    language: packed.g,
    location: packed.l,
    md5: packed.m,
    envelope: packed.v,
    opaque: packed.x === 1,
    children: (packed.k ?? []).map((child) => unpackPart(child, bodyStart)),
  };
}

/** The yes/no facts, in the order of their bits. Append only. */
const flags = [
  'headerTruncated',
  'eightBitHeader',
  'eightBitPartHeader',
  'eightBitBody',
  'hasNul',
  'hasBareCr',
  'hasBareLf',
] as const;

/** Compact JSON. The list of top header fields is left out unless asked for: who needs it has the header bytes. */
export function serializeStructure(structure: MessageStructure, more: { fields?: boolean } = {}): string {
  const packed: Packed = {
    v: VERSION,
    s: structure.size,
    r: structure.receivedFields,
    w: structure.longestLine,
    f: flags.reduce((bits, name, i) => bits | (structure[name] ? 1 << i : 0), 0),
    p: packPart(structure.root, 0),
    h: more.fields ? structure.fields.flatMap((f) => [f.name, f.start, f.valueStart, f.end]) : undefined,
  };
  return JSON.stringify(packed);
}

function unpackFields(values: readonly (string | number)[] | undefined): HeaderField[] {
  const fields: HeaderField[] = [];
  if (values === undefined) return fields;
  for (let i = 0; i + 3 < values.length; i += 4) {
    fields.push({
      name: String(values[i]),
      start: Number(values[i + 1]),
      valueStart: Number(values[i + 2]),
      end: Number(values[i + 3]),
    });
  }
  return fields;
}

/** The structure that `serializeStructure` wrote. Throws on anything else: it is our own data, not a stranger's. */
export function parseStructure(text: string): MessageStructure {
  const packed: Packed = JSON.parse(text);
  if (packed.v !== VERSION) throw new Error(`message structure of unknown version ${packed.v}`);
  const flag = (name: (typeof flags)[number]): boolean => (packed.f & (1 << flags.indexOf(name))) !== 0;
  return {
    size: packed.s,
    root: unpackPart(packed.p, 0),
    fields: unpackFields(packed.h),
    receivedFields: packed.r,
    headerTruncated: flag('headerTruncated'),
    eightBitHeader: flag('eightBitHeader'),
    eightBitPartHeader: flag('eightBitPartHeader'),
    eightBitBody: flag('eightBitBody'),
    hasNul: flag('hasNul'),
    hasBareCr: flag('hasBareCr'),
    hasBareLf: flag('hasBareLf'),
    longestLine: packed.w,
  };
}
