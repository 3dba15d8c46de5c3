/**
 * What a server's memory is made of, as a preload: `MEMORY_LOG=file NODE_OPTIONS="--import ./bench/support/memory-log.ts"
 * node bench/stress.ts …`. Appends a line of each thread every 20 seconds, in MiB: what is in use and what V8 has taken, both
 * after a full collection unless MEMORY_GC=false, buffers, and the resident memory of the process. What still grows after a
 * collection is kept by somebody; the rest is garbage that nobody has looked for yet.
 */
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread, threadId } from 'node:worker_threads';

const EVERY_MS = 20_000;
const file = process.env['MEMORY_LOG'];

// The server alone, with its threads, not the bench that starts it.
if (file !== undefined && (!isMainThread || process.argv[1]?.endsWith('/src/app/main.ts') === true)) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const start = performance.now();
  const timer = setInterval(() => {
    if (process.env['MEMORY_GC'] !== 'false') collect();
    const { heapUsed, heapTotal, external, arrayBuffers, rss } = process.memoryUsage();
    const [used, taken, outside, buffers, resident] = [heapUsed, heapTotal, external, arrayBuffers, rss].map(
      (octets) => (octets / 1_048_576).toFixed(1),
    );
    const seconds = Math.round((performance.now() - start) / 1000);
    const whole = isMainThread ? ` rss ${resident}` : '';
    appendFileSync(
      file,
      `${seconds} s, ${process.pid}, thread ${threadId}: heap ${used} of ${taken}, external ${outside}, of them buffers ${buffers}${whole}\n`,
    );
  }, EVERY_MS);
  timer.unref();
}
