import { useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { Text } from '../settings/fields.tsx';
import { type Said, spoken } from '../text/said.ts';
import { Sentences, useSentences } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin } from './api.ts';
import { LineForm } from './line-form.tsx';

interface Planned {
  readonly route: string;
  readonly destination: string;
  readonly local: boolean;
  readonly ways: readonly {
    readonly transport: string;
    readonly kind: string;
    readonly obstacleWords?: readonly Said[];
  }[];
  readonly suppressedWords?: readonly Said[];
}

/** Where mail to an address would go now. */
export function RouteTest() {
  const t = texts('admin');
  useSentences('ways');
  const [address, setAddress] = useState('');
  const [from, setFrom] = useState('');
  const [answer, setAnswer] = useState<Planned | undefined>(undefined);
  const { busy, problems, save } = useSave();
  return (
    <section class="settings-section">
      <h2>{t('routeTest')}</h2>
      <LineForm
        yes={t('ask')}
        busy={busy}
        onSubmit={() => {
          const input = { address: address.trim(), ...(from.trim() !== '' && { from: from.trim() }) };
          return save(async () => setAnswer(await admin<Planned>('POST', '/routing/test', input)), '');
        }}
      >
        <Text
          label={t('mailTo')}
          problem={Object.values(problems)[0]}
          type="email"
          required
          value={address}
          onInput={setAddress}
        />
        <Text label={t('from')} value={from} onInput={setFrom} />
      </LineForm>
      {answer !== undefined && (
        <div class="note" role="status">
          {answer.local ? (
            <p>{t('routeLocal', { domain: answer.destination })}</p>
          ) : (
            <>
              <p>{t('routeTaken', { route: answer.route })}</p>
              <ol>
                {answer.ways.map(({ transport, kind, obstacleWords }) => (
                  <li key={transport}>
                    <strong>{transport}</strong> ({kind})
                    {obstacleWords !== undefined && (
                      <>
                        {': '}
                        <Sentences said={obstacleWords} />
                      </>
                    )}
                  </li>
                ))}
              </ol>
            </>
          )}
          {answer.suppressedWords !== undefined && (
            <p>
              {t('routeSuppressed', {
                reason: answer.suppressedWords.map((each) => spoken(each).text).join(' · '),
              })}
            </p>
          )}
        </div>
      )}
    </section>
  );
}
