/**
 * A model as octets: "PSTM", version, CRC-32 of the rest, then zstd of a JSON header and the arrays. 'full' keeps every
 * weight as it is, for a site's own model; 'small' rounds (8 bits each), for personal models; 'start' keeps rounded
 * weights alone, for the model that is shipped.
 */
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { z } from 'zod';
import { BINS } from './calibration.ts';
import { createModel, type Model, PERSONAL_BITS, SITE_BITS } from './model.ts';
import { VIEWS } from './sink.ts';

const MAGIC = Buffer.from('PSTM');
/** Raised whenever features change: weights of other features are noise. */
export const MODEL_VERSION = 1;
const HEAD = 9;
/** No model unpacks to more: 2^20 buckets of two floats, and the rest. */
const UNPACKED_LIMIT = 9 * 1024 * 1024;

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
  bias: numbers(VIEWS.length),
  biasSums: numbers(VIEWS.length),
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
    bias: [...model.bias],
    biasSums: [...model.biasSums],
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
    full: () => [floats(model.weights), floats(model.sums)],
    small: () => [rounded(model.weights, top, floor), magnitudes(model.sums)],
    start: () => [rounded(model.weights, top, floor)],
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

/** Octets for each bucket. */
const EACH = { full: 8, small: 2, start: 1 } as const;

function restored(header: Header, rest: Buffer): Model {
  const { precision, top, sum } = header;
  const model = createModel(header.kind, header.bits);
  const size = 1 << header.bits;
  if (rest.length !== size * EACH[precision]) throw new ModelError('spam model is damaged: wrong length');
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
  model.bias.set(header.bias);
  model.biasSums.set(header.biasSums);
  model.sketch.ham.set(header.sketchHam);
  model.sketch.spam.set(header.sketchSpam);
  model.ham = header.ham;
  model.spam = header.spam;
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

/** Octets that a model holds in memory. */
export function memoryOf(bits: number = SITE_BITS): number {
  return 2 * 4 * 2 ** bits;
}
export const PERSONAL_MEMORY = memoryOf(PERSONAL_BITS);
