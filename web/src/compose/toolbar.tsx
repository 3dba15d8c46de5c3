import { useRef, useState } from 'preact/hooks';
import { Dialog } from '../base/dialog.tsx';
import { Field } from '../base/field.tsx';
import { texts } from '../base/i18n.ts';
import { Icon, type IconName } from '../base/icon.tsx';
import { Menu } from '../base/menu.tsx';
import type { Format, RichEditor } from './editor.ts';

interface ToolbarProps {
  readonly editor: RichEditor;
  readonly formats: ReadonlySet<Format>;
  readonly onPlain: () => void;
}

/** Colours that are read well on white, which is what most who get the message see it on. */
const COLOURS = {
  colourRed: '#b3261e',
  colourGreen: '#246b3a',
  colourBlue: '#1d5f96',
  colourGrey: '#5b574f',
} as const;

/** Formatting: one stop for Tab, arrows within (ARIA toolbar). */
export function Toolbar({ editor, formats, onPlain }: ToolbarProps) {
  const t = texts('compose');
  const bar = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const [linking, setLinking] = useState(false);
  const tools: readonly (readonly [Exclude<Format, 'link'>, IconName, string])[] = [
    ['bold', 'bold', t('bold')],
    ['italic', 'italic', t('italic')],
    ['underline', 'underline', t('underline')],
    ['bullets', 'list', t('bullets')],
    ['numbers', 'list-numbers', t('numbers')],
    ['quote', 'quote', t('quote')],
  ];
  const buttons = (): HTMLElement[] => [...(bar.current?.querySelectorAll<HTMLElement>('button') ?? [])];
  const onKeyDown = (event: KeyboardEvent): void => {
    const all = buttons();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const forward =
      getComputedStyle(document.documentElement).direction === 'rtl' ? 'ArrowLeft' : 'ArrowRight';
    const backward = forward === 'ArrowRight' ? 'ArrowLeft' : 'ArrowRight';
    const to =
      event.key === forward
        ? (at + 1) % all.length
        : event.key === backward
          ? (at - 1 + all.length) % all.length
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? all.length - 1
              : undefined;
    if (at === -1 || to === undefined) return;
    event.preventDefault();
    setCurrent(to);
    all[to]?.focus();
  };
  const link = (): void => {
    if (formats.has('link')) editor.link(undefined);
    else setLinking(true);
  };
  return (
    <div ref={bar} class="compose-tools" role="toolbar" aria-label={t('formatting')} onKeyDown={onKeyDown}>
      {tools.map(([format, icon, label], at) => (
        <button
          key={format}
          type="button"
          class="icon-button"
          aria-label={label}
          title={label}
          aria-pressed={formats.has(format)}
          tabIndex={at === current ? 0 : -1}
          // The selection stays where it is.
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => editor.toggle(format)}
        >
          <Icon name={icon} />
        </button>
      ))}
      <button
        type="button"
        class="icon-button"
        aria-label={formats.has('link') ? t('unlink') : t('link')}
        title={formats.has('link') ? t('unlink') : t('link')}
        aria-pressed={formats.has('link')}
        tabIndex={current === tools.length ? 0 : -1}
        onPointerDown={(event) => event.preventDefault()}
        onClick={link}
      >
        <Icon name="link" />
      </button>
      <Menu
        label={t('moreFormatting')}
        items={[
          { label: t('colourUsual'), run: () => editor.colour(undefined) },
          ...(Object.keys(COLOURS) as (keyof typeof COLOURS)[]).map((name) => ({
            label: t(name),
            run: () => editor.colour(COLOURS[name]),
          })),
          { label: t('clearFormatting'), line: true, run: () => editor.clear() },
          { label: t('toPlain'), run: onPlain },
        ]}
      />
      {linking && <LinkDialog editor={editor} onClose={() => setLinking(false)} />}
    </div>
  );
}

function LinkDialog({ editor, onClose }: { readonly editor: RichEditor; readonly onClose: () => void }) {
  const t = texts('compose');
  const [url, setUrl] = useState('');
  const [problem, setProblem] = useState<string | undefined>(undefined);
  const submit = (): void => {
    const found = linkOf(url);
    if (found === undefined) return setProblem(t('badLink'));
    onClose();
    // The dialog gives the focus back first.
    setTimeout(() => {
      editor.focus();
      editor.link(found);
    }, 0);
  };
  return (
    <Dialog title={t('link')} onClose={onClose}>
      <form
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field label={t('linkAddress')} problem={problem}>
          {(attributes) => (
            <input
              {...attributes}
              type="url"
              autofocus
              placeholder="https://"
              value={url}
              onInput={(event) => setUrl(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>
            {texts('base')('cancel')}
          </button>
          <button type="submit" class="button primary">
            {t('link')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** What may be linked to; "example.org" means the web. */
export function linkOf(text: string): string | undefined {
  const clean = text.trim();
  const url = /^[a-z][a-z\d+.-]*:/i.test(clean)
    ? clean
    : clean.includes('@')
      ? `mailto:${clean}`
      : `https://${clean}`;
  if (!/^(?:https?|mailto|tel):/i.test(url) || !URL.canParse(url)) return undefined;
  return /^https?:/i.test(url) && !/[.:]/.test(new URL(url).host) ? undefined : url;
}
