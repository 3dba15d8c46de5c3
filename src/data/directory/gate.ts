/**
 * Lets at most `running` tasks run at a time and at most `waiting` wait their turn. `undefined` instead of a promise:
 * the line is full.
 */
export function createGate(
  running: number,
  waiting: number,
): <T>(task: () => Promise<T>) => Promise<T> | undefined {
  let active = 0;
  const line: (() => void)[] = [];

  async function enter<T>(task: () => Promise<T>): Promise<T> {
    if (active >= running) await new Promise<void>((resolve) => line.push(resolve));
    else active++;
    try {
      return await task();
    } finally {
      // Whoever is next takes over this place.
      const next = line.shift();
      if (next === undefined) active--;
      else next();
    }
  }

  return (task) => (active >= running && line.length >= waiting ? undefined : enter(task));
}
