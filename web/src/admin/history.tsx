import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { pathOf } from '../base/router.ts';
import { useAdmin } from './api.ts';
import { Events, type JournalEvent } from './events.tsx';
import { jsonLines, linksOf, traceInput, type TraceQuery } from './trace-query.ts';

interface Answer {
  readonly traces: readonly { readonly trace: string; readonly events: readonly JournalEvent[] }[];
  readonly more: boolean;
}

/** Traces shown at once. */
const SHOWN = 50;

/** What became of the messages and connections that fit, the newest first. */
export function History({ query }: { readonly query: TraceQuery }) {
  const t = texts('admin');
  const remote = useAdmin<Answer>('/trace', { ...traceInput(query), limit: SHOWN, words: true });
  return (
    <RemoteView remote={remote}>
      {({ traces, more }) => {
        if (traces.length === 0) return <p class="soft">{t('traceNone')}</p>;
        return (
          <>
            <div class="row">
              <span class="soft" role="status">
                {t('traceFound', { count: traces.length })}
                {more && ` ${t('traceMore')}`}
              </span>
              <button type="button" class="button" onClick={() => keep(jsonLines(traces))}>
                {t('exportLines')}
              </button>
            </div>
            {traces.toReversed().map(({ trace, events }) => (
              <section key={trace} class="card settings-section">
                <div class="row">
                  <h2 class="mono small">{trace}</h2>
                  <Links events={events} />
                </div>
                <Events events={events} />
              </section>
            ))}
          </>
        );
      }}
    </RemoteView>
  );
}

/** Where else these pages tell of it. */
function Links({ events }: { readonly events: readonly JournalEvent[] }) {
  const t = texts('admin');
  const { queueIds, cases } = linksOf(events);
  return (
    <>
      {queueIds.slice(0, 5).map((id) => (
        <a key={id} class="small" href={pathOf('admin', 'queue', id)}>
          {t('queue')}
        </a>
      ))}
      {cases.slice(0, 5).map((number) => (
        <a key={number} class="small" href={pathOf('admin', 'vault', number)}>
          {t('vault')}: {number}
        </a>
      ))}
    </>
  );
}

/** Have the browser keep a text as a file. */
function keep(text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/x-ndjson' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'history.jsonl';
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
