import { useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useAdmin } from './api.ts';
import { Chart } from './chart.tsx';

interface Stats {
  readonly times: readonly number[];
  readonly resolution: string;
  readonly series: readonly {
    readonly name: string;
    readonly unit: 'count' | 'bytes' | 'percent' | 'ms';
    readonly values: readonly (number | null)[];
  }[];
}

const HOUR_MS = 3_600_000;
const RANGES = [1, 6, 24, 24 * 7, 24 * 30, 24 * 365] as const;

type Key = Parameters<ReturnType<typeof texts<'admin'>>>[0];

/** Which lines share a chart. */
const CHARTS: readonly {
  readonly title: Key;
  readonly names: readonly (readonly [string, Key])[];
  /** So many at a time; of the others so many in it. */
  readonly measured?: true;
}[] = [
  {
    title: 'chartIn',
    names: [
      ['mail.received', 'received'],
      ['mail.junk', 'junk'],
      ['mail.refused', 'refusedMail'],
    ],
  },
  {
    title: 'chartOut',
    names: [
      ['mail.submitted', 'submitted'],
      ['mail.delivered', 'delivered'],
      ['mail.deferred', 'deferred'],
      ['mail.failed', 'failedMail'],
    ],
  },
  {
    title: 'chartDelay',
    names: [
      ['delay.p50', 'halfOfMail'],
      ['delay.p90', 'mostMail'],
      ['delay.p99', 'slowestMail'],
    ],
  },
  {
    title: 'chartSpam',
    names: [
      ['spam.inbox', 'toInbox'],
      ['spam.junk', 'toJunk'],
      ['spam.refused', 'refusedMail'],
    ],
  },
  {
    title: 'chartSessions',
    measured: true,
    names: [
      ['sessions.smtp', 'smtp'],
      ['sessions.submission', 'submission'],
      ['sessions.imap', 'imap'],
      ['sessions.pop3', 'pop3'],
    ],
  },
  {
    title: 'chartLogins',
    names: [
      ['logins.succeeded', 'loginsGood'],
      ['logins.failed', 'loginsFailed'],
      ['bans.set', 'bans'],
      ['connections.refused', 'connectionsRefused'],
    ],
  },
  {
    title: 'queue',
    measured: true,
    names: [
      ['queue.queued', 'waiting'],
      ['queue.held', 'held'],
    ],
  },
  { title: 'chartMemory', names: [['system.memory', 'memory']] },
  { title: 'chartProcessor', names: [['system.cpu', 'processor']] },
  { title: 'chartDisk', names: [['system.disk_free', 'diskFree']] },
  { title: 'chartLoop', names: [['system.loop', 'loopDelay']] },
];

export function Charts() {
  const t = texts('admin');
  const [hours, setHours] = useState<number>(24);
  const [now, setNow] = useState(Date.now);
  const remote = useAdmin<Stats>('/stats', { from: now - hours * HOUR_MS, to: now });
  return (
    <>
      <div class="row" role="group" aria-label={t('range')}>
        {RANGES.map((each) => (
          <button
            key={each}
            type="button"
            class={each === hours ? 'button primary' : 'button'}
            aria-pressed={each === hours}
            onClick={() => {
              setHours(each);
              setNow(Date.now());
            }}
          >
            {each < 24 ? t('hours', { count: each }) : t('days', { count: each / 24 })}
          </button>
        ))}
      </div>
      <RemoteView remote={remote}>
        {({ times, series }) => (
          <div class="admin-charts">
            {CHARTS.map(({ title, names, measured }) => {
              const found = names.flatMap(([name, label]) => {
                const line = series.find((each) => each.name === name);
                return line === undefined ? [] : [{ label: t(label), values: line.values, unit: line.unit }];
              });
              if (found[0] === undefined) return null;
              return (
                <Chart
                  key={title}
                  title={t(title)}
                  times={times}
                  lines={found}
                  unit={found[0].unit}
                  {...(measured === true && { measured })}
                />
              );
            })}
          </div>
        )}
      </RemoteView>
    </>
  );
}
