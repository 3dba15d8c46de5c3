import { createHash, type Hash } from 'node:crypto';

/** RFC 6376 section 3.4: how strictly bytes are compared. */
export type Canonicalization = 'simple' | 'relaxed';

/** SHA-256 over a canonicalised body that arrives in pieces. */
export interface BodyHasher {
  readonly canonicalization: Canonicalization;
  /**
   * The next octets of the body, cut anywhere. Works in place at about a nanosecond an octet: hand in pieces of some
   * 64 KiB so that no call holds the event loop long.
   */
  update(chunk: Uint8Array): void;
  /** End the body and return its SHA-256 (32 octets). Later calls return the same; `update` must not follow. */
  digest(): Buffer;
  /** After `digest`: octets of the canonicalised body. */
  length(): number;
  /** After `digest`: SHA-256 of the first `octets` canonicalised octets, if that was one of `prefixes`; undefined when the body is shorter. */
  prefixDigest(octets: number): Buffer | undefined;
}

const HT = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;

/** Octets canonicalised before they go to the hash. One block serves every hasher, as none keeps it between calls. */
const BLOCK_BYTES = 32 * 1024;
const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
const CRLF = Buffer.from('\r\n');

/** `CRLF` repeated, for runs of empty lines that turn out not to be the last. */
const EMPTY_LINES = 512;
const emptyLines = Buffer.from('\r\n'.repeat(EMPTY_LINES));

/** Counts what is hashed and notes the digest at each wanted prefix length (the `l=` of signatures). */
class Tap {
  readonly #hash: Hash = createHash('sha256');
  readonly #cuts: number[];
  readonly prefixes = new Map<number, Buffer>();
  length = 0;

  constructor(prefixes: Iterable<number>) {
    this.#cuts = [...new Set(prefixes)].toSorted((a, b) => b - a); // the next one is the last
    this.#cut();
  }

  #cut(): void {
    while (this.#cuts.at(-1) === this.length) {
      this.#cuts.pop();
      this.prefixes.set(this.length, this.#hash.copy().digest());
    }
  }

  write(bytes: Uint8Array): void {
    let start = 0;
    for (let next = this.#cuts.at(-1); next !== undefined; next = this.#cuts.at(-1)) {
      const take = next - this.length;
      if (take > bytes.length - start) break;
      this.#hash.update(bytes.subarray(start, start + take));
      start += take;
      this.length = next;
      this.#cut();
    }
    if (start < bytes.length) {
      this.#hash.update(start === 0 ? bytes : bytes.subarray(start));
      this.length += bytes.length - start;
    }
  }

  writeEmptyLines(count: number): void {
    let left = count;
    for (; left > EMPTY_LINES; left -= EMPTY_LINES) this.write(emptyLines);
    if (left > 0) this.write(emptyLines.subarray(0, left * 2));
  }

  digest(): Buffer {
    return this.#hash.digest();
  }
}

/** A canonicaliser between the message and the tap. */
interface Canonicalizer {
  update(chunk: Uint8Array): void;
  end(): void;
}

/** RFC 6376 section 3.4.3: the body as it is, without empty lines at its end, with exactly one CRLF there. */
function simpleBody(tap: Tap): Canonicalizer {
  let heldLines = 0; // CRLFs seen that may be the trailing ones
  let heldCr = false;

  const release = (): void => {
    tap.writeEmptyLines(heldLines);
    heldLines = 0;
    if (heldCr) tap.write(CRLF.subarray(0, 1));
    heldCr = false;
  };

  return {
    update(chunk) {
      let start = 0;
      if (heldCr && chunk[0] === LF) {
        heldLines++;
        heldCr = false;
        start = 1;
      }
      // What follows the last octet that is not part of a CRLF is held back.
      let end = chunk.length;
      let endsInCr = false;
      if (end > start && chunk[end - 1] === CR) {
        endsInCr = true;
        end--;
      }
      let lines = 0;
      while (end - 2 >= start && chunk[end - 1] === LF && chunk[end - 2] === CR) {
        lines++;
        end -= 2;
      }
      if (end > start || (heldCr && (lines > 0 || endsInCr))) release();
      if (end > start) tap.write(chunk.subarray(start, end));
      heldLines += lines;
      heldCr ||= endsInCr;
    },
    end() {
      if (heldCr) release();
      tap.write(CRLF); // an empty body becomes one CRLF
    },
  };
}

/** Octets taken over unchanged that are worth a call to the hash of their own; fewer are gathered in the block. */
const DIRECT_BYTES = 1024;

/** Gathers small writes in the block, for the length of one `update`. */
class Gatherer {
  readonly #tap: Tap;
  #fill = 0;
  /** Something was written since the start of the body. */
  any = false;

  constructor(tap: Tap) {
    this.#tap = tap;
  }

  put(octet: number): void {
    if (this.#fill === BLOCK_BYTES) this.flush();
    block[this.#fill++] = octet;
  }

  putRange(chunk: Uint8Array, from: number, to: number): void {
    const size = to - from;
    if (size <= 0) return;
    if (size >= DIRECT_BYTES || size > BLOCK_BYTES - this.#fill) this.flush();
    if (size >= DIRECT_BYTES) {
      this.any = true;
      this.#tap.write(chunk.subarray(from, to));
    } else if (size < 24) {
      for (let i = from; i < to; i++) block[this.#fill++] = chunk[i] as number;
    } else {
      block.set(chunk.subarray(from, to), this.#fill);
      this.#fill += size;
    }
  }

  putEmptyLines(count: number): void {
    if (count > 8) {
      this.flush();
      this.any = true;
      this.#tap.writeEmptyLines(count);
      return;
    }
    for (let i = 0; i < count; i++) {
      this.put(CR);
      this.put(LF);
    }
  }

  flush(): void {
    if (this.#fill === 0) return;
    this.any = true;
    this.#tap.write(block.subarray(0, this.#fill));
    this.#fill = 0;
  }
}

/**
 * From `at`, which stands behind content, the end of what relaxed canonicalisation leaves as it is: content, one space before
 * content, one CRLF before content. What cannot be judged within the chunk ends it too.
 */
function unchangedUntil(chunk: Uint8Array, at: number): number {
  const length = chunk.length;
  let i = at;
  while (i < length) {
    const octet = chunk[i] as number;
    if (octet > SP) {
      i++;
    } else if (octet === SP) {
      if (i + 1 >= length || (chunk[i + 1] as number) <= SP) return i;
      i += 2;
    } else if (octet === CR) {
      if (i + 2 >= length || chunk[i + 1] !== LF || (chunk[i + 2] as number) <= SP) return i;
      i += 3;
    } else if (octet === HT) {
      return i;
    } else {
      i++; // another control, a LF alone among them, is content
    }
  }
  return i;
}

/**
 * RFC 6376 section 3.4.4: white space inside a line becomes one space, at its end none; empty lines at the end of the
 * body go. A CR or LF alone is an octet like any other.
 */
function relaxedBody(tap: Tap): Canonicalizer {
  const out = new Gatherer(tap);
  let heldLines = 0;
  let heldSpace = false;
  let heldCr = false;

  /** Content follows: what was held in front of it counts. */
  const release = (): void => {
    if (heldLines > 0) out.putEmptyLines(heldLines);
    if (heldSpace) out.put(SP);
    if (heldCr) out.put(CR); // it was a CR alone
    heldLines = 0;
    heldSpace = false;
    heldCr = false;
  };

  /** Go through white space and line ends up to the content behind them. */
  const skipSpace = (chunk: Uint8Array, at: number): number => {
    for (let i = at; i < chunk.length; i++) {
      const octet = chunk[i];
      if (octet === LF && heldCr) {
        heldCr = false;
        heldSpace = false; // white space before the CRLF
        heldLines++;
      } else if (octet === SP || octet === HT) {
        if (heldCr) release();
        heldSpace = true;
      } else if (octet === CR) {
        if (heldCr) release();
        heldCr = true;
      } else {
        release();
        return i;
      }
    }
    return chunk.length;
  };

  return {
    update(chunk) {
      let at = 0;
      while (at < chunk.length) {
        at = skipSpace(chunk, at);
        const end = unchangedUntil(chunk, at);
        out.putRange(chunk, at, end);
        at = end;
      }
      out.flush();
    },
    end() {
      if (heldCr) release();
      out.flush();
      if (out.any) tap.write(CRLF); // an empty body stays empty
    },
  };
}

/**
 * Hash a body as it streams by (RFC 6376 section 3.7). One hasher serves all signatures with that canonicalisation:
 * `prefixes` are the `l=` values, in canonicalised octets, whose digests are wanted too.
 */
export function createBodyHasher(
  canonicalization: Canonicalization,
  prefixes: Iterable<number> = [],
): BodyHasher {
  const tap = new Tap(prefixes);
  const canonicalizer = canonicalization === 'relaxed' ? relaxedBody(tap) : simpleBody(tap);
  let result: Buffer | undefined;
  return {
    canonicalization,
    update: (chunk) => canonicalizer.update(chunk),
    digest() {
      if (result === undefined) {
        canonicalizer.end();
        result = tap.digest();
      }
      return result;
    },
    length: () => tap.length,
    prefixDigest: (octets) => tap.prefixes.get(octets),
  };
}
