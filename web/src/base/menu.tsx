import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

export interface MenuItem {
  readonly label: string;
  readonly icon?: IconName;
  readonly run: () => void;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** A line before it. */
  readonly line?: boolean;
  /** Shown as chosen. */
  readonly checked?: boolean;
}

interface MenuProps {
  readonly label: string;
  readonly items: readonly MenuItem[];
  /** What the button shows; an icon of three dots otherwise. */
  readonly children?: ComponentChildren;
  readonly class?: string;
}

/** A button that opens a menu; arrows, Home, End, letters and Escape work as everywhere (ARIA menu button). */
export function Menu({ label, items, children, class: className = 'icon-button' }: MenuProps) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={(event) => {
          event.stopPropagation();
          setOpen(!open);
        }}
      >
        {children ?? <Icon name="more" />}
      </button>
      {open && <MenuList items={items} label={label} anchor={button.current} onClose={close} />}
    </>
  );
}

interface MenuListProps {
  readonly items: readonly MenuItem[];
  readonly label: string;
  /** What it stands below of; or the place of a right click. */
  readonly anchor: Element | { readonly x: number; readonly y: number } | null;
  readonly onClose: () => void;
}

export function MenuList({ items, label, anchor, onClose }: MenuListProps) {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = list.current;
    if (element === null) return undefined;
    place(element, anchor);
    element.querySelector<HTMLElement>('[role^=menuitem]:not(:disabled)')?.focus();
    const away = (event: Event): void => {
      if (event.target instanceof Node && !element.contains(event.target)) onClose();
    };
    addEventListener('pointerdown', away, true);
    addEventListener('resize', onClose);
    return () => {
      removeEventListener('pointerdown', away, true);
      removeEventListener('resize', onClose);
    };
  }, []);
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    const all = [...(list.current?.querySelectorAll<HTMLElement>('[role^=menuitem]:not(:disabled)') ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const go = (to: number): void => {
      event.preventDefault();
      all.at(to % all.length)?.focus();
    };
    if (event.key === 'ArrowDown') go(at + 1);
    else if (event.key === 'ArrowUp') go(at - 1);
    else if (event.key === 'Home') go(0);
    else if (event.key === 'End') go(-1);
    else if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      onClose();
    } else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const after = [...all.slice(at + 1), ...all];
      after.find((each) => each.textContent?.trim().toLowerCase().startsWith(letter))?.focus();
    }
  };
  return (
    <div ref={list} class="menu" role="menu" aria-label={label} onKeyDown={onKeyDown}>
      {items.map((item) => (
        <div key={item.label} role="none">
          {item.line === true && <hr class="menu-line" />}
          <button
            type="button"
            class={item.danger === true ? 'menu-item danger' : 'menu-item'}
            role={item.checked === undefined ? 'menuitem' : 'menuitemradio'}
            aria-checked={item.checked}
            disabled={item.disabled === true}
            tabIndex={-1}
            onClick={(event) => {
              event.stopPropagation();
              onClose();
              item.run();
            }}
          >
            {item.icon !== undefined && <Icon name={item.icon} />}
            <span>{item.label}</span>
            {item.checked === true && <Icon name="check" />}
          </button>
        </div>
      ))}
    </div>
  );
}

/** Below its anchor where there is room, and within the window. */
function place(menu: HTMLElement, anchor: MenuListProps['anchor']): void {
  const box =
    anchor instanceof Element
      ? anchor.getBoundingClientRect()
      : new DOMRect(anchor?.x ?? 0, anchor?.y ?? 0, 0, 0);
  const { width, height } = menu.getBoundingClientRect();
  const rtl = getComputedStyle(document.documentElement).direction === 'rtl';
  const wanted = rtl ? box.right - width : box.left;
  const left = Math.max(8, Math.min(wanted, innerWidth - width - 8));
  const below = box.bottom + 4;
  const top = below + height > innerHeight - 8 ? Math.max(8, box.top - height - 4) : below;
  menu.style.left = `${left}px`;
  menu.style.top = `${top}px`;
}
