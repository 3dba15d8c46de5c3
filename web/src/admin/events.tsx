import { formatDateTime } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { dataWords } from './words.ts';

export interface JournalEvent {
  readonly id?: number;
  readonly trace: string;
  readonly at: number;
  readonly kind: string;
  readonly data: unknown;
  readonly count?: number;
  /** In words, where the server says them. */
  readonly sentence?: string;
}

/** What happened, in order. */
export function Events({ events }: { readonly events: readonly JournalEvent[] }) {
  const t = texts('admin');
  if (events.length === 0) return <p class="soft">{t('eventsNone')}</p>;
  return (
    <ol class="admin-events">
      {events.map((event, index) => (
        <li key={event.id ?? `${event.trace} ${event.at} ${index}`} class="admin-event">
          <time dateTime={new Date(event.at).toISOString()}>{formatDateTime(event.at)}</time>
          <strong>
            {event.kind}
            {event.count !== undefined && event.count > 1 && ` × ${event.count}`}
          </strong>
          <span class="admin-value">{event.sentence ?? dataWords(event.data)}</span>
        </li>
      ))}
    </ol>
  );
}
