import type { Clock, Timer } from '../../../base/clock.ts';

/**
 * The time limits of a session on one timer: how long the client may take for what we wait for now, for all of a
 * message's data, and for the session. Waiting costs a look at the clock and no timer of its own, because commands
 * come by the thousand and limits are minutes.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #expired: (why: string) => void;
  readonly #sessionEnd: number;
  readonly #sessionWhy: string;
  #dataEnd = Number.POSITIVE_INFINITY;
  #dataWhy = '';
  #deadline = Number.POSITIVE_INFINITY;
  #why = '';
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** `expired` is called at most once a wait, with the reason in plain words. */
  constructor(clock: Clock, sessionMs: number, expired: (why: string) => void) {
    this.#clock = clock;
    this.#expired = expired;
    this.#sessionEnd = clock.monotonic() + sessionMs;
    this.#sessionWhy = `session lasted ${seconds(sessionMs)} s`;
  }

  /** From now until `rest` we wait for the client, for `ms` milliseconds at most; `what` completes "no … for n s". */
  wait(ms: number, what: string): void {
    const now = this.#clock.monotonic();
    this.#deadline = now + ms;
    this.#why = what;
    if (this.#dataEnd < this.#deadline) {
      this.#deadline = this.#dataEnd;
      this.#why = this.#dataWhy;
    }
    if (this.#sessionEnd < this.#deadline) {
      this.#deadline = this.#sessionEnd;
      this.#why = this.#sessionWhy;
    }
    if (this.#deadline < this.#timerAt) this.#arm(now);
  }

  /** We are busy ourselves: the client's time stands still. */
  rest(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** The data of a message begins: all of it has `ms` milliseconds, however many pieces and commands it takes. */
  startData(ms: number): void {
    this.#dataEnd = this.#clock.monotonic() + ms;
    this.#dataWhy = `message data took ${seconds(ms)} s`;
  }

  endData(): void {
    this.#dataEnd = Number.POSITIVE_INFINITY;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #arm(now: number): void {
    this.#timer?.cancel();
    this.#timerAt = this.#deadline;
    this.#timer = this.#clock.setTimer(Math.max(1, Math.ceil(this.#deadline - now)), () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (this.#deadline === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.monotonic();
    if (now < this.#deadline) {
      this.#arm(now);
      return;
    }
    const why = this.#why;
    this.rest();
    this.#expired(why);
  }
}

/** Whole seconds of a limit in milliseconds. */
export function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
