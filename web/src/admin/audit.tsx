import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { textOf, texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import type { Said } from '../text/said.ts';
import { Sentence, useSentences } from '../text/sentence.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { DataTable } from './table.tsx';
import { auditWords } from './words.ts';
import { Time } from './time.tsx';
import { Text } from '../settings/fields.tsx';

interface Row {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly data: string;
  readonly undo: 'no' | 'possible' | 'done';
  /** Why it cannot be taken back. */
  readonly whyWords?: Said;
}

/** What is long is opened by whoever wants it. */
const LONG = 120;

function Data({ row: { action, data } }: { readonly row: Row }) {
  const t = texts('admin');
  const text = wordsOf(action, data);
  if (text === '') return null;
  if (text.length <= LONG) return <span class="admin-value">{text}</span>;
  return (
    <details class="admin-data">
      <summary class="small">{t('details')}</summary>
      <span class="admin-value">{text}</span>
    </details>
  );
}

function wordsOf(action: string, json: string): string {
  try {
    return auditWords(action, JSON.parse(json), (key) => textOf('audit', key));
  } catch {
    return json;
  }
}

/** Why there is no button: it was taken back, or it cannot be. */
function Otherwise({ row: { undo, whyWords } }: { readonly row: Row }) {
  const t = texts('admin');
  if (undo === 'done') return <span class="badge">{t('takenBack')}</span>;
  return (
    <details class="admin-why">
      <summary class="small">{t('notTakenBack')}</summary>
      <span class="small">{whyWords !== undefined && <Sentence said={whyWords} />}</span>
    </details>
  );
}

/** What an action is called; one of a newer server by the name it has there. */
function actionWords(action: string): string {
  return textOf('audit', action) ?? action;
}

function What({ row: { action, subject } }: { readonly row: Row }) {
  return (
    <>
      <span title={action}>{actionWords(action)}</span>
      <div class="soft small" dir="auto">
        {textOf('audit', `subject ${subject}`) ?? subject}
      </div>
    </>
  );
}

/** Who changed what; what can be taken back. */
export function Audit() {
  useSentences('audit');
  const t = texts('admin');
  const base = texts('base');
  const [text, setText] = useState('');
  const [query, setQuery] = useState<{ text?: string; before?: number }>({});
  const remote = useAdmin<{ rows: readonly Row[]; next?: number }>('/audit', { ...query, limit: 100 });
  const { busy, save } = useSave();
  const undo = async (row: Row): Promise<void> => {
    const title = t('undoTitle', { action: actionWords(row.action), subject: row.subject });
    if (!(await confirm({ title, yes: t('takeBack') }))) return;
    await save(() => admin('POST', `/audit/${row.id}/undo`, {}), t('takenBack'));
    await remote.reload();
  };
  return (
    <>
      <form
        class="admin-filter"
        onSubmit={(event) => {
          event.preventDefault();
          setQuery(text.trim() === '' ? {} : { text: text.trim() });
        }}
      >
        <Text label={base('search')} type="search" value={text} onInput={setText} />
        <button type="submit" class="button">
          {base('search')}
        </button>
      </form>
      <RemoteView remote={remote}>
        {({ rows, next }) => (
          <>
            <DataTable
              label={t('audit')}
              rows={rows}
              rowKey={(each) => each.id}
              empty={t('auditNone')}
              columns={[
                { title: t('when'), cell: (each) => <Time at={each.at} /> },
                { title: t('who'), cell: (each) => each.actor },
                { title: t('what'), cell: (each) => <What row={each} /> },
                {
                  title: t('value'),
                  cell: (each) => <Data row={each} />,
                },
                {
                  title: '',
                  end: true,
                  cell: (each) =>
                    each.undo === 'possible' ? (
                      <button type="button" class="button" disabled={busy} onClick={() => void undo(each)}>
                        {t('takeBack')}
                      </button>
                    ) : (
                      <Otherwise row={each} />
                    ),
                },
              ]}
            />
            <div class="row">
              {query.before !== undefined && (
                <button
                  type="button"
                  class="button"
                  onClick={() => setQuery(({ before: _before, ...rest }) => rest)}
                >
                  {t('newest')}
                </button>
              )}
              {next !== undefined && (
                <button type="button" class="button" onClick={() => setQuery({ ...query, before: next })}>
                  {t('older')}
                </button>
              )}
            </div>
          </>
        )}
      </RemoteView>
    </>
  );
}
