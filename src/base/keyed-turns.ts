/**
 * Work of one key (an account) in bounded number: so many at once, so many more wait in the order they came. Who meets
 * more than that is told at once, which bounds what waiting holds.
 */
export class KeyedTurns {
  readonly #atOnce: number;
  readonly #waiting: number;
  readonly #keys = new Map<number, { running: number; readonly queue: (() => void)[] }>();

  constructor(atOnce: number, waiting: number) {
    this.#atOnce = atOnce;
    this.#waiting = waiting;
  }

  /** Resolves when it is this one's turn, to the function that ends it; undefined when too many wait already. */
  take(key: number): Promise<() => void> | undefined {
    const mine = this.#keys.get(key) ?? { running: 0, queue: [] };
    this.#keys.set(key, mine);
    if (mine.running < this.#atOnce) {
      mine.running++;
      return Promise.resolve(this.#ender(key));
    }
    if (mine.queue.length >= this.#waiting) return undefined;
    return new Promise((resolve) => mine.queue.push(() => resolve(this.#ender(key))));
  }

  #ender(key: number): () => void {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const mine = this.#keys.get(key);
      if (mine === undefined) return;
      // Room is handed on, so that nobody who comes just now takes it first.
      const next = mine.queue.shift();
      if (next !== undefined) next();
      else if (--mine.running === 0) this.#keys.delete(key);
    };
  }
}
