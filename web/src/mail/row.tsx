import { useRef, useState } from 'preact/hooks';
import { Avatar } from '../base/avatar.tsx';
import { formatDateTime, formatShort } from '../base/format.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { MenuList } from '../base/menu.tsx';
import { navigate } from '../base/router.ts';
import { preferences } from '../base/preferences.ts';
import { me } from '../base/session.ts';
import type { MailWindow } from '../jmap/store/window.ts';
import type { EmailEntry, Id } from '../jmap/types.ts';
import { act, markSeen, setStar } from './actions.ts';
import { openComposer } from './compose.ts';
import { inScope, type Summary, summarize } from './conversation.ts';
import { DRAGGED } from './folders.tsx';
import { focusNextThread } from './focus.ts';
import { labelsOf } from './labels.ts';
import { writePlace } from './place.ts';
import { rowMenu } from './row-menu.ts';
import { selectRow } from './selection.ts';
import { clearSelection, cursor, mailbox, place, selected, showsRecipients, store } from './state.ts';
import { useSwipe } from './swipe.ts';
import { rubbishOf } from './targets.ts';

interface RowProps {
  readonly id: Id | undefined;
  readonly index: number;
  readonly total: number;
  readonly window: MailWindow;
  readonly line: boolean;
  readonly open: boolean;
}

/** A conversation in the list; a place that is not fetched yet is empty. */
export function MailRow(props: RowProps) {
  const entry = props.id === undefined ? undefined : store.value?.email(props.id);
  if (entry === undefined)
    return (
      <div
        class="mail-row waiting"
        role="listitem"
        aria-setsize={props.total}
        aria-posinset={props.index + 1}
        aria-busy="true"
      >
        <span class="mail-bone" />
      </div>
    );
  return <Known {...props} entry={entry} />;
}

function summaryOf(entry: EmailEntry, collapsed: boolean): Summary {
  const from = store.value;
  const members = collapsed ? from?.thread(entry.threadId) : undefined;
  const known = (members ?? [entry.id]).flatMap((id) => from?.email(id) ?? []);
  const shown =
    from === undefined
      ? known
      : inScope(known.length > 0 ? known : [entry], rubbishOf(from), mailbox.value?.id);
  const own = new Set([me.value?.address.toLowerCase() ?? '']);
  return summarize(shown, own, showsRecipients.value);
}

function Known({
  id = '',
  index,
  total,
  window,
  line,
  open,
  entry,
}: RowProps & { readonly entry: EmailEntry }) {
  const t = texts('mail');
  const [menu, setMenu] = useState<{ x: number; y: number } | undefined>(undefined);
  const element = useRef<HTMLDivElement>(null);
  const swipe = useSwipe(id);
  const summary = summaryOf(entry, window.query.collapseThreads);
  const isSelected = selected.value.has(id);
  const at = Date.parse(entry.receivedAt);
  const address = (showsRecipients.value ? entry.to : entry.from)?.[0]?.email ?? '';
  const subject = entry.subject?.trim() || t('noSubject');
  const classes = ['mail-row'];
  if (summary.unread) classes.push('unread');
  if (isSelected) classes.push('selected');
  if (open) classes.push('open');
  if (cursor.value === id) classes.push('at');
  const draft = entry.keywords['$draft'] === true && mailbox.value?.role === 'drafts';
  const openIt = (): void => {
    cursor.value = id;
    if (draft)
      openComposer({ kind: 'draft', emailId: id, ...(store.value && { accountId: store.value.id }) });
    else navigate(writePlace({ ...place.value, threadId: entry.threadId }));
  };
  return (
    <div
      ref={element}
      class={classes.join(' ')}
      role="listitem"
      aria-setsize={total}
      aria-posinset={index + 1}
      data-row={id}
      draggable
      onDragStart={(event) => {
        const rows = isSelected ? [...selected.value] : [id];
        event.dataTransfer?.setData(DRAGGED, rows.join(' '));
        if (event.dataTransfer) event.dataTransfer.effectAllowed = 'move';
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        cursor.value = id;
        setMenu({ x: event.clientX, y: event.clientY });
      }}
      {...swipe.handlers}
    >
      {swipe.offset !== 0 && <SwipeGround offset={swipe.offset} action={swipe.action} />}
      <div
        class="mail-row-inner"
        style={swipe.offset === 0 ? undefined : { transform: `translateX(${swipe.offset}px)` }}
      >
        <label class="mail-row-check">
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={t('selectRow', { subject })}
            onClick={(event) => selectRow(id, event.shiftKey)}
          />
          <Avatar name={entry.from?.[0]?.name ?? ''} address={address} />
        </label>
        <a
          class="mail-row-open"
          href={writePlace({ ...place.value, threadId: entry.threadId })}
          aria-current={open ? 'true' : undefined}
          draggable={false}
          onFocus={() => (cursor.value = id)}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.button !== 0) return;
            event.preventDefault();
            event.stopPropagation();
            if (event.shiftKey) return selectRow(id, true);
            if (selected.value.size > 0 && !line && matchMedia('(pointer: coarse)').matches)
              return selectRow(id, false);
            clearSelection();
            if (event.detail === 0) focusNextThread();
            openIt();
          }}
        >
          <span class="mail-row-people cut" dir="auto">
            {summary.unread && <span class="sr-only">{t('unread')}, </span>}
            <People summary={summary} />
            {summary.count > 1 && (
              <span class="mail-row-count">
                <span aria-hidden="true">{summary.count}</span>
                <span class="sr-only">, {t('countMessages', { count: summary.count })}, </span>
              </span>
            )}
          </span>
          <span class="mail-row-subject cut" dir="auto">
            <Labels keywords={summary.keywords} />
            <Marked text={window.snippet(id)?.subject ?? undefined} plain={subject} />
          </span>
          <span class="mail-row-preview cut" dir="auto">
            <Marked text={window.snippet(id)?.preview ?? undefined} plain={entry.preview} />
          </span>
          <span class="mail-row-marks">
            {summary.answered && <Mark icon="reply" label={t('answered')} />}
            {summary.forwarded && <Mark icon="forward" label={t('forwarded')} />}
            {summary.attachment && <Mark icon="attach" label={t('hasAttachment')} />}
          </span>
          <time class="mail-row-date" dateTime={entry.receivedAt} title={formatDateTime(at)}>
            {formatShort(at)}
          </time>
        </a>
        <button
          type="button"
          class={summary.starred ? 'mail-star on' : 'mail-star'}
          aria-pressed={summary.starred}
          aria-label={t('star')}
          onClick={act((targets) => setStar(targets, !summary.starred), [id])}
        >
          <Icon name="star" filled={summary.starred} />
        </button>
        <button
          type="button"
          class="mail-row-dot"
          aria-label={t(summary.unread ? 'markRead' : 'markUnread')}
          title={t(summary.unread ? 'markRead' : 'markUnread')}
          tabIndex={-1}
          onClick={act((targets) => markSeen(targets, summary.unread, true), [id])}
        />
      </div>
      {menu !== undefined && (
        <MenuList
          label={t('actions')}
          anchor={menu}
          items={rowMenu(isSelected ? [...selected.value] : [id])}
          onClose={() => {
            setMenu(undefined);
            element.current?.querySelector<HTMLElement>('.mail-row-open')?.focus();
          }}
        />
      )}
    </div>
  );
}

function SwipeGround({ offset, action }: { readonly offset: number; readonly action: string }) {
  const icon = action === 'delete' ? 'trash' : action === 'read' ? 'mail-open' : 'archive';
  return (
    <div class={`mail-swipe ${action} ${offset > 0 ? 'start' : 'end'}`} aria-hidden="true">
      <Icon name={icon} />
    </div>
  );
}

function Mark({ icon, label }: { readonly icon: 'reply' | 'forward' | 'attach'; readonly label: string }) {
  return (
    <span title={label}>
      <Icon name={icon} />
      <span class="sr-only">{label}</span>
    </span>
  );
}

function People({ summary }: { readonly summary: Summary }) {
  const t = texts('mail');
  const { people } = summary;
  if (people.length === 0) return <>{t('nobody')}</>;
  const names = people.length > 4 ? [...people.slice(0, 1), undefined, ...people.slice(-2)] : people;
  return (
    <>
      {showsRecipients.value && <span class="mail-row-to">{t('toShort')} </span>}
      {names.map((person, i) =>
        person === undefined ? (
          <span key="more"> … </span>
        ) : (
          <span key={person.name} class={person.unread ? 'is-unread' : undefined}>
            {i > 0 && names[i - 1] !== undefined && ', '}
            {person.mine && people.length > 1 ? t('me') : person.name}
          </span>
        ),
      )}
      {summary.draft && <span class="mail-row-draft"> {t('draftMark')}</span>}
    </>
  );
}

function Labels({ keywords }: { readonly keywords: Readonly<Record<string, true>> }) {
  return (
    <>
      {labelsOf(keywords).map(({ keyword, name, colour }) => (
        <span key={keyword} class={`mail-label label-${colour}`}>
          {name}
        </span>
      ))}
    </>
  );
}

/** What a search found, marked: the server's text with <mark> around it, all else escaped (RFC 8621 section 5). */
function Marked({ text, plain }: { readonly text: string | undefined; readonly plain: string }) {
  if (text === undefined) return <>{plain}</>;
  return (
    <>
      {text.split(/<mark>|<\/mark>/).map((part, i) => {
        const shown = unescape(part);
        return i % 2 === 1 ? <mark key={i}>{shown}</mark> : shown;
      })}
    </>
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&amp;': '&',
};

function unescape(text: string): string {
  return text.replaceAll(/&(?:lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}

/** What swiping does is the person's choice. */
export function swipeActions() {
  const { swipeLeft, swipeRight } = preferences.value;
  return { left: swipeLeft, right: swipeRight };
}
