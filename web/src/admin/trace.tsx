import { useEffect, useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { navigate, route } from '../base/router.ts';
import { History } from './history.tsx';
import { Live } from './live.tsx';
import { isEmpty, OUTCOMES, readQuery, tracePath, type TraceQuery } from './trace-query.ts';

/** Where a message is and what became of it: history by anything known of it, and events as they happen. */
export function Trace() {
  const t = texts('admin');
  const base = texts('base');
  const { query } = route.value;
  const key = query.toString();
  const wanted = readQuery(query);
  const live = query.get('live') !== null;
  const [form, setForm] = useState<TraceQuery>(wanted);
  useEffect(() => setForm(readQuery(new URLSearchParams(key))), [key]);
  const change = (values: Partial<TraceQuery>): void => setForm({ ...form, ...values });
  return (
    <>
      <p class="soft">{t('traceAbout')}</p>
      <form
        class="admin-filter"
        onSubmit={(event) => {
          event.preventDefault();
          navigate(tracePath(form, live));
        }}
      >
        {live ? <LiveFields form={form} change={change} /> : <HistoryFields form={form} change={change} />}
        <div class="row admin-filter-end">
          <button type="submit" class="button primary">
            {base('search')}
          </button>
          <button
            type="button"
            class="button"
            aria-pressed={live}
            onClick={() => navigate(tracePath(form, !live))}
          >
            {live ? t('liveOff') : t('liveOn')}
          </button>
        </div>
      </form>
      {live ? (
        <Live key={key} address={wanted.q} kind={wanted.kind} />
      ) : (
        !isEmpty(wanted) && <History key={key} query={wanted} />
      )}
    </>
  );
}

interface FieldsProps {
  readonly form: TraceQuery;
  readonly change: (values: Partial<TraceQuery>) => void;
}

function HistoryFields({ form, change }: FieldsProps) {
  const t = texts('admin');
  const base = texts('base');
  const outcomes = {
    delivered: t('delivered'),
    junk: t('toJunk'),
    refused: t('refusedMail'),
    deferred: t('waiting'),
    failed: t('failedMail'),
  };
  return (
    <>
      <Text label={base('search')} hint={t('traceHint')} value={form.q} onInput={(q) => change({ q })} />
      <Text label={t('sender')} value={form.sender} onInput={(sender) => change({ sender })} />
      <Text label={t('recipient')} value={form.recipient} onInput={(recipient) => change({ recipient })} />
      <Field label={t('outcome')}>
        {(input) => (
          <select
            {...input}
            value={form.outcome}
            onChange={(event) => change({ outcome: event.currentTarget.value })}
          >
            <option value="">{t('any')}</option>
            {OUTCOMES.map((each) => (
              <option key={each} value={each}>
                {outcomes[each]}
              </option>
            ))}
          </select>
        )}
      </Field>
      {(['from', 'to'] as const).map((name) => (
        <Field key={name} label={name === 'from' ? t('notBefore') : t('notAfter')}>
          {(input) => (
            <input
              {...input}
              type="datetime-local"
              value={form[name]}
              onInput={(event) => change({ [name]: event.currentTarget.value })}
            />
          )}
        </Field>
      ))}
    </>
  );
}

/** Beginnings of kinds of events that one may want to watch alone. */
const KINDS = [
  'message',
  'delivery',
  'recipient',
  'mail',
  'connection',
  'session',
  'login',
  'queue',
  'ban',
  'intake',
  'bounce',
  'admin',
] as const;

function LiveFields({ form, change }: FieldsProps) {
  const t = texts('admin');
  return (
    <>
      <Text label={t('address')} hint={t('liveAddressHint')} value={form.q} onInput={(q) => change({ q })} />
      <Field label={t('kind')}>
        {(input) => (
          <select
            {...input}
            value={form.kind}
            onChange={(event) => change({ kind: event.currentTarget.value })}
          >
            <option value="">{t('any')}</option>
            {KINDS.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

function Text({
  label,
  hint,
  value,
  onInput,
}: {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onInput: (text: string) => void;
}) {
  return (
    <Field label={label} {...(hint !== undefined && { hint })}>
      {(input) => (
        <input
          {...input}
          type="search"
          autocapitalize="off"
          spellcheck={false}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
