import { useEffect } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { addShortcuts, helpShown, type Shortcut } from '../base/keyboard.ts';
import type { Id } from '../jmap/types.ts';
import { act, archive, markJunk, markSeen, remove, rowsHave, setStar, undoLast } from './actions.ts';
import { openComposer } from './compose.ts';
import { openDialog } from './dialogs/open.ts';
import { focusNextThread } from './focus.ts';
import { moveCursor } from './list.tsx';
import { focusSearch } from './search/box.tsx';
import { selectRow, selectShown } from './selection.ts';
import {
  clearSelection,
  cursor,
  foldersShown,
  list,
  mailbox,
  openMailbox,
  openThread,
  place,
  selected,
  store,
} from './state.ts';
import { currentRow, currentRows } from './targets.ts';

function withRows(run: (rows: readonly Id[]) => void): () => void {
  return () => {
    const rows = currentRows();
    if (rows.length > 0) run(rows);
  };
}

/** j and k move in the list, and from conversation to conversation when one is open. */
function step(by: number): void {
  const id = moveCursor(by);
  const entry = id === undefined ? undefined : store.value?.peek(id);
  if (entry !== undefined && place.value.threadId !== undefined) openThread(entry.threadId, true);
}

function openCursor(): void {
  const id = cursor.value ?? list.value?.at(0);
  const entry = id === undefined ? undefined : store.value?.peek(id);
  if (entry === undefined) return;
  focusNextThread();
  openThread(entry.threadId);
}

/** The last message of what is open or under the cursor. */
function compose(kind: 'reply' | 'reply-all' | 'forward'): () => void {
  return () => {
    const from = store.value;
    const row = currentRow();
    const entry = row === undefined ? undefined : from?.peek(row);
    if (from === undefined || entry === undefined) return;
    const emailId = from.thread(entry.threadId)?.at(-1) ?? entry.id;
    openComposer({ kind, emailId, accountId: from.id });
  };
}

function mailShortcuts(): Shortcut[] {
  const t = texts('mail');
  const have = (keyword: string): boolean =>
    rowsHave(currentRows(), ({ keywords }) => keywords[keyword] === true);
  return [
    { keys: 'j', label: t('keyNext'), run: () => step(1) },
    { keys: 'k', label: t('keyPrevious'), run: () => step(-1) },
    { keys: 'o', label: t('keyOpen'), run: openCursor },
    { keys: 'u', label: t('backToList'), run: () => openThread(undefined) },
    {
      keys: 'Escape',
      label: t('clearSelection'),
      run() {
        if (foldersShown.value) foldersShown.value = false;
        else if (selected.value.size > 0) clearSelection();
        else openThread(undefined);
      },
    },
    {
      keys: 'x',
      label: t('keySelect'),
      run: () => cursor.value !== undefined && selectRow(cursor.value, false),
    },
    { keys: '* a', label: t('selectAll'), run: selectShown },
    { keys: 'e', label: t('archive'), run: act(archive) },
    { keys: '#', label: t('delete'), run: act(remove) },
    { keys: 'Delete', label: t('delete'), run: act(remove) },
    {
      keys: '!',
      label: t('junk'),
      run: act((targets) => markJunk(targets, mailbox.value?.role !== 'junk')),
    },
    { keys: 's', label: t('star'), run: act((targets) => setStar(targets, !have('$flagged'))) },
    { keys: 'Shift+i', label: t('markRead'), run: act((targets) => markSeen(targets, true)) },
    { keys: 'Shift+u', label: t('markUnread'), run: act((targets) => markSeen(targets, false)) },
    { keys: 'v', label: t('moveTo'), run: withRows((rows) => openDialog({ kind: 'move', rows })) },
    { keys: 'l', label: t('label'), run: withRows((rows) => openDialog({ kind: 'label', rows })) },
    { keys: 'b', label: t('snooze'), run: withRows((rows) => openDialog({ kind: 'snooze', rows })) },
    { keys: 'r', label: t('reply'), run: compose('reply') },
    { keys: 'a', label: t('replyAll'), run: compose('reply-all') },
    { keys: 'f', label: t('forward'), run: compose('forward') },
    { keys: 'c', label: t('compose'), run: () => openComposer({ kind: 'new' }) },
    { keys: 'z', label: texts('base')('undo'), run: () => undoLast.run?.() },
    { keys: '/', label: t('searchMail'), run: focusSearch },
    { keys: 'g i', label: t('keyGo', { mailbox: t('inbox') }), run: () => openMailbox('inbox') },
    { keys: 'g s', label: t('keyGo', { mailbox: t('starredBox') }), run: () => openMailbox('starred') },
    { keys: 'g t', label: t('keyGo', { mailbox: t('sent') }), run: () => openMailbox('sent') },
    { keys: 'g d', label: t('keyGo', { mailbox: t('drafts') }), run: () => openMailbox('drafts') },
    { keys: 'g a', label: t('keyGo', { mailbox: t('allMail') }), run: () => openMailbox('all') },
    { keys: '?', label: texts('base')('shortcuts'), run: () => (helpShown.value = true) },
  ];
}

export function useMailShortcuts(): void {
  useEffect(() => addShortcuts(mailShortcuts()), []);
}
