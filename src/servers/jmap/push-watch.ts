import type { Clock, Timer } from '../../base/clock.ts';
import type { Store } from '../../data/store.ts';
import { shortHash } from './context.ts';
import { changedStates, currentStates, type States } from './push-states.ts';

/** Milliseconds in which changes are gathered into one. */
const GATHER_MS = 50;

export interface StateWatchOptions {
  readonly login: { readonly accountId: number };
  readonly types: ReadonlySet<string>;
  /** The id that came with what was told last; undefined: tell only what changes from here on. */
  readonly lastId: string | undefined;
  /** What has changed, and an id for all that is told by now. */
  readonly change: (changed: States, id: string) => void;
  /** The states could not be read; nothing more is told. */
  readonly failed: () => void;
  /** Milliseconds in which changes are gathered; default 50. */
  readonly gatherMs?: number | undefined;
}

/** Tell changes of everything that an account may see (RFC 8620 section 7.1), until the result is called. */
export function watchStates(
  options: { readonly store: Pick<Store, 'read' | 'changes'>; readonly clock: Clock },
  wish: StateWatchOptions,
): () => void {
  const { store, clock } = options;
  const stops: (() => void)[] = [];
  const watched = new Set<number>();
  let told: States | undefined;
  let gathering: Timer | undefined;
  let looking: Promise<void> = Promise.resolve();
  let open = true;

  function stop(): void {
    open = false;
    gathering?.cancel();
    for (const each of stops.splice(0)) each();
  }

  function watch(accountId: number): void {
    if (watched.has(accountId)) return;
    watched.add(accountId);
    stops.push(store.changes.onAccount(accountId, wake));
  }

  function wake(): void {
    if (!open || gathering !== undefined) return;
    gathering = clock.setTimer(wish.gatherMs ?? GATHER_MS, () => {
      gathering = undefined;
      lookAgain();
    });
  }

  function lookAgain(): void {
    looking = looking.then(look).catch(() => {
      if (!open) return;
      stop();
      wish.failed();
    });
  }

  async function look(): Promise<void> {
    if (!open) return;
    const { states, accounts } = await currentStates(options, wish.login, wish.types);
    if (!open) return;
    for (const account of accounts) watch(account);
    const id = shortHash(JSON.stringify(states));
    // Who comes back and was told something else last is told everything.
    const before = told ?? (wish.lastId === undefined || wish.lastId === id ? states : {});
    told = states;
    const changed = changedStates(before, states);
    if (Object.keys(changed).length > 0) wish.change(changed, id);
  }

  watch(wish.login.accountId);
  lookAgain();
  return stop;
}
