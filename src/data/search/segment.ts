import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { PartCache } from './cache.ts';
import { numbersIn } from './bytes.ts';
import {
  MAGIC,
  type PartName,
  type Place,
  type SectionName,
  type SegmentTable,
  TRAILER_BYTES,
} from './format.ts';

/** A segment's file is not what was written. */
export class DamagedSegment extends Error {
  override readonly name = 'DamagedSegment';
}

const CHECKED_AT_ONCE = 1024 * 1024;

/** One section of a segment, its parts read when asked for. */
export interface Section {
  readonly name: SectionName;
  part(name: PartName): Buffer;
  numbers(name: PartName): Uint32Array;
  /** Names of header fields. */
  names(): readonly string[];
}

/** A segment that is searched. No file stays open. */
export interface Segment {
  readonly path: string;
  readonly table: SegmentTable;
  readonly bytes: number;
  readonly emails: number;
  /** Email ids, ascending. */
  ids(): Float64Array;
  /** Places in `ids` of emails whose text is not in the segment. */
  open(): Uint32Array;
  section(name: SectionName): Section | undefined;
}

/** Open a segment and check all of it. Throws DamagedSegment, or what opening and reading throw. */
export function openSegment(path: string, cache: PartCache): Segment {
  const { table, bytes } = checked(path);
  return segmentOf(path, table, bytes, cache);
}

/** A segment that has just been written. */
export function segmentOf(path: string, table: SegmentTable, bytes: number, cache: PartCache): Segment {
  const part = (place: Place): Buffer => cache.part(path, place);
  return {
    path,
    table,
    bytes,
    emails: table.emails,
    ids() {
      const octets = part(table.ids);
      return new Float64Array(octets.buffer, octets.byteOffset, table.emails);
    },
    open: () => numbersIn(part(table.open)),
    section(name) {
      const parts = table.sections[name];
      if (parts === undefined) return undefined;
      return {
        name,
        part: (which) => part(parts[which]),
        numbers: (which) => numbersIn(part(parts[which])),
        names: () => JSON.parse(part(parts.names).toString()) as string[],
      };
    },
  };
}

function checked(path: string): { readonly table: SegmentTable; readonly bytes: number } {
  const fd = openSync(path, 'r');
  try {
    const bytes = fstatSync(fd).size;
    if (bytes < TRAILER_BYTES) throw new DamagedSegment(`${path} is cut short`);
    const end = bytes - TRAILER_BYTES;
    const trailer = readAt(fd, end, TRAILER_BYTES);
    const tableBytes = trailer.readUInt32LE(0);
    if (trailer.readUInt32LE(8) !== MAGIC || tableBytes > end)
      throw new DamagedSegment(`${path} does not end as it should`);
    let sum = 0;
    for (let at = 0; at < end; at += CHECKED_AT_ONCE) {
      sum = crc32(readAt(fd, at, Math.min(CHECKED_AT_ONCE, end - at)), sum);
    }
    if (sum !== trailer.readUInt32LE(4)) throw new DamagedSegment(`${path} has a wrong checksum`);
    const table = JSON.parse(readAt(fd, end - tableBytes, tableBytes).toString()) as SegmentTable;
    return { table, bytes };
  } finally {
    closeSync(fd);
  }
}

/** Octets of a file in memory of their own, so that numbers in them are aligned. */
export function readAt(fd: number, offset: number, length: number): Buffer {
  const octets = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const count = readSync(fd, octets, done, length - done, offset + done);
    if (count === 0) throw new DamagedSegment('a segment is cut short');
    done += count;
  }
  return octets;
}
