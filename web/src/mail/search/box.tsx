import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { api } from '../../base/http.ts';
import { texts } from '../../base/i18n.ts';
import { Icon } from '../../base/icon.tsx';
import { preferences } from '../../base/preferences.ts';
import { onForget } from '../../base/session.ts';
import { refocus } from '../focus.ts';
import { openMailbox, openSearch, place } from '../state.ts';
import type { OPERATORS } from './parse.ts';
import { type Suggestion, suggest } from './suggest.ts';

const KEPT = 'postern.searches';
const MOST_RECENT = 8;
/** Milliseconds of rest before the server is asked for suggestions. */
const REST_MS = 150;

function recent(): string[] {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? '[]') as string[];
  } catch {
    return [];
  }
}

function remember(q: string): void {
  localStorage.setItem(
    KEPT,
    JSON.stringify([q, ...recent().filter((each) => each !== q)].slice(0, MOST_RECENT)),
  );
}

onForget.add(() => localStorage.removeItem(KEPT));

/** Focus the search box from anywhere. */
export function focusSearch(): void {
  const input = document.querySelector<HTMLInputElement>('.mail-search input');
  input?.focus();
  input?.select();
}

/** The search box with what it suggests (ARIA combobox). */
export function SearchBox() {
  const t = texts('mail');
  const { q, mailbox } = place.value;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(q);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [found, setFound] = useState<readonly Suggestion[]>([]);
  useEffect(() => setTyped(q), [q]);
  const own = suggest(typed, { recent: recent(), saved: preferences.value.savedSearches });
  useEffect(() => {
    setFound([]);
    const word = typed.split(/\s/).at(-1) ?? '';
    if (!open || word.length < 2) return undefined;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      type Answer = { readonly suggestions: readonly { readonly kind: string; readonly text: string }[] };
      api<Answer>(
        'GET',
        '/account/v1/search/suggest',
        { q: word },
        { signal: controller.signal, quiet: true },
      ).then(
        ({ suggestions }) =>
          setFound(
            suggestions
              .slice(0, 6)
              .map(({ kind, text }) => ({ kind: kind === 'contact' ? 'contact' : 'operator', text })),
          ),
        () => undefined,
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [typed, open]);
  const all = [...own, ...found.filter(({ text }) => !own.some((each) => each.text === text))].slice(0, 10);
  const search = (text: string): void => {
    const wanted = text.trim();
    setOpen(false);
    setAt(-1);
    if (wanted === '') return openMailbox(mailbox);
    remember(wanted);
    input.current?.blur();
    return openSearch(wanted, false);
  };
  const choose = (suggestion: Suggestion): void => {
    if (suggestion.kind === 'recent' || suggestion.kind === 'saved') {
      setTyped(suggestion.text);
      search(suggestion.text);
      return;
    }
    const before = typed.replace(/\S*$/, '');
    const word = typed.slice(before.length);
    const operator = /^-?[a-z]+:/i.exec(word)?.[0] ?? '';
    const value = /\s/.test(suggestion.text) ? `"${suggestion.text}"` : suggestion.text;
    const whole =
      suggestion.kind === 'contact' ? `${operator === '' ? 'from:' : operator}${value}` : suggestion.text;
    setTyped(`${before}${whole}${whole.endsWith(':') ? '' : ' '}`);
    setAt(-1);
    input.current?.focus();
  };
  return (
    <form
      class="mail-search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        search(typed);
      }}
    >
      <Icon name="search" />
      <input
        ref={input}
        type="text"
        inputMode="search"
        enterkeyhint="search"
        role="combobox"
        aria-label={t('searchMail')}
        aria-expanded={open && all.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        placeholder={t('searchMail')}
        autoComplete="off"
        spellcheck={false}
        value={typed}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onInput={(event) => {
          setTyped(event.currentTarget.value);
          setOpen(true);
          setAt(-1);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(all.length - 1, at + 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(-1, at - 1));
          else if (event.key === 'Escape') {
            if (open && all.length > 0) setOpen(false);
            else {
              setTyped(q);
              input.current?.blur();
              refocus();
            }
          } else if (event.key === 'Enter' && at >= 0 && all[at] !== undefined) choose(all[at]);
          else return;
          event.preventDefault();
        }}
      />
      {typed !== '' && (
        <button
          type="button"
          class="icon-button"
          aria-label={t('clearSearch')}
          onClick={() => {
            setTyped('');
            if (q !== '') openMailbox(mailbox);
            input.current?.focus();
          }}
        >
          <Icon name="close" />
        </button>
      )}
      <ul
        class="mail-suggestions"
        id={`${id}-list`}
        role="listbox"
        aria-label={t('suggestions')}
        hidden={!open || all.length === 0}
      >
        {all.map((suggestion, i) => (
          <li
            key={`${suggestion.kind}${suggestion.text}`}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            class={i === at ? 'mail-choice at' : 'mail-choice'}
            onPointerDown={(event) => {
              event.preventDefault();
              choose(suggestion);
            }}
          >
            <Icon
              name={
                suggestion.kind === 'recent'
                  ? 'clock'
                  : suggestion.kind === 'contact'
                    ? 'user'
                    : suggestion.kind === 'saved'
                      ? 'star'
                      : 'search'
              }
            />
            <span class="cut" dir="auto">
              {suggestion.text}
            </span>
            <Hint suggestion={suggestion} />
          </li>
        ))}
      </ul>
    </form>
  );
}

const HINTS = {
  from: 'searchFrom',
  to: 'searchTo',
  cc: 'searchCc',
  subject: 'searchSubject',
  body: 'searchBody',
  has: 'searchHas',
  is: 'searchIs',
  in: 'searchIn',
  before: 'searchBefore',
  after: 'searchAfter',
  on: 'searchOn',
  older: 'searchOlder',
  newer: 'searchNewer',
  larger: 'searchLarger',
  smaller: 'searchSmaller',
  label: 'searchLabel',
  filename: 'searchFilename',
  list: 'searchList',
} as const satisfies Record<(typeof OPERATORS)[number], string>;

/** What an operator by itself asks for. */
function Hint({ suggestion: { kind, text } }: { readonly suggestion: Suggestion }) {
  const t = texts('mail');
  const name = kind === 'operator' ? /^-?(\w+):$/.exec(text)?.[1] : undefined;
  if (name === undefined || !(name in HINTS)) return null;
  return <span class="soft small mail-choice-end cut">{t(HINTS[name as keyof typeof HINTS])}</span>;
}
