import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, isMainThread } from 'node:worker_threads';
import { type Clock, every } from './clock.ts';

/**
 * Memory is given back when a process has worked and then falls quiet. V8 grows its heaps while there is work and then
 * leaves them as they are, because it collects only when something is allocated: after a burst of mail, hundreds of
 * megabytes would stay that hold nothing.
 */

/** The threads of a process (and only they) hear of quiet here. */
const CHANNEL = 'postern: quiet';
/** Milliseconds between two looks at the processor time. */
const LOOK_MS = 2000;
/** Looks in a row at which the process must have been quiet. */
const QUIET_LOOKS = 2;
/** Of a processor, over the time of a look: less is quiet. */
const QUIET_SHARE = 0.04;
/** Milliseconds of processor time after which there is something to give back. Collecting costs less. */
const WORK_MS = 500;
/** Milliseconds between two times at least. */
const PAUSE_MS = 30_000;

/** Milliseconds of processor time that all threads have taken. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * Watch the whole process, from its main thread: tell all who listen with `onQuiet` when it has fallen quiet. `spent`:
 * milliseconds of processor time so far.
 */
export function watchForQuiet(clock: Clock, spent: () => number = processorMs): { cancel(): void } {
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  // What it took to start counts: modules leave much behind.
  let collected = 0;
  let lastMs = spent();
  let lastAt = clock.monotonic();
  let toldAt = Number.NEGATIVE_INFINITY;
  let quiet = 0;
  const look = (): void => {
    const ms = spent();
    const now = clock.monotonic();
    quiet = ms - lastMs < QUIET_SHARE * (now - lastAt) ? quiet + 1 : 0;
    lastMs = ms;
    lastAt = now;
    if (quiet < QUIET_LOOKS || ms - collected < WORK_MS || now - toldAt < PAUSE_MS) return;
    collected = ms;
    toldAt = now;
    channel.postMessage('quiet');
  };
  const looking = every(clock, LOOK_MS, look);
  return {
    cancel() {
      looking.cancel();
      channel.close();
    },
  };
}

/** Call `fn` each time the process has fallen quiet, in the thread that asks for it. Keeps no thread alive. */
export function onQuiet(fn: () => void): { cancel(): void } {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = fn;
  channel.unref();
  return { cancel: () => channel.close() };
}

type Collect = (options: { type: 'major'; flavor: 'regular' | 'last-resort' }) => void;
let collect: Collect | undefined;

/**
 * Collect the garbage of this thread, and let V8 shrink its heap. In the main thread that is one full collection (some
 * 40 ms for 40 MB), after which V8 shrinks the heap by itself, little by little over the next 20 s; in others, where
 * nobody waits for each turn, all is done at once.
 */
export function collectGarbage(): void {
  collect ??= exposedCollect();
  collect?.({ type: 'major', flavor: isMainThread ? 'regular' : 'last-resort' });
}

/** The only way to V8's own function without an option on the command line: a context made while it is exposed. */
function exposedCollect(): Collect | undefined {
  setFlagsFromString('--expose-gc');
  try {
    // Another thread may have taken the option back meanwhile: then it is not there, and comes the next time.
    return runInNewContext('typeof gc === "function" ? gc : undefined') as Collect | undefined;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
