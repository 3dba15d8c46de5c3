import { useEffect, useRef, useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { navigate, route } from '../base/router.ts';
import { adminUrl, useAdmin } from './api.ts';
import { Events, type JournalEvent } from './events.tsx';

/** Where a message is and what became of it: history by anything known of it, and events as they happen. */
export function Trace() {
  const t = texts('admin');
  const base = texts('base');
  const term = route.value.query.get('q') ?? '';
  const live = route.value.query.get('live') !== null;
  const [text, setText] = useState(term);
  useEffect(() => setText(term), [term]);
  return (
    <>
      <p class="soft">{t('traceAbout')}</p>
      <form
        class="admin-filter"
        onSubmit={(event) => {
          event.preventDefault();
          navigate(`/admin/trace?${new URLSearchParams({ ...(live && { live: '' }), q: text.trim() })}`);
        }}
      >
        <Field label={base('search')} hint={t('traceHint')}>
          {(input) => (
            <input
              {...input}
              type="search"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <button type="submit" class="button primary">
          {base('search')}
        </button>
        <button
          type="button"
          class="button"
          aria-pressed={live}
          onClick={() =>
            navigate(`/admin/trace?${new URLSearchParams({ ...(!live && { live: '' }), q: text.trim() })}`)
          }
        >
          {live ? t('liveOff') : t('liveOn')}
        </button>
      </form>
      {live ? <Live address={term} /> : term !== '' && <History term={term} />}
    </>
  );
}

interface TraceAnswer {
  readonly traces?: readonly { readonly trace: string; readonly events: readonly JournalEvent[] }[];
  readonly events?: readonly JournalEvent[];
}

function History({ term }: { readonly term: string }) {
  const t = texts('admin');
  const remote = useAdmin<TraceAnswer>('/trace', { term, limit: 20 });
  return (
    <RemoteView remote={remote}>
      {(answer) => {
        const traces = answer.traces ?? group(answer.events ?? []);
        if (traces.length === 0) return <p class="soft">{t('traceNone')}</p>;
        return (
          <>
            {traces.map(({ trace, events }) => (
              <section key={trace} class="card settings-section">
                <h2 class="mono small">{trace}</h2>
                <Events events={events} />
              </section>
            ))}
          </>
        );
      }}
    </RemoteView>
  );
}

/** Events of the same trace together, in the order in which the traces come. */
function group(events: readonly JournalEvent[]): { trace: string; events: JournalEvent[] }[] {
  const traces = new Map<string, JournalEvent[]>();
  for (const event of events) {
    const known = traces.get(event.trace);
    if (known === undefined) traces.set(event.trace, [event]);
    else known.push(event);
  }
  return [...traces].map(([trace, all]) => ({ trace, events: all }));
}

/** Events that are kept in view. */
const SHOWN = 500;

function Live({ address }: { readonly address: string }) {
  const t = texts('admin');
  const [events, setEvents] = useState<readonly JournalEvent[]>([]);
  const [paused, setPaused] = useState(false);
  const [state, setState] = useState<'connecting' | 'open' | 'lost'>('connecting');
  const waiting = useRef<JournalEvent[]>([]);
  useEffect(() => {
    const source = new EventSource(
      adminUrl('/trace/live', { address: address.includes('@') ? address : '' }),
    );
    source.onopen = () => setState('open');
    source.onerror = () => setState('lost');
    source.addEventListener('journal', (event) => {
      waiting.current.push(JSON.parse((event as MessageEvent<string>).data) as JournalEvent);
      // Nobody looks at more: a hidden page must not hold them all.
      if (waiting.current.length > SHOWN) waiting.current.shift();
    });
    return () => source.close();
  }, [address]);
  useEffect(() => {
    if (paused) return undefined;
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return;
      const fresh = waiting.current.splice(0).toReversed();
      setEvents((old) => [...fresh, ...old].slice(0, SHOWN));
    }, 300);
    return () => clearInterval(timer);
  }, [paused]);
  return (
    <>
      <div class="row">
        <span class={state === 'open' ? 'badge good' : 'badge warning'} role="status">
          {state === 'open' ? t('liveOpen') : t('liveLost')}
        </span>
        <button type="button" class="button" onClick={() => setPaused(!paused)}>
          {paused ? t('liveGoOn') : t('livePause')}
        </button>
      </div>
      <div class="admin-live" tabIndex={0} role="log" aria-live="off" aria-label={t('liveOn')}>
        <Events events={events} />
      </div>
    </>
  );
}
