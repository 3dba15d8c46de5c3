import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { SettingsTable } from './settings-table.tsx';
import { DataTable } from './table.tsx';
import { TimeAndAway } from './time.tsx';

interface Answer {
  readonly now: number;
  readonly enabled: boolean;
  readonly files: readonly {
    readonly names: readonly string[];
    readonly notAfter: number;
    readonly certFile: string;
  }[];
  readonly acme: readonly {
    readonly name: string;
    readonly names?: readonly string[];
    readonly notAfter?: number;
    readonly failure?: string;
    readonly problem?: string;
    readonly [key: string]: unknown;
  }[];
}

export function Certificates() {
  const t = texts('admin');
  const remote = useAdmin<Answer>('/certificates');
  const { busy, save } = useSave();
  const renew = (): void =>
    void save(async () => {
      await admin('POST', '/certificates/renew', { names: [] });
      await remote.reload();
    }, t('renewed'));
  return (
    <>
      <RemoteView remote={remote}>
        {({ enabled, files, acme }) => (
          <>
            {!enabled && files.length === 0 && <p class="note warning">{t('acmeOff')}</p>}
            <div class="row">
              <button type="button" class="button" disabled={busy || !enabled} onClick={renew}>
                {t('renewDue')}
              </button>
            </div>
            <DataTable
              label={t('certificates')}
              rows={acme}
              rowKey={(each) => each.name}
              empty={enabled || files.length === 0 ? t('acmeNone') : ''}
              columns={[
                { title: t('name'), cell: (each) => each.names?.join(', ') ?? each.name },
                {
                  title: t('until'),
                  cell: (each) => (each.notAfter === undefined ? '–' : <TimeAndAway at={each.notAfter} />),
                },
                { title: t('problem'), cell: (each) => each.failure ?? each.problem ?? '–' },
              ]}
            />
            {files.length > 0 && (
              <DataTable
                label={t('certificateFiles')}
                rows={files}
                rowKey={(each) => each.certFile}
                empty=""
                columns={[
                  { title: t('name'), cell: (each) => each.names.join(', ') },
                  {
                    title: t('until'),
                    cell: (each) => <TimeAndAway at={each.notAfter} />,
                  },
                  { title: t('file'), cell: (each) => <span class="mono small">{each.certFile}</span> },
                ]}
              />
            )}
          </>
        )}
      </RemoteView>
      <SettingsTable label={t('acmeSettings')} area="certificates" path="/certificates/settings" />
    </>
  );
}
