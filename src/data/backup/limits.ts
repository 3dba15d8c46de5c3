/** Octets of a chunk's content, at most: what a reader has to hold. */
export const CHUNK_MOST_BYTES = 4 * 1024 * 1024;
