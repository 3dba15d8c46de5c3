import { useEffect, useRef, useState } from 'preact/hooks';
import { confirm } from '../../base/dialog.tsx';
import { texts } from '../../base/i18n.ts';
import { onKey } from '../../base/keyboard.ts';
import { dark } from '../../base/theme.ts';
import { openComposer } from '../compose.ts';
import { FRAME_CSS } from './frame-css.ts';
import { type Lie, misleading, safeUrl } from './links.ts';
import { type Sanitized, sanitize } from './sanitize.ts';

/** Documents of messages, for printing. */
export const frames = new Map<string, HTMLIFrameElement>();

interface FrameProps {
  readonly emailId: string;
  readonly html: string;
  readonly title: string;
  readonly cid: (id: string) => string | undefined;
  /** Remote images are shown. */
  readonly remote: boolean;
  /** Told what there is to say about it. */
  readonly onFound: (found: Found) => void;
}

export interface Found {
  /** Remote images. */
  readonly remote: number;
  /** Something was left out. */
  readonly cut: boolean;
  readonly lies: readonly Lie[];
}

/** The empty document of messages. */
const FRAME = '/frame/message';
/** Pixels that a message is high at most before it scrolls by itself: browsers draw no taller ones well. */
const MOST_HEIGHT = 30_000;
/** How small a message that is too wide may be drawn. */
const SMALLEST = 0.45;

/** HTML of a message in a document of its own, where nothing runs and nothing is loaded but what we hand it. */
export function MessageFrame({ emailId, html, title, cid, remote, onFound }: FrameProps) {
  const t = texts('mail');
  const frame = useRef<HTMLIFrameElement>(null);
  const [loaded, setLoaded] = useState(0);
  const isDark = dark.value;
  useEffect(() => {
    const element = frame.current;
    const inner = element?.contentDocument;
    if (element === null || inner == null || loaded === 0 || inner.body === null) return undefined;
    // Never any other document than the one whose policy lets nothing run: not the empty one that comes before it.
    if (inner.URL !== new URL(FRAME, location.href).href) return undefined;
    const found = sanitize(html, {
      document: inner,
      cid,
      remote: (url) => (remote ? `/account/v1/image?url=${encodeURIComponent(url)}` : undefined),
      warning: (host) => t('linkGoesTo', { host }),
      quoteLabel: t('showQuote'),
    });
    fill(inner, found, isDark);
    onFound({ remote: found.remoteImages.size, cut: found.cut, lies: found.lies });
    frames.set(emailId, element);
    const stop = fit(element, inner);
    return () => {
      stop();
      frames.delete(emailId);
    };
  }, [loaded, html, remote, isDark, cid]);
  return (
    <iframe
      ref={frame}
      class="mail-frame"
      title={title}
      // Modals for printing alone: without allow-scripts nothing in there can open one.
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-modals"
      src={FRAME}
      onLoad={() => setLoaded((n) => n + 1)}
    />
  );
}

/** Put a message into its document. What it brought is below our own rules, which are marked important where they must hold. */
function fill(inner: Document, found: Sanitized, isDark: boolean): void {
  const night = isDark && !found.coloured;
  // What has colours of its own is shown on paper, within a page that is dark: with an edge.
  inner.documentElement.className = night ? 'night' : isDark ? 'day paper' : 'day';
  inner.head.querySelectorAll('style').forEach((old) => old.remove());
  for (const css of [FRAME_CSS, found.css]) {
    const style = inner.createElement('style');
    style.textContent = css;
    inner.head.append(style);
  }
  for (const name of inner.body.getAttributeNames()) inner.body.removeAttribute(name);
  for (const [name, value] of Object.entries(found.body)) inner.body.setAttribute(name, value);
  inner.body.replaceChildren(found.content);
  // Behind it: browsers look anew for the direction with each element that comes.
  if (!inner.body.hasAttribute('dir')) inner.body.setAttribute('dir', 'auto');
  markLong(inner);
}

/** A word that no column has room for. */
const LONG_WORD = /\S{40}/;

/** Columns of a table are as wide as their words, unless one of those is endless: it is broken anywhere. */
function markLong(inner: Document): void {
  const texts = inner.createTreeWalker(inner.body, NodeFilter.SHOW_TEXT);
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode())
    if (LONG_WORD.test(node.nodeValue ?? ''))
      node.parentElement?.closest('td,th')?.classList.add('postern-long');
}

/** Keep the frame as high as its message; what is too wide is drawn smaller. */
function fit(element: HTMLIFrameElement, inner: Document): () => void {
  let before = '';
  const measure = (): void => {
    const { body, documentElement } = inner;
    if (body === null) return;
    const width = element.clientWidth;
    documentElement.style.zoom = '1';
    const wide = Math.max(body.scrollWidth, documentElement.scrollWidth);
    const zoom = wide > width + 1 ? Math.max(SMALLEST, width / wide) : 1;
    documentElement.style.zoom = String(zoom);
    const box = body.getBoundingClientRect();
    const height = Math.min(MOST_HEIGHT, Math.ceil(Math.max(box.height, body.scrollHeight * zoom)) + 2);
    const now = `${width} ${zoom} ${height}`;
    if (now === before) return;
    before = now;
    element.style.height = `${height}px`;
    // What cannot be drawn small enough is scrolled sideways.
    documentElement.style.overflowX = wide * zoom > width + 1 ? 'auto' : 'hidden';
  };
  const onLoad = (): void => measure();
  const onClick = (event: MouseEvent): void => {
    // It is of the frame's own kinds of objects: no `instanceof` of ours knows it.
    const link = (event.target as Element | null)?.closest?.<HTMLAnchorElement>('a[href]');
    const href = link?.getAttribute('href') ?? '';
    if (/^mailto:/i.test(href)) {
      event.preventDefault();
      openComposer({ kind: 'mailto', url: href });
      return;
    }
    const url = safeUrl(href);
    const lie = url && misleading(link?.textContent ?? '', url);
    if (url === undefined || lie === undefined) return;
    // What stands beside the link may be hidden by what is around it: this is not.
    event.preventDefault();
    void openLie(lie, url);
  };
  const clicked = (event: Event): void => {
    onClick(event as MouseEvent);
    // Menus of the page close when something else is clicked.
    document.body.dispatchEvent(new PointerEvent('pointerdown', { bubbles: true }));
  };
  const sizes = new ResizeObserver(measure);
  sizes.observe(element);
  if (inner.body) sizes.observe(inner.body);
  inner.addEventListener('load', onLoad, true);
  inner.addEventListener('toggle', onLoad, true);
  inner.addEventListener('click', clicked);
  // The middle button.
  inner.addEventListener('auxclick', clicked);
  inner.addEventListener('keydown', onKey);
  measure();
  return () => {
    sizes.disconnect();
    inner.removeEventListener('load', onLoad, true);
    inner.removeEventListener('toggle', onLoad, true);
    inner.removeEventListener('click', clicked);
    inner.removeEventListener('auxclick', clicked);
    inner.removeEventListener('keydown', onKey);
  };
}

async function openLie({ says, means }: Lie, url: URL): Promise<void> {
  const t = texts('mail');
  const yes = await confirm({
    title: t('linkLiesTitle'),
    sentence: t('linkLies', { says, means }),
    yes: t('linkOpen', { host: means }),
    danger: true,
  });
  if (yes) open(url.href, '_blank', 'noopener,noreferrer');
}
