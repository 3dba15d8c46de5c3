import { useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { Failure, Loading } from '../base/states.tsx';
import type { Said } from '../text/said.ts';
import { Sentence, Sentences, useSentences } from '../text/sentence.tsx';
import { Text } from '../settings/fields.tsx';
import { admin, useAdmin } from './api.ts';
import { Events, type JournalEvent } from './events.tsx';
import { EditedList } from './edited-list.tsx';
import { Mend, type Remedy } from './mend.tsx';
import { DataTable } from './table.tsx';
import { Time } from './time.tsx';

type Area = 'account' | 'identity' | 'receiving' | 'events' | 'dns';

interface Line {
  readonly area: Area;
  readonly subject: string;
  readonly state: 'ok' | 'problem' | 'unknown';
  readonly found: string;
  readonly why: string;
  readonly words: {
    readonly subject: Said;
    readonly found: readonly Said[];
    readonly why: readonly Said[];
    readonly mend: readonly Remedy[];
  };
}

interface Region {
  readonly region: string;
  readonly caller?: { readonly account: string; readonly arn: string };
  readonly transports: readonly string[];
  readonly sources: readonly string[];
  readonly lines: readonly Line[];
}

const BADGES = { ok: 'badge good', problem: 'badge danger', unknown: 'badge' } as const;

/** How Amazon SES stands, what it took for us and told of what we sent, and to whom nothing is sent any more. */
export function Ses() {
  return (
    <>
      <Standing />
      <Intake />
      <Told />
      <Suppressed />
    </>
  );
}

function Standing() {
  const t = texts('admin');
  useSentences('ways');
  const remote = useAdmin<{ regions: readonly Region[] }>('/ses/status');
  const { data, error, loading } = remote;
  if (error !== undefined && data === undefined)
    return <Failure sentence={error.message} onRetry={() => void remote.reload()} />;
  if (data === undefined)
    return (
      <>
        <p class="soft">{t('sesAsking')}</p>
        <Loading />
      </>
    );
  if (data.regions.length === 0)
    return (
      <p class="note">
        {t('sesNone')} <a href="/admin/routes">{t('goThere')}</a>
      </p>
    );
  return (
    <>
      <div class="row">
        <button type="button" class="button" disabled={loading} onClick={() => void remote.reload()}>
          {t('checkAgain')}
        </button>
      </div>
      {data.regions.map((region) => (
        <RegionShown key={region.region} region={region} />
      ))}
    </>
  );
}

function RegionShown({
  region: { region, caller, transports, sources, lines },
}: {
  readonly region: Region;
}) {
  const t = texts('admin');
  const areas: readonly (readonly [Area, string])[] = [
    ['account', t('sesAccount')],
    ['identity', t('domains')],
    ['receiving', t('chartIn')],
    ['events', t('sesFate')],
    ['dns', 'DNS'],
  ];
  const users = [...transports, ...sources].join(', ');
  return (
    <section class="settings-section" aria-label={region}>
      <h2>{region}</h2>
      <p class="soft small admin-wrap">
        {caller !== undefined && `${caller.account} · ${caller.arn} · `}
        {t('sesUsedBy', { names: users })}
      </p>
      {areas.map(([area, title]) => {
        const some = lines.filter((line) => line.area === area);
        if (some.length === 0) return null;
        return (
          <div key={area} class="stack">
            <h3>{title}</h3>
            <ul class="settings-list">
              {some.map((line) => (
                <LineShown key={`${line.subject} ${line.found}`} line={line} />
              ))}
            </ul>
          </div>
        );
      })}
    </section>
  );
}

function LineShown({ line: { state, words: said } }: { readonly line: Line }) {
  const t = texts('admin');
  const words = { ok: t('stateOk'), problem: t('stateProblem'), unknown: t('stateUnknown') };
  return (
    <li class="settings-item">
      <div class="settings-item-main">
        <div class="row">
          <span class={BADGES[state]}>{words[state]}</span>
          <span class="settings-item-name">
            <Sentence said={said.subject} />
          </span>
        </div>
        <div>
          <Sentences said={said.found} />
        </div>
        {state !== 'ok' && (
          <div class="soft small">
            <Sentences said={said.why} />
          </div>
        )}
        {said.mend.map((each) => (
          <Mend key={JSON.stringify(each)} remedy={each} />
        ))}
      </div>
    </li>
  );
}

interface IntakeAnswer {
  readonly sources: readonly {
    readonly name: string;
    readonly bucket: string;
    readonly region: string;
    readonly problem: string;
    readonly ways: readonly { readonly way: string; readonly okAt?: number; readonly problem: string }[];
  }[];
  readonly counts: readonly { readonly state: string; readonly count: number }[];
  readonly problems: number;
  readonly oldest?: number;
}

/** Mail that SES took for us: how each source is reached, and what waits. */
function Intake() {
  const t = texts('admin');
  const remote = useAdmin<IntakeAnswer>('/intake/status');
  return (
    <section class="settings-section">
      <h2>{t('intake')}</h2>
      <RemoteView remote={remote}>
        {({ sources, counts, oldest }) => (
          <>
            {oldest !== undefined && (
              <p class="note warning">
                {t('intakeOldest')} <Time at={oldest} relative />
              </p>
            )}
            <DataTable
              label={t('intake')}
              rows={sources}
              rowKey={({ name }) => name}
              empty={t('intakeNone')}
              columns={[
                { title: t('name'), cell: ({ name }) => name },
                { title: t('sesBucket'), cell: ({ bucket, region }) => `${bucket || '–'} (${region})` },
                {
                  title: t('state'),
                  cell: ({ problem, ways }) => (
                    <>
                      {problem !== '' && <div class="problem">{problem}</div>}
                      {ways.map((way) => (
                        <div key={way.way}>
                          <span class={way.problem === '' ? 'badge good' : 'badge danger'}>{way.way}</span>{' '}
                          {way.problem !== '' && way.problem}
                          {way.problem === '' && way.okAt !== undefined && <Time at={way.okAt} relative />}
                        </div>
                      ))}
                    </>
                  ),
                },
              ]}
            />
            {counts.length > 0 && (
              <p class="soft small">{counts.map(({ state, count }) => `${state}: ${count}`).join(' · ')}</p>
            )}
          </>
        )}
      </RemoteView>
    </section>
  );
}

/** What SES told last of mail of ours. */
function Told() {
  const t = texts('admin');
  const remote = useAdmin<{ events: readonly JournalEvent[] }>('/ses/events', { words: true });
  return (
    <section class="settings-section">
      <h2>{t('sesEvents')}</h2>
      <RemoteView remote={remote}>{({ events }) => <Events events={events} />}</RemoteView>
    </section>
  );
}

interface Entry {
  readonly address: string;
  readonly reason: 'bounce' | 'complaint' | 'manual';
  readonly detail: string;
  readonly createdAt: number;
  readonly until?: number;
}

/** Addresses that nothing is sent to. */
function Suppressed() {
  const t = texts('admin');
  const remote = useAdmin<{ entries: readonly Entry[] }>('/suppressions');
  const [address, setAddress] = useState('');
  const words = { bounce: t('cameBack'), complaint: t('complained'), manual: t('byHand') };
  return (
    <section class="settings-section">
      <h2>{t('suppressed')}</h2>
      <p class="soft">{t('suppressedAbout')}</p>
      <EditedList
        label={t('suppressed')}
        remote={remote}
        rows={({ entries }) => entries}
        name={(each) => each.address}
        empty={t('suppressedNone')}
        columns={[
          { title: t('address'), cell: (each) => each.address },
          {
            title: t('reason'),
            cell: (each) => (
              <>
                {words[each.reason]} <span class="soft small">{each.detail}</span>
              </>
            ),
          },
          { title: t('since'), cell: (each) => <Time at={each.createdAt} /> },
          {
            title: t('until'),
            cell: (each) => (each.until === undefined ? '–' : <Time at={each.until} />),
          },
        ]}
        fields={(problem) => (
          <Text
            label={t('address')}
            problem={problem}
            type="email"
            required
            value={address}
            onInput={setAddress}
          />
        )}
        add={async () => {
          await admin('POST', '/suppressions', { address: address.trim() });
          setAddress('');
        }}
        removeTitle={(name) => t('aliasRemoveTitle', { address: name })}
        remove={(each) => admin('DELETE', `/suppressions/${encodeURIComponent(each.address)}`)}
      />
    </section>
  );
}
