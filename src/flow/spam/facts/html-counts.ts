/** What is counted while HTML is read. */
import type { HiddenReason } from './css.ts';
import { asciiHost } from './hosts.ts';
import type { HtmlFacts } from './types.ts';

const MAX_NAMES = 60;
const MAX_HIDDEN = 2048;
const MAX_TITLE = 300;
/** Soft hyphens, joiners and other characters that fill up the line of a preview. */
const FILLER = /(?:\s|\u034f|[\u00ad\u200b-\u200f\u2060-\u2064\ufeff])+/g;
/** Characters of a script that are looked at. */
const MAX_SCRIPT = 16 * 1024;

type Attributes = ReadonlyMap<string, string>;

export class HtmlCounts {
  tagCount = 0;
  unknownTags = 0;
  hiddenChars = 0;
  links = 0;
  linkedImages = 0;
  comments = 0;
  commentChars = 0;
  splitWords = 0;
  needlessEntities = 0;
  depth = 0;
  unterminated = false;
  readonly #tags = new Map<string, number>();
  readonly #hiddenBy: Record<HiddenReason, number> = { display: 0, size: 0, colour: 0, offscreen: 0 };
  #hiddenText = '';
  #title = '';
  #images = 0;
  #remoteImages = 0;
  #trackingPixels = 0;
  #dataImages = 0;
  #cidImages = 0;
  #forms = 0;
  #passwordInputs = 0;
  #inputs = 0;
  #formHost = '';
  #eventHandlers = 0;
  #metaRefresh = false;
  #baseHref = false;
  #selfWriting = false;

  addTag(name: string, attributes: Attributes): void {
    this.tagCount++;
    const before = this.#tags.get(name);
    if (before !== undefined || this.#tags.size < MAX_NAMES) this.#tags.set(name, (before ?? 0) + 1);
    for (const attribute of attributes.keys()) {
      if (attribute.charCodeAt(0) === 111 && attribute.startsWith('on')) this.#eventHandlers++;
    }
    switch (name) {
      case 'img':
      case 'image':
        this.#addImage(attributes);
        return;
      case 'form':
        this.#forms++;
        this.#formHost ||= hostOf(attributes.get('action') ?? '');
        return;
      case 'input':
        if (attributes.get('type')?.toLowerCase() === 'password') this.#passwordInputs++;
        if (attributes.get('type')?.toLowerCase() !== 'hidden') this.#inputs++;
        return;
      case 'meta':
        if (attributes.get('http-equiv')?.toLowerCase() === 'refresh') this.#metaRefresh = true;
        return;
      case 'base':
        if (attributes.has('href')) this.#baseHref = true;
        return;
      default:
    }
  }

  #addImage(attributes: Attributes): void {
    this.#images++;
    const src = (attributes.get('src') ?? '').trim().slice(0, 10).toLowerCase();
    if (src.startsWith('data:')) this.#dataImages++;
    else if (src.startsWith('cid:')) this.#cidImages++;
    else if (src.startsWith('http') || src.startsWith('//')) {
      this.#remoteImages++;
      if (isTiny(attributes.get('width')) && isTiny(attributes.get('height'))) this.#trackingPixels++;
    }
  }

  addHidden(text: string, reason: HiddenReason): void {
    // What fills up the line of a preview (joiners, no-break spaces) is no text.
    const words = text.replace(FILLER, ' ').trim();
    this.hiddenChars += words.length;
    this.#hiddenBy[reason] += words.length;
    if (words !== '' && this.#hiddenText.length < MAX_HIDDEN)
      this.#hiddenText += `${words.slice(0, MAX_HIDDEN)} `;
  }

  addTitle(text: string): void {
    if (this.#title.length < MAX_TITLE) this.#title = (this.#title + text).slice(0, MAX_TITLE);
  }

  addScript(text: string): void {
    if (/fromCharCode|unescape\s?\(|atob\s?\(|document\.write/.test(text.slice(0, MAX_SCRIPT)))
      this.#selfWriting = true;
  }

  facts(visibleChars: number): HtmlFacts {
    const count = (...names: string[]): number =>
      names.reduce((sum, name) => sum + (this.#tags.get(name) ?? 0), 0);
    return {
      tagCount: this.tagCount,
      tags: Object.fromEntries(this.#tags),
      unknownTags: this.unknownTags,
      visibleChars,
      hiddenChars: this.hiddenChars,
      hiddenBy: this.#hiddenBy,
      hiddenText: this.#hiddenText.slice(0, MAX_HIDDEN),
      images: this.#images,
      remoteImages: this.#remoteImages,
      trackingPixels: this.#trackingPixels,
      dataImages: this.#dataImages,
      cidImages: this.#cidImages,
      linkedImages: this.linkedImages,
      links: this.links,
      forms: this.#forms,
      passwordInputs: this.#passwordInputs,
      inputs: this.#inputs,
      formHost: this.#formHost,
      scripts: count('script'),
      eventHandlers: this.#eventHandlers,
      iframes: count('iframe', 'frame'),
      objects: count('object', 'embed', 'applet'),
      metaRefresh: this.#metaRefresh,
      baseHref: this.#baseHref,
      svg: count('svg'),
      comments: this.comments,
      commentChars: this.commentChars,
      splitWords: this.splitWords,
      needlessEntities: this.needlessEntities,
      selfWriting: this.#selfWriting,
      title: this.#title.trim(),
      unterminated: this.unterminated,
      depth: this.depth,
    };
  }
}

function isTiny(size: string | undefined): boolean {
  return size !== undefined && /^\s?[012](?:px)?\s?$/.test(size);
}

function hostOf(url: string): string {
  const match = /^(?:https?:)?\/\/([^/?#:\\]{1,255})/i.exec(url.trim());
  return match?.[1] === undefined ? '' : asciiHost(match[1].toLowerCase());
}
