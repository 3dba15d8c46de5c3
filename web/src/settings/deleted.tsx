import { useState } from 'preact/hooks';
import { formatDateTime, formatSize } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { toast } from '../base/toast.tsx';
import { useSave } from './use-save.ts';

interface Message {
  readonly id: string | number;
  readonly subject: string;
  readonly from: { readonly name: string; readonly address: string };
  readonly receivedAt: number;
  readonly deletedAt: number;
  readonly mailbox: string;
  readonly size: number;
}

interface Answer {
  readonly messages: readonly Message[];
  readonly next?: number | string | null;
}

interface Restored {
  readonly restored: number;
  /** Why it ended before all of them were back. */
  readonly stopped?: string;
}

/** What was deleted for good within the last 30 days, and the way back. */
export function Deleted() {
  const t = texts('settings');
  const remote = useRemote(
    (signal) => api<Answer>('GET', '/account/v1/deleted', { limit: 100 }, { signal }),
    [],
  );
  const [chosen, setChosen] = useState<ReadonlySet<Message['id']>>(new Set());
  const { busy, save } = useSave();
  const toggle = (id: Message['id']): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const restore = (): void =>
    void save(async () => {
      const ids = [...chosen];
      const { restored, stopped } = await api<Restored>('POST', '/account/v1/deleted/restore', { ids });
      toast(t('deletedRestored', { count: restored }));
      if (stopped !== undefined) toast(stopped, { bad: true });
      setChosen(new Set());
      await remote.reload();
    }, '');
  const more = async (next: NonNullable<Answer['next']>, messages: readonly Message[]): Promise<void> => {
    const answer = await api<Answer>('GET', '/account/v1/deleted', { limit: 100, before: next });
    remote.set({ ...answer, messages: [...messages, ...answer.messages] });
  };
  return (
    <>
      <p class="soft">{t('deletedAbout')}</p>
      <RemoteView remote={remote}>
        {({ messages, next }) =>
          messages.length === 0 ? (
            <p class="soft">{t('deletedNone')}</p>
          ) : (
            <>
              <div class="row">
                <button
                  type="button"
                  class="button primary"
                  disabled={busy || chosen.size === 0}
                  onClick={restore}
                >
                  {t('deletedRestore', { count: chosen.size })}
                </button>
              </div>
              <ul class="settings-list">
                {messages.map((each) => (
                  <li key={each.id} class="settings-item">
                    <label class="check settings-item-main">
                      <input type="checkbox" checked={chosen.has(each.id)} onChange={() => toggle(each.id)} />
                      <span>
                        <span class="settings-item-name" dir="auto">
                          {each.subject || t('noSubject')}
                        </span>
                        <br />
                        <span class="soft small" dir="auto">
                          {each.from.name || each.from.address} · {formatDateTime(each.receivedAt)} ·{' '}
                          {each.mailbox} · {formatSize(each.size)}
                        </span>
                      </span>
                    </label>
                    <span class="soft small">{t('deletedAt', { date: formatDateTime(each.deletedAt) })}</span>
                  </li>
                ))}
              </ul>
              {next !== undefined && next !== null && (
                <div class="row">
                  <button
                    type="button"
                    class="button"
                    onClick={() => void save(() => more(next, messages), '')}
                  >
                    {texts('base')('more')}
                  </button>
                </div>
              )}
            </>
          )
        }
      </RemoteView>
    </>
  );
}
