import { createServer } from 'node:net';

/** Ports of one system lie within this many above its base. */
export const PORTS_EACH = 5000;
/** What a system or its sink listens on, above its base. */
const OFFSETS = [24, 25, 80, 143, 465, 587, 993, 999, 4190];
const HIGHEST = 60_000;

/** The first base from this one on whose ports nobody holds: another server there would be measured instead. */
export async function freeBase(from: number): Promise<number> {
  for (let base = from; base < HIGHEST; base += PORTS_EACH) {
    const free = await Promise.all(OFFSETS.map((offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`no free ports from ${from} on`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
