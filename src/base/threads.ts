import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Start a worker thread from a module named without its ending, relative to the caller's `import.meta.url`. In the
 * checkout sources run as `.ts`; in the published package the same modules are `.js` (Node refuses to strip types
 * under node_modules), so the ending follows the caller's own.
 */
export function spawnThread(callerUrl: string, moduleWithoutEnding: string, options: WorkerOptions): Worker {
  const ending = callerUrl.endsWith('.ts') ? '.ts' : '.js';
  return new Worker(new URL(moduleWithoutEnding + ending, callerUrl), options);
}
