import { formatDateTime, formatNumber, formatRelative, formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { SettingsTable } from './settings-table.tsx';
import { Facts } from './table.tsx';
import { formatMs } from './time-span.ts';

interface State {
  readonly success?: {
    readonly at: number;
    readonly snapshot: string;
    readonly bytes: number;
    readonly added: number;
    readonly emails: number;
    readonly tookMs: number;
    readonly snapshots: number;
    readonly problems: readonly string[];
  };
  readonly failure?: { readonly at: number; readonly message: string };
  readonly drill?: {
    readonly at: number;
    readonly ok: boolean;
    readonly messages: number;
    readonly compared: number;
    readonly tookMs: number;
    readonly problems: readonly string[];
  };
}

/** Whether the mail could be had back, and when that was last tried. */
export function Backups() {
  const t = texts('admin');
  const remote = useAdmin<{ state?: State } & State>('/backup/state');
  const { busy, save } = useSave();
  const begin = (kind: 'create' | 'drill'): void =>
    void save(async () => {
      await admin('POST', '/backup/tasks', { kind });
      await remote.reload();
    }, t('begun'));
  return (
    <>
      <RemoteView remote={remote}>
        {(answer) => {
          const { success, failure, drill } = answer.state ?? answer;
          return (
            <>
              {success === undefined && <p class="note warning">{t('backupNone')}</p>}
              {failure !== undefined && failure.at > (success?.at ?? 0) && (
                <p class="note danger">
                  {formatDateTime(failure.at)}: {failure.message}
                </p>
              )}
              {drill !== undefined && !drill.ok && <p class="note danger">{drill.problems.join(' ')}</p>}
              {success !== undefined && (
                <Facts
                  facts={[
                    [t('lastBackup'), `${formatDateTime(success.at)} (${formatRelative(success.at)})`],
                    [t('snapshots'), formatNumber(success.snapshots)],
                    [t('messagesKept'), formatNumber(success.emails)],
                    [t('size'), `${formatSize(success.bytes)} (+ ${formatSize(success.added)})`],
                    [t('took'), formatMs(success.tookMs)],
                    [
                      t('drill'),
                      drill === undefined
                        ? t('noDrill')
                        : `${drill.ok ? t('drillWell') : t('drillBad')}, ${formatRelative(drill.at)}, ${formatNumber(drill.compared)} / ${formatNumber(drill.messages)}`,
                    ],
                  ]}
                />
              )}
            </>
          );
        }}
      </RemoteView>
      <div class="row">
        <button type="button" class="button" disabled={busy} onClick={() => begin('create')}>
          {t('backupNow')}
        </button>
        <button type="button" class="button" disabled={busy} onClick={() => begin('drill')}>
          {t('drillNow')}
        </button>
      </div>
      <SettingsTable label={t('backupSettings')} path="/backup/settings" />
    </>
  );
}
