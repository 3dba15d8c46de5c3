import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * MiB of the part of a thread's heap that new objects are made in. V8 chooses by the memory of the machine, up to 100 and
 * more for each thread, which it fills before it looks for garbage.
 */
const YOUNG_MIB = 12;

/**
 * Start a worker thread from a module named without its ending, relative to the caller's `import.meta.url`. In the
 * checkout sources run as `.ts`; in the published package the same modules are `.js` (Node refuses to strip types
 * under node_modules), so the ending follows the caller's own.
 */
export function spawnThread(callerUrl: string, moduleWithoutEnding: string, options: WorkerOptions): Worker {
  const ending = callerUrl.endsWith('.ts') ? '.ts' : '.js';
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MIB, ...options.resourceLimits };
  return new Worker(new URL(moduleWithoutEnding + ending, callerUrl), { ...options, resourceLimits });
}
