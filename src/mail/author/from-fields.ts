/**
 * The fields of a header that any reader could take for From. Programs differ about odd headers (Chen, Paxson, Jiang,
 * "Composition Kills", USENIX Security 2020, section 5), so this reads as loosely as the loosest of them.
 */

/** One such field. */
export interface FromField {
  /** Latin1, lines joined without their ends. */
  readonly value: string;
  /** Why some readers see it and others do not; undefined for a field all see. */
  readonly odd: string | undefined;
}

/** Octets of one field that are read: a few hundred in real mail. */
const MAX_VALUE = 4096;
/** Fields that are told apart. */
const MAX_FROM_FIELDS = 10;
/** Octets of a line that can be a name: no program allows more than 998 (RFC 5322 section 2.1.1). */
const NAME_OCTETS = 998;

const CR = 13;
const LF = 10;
const COLON = 58;

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** What the loosest reader takes for a part of a name: printable ASCII. The rest it drops. */
function isNameOctet(code: number): boolean {
  return code > 32 && code < 127;
}

/**
 * Whether `header[start, end)` begins with "From" for the loosest reader; then the offset behind its colon, or `end` where the line
 * has none. -1 for every other line, most of which the first octet tells.
 */
function fromName(header: Buffer, start: number, end: number): number {
  const wanted = 'from';
  const most = Math.min(end, start + NAME_OCTETS);
  let matched = 0;
  for (let at = start; at < most; at++) {
    const code = header[at] ?? 0;
    if (!isNameOctet(code)) continue;
    if (code === COLON) return matched === wanted.length ? at + 1 : -1;
    if ((code | 32) !== wanted.charCodeAt(matched)) return -1; // NaN behind the last letter
    matched++;
  }
  return matched === wanted.length && most === end ? end : -1;
}

interface Open {
  value: string;
  odd: string | undefined;
}

/** Collects the fields, line by line. */
class Collector {
  readonly fields: Open[] = [];
  readonly #header: Buffer;
  /** The field that further lines belong to. */
  #open: Open | undefined;
  /** The line before is "From" without a colon. */
  #named = false;
  #first = true;

  constructor(header: Buffer) {
    this.#header = header;
  }

  /** One line without its end. `bare`: it, or the one before it, ended in a CR or LF alone. */
  line(start: number, end: number, bare: boolean): void {
    const header = this.#header;
    const continues = isBlank(header[start] ?? 0);
    if (!continues) this.#plain(start, end, bare);
    else if (this.#named && /^[ \t]{1,100}:/.test(header.toString('latin1', start, start + 101))) {
      this.#add(header.indexOf(COLON, start) + 1, end, 'the name of a From field is folded');
    } else this.#folded(start, end, bare);
    this.#named = !continues && fromName(header, start, end) === end && header[end - 1] !== COLON;
    this.#first = false;
  }

  #add(start: number, end: number, odd: string | undefined): Open {
    const field = {
      value: this.#header.toString('latin1', start, Math.min(end, start + MAX_VALUE + 1)),
      odd,
    };
    this.fields.push(field);
    return field;
  }

  #plain(start: number, end: number, bare: boolean): void {
    this.#open = undefined;
    const value = fromName(this.#header, start, end);
    if (value < 0 || this.#header[value - 1] !== COLON) return;
    let odd: string | undefined;
    // RFC 5322 section 4.5 allows white space before the colon; not all readers do.
    if (!/^from[ \t]*:$/i.test(this.#header.toString('latin1', start, value))) {
      odd = 'the name of a From field holds octets that are no letters';
    }
    if (bare) odd = 'a From field stands behind a line end that is not CRLF';
    this.#open = this.#add(value, end, odd);
  }

  /** A line that most readers take for a part of the field above. */
  #folded(start: number, end: number, bare: boolean): void {
    const header = this.#header;
    const value = fromName(header, start, end);
    const hidden = value > start && header[value - 1] === COLON;
    if (hidden && this.#first) {
      this.#open = this.#add(value, end, 'the first line begins with white space');
      return;
    }
    // The "h=" of a signature looks like this too and names no address.
    if (hidden && header.subarray(value, Math.min(end, value + MAX_VALUE)).includes('@')) {
      this.#add(value, end, 'a From field hides in a folded line');
    }
    if (this.#open === undefined || this.#open.value.length > MAX_VALUE) return;
    if (bare) this.#open.odd ??= 'a From field holds a line end that is not CRLF';
    this.#open.value += header.toString('latin1', start, Math.min(end, start + MAX_VALUE + 1));
  }
}

/** All that could be From, in order, at most ten. `header` may end in its empty line. Linear. */
export function fromFields(header: Buffer): FromField[] {
  const collector = new Collector(header);
  let bare = false;
  let start = 0;
  // Lines however they end: readers take CRLF, LF and some CR for the end of one.
  for (let at = 0; at <= header.length && collector.fields.length < MAX_FROM_FIELDS; at++) {
    const octet = header[at];
    if (octet !== CR && octet !== LF && octet !== undefined) continue;
    const crlf = octet === CR && header[at + 1] === LF;
    const endsBare = !crlf && octet !== undefined;
    if (at > start) collector.line(start, at, bare || endsBare);
    bare = endsBare;
    if (crlf) at++;
    start = at + 1;
  }
  return collector.fields.map(({ value, odd }) => ({
    value: value.slice(0, MAX_VALUE),
    odd: value.length > MAX_VALUE ? 'a From field is too long' : odd,
  }));
}
