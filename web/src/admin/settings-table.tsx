import { useState } from 'preact/hooks';
import { Field } from '../base/field.tsx';
import { textOf, texts } from '../base/i18n.ts';
import { RemoteView } from '../base/remote-view.tsx';
import { useSentences } from '../text/sentence.tsx';
import { FormDialog } from '../settings/fields.tsx';
import { useSave } from '../settings/use-save.ts';
import { admin, useAdmin } from './api.ts';
import { flatten, fromText, type Json, toText } from './setting-values.ts';
import { DataTable } from './table.tsx';
import { Text } from '../settings/fields.tsx';

interface Answer {
  readonly settings: Readonly<Record<string, Json>>;
  /** Dotted names of those that are not as they were delivered. */
  readonly changed?: readonly string[];
}

interface SettingsTableProps {
  readonly label: string;
  /** First part of the names of what is said about them. */
  readonly area:
    | 'admin'
    | 'alerts'
    | 'housekeeping'
    | 'journal'
    | 'doctor'
    | 'backup'
    | 'filter'
    | 'certificates';
  /** Of the operation that shows them. */
  readonly path: string;
  /** Of the operation that sets one, before its name; as `path` otherwise. */
  readonly setPath?: string;
  /** Those alone whose names begin so. */
  readonly only?: readonly string[];
}

/** A value as it is read: what is empty is nothing. */
function shownText(value: Json): string {
  const text = toText(value);
  return ['', '[]', '{}'].includes(text) ? '–' : text;
}

/** What a setting is about; of entries of a table ("accounts.ann@example.org.trash_days") what the table is about. */
function aboutSetting(area: string, name: string): string | undefined {
  const parts = name.split('.');
  for (let count = parts.length; count > 0; count--) {
    const found = textOf('settingsAbout', `${area}.${parts.slice(0, count).join('.')}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function fits(search: string, ...within: readonly (string | undefined)[]): boolean {
  const wanted = search.trim().toLowerCase();
  return within.some((each) => each?.toLowerCase().includes(wanted));
}

/** Settings of an area by their names, as the command line has them; one is changed at a time, and the server says what is wrong with a value. */
export function SettingsTable({ label, area, path, setPath = path, only }: SettingsTableProps) {
  const t = texts('admin');
  const base = texts('base');
  useSentences('settingsAbout');
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
              fits(search, name, aboutSetting(area, name)),
          );
          return (
            <>
              {(rows.length > 12 || search !== '') && (
                <Text label={base('search')} type="search" value={search} onInput={setSearch} />
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
                        <div class="soft small admin-about">{aboutSetting(area, name)}</div>
                      </>
                    ),
                  },
                  {
                    title: t('value'),
                    cell: ([, value]) => (
                      <span class="admin-value">
                        {typeof value === 'boolean' ? base(value ? 'on' : 'off') : shownText(value)}
                      </span>
                    ),
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
          about={aboutSetting(area, edited[0])}
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
  readonly about: string | undefined;
  readonly value: Json;
  readonly put: (value: Json) => Promise<unknown>;
  readonly onClose: () => void;
  readonly onSaved: () => void;
}

function Editor({ name, about, value, put, onClose, onSaved }: EditorProps) {
  const t = texts('admin');
  const base = texts('base');
  const [text, setText] = useState(toText(value));
  const { busy, problems, save } = useSave();
  const keep = (wanted: Json): void => void save(() => put(wanted)).then((done) => done && onSaved());
  return (
    <FormDialog
      title={name}
      busy={busy}
      onClose={onClose}
      onSubmit={() => keep(fromText(text, value))}
      buttons={
        <button type="button" class="button" disabled={busy} onClick={() => keep(null)}>
          {t('backToDefault')}
        </button>
      }
    >
      <Field label={t('value')} hint={about} problem={Object.values(problems)[0]}>
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
    </FormDialog>
  );
}
