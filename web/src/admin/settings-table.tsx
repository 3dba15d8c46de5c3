import { useState } from 'preact/hooks';
import { Dialog } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { flatten, fromText, type Json, toText } from './setting-values.ts';
import { DataTable } from './table.tsx';

interface Answer {
  readonly settings: Readonly<Record<string, Json>>;
  /** Dotted names of those that are not as they were delivered. */
  readonly changed?: readonly string[];
}

interface SettingsTableProps {
  readonly label: string;
  /** Of the operation that shows them. */
  readonly path: string;
  /** Of the operation that sets one, before its name; as `path` otherwise. */
  readonly setPath?: string;
  /** Those alone whose names begin so. */
  readonly only?: readonly string[];
}

/** Settings of an area by their names, as the command line has them; one is changed at a time, and the server says what is wrong with a value. */
export function SettingsTable({ label, path, setPath = path, only }: SettingsTableProps) {
  const t = texts('admin');
  const base = texts('base');
  const remote = useAdmin<Answer>(path);
  const [edited, setEdited] = useState<readonly [name: string, value: Json] | undefined>(undefined);
  const [search, setSearch] = useState('');
  return (
    <section class="settings-section">
      <h2>{label}</h2>
      <RemoteView remote={remote}>
        {({ settings, changed = [] }) => {
          const rows = flatten(settings).filter(
            ([name]) =>
              (only === undefined || only.some((start) => name.startsWith(start))) &&
              name.includes(search.trim()),
          );
          return (
            <>
              {(rows.length > 12 || search !== '') && (
                <Field label={base('search')}>
                  {(input) => (
                    <input
                      {...input}
                      type="search"
                      value={search}
                      onInput={(event) => setSearch(event.currentTarget.value)}
                    />
                  )}
                </Field>
              )}
              <DataTable
                label={label}
                rows={rows}
                rowKey={([name]) => name}
                empty={t('settingsNone')}
                brief
                columns={[
                  {
                    title: t('setting'),
                    cell: ([name]) => (
                      <>
                        <code>{name}</code>{' '}
                        {changed.includes(name) && <span class="badge warning">{t('changed')}</span>}
                      </>
                    ),
                  },
                  {
                    title: t('value'),
                    cell: ([, value]) => <span class="admin-value">{toText(value) || '–'}</span>,
                  },
                  {
                    title: '',
                    end: true,
                    cell: (row) => (
                      <button
                        type="button"
                        class="button"
                        aria-label={`${base('edit')}: ${row[0]}`}
                        onClick={() => setEdited(row)}
                      >
                        {base('edit')}
                      </button>
                    ),
                  },
                ]}
              />
            </>
          );
        }}
      </RemoteView>
      {edited !== undefined && (
        <Editor
          name={edited[0]}
          value={edited[1]}
          put={(value) => admin('PUT', `${setPath}/${encodeURIComponent(edited[0])}`, { value })}
          onClose={() => setEdited(undefined)}
          onSaved={() => {
            setEdited(undefined);
            void remote.reload();
          }}
        />
      )}
    </section>
  );
}

interface EditorProps {
  readonly name: string;
  readonly value: Json;
  readonly put: (value: Json) => Promise<unknown>;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

function Editor({ name, value, put, onClose, onSaved }: EditorProps) {
  const t = texts('admin');
  const base = texts('base');
  const [text, setText] = useState(toText(value));
  const { busy, problems, save } = useSave();
  const keep = (wanted: Json): void => void save(() => put(wanted)).then((done) => done && onSaved());
  return (
    <Dialog title={name} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          keep(fromText(text, value));
        }}
      >
        <Field label={t('value')} problem={Object.values(problems)[0]}>
          {(input) =>
            typeof value === 'boolean' ? (
              <select {...input} value={text} onChange={(event) => setText(event.currentTarget.value)}>
                <option value="true">{base('on')}</option>
                <option value="false">{base('off')}</option>
              </select>
            ) : (
              <textarea
                {...input}
                class="input mono"
                rows={text.length > 60 ? 6 : 2}
                spellcheck={false}
                value={text}
                onInput={(event) => setText(event.currentTarget.value)}
              />
            )
          }
        </Field>
        <div class="dialog-foot">
          <button type="button" class="button" disabled={busy} onClick={() => keep(null)}>
            {t('backToDefault')}
          </button>
          <button type="submit" class="button primary" disabled={busy}>
            {base('save')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
