import { useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { pathOf } from '../base/router.ts';
import { Select, Text } from '../settings/fields.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { EditedList } from './edited-list.tsx';
import { SettingsTable } from './settings-table.tsx';
import { fromText, type Json } from './setting-values.ts';
import { DataTable } from './table.tsx';
import { tracePath } from './trace-query.ts';
import { Time } from './time.tsx';

export function Spam() {
  const t = texts('admin');
  return (
    <>
      <WhatIf />
      <SiteSenders />
      <SettingsTable label={t('filterSettings')} area="filter" path="/filter/settings" />
    </>
  );
}

interface Moved {
  readonly at: number;
  readonly trace: string;
  readonly from?: string;
  readonly subject?: string;
  /** One of several recipients. */
  readonly to?: string;
  readonly caseNumber?: string;
  readonly was: string;
  readonly would: string;
  readonly score: number;
  readonly why: string;
}

interface WhatIfAnswer {
  readonly judged: number;
  readonly moved: readonly Moved[];
  readonly counts: readonly { readonly was: string; readonly would: string; readonly count: number }[];
  readonly more: boolean;
  readonly limits: readonly string[];
}

/** What a change would have done to the mail of the last days, before it is made. */
function WhatIf() {
  const t = texts('admin');
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [days, setDays] = useState(14);
  const [answer, setAnswer] = useState<WhatIfAnswer | undefined>(undefined);
  const { busy, problems, save } = useSave();
  const words: Readonly<Record<string, string>> = {
    inbox: t('toInbox'),
    junk: t('toJunk'),
    refuse: t('refusedMail'),
  };
  const ask = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      const settings = nest(name.trim().split('.'), fromText(value, null));
      setAnswer(await admin<WhatIfAnswer>('POST', '/filter/what-if', { settings, days }));
    }, '');
  };
  return (
    <section class="settings-section">
      <h2>{t('whatIf')}</h2>
      <p class="soft">{t('whatIfAbout')}</p>
      <form class="admin-filter" onSubmit={ask}>
        <Field label={t('setting')} problem={Object.values(problems)[0]}>
          {(input) => (
            <input
              {...input}
              class="input mono"
              required
              spellcheck={false}
              placeholder="good_per_junked"
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t('value')}>
          {(input) => (
            <input
              {...input}
              class="input mono"
              required
              spellcheck={false}
              value={value}
              onInput={(event) => setValue(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t('ofLastDays')}>
          {(input) => (
            <input
              {...input}
              type="number"
              min={1}
              max={30}
              value={days}
              onInput={(event) => setDays(Number(event.currentTarget.value))}
            />
          )}
        </Field>
        <button type="submit" class="button primary" disabled={busy}>
          {t('ask')}
        </button>
      </form>
      {answer !== undefined && (
        <div class="stack" aria-live="polite">
          <p class="note">
            {t('whatIfMoved', {
              count: answer.counts.reduce((sum, { count }) => sum + count, 0),
              judged: answer.judged,
            })}
          </p>
          {answer.moved.some(({ subject }) => subject === undefined) && (
            <p class="soft small">{t('whatIfSubjects')}</p>
          )}
          {answer.limits.map((limit) => (
            <p key={limit} class="soft small">
              {limit}
            </p>
          ))}
          {answer.moved.length > 0 && (
            <DataTable
              label={t('whatIf')}
              rows={answer.moved}
              rowKey={(each) => `${each.trace} ${each.to ?? ''}`}
              empty=""
              columns={[
                {
                  title: t('message'),
                  cell: (each) => (
                    <>
                      <a href={tracePath({ q: each.trace })} dir="auto">
                        {each.subject ?? each.from ?? each.trace}
                      </a>
                      {each.subject !== undefined && (
                        <div class="soft small" dir="auto">
                          {each.from}
                        </div>
                      )}
                      {each.caseNumber !== undefined && (
                        <div class="small">
                          <a href={pathOf('admin', 'vault', each.caseNumber)}>{each.caseNumber}</a>
                        </div>
                      )}
                      <div class="soft small">{each.why}</div>
                    </>
                  ),
                },
                { title: t('to'), cell: (each) => each.to ?? '–' },
                { title: t('was'), cell: (each) => words[each.was] ?? each.was },
                { title: t('would'), cell: (each) => words[each.would] ?? each.would },
                { title: t('score'), end: true, cell: (each) => each.score.toFixed(1) },
                { title: t('when'), cell: (each) => <Time at={each.at} /> },
              ]}
            />
          )}
        </div>
      )}
    </section>
  );
}

/** {a: {b: value}} of ["a", "b"]. */
function nest(path: readonly string[], value: Json): Json {
  const [first, ...rest] = path;
  return first === undefined ? value : { [first]: nest(rest, value) };
}

interface Sender {
  readonly pattern: string;
  readonly action: 'allow' | 'block';
  readonly note: string;
  readonly createdAt: number;
}

function SiteSenders() {
  const t = texts('admin');
  const remote = useAdmin<{ senders?: readonly Sender[]; entries?: readonly Sender[] }>('/filter/senders');
  const [pattern, setPattern] = useState('');
  const [action, setAction] = useState<Sender['action']>('block');
  return (
    <section class="settings-section">
      <h2>{t('siteSenders')}</h2>
      <EditedList
        label={t('siteSenders')}
        remote={remote}
        rows={(answer) => answer.senders ?? answer.entries ?? []}
        name={(each) => each.pattern}
        empty={t('siteSendersNone')}
        columns={[
          { title: t('senderPattern'), cell: (each) => each.pattern },
          { title: t('action'), cell: (each) => (each.action === 'allow' ? t('allow') : t('block')) },
          { title: t('when'), cell: (each) => <Time at={each.createdAt} /> },
        ]}
        fields={(problem) => (
          <>
            <Text
              label={t('senderPattern')}
              hint={t('senderPatternHint')}
              problem={problem}
              required
              value={pattern}
              onInput={setPattern}
            />
            <Select
              label={t('action')}
              value={action}
              options={[
                ['block', t('block')],
                ['allow', t('allow')],
              ]}
              onChange={setAction}
            />
          </>
        )}
        add={async () => {
          await admin('POST', '/filter/senders', { pattern: pattern.trim(), action });
          setPattern('');
        }}
        removeTitle={(name) => t('aliasRemoveTitle', { address: name })}
        remove={(each) => admin('DELETE', `/filter/senders/${encodeURIComponent(each.pattern)}`)}
      />
    </section>
  );
}
