import { formatNumber, formatRelative, formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import type { Said } from '../text/said.ts';
import { Sentences, useSentences } from '../text/sentence.tsx';
import { useAdmin } from './api.ts';
import { Mend, type Remedy } from './mend.tsx';
import { Facts } from './table.tsx';
import { formatMs } from './time-span.ts';
import { Time } from './time.tsx';

interface OverviewAnswer {
  readonly now: number;
  readonly version: string;
  readonly hostname: string;
  readonly startedAt: number;
  readonly scope: 'all' | 'domains';
  readonly domains: readonly string[];
  readonly health: 'good' | 'warning' | 'critical';
  readonly problems: readonly {
    readonly severity: 'warning' | 'critical';
    readonly sentence: string;
    readonly words: readonly Said[];
    readonly mend: Remedy;
    readonly since?: number;
    readonly page?: string;
  }[];
  readonly today?: {
    readonly received: number;
    readonly junk: number;
    readonly refused: number;
    readonly submitted: number;
    readonly delivered: number;
    readonly deferred: number;
    readonly failed: number;
    readonly loginsFailed: number;
    readonly delayP50?: number;
    readonly delayP95?: number;
  };
  readonly queue?: { readonly waiting: number; readonly held: number; readonly oldest?: number };
  readonly counts: Readonly<Record<string, number>>;
  readonly certificates?: readonly { readonly names: readonly string[]; readonly notAfter: number }[];
  readonly backup?: {
    readonly scheduled: boolean;
    readonly lastAt?: number;
    readonly failure?: string;
    readonly drillAt?: number;
    readonly drillOk?: boolean;
  };
  readonly disk?: { readonly free: number; readonly total: number; readonly low: boolean };
  readonly setup: { readonly complete: boolean; readonly open: number };
}

/** Where the problems of the overview are mended. */
const PAGES: Readonly<Record<string, string>> = {
  dns: 'checks',
  holds: 'bans',
  status: 'charts',
};

/** What an administrator wants to know first: is anything wrong, and what has it been doing. */
export function Overview() {
  // Reasons for which mail is held are sentences of the filter.
  useSentences('health', 'rules');
  const remote = useAdmin<OverviewAnswer>('/overview');
  return <RemoteView remote={remote}>{(facts) => <Shown facts={facts} />}</RemoteView>;
}

function Shown({ facts }: { readonly facts: OverviewAnswer }) {
  const t = texts('admin');
  const { today, queue, counts, problems, setup } = facts;
  return (
    <>
      {problems.length === 0 ? (
        <p class="note good">{t('allWell')}</p>
      ) : (
        <ul class="admin-problems">
          {problems.map((each) => (
            <li key={each.sentence} class={each.severity === 'critical' ? 'note danger' : 'note warning'}>
              <strong>
                <Sentences said={each.words} />
              </strong>
              <Mend remedy={each.mend} />
              <div class="small">
                {each.since !== undefined && (
                  <>
                    <Time at={each.since} relative /> ·{' '}
                  </>
                )}
                {each.page !== undefined && (
                  <a href={`/admin/${PAGES[each.page] ?? each.page}`}>{t('goThere')}</a>
                )}
              </div>
            </li>
          ))}
        </ul>
      )}
      {facts.scope === 'all' && !setup.complete && (
        <p class="note">
          {t('setupOpen', { count: setup.open })} <a href="/admin/setup">{t('setupGo')}</a>
        </p>
      )}
      {today !== undefined && (
        <section class="settings-section">
          <h2>{t('lastDay')}</h2>
          <div class="admin-numbers">
            <NumberOf label={t('received')} value={today.received} />
            <NumberOf label={t('junk')} value={today.junk} />
            <NumberOf label={t('refusedMail')} value={today.refused} />
            <NumberOf label={t('submitted')} value={today.submitted} />
            <NumberOf label={t('delivered')} value={today.delivered} />
            <NumberOf label={t('deferred')} value={today.deferred} />
            <NumberOf label={t('failedMail')} value={today.failed} />
            <NumberOf label={t('loginsFailed')} value={today.loginsFailed} />
          </div>
          {today.delayP50 !== undefined && (
            <p class="soft small">
              {t('delays', {
                half: formatMs(today.delayP50),
                most: formatMs(today.delayP95 ?? today.delayP50),
              })}
            </p>
          )}
        </section>
      )}
      <section class="settings-section">
        <h2>{t('stands')}</h2>
        <Facts
          facts={[
            [t('domains'), formatNumber(counts['domains'] ?? facts.domains.length)],
            [t('accounts'), formatNumber(counts['accounts'] ?? 0)],
            [t('aliases'), formatNumber(counts['aliases'] ?? 0)],
            ...(counts['emails'] === undefined
              ? []
              : [[t('messagesKept'), formatNumber(counts['emails'])] as const]),
            ...(counts['mailBytes'] === undefined
              ? []
              : [[t('mailKept'), formatSize(counts['mailBytes'])] as const]),
            ...(queue === undefined
              ? []
              : [[t('queue'), t('queueState', { waiting: queue.waiting, held: queue.held })] as const]),
            ...(facts.disk === undefined
              ? []
              : [
                  [
                    t('diskFree'),
                    `${formatSize(facts.disk.free)} / ${formatSize(facts.disk.total)}`,
                  ] as const,
                ]),
            ...(facts.backup === undefined ? [] : [[t('lastBackup'), backupWords(t, facts.backup)] as const]),
            ...(facts.certificates?.[0] === undefined
              ? []
              : [
                  [
                    t('certificateUntil'),
                    <Time key="c" at={Math.min(...facts.certificates.map(({ notAfter }) => notAfter))} />,
                  ] as const,
                ]),
            [t('version'), facts.version],
            [t('runningSince'), <Time key="r" at={facts.startedAt} />],
          ]}
        />
      </section>
    </>
  );
}

function backupWords(
  t: ReturnType<typeof texts<'admin'>>,
  { lastAt, drillAt, drillOk }: NonNullable<OverviewAnswer['backup']>,
): string {
  if (lastAt === undefined) return t('never');
  const drill = drillAt === undefined ? t('noDrill') : drillOk === true ? t('drillWell') : t('drillBad');
  return `${formatRelative(lastAt)}, ${drill}`;
}

function NumberOf({ label, value }: { readonly label: string; readonly value: number }) {
  return (
    <div class="admin-number">
      <strong>{formatNumber(value)}</strong>
      <span class="soft small">{label}</span>
    </div>
  );
}
