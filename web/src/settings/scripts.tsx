import { useState } from 'preact/hooks';
import { confirm } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { api } from '../base/http.ts';
import { call, download, loadSession, ownAccountId, upload } from '../jmap/client.ts';
import type { SieveScript } from '../jmap/types.ts';
import { setOne } from './jmap-set.ts';
import { TrashButton } from './trash-button.tsx';
import { useSave } from './use-save.ts';
import { Text } from './fields.tsx';

/** Sieve for those who write it themselves (RFC 9661), and what the forms become. */
export function Scripts() {
  const t = texts('settings');
  const base = texts('base');
  const remote = useRemote(async () => {
    await loadSession();
    const { list } = await call('SieveScript/get', { accountId: ownAccountId(), ids: null });
    return list as readonly SieveScript[];
  }, []);
  const generated = useRemote(
    (signal) => api<{ script: string | null }>('GET', '/account/v1/scripts/generated', undefined, { signal }),
    [],
  );
  const [edited, setEdited] = useState<SieveScript | 'new' | undefined>(undefined);
  const { busy, save } = useSave();
  const change = (args: object): void =>
    void save(async () => {
      await setOne('SieveScript/set', args);
      await remote.reload();
    });
  const remove = async (script: SieveScript): Promise<void> => {
    const title = t('scriptRemoveTitle', { name: script.name ?? '' });
    if (await confirm({ title, yes: base('delete'), danger: true })) change({ destroy: [script.id] });
  };
  if (edited !== undefined)
    return (
      <Editor
        script={edited === 'new' ? undefined : edited}
        onDone={() => {
          setEdited(undefined);
          void remote.reload();
        }}
      />
    );
  return (
    <>
      <p class="soft">{t('scriptsAbout')}</p>
      <RemoteView remote={remote}>
        {(list) =>
          list.length === 0 ? (
            <p class="soft">{t('scriptsNone')}</p>
          ) : (
            <ul class="settings-list">
              {list.map((script) => (
                <li key={script.id} class="settings-item">
                  <div class="settings-item-main">
                    <span class="settings-item-name">{script.name}</span>{' '}
                    {script.isActive && <span class="badge good">{t('scriptActive')}</span>}
                  </div>
                  <button
                    type="button"
                    class="button"
                    disabled={busy}
                    onClick={() =>
                      change(
                        script.isActive
                          ? { onSuccessDeactivateScript: true }
                          : { onSuccessActivateScript: script.id },
                      )
                    }
                  >
                    {script.isActive ? t('switchOff') : t('switchOn')}
                  </button>
                  <button type="button" class="button" onClick={() => setEdited(script)}>
                    {base('edit')}
                  </button>
                  <TrashButton
                    label={`${base('delete')}: ${script.name}`}
                    busy={busy || script.isActive}
                    title={script.isActive ? t('scriptActiveStays') : undefined}
                    onClick={() => void remove(script)}
                  />
                </li>
              ))}
            </ul>
          )
        }
      </RemoteView>
      <div class="row">
        <button type="button" class="button" onClick={() => setEdited('new')}>
          <Icon name="plus" />
          {t('scriptAdd')}
        </button>
      </div>
      {generated.data?.script && (
        <section class="settings-section">
          <h2>{t('scriptGenerated')}</h2>
          <p class="soft">{t('scriptGeneratedAbout')}</p>
          <pre class="settings-code" tabIndex={0}>
            {generated.data.script}
          </pre>
        </section>
      )}
    </>
  );
}

function Editor({
  script,
  onDone,
}: {
  readonly script: SieveScript | undefined;
  readonly onDone: () => void;
}) {
  const t = texts('settings');
  const loaded = useRemote(async () => {
    if (script === undefined) return '';
    return new TextDecoder().decode(await download(ownAccountId(), script.blobId));
  }, [script?.id]);
  return (
    <RemoteView remote={loaded}>
      {(text) => (
        <EditorForm key={script?.id ?? t('scriptAdd')} script={script} text={text} onDone={onDone} />
      )}
    </RemoteView>
  );
}

interface EditorFormProps {
  readonly script: SieveScript | undefined;
  readonly text: string;
  readonly onDone: () => void;
}

function EditorForm({ script, text, onDone }: EditorFormProps) {
  const t = texts('settings');
  const base = texts('base');
  const [name, setName] = useState(script?.name ?? '');
  const [content, setContent] = useState(text);
  const { busy, problems, save } = useSave();
  const keep = async (): Promise<string> => {
    const blob = new Blob([content], { type: 'application/sieve' });
    return (await upload(ownAccountId(), blob)).blobId;
  };
  const check = (): void =>
    void save(async () => {
      const answer = await call('SieveScript/validate', { accountId: ownAccountId(), blobId: await keep() });
      const { error } = answer as unknown as { error: { description?: string } | null };
      if (error !== null)
        throw new (await import('../base/http.ts')).ApiError(
          400,
          'bad-input',
          error.description ?? t('scriptWrong'),
        );
    }, t('scriptRight'));
  const submit = (event: Event): void => {
    event.preventDefault();
    void save(async () => {
      const blobId = await keep();
      const values = { name: name.trim(), blobId };
      await setOne(
        'SieveScript/set',
        script === undefined ? { create: { new: values } } : { update: { [script.id]: values } },
      );
    }).then((done) => done && onDone());
  };
  const rest = Object.entries(problems).filter(([field]) => field !== 'name');
  return (
    <form class="stack" onSubmit={submit}>
      <Text
        label={t('scriptName')}
        problem={problems['name']}
        required
        maxLength={128}
        value={name}
        onInput={setName}
      />
      <Field label={t('scriptText')} hint={t('scriptTextHint')} problem={rest[0]?.[1]}>
        {(input) => (
          <textarea
            {...input}
            class="input settings-editor"
            dir="ltr"
            spellcheck={false}
            value={content}
            onInput={(event) => setContent(event.currentTarget.value)}
          />
        )}
      </Field>
      <div class="row">
        <button type="submit" class="button primary" disabled={busy}>
          {base('save')}
        </button>
        <button type="button" class="button" disabled={busy} onClick={check}>
          {t('scriptCheck')}
        </button>
        <button type="button" class="button quiet" onClick={onDone}>
          {base('cancel')}
        </button>
      </div>
    </form>
  );
}
