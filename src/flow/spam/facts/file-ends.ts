/** The decoded ends of a file, as far as the sample has them. */
export interface FileEnds {
  readonly head: Buffer;
  /** Empty where the head is all there is. */
  readonly tail: Buffer;
  /** The head is the whole file. */
  readonly whole: boolean;
  /** Octets of the file, about. */
  readonly size: number;
  /** Its start may be unpacked: that is work, and done for the first few files only. */
  readonly unpack: boolean;
}

const BOMB_RATIO = 100;
const BOMB_BYTES = 100 * 1024 * 1024;

/** Claims to unpack to over 100 times its size and over 100 MiB. */
export function isBomb(size: number | undefined, packed: number | undefined): boolean {
  return size !== undefined && packed !== undefined && size > BOMB_BYTES && size > packed * BOMB_RATIO;
}
