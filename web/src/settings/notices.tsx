import { useEffect, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { preferences, setPreferences } from '../base/preferences.ts';
import { toastError } from '../base/toast.tsx';
import { Choice } from './choice.tsx';

interface Push {
  readonly pushState: () => Promise<'on' | 'off' | 'denied' | 'unsupported'>;
  readonly turnPushOn: () => Promise<void>;
  readonly turnPushOff: () => Promise<void>;
}

/** Notices of new mail on this device. */
export function Notices() {
  const t = texts('settings');
  const [push, setPush] = useState<Push | undefined>(undefined);
  const [state, setState] = useState<Awaited<ReturnType<Push['pushState']>>>('unsupported');
  useEffect(() => {
    void import('../base/push.ts').then(async (found: Push) => {
      setPush(found);
      setState(await found.pushState());
    });
  }, []);
  const change = (run: (() => Promise<void>) | undefined): void => {
    run?.()
      .then(async () => push && setState(await push.pushState()))
      .catch(toastError);
  };
  return (
    <section class="settings-section">
      <h2>{t('notices')}</h2>
      {state === 'unsupported' && <p class="soft">{t('noticesUnsupported')}</p>}
      {state === 'denied' && <p class="note warning">{t('noticesDenied')}</p>}
      {(state === 'on' || state === 'off') && (
        <div class="row">
          <button
            type="button"
            class={state === 'on' ? 'button' : 'button primary'}
            onClick={() => change(state === 'on' ? push?.turnPushOff : push?.turnPushOn)}
          >
            {state === 'on' ? t('noticesOff') : t('noticesOn')}
          </button>
        </div>
      )}
      {state === 'on' && (
        <Choice
          label={t('noticesSay')}
          value={preferences.value.notices}
          options={[
            ['sender-and-subject', t('noticesFull')],
            ['count', t('noticesCount')],
          ]}
          onChange={(notices) => void setPreferences({ notices }).catch(toastError)}
        />
      )}
    </section>
  );
}
