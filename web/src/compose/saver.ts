import { signal, type Signal } from '@preact/signals';
import { texts } from '../base/i18n.ts';
import { me } from '../base/session.ts';
import { attachedOctets, type Draft } from './draft.ts';
import { keepDraft } from './local.ts';
import { unsavedReason } from './problems.ts';
import { nextSaveState, NOT_SAVED, saveDelay, type SaveEvent, type SaveState } from './save-state.ts';
import { isOffline, type Saved, saveDraft } from './server.ts';

/** Keeps a draft: on this device at once, on the server when there is a moment's rest. */

export interface Saver {
  readonly state: Signal<SaveState>;
  changed(): void;
  /** Have the server's copy be what is written now; false: it could not be. */
  flush(): Promise<boolean>;
  /** Wait for a save that runs, start no other. */
  stop(): Promise<void>;
  /** Go on after `stop`: what happened to the server's copy meanwhile is not known. */
  restart(): void;
  /** A try may have succeeded without our knowing. */
  readonly uncertain: () => boolean;
}

/** Milliseconds without a key before this device has a copy. */
const LOCAL_MS = 300;

export function createSaver(
  snapshot: () => Draft,
  onSaved: (saved: Saved, was: Draft) => void,
  /** There was a try whose end nobody saw: the page was left meanwhile. */
  uncertainBefore = false,
): Saver {
  const state = signal<SaveState>(NOT_SAVED);
  let uncertain = uncertainBefore;
  let failures = 0;
  let stopped = false;
  let local: ReturnType<typeof setTimeout> | undefined;
  let remote: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<boolean> | undefined;

  /** Whose draft it is, also when the session has ended meanwhile. */
  const account = me.value?.address;

  const go = (event: SaveEvent): void => {
    state.value = nextSaveState(state.value, event);
  };
  const keep = (): Promise<void> =>
    // No room, or private browsing without storage: the server's copy is the one then.
    keepDraft(snapshot(), state.value.phase !== 'clean', account).catch(() => undefined);
  const plan = (): void => {
    clearTimeout(remote);
    const delay =
      stopped || me.value?.address !== account
        ? undefined
        : saveDelay(state.value, attachedOctets(snapshot().attachments), failures);
    if (delay !== undefined) remote = setTimeout(() => void save(), delay);
  };
  const save = async (): Promise<boolean> => {
    if (running !== undefined) return running;
    clearTimeout(remote);
    const was = snapshot();
    go({ kind: 'started' });
    running = saveDraft(was, uncertain).then(
      (saved) => {
        uncertain = false;
        failures = 0;
        onSaved(saved, was);
        go({ kind: 'saved', at: Date.now() });
        return true;
      },
      (error: unknown) => {
        const offline = isOffline(error);
        // The connection broke: nobody knows whether the server had it by then.
        if (offline) uncertain = true;
        failures++;
        go({ kind: 'failed', offline, reason: unsavedReason(error, texts('compose')) });
        return false;
      },
    );
    const outcome = await running;
    running = undefined;
    await keep();
    plan();
    return outcome;
  };
  const online = (): void => {
    failures = 0;
    if (state.value.phase === 'offline') void save();
  };
  addEventListener('online', online);
  return {
    state,
    uncertain: () => uncertain,
    changed() {
      go({ kind: 'changed' });
      clearTimeout(local);
      local = setTimeout(() => void keep(), LOCAL_MS);
      plan();
    },
    async flush() {
      clearTimeout(local);
      await running;
      if (state.value.phase === 'clean' && state.value.savedAt !== undefined) return true;
      await keep();
      return save();
    },
    async stop() {
      stopped = true;
      clearTimeout(local);
      clearTimeout(remote);
      removeEventListener('online', online);
      await running;
    },
    restart() {
      stopped = false;
      uncertain = true;
      addEventListener('online', online);
      this.changed();
    },
  };
}
