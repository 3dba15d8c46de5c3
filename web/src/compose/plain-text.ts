import { trimEndOf } from '../base/trim.ts';

/** Text and HTML made of each other. Works on any tree that looks like the DOM, so that it can be tried without one. */

export interface TreeNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly nodeValue: string | null;
  readonly childNodes: Iterable<TreeNode>;
  getAttribute?(name: string): string | null;
}

const TEXT = 3;
const ELEMENT = 1;
const BLOCKS: ReadonlySet<string> = new Set(
  'ADDRESS ARTICLE ASIDE BLOCKQUOTE CENTER DD DIV DL DT FIELDSET FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P PRE SECTION TABLE TBODY THEAD TFOOT TR UL'.split(
    ' ',
  ),
);
/** Blocks with an empty line around them. */
const SPACED: ReadonlySet<string> = new Set([
  'P',
  'H1',
  'H2',
  'H3',
  'H4',
  'H5',
  'H6',
  'BLOCKQUOTE',
  'UL',
  'OL',
  'PRE',
  'TABLE',
]);
const NOT_SHOWN: ReadonlySet<string> = new Set([
  'SCRIPT',
  'STYLE',
  'HEAD',
  'TITLE',
  'TEMPLATE',
  'META',
  'LINK',
]);
/** Depth of elements looked into. */
const MOST_DEPTH = 200;

interface Line {
  readonly prefix: string;
  text: string;
}

/** Text of a tree as a plain-text reader wants it: quotes with "> ", lists with marks, links with their address. */
export function treeToText(root: TreeNode): string {
  const lines: Line[] = [];
  let line: Line | undefined;
  /** An empty line is due before the next text. */
  let gap = false;

  const end = (): void => {
    if (line !== undefined) line.text = trimEndOf(line.text, ' \t');
    line = undefined;
  };
  const write = (text: string, prefix: string, mark: string | undefined): void => {
    if (line === undefined) {
      const last = lines.at(-1);
      if (gap && last !== undefined && last.text !== '')
        lines.push({ prefix: common(last.prefix, prefix), text: '' });
      gap = false;
      line = { prefix, text: mark ?? '' };
      lines.push(line);
    }
    line.text += text;
  };

  interface Place {
    readonly prefix: string;
    readonly pre: boolean;
    /** Within a list, where nothing is spaced. */
    readonly inItem: boolean;
    /** Takes the mark of a list's item, for its first line. */
    readonly mark: { text: string | undefined };
    readonly depth: number;
  }
  const take = (place: Place): string | undefined => {
    const { text } = place.mark;
    place.mark.text = undefined;
    return text;
  };

  const walkText = (value: string, place: Place): void => {
    if (place.pre) {
      const [first = '', ...more] = value.replace(/\r\n?/g, '\n').split('\n');
      if (first !== '') write(first, place.prefix, take(place));
      for (const each of more) {
        if (line === undefined) write('', place.prefix, take(place));
        end();
        if (each !== '') write(each, place.prefix, take(place));
      }
      return;
    }
    let text = value
      .replace(/[ \t\r\n\f]+/g, ' ')
      .replaceAll('\u200b', '')
      .replaceAll('\u00a0', ' ');
    if (line === undefined || /\s$/.test(line.text.slice(-1))) text = text.replace(/^ /, '');
    if (text !== '') write(text, place.prefix, take(place));
  };

  const walk = (node: TreeNode, place: Place): void => {
    if (node.nodeType === TEXT) return walkText(node.nodeValue ?? '', place);
    if (place.depth > MOST_DEPTH) return;
    const name = node.nodeName.toUpperCase();
    if (NOT_SHOWN.has(name)) return;
    const inner = { ...place, depth: place.depth + 1 };
    if (name === 'BR') {
      if (line === undefined) write('', place.prefix, take(place));
      return end();
    }
    if (name === 'HR') {
      end();
      write('-'.repeat(20), place.prefix, take(place));
      return end();
    }
    if (name === 'IMG') {
      const alt = node.getAttribute?.('alt') ?? '';
      if (alt.trim() !== '') write(`[${alt.trim()}]`, place.prefix, take(place));
      return;
    }
    if (name === 'A') return walkLink(node, inner);
    if (name === 'TD' || name === 'TH') {
      if (line !== undefined && line.text !== '' && !line.text.endsWith('  ')) line.text += '  ';
      return children(node, inner);
    }
    if (!BLOCKS.has(name)) return children(node, { ...inner, pre: place.pre || name === 'TT' });
    block(node, name, inner);
  };

  const block = (node: TreeNode, name: string, place: Place): void => {
    end();
    const spaced = SPACED.has(name) && !place.inItem;
    if (spaced) gap = true;
    if (name === 'BLOCKQUOTE')
      children(node, { ...place, prefix: `${place.prefix}> `, mark: { text: undefined } });
    else if (name === 'UL' || name === 'OL') items(node, name === 'OL', place);
    else children(node, { ...place, pre: place.pre || name === 'PRE' });
    end();
    if (spaced) gap = true;
  };

  const items = (node: TreeNode, numbered: boolean, place: Place): void => {
    let number = Number(node.getAttribute?.('start') ?? 1) || 1;
    for (const child of node.childNodes) {
      if (child.nodeName.toUpperCase() !== 'LI') {
        walk(child, place);
        continue;
      }
      end();
      gap = gap && number === 1;
      const mark = numbered ? `${number}. ` : '- ';
      number++;
      // What follows the item's first line stands below its text.
      const inner = { ...place, mark: { text: mark }, inItem: true };
      const from = lines.length;
      children(child, inner);
      end();
      const head = lines.findIndex((each, index) => index >= from && each.text !== '');
      for (const each of head === -1 ? [] : lines.slice(head + 1))
        each.text = each.text === '' ? '' : ' '.repeat(mark.length) + each.text;
      gap = false;
    }
  };

  const walkLink = (node: TreeNode, place: Place): void => {
    const before = textOf(node, 0).replace(/\s+/g, ' ').trim();
    children(node, place);
    const href = node.getAttribute?.('href') ?? '';
    if (!/^(?:https?|mailto):/i.test(href)) return;
    const plain = href.replace(/^mailto:/i, '').replace(/\/$/, '');
    const shown = before.replace(/\/$/, '');
    if (shown === '' || shown === plain || plain.replace(/^https?:\/\//i, '') === shown) {
      if (before === '') write(`<${href}>`, place.prefix, take(place));
      return;
    }
    write(` <${href}>`, place.prefix, take(place));
  };

  const children = (node: TreeNode, place: Place): void => {
    for (const child of node.childNodes) walk(child, place);
  };

  const whole: Place = { prefix: '', pre: false, inItem: false, mark: { text: undefined }, depth: 0 };
  if (
    root.nodeType === ELEMENT &&
    BLOCKS.has(root.nodeName.toUpperCase()) &&
    root.nodeName.toUpperCase() !== 'DIV'
  )
    walk(root, whole);
  else children(root, whole);
  end();
  const text = lines
    .map(({ prefix, text }) =>
      trimEndOf(prefix + text, ' \t').replace(/^(?:> )+>?$/, (quotes) => quotes.trimEnd()),
    )
    .join('\n')
    // The mark of a signature ends with a space (RFC 3676 section 4.3).
    .replace(/^--$/m, '-- ');
  return trimEndOf(text, '\n');
}

function textOf(node: TreeNode, depth: number): string {
  if (node.nodeType === TEXT) return node.nodeValue ?? '';
  if (depth > MOST_DEPTH) return '';
  let text = '';
  for (const child of node.childNodes) text += textOf(child, depth + 1);
  return text;
}

function common(a: string, b: string): string {
  return a.length < b.length ? a : b;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? '');
}

/** Lines of text as HTML: lines quoted with ">" become quotes, the rest one block a line. */
export function textToHtml(text: string): string {
  let html = '';
  let level = 0;
  for (const raw of text.replace(/\r\n?/g, '\n').split('\n')) {
    const { depth, rest } = unquote(raw);
    while (level < depth) {
      html += '<blockquote type="cite">';
      level++;
    }
    while (level > depth) {
      html += '</blockquote>';
      level--;
    }
    // Spaces that make columns stay.
    const line = escapeHtml(rest).replace(/ {2,}/g, (spaces) => `${'\u00a0'.repeat(spaces.length - 1)} `);
    html += line === '' ? '<div><br></div>' : `<div>${line}</div>`;
  }
  return html + '</blockquote>'.repeat(level);
}

const MOST_QUOTES = 20;

/** How deep a line is quoted, and what it says (RFC 3676 section 4.5). */
export function unquote(line: string): { depth: number; rest: string } {
  let depth = 0;
  let at = 0;
  while (depth < MOST_QUOTES) {
    if (line[at] === '>') at++;
    else if (line[at] === ' ' && line[at + 1] === '>' && depth > 0) at += 2;
    else break;
    depth++;
  }
  return { depth, rest: depth > 0 && line[at] === ' ' ? line.slice(at + 1) : line.slice(at) };
}
