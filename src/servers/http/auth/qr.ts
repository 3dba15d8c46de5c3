/** QR codes (ISO/IEC 18004): bytes at error correction level M, versions 1 to 20. Enough for what a telephone is to read. */

/** Error correction octets of a block, and blocks, by version. */
const CHECK_OCTETS = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];
/** Modules of white around the symbol. */
const QUIET = 4;

/** A square of dark (true) and light modules. */
export type QrModules = boolean[][];

/** The symbol as SVG text, without a script or a style; undefined when the text is too long. */
export function qrSvg(text: string): string | undefined {
  const modules = qrModules(text);
  if (modules === undefined) return undefined;
  const size = modules.length + 2 * QUIET;
  const dark = modules.flatMap((row, y) =>
    row.flatMap((on, x) => (on ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : [])),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path d="${dark.join('')}" fill="#000"/></svg>`;
}

/** The modules of the smallest version that has room. */
export function qrModules(text: string): QrModules | undefined {
  const octets = Buffer.from(text, 'utf8');
  const version = CHECK_OCTETS.findIndex((_, i) => octets.length <= roomOf(i + 1)) + 1;
  if (version === 0) return undefined;
  const words = interleaved(dataWords(octets, version), version);
  return draw(version, words);
}

/** Octets of text that a version holds. */
function roomOf(version: number): number {
  return dataOctets(version) - (version < 10 ? 2 : 3);
}

function blocksOf(version: number): { readonly blocks: number; readonly check: number } {
  return { blocks: BLOCKS[version - 1] ?? 1, check: CHECK_OCTETS[version - 1] ?? 10 };
}

/** Octets of a symbol, data and error correction together. */
function rawOctets(version: number): number {
  let modules = (16 * version + 128) * version + 64;
  const along = version === 1 ? 0 : Math.floor(version / 7) + 2;
  if (along > 0) modules -= (25 * along - 10) * along - 55;
  if (version >= 7) modules -= 36;
  return Math.floor(modules / 8);
}

function dataOctets(version: number): number {
  const { blocks, check } = blocksOf(version);
  return rawOctets(version) - blocks * check;
}

/** Mode 0100 (bytes), length, text, terminator, padding. */
function dataWords(octets: Buffer, version: number): number[] {
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >>> i) & 1);
  };
  put(4, 4);
  put(octets.length, version < 10 ? 8 : 16);
  for (const octet of octets) put(octet, 8);
  const room = dataOctets(version) * 8;
  put(0, Math.min(4, room - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8);
  return Array.from({ length: bits.length / 8 }, (_, i) =>
    bits.slice(i * 8, i * 8 + 8).reduce((value, bit) => (value << 1) | bit, 0),
  );
}

/** Blocks with their error correction, their octets taken in turns. The last blocks may be longer by one. */
function interleaved(data: readonly number[], version: number): number[] {
  const { blocks, check } = blocksOf(version);
  const short = Math.floor(data.length / blocks);
  const long = data.length % blocks;
  const generator = generatorOf(check);
  const parts: { data: readonly number[]; check: readonly number[] }[] = [];
  let at = 0;
  for (let i = 0; i < blocks; i++) {
    const part = data.slice(at, (at += short + (i >= blocks - long ? 1 : 0)));
    parts.push({ data: part, check: remainder(part, generator) });
  }
  const turns = (length: number, of: (part: (typeof parts)[number]) => readonly number[]): number[] =>
    Array.from({ length }, (_, i) => parts.flatMap((part) => of(part)[i] ?? [])).flat();
  return [...turns(short + 1, (part) => part.data), ...turns(check, (part) => part.check)];
}

/** Product in GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> i) & 1) * a;
  }
  return product;
}

/** Coefficients of (x - 1)(x - 2)(x - 4)... without the leading one, highest power first. */
function generatorOf(degree: number): number[] {
  let coefficients = [1];
  let root = 1;
  for (let i = 0; i < degree; i++) {
    const next = [...coefficients, 0];
    for (const [j, value] of coefficients.entries()) next[j + 1] = (next[j + 1] ?? 0) ^ times(value, root);
    coefficients = next;
    root = times(root, 2);
  }
  return coefficients.slice(1);
}

/** Reed-Solomon error correction octets. */
function remainder(data: readonly number[], generator: readonly number[]): number[] {
  let rest: number[] = generator.map(() => 0);
  for (const octet of data) {
    const factor = octet ^ (rest[0] ?? 0);
    rest = [...rest.slice(1), 0].map((value, i) => value ^ times(generator[i] ?? 0, factor));
  }
  return rest;
}

/**
 * One of the eight masks serves: which one reads best is a matter of a few modules, and weighing them takes longer than
 * all the rest.
 */
const MASK = 0;
const masked = (x: number, y: number): boolean => (x + y) % 2 === 0;

function draw(version: number, words: readonly number[]): QrModules {
  const size = version * 4 + 17;
  const cells: (boolean | undefined)[][] = Array.from({ length: size }, () =>
    Array.from({ length: size }, () => undefined),
  );
  const set = (x: number, y: number, dark: boolean): void => {
    const row = cells[y];
    if (row !== undefined && x >= 0 && x < size) row[x] = dark;
  };
  drawPatterns(version, size, set);
  drawFormat(size, set);
  if (version >= 7) drawVersion(version, size, set);
  // The data: columns in pairs from the right, upwards and downwards in turns, around what is there already.
  let bit = 0;
  let upwards = true;
  for (let right = size - 1; right > 0; right -= 2, upwards = !upwards) {
    if (right === 6) right = 5;
    for (let i = 0; i < size; i++) {
      const y = upwards ? size - 1 - i : i;
      for (const x of [right, right - 1]) {
        if (cells[y]?.[x] !== undefined) continue;
        const dark = (((words[bit >>> 3] ?? 0) >>> (7 - (bit & 7))) & 1) === 1;
        set(x, y, dark !== masked(x, y));
        bit++;
      }
    }
  }
  return cells.map((row) => row.map((cell) => cell === true));
}

type Put = (x: number, y: number, dark: boolean) => void;

/** Timing, finders with their separators, alignment. */
function drawPatterns(version: number, size: number, set: Put): void {
  for (let i = 0; i < size; i++) {
    set(6, i, i % 2 === 0);
    set(i, 6, i % 2 === 0);
  }
  const rings = (x: number, y: number, radius: number, light: readonly number[]): void => {
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++)
        set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  };
  rings(3, 3, 4, [2, 4]);
  rings(size - 4, 3, 4, [2, 4]);
  rings(3, size - 4, 4, [2, 4]);
  const at = alignment(version, size);
  const last = at.length - 1;
  for (const [i, x] of at.entries()) {
    for (const [j, y] of at.entries()) {
      const corner = (i === 0 && (j === 0 || j === last)) || (i === last && j === 0);
      if (!corner) rings(x, y, 2, [1]);
    }
  }
}

function alignment(version: number, size: number): number[] {
  if (version === 1) return [];
  const count = Math.floor(version / 7) + 2;
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
  const rest = Array.from({ length: count - 1 }, (_, i) => size - 7 - i * step);
  return [6, ...rest.toReversed()];
}

/** A value followed by its BCH check bits. */
function withCheck(value: number, polynomial: number, count: number): number {
  let rest = value;
  for (let i = 0; i < count; i++) rest = (rest << 1) ^ ((rest >>> (count - 1)) * polynomial);
  return (value << count) | rest;
}

/** Level M (00) and the mask's number, twice. */
function drawFormat(size: number, set: Put): void {
  const bits = withCheck(MASK, 0x537, 10) ^ 0x5412;
  const bit = (i: number): boolean => ((bits >>> i) & 1) === 1;
  for (let i = 0; i <= 5; i++) set(8, i, bit(i));
  set(8, 7, bit(6));
  set(8, 8, bit(7));
  set(7, 8, bit(8));
  for (let i = 9; i < 15; i++) set(14 - i, 8, bit(i));
  for (let i = 0; i < 8; i++) set(size - 1 - i, 8, bit(i));
  for (let i = 8; i < 15; i++) set(8, size - 15 + i, bit(i));
  set(8, size - 8, true);
}

function drawVersion(version: number, size: number, set: Put): void {
  const bits = withCheck(version, 0x1f25, 12);
  for (let i = 0; i < 18; i++) {
    const dark = ((bits >>> i) & 1) === 1;
    const [far, near] = [size - 11 + (i % 3), Math.floor(i / 3)];
    set(far, near, dark);
    set(near, far, dark);
  }
}
