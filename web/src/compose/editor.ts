import Squire from 'squire-rte';
import { isRightToLeft } from './direction.ts';
import { treeToText } from './plain-text.ts';
import { cleanFragment, NOTHING } from './sanitize.ts';

/** The editor of formatted text: squire with our sanitiser, images by Content-ID and signatures. */

export type Format = 'bold' | 'italic' | 'underline' | 'bullets' | 'numbers' | 'quote' | 'link';

export interface EditorEvents {
  readonly onChange: () => void;
  /** What is in force where the cursor stands. */
  readonly onFormats: (formats: ReadonlySet<Format>) => void;
  /** Images were pasted or dropped, or stood in what was pasted. */
  readonly onImages: (files: readonly File[]) => void;
}

export interface Content {
  readonly html: string;
  readonly text: string;
}

export interface RichEditor {
  setHtml(html: string): void;
  /** What was written, for a message: images by cid:, nothing of ours left. */
  content(): Content;
  /** Content-IDs that the text shows. */
  cids(): Set<string>;
  /** Where the pictures of the text are shown from. */
  showImages(urls: ReadonlyMap<string, string>): void;
  insertImage(url: string, cid: string, name: string): void;
  setSignature(html: string): void;
  toggle(format: Exclude<Format, 'link'>): void;
  link(url: string | undefined): void;
  colour(colour: string | undefined): void;
  clear(): void;
  undo(): void;
  redo(): void;
  selectedText(): string;
  focus(atStart?: boolean): void;
  destroy(): void;
}

export function createEditor(root: HTMLElement, events: EditorEvents): RichEditor {
  const urls = new Map<string, string>();
  // What was switched off before Enter stays off: the editor takes up again what stands before the cursor. It splits a
  // block with the key or with what the browser makes of it, while the event goes down.
  let inForce: ReadonlySet<Format> | undefined;
  const noteFormats = (event: KeyboardEvent | InputEvent): void => {
    const splits =
      event instanceof InputEvent ? event.inputType === 'insertParagraph' : event.key === 'Enter';
    inForce = splits ? formats() : undefined;
  };
  const endFormats = (): void => {
    if (inForce !== undefined) endOthers(inForce);
    inForce = undefined;
  };
  for (const kind of ['keydown', 'beforeinput'] as const) {
    root.addEventListener(kind, noteFormats, { capture: true });
    root.addEventListener(kind, endFormats);
  }
  const squire = new Squire(root, {
    blockTag: 'DIV',
    addLinks: true,
    sanitizeToDOMFragment: (html: string) => withImages(cleanFragment(html)),
    tagAttributes: { blockquote: { type: 'cite' } },
  });
  // The page's own shortcuts are told elsewhere; Escape and the sending key are the window's.
  squire.addEventListener('input', () => {
    takeDataImages();
    events.onChange();
  });
  const look = (): void => events.onFormats(formats());
  squire.addEventListener('pathChange', look);
  squire.addEventListener('select', look);
  squire.addEventListener('cursor', look);
  squire.addEventListener('pasteImage', (event: Event) => {
    const { clipboardData } = (event as CustomEvent<{ clipboardData: DataTransfer }>).detail;
    const files = [...clipboardData.files].filter(({ type }) => type.startsWith('image/'));
    if (files.length > 0) {
      event.preventDefault();
      events.onImages(files);
    }
  });

  /** Of what is in force at the cursor, end what was not. */
  function endOthers(before: ReadonlySet<Format>): void {
    if (!squire.getSelection().collapsed) return;
    const now = formats();
    for (const format of ['bold', 'italic', 'underline'] as const)
      if (now.has(format) && !before.has(format)) commands[format][1]();
  }

  function withImages(fragment: DocumentFragment): DocumentFragment {
    for (const image of fragment.querySelectorAll<HTMLImageElement>('img[data-cid]')) {
      const url = urls.get(image.dataset['cid'] ?? '');
      if (url !== undefined) image.src = url;
    }
    return fragment;
  }

  /** Images that came as data: URLs become files of their own. */
  function takeDataImages(): void {
    const found = [
      ...root.querySelectorAll<HTMLImageElement>('img[src^="data:"]:not([data-cid]):not([data-src])'),
    ];
    for (const image of found) {
      const file = fileOf(image.src, image.alt);
      image.remove();
      if (file !== undefined) events.onImages([file]);
    }
  }

  function formats(): ReadonlySet<Format> {
    const tags: readonly (readonly [Format, string])[] = [
      ['bold', 'B'],
      ['italic', 'I'],
      ['underline', 'U'],
      ['bullets', 'UL'],
      ['numbers', 'OL'],
      ['quote', 'BLOCKQUOTE'],
      ['link', 'A'],
    ];
    return new Set(tags.filter(([, tag]) => squire.hasFormat(tag)).map(([format]) => format));
  }

  const commands: Readonly<
    Record<Exclude<Format, 'link'>, readonly [set: () => unknown, unset: () => unknown]>
  > = {
    bold: [() => squire.bold(), () => squire.removeBold()],
    italic: [() => squire.italic(), () => squire.removeItalic()],
    underline: [() => squire.underline(), () => squire.removeUnderline()],
    bullets: [() => squire.makeUnorderedList(), () => squire.removeList()],
    numbers: [() => squire.makeOrderedList(), () => squire.removeList()],
    quote: [() => squire.increaseQuoteLevel(), () => squire.decreaseQuoteLevel()],
  };

  return {
    setHtml(html) {
      squire.setHTML(html === '' ? '<div><br></div>' : html);
      squire.moveCursorToStart();
    },
    content() {
      const { body } = new DOMParser().parseFromString(squire.getHTML(), 'text/html');
      const text = treeToText(body);
      for (const image of body.querySelectorAll<HTMLImageElement>('img')) {
        const { cid, src } = image.dataset;
        if (cid !== undefined) image.setAttribute('src', `cid:${encodeURI(cid)}`);
        else if (src !== undefined) image.setAttribute('src', src);
        image.removeAttribute('data-cid');
        image.removeAttribute('data-src');
      }
      // What others see it in does not know how it was shown here.
      for (const each of body.querySelectorAll(':scope > :not(blockquote)')) {
        if (isRightToLeft(each.textContent)) each.setAttribute('dir', 'rtl');
        else if (each.getAttribute('dir') === 'rtl') each.removeAttribute('dir');
      }
      for (const each of body.querySelectorAll('[data-signature]')) each.removeAttribute('data-signature');
      for (const quote of body.querySelectorAll<HTMLElement>('blockquote:not([style])'))
        quote.setAttribute('style', 'margin: 0 0 0 6px; border-left: 2px solid #ccc; padding-left: 10px');
      return { html: body.innerHTML, text };
    },
    cids() {
      const images = root.querySelectorAll<HTMLImageElement>('img[data-cid]');
      return new Set([...images].map((image) => image.dataset['cid'] ?? ''));
    },
    showImages(known) {
      for (const [cid, url] of known) urls.set(cid, url);
      for (const image of root.querySelectorAll<HTMLImageElement>('img[data-cid]')) {
        const url = urls.get(image.dataset['cid'] ?? '');
        if (url !== undefined && image.getAttribute('src') === NOTHING) image.src = url;
      }
    },
    insertImage(url, cid, name) {
      urls.set(cid, url);
      squire.insertImage(url, { 'data-cid': cid, alt: name, style: 'max-width: 100%' });
    },
    setSignature(html) {
      const old = root.querySelector('[data-signature]');
      const [made] = cleanFragment(html).childNodes;
      if (old !== null) {
        if (made === undefined) old.remove();
        else old.replaceWith(made);
      } else if (made !== undefined) {
        const quote = root.querySelector(':scope > blockquote');
        const before = quote?.previousElementSibling ?? null;
        root.insertBefore(made, before);
      }
    },
    toggle(format) {
      const [set, unset] = commands[format];
      const before = formats();
      if (before.has(format)) unset();
      else set();
      squire.focus();
      endOthers(before.has(format) ? before : new Set([...before, format]));
      look();
    },
    link(url) {
      if (url === undefined) squire.removeLink();
      else squire.makeLink(url);
      squire.focus();
    },
    colour(colour) {
      squire.setTextColor(colour ?? null);
      squire.focus();
    },
    clear() {
      squire.removeAllFormatting();
      squire.focus();
    },
    undo: () => void squire.undo().focus(),
    redo: () => void squire.redo().focus(),
    selectedText: () => squire.getSelectedText(),
    focus(atStart = false) {
      if (atStart) squire.moveCursorToStart();
      squire.focus();
    },
    destroy: () => squire.destroy(),
  };
}

/** Octets of a data: URL that may be taken; more is no picture of a text. */
const MOST_DATA = 30_000_000;

function fileOf(url: string, name: string): File | undefined {
  const [, type, data] =
    /^data:(image\/(?:png|jpeg|gif|webp));base64,([\w+/=\s]+)$/.exec(url.slice(0, MOST_DATA)) ?? [];
  if (type === undefined || data === undefined) return undefined;
  try {
    const octets = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    return new File([octets], name === '' ? `image.${type.slice(6).replace('jpeg', 'jpg')}` : name, { type });
  } catch {
    return undefined;
  }
}
