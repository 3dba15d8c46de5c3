import { useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { useSave } from '../settings/use-save.ts';
import { admin } from './api.ts';
import { Text } from './transport-form.tsx';

interface Planned {
  readonly route: string;
  readonly destination: string;
  readonly local: boolean;
  readonly ways: readonly { readonly transport: string; readonly kind: string; readonly obstacle?: string }[];
  readonly suppressed?: string;
}

/** Where mail to an address would go now. */
export function RouteTest() {
  const t = texts('admin');
  const [address, setAddress] = useState('');
  const [from, setFrom] = useState('');
  const [answer, setAnswer] = useState<Planned | undefined>(undefined);
  const { busy, problems, save } = useSave();
  return (
    <section class="settings-section">
      <h2>{t('routeTest')}</h2>
      <form
        class="admin-filter"
        onSubmit={(event) => {
          event.preventDefault();
          const input = { address: address.trim(), ...(from.trim() !== '' && { from: from.trim() }) };
          void save(async () => setAnswer(await admin<Planned>('POST', '/routing/test', input)), '');
        }}
      >
        <Field label={t('mailTo')} problem={Object.values(problems)[0]}>
          {(input) => (
            <input
              {...input}
              type="email"
              required
              value={address}
              onInput={(event) => setAddress(event.currentTarget.value)}
            />
          )}
        </Field>
        <Text label={t('from')} value={from} onInput={setFrom} />
        <button type="submit" class="button" disabled={busy}>
          {t('ask')}
        </button>
      </form>
      {answer !== undefined && (
        <div class="note" role="status">
          {answer.local ? (
            <p>{t('routeLocal', { domain: answer.destination })}</p>
          ) : (
            <>
              <p>{t('routeTaken', { route: answer.route })}</p>
              <ol>
                {answer.ways.map(({ transport, kind, obstacle }) => (
                  <li key={transport}>
                    <strong>{transport}</strong> ({kind}){obstacle !== undefined && `: ${obstacle}`}
                  </li>
                ))}
              </ol>
            </>
          )}
          {answer.suppressed !== undefined && <p>{t('routeSuppressed', { reason: answer.suppressed })}</p>}
        </div>
      )}
    </section>
  );
}
