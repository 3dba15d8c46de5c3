import { texts } from '../base/i18n.ts';
import type { MenuItem } from '../base/menu.tsx';
import type { Id } from '../jmap/types.ts';
import { act as actOn, archive, markJunk, markSeen, remove, rowsHave, setStar } from './actions.ts';
import { openDialog } from './dialogs/open.ts';
import { mailbox, rights } from './state.ts';

/** What can be done with rows, as a menu. */
export function rowMenu(rows: readonly Id[]): MenuItem[] {
  const t = texts('mail');
  const unread = rowsHave(rows, ({ keywords }) => keywords['$seen'] !== true);
  const starred = rowsHave(rows, ({ keywords }) => keywords['$flagged'] === true);
  const role = mailbox.value?.role;
  const act = (run: Parameters<typeof actOn>[0]) => actOn(run, rows);
  const { mayRemoveItems, maySetKeywords } = rights.value;
  const items: (MenuItem & { readonly may?: boolean })[] = [
    { label: t('archive'), icon: 'archive', may: mayRemoveItems && role !== 'archive', run: act(archive) },
    { label: t('delete'), icon: 'trash', may: mayRemoveItems, run: act(remove) },
    {
      label: t('moveTo'),
      icon: 'folder',
      may: mayRemoveItems,
      run: () => openDialog({ kind: 'move', rows }),
    },
    { label: t('label'), icon: 'tag', may: maySetKeywords, run: () => openDialog({ kind: 'label', rows }) },
    {
      label: t('snooze'),
      icon: 'clock',
      may: mayRemoveItems,
      run: () => openDialog({ kind: 'snooze', rows }),
    },
    {
      label: t(unread ? 'markRead' : 'markUnread'),
      icon: unread ? 'mail-open' : 'mail',
      line: true,
      run: act((targets) => markSeen(targets, unread)),
    },
    {
      label: t(starred ? 'unstar' : 'star'),
      icon: 'star',
      may: maySetKeywords,
      run: act((targets) => setStar(targets, !starred)),
    },
    {
      label: t(role === 'junk' ? 'notJunk' : 'junk'),
      icon: role === 'junk' ? 'inbox' : 'junk',
      line: true,
      may: mayRemoveItems,
      run: act((targets) => markJunk(targets, role !== 'junk')),
    },
  ];
  return items.filter(({ may }) => may !== false);
}
