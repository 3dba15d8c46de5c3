import { useState } from 'preact/hooks';
import { formatSize } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { Icon, type IconName } from '../base/icon.tsx';
import { MenuList, type MenuItem } from '../base/menu.tsx';
import { useRemote } from '../base/remote.ts';
import { call, ownAccountId } from '../jmap/client.ts';
import { accountStore, ownStore, sharedAccounts } from '../jmap/store/stores.ts';
import type { Id, Mailbox } from '../jmap/types.ts';
import { guarded, mailboxLabel, moveTo } from './actions.ts';
import { openDialog } from './dialogs/open.ts';
import { emptyMailbox, setSubscribed } from './folder-actions.ts';
import { labels } from './labels.ts';
import { mailboxName, writePlace } from './place.ts';
import { foldersShown, mailbox, place } from './state.ts';
import { currentTargets } from './targets.ts';
import { type Branch, mailboxIcon, mailboxTree } from './tree.ts';

/** What rows that are dragged carry. */
export const DRAGGED = 'application/x-postern-rows';

export function Folders() {
  const t = texts('mail');
  const own = ownStore();
  const shared = sharedAccounts();
  return (
    <>
      <ul class="mail-tree">
        <Tree branches={mailboxTree(own.mailboxes.value)} accountId={undefined} />
        <li>
          <Special name="starred" icon="star" label={t('starredBox')} />
        </li>
        <li>
          <Special name="scheduled" icon="clock" label={texts('compose')('scheduled')} />
        </li>
        <li>
          <Special name="all" icon="mail" label={t('allMail')} />
        </li>
      </ul>
      <Labels />
      <button type="button" class="mail-folder-new" onClick={() => openDialog({ kind: 'mailbox-new' })}>
        <Icon name="plus" />
        {t('newMailbox')}
      </button>
      {shared.map(({ id, name }) => (
        <section key={id} class="mail-shared">
          <h2 class="mail-tree-head cut" title={name}>
            {name}
          </h2>
          <ul class="mail-tree">
            <Tree branches={mailboxTree(accountStore(id).mailboxes.value)} accountId={id} />
          </ul>
        </section>
      ))}
      <QuotaBar />
    </>
  );
}

function Special({
  name,
  icon,
  label,
}: {
  readonly name: string;
  readonly icon: IconName;
  readonly label: string;
}) {
  const at = place.value;
  const here = at.accountId === undefined && at.mailbox === name;
  return (
    <a
      class="mail-folder"
      href={`/mail/${name}`}
      aria-current={here ? 'page' : undefined}
      onClick={() => (foldersShown.value = false)}
    >
      <Icon name={icon} />
      <span class="cut">{label}</span>
    </a>
  );
}

function Labels() {
  const t = texts('mail');
  if (labels.value.length === 0) return null;
  return (
    <section>
      <h2 class="mail-tree-head">{t('labels')}</h2>
      <ul class="mail-tree">
        {labels.value.map(({ keyword, name, colour }) => {
          const q = `label:${/\s/.test(name) ? `"${name}"` : name}`;
          const here = place.value.q === q;
          return (
            <li key={keyword}>
              <a
                class="mail-folder"
                href={writePlace({ accountId: undefined, mailbox: 'all', threadId: undefined, q })}
                aria-current={here ? 'page' : undefined}
                onClick={() => (foldersShown.value = false)}
              >
                <span class={`mail-label-dot label-${colour}`} />
                <span class="cut" dir="auto">
                  {name}
                </span>
              </a>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Tree({
  branches,
  accountId,
}: {
  readonly branches: readonly Branch[];
  readonly accountId: Id | undefined;
}) {
  return (
    <>
      {branches.map((branch) => (
        <Folder key={branch.mailbox.id} branch={branch} accountId={accountId} />
      ))}
    </>
  );
}

const closed = new Set<Id>((localStorage.getItem('postern.closed') ?? '').split(' '));

function Folder({ branch, accountId }: { readonly branch: Branch; readonly accountId: Id | undefined }) {
  const t = texts('mail');
  const { mailbox: here, children } = branch;
  const [open, setOpen] = useState(!closed.has(here.id));
  const [over, setOver] = useState(false);
  const [menu, setMenu] = useState<{ x: number; y: number } | undefined>(undefined);
  const at = place.value;
  const current = mailbox.value?.id === here.id && at.accountId === accountId && at.q === '';
  const toggle = (): void => {
    if (open) closed.add(here.id);
    else closed.delete(here.id);
    localStorage.setItem('postern.closed', [...closed].join(' '));
    setOpen(!open);
  };
  const drop = (event: DragEvent): void => {
    setOver(false);
    if (event.dataTransfer?.types.includes(DRAGGED) !== true) return;
    event.preventDefault();
    const rows = event.dataTransfer.getData(DRAGGED).split(' ');
    void guarded(async () => {
      const targets = await currentTargets(rows);
      if (targets !== undefined) await moveTo(targets, here);
    });
  };
  const dragOver = (event: DragEvent): void => {
    const fits =
      event.dataTransfer?.types.includes(DRAGGED) === true &&
      here.myRights.mayAddItems &&
      at.accountId === accountId;
    if (!fits) return;
    event.preventDefault();
    setOver(true);
  };
  const count = here.role === 'drafts' ? here.totalEmails : here.unreadEmails;
  const label = mailboxLabel(here);
  return (
    <li>
      <div class={over ? 'mail-folder-line over' : 'mail-folder-line'}>
        <a
          class={count > 0 && here.role !== 'drafts' ? 'mail-folder unread' : 'mail-folder'}
          href={writePlace({ accountId, mailbox: mailboxName(here), threadId: undefined, q: '' })}
          aria-current={current ? 'page' : undefined}
          onClick={() => (foldersShown.value = false)}
          onContextMenu={(event) => {
            event.preventDefault();
            setMenu({ x: event.clientX, y: event.clientY });
          }}
          onDragOver={dragOver}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
        >
          <Icon name={mailboxIcon(here)} />
          <span class="cut" dir="auto">
            {label}
          </span>
          {count > 0 && (
            <span class="mail-count">
              <span aria-hidden="true">{count.toLocaleString()}</span>
              <span class="sr-only">{t(here.role === 'drafts' ? 'countAll' : 'countUnread', { count })}</span>
            </span>
          )}
        </a>
        <button
          type="button"
          class="icon-button mail-folder-more"
          aria-label={t('mailboxMenu', { mailbox: label })}
          aria-haspopup="menu"
          onClick={(event) => {
            const { left, bottom } = event.currentTarget.getBoundingClientRect();
            setMenu({ x: left, y: bottom });
          }}
        >
          <Icon name="more" />
        </button>
        {children.length > 0 && (
          <button
            type="button"
            class="icon-button mail-folder-toggle"
            aria-label={t(open ? 'closeBranch' : 'openBranch', { mailbox: label })}
            aria-expanded={open}
            onClick={toggle}
          >
            <Icon name={open ? 'down' : 'next'} />
          </button>
        )}
      </div>
      {menu !== undefined && (
        <MenuList
          label={label}
          anchor={menu}
          items={folderMenu(here, accountId)}
          onClose={() => setMenu(undefined)}
        />
      )}
      {children.length > 0 && open && (
        <ul class="mail-tree">
          <Tree branches={children} accountId={accountId} />
        </ul>
      )}
    </li>
  );
}

function folderMenu(here: Mailbox, accountId: Id | undefined): MenuItem[] {
  const t = texts('mail');
  const account = accountId ?? ownAccountId();
  const { mayCreateChild, mayRename, mayDelete, mayRemoveItems } = here.myRights;
  const items: MenuItem[] = [];
  if (mayCreateChild)
    items.push({
      label: t('newMailboxWithin'),
      icon: 'plus',
      run: () => openDialog({ kind: 'mailbox-new', accountId: account, parent: here }),
    });
  if (mayRename && here.role === null)
    items.push({
      label: t('renameMailbox'),
      icon: 'drafts',
      run: () => openDialog({ kind: 'mailbox-rename', accountId: account, mailbox: here }),
    });
  items.push({
    label: t(here.isSubscribed ? 'unsubscribeMailbox' : 'subscribeMailbox'),
    icon: here.isSubscribed ? 'eye-off' : 'eye',
    run: () => void setSubscribed(account, here, !here.isSubscribed),
  });
  if (mayRemoveItems && (here.role === 'trash' || here.role === 'junk'))
    items.push({
      label: t('emptyMailbox', { mailbox: mailboxLabel(here) }),
      icon: 'trash',
      danger: true,
      line: true,
      disabled: here.totalEmails === 0,
      run: () => void emptyMailbox(account, here),
    });
  if (mayDelete && here.role === null)
    items.push({
      label: t('deleteMailbox'),
      icon: 'trash',
      danger: true,
      line: true,
      run: () => openDialog({ kind: 'mailbox-delete', accountId: account, mailbox: here }),
    });
  return items;
}

function QuotaBar() {
  const t = texts('mail');
  const { data } = useRemote(() => call('Quota/get', { accountId: ownAccountId(), ids: null }), []);
  const quota = data?.list.find(({ resourceType }) => resourceType === 'octets');
  if (quota === undefined || quota.hardLimit <= 0) return null;
  const share = Math.min(1, quota.used / quota.hardLimit);
  const sentence = t('quota', { used: formatSize(quota.used), all: formatSize(quota.hardLimit) });
  return (
    <div class="mail-quota">
      <div
        class={share > 0.9 ? 'mail-quota-bar full' : 'mail-quota-bar'}
        role="meter"
        aria-label={t('storage')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={sentence}
      >
        <div style={{ width: `${share * 100}%` }} />
      </div>
      <span class="small soft">{sentence}</span>
    </div>
  );
}
