const LF = 10;
/** Octets of a line that are held; a longer one comes in parts. */
const HELD = 64 * 1024;

export interface Line {
  readonly octets: Buffer;
  /** False for the further parts of a long line. */
  readonly begins: boolean;
}

/** Cuts octets into lines, their ends included. */
export class LineCutter {
  #held: Buffer = Buffer.alloc(0);
  #begins = true;

  push(chunk: Buffer): Line[] {
    const all = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const lines: Line[] = [];
    let at = 0;
    for (let end = all.indexOf(LF, at); end !== -1; end = all.indexOf(LF, at)) {
      lines.push({ octets: all.subarray(at, end + 1), begins: this.#begins });
      this.#begins = true;
      at = end + 1;
    }
    this.#held = all.subarray(at);
    if (this.#held.length > HELD) {
      lines.push({ octets: this.#held, begins: this.#begins });
      this.#begins = false;
      this.#held = Buffer.alloc(0);
    }
    return lines;
  }

  end(): Line[] {
    return this.#held.length === 0 ? [] : [{ octets: this.#held, begins: this.#begins }];
  }
}

const FROM = Buffer.from('From ');

/**
 * Whether a line behind an empty one begins a message: "From ", and somewhere in it a time of day and a year, as every
 * program writes them. Text of a person that begins with "From " has not.
 */
export function isSeparator(line: Buffer): boolean {
  if (line.length > 1000 || !line.subarray(0, 5).equals(FROM)) return false;
  const text = line.toString('latin1');
  return /\d{1,2}:\d{2}/.test(text) && /\b\d{4}\b/.test(text);
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Milliseconds of "From a@b Thu Jan  1 00:00:00 1970", which is taken as UTC unless a zone stands there. */
export function separatorTime(line: Buffer): number | undefined {
  const text = line.toString('latin1');
  const found =
    /([A-Z][a-z]{2}) +(\d{1,2}) +(\d{1,2}):(\d{2})(?::(\d{2}))?(?: +([+-]\d{4}|[A-Z]{3,4}))? +(\d{4})(?: +([+-]\d{4}))?/.exec(
      text,
    );
  if (found === null) return undefined;
  const [, name = '', day, hour, minute, second = '0', before, year, after] = found;
  const month = MONTHS.indexOf(name.toLowerCase());
  if (month === -1) return undefined;
  const zone = /^[+-]\d{4}$/.exec(after ?? before ?? '')?.[0] ?? '+0000';
  const offset = (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3))) * 60_000;
  const utc = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  return zone.startsWith('-') ? utc + offset : utc - offset;
}
