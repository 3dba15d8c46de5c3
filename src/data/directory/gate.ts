/** Answer of a gate that has no place for a task, or gave its place to one of another client. */
export const GATE_FULL: unique symbol = Symbol('gate full');

export interface GateOptions {
  /** Tasks that run at a time. */
  readonly running: number;
  /** Tasks that wait their turn, of all clients together. */
  readonly waiting: number;
  /** Tasks of one client that may wait. */
  readonly share: number;
  /** Whose tasks may take up the whole line. */
  readonly exempt: (client: string) => boolean;
}

/** Runs a task of a client when its turn comes; GATE_FULL when it is not to come. What the task throws is thrown. */
export type Gate = <T>(client: string, task: () => Promise<T>) => Promise<T | typeof GATE_FULL>;

type Wake = (turn: 'go' | 'give up') => void;

/**
 * Lets few tasks run at a time and a bounded number wait, so that no client keeps the others out: each has at most its
 * share of the line, clients are served in turns, and in a full line one that waits with fewer takes the place of the
 * newest task of the one that waits with most.
 */
export function createGate({ running, waiting, share, exempt }: GateOptions): Gate {
  let active = 0;
  let inLine = 0;
  /** Waiting tasks by client, none empty, the client whose turn is next first. */
  const line = new Map<string, Wake[]>();

  /** Whether there is a place in the line for one more of this client, after making one where that is fair. */
  function admits(client: string): boolean {
    const own = line.get(client)?.length ?? 0;
    if (own >= share && !exempt(client)) return false;
    return inLine < waiting || displaceOne(own);
  }

  /** The longest of the line, if two longer than `own`, loses its newest: otherwise the two would only swap roles. */
  function displaceOne(own: number): boolean {
    let longest = '';
    let most = own + 1;
    for (const [client, { length }] of line) {
      if (length > most) [longest, most] = [client, length];
    }
    const wake = most > own + 1 ? line.get(longest)?.pop() : undefined;
    if (wake === undefined) return false;
    inLine--;
    wake('give up');
    return true;
  }

  function wait(client: string): Promise<'go' | 'give up'> {
    const own = line.get(client) ?? [];
    line.set(client, own);
    inLine++;
    return new Promise((resolve) => own.push(resolve));
  }

  /** Whoever is next takes over the place that has become free. */
  function passOn(): void {
    const [client, own] = line.entries().next().value ?? ['', []];
    const next = own.shift();
    // Behind all others, if it has more.
    line.delete(client);
    if (own.length > 0) line.set(client, own);
    if (next === undefined) {
      active--;
      return;
    }
    inLine--;
    next('go');
  }

  return async (client, task) => {
    if (active >= running) {
      if (!admits(client) || (await wait(client)) === 'give up') return GATE_FULL;
    } else active++;
    try {
      return await task();
    } finally {
      passOn();
    }
  };
}
