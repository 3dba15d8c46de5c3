import { texts } from '../base/i18n.ts';
import type { Said } from '../text/said.ts';
import { Advice, Sentence, useSentences } from '../text/sentence.tsx';
import { Time } from './time.tsx';

export interface JournalEvent {
  readonly id?: number;
  readonly trace: string;
  readonly at: number;
  readonly kind: string;
  readonly data: unknown;
  readonly count?: number;
  readonly lastAt?: number;
  /** What happened, in words, and what can be done. */
  readonly words?: EventWords;
}

interface EventWords {
  readonly headline: Said;
  readonly details: readonly Said[];
  readonly rows: readonly { readonly label?: Said; readonly text: Said }[];
  readonly remedy: readonly Said[];
}

/** What happened, in order. */
export function Events({ events }: { readonly events: readonly JournalEvent[] }) {
  const t = texts('admin');
  const ready = useSentences('events', 'rules', 'remedies', 'advice');
  if (events.length === 0) return <p class="soft">{t('eventsNone')}</p>;
  if (!ready) return null;
  return (
    <ol class="admin-events">
      {events.map((event, index) => (
        <li key={event.id ?? `${event.trace} ${event.at} ${index}`} class="admin-event">
          <Time at={event.at} />
          <div class="admin-told">
            <strong>
              {event.words === undefined ? event.kind : <Sentence said={event.words.headline} />}
              {event.count !== undefined && event.count > 1 && ` × ${event.count}`}
            </strong>
            {event.words !== undefined && <Words words={event.words} />}
            <Raw event={event} />
          </div>
        </li>
      ))}
    </ol>
  );
}

function Words({ words: { details, rows, remedy } }: { readonly words: EventWords }) {
  return (
    <>
      {details.map((each) => (
        <p key={each.text}>
          <Sentence said={each} />
        </p>
      ))}
      {rows.length > 0 && (
        <dl class="admin-told-rows">
          {rows.map(({ label, text }, i) => (
            <div key={i}>
              <dt>{label !== undefined && <Sentence said={label} />}</dt>
              <dd>
                <Sentence said={text} />
              </dd>
            </div>
          ))}
        </dl>
      )}
      {remedy.length > 0 && (
        <p class="admin-remedy">
          <Advice said={remedy} />
        </p>
      )}
    </>
  );
}

/** The event as the journal has it. */
function Raw({ event: { kind, trace, data } }: { readonly event: JournalEvent }) {
  const t = texts('admin');
  return (
    <details class="small soft">
      <summary>{t('eventRaw')}</summary>
      <pre class="admin-raw" dir="ltr" lang="en">
        {`${kind} ${trace}\n${JSON.stringify(data, undefined, 1)}`}
      </pre>
    </details>
  );
}
