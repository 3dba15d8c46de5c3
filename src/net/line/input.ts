import { giveBack } from '../../base/memory.ts';
import { type Connection, ReadTimeout } from '../connection.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const LF = 0x0a;
const CR = 0x0d;

/** 'data': there are new octets; 'end': the peer sends no more; 'timeout': it was silent; 'woken': see `Input.wake`. */
export type Filled = 'data' | 'end' | 'timeout' | 'woken';

/** 'bare-lf': where the next command begins is unknown, the session must end. 'too-long': `discardLine` finds the end. */
export type LineFault = 'bare-lf' | 'too-long';

/** Octets that have arrived and are not used up yet, cut into lines and literals. */
export class Input {
  #chunk: Buffer = NOTHING;
  #pos = 0;
  readonly #connection: Connection;
  /** The read in progress is kept across wake-ups: a connection allows one at a time. */
  #reading = false;
  #arrived: Buffer | undefined;
  #ended = false;
  #timedOut = false;
  #woken = false;
  #resume: (() => void) | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Whether octets have arrived that nobody has looked at. */
  get pending(): boolean {
    return this.#pos < this.#chunk.length || this.#arrived !== undefined;
  }

  /** The next line without its CRLF (a view, valid until `fill`), a fault, or undefined: `fill` first. */
  takeLine(max: number): Buffer | LineFault | undefined {
    const lf = this.#chunk.indexOf(LF, this.#pos);
    if (lf === -1) return this.#chunk.length - this.#pos > max ? 'too-long' : undefined;
    const start = this.#pos;
    if (lf - start > max) return 'too-long';
    if (lf === start || this.#chunk[lf - 1] !== CR) return 'bare-lf';
    this.#pos = lf + 1;
    return this.#chunk.subarray(start, lf - 1);
  }

  /** Throw away what has arrived up to the end of the line: the octets, and whether the end was among them. */
  discardLine(): { octets: Buffer; found: boolean } {
    const lf = this.#chunk.indexOf(LF, this.#pos);
    const end = lf === -1 ? this.#chunk.length : lf + 1;
    const octets = this.#chunk.subarray(this.#pos, end);
    this.#pos = end;
    return { octets, found: lf !== -1 };
  }

  /** Up to `max` octets that have arrived (a view, valid until `fill`); empty: `fill` first. */
  takeOctets(max: number): Buffer {
    const end = Math.min(this.#chunk.length, this.#pos + max);
    const octets = this.#chunk.subarray(this.#pos, end);
    this.#pos = end;
    return octets;
  }

  /** Wait for more octets, at most `timeoutMs` milliseconds. */
  async fill(timeoutMs: number): Promise<Filled> {
    if (this.#woken) return this.#wokenUp();
    if (this.#arrived === undefined && !this.#ended && !this.#timedOut) {
      this.#startReading(timeoutMs);
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
      this.#resume = undefined;
    }
    if (this.#arrived !== undefined) {
      this.#append(this.#arrived);
      this.#arrived = undefined;
      return 'data';
    }
    if (this.#ended) return 'end';
    if (this.#timedOut) {
      this.#timedOut = false;
      return 'timeout';
    }
    return this.#wokenUp();
  }

  /** End the wait of `fill`, or the next one if there is none: something else needs looking at. */
  wake(): void {
    this.#woken = true;
    this.#resume?.();
  }

  #wokenUp(): Filled {
    this.#woken = false;
    return 'woken';
  }

  #append(data: Buffer): void {
    const rest = this.#chunk.subarray(this.#pos);
    this.#chunk = rest.length === 0 ? data : Buffer.concat([rest, data]);
    this.#pos = 0;
  }

  /** Let go of a used-up buffer, so that an idle session holds none. */
  release(): void {
    if (this.#pos === this.#chunk.length) {
      this.#chunk = NOTHING;
      this.#pos = 0;
    }
  }

  /** As `release`, when nobody keeps a part of the octets taken so far: then their memory goes back at once. */
  giveBack(): void {
    if (this.#pos < this.#chunk.length) return;
    giveBack(this.#chunk);
    this.#chunk = NOTHING;
    this.#pos = 0;
  }

  #startReading(timeoutMs: number): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#connection.read({ timeoutMs }).then(
      (data) => {
        this.#reading = false;
        if (data === undefined) this.#ended = true;
        else this.#arrived = data;
        this.#resume?.();
      },
      (error: unknown) => {
        this.#reading = false;
        if (error instanceof ReadTimeout) this.#timedOut = true;
        else this.#ended = true;
        this.#resume?.();
      },
    );
  }
}
