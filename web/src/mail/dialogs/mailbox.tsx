import { useState } from 'preact/hooks';
import { Dialog } from '../../base/dialog.tsx';
import { Field } from '../../base/field.tsx';
import { texts } from '../../base/i18n.ts';
import { preferences, setPreferences } from '../../base/preferences.ts';
import { toast, toastError } from '../../base/toast.tsx';
import { ownAccountId } from '../../jmap/client.ts';
import { accountStore } from '../../jmap/store/stores.ts';
import type { Id, Mailbox } from '../../jmap/types.ts';
import { mailboxLabel } from '../actions.ts';
import { createMailbox, deleteMailbox, renameMailbox } from '../folder-actions.ts';
import { mailbox as shown, openMailbox } from '../state.ts';
import { compareMailboxes, mailboxPath } from '../tree.ts';
import { closeDialog } from './open.ts';

interface FormProps {
  readonly title: string;
  readonly yes: string;
  readonly name: string;
  readonly parentId: Id | null;
  readonly accountId: Id;
  /** Neither it nor what is below it can be its parent. */
  readonly self?: Mailbox;
  readonly run: (name: string, parentId: Id | null) => Promise<unknown>;
}

function MailboxForm({ title, yes, name: before, parentId: above, accountId, self, run }: FormProps) {
  const t = texts('mail');
  const [name, setName] = useState(before);
  const [parentId, setParentId] = useState(above);
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const all = accountStore(accountId).mailboxes.value;
  const below = (mailbox: Mailbox): boolean => {
    if (mailbox.id === self?.id) return true;
    const parent = mailbox.parentId === null ? undefined : all.get(mailbox.parentId);
    return parent !== undefined && below(parent);
  };
  const parents = [...all.values()]
    .filter((each) => each.myRights.mayCreateChild && !below(each))
    .toSorted(compareMailboxes);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await run(name.trim(), parentId);
      closeDialog();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dialog title={title} onClose={closeDialog}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <Field label={t('mailboxName')} problem={problem}>
          {(attributes) => (
            <input
              {...attributes}
              type="text"
              required
              maxLength={100}
              autoFocus
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t('within')}>
          {(attributes) => (
            <select
              {...attributes}
              value={parentId ?? ''}
              onChange={(event) => setParentId(event.currentTarget.value || null)}
            >
              <option value="">{t('topLevel')}</option>
              {parents.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.role === null ? mailboxPath(all, each).join(' / ') : mailboxLabel(each)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={closeDialog}>
            {texts('base')('cancel')}
          </button>
          <button type="submit" class="button primary" disabled={name.trim() === ''}>
            {yes}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

export function NewMailbox({
  ask,
}: {
  readonly ask: { readonly accountId?: Id; readonly parent?: Mailbox };
}) {
  const t = texts('mail');
  const accountId = ask.accountId ?? ownAccountId();
  return (
    <MailboxForm
      title={t('newMailbox')}
      yes={t('make')}
      name=""
      parentId={ask.parent?.id ?? null}
      accountId={accountId}
      run={async (name, parentId) => {
        await createMailbox(accountId, name, parentId);
        toast(t('mailboxMade', { mailbox: name }));
      }}
    />
  );
}

export function RenameMailbox({
  ask,
}: {
  readonly ask: { readonly accountId: Id; readonly mailbox: Mailbox };
}) {
  const t = texts('mail');
  const { accountId, mailbox } = ask;
  return (
    <MailboxForm
      title={t('renameMailbox')}
      yes={t('rename')}
      name={mailbox.name}
      parentId={mailbox.parentId}
      accountId={accountId}
      self={mailbox}
      run={(name, parentId) => renameMailbox(accountId, mailbox, name, parentId)}
    />
  );
}

export function DeleteMailbox({
  ask,
}: {
  readonly ask: { readonly accountId: Id; readonly mailbox: Mailbox };
}) {
  const t = texts('mail');
  const { accountId, mailbox } = ask;
  const run = async (): Promise<void> => {
    closeDialog();
    const open = shown.value?.id === mailbox.id;
    await deleteMailbox(accountId, mailbox, true);
    if (open) openMailbox('inbox');
  };
  return (
    <Dialog
      title={t('deleteMailboxTitle', { mailbox: mailbox.name })}
      onClose={closeDialog}
      foot={
        <>
          <button type="button" class="button" onClick={closeDialog}>
            {texts('base')('cancel')}
          </button>
          <button type="button" class="button danger" onClick={() => void run().catch(toastError)}>
            {t('deleteMailbox')}
          </button>
        </>
      }
    >
      <p>{t('deleteMailboxSentence', { count: mailbox.totalEmails })}</p>
    </Dialog>
  );
}

/** Keep a search to use again. */
export function SaveSearch({ ask }: { readonly ask: { readonly q: string } }) {
  const t = texts('mail');
  const saved = preferences.value.savedSearches;
  const run = async (): Promise<void> => {
    closeDialog();
    if (!saved.includes(ask.q)) await setPreferences({ savedSearches: [...saved, ask.q].slice(-30) });
    toast(t('searchSaved'));
  };
  return (
    <Dialog
      title={t('saveSearch')}
      onClose={closeDialog}
      foot={
        <>
          <button type="button" class="button" onClick={closeDialog}>
            {texts('base')('cancel')}
          </button>
          <button type="button" class="button primary" onClick={() => void run().catch(toastError)}>
            {texts('base')('save')}
          </button>
        </>
      }
    >
      <p>
        <code>{ask.q}</code>
      </p>
      <p class="soft">{t('saveSearchAbout')}</p>
    </Dialog>
  );
}
