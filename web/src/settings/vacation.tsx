import { useEffect, useMemo, useState } from 'preact/hooks';
import { Check, Field } from '../base/field.tsx';
import { formatDateTime } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { treeToText } from '../compose/plain-text.ts';
import { useSave } from './use-save.ts';
import { Text } from './fields.tsx';

interface Settings {
  readonly enabled: boolean;
  /** When it begins and ends; another program may have set a day of the server's time zone. */
  readonly from?: string;
  readonly until?: string;
  readonly subject?: string;
  readonly text?: string | undefined;
  /** Set by other programs only. */
  readonly html?: string | undefined;
  readonly days: number;
  readonly addresses: readonly string[];
}

const NONE: Settings = { enabled: false, days: 7, addresses: [] };

/** The day, here, of a moment: 2026-12-24. `before`: milliseconds before a time; it ends before its time comes. */
function dayOf(moment: string | undefined, before = 0): string {
  if (moment === undefined || !moment.includes('T')) return moment ?? '';
  const at = new Date(Date.parse(moment) - before);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** When a day begins here, wherever the server is; `after`: so many days later. Empty for none. */
function startOf(day: string, after = 0): string {
  const [year = NaN, month = NaN, date = NaN] = day.split('-').map(Number);
  const at = new Date(year, month - 1, date + after);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString().replace(/\.\d+Z$/, 'Z');
}

function isMidnight(moment: string): boolean {
  const at = new Date(moment);
  return at.getHours() + at.getMinutes() + at.getSeconds() === 0;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** The words are read from the HTML; nothing of it runs or is fetched. */
function textOfHtml(html: string | undefined): string {
  return html === undefined ? '' : treeToText(new DOMParser().parseFromString(html, 'text/html').body);
}

export function Vacation() {
  const remote = useRemote(
    (signal) => api<{ vacation: Settings | null }>('GET', '/account/v1/vacation', undefined, { signal }),
    [],
  );
  return <RemoteView remote={remote}>{({ vacation }) => <Form given={vacation ?? NONE} />}</RemoteView>;
}

function Form({ given }: { readonly given: Settings }) {
  const t = texts('settings');
  const base = texts('base');
  const [now, setNow] = useState(given);
  const { busy, problems, save } = useSave();
  useEffect(() => setNow(given), [given]);
  const set = (change: Partial<Settings>): void => setNow({ ...now, ...change });
  const shown = useMemo(() => now.text ?? textOfHtml(now.html), [now.text, now.html]);
  const exact = (moment: string | undefined): string | undefined =>
    moment?.includes('T') && !isMidnight(moment)
      ? t('vacationExact', { when: formatDateTime(Date.parse(moment)) })
      : undefined;
  const { from: _from, until: _until, subject: _subject, text: _text, html: _html, ...rest } = now;
  const submit = (event: Event): void => {
    event.preventDefault();
    // What was chosen here is a day of this device's time zone; what was there stays as it is.
    const from = now.from === given.from ? now.from : startOf(now.from ?? '');
    const until = now.until === given.until ? now.until : startOf(now.until ?? '', 1);
    const vacation = {
      ...rest,
      ...(from && { from }),
      ...(until && { until }),
      ...(now.subject?.trim() && { subject: now.subject }),
      ...(now.text?.trim() && { text: now.text }),
      ...(now.html && { html: now.html }),
    };
    // Switched off before anything was ever written: there is nothing to keep.
    const nothing = !now.enabled && shown.trim() === '';
    void save(() => api('PUT', '/account/v1/vacation', { vacation: nothing ? null : vacation }));
  };
  return (
    <form class="settings-form" onSubmit={submit}>
      <p class="soft">{t('vacationAbout')}</p>
      <Check label={t('vacationOn')} checked={now.enabled} onChange={(enabled) => set({ enabled })} />
      <div class="settings-pair">
        <Field label={t('firstDay')} hint={exact(now.from) ?? t('firstDayHint')} problem={problems['from']}>
          {(input) => (
            <input
              {...input}
              type="date"
              value={dayOf(now.from)}
              onInput={(event) => set({ from: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field
          label={t('lastDay')}
          {...(exact(now.until) !== undefined && { hint: exact(now.until) })}
          problem={problems['until']}
        >
          {(input) => (
            <input
              {...input}
              type="date"
              value={dayOf(now.until, 1)}
              min={dayOf(now.from)}
              onInput={(event) => set({ until: event.currentTarget.value })}
            />
          )}
        </Field>
      </div>
      <Text
        label={t('vacationSubject')}
        hint={t('vacationSubjectHint')}
        problem={problems['subject']}
        maxLength={200}
        value={now.subject ?? ''}
        onInput={(text) => set({ subject: text })}
      />
      <Field
        label={t('vacationText')}
        {...(now.html !== undefined && { hint: t('vacationHtml') })}
        problem={problems['text'] ?? problems['']}
      >
        {(input) => (
          <textarea
            {...input}
            rows={8}
            required={now.enabled}
            maxLength={10_000}
            dir="auto"
            value={shown}
            // What was formatted says no longer what stands here.
            onInput={(event) => set({ text: event.currentTarget.value, html: undefined })}
          />
        )}
      </Field>
      <Field label={t('vacationDays')} hint={t('vacationDaysHint')} problem={problems['days']}>
        {(input) => (
          <input
            {...input}
            type="number"
            min={1}
            max={90}
            value={now.days}
            onInput={(event) => set({ days: Number(event.currentTarget.value) })}
          />
        )}
      </Field>
      <div class="row">
        <button type="submit" class="button primary" disabled={busy}>
          {base('save')}
        </button>
      </div>
    </form>
  );
}
