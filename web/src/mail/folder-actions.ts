import { confirm } from '../base/dialog.tsx';
import { texts } from '../base/i18n.ts';
import { toast } from '../base/toast.tsx';
import { call, JmapError } from '../jmap/client.ts';
import { destroyEmails } from '../jmap/store/change.ts';
import { accountStore } from '../jmap/store/stores.ts';
import type { Id, Mailbox, SetError } from '../jmap/types.ts';
import { guarded, mailboxLabel } from './actions.ts';

/** What is done to mailboxes themselves. Those that fail throw, what a form shows beside its field. */

/** Emails that emptying takes in one go. */
const MOST = 100_000;
/** Emails from which on it is said that it takes a while. */
const SLOW = 1000;

function refuse(error: SetError | undefined): void {
  if (error === undefined) return;
  const t = texts('mail');
  const sentence =
    error.type === 'mailboxHasChild'
      ? t('mailboxHasChild')
      : error.type === 'alreadyExists'
        ? t('mailboxNameTaken')
        : error.type === 'invalidProperties'
          ? t('mailboxNameRefused')
          : error.description;
  throw new JmapError(error.type, 'Mailbox/set', sentence);
}

/** What is known to be refused is not asked. */
function checkName(accountId: Id, name: string, parentId: Id | null, self?: Id): void {
  const t = texts('mail');
  const there = [...accountStore(accountId).mailboxes.value.values()];
  const same = (each: Mailbox): boolean =>
    each.id !== self &&
    each.parentId === parentId &&
    (each.name === name || (each.role === 'inbox' && /^inbox$/i.test(name)));
  if (there.some(same)) throw new Error(t('mailboxNameTaken'));
}

export async function createMailbox(
  accountId: Id,
  name: string,
  parentId: Id | null,
): Promise<Id | undefined> {
  checkName(accountId, name, parentId);
  const { created, notCreated } = await call('Mailbox/set', {
    accountId,
    create: { a: { name, parentId, isSubscribed: true } },
  });
  refuse(notCreated?.['a']);
  await accountStore(accountId).loadMailboxes();
  return created?.['a']?.id;
}

export async function updateMailbox(
  accountId: Id,
  id: Id,
  update: Partial<Pick<Mailbox, 'name' | 'parentId' | 'isSubscribed'>>,
): Promise<void> {
  const { notUpdated } = await call('Mailbox/set', { accountId, update: { [id]: update } });
  refuse(notUpdated?.[id]);
  await accountStore(accountId).loadMailboxes();
}

export async function renameMailbox(
  accountId: Id,
  mailbox: Mailbox,
  name: string,
  parentId: Id | null,
): Promise<void> {
  const t = texts('mail');
  checkName(accountId, name, parentId, mailbox.id);
  await updateMailbox(accountId, mailbox.id, { name, parentId });
  toast(t('mailboxRenamed', { mailbox: name }), {
    action: {
      label: texts('base')('undo'),
      run: () =>
        void guarded(() =>
          updateMailbox(accountId, mailbox.id, { name: mailbox.name, parentId: mailbox.parentId }),
        ),
    },
  });
}

/** Its messages go to the trash as a whole when they are nowhere else; the mailbox can be made anew. */
export async function deleteMailbox(accountId: Id, mailbox: Mailbox, withEmails: boolean): Promise<void> {
  const t = texts('mail');
  const { notDestroyed } = await call('Mailbox/set', {
    accountId,
    destroy: [mailbox.id],
    onDestroyRemoveEmails: withEmails,
  });
  refuse(notDestroyed?.[mailbox.id]);
  await accountStore(accountId).loadMailboxes();
  accountStore(accountId).refresh();
  const empty = mailbox.totalEmails === 0;
  toast(t('mailboxDeleted', { mailbox: mailbox.name }), {
    ...(empty && {
      action: {
        label: texts('base')('undo'),
        run: () =>
          void guarded(async () => {
            await createMailbox(accountId, mailbox.name, mailbox.parentId);
          }),
      },
    }),
  });
}

export async function setSubscribed(accountId: Id, mailbox: Mailbox, isSubscribed: boolean): Promise<void> {
  await guarded(async () => {
    const t = texts('mail');
    await updateMailbox(accountId, mailbox.id, { isSubscribed });
    toast(t(isSubscribed ? 'subscribed' : 'unsubscribed', { mailbox: mailboxLabel(mailbox) }), {
      action: {
        label: texts('base')('undo'),
        run: () => void guarded(() => updateMailbox(accountId, mailbox.id, { isSubscribed: !isSubscribed })),
      },
    });
  });
}

/** Destroy everything in the trash or the junk, when that is meant. */
export async function emptyMailbox(accountId: Id, mailbox: Mailbox): Promise<void> {
  await guarded(async () => {
    const t = texts('mail');
    const name = mailboxLabel(mailbox);
    const yes = await confirm({
      title: t('emptyTitle', { mailbox: name }),
      sentence: t('emptySentence', { count: mailbox.totalEmails }),
      yes: t('destroyYes'),
      danger: true,
    });
    if (!yes) return;
    const store = accountStore(accountId);
    const { totalEmails: count } = mailbox;
    const hide = count > SLOW ? toast(t('working', { count }), { ms: 600_000 }) : undefined;
    try {
      for (let gone = 0; gone < MOST; ) {
        const { ids } = await call('Email/query', {
          accountId,
          filter: { inMailbox: mailbox.id },
          limit: 500,
        });
        if (ids.length === 0) break;
        // Without a network these wait, and the rest is not known.
        if (await destroyEmails(store, ids, mailbox.id)) throw new Error(texts('base')('serverUnreachable'));
        gone += ids.length;
      }
    } finally {
      hide?.();
    }
    await store.sync();
    toast(t('emptied', { mailbox: name }));
  });
}
