import { crc32 } from 'node:zlib';
import { octetsOf } from './bytes.ts';
import {
  MAGIC,
  type PartName,
  PARTS,
  type Place,
  type SectionName,
  type SegmentTable,
  TRAILER_BYTES,
} from './format.ts';

/** Where the octets of a segment's file go, in their order. */
export type Put = (octets: Buffer) => void;

/** What the list of segments says of one, beside its name. */
export interface Written {
  readonly emails: number;
  /** Emails without text. */
  readonly open: number;
  readonly tokens: number;
  readonly bytes: number;
}

/** Writes a segment's file section by section, so that no more than one section is in memory. */
export class SegmentWriter {
  readonly #write: Put;
  readonly #ids: Float64Array<ArrayBuffer>;
  readonly #open: Uint32Array;
  readonly #idPlace: Place;
  readonly #openPlace: Place;
  readonly #sections: Partial<Record<SectionName, Record<PartName, Place>>> = {};
  #offset = 0;
  #sum = 0;
  #tokens = 0;

  /** `ids` ascend; `open`: places in them of emails without text. */
  constructor(write: Put, ids: Float64Array<ArrayBuffer>, open: Uint32Array) {
    this.#write = write;
    this.#ids = ids;
    this.#open = open;
    this.#idPlace = this.#put(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
    this.#openPlace = this.#put(octetsOf(open));
  }

  #put(octets: Buffer): Place {
    const place = { offset: this.#offset, length: octets.length };
    this.#sum = crc32(octets, this.#sum);
    this.#offset += octets.length;
    this.#write(octets);
    return place;
  }

  section(name: SectionName, parts: Record<PartName, Buffer>, tokens: number): void {
    this.#tokens += tokens;
    const places = PARTS.map((part) => [part, this.#put(parts[part])] as const);
    this.#sections[name] = Object.fromEntries(places) as Record<PartName, Place>;
  }

  end(): Written {
    const table: SegmentTable = {
      emails: this.#ids.length,
      tokens: this.#tokens,
      ids: this.#idPlace,
      open: this.#openPlace,
      sections: this.#sections,
    };
    const text = Buffer.from(JSON.stringify(table));
    this.#put(text);
    const trailer = Buffer.alloc(TRAILER_BYTES);
    trailer.writeUInt32LE(text.length, 0);
    trailer.writeUInt32LE(this.#sum, 4);
    trailer.writeUInt32LE(MAGIC, 8);
    this.#put(trailer);
    const { emails, tokens } = table;
    return { emails, tokens, open: this.#open.length, bytes: this.#offset };
  }
}
