import { useState } from 'preact/hooks';
import { formatDate, formatNumber } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useAdmin } from './api.ts';
import { Chart } from './chart.tsx';
import { DataTable } from './table.tsx';

interface Finding {
  readonly severity: 'problem' | 'warning' | 'note';
  readonly sentence: string;
  readonly domain: string;
  readonly ip?: string;
  readonly since: number;
  readonly count: number;
  readonly remedy: string;
}

interface Series {
  readonly days: readonly number[];
  readonly dmarc: {
    readonly passed: readonly number[];
    readonly failed: readonly number[];
    readonly blocked: readonly number[];
  };
  readonly tls: { readonly successes: readonly number[]; readonly failures: readonly number[] };
}

interface DmarcSource {
  readonly [key: string]: unknown;
}

const CLASSES = { problem: 'note danger', warning: 'note warning', note: 'note' } as const;

/** What others report of our domains, as findings and over time. */
export function Reports() {
  const t = texts('admin');
  const [days, setDays] = useState(30);
  const findings = useAdmin<{ findings: readonly Finding[] }>('/reports/findings', { days });
  const series = useAdmin<Series>('/reports/series', { days });
  return (
    <>
      <p class="soft">{t('reportsAbout')}</p>
      <div class="row" role="group" aria-label={t('range')}>
        {[7, 30, 90].map((each) => (
          <button
            key={each}
            type="button"
            class={each === days ? 'button primary' : 'button'}
            aria-pressed={each === days}
            onClick={() => setDays(each)}
          >
            {t('days', { count: each })}
          </button>
        ))}
      </div>
      <RemoteView remote={findings}>
        {(answer) =>
          answer.findings.length === 0 ? (
            <p class="note good">{t('findingsNone')}</p>
          ) : (
            <ul class="admin-problems">
              {answer.findings.map((each) => (
                <li key={each.sentence} class={CLASSES[each.severity]}>
                  <strong>{each.sentence}</strong>
                  <div>{each.remedy}</div>
                  <div class="small soft">
                    {each.domain} · {t('since')} {formatDate(each.since)} · {formatNumber(each.count)}
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </RemoteView>
      <RemoteView remote={series}>
        {({ days: times, dmarc, tls }) => (
          <div class="admin-charts">
            <Chart
              title={t('chartDmarc')}
              unit="count"
              times={times}
              lines={[
                { label: t('dmarcPassed'), values: dmarc.passed },
                { label: t('dmarcFailed'), values: dmarc.failed },
                { label: t('dmarcBlocked'), values: dmarc.blocked },
              ]}
            />
            <Chart
              title={t('chartTls')}
              unit="count"
              times={times}
              lines={[
                { label: t('tlsGood'), values: tls.successes },
                { label: t('tlsBad'), values: tls.failures },
              ]}
            />
          </div>
        )}
      </RemoteView>
      <Sources />
    </>
  );
}

/** Who sends in our name, as the command line shows it. */
function Sources() {
  const t = texts('admin');
  const remote = useAdmin<Readonly<Record<string, unknown>>>('/reports/dmarc');
  return (
    <section class="settings-section">
      <h2>{t('dmarcSources')}</h2>
      <RemoteView remote={remote}>
        {(answer) => {
          const rows = (Object.values(answer).find(Array.isArray) ?? []) as readonly DmarcSource[];
          return (
            <DataTable
              label={t('dmarcSources')}
              rows={rows}
              rowKey={(each) => JSON.stringify(each)}
              empty={t('dmarcSourcesNone')}
              columns={Object.keys(rows[0] ?? {}).map((name) => ({
                title: name,
                cell: (row: DmarcSource) => {
                  const value = row[name];
                  if (typeof value === 'number')
                    return /at$/i.test(name) ? formatDate(value) : formatNumber(value);
                  return typeof value === 'string' ? value : JSON.stringify(value);
                },
              }))}
            />
          );
        }}
      </RemoteView>
    </section>
  );
}
