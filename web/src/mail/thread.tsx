import { useEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { Menu } from '../base/menu.tsx';
import { Failure, Loading } from '../base/states.tsx';
import type { AccountStore } from '../jmap/store/account.ts';
import type { EmailEntry, Id } from '../jmap/types.ts';
import { act as actOn, archive, markJunk, markSeen, remove, setStar } from './actions.ts';
import { inScope } from './conversation.ts';
import { openDialog } from './dialogs/open.ts';
import { focusThread } from './focus.ts';
import { labelsOf, labels } from './labels.ts';
import { Message } from './message/message.tsx';
import { rowMenu } from './row-menu.ts';
import { conversations, list, mailbox, openThread, place, rights, store } from './state.ts';
import { emailTargets, openRow, rubbishOf } from './targets.ts';
import { ActionButton } from './toolbar.tsx';

/** Pixels left above the message that is scrolled to. */
const SPACE_ABOVE = 8;

/** Messages of a conversation that get their content at once; the others when they are nearly seen. */
const EAGER = 10;

/** The open conversation, or a place for one. */
export function ThreadView() {
  const t = texts('mail');
  const { threadId } = place.value;
  const from = store.value;
  if (threadId === undefined || from === undefined)
    return (
      <section class="mail-thread empty" aria-label={t('message')}>
        <p class="soft">{t('nothingOpen')}</p>
      </section>
    );
  return <Conversation store={from} threadId={threadId} />;
}

function Conversation({ store: from, threadId }: { readonly store: AccountStore; readonly threadId: Id }) {
  const t = texts('mail');
  const [failed, setFailed] = useState<Error | undefined>(undefined);
  const [loaded, setLoaded] = useState(false);
  const load = (): void => {
    setFailed(undefined);
    from.needThread(threadId).then(
      () => setLoaded(true),
      (error: unknown) => setFailed(error instanceof Error ? error : new Error(String(error))),
    );
  };
  useEffect(load, [threadId]);
  const ids = from.thread(threadId);
  const known = (ids ?? []).flatMap((id) => from.email(id) ?? []);
  if (failed !== undefined && known.length === 0)
    return (
      <section class="mail-thread" aria-label={t('message')}>
        <ThreadBar known={[]} />
        <Failure sentence={failed.message} onRetry={load} />
      </section>
    );
  // What is not there is known to be gone once the server has said so.
  if (!loaded && (ids === undefined || known.length === 0))
    return (
      <section class="mail-thread" aria-label={t('message')}>
        <Loading />
      </section>
    );
  if (known.length === 0)
    return (
      <section class="mail-thread" aria-label={t('message')}>
        <ThreadBar known={[]} />
        <div class="middle">
          <p>{t('gone')}</p>
        </div>
      </section>
    );
  const shown = inScope(known, rubbishOf(from), mailbox.value?.id);
  return <Messages store={from} all={shown} />;
}

function Messages({
  store: from,
  all,
}: {
  readonly store: AccountStore;
  readonly all: readonly EmailEntry[];
}) {
  const t = texts('mail');
  // Open at first: what is unread or starred, and the last one.
  const [open, setOpen] = useState<ReadonlySet<Id>>(
    () =>
      new Set(
        all
          .filter(
            ({ keywords }, i) =>
              keywords['$seen'] !== true || keywords['$flagged'] === true || i === all.length - 1,
          )
          .map(({ id }) => id),
      ),
  );
  const [folded, setFolded] = useState(true);
  const body = useRef<HTMLDivElement>(null);
  const last = all.at(-1);
  useEffect(() => {
    // What comes while the conversation is open is read at once.
    if (last !== undefined) setOpen((old) => new Set(old).add(last.id));
    // What others let us read may not be ours to mark.
    const mine = ({ mailboxIds }: EmailEntry): boolean =>
      Object.keys(mailboxIds).every((id) => from.mailboxes.value.get(id)?.myRights.maySetSeen !== false);
    const unread = all.filter((entry) => entry.keywords['$seen'] !== true && mine(entry)).map(({ id }) => id);
    if (unread.length > 0) void markSeen(emailTargets(from, unread), true, 'always');
  }, [all.length]);
  useEffect(() => {
    const first = all.find(({ id }) => open.has(id));
    const element = document.getElementById(`message-${first?.id}`);
    // Not scrollIntoView: that moves whatever else can be scrolled around it as well.
    if (first !== undefined && all.indexOf(first) > 0 && body.current !== null && element !== null)
      body.current.scrollTop = element.offsetTop - SPACE_ABOVE;
    focusThread(body.current);
  }, []);
  const subject = last?.subject?.trim() || t('noSubject');
  const keywords = Object.assign({}, ...all.map((each) => each.keywords)) as Record<string, true>;
  const toggle = (id: Id): void =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const firstOpen = all.findIndex(({ id }) => open.has(id));
  // Many closed ones before the first that is open are one line.
  const hidden = folded && firstOpen > 3 ? firstOpen - 2 : 0;
  return (
    <section class="mail-thread" aria-label={t('conversation')}>
      <ThreadBar known={all} />
      <div class="mail-thread-body" ref={body} tabIndex={-1}>
        <header class="mail-thread-head">
          <h2 dir="auto">{subject}</h2>
          {labels.value.length > 0 &&
            labelsOf(keywords).map(({ keyword, name, colour }) => (
              <span key={keyword} class={`mail-label label-${colour}`}>
                {name}
              </span>
            ))}
        </header>
        {all.map((entry, i) => {
          if (hidden > 0 && i > 0 && i <= hidden)
            return i === 1 ? (
              <button key="hidden" type="button" class="mail-hidden" onClick={() => setFolded(false)}>
                {t('olderMessages', { count: hidden })}
              </button>
            ) : null;
          return (
            <Message
              key={entry.id}
              store={from}
              entry={entry}
              open={open.has(entry.id)}
              onToggle={all.length > 1 ? () => toggle(entry.id) : undefined}
              last={i === all.length - 1}
              eager={i - firstOpen < EAGER}
            />
          );
        })}
      </div>
    </section>
  );
}

function ThreadBar({ known }: { readonly known: readonly EmailEntry[] }) {
  const t = texts('mail');
  const row = openRow();
  const rows = row === undefined ? [] : [row];
  const role = mailbox.value?.role;
  const { mayRemoveItems, maySetKeywords } = rights.value;
  const starred = known.some(({ keywords }) => keywords['$flagged'] === true);
  const act = (run: Parameters<typeof actOn>[0]) => actOn(run, rows);
  return (
    <div class="mail-bar mail-thread-bar" role="toolbar" aria-label={t('actions')}>
      <button
        type="button"
        class="icon-button mail-back"
        aria-label={t('backToList')}
        title={t('backToList')}
        onClick={() => openThread(undefined)}
      >
        <Icon name="back" />
      </button>
      {known.length > 0 && (
        <>
          {mayRemoveItems && (
            <>
              {role !== 'archive' && <ActionButton icon="archive" label={t('archive')} run={act(archive)} />}
              <ActionButton icon="trash" label={t('delete')} run={act(remove)} />
              <ActionButton
                rare
                icon={role === 'junk' ? 'inbox' : 'junk'}
                label={t(role === 'junk' ? 'notJunk' : 'junk')}
                run={act((targets) => markJunk(targets, role !== 'junk'))}
              />
              <ActionButton
                icon="folder"
                label={t('moveTo')}
                run={() => openDialog({ kind: 'move', rows })}
              />
            </>
          )}
          {maySetKeywords && (
            <ActionButton
              rare
              icon="tag"
              label={t('label')}
              run={() => openDialog({ kind: 'label', rows })}
            />
          )}
          {mayRemoveItems && (
            <ActionButton
              rare
              icon="clock"
              label={t('snooze')}
              run={() => openDialog({ kind: 'snooze', rows })}
            />
          )}
          {maySetKeywords && (
            <ActionButton
              icon="star"
              filled={starred}
              label={t(starred ? 'unstar' : 'star')}
              run={act((targets) => setStar(targets, !starred))}
            />
          )}
          <span class="mail-bar-space" />
          {conversations.value && known.length > 1 && (
            <span class="soft small mail-thread-count">{t('countMessages', { count: known.length })}</span>
          )}
          <Neighbours />
          <Menu label={t('moreActions')} items={rowMenu(rows)} />
        </>
      )}
    </div>
  );
}

/** To the conversation before and after, as the list has them. */
function Neighbours() {
  const t = texts('mail');
  const window = list.value;
  const row = openRow();
  const from = store.value;
  if (window === undefined || row === undefined || from === undefined) return null;
  const at = window.indexOf(row);
  if (at < 0) return null;
  const go = (step: number) => () => {
    const id = window.at(at + step);
    const entry = id === undefined ? undefined : from.peek(id);
    if (entry !== undefined) openThread(entry.threadId, true);
  };
  return (
    <span class="mail-neighbours">
      <button
        type="button"
        class="icon-button"
        aria-label={t('newer')}
        title={t('newer')}
        disabled={at === 0}
        onClick={go(-1)}
      >
        <Icon name="up" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label={t('older')}
        title={t('older')}
        disabled={at >= (window.total() ?? 0) - 1}
        onClick={go(1)}
      >
        <Icon name="down" />
      </button>
    </span>
  );
}
