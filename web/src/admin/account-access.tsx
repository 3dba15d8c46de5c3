import { confirm } from '../base/dialog.tsx';
import { formatNumber } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { Facts } from './table.tsx';

interface Factors {
  readonly totp: boolean;
  readonly passkeys: number;
  readonly recoveryCodes: number;
}

interface AccountAccessProps {
  readonly address: string;
  /** Of the account in the API. */
  readonly path: string;
}

/** How somebody signs in, for when they call: a lost telephone, a stolen laptop. */
export function AccountAccess({ address, path }: AccountAccessProps) {
  const t = texts('admin');
  const factors = useAdmin<Factors>(`${path}/second-factor`);
  const sessions = useAdmin<{ sessions: readonly object[] }>(`${path}/sessions`);
  const { busy, save } = useSave();
  const take = async (
    what: 'second-factor' | 'sessions',
    [title, sentence, yes]: readonly [string, string, string],
  ): Promise<void> => {
    if (!(await confirm({ title, sentence, yes, danger: true }))) return;
    await save(() => admin('DELETE', `${path}/${what}`), t('doneWith'));
    await Promise.all([factors.reload(), sessions.reload()]);
  };
  return (
    <RemoteView remote={factors}>
      {({ totp, passkeys }) => {
        const open = sessions.data?.sessions.length;
        const words = [
          ...(totp ? [t('factorTotp')] : []),
          ...(passkeys > 0 ? [t('factorPasskeys', { count: passkeys })] : []),
        ];
        return (
          <>
            <Facts
              facts={[
                [t('factors'), words.join(', ') || t('factorsNone')],
                [t('sessionsOpen'), open === undefined ? '–' : formatNumber(open)],
              ]}
            />
            <div class="row">
              {words.length > 0 && (
                <button
                  type="button"
                  class="button danger"
                  disabled={busy}
                  onClick={() =>
                    void take('second-factor', [
                      t('factorsResetTitle', { address }),
                      t('factorsResetSentence'),
                      t('factorsReset'),
                    ])
                  }
                >
                  {t('factorsReset')}
                </button>
              )}
              {open !== undefined && open > 0 && (
                <button
                  type="button"
                  class="button"
                  disabled={busy}
                  onClick={() =>
                    void take('sessions', [
                      t('sessionsEndTitle', { address }),
                      t('sessionsEndSentence'),
                      t('sessionsEnd'),
                    ])
                  }
                >
                  {t('sessionsEnd')}
                </button>
              )}
            </div>
          </>
        );
      }}
    </RemoteView>
  );
}
