import { ReportProblem } from './problem.ts';

/** Files listed in an archive before it is given up; a report is one file, some pack a directory with it. */
const ENTRIES_MAX = 10;
const EOCD_SIZE = 22;
const COMMENT_MAX = 0xffff;
const CENTRAL_SIZE = 46;
const LOCAL_SIZE = 30;

export interface ZipEntry {
  readonly method: 'stored' | 'deflated';
  /** The octets as they are packed. */
  readonly data: Buffer;
}

/**
 * The one file of a zip archive (PKWARE APPNOTE 4.3), found by its central directory, which alone tells sizes that are
 * not in the local header. Every length is checked against the octets that are there; nothing is unpacked here.
 */
export function zipEntry(zip: Buffer): ZipEntry {
  const { count, at: start } = centralDirectory(zip);
  if (count > ENTRIES_MAX) throw new ReportProblem('several-files', `the archive has ${count} files`);
  const files: number[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_SIZE > zip.length || zip.readUInt32LE(at) !== 0x0201_4b50) throw damaged();
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      zip.readUInt16LE(at + field),
    );
    const nameEnd = at + CENTRAL_SIZE + (nameLength ?? 0);
    if (nameEnd > zip.length) throw damaged();
    if (zip[nameEnd - 1] !== 0x2f) files.push(at); // "/" at the end: a directory
    at = nameEnd + (extraLength ?? 0) + (commentLength ?? 0);
  }
  const [only, second] = files;
  if (only === undefined) throw new ReportProblem('not-a-report', 'the archive is empty');
  if (second !== undefined)
    throw new ReportProblem('several-files', `the archive has ${files.length} files, a report is one`);
  return entryAt(zip, only);
}

/** End of central directory record: the last one, behind it a comment at most. */
function centralDirectory(zip: Buffer): { count: number; at: number } {
  const lowest = Math.max(0, zip.length - EOCD_SIZE - COMMENT_MAX);
  for (let at = zip.length - EOCD_SIZE; at >= lowest; at--) {
    if (zip.readUInt32LE(at) !== 0x0605_4b50) continue;
    const directory = zip.readUInt32LE(at + 16);
    if (directory > at) throw damaged();
    return { count: zip.readUInt16LE(at + 10), at: directory };
  }
  throw damaged();
}

function entryAt(zip: Buffer, central: number): ZipEntry {
  const flags = zip.readUInt16LE(central + 8);
  const method = zip.readUInt16LE(central + 10);
  const size = zip.readUInt32LE(central + 20);
  const local = zip.readUInt32LE(central + 42);
  if ((flags & 1) !== 0) throw new ReportProblem('encrypted', 'the archive needs a password');
  if (method !== 0 && method !== 8)
    throw new ReportProblem('unsupported', `the archive uses compression method ${method}`);
  if (local + LOCAL_SIZE > zip.length || zip.readUInt32LE(local) !== 0x0403_4b50) throw damaged();
  const start = local + LOCAL_SIZE + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
  if (start + size > zip.length) throw damaged();
  return { method: method === 0 ? 'stored' : 'deflated', data: zip.subarray(start, start + size) };
}

function damaged(): ReportProblem {
  return new ReportProblem('broken', 'the archive is damaged');
}
