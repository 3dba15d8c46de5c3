import { useState } from 'preact/hooks';
import { Dialog } from '../../base/dialog.tsx';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import type { Id, Mailbox } from '../../jmap/types.ts';
import { guarded, mailboxLabel, moveTo } from '../actions.ts';
import { createMailbox } from '../folder-actions.ts';
import { mailbox as shown, store } from '../state.ts';
import { currentTargets } from '../targets.ts';
import { compareMailboxes, mailboxIcon, mailboxPath } from '../tree.ts';
import { closeDialog } from './open.ts';

interface Choice {
  readonly mailbox: Mailbox;
  readonly path: string;
}

/** Which mailbox? What is typed narrows the choice; what there is not yet can be made. */
export function MoveDialog({ ask }: { readonly ask: { readonly rows: readonly Id[] } }) {
  const t = texts('mail');
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const from = store.value;
  if (from === undefined) return null;
  const all = from.mailboxes.value;
  const wanted = typed.trim().toLowerCase();
  const choices: Choice[] = [...all.values()]
    .filter(({ id, myRights }) => myRights.mayAddItems && id !== shown.value?.id)
    .toSorted(compareMailboxes)
    .map((mailbox) => ({
      mailbox,
      path: mailbox.role === null ? mailboxPath(all, mailbox).join(' / ') : mailboxLabel(mailbox),
    }))
    .filter(({ path, mailbox }) => `${path} ${mailbox.name}`.toLowerCase().includes(wanted));
  const current = Math.min(at, Math.max(0, choices.length - 1));
  const move = (to: Mailbox): void => {
    closeDialog();
    void guarded(async () => {
      const targets = await currentTargets(ask.rows);
      if (targets !== undefined) await moveTo(targets, to);
    });
  };
  const make = (): void => {
    void guarded(async () => {
      const id = await createMailbox(from.id, typed.trim(), null);
      const made = id === undefined ? undefined : from.mailboxes.value.get(id);
      if (made !== undefined) move(made);
    });
  };
  return (
    <Dialog title={t('moveTitle')} onClose={closeDialog}>
      <input
        class="input"
        type="text"
        role="combobox"
        aria-expanded
        aria-controls="mail-move-list"
        aria-activedescendant={choices[current] && `mail-move-${choices[current].mailbox.id}`}
        aria-label={t('mailboxName')}
        placeholder={t('mailboxName')}
        value={typed}
        autoFocus
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(choices.length - 1, current + 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(0, current - 1));
          else if (event.key === 'Enter') {
            const choice = choices[current];
            if (choice !== undefined) move(choice.mailbox);
            else if (wanted !== '') make();
          } else return;
          event.preventDefault();
        }}
      />
      <ul class="mail-choices" id="mail-move-list" role="listbox" aria-label={t('folders')}>
        {choices.map(({ mailbox, path }, i) => (
          <li
            key={mailbox.id}
            id={`mail-move-${mailbox.id}`}
            role="option"
            aria-selected={i === current}
            class={i === current ? 'mail-choice at' : 'mail-choice'}
            onClick={() => move(mailbox)}
            onMouseEnter={() => setAt(i)}
          >
            <Icon name={mailboxIcon(mailbox)} />
            <span class="cut" dir="auto">
              {path}
            </span>
          </li>
        ))}
      </ul>
      {choices.length === 0 && wanted !== '' && (
        <button type="button" class="button" onClick={make}>
          <Icon name="plus" />
          {t('makeMailbox', { mailbox: typed.trim() })}
        </button>
      )}
    </Dialog>
  );
}
