/**
 * What is in a winmail.dat: Outlook's Transport Neutral Encapsulation Format (MS-OXTNEF). Only its files and their names
 * are looked for. Nothing in it is believed: each length is held against what there is, and the time is linear.
 */

export interface TnefFile {
  readonly name: string;
  /** A view of what was given, nothing is copied. */
  readonly octets: Uint8Array<ArrayBuffer>;
}

const SIGNATURE = 0x22_3e_9f_78;
/** Attributes that are looked at (MS-OXTNEF section 2.1.3.3): each file begins with its rendering data. */
const RENDERING = 0x9002;
const DATA = 0x800f;
const TITLE = 0x8010;
const PROPERTIES = 0x9005;
/** PidTagAttachLongFilename, the whole name; the title may be one of 8 and 3 letters. */
const LONG_NAME = 0x3707;
const STRING8 = 0x1e;
const UNICODE = 0x1f;
const BINARY = 0x102;
const OBJECT = 0x0d;
/** Octets of values of a fixed size, by their type (MS-OXCDATA section 2.11.1), filled up to four. */
const FIXED: Readonly<Record<number, number>> = {
  2: 4,
  3: 4,
  4: 4,
  5: 8,
  6: 8,
  7: 8,
  10: 4,
  11: 4,
  20: 8,
  64: 8,
  72: 16,
};
const MOST_FILES = 100;
const MOST_PROPERTIES = 500;
const MOST_NAME_OCTETS = 1000;

/** The files of a package; undefined: it is none. What is damaged ends the list. */
export function tnefFiles(octets: Uint8Array<ArrayBuffer>): readonly TnefFile[] | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (octets.length < 6 || view.getUint32(0, true) !== SIGNATURE) return undefined;
  const files: { title?: string; long?: string; octets?: Uint8Array<ArrayBuffer> }[] = [];
  // Level (1), attribute and kind (2 + 2), length (4), the value, a sum (2).
  for (let at = 6; at + 11 <= octets.length; ) {
    const id = view.getUint16(at + 1, true);
    const length = view.getUint32(at + 5, true);
    const start = at + 9;
    if (length > octets.length - start) break;
    const value = octets.subarray(start, start + length);
    if (id === RENDERING) {
      if (files.length === MOST_FILES) break;
      files.push({});
    }
    const file = files.at(-1);
    if (file !== undefined) {
      if (id === TITLE) file.title = text(value, 'windows-1252');
      else if (id === DATA) file.octets = value;
      else if (id === PROPERTIES) {
        const long = longName(value);
        if (long !== undefined) file.long = long;
      }
    }
    at = start + length + 2;
  }
  return files.flatMap(({ title, long, octets: data }) =>
    data === undefined ? [] : [{ name: long ?? title ?? '', octets: data }],
  );
}

function text(value: Uint8Array<ArrayBuffer>, charset: string): string {
  const whole = new TextDecoder(charset).decode(value.subarray(0, MOST_NAME_OCTETS));
  return whole.split('\0', 1)[0] ?? '';
}

/** The long name among the MAPI properties of a file (MS-OXTNEF section 2.1.3.4). */
function longName(octets: Uint8Array<ArrayBuffer>): string | undefined {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  if (octets.length < 4) return undefined;
  const count = Math.min(view.getUint32(0, true), MOST_PROPERTIES);
  let at = 4;
  for (let i = 0; i < count && at + 4 <= octets.length; i++) {
    const type = view.getUint16(at, true);
    const id = view.getUint16(at + 2, true);
    at += 4;
    // Properties with a name of their own: skipping those would need reading it, and the one looked for stands before.
    if (id >= 0x8000) return undefined;
    const fixed = FIXED[type];
    if (fixed !== undefined) {
      at += fixed;
      continue;
    }
    if (![STRING8, UNICODE, BINARY, OBJECT].includes(type) || at + 8 > octets.length) return undefined;
    if (view.getUint32(at, true) !== 1) return undefined;
    const length = view.getUint32(at + 4, true);
    at += 8;
    if (length > octets.length - at) return undefined;
    if (id === LONG_NAME && (type === STRING8 || type === UNICODE))
      return text(octets.subarray(at, at + length), type === UNICODE ? 'utf-16le' : 'windows-1252');
    at += Math.ceil(length / 4) * 4;
  }
  return undefined;
}
