import { formatDateTime, formatRelative } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { scopeWords } from './app-passwords.tsx';
import { browserName } from './browser-name.ts';
import { withConfirmation } from './confirm-self.tsx';
import type { SecurityProps } from './security.tsx';
import { PATH } from './security-types.ts';
import { useSave } from './use-save.ts';

/** Browsers that are signed in, and programs that were given access. */
export function Sessions({ facts, reload }: SecurityProps) {
  const t = texts('settings');
  const { busy, save } = useSave();
  const end = (path: string): void =>
    void save(async () => {
      await withConfirmation(() => api('DELETE', `${PATH}/${path}`));
      await reload();
    }, t('sessionEnded'));
  return (
    <>
      <section class="settings-section">
        <h2>{t('sessions')}</h2>
        <ul class="settings-list">
          {facts.sessions.map((each) => (
            <li key={each.id} class="settings-item">
              <div class="settings-item-main">
                <div class="settings-item-name">
                  {browserName(each.userAgent) ?? t('unknownBrowser')}{' '}
                  {each.current && <span class="badge good">{t('thisSession')}</span>}
                </div>
                <div class="soft small">
                  {each.address} · {formatDateTime(each.createdAt)} ·{' '}
                  {t('lastUsed', { when: formatRelative(each.lastUsedAt) })}
                </div>
              </div>
              {!each.current && (
                <button
                  type="button"
                  class="button"
                  disabled={busy}
                  onClick={() => end(`sessions/${each.id}`)}
                >
                  {t('sessionEnd')}
                </button>
              )}
            </li>
          ))}
        </ul>
        {facts.sessions.length > 1 && (
          <div class="row">
            <button type="button" class="button danger" disabled={busy} onClick={() => end('sessions')}>
              {t('sessionsEndOthers')}
            </button>
          </div>
        )}
      </section>
      {facts.grants.length > 0 && (
        <section class="settings-section">
          <h2>{t('grants')}</h2>
          <ul class="settings-list">
            {facts.grants.map((each) => (
              <li key={each.id} class="settings-item">
                <div class="settings-item-main">
                  <div class="settings-item-name">{each.client}</div>
                  <div class="soft small">
                    {scopeWords(each.scopes)} · {formatDateTime(each.createdAt)}
                  </div>
                </div>
                <button type="button" class="button" disabled={busy} onClick={() => end(`grants/${each.id}`)}>
                  {t('grantEnd')}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
