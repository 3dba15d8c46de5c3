import type { Clock } from '../../../base/clock.ts';
import { errorText } from '../../../base/errors.ts';
import type { Store } from '../../../data/store.ts';
import type { ServerFacts } from '../facts.ts';

/** Milliseconds an answer of the store is believed: a probe must not become a load of commits. */
const STORE_FRESH_MS = 5000;
/** Milliseconds the store has for a commit before it counts as not writable. */
const STORE_PATIENCE_MS = 5000;

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Why not, in plain words; '' when ok. */
  readonly detail: string;
}

export interface Health {
  readonly ready: boolean;
  readonly checks: readonly Check[];
}

/** Readiness: not stopping, every listener up, and the store takes a real commit. */
export function createHealth(deps: {
  readonly store: Pick<Store, 'write'>;
  readonly clock: Clock;
  readonly facts: Pick<ServerFacts, 'listeners' | 'stopping'>;
}): () => Promise<Health> {
  const { store, clock, facts } = deps;
  let checked: { readonly at: number; readonly result: Promise<Check> } | undefined;

  async function writeOnce(): Promise<Check> {
    const late = new AbortController();
    const committed = store.write
      .run('directory.setSetting', { name: 'health.checked', value: String(clock.now()) })
      .then(
        () => '',
        (error: unknown) => errorText(error),
      );
    const slow = clock
      .sleep(STORE_PATIENCE_MS, late.signal)
      .then(() => `no commit within ${STORE_PATIENCE_MS} ms`);
    const detail = await Promise.race([committed, slow]);
    late.abort();
    return { name: 'store', ok: detail === '', detail };
  }

  function storeCheck(): Promise<Check> {
    const now = clock.monotonic();
    if (checked === undefined || now - checked.at >= STORE_FRESH_MS)
      checked = { at: now, result: writeOnce() };
    return checked.result;
  }

  return async () => {
    const closed = facts.listeners().filter(({ open }) => !open);
    const names = closed.map(({ name, port }) => `${name} (${port})`).join(', ');
    const checks = [
      {
        name: 'running',
        ok: facts.stopping?.() !== true,
        detail: facts.stopping?.() === true ? 'stopping' : '',
      },
      {
        name: 'listeners',
        ok: closed.length === 0,
        detail: closed.length === 0 ? '' : `not listening: ${names}`,
      },
      await storeCheck(),
    ];
    return { ready: checks.every(({ ok }) => ok), checks };
  };
}
