import { useState } from 'preact/hooks';
import { Dialog } from '../../base/dialog.tsx';
import { formatSoon } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import type { Id } from '../../jmap/types.ts';
import { act, snooze } from '../actions.ts';
import { closeDialog } from './open.ts';
import { localInput, snoozeTimes } from './snooze-times.ts';

/** When should it come back? */
export function SnoozeDialog({ ask }: { readonly ask: { readonly rows: readonly Id[] } }) {
  const t = texts('mail');
  const [now] = useState(() => Date.now());
  const times = snoozeTimes(now);
  const [own, setOwn] = useState(() => localInput(times.find(({ name }) => name === 'tomorrow')?.at ?? now));
  const run = (until: number): void => {
    closeDialog();
    act((targets) => snooze(targets, until), ask.rows)();
  };
  const chosen = new Date(own).getTime();
  return (
    <Dialog title={t('snoozeTitle')} onClose={closeDialog}>
      <ul class="mail-choices plain">
        {times.map(({ name, at }, i) => (
          <li key={name}>
            <button type="button" class="mail-choice" autofocus={i === 0} onClick={() => run(at)}>
              <Icon name="clock" />
              <span>{t(name)}</span>
              <span class="soft small mail-choice-end">{formatSoon(at)}</span>
            </button>
          </li>
        ))}
      </ul>
      <form
        class="row mail-own"
        onSubmit={(event) => {
          event.preventDefault();
          if (chosen > Date.now()) run(chosen);
        }}
      >
        <label class="mail-own-time">
          <span>{t('ownTime')}</span>
          <input
            class="input"
            type="datetime-local"
            min={localInput(now)}
            value={own}
            onInput={(event) => setOwn(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary" disabled={!(chosen > now)}>
          {t('snooze')}
        </button>
      </form>
    </Dialog>
  );
}
