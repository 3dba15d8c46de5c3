import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { Dialog } from '../base/dialog.tsx';
import { api, ApiError } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { toastError } from '../base/toast.tsx';
import { me } from '../base/session.ts';
import { Text } from './fields.tsx';

/** Somebody waits for us to say who we are once more. */
const asked = signal<((confirmed: boolean) => void) | undefined>(undefined);

/** Run it; when the server wants to know anew who asks (the sign-in is a while ago), ask and run it again. */
export async function withConfirmation<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind !== 'reauthenticate') throw error;
    const confirmed = await new Promise<boolean>((resolve) => {
      asked.value = resolve;
    });
    asked.value = undefined;
    if (!confirmed) throw new ApiError(403, 'reauthenticate', texts('settings')('notConfirmed'));
    return run();
  }
}

export function ConfirmSelf() {
  const t = texts('settings');
  const base = texts('base');
  const [secret, setSecret] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const answer = asked.value;
  if (answer === undefined) return null;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    // Six digits are a code of the second factor; anything else is the password.
    const given = /^\d{6}$/.test(secret) ? { code: secret } : { password: secret };
    try {
      await api('POST', '/auth/confirm', given, { quiet: true });
      setSecret('');
      answer(true);
    } catch (error) {
      if (error instanceof ApiError && error.kind !== 'offline') setProblem(error.message);
      else toastError(error);
    }
  };
  return (
    <Dialog title={t('confirmTitle')} onClose={() => answer(false)}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <p>{t('confirmSentence')}</p>
        <input
          class="sr-only"
          type="text"
          autocomplete="username"
          tabIndex={-1}
          aria-hidden="true"
          readOnly
          value={me.value?.address ?? ''}
        />
        <Text
          label={t('confirmSecret')}
          problem={problem}
          type="password"
          required
          autocomplete="current-password"
          value={secret}
          onInput={setSecret}
        />
        <div class="dialog-foot">
          <button type="submit" class="button primary">
            {base('ok')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
