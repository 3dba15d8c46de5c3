import { texts } from '../base/i18n.ts';
import { Icon, type IconName } from '../base/icon.tsx';
import { Menu, type MenuItem } from '../base/menu.tsx';
import { onStateChange } from '../jmap/push.ts';
import {
  act as actOn,
  archive,
  mailboxLabel,
  markJunk,
  markSeen,
  remove,
  rowsHave,
  setStar,
} from './actions.ts';
import { openDialog } from './dialogs/open.ts';
import { emptyMailbox } from './folder-actions.ts';
import { SORTS } from './place.ts';
import { selectShown } from './selection.ts';
import {
  allSelected,
  chips,
  clearSelection,
  conversations,
  gone,
  list,
  mailbox,
  place,
  selected,
  sort,
  store,
} from './state.ts';

/** Above the list: what it is, how it is sorted and filtered; with a selection what can be done with that. */
export function ListBar() {
  return selected.value.size > 0 ? <SelectionBar /> : <PlaceBar />;
}

function PlaceBar() {
  const t = texts('mail');
  const here = mailbox.value;
  const { q, mailbox: name } = place.value;
  const title =
    q !== ''
      ? t('searchResults')
      : here !== undefined
        ? mailboxLabel(here)
        : t(gone.value ? 'folders' : name === 'starred' ? 'starredBox' : 'allMail');
  const total = list.value?.total();
  // Not above a search: it would be more than what was found.
  const rubbish = q === '' && here !== undefined && (here.role === 'trash' || here.role === 'junk');
  return (
    <div class="mail-bar">
      <input
        type="checkbox"
        class="mail-check-all"
        checked={false}
        aria-label={t('selectAll')}
        onClick={(event) => {
          event.preventDefault();
          selectShown();
        }}
      />
      <h1 class="mail-title cut">{title}</h1>
      {total !== undefined && q === '' && (
        <span class="soft small mail-total" aria-label={t('countConversations', { count: total })}>
          {total.toLocaleString()}
        </span>
      )}
      <span class="mail-bar-space" />
      {rubbish && here.totalEmails > 0 && store.value !== undefined && (
        <button
          type="button"
          class="mail-link"
          onClick={() => store.value && void emptyMailbox(store.value.id, here)}
        >
          {t('empty')}
        </button>
      )}
      <Chips />
      <button
        type="button"
        class="icon-button mail-refresh"
        aria-label={t('refresh')}
        title={t('refresh')}
        onClick={() => {
          for (const fn of onStateChange) fn(undefined);
        }}
      >
        <Icon name="refresh" />
      </button>
      <SortMenu />
    </div>
  );
}

function Chips() {
  const t = texts('mail');
  const all: readonly (readonly [keyof typeof chips.value, IconName, string])[] = [
    ['unread', 'mail', t('onlyUnread')],
    ['starred', 'star', t('onlyStarred')],
    ['attachment', 'attach', t('onlyAttachments')],
  ];
  return (
    <div class="mail-chips" role="group" aria-label={t('filter')}>
      {all.map(([name, icon, label]) => (
        <button
          key={name}
          type="button"
          class="icon-button mail-chip"
          aria-pressed={chips.value[name]}
          aria-label={label}
          title={label}
          onClick={() => (chips.value = { ...chips.value, [name]: !chips.value[name] })}
        >
          <Icon name={icon} filled={chips.value[name] && name === 'starred'} />
        </button>
      ))}
    </div>
  );
}

function SortMenu() {
  const t = texts('mail');
  const names = {
    newest: t('sortNewest'),
    oldest: t('sortOldest'),
    from: t('sortFrom'),
    subject: t('sortSubject'),
    largest: t('sortLargest'),
  };
  const items: MenuItem[] = SORTS.map((each) => ({
    label: names[each],
    checked: sort.value === each,
    run: () => (sort.value = each),
  }));
  items.push({
    label: t('conversations'),
    checked: conversations.value,
    line: true,
    run() {
      conversations.value = !conversations.value;
      localStorage.setItem('postern.conversations', conversations.value ? 'on' : 'off');
    },
  });
  return (
    <Menu label={t('sortAndShow')} items={items}>
      <Icon name="filter" />
    </Menu>
  );
}

/** A button that does something with what is current. */
export function ActionButton({
  icon,
  label,
  run,
  filled,
  rare = false,
}: {
  readonly icon: IconName;
  readonly label: string;
  readonly run: () => void;
  readonly filled?: boolean;
  /** On a phone it is in the menu alone. */
  readonly rare?: boolean;
}) {
  return (
    <button
      type="button"
      class={rare ? 'icon-button mail-rare' : 'icon-button'}
      aria-label={label}
      title={label}
      onClick={run}
    >
      <Icon name={icon} filled={filled === true} />
    </button>
  );
}

function SelectionBar() {
  const t = texts('mail');
  const rows = [...selected.value];
  const window = list.value;
  const total = window?.total() ?? 0;
  const count = allSelected.value ? total : rows.length;
  const unread = rowsHave(rows, ({ keywords }) => keywords['$seen'] !== true);
  const starred = rowsHave(rows, ({ keywords }) => keywords['$flagged'] === true);
  const role = mailbox.value?.role;
  const act = (run: Parameters<typeof actOn>[0]) => actOn(run, rows);
  const more: MenuItem[] = [
    {
      label: t(unread ? 'markRead' : 'markUnread'),
      icon: unread ? 'mail-open' : 'mail',
      run: act((targets) => markSeen(targets, unread)),
    },
    { label: t('label'), icon: 'tag', run: () => openDialog({ kind: 'label', rows }) },
    { label: t('snooze'), icon: 'clock', run: () => openDialog({ kind: 'snooze', rows }) },
    {
      label: t(starred ? 'unstar' : 'star'),
      icon: 'star',
      run: act((targets) => setStar(targets, !starred)),
    },
    {
      label: t(role === 'junk' ? 'notJunk' : 'junk'),
      icon: 'junk',
      run: act((targets) => markJunk(targets, role !== 'junk')),
    },
  ];
  return (
    <div class="mail-bar selecting" role="toolbar" aria-label={t('actions')}>
      <input
        type="checkbox"
        class="mail-check-all"
        checked={rows.length >= total}
        ref={(input) => {
          if (input) input.indeterminate = rows.length < total;
        }}
        aria-label={t('clearSelection')}
        onClick={(event) => {
          event.preventDefault();
          clearSelection();
        }}
      />
      <span class="mail-selected" role="status">
        {t('selectedCount', { count })}
      </span>
      <span class="mail-bar-space" />
      {role !== 'archive' && <ActionButton icon="archive" label={t('archive')} run={act(archive)} />}
      <ActionButton icon="trash" label={t('delete')} run={act(remove)} />
      <ActionButton
        rare
        icon={unread ? 'mail-open' : 'mail'}
        label={t(unread ? 'markRead' : 'markUnread')}
        run={act((targets) => markSeen(targets, unread))}
      />
      <ActionButton icon="folder" label={t('moveTo')} run={() => openDialog({ kind: 'move', rows })} />
      <Menu label={t('moreActions')} items={more} />
    </div>
  );
}
