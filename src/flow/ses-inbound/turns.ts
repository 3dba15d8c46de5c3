/** Work with the same key runs one after another; of all keys together so many at once. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #limit: () => number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Keys with work under way or waiting. */
  get size(): number {
    return this.#last.size;
  }

  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(
      () => this.#inRoom(work),
      () => this.#inRoom(work),
    );
    const tail = mine
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(key) === tail) this.#last.delete(key);
      });
    this.#last.set(key, tail);
    return mine;
  }

  /** All that is under way has ended. */
  async idle(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }

  async #inRoom<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      // Room is handed on, so that nobody who comes just now takes it first.
      const next = this.#running <= this.#limit() ? this.#waiting.shift() : undefined;
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
