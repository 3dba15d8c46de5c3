import { useState } from 'preact/hooks';
import { confirm, Dialog } from '../base/dialog.tsx';
import { formatDateTime, formatSize } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import type { Said } from '../text/said.ts';
import { Sentence, useSentences } from '../text/sentence.tsx';
import { useSave } from './use-save.ts';

/** A message that was refused or held back, as the vault keeps it. */
interface Entry {
  readonly case: string;
  readonly at: number;
  readonly from: string;
  readonly subject: string;
  readonly reason: string;
  readonly reasonWords?: Said;
  readonly size: number;
  readonly state?: string;
  readonly expiresAt?: number;
}

interface Detail {
  readonly entry: Entry;
  readonly beginning: string;
}

export function Refused() {
  useSentences('rules', 'events', 'why');
  const t = texts('settings');
  const base = texts('base');
  const remote = useRemote(
    (signal) => api<{ entries: readonly Entry[] }>('GET', '/account/v1/refused', undefined, { signal }),
    [],
  );
  const [shown, setShown] = useState<string | undefined>(undefined);
  const { busy, save } = useSave();
  const change = (run: () => Promise<unknown>, said: string): void =>
    void save(async () => {
      await run();
      setShown(undefined);
      await remote.reload();
    }, said);
  const release = (number: string): void =>
    change(
      () => api('POST', `/account/v1/refused/${encodeURIComponent(number)}/release`),
      t('refusedReleased'),
    );
  const remove = async (number: string): Promise<void> => {
    const yes = await confirm({ title: t('refusedDeleteTitle'), yes: base('delete'), danger: true });
    if (yes)
      change(() => api('DELETE', `/account/v1/refused/${encodeURIComponent(number)}`), t('refusedDeleted'));
  };
  return (
    <>
      <p class="soft">{t('refusedAbout')}</p>
      <RemoteView remote={remote}>
        {({ entries }) =>
          entries.length === 0 ? (
            <p class="soft">{t('refusedNone')}</p>
          ) : (
            <ul class="settings-list">
              {entries.map((each) => (
                <li key={each.case} class="settings-item">
                  <div class="settings-item-main">
                    <div class="settings-item-name" dir="auto">
                      {each.subject || t('noSubject')}
                    </div>
                    <div class="soft small" dir="auto">
                      {each.from} · {formatDateTime(each.at)} · {formatSize(each.size)}
                    </div>
                    <div class="small">
                      {each.reasonWords === undefined ? each.reason : <Sentence said={each.reasonWords} />}
                    </div>
                  </div>
                  <button type="button" class="button" onClick={() => setShown(each.case)}>
                    {t('refusedLook')}
                  </button>
                  <button type="button" class="button" disabled={busy} onClick={() => release(each.case)}>
                    {t('refusedRelease')}
                  </button>
                  <button
                    type="button"
                    class="button danger"
                    disabled={busy}
                    onClick={() => void remove(each.case)}
                  >
                    {base('delete')}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </RemoteView>
      {shown !== undefined && <Look number={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

/** Its beginning, as text and nothing else. */
function Look({ number, onClose }: { readonly number: string; readonly onClose: () => void }) {
  const t = texts('settings');
  const remote = useRemote(
    (signal) =>
      api<Detail>('GET', `/account/v1/refused/${encodeURIComponent(number)}`, undefined, { signal }),
    [number],
  );
  return (
    <Dialog title={t('refusedMessage', { number })} wide onClose={onClose}>
      <RemoteView remote={remote}>
        {({ beginning }) => (
          <pre class="settings-code" tabIndex={0}>
            {beginning}
          </pre>
        )}
      </RemoteView>
    </Dialog>
  );
}
