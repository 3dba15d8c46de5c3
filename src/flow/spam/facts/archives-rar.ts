/** RAR 4 and 5 (block headers one behind the other) and 7z (whose list is often packed or encrypted itself). */
import { type FileEnds, isBomb } from './file-ends.ts';
import { factLimits } from './limits.ts';
import type { ArchiveEntry, ArchiveFact } from './types.ts';

export function listRar(file: FileEnds): ArchiveFact {
  return file.head[6] === 1 ? listRar5(file) : listRar4(file);
}

interface Found {
  readonly entries: ArchiveEntry[];
  readonly encrypted: boolean;
  readonly complete: boolean;
}

function fact(format: 'rar' | '7z', { entries, encrypted, complete }: Found, file: FileEnds): ArchiveFact {
  const size = entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0);
  return { format, entries, count: entries.length, complete, encrypted, bomb: isBomb(size, file.size) };
}

/** RAR 1.5 to 4: CRC16, type, flags, header size, then what the type says. */
function listRar4(file: FileEnds): ArchiveFact {
  const { head } = file;
  const entries: ArchiveEntry[] = [];
  let encrypted = false;
  let complete = false;
  let at = 7;
  while (at + 7 <= head.length && entries.length < factLimits.archiveEntries) {
    const type = head[at + 2] ?? 0;
    const flags = head.readUInt16LE(at + 3);
    const headerSize = head.readUInt16LE(at + 5);
    if (headerSize < 7 || type < 0x72 || type > 0x7b) break;
    if (type === 0x7b) {
      complete = true;
      break;
    }
    if (type === 0x73 && (flags & 0x80) !== 0)
      return fact('rar', { entries, encrypted: true, complete: false }, file);
    let data = (flags & 0x8000) !== 0 && at + 11 <= head.length ? head.readUInt32LE(at + 7) : 0;
    if (type === 0x74 && at + 32 <= head.length) {
      const nameAt = at + 32 + ((flags & 0x100) !== 0 ? 8 : 0);
      const nameLength = Math.min(head.readUInt16LE(at + 26), 512);
      const raw = head.subarray(nameAt, nameAt + nameLength);
      const nul = raw.indexOf(0); // a packed Unicode name follows the plain one
      const name = (nul === -1 ? raw : raw.subarray(0, nul)).toString(nul === -1 ? 'utf8' : 'latin1');
      const locked = (flags & 4) !== 0;
      encrypted ||= locked;
      data = head.readUInt32LE(at + 7);
      entries.push({ name, size: head.readUInt32LE(at + 11), packed: data, encrypted: locked });
    }
    at += headerSize + data;
  }
  return fact('rar', { entries, encrypted, complete }, file);
}

/** A number of RAR 5: seven bits an octet, low ones first, at most ten octets. */
function vint(octets: Buffer, start: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const octet = octets[start + i] ?? 0;
    value += (octet & 127) * scale;
    scale *= 128;
    if (octet < 128) return { value, next: start + i + 1 };
  }
  return { value, next: start + 10 };
}

function listRar5(file: FileEnds): ArchiveFact {
  const { head } = file;
  const entries: ArchiveEntry[] = [];
  let encrypted = false;
  let complete = false;
  let at = 8;
  while (at + 7 < head.length && entries.length < factLimits.archiveEntries) {
    const header = vint(head, at + 4);
    const type = vint(head, header.next);
    if (type.value === 5) {
      complete = true;
      break;
    }
    if (type.value === 4) return fact('rar', { entries, encrypted: true, complete: false }, file);
    const flags = vint(head, type.next);
    let pos = flags.next;
    let extra = 0;
    let data = 0;
    if ((flags.value & 1) !== 0) ({ value: extra, next: pos } = vint(head, pos));
    if ((flags.value & 2) !== 0) ({ value: data, next: pos } = vint(head, pos));
    const end = header.next + header.value;
    if (type.value === 2) {
      const entry = rar5Entry(head, pos, end, extra, data);
      encrypted ||= entry.encrypted;
      entries.push(entry);
    }
    const next = end + data;
    if (!Number.isSafeInteger(next) || next <= at) break;
    at = next;
  }
  return fact('rar', { entries, encrypted, complete }, file);
}

function rar5Entry(head: Buffer, start: number, end: number, extra: number, packed: number): ArchiveEntry {
  const flags = vint(head, start);
  const size = vint(head, flags.next);
  let pos = vint(head, size.next).next; // attributes
  if ((flags.value & 2) !== 0) pos += 4; // time
  if ((flags.value & 4) !== 0) pos += 4; // CRC
  pos = vint(head, pos).next; // compression
  pos = vint(head, pos).next; // host system
  const length = vint(head, pos);
  const name = head.toString(
    'utf8',
    length.next,
    Math.min(length.next + Math.min(length.value, 512), head.length),
  );
  // Records behind the header, each with size and type; type 1 says how it is encrypted.
  let record = end - extra;
  let encrypted = false;
  for (let i = 0; i < 10 && record > start && record < end; i++) {
    const recordSize = vint(head, record);
    if (vint(head, recordSize.next).value === 1) encrypted = true;
    record = recordSize.next + Math.max(1, recordSize.value);
  }
  return { name, size: (flags.value & 8) === 0 ? size.value : undefined, packed, encrypted };
}

const NAMES = 0x11;
/** The AES coder's number, 06 F1 07 01. */
const AES = '\x06\xf1\x07\x01';

/**
 * 7z: the header stands at the end. A packed one (most) hides the names, but tells whether the archive is encrypted; a
 * plain one has the names in UTF-16.
 */
export function listSevenZip(file: FileEnds): ArchiveFact {
  const { head } = file;
  const end = file.whole ? head : file.tail;
  const nothing: Found = { entries: [], encrypted: false, complete: false };
  if (head.length < 32) return { ...fact('7z', nothing, file), count: 1 };
  const length = Number(head.readBigUInt64LE(20));
  if (length === 0 || length > end.length) return { ...fact('7z', nothing, file), count: 1 };
  // Whole files: where the header says; else the file ends with it.
  const place = 32 + Number(head.readBigUInt64LE(12));
  const start = file.whole && place + length <= end.length ? place : end.length - length;
  const header = end.subarray(start, start + length);
  const encrypted = header.includes(AES, 0, 'latin1');
  if (header[0] !== 1) return { ...fact('7z', { entries: [], encrypted, complete: false }, file), count: 1 };
  const entries = sevenZipNames(header).map(
    (name): ArchiveEntry => ({ name, size: undefined, packed: undefined, encrypted }),
  );
  return fact('7z', { entries, encrypted, complete: entries.length < factLimits.archiveEntries }, file);
}

/** Looks for the names' property: 0x11, its size, "not external", then UTF-16 names that end in NUL and fill it. */
function sevenZipNames(header: Buffer): string[] {
  for (
    let at = header.indexOf(NAMES), tries = 0;
    at !== -1 && tries < 200;
    at = header.indexOf(NAMES, at + 1), tries++
  ) {
    const { value, next } = sevenZipNumber(header, at + 1);
    if (value < 5 || next + value > header.length || header[next] !== 0 || (value - 1) % 2 !== 0) continue;
    const raw = header.subarray(next + 1, next + value);
    if (raw.readUInt16LE(raw.length - 2) !== 0) continue;
    return raw
      .subarray(0, 128 * 1024)
      .toString('utf16le')
      .split('\0', factLimits.archiveEntries)
      .filter((name) => name !== '')
      .map((name) => name.slice(0, 512));
  }
  return [];
}

/** A 7z number: the leading ones of the first octet tell how many octets follow, low ones first. */
function sevenZipNumber(octets: Buffer, start: number): { value: number; next: number } {
  const first = octets[start] ?? 0;
  let mask = 0x80;
  let value = 0;
  for (let i = 0; i < 8; i++) {
    if ((first & mask) === 0) return { value: value + (first & (mask - 1)) * 256 ** i, next: start + 1 + i };
    value += (octets[start + 1 + i] ?? 0) * 256 ** i;
    mask >>= 1;
  }
  return { value, next: start + 9 };
}
