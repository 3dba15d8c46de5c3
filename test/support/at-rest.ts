/**
 * When a server in this process has nothing under way any more: for clocks that are moved by hand while real sockets,
 * threads and child processes answer in their own time.
 */
import type { Store } from '../../src/data/store.ts';

/** What belongs to whoever listens and waits, and says nothing about work. */
const IDLE = new Set(['Timeout', 'Immediate', 'TCPServerWrap', 'PipeServerWrap', 'MessagePort', 'TTYWrap']);
/** Milliseconds of real time after which connections that nothing happens on count as kept for later. */
const KEPT_MS = 40;
/** Milliseconds of real time that a child process or a file operation gets. */
const PATIENCE_MS = 30_000;
/** Turns of the event loop in which nothing is under way, until it counts as rest. */
const QUIET_TURNS = 3;
/** Things that end by themselves: these are waited for however long they take. */
const ENDS = new Set(['ProcessWrap', 'FSReqPromise', 'FSReqCallback', 'GetAddrInfoReqWrap']);

function counted(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of process.getActiveResourcesInfo())
    if (!IDLE.has(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function more(now: ReadonlyMap<string, number>, rest: ReadonlyMap<string, number>): string[] {
  return [...now].flatMap(([name, count]) => (count > (rest.get(name) ?? 0) ? [`${name} ${count}`] : []));
}

/** Promises of what a store was asked and has not answered: its threads are not among what Node counts. */
function pendingOf(
  parts: readonly { run(...args: never[]): Promise<unknown> }[],
): ReadonlySet<Promise<unknown>> {
  const pending = new Set<Promise<unknown>>();
  for (const part of parts) {
    const run = part.run.bind(part);
    const counting = (...args: never[]): Promise<unknown> => {
      const answer = run(...args);
      pending.add(answer);
      const answered = (): void => void pending.delete(answer);
      answer.then(answered, answered);
      return answer;
    };
    Object.defineProperty(part, 'run', { value: counting });
  }
  return pending;
}

/** Call it while nothing is under way; the function it returns resolves when it is so again. */
export function restWatch({ read, write }: Pick<Store, 'read' | 'write'>): () => Promise<void> {
  const pending = pendingOf([read, write]);
  const rest = counted();
  return async () => {
    const begun = Date.now();
    let seen = '';
    let since = begun;
    for (let quiet = 0; quiet < QUIET_TURNS; ) {
      if (pending.size > 0) {
        await Promise.allSettled(pending);
        quiet = 0;
      }
      await new Promise((resolve) => setImmediate(resolve));
      if (pending.size > 0) continue;
      const busy = more(counted(), rest);
      if (busy.length === 0) {
        quiet++;
        continue;
      }
      quiet = 0;
      if (busy.join() !== seen) [seen, since] = [busy.join(), Date.now()];
      const ends = busy.some((each) => ENDS.has(each.slice(0, each.indexOf(' '))));
      if (!ends && Date.now() - since > KEPT_MS) return;
      if (Date.now() - begun > PATIENCE_MS) throw new Error(`does not come to rest: ${seen}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
}
