/**
 * The names in archives, from the directory or the headers that stand in the sample. Nothing is unpacked except the start of
 * a gzip file, bounded, to see whether a tar is in it. No length is trusted: every read is checked against what is there.
 */
import { type FileEnds, isBomb } from './file-ends.ts';
import { gunzipStart } from './inflate.ts';
import { factLimits } from './limits.ts';
import { listRar, listSevenZip } from './archives-rar.ts';
import type { ArchiveEntry, ArchiveFact, FileKind } from './types.ts';
import { listZip } from './zip.ts';

/** What can be listed of an archive; undefined for other kinds of files. */
export function archiveFact(
  kind: FileKind | undefined,
  file: FileEnds,
  name: string,
): ArchiveFact | undefined {
  switch (kind) {
    case 'zip':
    case 'ooxml':
    case 'odf':
    case 'jar':
    case 'apk':
      return listZip(file);
    case 'rar':
      return listRar(file);
    case '7z':
      return listSevenZip(file);
    case 'gzip':
      return listGzip(file, name);
    case 'tar':
      return listTar(file.head, file.whole);
    case 'iso':
      return listIso(file.head);
    case 'cab':
      return listCab(file.head);
    case 'bzip2':
    case 'xz':
    case 'zstd':
      return single(kind, name.replace(/\.[^.]*$/, ''));
    case 'arj':
    case 'ace':
    case 'lzh':
      return { format: kind, entries: [], count: 1, complete: false, encrypted: false, bomb: false };
    default:
      return undefined;
  }
}

function single(format: ArchiveFact['format'], name: string, size?: number, packed?: number): ArchiveFact {
  const entry: ArchiveEntry = { name: name.slice(0, 512), size, packed, encrypted: false };
  return { format, entries: [entry], count: 1, complete: true, encrypted: false, bomb: isBomb(size, packed) };
}

/** The name stands in the header, the size modulo 2^32 in the last four octets. */
function listGzip(file: FileEnds, outer: string): ArchiveFact {
  const { head } = file;
  const flags = head[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0 && head.length >= 12) at += 2 + head.readUInt16LE(10);
  let name = outer.replace(/\.(?:gz|z)$/i, '').replace(/\.tgz$/i, '.tar');
  if ((flags & 8) !== 0 && at < head.length) {
    const end = head.indexOf(0, at);
    if (end !== -1 && end > at && end - at <= 512) name = head.toString('latin1', at, end);
  }
  const end = file.whole ? head : file.tail;
  const size = end.length >= 4 ? end.readUInt32LE(end.length - 4) : undefined;
  const start = file.unpack ? gunzipStart(head) : Buffer.alloc(0);
  if (start.length > 262 && start.toString('latin1', 257, 262) === 'ustar') return listTar(start, false);
  const listed = single('gzip', name, size, file.size);
  return start.length >= factLimits.unpackBytes && start.length > head.length * 100
    ? { ...listed, bomb: true }
    : listed;
}

/** POSIX tar: blocks of 512 octets, sizes in octal. */
function listTar(octets: Buffer, whole: boolean): ArchiveFact {
  const entries: ArchiveEntry[] = [];
  let at = 0;
  let complete = false;
  while (entries.length < factLimits.archiveEntries) {
    if (at + 512 > octets.length) {
      complete = whole;
      break;
    }
    if (octets[at] === 0) {
      complete = true;
      break;
    }
    const name = text(octets, at, 100);
    const size = Number.parseInt(
      octets.toString('latin1', at + 124, at + 136).replace(/[^0-7]/g, '') || '0',
      8,
    );
    const type = octets[at + 156] ?? 0;
    if (type === 0 || type === 48) entries.push({ name, size, packed: size, encrypted: false });
    at += 512 + Math.ceil(size / 512) * 512;
    if (!Number.isSafeInteger(at)) break;
  }
  return { format: 'tar', entries, count: entries.length, complete, encrypted: false, bomb: false };
}

function text(octets: Buffer, at: number, max: number): string {
  const end = octets.indexOf(0, at);
  const stop = end === -1 || end > at + max ? at + max : end;
  return octets.toString('utf8', at, Math.min(stop, octets.length));
}

/** ISO 9660: the root directory of the first volume, where the sample reaches it. */
function listIso(head: Buffer): ArchiveFact {
  const volume = 0x8000;
  const entries: ArchiveEntry[] = [];
  const root = head.length > volume + 190 ? head.readUInt32LE(volume + 158) * 2048 : head.length;
  const length = head.length > volume + 190 ? head.readUInt32LE(volume + 166) : 0;
  let at = root;
  while (at + 34 < head.length && at < root + length && entries.length < factLimits.archiveEntries) {
    const size = head[at] ?? 0;
    if (size < 34) break;
    const nameLength = head[at + 32] ?? 0;
    const isFolder = ((head[at + 25] ?? 0) & 2) !== 0;
    const name = head.toString('latin1', at + 33, at + 33 + nameLength).replace(/;1$/, '');
    if (!isFolder)
      entries.push({ name, size: head.readUInt32LE(at + 10), packed: undefined, encrypted: false });
    at += size;
  }
  return { format: 'iso', entries, count: entries.length, complete: false, encrypted: false, bomb: false };
}

/** Microsoft Cabinet: CFFILE entries follow the folders. */
function listCab(head: Buffer): ArchiveFact {
  const entries: ArchiveEntry[] = [];
  const count = head.length >= 36 ? head.readUInt16LE(28) : 0;
  let at = head.length >= 36 ? head.readUInt32LE(16) : 0;
  let total = 0;
  while (entries.length < Math.min(count, factLimits.archiveEntries) && at + 17 < head.length && at >= 36) {
    const name = text(head, at + 16, 256);
    const size = head.readUInt32LE(at);
    total += size;
    entries.push({ name, size, packed: undefined, encrypted: false });
    at = head.indexOf(0, at + 16) + 1;
    if (at === 0) break;
  }
  const packed = head.length >= 12 ? head.readUInt32LE(8) : undefined;
  return {
    format: 'cab',
    entries,
    count: Math.max(count, entries.length),
    complete: entries.length === count,
    encrypted: false,
    bomb: isBomb(total, packed),
  };
}
