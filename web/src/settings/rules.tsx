import { useState } from 'preact/hooks';
import { api } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { RemoteView } from '../base/remote-view.tsx';
import { useRemote } from '../base/remote.ts';
import { toast } from '../base/toast.tsx';
import { RuleEditor } from './rule-editor.tsx';
import { moved, NEW_RULE, type Rule } from './rule-types.ts';
import { ruleSentence } from './rule-words.ts';
import { useSave } from './use-save.ts';

/** What happens to mail as it comes in; the first rule is asked first. */
export function Rules() {
  const t = texts('settings');
  const base = texts('base');
  const remote = useRemote(
    (signal) => api<{ rules: readonly Rule[] }>('GET', '/account/v1/rules', undefined, { signal }),
    [],
  );
  const [edited, setEdited] = useState<number | 'new' | undefined>(undefined);
  const saving = useSave();
  const put = (rules: readonly Rule[], said?: string): Promise<boolean> =>
    saving.save(async () => {
      await api('PUT', '/account/v1/rules', { rules });
      remote.set({ rules });
    }, said);
  return (
    <>
      <p class="soft">{t('rulesAbout')}</p>
      <RemoteView remote={remote}>
        {({ rules }) => (
          <>
            {rules.length === 0 && <p class="soft">{t('rulesNone')}</p>}
            {rules.length > 0 && (
              <ol class="settings-list">
                {rules.map((rule, index) => (
                  <li key={`${index} ${rule.name}`} class="settings-item">
                    <div class="settings-item-main">
                      <div class="settings-item-name">
                        {rule.name} {!rule.enabled && <span class="badge">{base('off')}</span>}
                      </div>
                      <div class="soft small" dir="auto">
                        {ruleSentence(rule)}
                      </div>
                    </div>
                    <button
                      type="button"
                      class="icon-button"
                      aria-label={t('moveUp', { name: rule.name })}
                      disabled={saving.busy || index === 0}
                      onClick={() => void put(moved(rules, index, index - 1), '')}
                    >
                      <Icon name="up" />
                    </button>
                    <button
                      type="button"
                      class="icon-button"
                      aria-label={t('moveDown', { name: rule.name })}
                      disabled={saving.busy || index === rules.length - 1}
                      onClick={() => void put(moved(rules, index, index + 1), '')}
                    >
                      <Icon name="down" />
                    </button>
                    <button
                      type="button"
                      class="button"
                      disabled={saving.busy}
                      onClick={() => void put(rules.with(index, { ...rule, enabled: !rule.enabled }))}
                    >
                      {rule.enabled ? t('switchOff') : t('switchOn')}
                    </button>
                    <button type="button" class="button" onClick={() => setEdited(index)}>
                      {base('edit')}
                    </button>
                    <button
                      type="button"
                      class="icon-button"
                      disabled={saving.busy}
                      aria-label={`${base('delete')}: ${rule.name}`}
                      onClick={() =>
                        void put(rules.toSpliced(index, 1), '').then((done) => {
                          if (!done) return;
                          toast(t('ruleDeleted', { name: rule.name }), {
                            action: { label: base('undo'), run: () => void put(rules) },
                          });
                        })
                      }
                    >
                      <Icon name="trash" />
                    </button>
                  </li>
                ))}
              </ol>
            )}
            <div class="row">
              <button type="button" class="button" onClick={() => setEdited('new')}>
                <Icon name="plus" />
                {t('ruleAdd')}
              </button>
            </div>
            {edited !== undefined && (
              <RuleEditor
                rule={edited === 'new' ? NEW_RULE : (rules[edited] ?? NEW_RULE)}
                problem={Object.values(saving.problems)[0]}
                busy={saving.busy}
                onClose={() => setEdited(undefined)}
                onSave={(rule) => {
                  const next = edited === 'new' ? [...rules, rule] : rules.with(edited, rule);
                  void put(next).then((done) => done && setEdited(undefined));
                }}
              />
            )}
          </>
        )}
      </RemoteView>
    </>
  );
}
