import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { texts } from '../base/i18n.ts';
import { Icon } from '../base/icon.tsx';
import type { EmailAddress } from '../jmap/types.ts';
import { addressText, distinct, isAddress, parseAddresses } from './addresses.ts';
import { type Contact, findContacts } from './lists.ts';

interface RecipientsProps {
  readonly label: string;
  readonly addresses: readonly EmailAddress[];
  readonly onChange: (addresses: readonly EmailAddress[]) => void;
  readonly problem?: string | undefined;
  readonly autofocus?: boolean;
  readonly class?: string;
  readonly children?: ComponentChildren;
}

/** Milliseconds of rest before suggestions are asked for. */
const REST_MS = 120;

/** Addresses as chips, and an input that suggests those one writes to (ARIA combobox with a list). */
export function RecipientsField({
  label,
  addresses,
  onChange,
  problem,
  autofocus = false,
  class: className = '',
  children,
}: RecipientsProps) {
  const t = texts('compose');
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const chips = useRef<HTMLSpanElement>(null);
  const [text, setText] = useState('');
  const [said, setSaid] = useState('');
  const { found, active, setActive, clear } = useSuggestions(text, addresses);
  useEffect(() => {
    if (autofocus) input.current?.focus();
  }, []);

  const add = (more: readonly EmailAddress[]): void => {
    const next = distinct([...addresses, ...more]);
    if (next.length > addresses.length) {
      onChange(next);
      setSaid(t('added', { address: more.map(({ email }) => email).join(', ') }));
    }
    setText('');
    clear();
  };
  const commit = (value: string): boolean => {
    if (value.trim() === '') return false;
    const { addresses: good, rest } = parseAddresses(value);
    // What is no address is shown as such, to be mended.
    add([...good, ...rest.map((email) => ({ name: null, email }))]);
    return true;
  };
  const remove = (at: number): void => {
    const gone = addresses[at];
    onChange(addresses.filter((_, each) => each !== at));
    if (gone !== undefined) setSaid(t('removed', { address: gone.email }));
    input.current?.focus();
  };
  const edit = (at: number): void => {
    const taken = addresses[at];
    if (taken === undefined) return;
    commit(text);
    onChange(addresses.filter((_, each) => each !== at));
    setText(addressText(taken));
    input.current?.focus();
  };
  const choose = (contact: Contact): void => add([{ name: contact.name, email: contact.address }]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing || event.ctrlKey || event.metaKey) {
      // Sending takes what stands here unfinished.
      if (event.key === 'Enter') commit(text);
      return;
    }
    const contact = found[active];
    if (event.key === 'ArrowDown' && found.length > 0) setActive((active + 1) % found.length);
    else if (event.key === 'ArrowUp' && found.length > 0)
      setActive((active - 1 + found.length) % found.length);
    else if (event.key === 'Escape' && found.length > 0) clear();
    else if ((event.key === 'Enter' || event.key === 'Tab') && contact !== undefined && text !== '')
      choose(contact);
    else if (
      event.key === 'Enter' ||
      ((event.key === ',' || event.key === ';') && !/^\s*"[^"]*$/.test(text))
    ) {
      if (!commit(text) && event.key !== 'Enter') return;
    } else if (event.key === 'Backspace' && text === '' && addresses.length > 0) {
      chips.current?.querySelector<HTMLElement>('.compose-chip:last-of-type button')?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const listId = `${id}-list`;
  return (
    <>
      <div class={`compose-row ${className}`}>
        <label for={id}>{label}</label>
        <span
          class="compose-chips"
          ref={chips}
          onClick={(event) => event.target === event.currentTarget && input.current?.focus()}
        >
          {addresses.map((each, at) => (
            <Chip key={each.email} address={each} onRemove={() => remove(at)} onEdit={() => edit(at)} />
          ))}
          <input
            ref={input}
            id={id}
            type="text"
            inputMode="email"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            dir="auto"
            role="combobox"
            aria-autocomplete="list"
            aria-expanded={found.length > 0}
            aria-controls={listId}
            aria-activedescendant={found.length > 0 && active >= 0 ? `${listId}-${active}` : undefined}
            aria-invalid={problem !== undefined}
            aria-describedby={problem === undefined ? undefined : `${id}-problem`}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={onKeyDown}
            onPaste={(event) => {
              const pasted = event.clipboardData?.getData('text/plain') ?? '';
              // Several at once; one is written on, perhaps.
              if (!/[,;\n]/.test(pasted.trim())) return;
              event.preventDefault();
              commit(`${text}${pasted}`);
            }}
            onBlur={() => {
              // A click on a suggestion takes no focus; anything else ends what was being written.
              commit(text);
              clear();
            }}
          />
        </span>
        {children}
        <ul
          id={listId}
          class="compose-suggestions"
          role="listbox"
          aria-label={t('suggestions')}
          hidden={found.length === 0}
        >
          {found.map((contact, at) => (
            <li
              key={contact.address}
              id={`${listId}-${at}`}
              role="option"
              aria-selected={at === active}
              class={at === active ? 'active' : ''}
              onPointerDown={(event) => {
                event.preventDefault();
                choose(contact);
              }}
            >
              <span dir="auto">{contact.name ?? contact.address}</span>
              {contact.name !== null && contact.name !== '' && (
                <span class="soft small">{contact.address}</span>
              )}
            </li>
          ))}
        </ul>
      </div>
      <span class="sr-only" role="status">
        {said}
      </span>
      {problem !== undefined && (
        <p id={`${id}-problem`} class="compose-field-problem" role="alert">
          {problem}
        </p>
      )}
    </>
  );
}

interface ChipProps {
  readonly address: EmailAddress;
  readonly onRemove: () => void;
  readonly onEdit: () => void;
}

function Chip({ address, onRemove, onEdit }: ChipProps) {
  const t = texts('compose');
  const good = isAddress(address.email);
  const name = address.name ?? '';
  return (
    <span
      class={good ? 'compose-chip' : 'compose-chip bad'}
      title={good ? addressText(address) : t('badAddress', { address: address.email })}
    >
      {!good && <Icon name="warning" />}
      <span class="cut" dir="auto" onDblClick={onEdit}>
        {name === '' ? address.email : name}
      </span>
      <button
        type="button"
        aria-label={t('removeAddress', { address: address.email })}
        onClick={onRemove}
        onKeyDown={(event) => {
          if (event.key === 'Backspace' || event.key === 'Delete') {
            event.preventDefault();
            onRemove();
          } else if (event.key === 'F2') onEdit();
        }}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}

function useSuggestions(text: string, addresses: readonly EmailAddress[]) {
  const [found, setFound] = useState<readonly Contact[]>([]);
  const [active, setActive] = useState(0);
  const clear = (): void => setFound([]);
  useEffect(() => {
    const q = text.trim();
    if (q === '') {
      clear();
      return undefined;
    }
    const controller = new AbortController();
    const timer = setTimeout(() => {
      findContacts(q, controller.signal).then(
        (contacts) => {
          const known = new Set(addresses.map(({ email }) => email.toLowerCase()));
          setFound(contacts.filter(({ address }) => !known.has(address.toLowerCase())));
          setActive(0);
        },
        // Without suggestions one writes the address.
        () => undefined,
      );
    }, REST_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text]);
  return { found, active, setActive, clear };
}
