import { useEffect, useState } from 'preact/hooks';
import { useSignalEffect } from '@preact/signals';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { helpShown } from '../base/keyboard.ts';
import { loadPreferences, preferences } from '../base/preferences.ts';
import { Failure, Loading } from '../base/states.tsx';
import { toast } from '../base/toast.tsx';
import { TopBar } from '../base/top-bar.tsx';
import { ScheduledLazy } from '../compose/scheduled-lazy.tsx';
import { onDropped } from '../jmap/store/outbox.ts';
import { ready, startMail } from '../jmap/store/stores.ts';
import { mailboxLabel } from './actions.ts';
import { openComposer } from './compose.ts';
import { Folders } from './folders.tsx';
import { loadLabels } from './labels.ts';
import { MailList } from './list.tsx';
import { MailDialogs } from './dialogs/dialogs.tsx';
import { refocus } from './focus.ts';
import { SearchBox } from './search/box.tsx';
import { ShortcutsHelp } from './shortcuts-help.tsx';
import { useMailShortcuts } from './shortcuts.ts';
import { clearSelection, foldersShown, gone, list, mailbox, place, store } from './state.ts';
import { ThreadView } from './thread.tsx';
import './mail.css';

onDropped.add((count) => toast(texts('mail')('changesDropped', { count }), { bad: true }));

/** Webmail: folders, the list, the conversation. */
export default function Main() {
  const [failed, setFailed] = useState<Error | undefined>(undefined);
  const begin = (): void => {
    setFailed(undefined);
    startMail().catch((error: unknown) =>
      setFailed(error instanceof Error ? error : new Error(String(error))),
    );
  };
  useEffect(() => {
    begin();
    void loadPreferences();
    void loadLabels();
  }, []);
  return (
    <div class="mail">
      <TopBar start={<FoldersButton />}>
        <SearchBox />
      </TopBar>
      {failed !== undefined && !ready.value ? (
        <Failure sentence={failed.message} onRetry={begin} />
      ) : ready.value ? (
        <Panes />
      ) : (
        <Loading />
      )}
    </div>
  );
}

function FoldersButton() {
  const t = texts('mail');
  return (
    <button
      type="button"
      class="icon-button mail-folders-button"
      aria-label={t('folders')}
      aria-expanded={foldersShown.value}
      onClick={() => (foldersShown.value = !foldersShown.value)}
    >
      <Icon name="menu" />
    </button>
  );
}

function Panes() {
  const t = texts('mail');
  const { threadId, mailbox: name } = place.value;
  const scheduled = name === 'scheduled';
  const { readingPane, density } = preferences.value;
  useMailShortcuts();
  useTitle();
  useEffect(() => clearSelection, [list.value?.key]);
  useEffect(() => {
    if (threadId === undefined) refocus();
  }, [threadId]);
  return (
    <div
      class={`mail-panes pane-${scheduled ? 'none' : readingPane} ${density} ${threadId === undefined ? 'no-thread' : 'has-thread'}`}
    >
      <nav class={foldersShown.value ? 'mail-folders shown' : 'mail-folders'} aria-label={t('folders')}>
        <button
          type="button"
          class="button primary mail-compose"
          onClick={() => openComposer({ kind: 'new' })}
        >
          <Icon name="drafts" />
          {t('compose')}
        </button>
        <Folders />
      </nav>
      {foldersShown.value && (
        <div class="mail-shade" aria-hidden="true" onClick={() => (foldersShown.value = false)} />
      )}
      <main class="mail-main" id="content" tabIndex={-1}>
        {scheduled ? (
          <ScheduledLazy />
        ) : (
          <>
            <MailList />
            <ThreadView key={threadId ?? ''} />
          </>
        )}
      </main>
      <button
        type="button"
        class="mail-compose-float"
        aria-label={t('compose')}
        onClick={() => openComposer({ kind: 'new' })}
      >
        <Icon name="drafts" />
      </button>
      <MailDialogs />
      {helpShown.value && <ShortcutsHelp />}
    </div>
  );
}

/** "(3) Inbox – bob@example.org". */
function useTitle(): void {
  useSignalEffect(() => {
    const t = texts('mail');
    const shown = mailbox.value;
    const { mailbox: name, q } = place.value;
    const label =
      q !== ''
        ? t('searchTitle', { q })
        : shown !== undefined
          ? mailboxLabel(shown)
          : t(gone.value ? 'folders' : name === 'starred' ? 'starredBox' : 'allMail');
    const inbox = [...(store.value?.mailboxes.value.values() ?? [])].find(({ role }) => role === 'inbox');
    const unread = inbox?.unreadEmails ?? 0;
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${label} – Postern`;
  });
}
