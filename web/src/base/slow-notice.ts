import { effect, untracked } from '@preact/signals';
import { texts } from './i18n.ts';
import { askAgain, slowness } from './patience.ts';
import { toast } from './toast.tsx';

/** It stays until there is an answer. */
const LONG_MS = 3_600_000;

/** Say that the server takes long, for as long as it does, and offer to ask it again. */
export function startSlowNotice(): void {
  let hide: (() => void) | undefined;
  effect(() => {
    // What hiding reads and writes is nothing this waits for: it would set itself off.
    untracked(() => hide?.());
    hide = undefined;
    const how = slowness.value;
    if (how === 'none') return;
    const t = untracked(() => texts('base'));
    hide = untracked(() =>
      toast(t('serverSlow'), {
        ms: LONG_MS,
        ...(how === 'askable' && { action: { label: t('tryAgain'), run: askAgain } }),
      }),
    );
  });
}
