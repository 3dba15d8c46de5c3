import { useState } from 'preact/hooks';
import { Dialog } from '../../base/dialog.tsx';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { toastError } from '../../base/toast.tsx';
import type { Id, Patch } from '../../jmap/types.ts';
import { patchKeyword } from '../../jmap/store/change.ts';
import { doPatches, guarded, rowsHave } from '../actions.ts';
import { COLOURS, keywordFor, labels, setLabels } from '../labels.ts';
import { currentTargets } from '../targets.ts';
import { closeDialog } from './open.ts';

/** Which labels do these have? And a new one, with its colour. */
export function LabelDialog({ ask }: { readonly ask: { readonly rows: readonly Id[] } }) {
  const t = texts('mail');
  const base = texts('base');
  const [before] = useState(
    () =>
      new Map(
        labels.value.map(({ keyword }) => [
          keyword,
          rowsHave(ask.rows, ({ keywords }) => keywords[keyword.toLowerCase()] === true),
        ]),
      ),
  );
  const [wanted, setWanted] = useState<ReadonlyMap<string, boolean>>(before);
  const [name, setName] = useState('');
  const [colour, setColour] = useState<string>('blue');
  const add = async (): Promise<ReadonlyMap<string, boolean>> => {
    const plain = name.trim();
    if (plain === '') return wanted;
    const same = labels.value.find((each) => each.name.toLowerCase() === plain.toLowerCase());
    const keyword = same?.keyword ?? keywordFor(plain, new Set(labels.value.map((each) => each.keyword)));
    if (same === undefined) await setLabels([...labels.value, { keyword, name: plain, colour }]);
    const more = new Map(wanted).set(keyword, true);
    setWanted(more);
    setName('');
    return more;
  };
  const apply = async (): Promise<void> => {
    // A name that was written and not added is meant as well.
    const changed = [...(await add())].filter(([keyword, on]) => (before.get(keyword) ?? false) !== on);
    closeDialog();
    if (changed.length === 0) return;
    void guarded(async () => {
      const targets = await currentTargets(ask.rows);
      if (targets === undefined) return;
      const patch: Patch = Object.assign({}, ...changed.map(([keyword, on]) => patchKeyword(keyword, on)));
      await doPatches(targets, new Map(targets.ids.map((id) => [id, patch])), {
        said: t('labelled', { count: targets.count }),
      });
    });
  };
  return (
    <Dialog
      title={t('labels')}
      onClose={closeDialog}
      foot={
        <>
          <button type="button" class="button" onClick={closeDialog}>
            {base('cancel')}
          </button>
          <button type="button" class="button primary" onClick={() => void apply().catch(toastError)}>
            {t('apply')}
          </button>
        </>
      }
    >
      {labels.value.length === 0 && <p class="soft">{t('noLabels')}</p>}
      <ul class="mail-choices plain">
        {labels.value.map((label, i) => (
          <li key={label.keyword}>
            <label class="check">
              <input
                type="checkbox"
                autofocus={i === 0}
                checked={wanted.get(label.keyword) === true}
                onChange={(event) =>
                  setWanted(new Map(wanted).set(label.keyword, event.currentTarget.checked))
                }
              />
              <span class={`mail-label-dot label-${label.colour}`} />
              <span dir="auto">{label.name}</span>
            </label>
          </li>
        ))}
      </ul>
      <form
        class="mail-new-label"
        onSubmit={(event) => {
          event.preventDefault();
          add().catch(toastError);
        }}
      >
        <input
          class="input"
          type="text"
          autofocus={labels.value.length === 0}
          maxLength={60}
          aria-label={t('newLabel')}
          placeholder={t('newLabel')}
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit" class="button" disabled={name.trim() === ''}>
          <Icon name="plus" />
          {base('add')}
        </button>
        <div class="mail-colours" role="radiogroup" aria-label={t('colour')}>
          {COLOURS.map((each) => (
            <label key={each} class="mail-colour">
              <input
                type="radio"
                name="colour"
                checked={colour === each}
                aria-label={t(`colour_${each}`)}
                onChange={() => setColour(each)}
              />
              <span class={`mail-label-dot label-${each}`} />
            </label>
          ))}
        </div>
      </form>
    </Dialog>
  );
}
