/** Zip archives (APPNOTE 4.3): names from the central directory at the end, or from local headers at the start. */
import { type FileEnds, isBomb } from './file-ends.ts';
import { guessText } from '../../../mail/charset.ts';
import { factLimits } from './limits.ts';
import type { ArchiveEntry, ArchiveFact } from './types.ts';

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END_64 = 0x06064b50;
const UTF8_NAMES = 0x800;
const ENCRYPTED = 1;
/** Octets before the end that may be a comment. */
const MAX_COMMENT = 65_557;

interface Listed {
  readonly entries: ArchiveEntry[];
  readonly size: number;
  readonly packed: number;
  readonly encrypted: boolean;
  readonly complete: boolean;
  /** Two entries share one place: a bomb of overlapping files. */
  readonly overlap: boolean;
}

export function listZip(file: FileEnds): ArchiveFact {
  const end = file.whole ? file.head : file.tail;
  const directory = findDirectory(end, file.whole);
  const central = directory === undefined ? undefined : readCentral(end, directory.at, directory.count);
  const listed = central !== undefined && central.entries.length > 0 ? central : readLocal(file.head);
  const count = Math.max(directory?.count ?? 0, listed.entries.length);
  return {
    format: 'zip',
    entries: listed.entries,
    count,
    complete: listed.complete && listed.entries.length >= count,
    encrypted: listed.encrypted,
    bomb: listed.overlap || isBomb(listed.size, Math.max(listed.packed, 1)) || isBomb(listed.size, file.size),
  };
}

/** Where the central directory begins in `end`, which ends where the file ends. */
function findDirectory(end: Buffer, whole: boolean): { at: number; count: number } | undefined {
  const floor = Math.max(0, end.length - MAX_COMMENT);
  for (let at = end.lastIndexOf('PK\x05\x06', end.length, 'latin1'); at >= floor; ) {
    if (at + 22 <= end.length) {
      const count = end.readUInt16LE(at + 10);
      const size = end.readUInt32LE(at + 12);
      if (count === 0xffff || size === 0xffffffff) return findDirectory64(end, at);
      // The directory stands right before its end record, whatever offset is claimed: a file may have been put in front.
      if (size <= at) return { at: at - size, count };
      if (!whole) return { at: firstCentral(end), count };
    }
    if (at === 0) return undefined;
    at = end.lastIndexOf('PK\x05\x06', at - 1, 'latin1');
  }
  return undefined;
}

function findDirectory64(end: Buffer, before: number): { at: number; count: number } | undefined {
  const at = end.lastIndexOf('PK\x06\x06', before, 'latin1');
  if (at === -1 || at + 56 > end.length || end.readUInt32LE(at) !== END_64) return undefined;
  const count = Number(end.readBigUInt64LE(at + 32));
  const size = Number(end.readBigUInt64LE(at + 40));
  return { at: size <= at ? at - size : firstCentral(end), count: Number.isSafeInteger(count) ? count : 0 };
}

/** A directory that begins before the sample: the first of its entries that is in it. */
function firstCentral(end: Buffer): number {
  return Math.max(0, end.indexOf('PK\x01\x02', 0, 'latin1'));
}

function readCentral(octets: Buffer, start: number, count: number): Listed {
  const entries: ArchiveEntry[] = [];
  const places = new Set<number>();
  let overlap = false;
  let size = 0;
  let packed = 0;
  let encrypted = false;
  let at = start;
  let seen = 0;
  while (at + 46 <= octets.length && octets.readUInt32LE(at) === CENTRAL && seen < 20_000) {
    seen++;
    const flags = octets.readUInt16LE(at + 8);
    const nameLength = octets.readUInt16LE(at + 28);
    const next = at + 46 + nameLength + octets.readUInt16LE(at + 30) + octets.readUInt16LE(at + 32);
    const entryPacked = octets.readUInt32LE(at + 20);
    const entrySize = octets.readUInt32LE(at + 24);
    const place = octets.readUInt32LE(at + 42);
    if (places.has(place) && place !== 0xffffffff) overlap = true;
    places.add(place);
    size += entrySize;
    packed += entryPacked;
    encrypted ||= (flags & ENCRYPTED) !== 0;
    if (entries.length < factLimits.archiveEntries) {
      const name = entryName(octets, at + 46, nameLength, flags);
      entries.push({ name, size: entrySize, packed: entryPacked, encrypted: (flags & ENCRYPTED) !== 0 });
    }
    at = next;
  }
  return { entries, size, packed, encrypted, complete: seen >= count && entries.length === seen, overlap };
}

/** Local headers one behind the other, as far as the sample and honest sizes go. */
function readLocal(head: Buffer): Listed {
  const entries: ArchiveEntry[] = [];
  let size = 0;
  let packed = 0;
  let encrypted = false;
  let at = head.indexOf('PK\x03\x04', 0, 'latin1');
  while (at !== -1 && at + 30 <= head.length && entries.length < factLimits.archiveEntries) {
    if (head.readUInt32LE(at) !== LOCAL) break;
    const flags = head.readUInt16LE(at + 6);
    const entryPacked = head.readUInt32LE(at + 18);
    const entrySize = head.readUInt32LE(at + 22);
    const nameLength = head.readUInt16LE(at + 26);
    const data = at + 30 + nameLength + head.readUInt16LE(at + 28);
    const isEncrypted = (flags & ENCRYPTED) !== 0;
    encrypted ||= isEncrypted;
    size += entrySize;
    packed += entryPacked;
    entries.push({
      name: entryName(head, at + 30, nameLength, flags),
      size: entrySize,
      packed: entryPacked,
      encrypted: isEncrypted,
    });
    // Streamed entries tell their size behind the data: look for the next header.
    at =
      (flags & 8) !== 0 && entryPacked === 0
        ? head.indexOf('PK\x03\x04', data, 'latin1')
        : data + entryPacked;
  }
  return { entries, size, packed, encrypted, complete: false, overlap: false };
}

function entryName(octets: Buffer, at: number, length: number, flags: number): string {
  const bytes = octets.subarray(at, Math.min(at + length, at + 512));
  // Many writers forget to say that they write UTF-8.
  return (flags & UTF8_NAMES) !== 0 ? bytes.toString('utf8') : guessText(bytes);
}
