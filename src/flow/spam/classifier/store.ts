/**
 * A model as octets: "PSTM", version, CRC-32 of the rest, then zstd of a JSON header and the arrays. 'full' keeps every
 * weight as it is, for a site's own model; 'small' rounds (8 bits each), for personal models; 'start' keeps rounded
 * weights and no step sums, for the model that is shipped. A site's model has its counts last, rounded unless 'full'.
 */
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { BINS } from './calibration.ts';
import type { Counts } from './one-sided.ts';
import { createModel, type Model, PERSONAL_BITS, SITE_BITS } from './model.ts';
import { VIEWS } from './sink.ts';

const MAGIC = Buffer.from('PSTM');
/** Raised whenever features or what is stored change: weights of other features are noise. */
export const MODEL_VERSION = 4;
const HEAD = 9;
/** No model unpacks to more: 2^20 buckets of two floats, half as many of two counts, and the rest. */
const UNPACKED_LIMIT = 13 * 1024 * 1024;

export type Precision = 'full' | 'small' | 'start';

/** A stored model that cannot be used: cut, changed, or of another version. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}

const numbers = (length: number) => z.array(z.number()).length(length);
const headerSchema = z.strictObject({
  kind: z.enum(['site', 'personal']),
  bits: z.int().min(8).max(20),
  precision: z.enum(['full', 'small', 'start']),
  ham: z.number().min(0),
  spam: z.number().min(0),
  newsletters: z.number().min(0),
  bias: numbers(VIEWS.length),
  biasSums: numbers(VIEWS.length),
  /** Messages counted. */
  counted: z.strictObject({ ham: z.number().min(0), spam: z.number().min(0) }),
  sketchHam: numbers(BINS),
  sketchSpam: numbers(BINS),
  scale: z.number(),
  shift: z.number(),
  /** Largest weight, for 'small' and 'start'. */
  top: z.number().min(0),
  /** Mean step sum, which every weight of 'start' gets: what a site learns then changes it at an even pace. */
  sum: z.number().min(0),
});
type Header = z.output<typeof headerSchema>;

/** `floor`: unless 'full', weights below this share of the largest one are dropped. */
export function saveModel(
  model: Model,
  precision: Precision = defaultPrecision(model),
  floor = 0,
): Uint8Array {
  let top = 0;
  for (const weight of model.weights) top = Math.max(top, Math.abs(weight));
  const header: Header = {
    kind: model.kind,
    bits: model.bits,
    precision,
    ham: model.ham,
    spam: model.spam,
    newsletters: model.newsletters,
    bias: [...model.bias],
    biasSums: [...model.biasSums],
    counted: { ham: model.counts.ham, spam: model.counts.spam },
    sketchHam: [...model.sketch.ham],
    sketchSpam: [...model.sketch.spam],
    scale: model.calibration.scale,
    shift: model.calibration.shift,
    top,
    sum: meanOf(model.sums),
  };
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const arrays = {
    full: () => [floats(model.weights), floats(model.sums), counts(model.counts)],
    small: () => [rounded(model.weights, top, floor), magnitudes(model.sums), levels(model.counts)],
    start: () => [rounded(model.weights, top, floor), levels(model.counts)],
  }[precision]();
  const packed = zstdCompressSync(Buffer.concat([length, json, ...arrays]));
  const head = Buffer.alloc(HEAD);
  MAGIC.copy(head);
  head[4] = MODEL_VERSION;
  head.writeUInt32LE(crc32(packed), 5);
  return Buffer.concat([head, packed]);
}

function defaultPrecision(model: Model): Precision {
  return model.kind === 'site' ? 'full' : 'small';
}

/** Throws `ModelError` when the octets are no model of this version. */
export function loadModel(octets: Uint8Array): Model {
  const bytes = Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
  if (bytes.length < HEAD || !bytes.subarray(0, 4).equals(MAGIC)) throw new ModelError('not a spam model');
  if (bytes[4] !== MODEL_VERSION) {
    throw new ModelError(
      `spam model of version ${bytes[4]}; this program reads version ${MODEL_VERSION}: train anew`,
    );
  }
  const packed = bytes.subarray(HEAD);
  if (crc32(packed) !== bytes.readUInt32LE(5))
    throw new ModelError('spam model is damaged: checksum differs');
  let plain: Buffer;
  try {
    plain = zstdDecompressSync(packed, { maxOutputLength: UNPACKED_LIMIT });
  } catch {
    throw new ModelError('spam model is damaged: cannot be unpacked');
  }
  const { header, rest } = split(plain);
  return restored(header, rest);
}

function split(plain: Buffer): { header: Header; rest: Buffer } {
  const length = plain.length >= 4 ? plain.readUInt32LE(0) : 0;
  try {
    const header = headerSchema.parse(JSON.parse(plain.toString('utf8', 4, 4 + length)));
    return { header, rest: plain.subarray(4 + length) };
  } catch {
    throw new ModelError('spam model is damaged: header cannot be read');
  }
}

/** Octets for each bucket, and for the counts of one. */
const EACH = { full: 8, small: 2, start: 1 } as const;
const EACH_COUNT = { full: 4, small: 1, start: 1 } as const;

function restored(header: Header, rest: Buffer): Model {
  const { precision, top, sum } = header;
  const model = createModel(header.kind, header.bits);
  const size = 1 << header.bits;
  const end = size * EACH[precision];
  const counted = (model.counts.of.length / 2) * EACH_COUNT[precision];
  if (rest.length !== end + counted) throw new ModelError('spam model is damaged: wrong length');
  for (let i = 0; i < size; i++) {
    if (precision === 'full') {
      model.weights[i] = rest.readFloatLE(4 * i);
      model.sums[i] = rest.readFloatLE(4 * (size + i));
    } else {
      const weight = unround(rest.readInt8(i), top);
      model.weights[i] = weight;
      model.sums[i] = precision === 'small' ? fromMagnitude(rest[size + i] ?? 0) : weight === 0 ? 0 : sum;
    }
  }
  restoreCounts(model.counts, header, rest.subarray(end));
  model.bias.set(header.bias);
  model.biasSums.set(header.biasSums);
  model.sketch.ham.set(header.sketchHam);
  model.sketch.spam.set(header.sketchSpam);
  model.ham = header.ham;
  model.spam = header.spam;
  model.newsletters = header.newsletters;
  model.calibration = { scale: header.scale, shift: header.shift };
  return model;
}

function meanOf(sums: Float32Array): number {
  let [all, used] = [0, 0];
  for (const sum of sums) {
    if (sum === 0) continue;
    all += sum;
    used++;
  }
  return used === 0 ? 0 : all / used;
}

function floats(values: Float32Array): Buffer {
  const out = Buffer.alloc(values.length * 4);
  for (let i = 0; i < values.length; i++) out.writeFloatLE(values[i] ?? 0, 4 * i);
  return out;
}

const STEPS = 127;

/** Square-root scale: small weights are many and keep more of their precision. */
function rounded(weights: Float32Array, top: number, floor: number): Buffer {
  const out = Buffer.alloc(weights.length);
  if (top === 0) return out;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    const share = Math.abs(weight) / top;
    if (share >= floor) out.writeInt8(Math.sign(weight) * Math.round(STEPS * Math.sqrt(share)), i);
  }
  return out;
}

function unround(step: number, top: number): number {
  return Math.sign(step) * top * (step / STEPS) ** 2;
}

/** Sums span many powers of two; four steps each are enough for the length of a step. */
const MAGNITUDE_STEPS = 4;
const MAGNITUDE_ZERO = 48;

function magnitudes(sums: Float32Array): Buffer {
  const out = Buffer.alloc(sums.length);
  for (let i = 0; i < sums.length; i++) {
    const sum = sums[i] ?? 0;
    if (sum > 0) {
      out[i] = Math.min(255, Math.max(1, Math.round(MAGNITUDE_STEPS * (Math.log2(sum) + MAGNITUDE_ZERO))));
    }
  }
  return out;
}

function fromMagnitude(step: number): number {
  return step === 0 ? 0 : 2 ** (step / MAGNITUDE_STEPS - MAGNITUDE_ZERO);
}

function counts({ of }: Counts): Buffer {
  const out = Buffer.alloc(of.length * 2);
  for (let i = 0; i < of.length; i++) out.writeUInt16LE(of[i] ?? 0, 2 * i);
  return out;
}

/** Counts on a coarse scale, four bits each: the share of a class is what matters. */
const LEVELS = [0, 1, 2, 3, 4, 6, 9, 14, 22, 36, 60, 100, 200, 500, 1500, 5000];

/** The level that is nearest by ratio. */
function levelOf(count: number): number {
  let level = 0;
  while (level + 1 < LEVELS.length && count ** 2 >= (LEVELS[level] ?? 0) * (LEVELS[level + 1] ?? 0)) level++;
  return count === 0 ? 0 : Math.max(1, level);
}

function levels({ of }: Counts): Buffer {
  const out = Buffer.alloc(of.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = (levelOf(of[2 * i] ?? 0) << 4) | levelOf(of[2 * i + 1] ?? 0);
  return out;
}

function restoreCounts(into: Counts, { counted, precision }: Header, from: Buffer): void {
  into.ham = counted.ham;
  into.spam = counted.spam;
  for (let i = 0; i < into.of.length; i++) {
    if (precision === 'full') into.of[i] = from.readUInt16LE(2 * i);
    else into.of[i] = LEVELS[((from[i >> 1] ?? 0) >> (i % 2 === 0 ? 4 : 0)) & 15] ?? 0;
  }
}

/** Octets that a site's model holds in memory. */
export function memoryOf(bits: number = SITE_BITS): number {
  return (4 + 4 + 2) * 2 ** bits;
}
export const PERSONAL_MEMORY = (4 + 4) * 2 ** PERSONAL_BITS;
