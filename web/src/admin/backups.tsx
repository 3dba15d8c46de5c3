import { useEffect } from 'preact/hooks';
import { formatNumber, formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { Copyable } from './copyable.tsx';
import { SettingsTable } from './settings-table.tsx';
import { Facts } from './table.tsx';
import { Time, TimeAndAway } from './time.tsx';
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

interface Answer {
  readonly state: State;
  /** Where backups go; '': nowhere. */
  readonly target: string;
  readonly task?: {
    readonly kind: string;
    readonly end?: { readonly ok: boolean; readonly message?: string };
  };
}

/** Milliseconds between two looks while a backup or a drill runs. */
const LOOK_MS = 2000;

/** Whether the mail could be had back, and when that was last tried. */
export function Backups() {
  const t = texts('admin');
  const remote = useAdmin<Answer>('/backup/state');
  const { busy, save } = useSave();
  const task = remote.data?.task;
  const running = task !== undefined && task.end === undefined;
  const { reload } = remote;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => void reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [running, reload]);
  const begin = (kind: 'create' | 'drill'): void =>
    void save(async () => {
      await admin('POST', '/backup/tasks', { kind });
      await remote.reload();
    }, t('begun'));
  return (
    <>
      <RemoteView remote={remote}>
        {({ state, target }) => (
          <>
            {target === '' ? <NoTarget /> : <Stands state={state} target={target} />}
            {running && (
              <p class="note" role="status">
                {t('backupRuns')}
              </p>
            )}
            {task?.end?.ok === false && <p class="note danger">{task.end.message}</p>}
            <div class="row">
              <button
                type="button"
                class="button"
                disabled={busy || running || target === ''}
                onClick={() => begin('create')}
              >
                {t('backupNow')}
              </button>
              <button
                type="button"
                class="button"
                disabled={busy || running || target === '' || state.success === undefined}
                onClick={() => begin('drill')}
              >
                {t('drillNow')}
              </button>
            </div>
            <Restore target={target} />
          </>
        )}
      </RemoteView>
      <SettingsTable label={t('backupSettings')} area="backup" path="/backup/settings" />
    </>
  );
}

/** How to set one up: files of the server are named on the server alone. */
function NoTarget() {
  const t = texts('admin');
  return (
    <section class="settings-section">
      <p class="note warning">{t('backupNoTarget')}</p>
      <p>{t('backupSetUp')}</p>
      <Copyable text="postern backup set passphrase_file /etc/postern/backup.pass" />
      <Copyable text="postern backup set target /mnt/backup/postern" />
      <p class="soft small">{t('backupOrBucket')}</p>
      <Copyable text="postern backup set target s3://BUCKET/postern" />
      <Copyable text="postern backup create" />
    </section>
  );
}

function Stands({
  state: { success, failure, drill },
  target,
}: {
  readonly state: State;
  readonly target: string;
}) {
  const t = texts('admin');
  return (
    <>
      {success === undefined && <p class="note warning">{t('backupNone')}</p>}
      {failure !== undefined && failure.at > (success?.at ?? 0) && (
        <p class="note danger">
          <Time at={failure.at} />: {failure.message}
        </p>
      )}
      {drill !== undefined && !drill.ok && <p class="note danger">{drill.problems.join(' ')}</p>}
      <Facts
        facts={[
          [t('backupTarget'), target],
          [t('lastBackup'), success === undefined ? t('never') : <TimeAndAway key="l" at={success.at} />],
          ...(success === undefined
            ? []
            : ([
                [t('snapshots'), formatNumber(success.snapshots)],
                [t('messagesKept'), formatNumber(success.emails)],
                [t('size'), `${formatSize(success.bytes)} (+ ${formatSize(success.added)})`],
                [t('took'), formatMs(success.tookMs)],
              ] as const)),
          [t('drill'), drill === undefined ? t('noDrill') : drill.ok ? t('drillWell') : t('drillBad')],
          ...(drill === undefined
            ? []
            : ([
                [t('drillAt'), <TimeAndAway key="d" at={drill.at} />],
                [
                  t('drillCompared'),
                  t('drillOf', {
                    compared: formatNumber(drill.compared),
                    messages: formatNumber(drill.messages),
                  }),
                ],
              ] as const)),
        ]}
      />
    </>
  );
}

/** The way back, before it is needed. */
function Restore({ target }: { readonly target: string }) {
  const t = texts('admin');
  const from = target === '' ? '/mnt/backup/postern' : target;
  return (
    <section class="settings-section">
      <h2>{t('restoreHow')}</h2>
      <p class="soft">{t('restoreOne')}</p>
      <Copyable text="postern backup restore --account ADDRESS" />
      <Copyable text="postern backup restore --account ADDRESS --mailbox NAME" />
      <p class="soft">{t('restoreAll')}</p>
      <Copyable text={`postern backup restore --from ${from} --place-system --hold-queue`} />
      <p class="soft">{t('restoreKey')}</p>
    </section>
  );
}
