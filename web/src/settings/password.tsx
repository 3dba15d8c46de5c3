import { useState } from 'preact/hooks';
import { formatDate } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { me } from '../base/session.ts';
import { withConfirmation } from './confirm-self.tsx';
import type { SecurityProps } from './security.tsx';
import { PATH } from './security-types.ts';
import { useSave } from './use-save.ts';
import { Text } from './fields.tsx';

export function Password({ facts, reload }: SecurityProps) {
  const t = texts('settings');
  const base = texts('base');
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState('');
  const { busy, problems, save } = useSave();
  const submit = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      await withConfirmation(() => api('PUT', `${PATH}/password`, { current, password }, { quiet: true }));
      setCurrent('');
      setPassword('');
      await reload();
    }, t('passwordChanged'));
  };
  return (
    <section class="settings-section">
      <h2>{t('password')}</h2>
      <p class="soft small">{t('passwordSince', { date: formatDate(facts.passwordChangedAt) })}</p>
      <form class="settings-form" onSubmit={submit}>
        <input
          class="sr-only"
          type="text"
          autocomplete="username"
          tabIndex={-1}
          aria-hidden="true"
          readOnly
          value={me.value?.address ?? ''}
        />
        <div class="settings-pair">
          <Text
            label={t('passwordCurrent')}
            problem={problems['current']}
            type="password"
            required
            autocomplete="current-password"
            value={current}
            onInput={setCurrent}
          />
          <Text
            label={t('passwordNew')}
            hint={t('passwordHint')}
            problem={problems['password'] ?? problems['']}
            type="password"
            required
            minLength={8}
            autocomplete="new-password"
            value={password}
            onInput={setPassword}
          />
        </div>
        <div class="row">
          <button type="submit" class="button" disabled={busy}>
            {base('save')}
          </button>
        </div>
      </form>
    </section>
  );
}
