import { confirm, Dialog } from '../base/dialog.tsx';
import { formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { navigate, pathOf, route } from '../base/router.ts';
import type { Said } from '../text/said.ts';
import { Sentence, useSentences } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { DataTable } from './table.tsx';
import { tracePath } from './trace-query.ts';
import { Time } from './time.tsx';

interface Entry {
  readonly id: number;
  readonly caseNumber: string;
  readonly kind: 'refused' | 'held';
  readonly size: number;
  readonly reversePath: string;
  readonly ip: string;
  readonly author: string;
  readonly subject: string;
  readonly reason: string;
  readonly reasonWords?: Said;
  readonly createdAt: number;
  readonly recipients: readonly { readonly address: string; readonly state: string }[];
}

/** Mail that was refused after it had arrived. */
export function Vault() {
  useSentences('rules', 'events', 'why');
  const t = texts('admin');
  const base = texts('base');
  const remote = useAdmin<{ entries: readonly Entry[] }>('/vault', { limit: 200 });
  // A case of its own has an address, for links.
  const shown = route.value.parts[2];
  const setShown = (number: string | undefined): void =>
    navigate(number === undefined ? '/admin/vault' : pathOf('admin', 'vault', number));
  const { busy, save } = useSave();
  const act = async (number: string, what: 'release' | 'delete'): Promise<void> => {
    if (
      what === 'delete' &&
      !(await confirm({ title: t('vaultDeleteTitle'), yes: base('delete'), danger: true }))
    )
      return;
    await save(
      () => admin('POST', `/vault/${encodeURIComponent(number)}/${what}`, {}),
      what === 'release' ? t('vaultReleased') : t('doneWith'),
    );
    if (shown !== undefined) setShown(undefined);
    await remote.reload();
  };
  return (
    <>
      <p class="soft">{t('vaultAbout')}</p>
      <RemoteView remote={remote}>
        {({ entries }) => (
          <DataTable
            label={t('vault')}
            rows={entries}
            rowKey={(each) => each.caseNumber}
            empty={t('vaultNone')}
            columns={[
              {
                title: t('case'),
                cell: (each) => (
                  <button
                    type="button"
                    class="button quiet mono admin-flush"
                    onClick={() => setShown(each.caseNumber)}
                  >
                    {each.caseNumber}
                  </button>
                ),
              },
              {
                title: t('message'),
                cell: (each) => (
                  <>
                    <strong dir="auto">{each.subject}</strong>
                    <div class="soft small" dir="auto">
                      {each.author} · {each.ip} · {formatSize(each.size)}
                    </div>
                    <div class="small">
                      {each.reasonWords === undefined ? each.reason : <Sentence said={each.reasonWords} />}
                    </div>
                  </>
                ),
              },
              { title: t('to'), cell: (each) => each.recipients.map(({ address }) => address).join(', ') },
              { title: t('when'), cell: (each) => <Time at={each.createdAt} /> },
              {
                title: '',
                end: true,
                cell: (each) => (
                  <span class="row">
                    <button
                      type="button"
                      class="button"
                      disabled={busy}
                      onClick={() => void act(each.caseNumber, 'release')}
                    >
                      {t('deliverIt')}
                    </button>
                    <button
                      type="button"
                      class="button danger"
                      disabled={busy}
                      onClick={() => void act(each.caseNumber, 'delete')}
                    >
                      {base('delete')}
                    </button>
                  </span>
                ),
              },
            ]}
          />
        )}
      </RemoteView>
      {shown !== undefined && <Look number={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

function Look({ number, onClose }: { readonly number: string; readonly onClose: () => void }) {
  const t = texts('admin');
  const remote = useAdmin<{ beginning?: string }>(`/vault/${encodeURIComponent(number)}`);
  return (
    <Dialog title={number} wide onClose={onClose}>
      <p>
        <a href={tracePath({ q: number })}>{t('wholeHistory')}</a>
      </p>
      <RemoteView remote={remote}>
        {(answer) => (
          <pre class="settings-code" tabIndex={0}>
            {answer.beginning ?? JSON.stringify(answer, null, 2)}
          </pre>
        )}
      </RemoteView>
    </Dialog>
  );
}
