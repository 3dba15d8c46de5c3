import { useEffect, useRef, useState } from 'preact/hooks';
import { Avatar } from '../../base/avatar.tsx';
import { formatDateTime, formatRelative, formatShort } from '../../base/format.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { Menu, type MenuItem } from '../../base/menu.tsx';
import { Failure, Loading } from '../../base/states.tsx';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email, EmailEntry } from '../../jmap/types.ts';
import { markSeen, remove, setKeyword } from '../actions.ts';
import { openComposer } from '../compose.ts';
import { personName } from '../conversation.ts';
import { openDialog } from '../dialogs/open.ts';
import { openThread, store as shownStore } from '../state.ts';
import { oneEmail } from '../targets.ts';
import { Attachments } from './attachments.tsx';
import { MessageBody } from './body.tsx';
import { HeaderDetails, SenderNotes } from './headers.tsx';
import { loadEmail } from './load.ts';
import { printMessage } from './print.ts';
import { MessageExtras } from './extras.tsx';

interface MessageProps {
  readonly store: AccountStore;
  readonly entry: EmailEntry;
  readonly open: boolean;
  /** Undefined: it is the only one, and stays open. */
  readonly onToggle: (() => void) | undefined;
  readonly last: boolean;
  /** Its content is got at once, and not only when it is nearly seen. */
  readonly eager: boolean;
}

/** Pixels from what is seen within which messages get their content. */
const NEAR = 1000;

/** One message of a conversation: a line, or all of it. */
export function Message({ store, entry, open, onToggle, last, eager }: MessageProps) {
  const t = texts('mail');
  const from = entry.from?.[0];
  const name = from === undefined ? t('nobody') : personName(from);
  const at = Date.parse(entry.receivedAt);
  const unread = entry.keywords['$seen'] !== true;
  if (!open)
    return (
      <article
        class={unread ? 'mail-message closed unread' : 'mail-message closed'}
        id={`message-${entry.id}`}
      >
        <button type="button" class="mail-message-line" aria-expanded={false} onClick={onToggle}>
          <Avatar name={from?.name ?? ''} address={from?.email ?? ''} />
          <span class="mail-message-name cut" dir="auto">
            {name}
          </span>
          <span class="mail-message-preview cut soft" dir="auto">
            {entry.preview}
          </span>
          {entry.hasAttachment && <Icon name="attach" />}
          <time class="soft small" dateTime={entry.receivedAt}>
            {formatShort(at)}
          </time>
        </button>
      </article>
    );
  return (
    <article class="mail-message" id={`message-${entry.id}`} data-message={entry.id}>
      <OpenMessage
        store={store}
        entry={entry}
        name={name}
        at={at}
        onToggle={onToggle}
        last={last}
        eager={eager}
      />
    </article>
  );
}

function OpenMessage({
  store,
  entry,
  name,
  at,
  onToggle,
  last,
  eager,
}: Omit<MessageProps, 'open'> & { readonly name: string; readonly at: number }) {
  const t = texts('mail');
  const [details, setDetails] = useState(false);
  const head = useRef<HTMLElement>(null);
  const near = useNear(head, eager);
  const { email, failed, load, loadWhole } = useEmail(store, entry, near);
  // What a signature had wrapped, once it was opened.
  const [inner, setInner] = useState<Email | undefined>(undefined);
  const from = entry.from?.[0];
  const to = [...(entry.to ?? []), ...(email?.cc ?? [])];
  const starred = entry.keywords['$flagged'] === true;
  return (
    <>
      <header class="mail-message-head" ref={head}>
        <Avatar name={from?.name ?? ''} address={from?.email ?? ''} />
        <div class="mail-message-who">
          <h3 class="cut">
            {onToggle === undefined ? (
              <span class="mail-message-name" dir="auto">
                {name}
              </span>
            ) : (
              <button
                type="button"
                class="mail-message-name mail-plain"
                dir="auto"
                aria-expanded
                onClick={onToggle}
              >
                {name}
              </button>
            )}{' '}
            {from?.name != null && from.name !== '' && <bdi class="mail-address soft">{from.email}</bdi>}
          </h3>
          <button
            type="button"
            class="mail-plain soft small mail-message-to cut"
            aria-expanded={details}
            onClick={() => setDetails(!details)}
          >
            <span class="cut" dir="auto">
              {t('toPeople', { people: to.map(personName).join(', ') || t('nobody') })}
            </span>
            <Icon name={details ? 'up' : 'down'} />
            <span class="sr-only">{t('details')}</span>
          </button>
        </div>
        <time class="soft small mail-message-date" dateTime={entry.receivedAt} title={formatDateTime(at)}>
          <span class="mail-date-long">{formatDateTime(at)}</span>
          <span class="mail-date-short">{formatShort(at)}</span>
          <span class="sr-only">, {formatRelative(at)}</span>
        </time>
        <button
          type="button"
          class={starred ? 'icon-button mail-star on' : 'icon-button mail-star'}
          aria-pressed={starred}
          aria-label={t('star')}
          onClick={() => void setKeyword(oneEmail(entry.id), '$flagged', !starred, '', true)}
        >
          <Icon name="star" filled={starred} />
        </button>
        <button
          type="button"
          class="icon-button mail-reply-icon"
          aria-label={t('reply')}
          title={t('reply')}
          onClick={() => openComposer({ kind: 'reply', emailId: entry.id, accountId: store.id })}
        >
          <Icon name="reply" />
        </button>
        <Menu label={t('moreOfMessage')} items={messageMenu(entry, email)} />
      </header>
      {details && email !== undefined && <HeaderDetails email={email} />}
      {failed !== undefined ? (
        <Failure sentence={failed.message} onRetry={load} />
      ) : email === undefined ? (
        <Loading />
      ) : (
        <>
          <SenderNotes email={email} store={store} />
          <MessageExtras email={email} store={store} onInner={setInner} />
          <MessageBody email={inner ?? email} store={store} onWhole={loadWhole} />
          <Attachments email={inner ?? email} store={store} />
        </>
      )}
      {last && email !== undefined && <ReplyBar entry={entry} store={store} many={to.length > 1} />}
    </>
  );
}

/** Whether it is, or was, nearly seen. */
function useNear(what: { readonly current: HTMLElement | null }, eager: boolean): boolean {
  const [near, setNear] = useState(eager);
  useEffect(() => {
    const element = what.current;
    if (near || element === null) return undefined;
    const observer = new IntersectionObserver(
      (seen) => seen.some(({ isIntersecting }) => isIntersecting) && setNear(true),
      { root: element.closest('.mail-thread-body'), rootMargin: `${NEAR}px 0px` },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, [near]);
  return near;
}

function useEmail(store: AccountStore, entry: EmailEntry, wanted: boolean) {
  const [email, setEmail] = useState<Email | undefined>(undefined);
  const [failed, setFailed] = useState<Error | undefined>(undefined);
  const ask = (whole: boolean): void => {
    setFailed(undefined);
    loadEmail(store, entry.id, whole).then(setEmail, (error: unknown) =>
      setFailed(error instanceof Error ? error : new Error(String(error))),
    );
  };
  useEffect(() => {
    if (wanted) ask(false);
  }, [entry.id, wanted]);
  return { email, failed, load: () => ask(false), loadWhole: () => ask(true) };
}

function ReplyBar({
  entry,
  store,
  many,
}: {
  readonly entry: EmailEntry;
  readonly store: AccountStore;
  readonly many: boolean;
}) {
  const t = texts('mail');
  const open = (kind: 'reply' | 'reply-all' | 'forward') => () =>
    openComposer({ kind, emailId: entry.id, accountId: store.id });
  if (entry.keywords['$draft'] === true)
    return (
      <div class="mail-reply-bar">
        <button
          type="button"
          class="button primary"
          onClick={() => openComposer({ kind: 'draft', emailId: entry.id, accountId: store.id })}
        >
          <Icon name="drafts" />
          {t('goOnWriting')}
        </button>
      </div>
    );
  return (
    <div class="mail-reply-bar">
      <button type="button" class="button" onClick={open('reply')}>
        <Icon name="reply" />
        {t('reply')}
      </button>
      {many && (
        <button type="button" class="button" onClick={open('reply-all')}>
          <Icon name="reply-all" />
          {t('replyAll')}
        </button>
      )}
      <button type="button" class="button" onClick={open('forward')}>
        <Icon name="forward" />
        {t('forward')}
      </button>
    </div>
  );
}

/** It came by a list, which says where it takes messages (RFC 2369 section 3.4). */
function takesAnswers(email: Email | undefined): boolean {
  const post = email?.['header:List-Post:asURLs'];
  return Array.isArray(post) && post.some((url) => /^mailto:/i.test(String(url)));
}

function messageMenu(entry: EmailEntry, email: Email | undefined): MenuItem[] {
  const t = texts('mail');
  const accountId = shownStore.value?.id;
  const compose = (kind: 'reply' | 'reply-all' | 'reply-list' | 'forward' | 'forward-attached') => () =>
    openComposer({ kind, emailId: entry.id, ...(accountId !== undefined && { accountId }) });
  return [
    { label: t('reply'), icon: 'reply', run: compose('reply') },
    { label: t('replyAll'), icon: 'reply-all', run: compose('reply-all') },
    ...(takesAnswers(email)
      ? [{ label: t('replyList'), icon: 'users' as const, run: compose('reply-list') }]
      : []),
    { label: t('forward'), icon: 'forward', run: compose('forward') },
    { label: t('forwardAttached'), icon: 'attach', run: compose('forward-attached') },
    {
      label: t('unreadFromHere'),
      icon: 'mail',
      line: true,
      run() {
        void markSeen(oneEmail(entry.id), false, true);
        openThread(undefined);
      },
    },
    { label: t('deleteMessage'), icon: 'trash', run: () => void remove(oneEmail(entry.id)) },
    { label: t('why'), icon: 'help', line: true, run: () => openDialog({ kind: 'why', emailId: entry.id }) },
    {
      label: t('print'),
      icon: 'print',
      disabled: email === undefined,
      run: () => email && printMessage(email),
    },
    { label: t('source'), icon: 'code', run: () => openDialog({ kind: 'source', emailId: entry.id }) },
  ];
}
