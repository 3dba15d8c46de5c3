import createDOMPurify from 'dompurify';
import { limitNesting } from '../../base/nesting.ts';
import { safeDeclarations, safeStyleSheet } from './css.ts';
import { type Lie, misleading, safeUrl } from './links.ts';

/**
 * HTML of a message made harmless. Three things stand between it and anything: DOMPurify with lists of what may stay; a
 * copy built by hand, element by element, from lists of its own (so that nothing is ever parsed a second time); and the
 * frame it is shown in, where no script runs and nothing is loaded from elsewhere, whatever the first two let through.
 */

export interface SanitizeOptions {
  /** Document that the result is for. */
  readonly document: Document;
  /** Where a picture within the message is ("cid:", RFC 2392), by its id. */
  readonly cid: (id: string) => string | undefined;
  /** Where a picture elsewhere is to be had; undefined: it is not shown. */
  readonly remote: (url: string) => string | undefined;
  /** Words beside a link that means another host than it says. */
  readonly warning: (host: string) => string;
  /** Name of the button that shows quoted text. */
  readonly quoteLabel: string;
}

export interface Sanitized {
  readonly content: DocumentFragment;
  readonly css: string;
  /** Attributes for the body of the document. */
  readonly body: Readonly<Record<string, string>>;
  /** Pictures elsewhere that were asked for. */
  readonly remoteImages: ReadonlySet<string>;
  /** It has colours of its own, made for a light ground. */
  readonly coloured: boolean;
  /** Some of it was left out: there was too much. */
  readonly cut: boolean;
  /** Hosts that links say, and those that they mean. */
  readonly lies: readonly Lie[];
}

/** One transparent dot. */
const NOTHING = 'data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7';
/** Before names of classes and ids. */
export const PREFIX = 'm-';
/** Elements of a message, and how deep they may lie within each other. */
const MOST_ELEMENTS = 60_000;
const MOST_DEPTH = 150;
/** Quotations that are looked at whether they are the last thing: each look goes through what follows. */
const MOST_QUOTES = 20;

const TAGS =
  `a abbr acronym address area article aside b bdi bdo big blockquote body br caption center cite code col
  colgroup dd del dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 head header hr html i img ins kbd
  li main map mark menu nav ol p pre q rp rt ruby s samp section small span strike strong style sub sup table tbody td
  tfoot th thead time tr tt u ul var wbr`
    .split(/\s+/)
    .filter(Boolean);
const SHOWN: ReadonlySet<string> = new Set(TAGS.filter((tag) => !/^(?:html|head|body|style)$/.test(tag)));

/** Attributes that may stay as they are, where their value is one of a kind. */
const KEYWORD = /^[\w -]{1,40}$/;
const NUMBER = /^\d{1,5}(?:\.\d{1,3})?(?:%|px|pt|em)?$/;
const COLOUR = /^#?[a-z0-9]{1,25}$/i;
const ATTRIBUTES: Readonly<Record<string, RegExp>> = {
  align: KEYWORD,
  valign: KEYWORD,
  dir: /^(?:ltr|rtl|auto)$/i,
  lang: /^[a-z0-9-]{1,35}$/i,
  width: NUMBER,
  height: NUMBER,
  border: NUMBER,
  cellpadding: NUMBER,
  cellspacing: NUMBER,
  hspace: NUMBER,
  vspace: NUMBER,
  colspan: /^\d{1,4}$/,
  rowspan: /^\d{1,4}$/,
  span: /^\d{1,4}$/,
  start: /^-?\d{1,9}$/,
  value: /^-?\d{1,9}$/,
  size: /^[+-]?\d{1,3}$/,
  color: COLOUR,
  bgcolor: COLOUR,
  face: /^[\p{L}\p{N} ,'"_-]{1,200}$/u,
  clear: KEYWORD,
  nowrap: /^(?:nowrap)?$/i,
  noshade: /^(?:noshade)?$/i,
  type: /^[1aAiI]$|^(?:disc|circle|square|cite)$/i,
  scope: KEYWORD,
  abbr: /^[^<>]{0,200}$/,
  title: /^[^<>]{0,500}$/,
  alt: /^[\s\S]{0,1000}$/,
  datetime: /^[\w:.+ -]{1,40}$/,
  shape: KEYWORD,
  coords: /^[\d,. ]{1,500}$/,
  rules: KEYWORD,
  frame: KEYWORD,
};
const PURIFIED = [
  ...Object.keys(ATTRIBUTES),
  'href',
  'src',
  'style',
  'class',
  'id',
  'name',
  'background',
  'usemap',
  'bordercolor',
];

/** What mail programs put around what is answered. */
const QUOTES =
  /(?:^|\s)(?:gmail_quote|gmail_quote_container|yahoo_quoted|protonmail_quote|moz-cite-prefix|ms-outlook-mobile-reference-message|zmail_extra|tutanota_quote)(?:\s|$)/;

const purify = createDOMPurify(window);

interface Work extends SanitizeOptions {
  readonly remoteImages: Set<string>;
  css: string;
  coloured: boolean;
  elements: number;
  quotes: number;
  cut: boolean;
  readonly lies: Lie[];
}

/** Make a message's HTML harmless. Linear in its length. */
export function sanitize(html: string, options: SanitizeOptions): Sanitized {
  const limited = limitNesting(html);
  const root = purify.sanitize(limited.html, {
    WHOLE_DOCUMENT: true,
    RETURN_DOM: true,
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: PURIFIED,
    ALLOWED_NAMESPACES: ['http://www.w3.org/1999/xhtml'],
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOW_UNKNOWN_PROTOCOLS: false,
    // It is asked of values that are no URLs too, so what has no scheme passes; the copy below looks at URLs itself.
    ALLOWED_URI_REGEXP:
      /^(?:https?:|mailto:|tel:|cid:|data:image\/(?:png|jpe?g|gif|webp);base64,|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
    SANITIZE_DOM: true,
    KEEP_CONTENT: true,
  });
  const work: Work = {
    ...options,
    remoteImages: new Set(),
    css: '',
    coloured: false,
    elements: 0,
    quotes: 0,
    cut: limited.cut,
    lies: [],
  };
  const content = options.document.createDocumentFragment();
  const body: Record<string, string> = {};
  if (root instanceof HTMLElement) {
    for (const style of root.querySelectorAll('style')) addSheet(style.textContent ?? '', work);
    const from = root.querySelector('body') ?? root;
    for (const [name, value] of attributesOf(from, work)) body[name] = value;
    copyChildren(from, content, work);
  }
  return {
    content,
    css: work.css,
    body,
    remoteImages: work.remoteImages,
    coloured: work.coloured || /(?:^|[;{])(?:background-color|background-image|color):/.test(work.css),
    cut: work.cut,
    lies: work.lies,
  };
}

function addSheet(text: string, work: Work): void {
  work.css += safeStyleSheet(text, PREFIX, (url) => imageUrl(url, work));
}

/** What of `from` may be shown, without recursion: messages may be nested as deep as their authors like. */
function copyChildren(from: Element, into: Node, work: Work): void {
  const stack: { node: Node | null; parent: Node; depth: number }[] = [
    { node: from.firstChild, parent: into, depth: 0 },
  ];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { node, parent, depth } = top;
    if (node === null) {
      stack.pop();
      continue;
    }
    top.node = node.nextSibling;
    if (node.nodeType === Node.TEXT_NODE) {
      parent.appendChild(work.document.createTextNode(node.nodeValue ?? ''));
      continue;
    }
    if (!(node instanceof HTMLElement)) continue;
    if (++work.elements > MOST_ELEMENTS) {
      work.cut = true;
      return;
    }
    const name = node.localName;
    if (!SHOWN.has(name)) {
      // A head among other things; what may be seen of it has been taken.
      if (name !== 'style' && name !== 'head') stack.push({ node: node.firstChild, parent, depth });
      continue;
    }
    const made = copyElement(node, name, work);
    const place = depth > MOST_DEPTH ? parent : parent.appendChild(wrapped(node, made, work));
    stack.push({ node: node.firstChild, parent: depth > MOST_DEPTH ? place : made, depth: depth + 1 });
  }
}

/** A quotation at the end of a message is folded away, by means that need no script. */
function wrapped(from: HTMLElement, made: HTMLElement, work: Work): HTMLElement {
  if (!isQuote(from) || from.parentElement?.closest('blockquote') != null) return made;
  if (++work.quotes > MOST_QUOTES || !isLast(from)) return made;
  const details = work.document.createElement('details');
  const summary = work.document.createElement('summary');
  summary.textContent = '•••';
  summary.title = work.quoteLabel;
  summary.setAttribute('aria-label', work.quoteLabel);
  details.className = 'postern-quote';
  details.append(summary, made);
  return details;
}

function isQuote(element: HTMLElement): boolean {
  if (element.localName === 'blockquote')
    return element.getAttribute('type')?.toLowerCase() === 'cite' || QUOTES.test(element.className);
  return (
    element.localName === 'div' &&
    QUOTES.test(element.className) &&
    !/moz-cite-prefix/.test(element.className)
  );
}

/** Nothing that can be read comes after it, and something comes before. */
function isLast(element: HTMLElement): boolean {
  const text = (node: Node | null): boolean => (node?.textContent ?? '').trim().length > 0;
  for (let at: Element | null = element; at !== null && at.localName !== 'body'; at = at.parentElement) {
    for (let after = at.nextSibling; after !== null; after = after.nextSibling) if (text(after)) return false;
  }
  for (let at: Element | null = element; at !== null && at.localName !== 'body'; at = at.parentElement) {
    for (let before = at.previousSibling; before !== null; before = before.previousSibling)
      if (text(before)) return true;
  }
  return false;
}

function copyElement(from: HTMLElement, name: string, work: Work): HTMLElement {
  const made = work.document.createElement(name);
  for (const [attribute, value] of attributesOf(from, work)) made.setAttribute(attribute, value);
  if (name === 'a' || name === 'area') copyLink(from, made, work);
  if (name === 'img') copyImage(from, made, work);
  return made;
}

function attributesOf(from: Element, work: Work): [string, string][] {
  const kept: [string, string][] = [];
  for (const { name, value } of from.attributes) {
    const rule = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    if (rule?.test(value) === true) {
      kept.push([name, value]);
      if (name === 'bgcolor' || name === 'color') work.coloured = true;
    } else if (name === 'id' || name === 'name') {
      if (/^[\w.:-]{1,100}$/.test(value)) kept.push(['id', PREFIX + value]);
    } else if (name === 'class') {
      const classes = value.split(/\s+/).filter((each) => /^[\w-]{1,100}$/.test(each));
      if (classes.length > 0) kept.push(['class', classes.map((each) => PREFIX + each).join(' ')]);
    } else if (name === 'usemap' && /^#[\w.:-]{1,100}$/.test(value)) {
      kept.push(['usemap', `#${PREFIX}${value.slice(1)}`]);
    }
  }
  const style = styleOf(from, work);
  if (style !== '') kept.push(['style', style]);
  return kept;
}

/** The style attribute and the old attribute for a picture behind. */
function styleOf(from: Element, work: Work): string {
  const image = (url: string): string | undefined => imageUrl(url, work);
  let style = '';
  if (from instanceof HTMLElement && from.hasAttribute('style')) {
    style = safeDeclarations(from.style, image);
    if (/(?:^|;)(?:background-color|background-image|color):/.test(style)) work.coloured = true;
  }
  const behind = from.getAttribute('background');
  if (behind !== null) {
    const url = image(behind);
    if (url !== undefined && !/["\\\n\r]/.test(url)) style += `background-image:url("${url}");`;
  }
  return style;
}

function imageUrl(text: string, work: Work): string | undefined {
  const url = text.trim();
  if (/^cid:/i.test(url)) return work.cid(decodeCid(url.slice(4)));
  if (/^data:image\/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*$/i.test(url)) return url;
  // Whatever leads elsewhere without saying how: as pages have it.
  const parsed = safeUrl(url.startsWith('//') ? `https:${url}` : url);
  if (parsed === undefined || !parsed.protocol.startsWith('http')) return undefined;
  work.remoteImages.add(parsed.href);
  return work.remote(parsed.href);
}

function decodeCid(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function copyImage(from: HTMLElement, made: HTMLElement, work: Work): void {
  const url = imageUrl(from.getAttribute('src') ?? '', work);
  if (!made.hasAttribute('alt')) made.setAttribute('alt', '');
  if (url === undefined) {
    made.classList.add('postern-blocked');
    // Something that has the size the picture would have.
    made.setAttribute('src', NOTHING);
    if (!made.hasAttribute('title')) made.setAttribute('title', made.getAttribute('alt') ?? '');
    return;
  }
  made.setAttribute('src', url);
  made.setAttribute('loading', 'lazy');
  made.setAttribute('decoding', 'async');
}

function copyLink(from: HTMLElement, made: HTMLElement, work: Work): void {
  const href = from.getAttribute('href');
  if (href === null) return;
  if (/^#[\w.:-]{1,100}$/.test(href)) {
    made.setAttribute('href', `#${PREFIX}${href.slice(1)}`);
    return;
  }
  const url = safeUrl(href);
  if (url === undefined) return;
  made.setAttribute('href', url.href);
  made.setAttribute('target', '_blank');
  made.setAttribute('rel', 'noopener noreferrer');
  const lie = misleading(from.textContent ?? '', url);
  if (!made.hasAttribute('title') || lie !== undefined) made.setAttribute('title', url.href.slice(0, 500));
  if (lie === undefined) return;
  work.lies.push(lie);
  made.dataset['posternWarning'] = work.warning(lie.means);
}
