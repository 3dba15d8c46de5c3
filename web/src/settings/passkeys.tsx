import { startRegistration } from '@simplewebauthn/browser';
import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { formatDate, formatRelative } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { withConfirmation } from './confirm-self.tsx';
import { NamedList } from './named-list.tsx';
import type { SecurityProps } from './security.tsx';
import { PATH } from './security-types.ts';
import { useSave } from './use-save.ts';
import { Text } from './fields.tsx';

type Options = Parameters<typeof startRegistration>[0]['optionsJSON'];

export function Passkeys({ facts, reload }: SecurityProps) {
  const t = texts('settings');
  const base = texts('base');
  const [name, setName] = useState('');
  const { busy, problems, save } = useSave();
  const add = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      const { challengeId, options } = await withConfirmation(() =>
        api<{ challengeId: string; options: Options }>('POST', `${PATH}/passkeys/options`),
      );
      const response = await startRegistration({ optionsJSON: options });
      await api('POST', `${PATH}/passkeys`, { challengeId, response, name: name.trim() });
      setName('');
      await reload();
    }, t('passkeyMade'));
  };
  const remove = async (id: number | string, called: string): Promise<void> => {
    const title = t('passkeyRemoveTitle', { name: called });
    if (!(await confirm({ title, yes: base('remove'), danger: true }))) return;
    await save(() => withConfirmation(() => api('DELETE', `${PATH}/passkeys/${id}`)));
    await reload();
  };
  return (
    <section class="settings-section">
      <h2>{t('passkeys')}</h2>
      <p class="soft">{t('passkeysAbout')}</p>
      <NamedList
        rows={facts.passkeys}
        busy={busy}
        about={(each) => (
          <>
            {t('since', { date: formatDate(each.createdAt) })}
            {each.lastUsedAt ? ` · ${t('lastUsed', { when: formatRelative(each.lastUsedAt) })}` : ''}
          </>
        )}
        onRemove={(each) => void remove(each.id, each.name)}
      />
      <form class="row" onSubmit={add}>
        <Text
          label={t('passkeyName')}
          problem={Object.values(problems)[0]}
          required
          maxLength={60}
          value={name}
          onInput={setName}
        />
        <button type="submit" class="button" disabled={busy || !('credentials' in navigator)}>
          {t('passkeyAdd')}
        </button>
      </form>
    </section>
  );
}
