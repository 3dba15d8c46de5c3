import { useState } from 'preact/hooks';
import { formatDate, formatNumber } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import type { Said } from '../text/said.ts';
import { Sentence, Sentences, useSentences } from '../text/sentence.tsx';
import { useAdmin } from './api.ts';
import { Chart } from './chart.tsx';
import { DataTable } from './table.tsx';

interface Finding {
  readonly severity: 'problem' | 'warning' | 'note';
  readonly sentence: string;
  readonly words: Said;
  readonly remedyWords: readonly Said[];
  readonly domain: string;
  readonly ip?: string;
  readonly since: number;
  readonly count: number;
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
  readonly domain: string;
  readonly ip: string;
  readonly messages: number;
  readonly passed: number;
  readonly blocked: number;
  readonly lastAt: number;
  readonly adviceWords: readonly Said[];
}

const CLASSES = { problem: 'note danger', warning: 'note warning', note: 'note' } as const;

/** What others report of our domains, as findings and over time. */
export function Reports() {
  const t = texts('admin');
  useSentences('health');
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
            <Fine known={series.data} />
          ) : (
            <ul class="admin-problems">
              {answer.findings.map((each) => (
                <li key={each.sentence} class={CLASSES[each.severity]}>
                  <strong>
                    <Sentence said={each.words} />
                  </strong>
                  <div>
                    <Sentences said={each.remedyWords} />
                  </div>
                  <div class="small soft">
                    {each.domain} · {t('since')} {formatDate(each.since)} ·{' '}
                    {t('reportsCount', { count: each.count })}
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
      <Sources days={days} />
    </>
  );
}

/** No report is not a good one. */
function Fine({ known }: { readonly known: Series | undefined }) {
  const t = texts('admin');
  if (known === undefined) return null;
  const { dmarc, tls } = known;
  const some = [...Object.values(dmarc), ...Object.values(tls)].some((days) =>
    days.some((count) => count > 0),
  );
  if (some) return <p class="note good">{t('findingsNone')}</p>;
  return (
    <p class="note">
      {t('reportsNone')} <a href="/admin/checks">{t('checks')}</a>
    </p>
  );
}

/** Who sends in our name, those that fail most first. */
function Sources({ days }: { readonly days: number }) {
  const t = texts('admin');
  const remote = useAdmin<{ sources: readonly DmarcSource[] }>('/reports/dmarc', { days });
  return (
    <section class="settings-section">
      <h2>{t('dmarcSources')}</h2>
      <RemoteView remote={remote}>
        {({ sources }) => (
          <DataTable
            label={t('dmarcSources')}
            rows={sources}
            rowKey={({ domain, ip }) => `${domain} ${ip}`}
            empty={t('dmarcSourcesNone')}
            columns={[
              {
                title: t('sourceAddress'),
                cell: ({ ip, adviceWords }) => (
                  <>
                    <code>{ip}</code>
                    <div class="soft small">
                      <Sentences said={adviceWords} />
                    </div>
                  </>
                ),
              },
              { title: t('domain'), cell: ({ domain }) => domain },
              { title: t('messages'), end: true, cell: ({ messages }) => formatNumber(messages) },
              { title: t('dmarcPassed'), end: true, cell: ({ passed }) => formatNumber(passed) },
              { title: t('dmarcBlocked'), end: true, cell: ({ blocked }) => formatNumber(blocked) },
              { title: t('lastSeen'), cell: ({ lastAt }) => formatDate(lastAt) },
            ]}
          />
        )}
      </RemoteView>
    </section>
  );
}
