/**
 * HTML as a reader of mail meets it: the text that is seen, the text that is not, and what else stands in it. Works on the
 * tokens, without a tree; the stack of open elements is bounded, so the work is linear whatever the nesting.
 */
import { Tokenizer } from 'htmlparser2';
import { hiddenClasses, type HiddenReason, isAlike, parseColour, parseStyle } from './css.ts';
import { BLOCK_TAGS, CELL_TAGS, IMPLIED_END, KNOWN_TAGS, SILENT_TAGS, VOID_TAGS } from './html-names.ts';
import { HtmlCounts } from './html-counts.ts';
import { factLimits } from './limits.ts';
import type { UrlCollector } from './urls.ts';

/** Open elements that are followed. */
const MAX_DEPTH = 255;
/** Open elements that an end tag is compared with. */
const MAX_LOOK_BACK = 40;
const MAX_ATTRIBUTES = 60;
const MAX_ATTRIBUTE = 2048;
const MAX_SHEET = 16 * 1024;

interface Element {
  readonly name: string;
  /** Why nothing in it is seen; 'silent' for scripts and the like. Holds for all that is inside. */
  readonly blocked: 'display' | 'offscreen' | 'silent' | undefined;
  readonly tiny: boolean;
  /** Why its own text is not seen: what is inside may have other colours and sizes. */
  readonly hidden: HiddenReason | 'silent' | undefined;
  readonly colour: number;
  readonly background: number | 'unknown';
}

const LINK_COLOUR = 0x0000ee;
const TOP: Element = {
  name: '',
  blocked: undefined,
  tiny: false,
  hidden: undefined,
  colour: 0x000000,
  background: 0xffffff,
};

interface OpenLink {
  readonly href: string;
  /** Where its text begins in what is seen. */
  readonly from: number;
  hasImage: boolean;
}

/** Reads one or more HTML parts of a message into one set of counts. */
export class HtmlReader {
  readonly counts = new HtmlCounts();
  readonly #urls: UrlCollector;
  #text = '';
  #stack: Element[] = [];
  #top: Element = TOP;
  #beyond = 0;
  #classes = new Map<string, 'display' | 'offscreen'>();
  #sheet = '';
  /** A style sheet sets backgrounds: what stands behind an element with a class cannot be told. */
  #sheetPaints = false;
  #link: OpenLink | undefined;
  #tag = '';
  #attributes = new Map<string, string>();
  #attribute = '';
  #value = '';
  /** The last thing before the next text was something unseen in the middle of a word. */
  #split = false;
  #inTag = false;

  constructor(urls: UrlCollector) {
    this.#urls = urls;
  }

  /** Reads one part; what is seen of it. */
  read(html: string): string {
    const source = html.slice(0, factLimits.textChars * 2);
    this.#text = '';
    this.#stack = [];
    this.#top = TOP;
    this.#beyond = 0;
    this.#link = undefined;
    this.#inTag = false;
    const tokenizer = new Tokenizer({ decodeEntities: true }, this.#callbacks(source));
    tokenizer.write(source);
    this.counts.unterminated ||= this.#inTag;
    tokenizer.end();
    this.#closeLink();
    return tidy(this.#text);
  }

  #callbacks(source: string): ConstructorParameters<typeof Tokenizer>[1] {
    return {
      ontext: (start, end) => this.#onText(source.slice(start, end)),
      ontextentity: (code) => this.#onEntity(code),
      onopentagname: (start, end) => {
        this.#tag = source.slice(start, Math.min(end, start + 40)).toLowerCase();
        this.#attributes.clear();
        this.#inTag = true;
      },
      onattribname: (start, end) => {
        this.#attribute = source.slice(start, Math.min(end, start + 60)).toLowerCase();
        this.#value = '';
      },
      onattribdata: (start, end) => this.#addValue(source.slice(start, Math.min(end, start + MAX_ATTRIBUTE))),
      onattribentity: (code) => this.#addValue(String.fromCodePoint(code)),
      onattribend: () => {
        const { size } = this.#attributes;
        if (size < MAX_ATTRIBUTES && !this.#attributes.has(this.#attribute))
          this.#attributes.set(this.#attribute, this.#value);
      },
      onopentagend: () => this.#onOpen(false),
      onselfclosingtag: () => this.#onOpen(true),
      onclosetag: (start, end) =>
        this.#onClose(
          source
            .slice(start, Math.min(end, start + 40))
            .trim()
            .toLowerCase(),
        ),
      oncomment: (start, end) => this.#onComment(source, start, end),
      oncdata: () => undefined,
      ondeclaration: () => undefined,
      onprocessinginstruction: () => undefined,
      onend: () => undefined,
    };
  }

  #addValue(piece: string): void {
    if (this.#value.length < MAX_ATTRIBUTE) this.#value += piece;
  }

  #onEntity(code: number): void {
    const lower = code | 32;
    if ((lower >= 97 && lower <= 122) || (code >= 48 && code <= 57)) this.counts.needlessEntities++;
    this.#onText(String.fromCodePoint(code));
  }

  #onText(raw: string): void {
    const { hidden } = this.#top;
    if (hidden === undefined) {
      if (this.#split) this.#endSplit(raw);
      if (this.#text.length < factLimits.textChars * 2) this.#text += raw;
      return;
    }
    if (hidden === 'silent') {
      if (this.#top.name === 'style' && this.#sheet.length < MAX_SHEET)
        this.#sheet += raw.slice(0, MAX_SHEET);
      else if (this.#top.name === 'title') this.counts.addTitle(raw);
      else if (this.#top.name === 'script') this.counts.addScript(raw);
      return;
    }
    this.#split = true;
    this.counts.addHidden(raw, hidden);
  }

  #endSplit(next: string): void {
    this.#split = false;
    const before = this.#text.charCodeAt(this.#text.length - 1);
    if (isLetter(before) && isLetter(next.charCodeAt(0))) this.counts.splitWords++;
  }

  #onComment(source: string, start: number, end: number): void {
    this.counts.comments++;
    this.counts.commentChars += Math.max(0, end - start);
    // "<!--[if mso]>" and its kin are everyday.
    if (source.charCodeAt(start) !== 91 && this.#top.hidden === undefined) this.#split = true;
  }

  #onOpen(selfClosing: boolean): void {
    this.#inTag = false;
    const name = this.#tag;
    const attributes = this.#attributes;
    this.counts.addTag(name, attributes);
    if (!KNOWN_TAGS.has(name) && !name.includes(':')) {
      this.counts.unknownTags++;
      if (this.#top.hidden === undefined) this.#split = true;
    }
    if (BLOCK_TAGS.has(name)) this.#break('\n');
    else if (CELL_TAGS.has(name)) this.#break(' ');
    this.#collect(name, attributes);
    if (VOID_TAGS.has(name) || selfClosing) return;
    if (IMPLIED_END.has(name) && this.#top.name === name) this.#pop();
    this.#push(this.#elementOf(name, attributes));
  }

  #break(by: string): void {
    this.#split = false;
    if (this.#top.hidden === undefined && this.#text.length < factLimits.textChars * 2) this.#text += by;
  }

  #push(element: Element): void {
    if (this.#stack.length >= MAX_DEPTH) {
      this.#beyond++;
      return;
    }
    this.#stack.push(this.#top);
    this.#top = element;
    if (this.#stack.length > this.counts.depth) this.counts.depth = this.#stack.length;
  }

  #pop(): void {
    this.#top = this.#stack.pop() ?? TOP;
  }

  #onClose(name: string): void {
    if (name === 'a') this.#closeLink();
    if (name === 'style') this.#endSheet();
    if (BLOCK_TAGS.has(name)) this.#break('\n');
    if (VOID_TAGS.has(name)) return;
    if (this.#beyond > 0) {
      this.#beyond--;
      return;
    }
    if (this.#top.name === name) {
      this.#pop();
      return;
    }
    const floor = Math.max(0, this.#stack.length - MAX_LOOK_BACK);
    for (let i = this.#stack.length - 1; i > floor; i--) {
      if (this.#stack[i]?.name !== name) continue;
      this.#top = this.#stack[i - 1] ?? TOP;
      this.#stack.length = i - 1;
      return;
    }
  }

  #endSheet(): void {
    hiddenClasses(this.#sheet, this.#classes);
    this.#sheetPaints ||= this.#sheet.includes('background');
    this.#sheet = '';
  }

  #elementOf(name: string, attributes: ReadonlyMap<string, string>): Element {
    const above = this.#top;
    // "<body>" shows text even when "</head>" was forgotten.
    if (above.blocked !== undefined && name !== 'body') return { ...above, name };
    if (SILENT_TAGS.has(name)) return { ...above, name, blocked: 'silent', hidden: 'silent' };
    if (attributes.size === 0 && name !== 'body' && name !== 'a') return { ...above, name };
    const style = attributes.get('style');
    const css = style === undefined ? undefined : parseStyle(style);
    const blocked = css?.hidden ?? this.#blockedByAttribute(attributes);
    const tiny = css?.tiny ?? above.tiny;
    const background = this.#backgroundOf(attributes, css?.background) ?? above.background;
    const named = attributes.get('color') ?? (name === 'body' ? attributes.get('text') : undefined);
    const colour =
      css?.colour ??
      (named === undefined ? undefined : parseColour(named)) ??
      (name === 'a' ? LINK_COLOUR : above.colour);
    const isLost = background !== 'unknown' && isAlike(colour, background);
    return {
      name,
      blocked,
      tiny,
      hidden: blocked ?? (tiny ? 'size' : isLost ? 'colour' : undefined),
      colour,
      background,
    };
  }

  #backgroundOf(
    attributes: ReadonlyMap<string, string>,
    said: number | 'unknown' | undefined,
  ): number | 'unknown' | undefined {
    if ((attributes.get('background') ?? '') !== '') return 'unknown';
    if (said !== undefined) return said;
    const bgcolor = attributes.get('bgcolor');
    if (bgcolor !== undefined && bgcolor !== '') return parseColour(bgcolor) ?? 'unknown';
    return this.#sheetPaints && (attributes.has('class') || attributes.has('id')) ? 'unknown' : undefined;
  }

  #blockedByAttribute(attributes: ReadonlyMap<string, string>): 'display' | 'offscreen' | undefined {
    if (attributes.has('hidden')) return 'display';
    if (this.#classes.size === 0) return undefined;
    for (const one of (attributes.get('class') ?? '').split(/\s+/, 10)) {
      const reason = this.#classes.get(one);
      if (reason !== undefined) return reason;
    }
    return undefined;
  }

  #collect(name: string, attributes: ReadonlyMap<string, string>): void {
    const href = attributes.get('href');
    const src = attributes.get('src') ?? attributes.get('background');
    if (name === 'a' || name === 'area') {
      this.#closeLink();
      if (href !== undefined) {
        this.counts.links++;
        this.#link = { href, from: this.#text.length, hasImage: false };
        if (name === 'area') this.#closeLink();
      }
    } else if (href !== undefined && name !== 'base') this.#urls.add(href, 'other');
    if (name === 'form') this.#urls.add(attributes.get('action') ?? '', 'form');
    if (src === undefined) return;
    const isImage = name === 'img' || name === 'image' || attributes.has('background');
    if (isImage && this.#link !== undefined && !this.#link.hasImage) {
      this.#link.hasImage = true;
      this.counts.linkedImages++;
    }
    this.#urls.add(src, isImage ? 'image' : 'other');
  }

  #closeLink(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#urls.add(link.href, 'href', this.#text.slice(link.from, link.from + 400));
  }
}

function isLetter(char: number): boolean {
  const lower = char | 32;
  return (lower >= 97 && lower <= 122) || char > 191;
}

/** White space folded, empty lines dropped, at most 65,536 characters. */
function tidy(text: string): string {
  return text
    .replace(/[ \t\r\f\u00a0]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim()
    .slice(0, factLimits.textChars);
}
