import { texts } from './i18n.ts';
import { install, installable, mailtoSupported, registerMailto } from './install.ts';
import { toastError } from './toast.tsx';

/** For the settings: what the browser can do with the app on this device. Nothing where it can do nothing. */
export function ThisDevice() {
  const t = texts('base');
  const canInstall = installable.value;
  const canMailto = mailtoSupported();
  if (!canInstall && !canMailto) return null;
  return (
    <section class="stack">
      <h2>{t('thisDevice')}</h2>
      {canInstall && (
        <div>
          <button type="button" class="button" onClick={() => void install().catch(toastError)}>
            {t('installApp')}
          </button>
          <p class="soft small">{t('installAbout')}</p>
        </div>
      )}
      {canMailto && (
        <div>
          <button type="button" class="button" onClick={registerMailto}>
            {t('mailtoHandle')}
          </button>
          <p class="soft small">{t('mailtoAbout')}</p>
        </div>
      )}
    </section>
  );
}
