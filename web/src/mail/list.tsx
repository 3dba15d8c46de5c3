import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from '../base/http.ts';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import { preferences } from '../base/preferences.ts';
import { offline } from '../base/session.ts';
import { Empty, Failure, Loading } from '../base/states.tsx';
import { VirtualList } from '../base/virtual-list.tsx';
import { onStateChange } from '../jmap/push.ts';
import type { Id } from '../jmap/types.ts';
import { openDialog } from './dialogs/open.ts';
import { focusRow } from './focus.ts';
import { prefetch } from './message/load.ts';
import { NO_CHIPS } from './place.ts';
import { MailRow } from './row.tsx';
import {
  allSelected,
  chips,
  clearSelection,
  cursor,
  gone,
  list,
  mailbox,
  openMailbox,
  openSearch,
  place,
  selected,
  store,
  unknownOperators,
} from './state.ts';
import { openRow } from './targets.ts';
import { ListBar } from './toolbar.tsx';

/** Heights of a row in CSS pixels: three lines, two, or one. */
const HEIGHTS = { comfortable: 84, compact: 62, line: 44, tightLine: 36 } as const;
/** Width from which a list has room for rows of one line. */
const LINE_WIDTH = 760;

/** Milliseconds of rest before what may be read offline is fetched; of how many conversations, and how many emails. */
const PREFETCH_MS = 4000;
const PREFETCHED = 30;
const PREFETCHED_EMAILS = 60;

/** Have the newest messages of the inbox on this device. */
function usePrefetch(): void {
  const window = list.value;
  const isInbox = mailbox.value?.role === 'inbox' && place.value.q === '';
  const known = window?.total() !== undefined;
  useEffect(() => {
    const from = store.value;
    if (!isInbox || !known || window === undefined || from === undefined || offline.value) return undefined;
    const timer = setTimeout(() => {
      const rows = Array.from({ length: PREFETCHED }, (_, i) => window.at(i)).filter(
        (id) => id !== undefined,
      );
      // What is unread opens with its conversation.
      const unread = rows.flatMap((id) => {
        const members = from.thread(from.peek(id)?.threadId ?? '') ?? [];
        return members.filter((each) => from.peek(each)?.keywords['$seen'] === undefined);
      });
      const ids = [...new Set([...rows, ...unread])].slice(0, PREFETCHED_EMAILS);
      void prefetch(from, ids).catch(() => undefined);
    }, PREFETCH_MS);
    return () => clearTimeout(timer);
  }, [window?.key, isInbox, known]);
}

/** The list of conversations, with its bar above. */
export function MailList() {
  const t = texts('mail');
  const element = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  usePrefetch();
  useEffect(() => {
    const at = element.current;
    if (at === null) return undefined;
    const sizes = new ResizeObserver(() => setWidth(at.clientWidth));
    sizes.observe(at);
    return () => sizes.disconnect();
  }, []);
  const { density } = preferences.value;
  const line = width >= LINE_WIDTH;
  const height =
    density === 'compact'
      ? line
        ? HEIGHTS.tightLine
        : HEIGHTS.compact
      : line
        ? HEIGHTS.line
        : HEIGHTS.comfortable;
  return (
    <section
      ref={element}
      class={line ? 'mail-list one-line' : 'mail-list'}
      style={{ '--row-height': `${height}px` }}
      aria-label={t('messages')}
    >
      <ListBar />
      <SearchNotes />
      <SelectAll />
      {width > 0 && <Rows height={height} line={line} />}
      <Splitter list={element} />
    </section>
  );
}

function Rows({ height, line }: { readonly height: number; readonly line: boolean }) {
  const t = texts('mail');
  const window = list.value;
  const pull = usePull();
  if (window === undefined && gone.value)
    return (
      <Empty>
        <p>{t('folderGone')}</p>
        <button type="button" class="button" onClick={() => openMailbox('inbox')}>
          {t('inbox')}
        </button>
      </Empty>
    );
  if (window === undefined) return <Loading />;
  const total = window.total();
  const error = window.error();
  if (total === undefined) {
    if (error !== undefined) return <NoList error={error} onRetry={() => window.ensure(0, 50)} />;
    window.ensure(0, 50);
    return <Loading />;
  }
  const active = cursor.value === undefined ? undefined : window.indexOf(cursor.value);
  return (
    <div class="mail-rows" onKeyDown={onArrow} {...pull.handlers}>
      {pull.offset > 0 && (
        <div class="mail-pull" style={{ height: `${pull.offset}px` }} aria-hidden="true">
          <Icon name="refresh" />
        </div>
      )}
      {total === 0 ? (
        <>
          <FetchFirst />
          <EmptyList />
        </>
      ) : (
        <VirtualList
          count={total}
          rowHeight={height}
          label={t('messages')}
          listKey={window.key}
          active={active === -1 ? undefined : active}
          onRange={(first, last) => window.ensure(first, last)}
          row={(index) => {
            const id = window.at(index);
            return (
              <MailRow
                key={id ?? `place-${index}`}
                id={id}
                index={index}
                total={total}
                window={window}
                line={line}
                open={id !== undefined && id === openRow()}
              />
            );
          }}
        />
      )}
    </div>
  );
}

/** A list that could not be had. Without a connection that is no fault: what this device knows is said instead. */
function NoList({ error, onRetry }: { readonly error: Error; readonly onRetry: () => void }) {
  const t = texts('mail');
  if (!(error instanceof ApiError && error.kind === 'offline'))
    return <Failure sentence={error.message} onRetry={onRetry} />;
  const filtered = chips.value.unread || chips.value.starred || chips.value.attachment;
  const plain = place.value.q === '' && !filtered;
  // How many there are is known of folders that were never opened.
  if (plain && mailbox.value?.totalEmails === 0) return <EmptyList />;
  return <Failure sentence={t(plain ? 'notOnDevice' : 'emptySearchOffline')} onRetry={onRetry} />;
}

/** An empty list is looked at as well: what comes must show. */
function FetchFirst() {
  const window = list.value;
  useEffect(() => window?.ensure(0, 50), [window?.key]);
  return null;
}

function EmptyList() {
  const t = texts('mail');
  const { q } = place.value;
  const filtered = chips.value.unread || chips.value.starred || chips.value.attachment;
  if (filtered)
    return (
      <Empty>
        <p>{t('emptyFiltered')}</p>
        <button type="button" class="button" onClick={() => (chips.value = NO_CHIPS)}>
          {t('showAll')}
        </button>
      </Empty>
    );
  if (q !== '')
    return (
      <Empty>
        <p>{t(offline.value ? 'emptySearchOffline' : 'emptySearch')}</p>
        {place.value.mailbox !== 'all' && (
          <button type="button" class="button" onClick={() => openSearch(q, true)}>
            {t('searchEverywhere')}
          </button>
        )}
      </Empty>
    );
  const role = mailbox.value?.role;
  return (
    <Empty>
      <Icon name={role === 'inbox' ? 'check' : 'mail-open'} />
      <p>{t(role === 'inbox' ? 'emptyInbox' : 'emptyMailboxNow')}</p>
    </Empty>
  );
}

function SearchNotes() {
  const t = texts('mail');
  const { q, mailbox: name } = place.value;
  if (q === '') return null;
  const window = list.value;
  const total = window?.total();
  const unknown = unknownOperators.value;
  return (
    <div class="mail-notes" role="status">
      <span>
        {total !== undefined ? t('found', { count: total }) : window?.error() === undefined && t('searching')}
        {unknown.length > 0 && ` ${t('unknownOperators', { words: unknown.join(' ') })}`}
      </span>
      {name !== 'all' && total !== 0 && (
        <button type="button" class="mail-link" onClick={() => openSearch(q, true)}>
          {t('searchEverywhere')}
        </button>
      )}
      <button type="button" class="mail-link" onClick={() => openDialog({ kind: 'save-search', q })}>
        {t('saveSearch')}
      </button>
    </div>
  );
}

/** "All 50 shown are selected. Select all 12,345?" */
function SelectAll() {
  const t = texts('mail');
  const window = list.value;
  const total = window?.total() ?? 0;
  const count = selected.value.size;
  if (count === 0 || count >= total) return null;
  if (allSelected.value)
    return (
      <div class="mail-notes" role="status">
        <span>{t('allAreSelected', { count: total })}</span>
        <button type="button" class="mail-link" onClick={clearSelection}>
          {t('clearSelection')}
        </button>
      </div>
    );
  return (
    <div class="mail-notes" role="status">
      <span>{t('someAreSelected', { count })}</span>
      <button type="button" class="mail-link" onClick={() => (allSelected.value = true)}>
        {t('selectAllOf', { count: total })}
      </button>
    </div>
  );
}

/** Pixels to pull for a look at the server. */
const PULL = 70;

/** A finger that pulls the list down looks whether there is something new. */
function usePull() {
  const start = useRef<number | undefined>(undefined);
  const [offset, setOffset] = useState(0);
  return {
    offset,
    handlers: {
      onTouchStart(event: TouchEvent) {
        const at = event.currentTarget as HTMLElement;
        const top = at.querySelector('.virtual-list')?.scrollTop ?? 0;
        start.current = top === 0 ? event.touches[0]?.clientY : undefined;
      },
      onTouchMove(event: TouchEvent) {
        if (start.current === undefined) return;
        const moved = (event.touches[0]?.clientY ?? 0) - start.current;
        setOffset(moved > 10 ? Math.min(PULL, moved / 2) : 0);
      },
      onTouchEnd() {
        if (offset >= PULL) for (const fn of onStateChange) fn(undefined);
        start.current = undefined;
        setOffset(0);
      },
    },
  };
}

const KEPT_WIDTH = 'postern.listWidth';

/** The line between list and message, which can be moved. */
function Splitter({ list: element }: { readonly list: { readonly current: HTMLElement | null } }) {
  const t = texts('mail');
  const [width, setWidth] = useState(Number(localStorage.getItem(KEPT_WIDTH) ?? 420));
  const set = (wanted: number): void => {
    const fits = Math.round(Math.max(280, Math.min(wanted, innerWidth - 700)));
    setWidth(fits);
    localStorage.setItem(KEPT_WIDTH, String(fits));
  };
  useEffect(() => {
    element.current?.style.setProperty('--list-width', `${width}px`);
  }, [width]);
  return (
    <div
      class="mail-splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label={t('listWidth')}
      aria-valuenow={width}
      aria-valuemin={280}
      aria-valuemax={900}
      tabIndex={0}
      onKeyDown={(event) => {
        const step = event.key === 'ArrowLeft' ? -20 : event.key === 'ArrowRight' ? 20 : 0;
        if (step === 0) return;
        event.preventDefault();
        set(width + step * towards());
      }}
      onPointerDown={(event) => {
        const line = event.currentTarget;
        line.setPointerCapture(event.pointerId);
        const [from, before] = [event.clientX, width];
        const sign = towards();
        line.onpointermove = (move) => set(before + (move.clientX - from) * sign);
        line.onpointerup = () => (line.onpointermove = null);
      }}
    />
  );
}

/** The arrows move from row to row, where a row has the focus. */
function onArrow(event: KeyboardEvent): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const plain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (step === 0 || !plain || !(event.target as Element).matches('.mail-row-open')) return;
  event.preventDefault();
  moveCursor(step);
}

/** Whether the list grows to the right, or to the left where that is how one reads. */
function towards(): 1 | -1 {
  return getComputedStyle(document.documentElement).direction === 'rtl' ? -1 : 1;
}

/** Move the keyboard's row; the focus goes with it. */
export function moveCursor(step: number): Id | undefined {
  const window = list.value;
  const total = window?.total() ?? 0;
  if (window === undefined || total === 0) return undefined;
  const at = cursor.value ?? openRow();
  const index = at === undefined ? -1 : window.indexOf(at);
  const next = Math.max(0, Math.min(total - 1, index + step));
  const id = window.at(next);
  if (id === undefined) {
    window.ensure(next - 25, next + 25);
    return undefined;
  }
  cursor.value = id;
  // At once where it is drawn: the next key may be Enter. Otherwise when it is, unless the cursor has moved on.
  if (!focusRow(id)) requestAnimationFrame(() => cursor.value === id && focusRow(id));
  return id;
}
