import { createPartCache } from './cache.ts';
import { BREAK, PART, SECTIONS, type SectionName } from './format.ts';
import { isSingle, tokenText } from './dictionary.ts';
import { type Section, type Segment, segmentOf } from './segment.ts';
import { SectionBuilder, type Turn } from './section-builder.ts';
import { type Put, SegmentWriter, type Written } from './segment-writer.ts';

/** Emails that are merged before others get a turn. */
const EMAILS_PER_TURN = 64;

/** An email in a segment that is merged. */
export interface Source {
  readonly segment: Segment;
  readonly id: number;
  readonly place: number;
  readonly open: boolean;
}

/** The emails of segments that are still there. Their ids ascend. */
export async function livingOf(
  segments: readonly Segment[],
  alive: (id: number) => boolean,
  turn: Turn,
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const segment of segments) {
    await turn();
    const open = new Set(segment.open());
    for (const [place, id] of segment.ids().entries())
      if (alive(id)) sources.push({ segment, id, place, open: open.has(place) });
  }
  // Ids ascend in a segment; segments may overlap after merges of unequal ages.
  return sources.sort((a, b) => a.id - b.id);
}

/**
 * Write emails of several segments into one, a section after the other: what is in memory is one section of all of them,
 * and what it becomes. Lets others have a turn at each step.
 */
export async function mergeSegments(sources: readonly Source[], turn: Turn, put: Put): Promise<Written> {
  const ids = Float64Array.from(sources, ({ id }) => id);
  const open = Uint32Array.from(sources.flatMap((source, at) => (source.open ? [at] : [])));
  const writer = new SegmentWriter(put, ids, open);
  for (const name of SECTIONS) {
    const section = await mergeSection(sources, name, turn);
    if (!section.empty) writer.section(name, await section.finish(turn), section.tokens);
    await turn();
  }
  return writer.end();
}

async function mergeSection(
  sources: readonly Source[],
  name: SectionName,
  turn: Turn,
): Promise<SectionBuilder> {
  // What is read once does not drive out what searches keep in memory.
  const parts = createPartCache(Number.POSITIVE_INFINITY);
  const from = new Map<Segment, Section>();
  for (const { segment } of sources) {
    if (from.has(segment)) continue;
    const section = segmentOf(segment.path, segment.table, segment.bytes, parts).section(name);
    if (section !== undefined) from.set(segment, section);
  }
  const room = { tokens: 256, literals: 256 };
  for (const section of from.values()) {
    room.tokens += countNumbers(section.part('forward'));
    room.literals += section.part('literals').length;
    await turn();
  }
  const to = new SectionBuilder(room);
  const filter = await literalFilter([...from.values()], turn);
  const merges = new Map<Segment, SectionMerge>();
  for (const [segment, section] of from) merges.set(segment, sectionMerge(section, to, filter));
  for (const [at, { segment, place }] of sources.entries()) {
    if (at % EMAILS_PER_TURN === 0) await turn();
    to.beginEmail();
    merges.get(segment)?.copy(place);
    to.endEmail();
  }
  return to;
}

/** Numbers in a forward part: each ends with an octet without the top bit. */
function countNumbers(forward: Buffer): number {
  let count = 0;
  for (let at = 0; at < forward.length; at++) if ((forward[at] ?? 0) < 0x80) count++;
  return count;
}

/** Which literals may stand in several emails: tells some that do not, and all that do. */
type LiteralFilter = (octets: Buffer, start: number, end: number) => boolean;

function hash(octets: Buffer, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ (octets[at] ?? 0), 0x01000193);
  value ^= value >>> 15;
  return Math.imul(value, 0x2c1b3c6d) >>> 0;
}

/** Octets of literals for a bit of the filter, and bits at most. */
const OCTETS_PER_BIT = 1;
const MAX_BITS = 1 << 27;

async function literalFilter(sections: readonly Section[], turn: Turn): Promise<LiteralFilter> {
  const total = sections.reduce(
    (sum, section) => sum + section.part('literals').length + section.part('dictionary').length,
    0,
  );
  let size = 1 << 12;
  while (size < total / OCTETS_PER_BIT && size < MAX_BITS) size *= 2;
  const once = new Uint8Array(size >>> 3);
  const twice = new Uint8Array(size >>> 3);
  const each = (octets: Buffer, visit: (bit: number) => void): void => {
    for (let at = 1; at < octets.length; ) {
      const end = octets.indexOf(BREAK, at);
      if (end === -1) break;
      if (end > at) visit(hash(octets, at, end) & (size - 1));
      at = end + 1;
    }
  };
  for (const section of sections) {
    await turn();
    each(section.part('literals'), (bit) => {
      const mask = 1 << (bit & 7);
      const at = bit >>> 3;
      if (((once[at] ?? 0) & mask) === 0) once[at] = (once[at] ?? 0) | mask;
      else twice[at] = (twice[at] ?? 0) | mask;
    });
    each(section.part('dictionary'), (bit) => {
      twice[bit >>> 3] = (twice[bit >>> 3] ?? 0) | (1 << (bit & 7));
    });
  }
  return (octets, start, end) => {
    const bit = hash(octets, start, end) & (size - 1);
    return ((twice[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  };
}

interface SectionMerge {
  copy(place: number): void;
}

/** Copies emails of a section into a builder. */
function sectionMerge(from: Section, to: SectionBuilder, shared: LiteralFilter): SectionMerge {
  const offsets = from.numbers('offsets');
  const forward = from.part('forward');
  const starts = from.numbers('forwardOffsets');
  const literals = from.part('literals');
  const literalOffsets = from.numbers('literalOffsets');
  const names = from.names();
  const dictionary = from.part('dictionary');
  // Numbers that the builder gives, when they are first needed: what dies with its emails is not taken along.
  const numbers = new Int32Array(Math.max(0, offsets.length - 1)).fill(-1);
  const space = (): void => to.token(to.intern(' ', true));

  return {
    copy(place) {
      let at = starts[place] ?? 0;
      const end = starts[place + 1] ?? 0;
      const own = literalCalls(
        literals,
        literalOffsets[place] ?? 0,
        literalOffsets[place + 1] ?? 0,
        to,
        shared,
      );
      let afterWord = false;
      const varint = (): number => {
        let octet = forward[at++] ?? 0;
        let value = octet & 0x7f;
        for (let shift = 7; octet >= 0x80; shift += 7) {
          octet = forward[at++] ?? 0;
          value |= (octet & 0x7f) << shift;
        }
        return value;
      };
      while (at < end) {
        const code = varint();
        if (code === PART) {
          to.part();
          afterWord = false;
        } else if ((code & 1) === 0) {
          const token = (code >>> 1) - 1;
          const single = isSingle(offsets, token);
          if (!single && afterWord) space();
          let number = numbers[token] ?? -1;
          if (number === -1)
            numbers[token] = number = to.intern(tokenText(dictionary, offsets, token), single);
          to.token(number);
          afterWord = !single;
        } else if ((code & 2) === 0) {
          if (afterWord) space();
          own[code >>> 2]?.();
          afterWord = true;
        } else {
          to.field(names[code >>> 2] ?? '');
          afterWord = false;
        }
      }
    },
  };
}

/** What to do for each literal of an email. */
function literalCalls(
  literals: Buffer,
  start: number,
  end: number,
  to: SectionBuilder,
  shared: LiteralFilter,
): readonly (() => void)[] {
  const calls: (() => void)[] = [];
  for (let at = start + 1; at < end; ) {
    const stop = literals.indexOf(BREAK, at);
    if (stop === -1) break;
    if (shared(literals, at, stop)) {
      const number = to.intern(literals.toString('utf8', at, stop), false);
      calls.push(() => to.token(number));
    } else {
      const place = to.keep(literals.subarray(at, stop));
      calls.push(() => to.literal(place));
    }
    at = stop + 1;
  }
  return calls;
}
