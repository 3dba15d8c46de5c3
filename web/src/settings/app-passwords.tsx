import { useState } from 'preact/hooks';
import { confirm, Dialog } from '../base/dialog.tsx';
import { Check, Field } from '../base/field.tsx';
import { formatDate, formatRelative } from '../base/format.ts';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { withConfirmation } from './confirm-self.tsx';
import { copyText } from './copy.ts';
import { NamedList } from './named-list.tsx';
import type { SecurityProps } from './security.tsx';
import { PATH, type Scope } from './security-types.ts';
import { useSave } from './use-save.ts';
import { FormDialog, Text } from './fields.tsx';

const SCOPES = ['mail', 'send', 'settings'] as const;
const DAY_MS = 86_400_000;

/** A password of its own for each program: it can do less, and be taken back alone. */
export function AppPasswords({ facts, reload }: SecurityProps) {
  const t = texts('settings');
  const base = texts('base');
  const [adding, setAdding] = useState(false);
  const { busy, save } = useSave();
  const remove = async (id: number | string, name: string): Promise<void> => {
    const title = t('appPasswordRemoveTitle', { name });
    const sentence = t('appPasswordRemoveSentence');
    if (!(await confirm({ title, sentence, yes: base('remove'), danger: true }))) return;
    await save(() => withConfirmation(() => api('DELETE', `${PATH}/app-passwords/${id}`)));
    await reload();
  };
  return (
    <section class="settings-section">
      <h2>{t('appPasswords')}</h2>
      <p class="soft">{t('appPasswordsAbout')}</p>
      <NamedList
        rows={facts.appPasswords}
        busy={busy}
        about={(each) => (
          <>
            {scopeWords(each.scopes)} · {t('since', { date: formatDate(each.createdAt) })}
            {each.expiresAt ? ` · ${t('expires', { date: formatDate(each.expiresAt) })}` : ''}
            {each.lastUsedAt ? ` · ${t('lastUsed', { when: formatRelative(each.lastUsedAt) })}` : ''}
            {each.lastFrom ? ` (${each.lastFrom})` : ''}
          </>
        )}
        onRemove={(each) => void remove(each.id, each.name)}
      />
      <div class="row">
        <button type="button" class="button" onClick={() => setAdding(true)}>
          <Icon name="plus" />
          {t('appPasswordAdd')}
        </button>
      </div>
      {adding && <Add onClose={() => setAdding(false)} onMade={() => void reload()} />}
    </section>
  );
}

export function scopeWords(scopes: readonly Scope[]): string {
  const t = texts('settings');
  const words = {
    mail: 'scopeMail',
    send: 'scopeSend',
    settings: 'scopeSettings',
    admin: 'scopeAdmin',
  } as const;
  return scopes.map((scope) => t(words[scope])).join(', ');
}

function Add({ onClose, onMade }: { readonly onClose: () => void; readonly onMade: () => void }) {
  const t = texts('settings');
  const base = texts('base');
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(new Set(['mail', 'send']));
  const [days, setDays] = useState(0);
  const [made, setMade] = useState<string | undefined>(undefined);
  const { busy, problems, save } = useSave();
  const submit = (): void => {
    void save(async () => {
      const answer = await withConfirmation(() =>
        api<{ password: string }>('POST', `${PATH}/app-passwords`, {
          name: name.trim(),
          scopes: [...scopes],
          ...(days > 0 && { expiresAt: Date.now() + days * DAY_MS }),
        }),
      );
      setMade(answer.password);
      onMade();
    }, '');
  };
  if (made !== undefined)
    return (
      <Dialog
        title={t('appPasswordMade')}
        onClose={onClose}
        foot={
          <>
            <button type="button" class="button" onClick={() => void copyText(made)}>
              {base('copy')}
            </button>
            <button type="button" class="button primary" onClick={onClose}>
              {base('ok')}
            </button>
          </>
        }
      >
        <p>{t('appPasswordOnce')}</p>
        <p class="settings-code">{made}</p>
      </Dialog>
    );
  return (
    <FormDialog
      title={t('appPasswordAdd')}
      busy={busy}
      onClose={onClose}
      onSubmit={submit}
      yes={base('add')}
      disabled={scopes.size === 0}
    >
      <Text
        label={t('appPasswordName')}
        hint={t('appPasswordNameHint')}
        problem={problems['name'] ?? problems['']}
        required
        maxLength={60}
        value={name}
        onInput={setName}
      />
      <fieldset class="settings-choices">
        <legend>{t('appPasswordMay')}</legend>
        {SCOPES.map((scope) => (
          <Check
            key={scope}
            label={scopeWords([scope])}
            checked={scopes.has(scope)}
            onChange={(on) => {
              const next = new Set(scopes);
              if (on) next.add(scope);
              else next.delete(scope);
              setScopes(next);
            }}
          />
        ))}
      </fieldset>
      <Field label={t('appPasswordExpires')}>
        {(input) => (
          <select {...input} value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            <option value={0}>{base('never')}</option>
            {[30, 90, 365].map((each) => (
              <option key={each} value={each}>
                {t('inDays', { count: each })}
              </option>
            ))}
          </select>
        )}
      </Field>
    </FormDialog>
  );
}
