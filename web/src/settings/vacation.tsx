import { useEffect, useState } from 'preact/hooks';
import { Check, Field } from '../base/field.tsx';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { useSave } from './use-save.ts';

interface Settings {
  readonly enabled: boolean;
  readonly from?: string;
  readonly until?: string;
  readonly subject?: string;
  readonly text: string;
  readonly days: number;
  readonly addresses: readonly string[];
}

const NONE: Settings = { enabled: false, text: '', days: 7, addresses: [] };

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
  const { from: _from, until: _until, subject: _subject, ...rest } = now;
  const submit = (event: Event): void => {
    event.preventDefault();
    const vacation = {
      ...rest,
      ...(now.from && { from: now.from }),
      ...(now.until && { until: now.until }),
      ...(now.subject?.trim() && { subject: now.subject }),
    };
    // Switched off before anything was ever written: there is nothing to keep.
    const nothing = !now.enabled && now.text.trim() === '';
    void save(() => api('PUT', '/account/v1/vacation', { vacation: nothing ? null : vacation }));
  };
  return (
    <form class="settings-form" onSubmit={submit}>
      <p class="soft">{t('vacationAbout')}</p>
      <Check label={t('vacationOn')} checked={now.enabled} onChange={(enabled) => set({ enabled })} />
      <div class="settings-pair">
        <Field label={t('firstDay')} hint={t('firstDayHint')} problem={problems['from']}>
          {(input) => (
            <input
              {...input}
              type="date"
              value={now.from ?? ''}
              onInput={(event) => set({ from: event.currentTarget.value })}
            />
          )}
        </Field>
        <Field label={t('lastDay')} problem={problems['until']}>
          {(input) => (
            <input
              {...input}
              type="date"
              value={now.until ?? ''}
              min={now.from ?? ''}
              onInput={(event) => set({ until: event.currentTarget.value })}
            />
          )}
        </Field>
      </div>
      <Field label={t('vacationSubject')} hint={t('vacationSubjectHint')} problem={problems['subject']}>
        {(input) => (
          <input
            {...input}
            maxLength={200}
            value={now.subject ?? ''}
            onInput={(event) => set({ subject: event.currentTarget.value })}
          />
        )}
      </Field>
      <Field label={t('vacationText')} problem={problems['text'] ?? problems['']}>
        {(input) => (
          <textarea
            {...input}
            rows={8}
            required={now.enabled}
            maxLength={10_000}
            dir="auto"
            value={now.text}
            onInput={(event) => set({ text: event.currentTarget.value })}
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
