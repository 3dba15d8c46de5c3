import { type Language, language, LANGUAGES, setLanguage, texts } from '../base/i18n.ts';
import { Field } from '../base/field.tsx';
import { type Preferences, preferences, setPreferences } from '../base/preferences.ts';
import { setTheme, theme } from '../base/theme.ts';
import { toast, toastError } from '../base/toast.tsx';
import { ThisDevice } from '../base/this-device.tsx';
import { Choice } from './choice.tsx';
import { Notices } from './notices.tsx';

/** How it looks and behaves; each change is kept at once. */
export function General() {
  const t = texts('settings');
  const base = texts('base');
  const chosen = preferences.value;
  const change = (some: Partial<Preferences>): void => {
    setPreferences(some).then(() => toast(base('saved'), { ms: 2000 }), toastError);
  };
  const swipes = [
    ['archive', t('swipeArchive')],
    ['delete', t('swipeDelete')],
    ['read', t('swipeRead')],
    ['none', t('swipeNone')],
  ] as const;
  return (
    <div class="settings-form">
      <Field label={t('language')}>
        {(input) => (
          <select
            {...input}
            value={language.value}
            onChange={(event) => void setLanguage(event.currentTarget.value as Language)}
          >
            {Object.entries(LANGUAGES).map(([code, name]) => (
              <option key={code} value={code} lang={code}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Choice
        label={t('colours')}
        value={theme.value}
        options={[
          ['auto', t('coloursAuto')],
          ['light', t('coloursLight')],
          ['dark', t('coloursDark')],
        ]}
        onChange={setTheme}
      />
      <Choice
        label={t('readingPane')}
        value={chosen.readingPane}
        options={[
          ['right', t('paneRight')],
          ['bottom', t('paneBottom')],
          ['none', t('paneNone')],
        ]}
        onChange={(readingPane) => change({ readingPane })}
      />
      <Choice
        label={t('density')}
        value={chosen.density}
        options={[
          ['comfortable', t('densityComfortable')],
          ['compact', t('densityCompact')],
        ]}
        onChange={(density) => change({ density })}
      />
      <Choice
        label={t('remoteImages')}
        value={chosen.remoteImages}
        options={[
          ['ask', t('imagesAsk')],
          ['always', t('imagesAlways')],
          ['never', t('imagesNever')],
        ]}
        onChange={(remoteImages) => change({ remoteImages })}
      />
      <p class="soft small">{t('remoteImagesHint')}</p>
      <Field label={t('undoSend')} hint={t('undoSendHint')}>
        {(input) => (
          <select
            {...input}
            value={String(chosen.undoSendSeconds)}
            onChange={(event) => change({ undoSendSeconds: Number(event.currentTarget.value) })}
          >
            {[0, 5, 10, 20, 30, 60].map((seconds) => (
              <option key={seconds} value={seconds}>
                {seconds === 0 ? base('off') : t('seconds', { count: seconds })}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Choice
        label={t('composeFormat')}
        value={chosen.composeFormat}
        options={[
          ['rich', t('formatRich')],
          ['plain', t('formatPlain')],
        ]}
        onChange={(composeFormat) => change({ composeFormat })}
      />
      <div class="settings-pair">
        {(['swipeRight', 'swipeLeft'] as const).map((side) => (
          <Field key={side} label={t(side)}>
            {(input) => (
              <select
                {...input}
                value={chosen[side]}
                onChange={(event) =>
                  change({ [side]: event.currentTarget.value as Preferences['swipeRight'] })
                }
              >
                {swipes.map(([value, label]) => (
                  <option key={value} value={value}>
                    {label}
                  </option>
                ))}
              </select>
            )}
          </Field>
        ))}
      </div>
      <Notices />
      <ThisDevice />
    </div>
  );
}
