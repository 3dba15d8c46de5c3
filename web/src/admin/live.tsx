import { useEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { adminUrl } from './api.ts';
import { Events, type JournalEvent } from './events.tsx';

/** Events that are kept in view. */
const SHOWN = 500;

/** Events as they happen, of an address and a kind where these are given. */
export function Live({ address, kind }: { readonly address: string; readonly kind: string }) {
  const t = texts('admin');
  const [events, setEvents] = useState<readonly JournalEvent[]>([]);
  const [paused, setPaused] = useState(false);
  const [state, setState] = useState<'connecting' | 'open' | 'lost'>('connecting');
  const waiting = useRef<JournalEvent[]>([]);
  useEffect(() => {
    const source = new EventSource(
      adminUrl('/trace/live', { address: address.includes('@') ? address.trim() : '', kind }),
    );
    source.onopen = () => setState('open');
    source.onerror = () => setState('lost');
    source.addEventListener('journal', (event) => {
      waiting.current.push(JSON.parse((event as MessageEvent<string>).data) as JournalEvent);
      // Nobody looks at more: a hidden page must not hold them all.
      if (waiting.current.length > SHOWN) waiting.current.shift();
    });
    return () => source.close();
  }, [address, kind]);
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
        {[address, kind].some((each) => each !== '') && (
          <span class="badge">{[address, kind].filter((each) => each !== '').join(' · ')}</span>
        )}
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
