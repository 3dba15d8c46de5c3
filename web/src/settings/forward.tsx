import { useEffect, useState } from 'preact/hooks';
import { Check, Field } from '../base/field.tsx';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { useSave } from './use-save.ts';

interface Settings {
  readonly addresses: readonly string[];
  readonly keep: boolean;
}

export function Forward() {
  const remote = useRemote(
    (signal) => api<{ forward: Settings | null }>('GET', '/account/v1/forward', undefined, { signal }),
    [],
  );
  return (
    <RemoteView remote={remote}>
      {({ forward }) => <Form given={forward ?? { addresses: [], keep: true }} />}
    </RemoteView>
  );
}

function Form({ given }: { readonly given: Settings }) {
  const t = texts('settings');
  const base = texts('base');
  const [text, setText] = useState(given.addresses.join('\n'));
  const [keep, setKeep] = useState(given.keep);
  const { busy, problems, save } = useSave();
  useEffect(() => {
    setText(given.addresses.join('\n'));
    setKeep(given.keep);
  }, [given]);
  const submit = (event: Event): void => {
    event.preventDefault();
    const addresses = text.split(/[\s,;]+/).filter(Boolean);
    const forward = addresses.length === 0 ? null : { addresses, keep };
    void save(() => api('PUT', '/account/v1/forward', { forward }));
  };
  return (
    <form class="settings-form" onSubmit={submit}>
      <p class="soft">{t('forwardAbout')}</p>
      <Field label={t('forwardTo')} hint={t('forwardToHint')} problem={Object.values(problems)[0]}>
        {(input) => (
          <textarea
            {...input}
            rows={4}
            spellcheck={false}
            inputMode="email"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        )}
      </Field>
      <Check label={t('forwardKeep')} checked={keep} onChange={setKeep} />
      {!keep && text.trim() !== '' && <p class="note warning">{t('forwardNoCopy')}</p>}
      <div class="row">
        <button type="submit" class="button primary" disabled={busy}>
          {base('save')}
        </button>
      </div>
    </form>
  );
}
