/** The text of HTML for SEARCH: what is read, without tags, and what stands in links and pictures. Linear, in pieces. */
import { decodeCharset } from '../charset.ts';

/** Characters of one tag, and of all tags of a part, that are looked at. */
const TAG_CHARS = 4096;
const TAGS_CHARS = 64 * 1024;
/** Characters of an entity without "&" and ";". */
const ENTITY_CHARS = 10;

/** Elements whose content nobody reads. */
const HIDDEN = /^(?:script|style)$/;
/** Elements that do not part words. */
const INLINE =
  /^(?:a|abbr|acronym|b|bdo|big|cite|code|del|dfn|em|font|i|ins|kbd|mark|o:p|q|s|samp|small|span|strike|strong|sub|sup|tt|u|var|wbr)$/;
/** Elements whose attributes say something: where a link goes, what is in a picture. */
const TELLING = /^(?:a|area|button|form|iframe|img|input)$/;

const LATIN1 =
  'nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml';
const CAPITALS =
  'Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Omicron Pi Rho - Sigma Tau Upsilon Phi Chi Psi Omega';
const SMALL =
  'alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigmaf sigma tau upsilon phi chi psi omega';
const OTHERS: readonly (readonly [number, string])[] = [
  [34, 'quot'],
  [38, 'amp'],
  [39, 'apos'],
  [60, 'lt'],
  [62, 'gt'],
  [338, 'OElig'],
  [339, 'oelig'],
  [352, 'Scaron'],
  [353, 'scaron'],
  [376, 'Yuml'],
  [8194, 'ensp'],
  [8195, 'emsp'],
  [8201, 'thinsp'],
  [8211, 'ndash'],
  [8212, 'mdash'],
  [8216, 'lsquo'],
  [8217, 'rsquo'],
  [8218, 'sbquo'],
  [8220, 'ldquo'],
  [8221, 'rdquo'],
  [8222, 'bdquo'],
  [8226, 'bull'],
  [8230, 'hellip'],
  [8240, 'permil'],
  [8249, 'lsaquo'],
  [8250, 'rsaquo'],
  [8364, 'euro'],
  [8482, 'trade'],
  [8594, 'rarr'],
  [8722, 'minus'],
];

function entityTable(): ReadonlyMap<string, string> {
  const table = new Map<string, string>(OTHERS.map(([code, name]) => [name, String.fromCharCode(code)]));
  for (const [first, names] of [
    [160, LATIN1],
    [913, CAPITALS],
    [945, SMALL],
  ] as const)
    for (const [at, name] of names.split(' ').entries()) table.set(name, String.fromCharCode(first + at));
  table.set('nbsp', ' ');
  // Seen by nobody, and in the middle of words.
  for (const name of ['shy', 'zwnj', 'zwj', 'lrm', 'rlm']) table.set(name, '');
  return table;
}

const ENTITIES = entityTable();

function entity(whole: string, name: string): string {
  if (!name.startsWith('#')) return ENTITIES.get(name) ?? whole;
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
  if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code <= 0xdfff)) return whole;
  // These are taken for what they are in windows-1252.
  if (code >= 0x80 && code < 0xa0) return decodeCharset(Buffer.from([code]), 'windows-1252');
  return code === 0xad || code === 0x200b ? '' : String.fromCodePoint(code);
}

function withoutEntities(text: string): string {
  return text.includes('&')
    ? text.replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,9});?/gi, entity)
    : text;
}

/** Where the source is: in text, in a tag, a comment, or an element that is not shown. */
type State = 'text' | 'tag' | 'comment' | 'hidden';

/** How far something was read, and its text; undefined when more has to come first. */
type Step = { readonly at: number; readonly text: string } | undefined;

/** Reads HTML in pieces, which may end anywhere. */
export class HtmlReader {
  #state: State = 'text';
  /** What waits for the next piece. */
  #held = '';
  #tag = '';
  /** The quotation mark that ends the value of an attribute. */
  #quote = '';
  /** The element that is not shown. */
  #hidden = '';
  #tags = '';
  #spaced = true;

  /** What stands in the tags that say something, as far as they have come. */
  get tags(): string {
    return this.#tags;
  }

  /** The next piece of the source; what of the text is sure by now. */
  push(piece: string): string {
    const source = this.#held + piece;
    let text = '';
    let at = 0;
    while (at < source.length) {
      const next = this.#step(source, at);
      if (next === undefined) break;
      text += next.text;
      if (next.at === at) break;
      at = next.at;
    }
    this.#held = source.slice(at);
    return text;
  }

  /** The source ends: what was held back. */
  end(): string {
    const text = this.#state === 'text' ? this.#tidy(withoutEntities(this.#held)) : '';
    this.#held = '';
    return text;
  }

  #step(source: string, at: number): Step {
    if (this.#state === 'text') return this.#inText(source, at);
    if (this.#state === 'tag') return this.#inTag(source, at);
    if (this.#state === 'hidden') return this.#inHidden(source, at);
    const close = source.indexOf('-->', at);
    if (close === -1) return { at: Math.max(at, source.length - 2), text: '' };
    this.#state = 'text';
    return { at: close + 3, text: '' };
  }

  #inText(source: string, at: number): Step {
    const open = source.indexOf('<', at);
    if (open === at) return this.#atTag(source, at);
    let end = open === -1 ? source.length : open;
    if (open === -1) {
      // An entity may not have come whole.
      const and = source.lastIndexOf('&');
      if (and >= at && source.length - and <= ENTITY_CHARS && !source.includes(';', and)) end = and;
      if (end === at) return undefined;
    }
    return { at: end, text: this.#tidy(withoutEntities(source.slice(at, end))) };
  }

  #atTag(source: string, at: number): Step {
    if (source.length - at < 4) return undefined;
    if (source.startsWith('<!--', at)) {
      this.#state = 'comment';
      return { at: at + 4, text: '' };
    }
    // "a < b" is no tag.
    if (!/[a-z/!?]/i.test(source.charAt(at + 1))) return { at: at + 1, text: this.#tidy('<') };
    this.#state = 'tag';
    return { at: at + 1, text: '' };
  }

  #inTag(source: string, at: number): Step {
    const pattern = this.#quote === '' ? /[>"']/g : this.#quote === '"' ? /"/g : /'/g;
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.index ?? -1;
    const end = found === -1 ? source.length : found;
    if (this.#tag.length < TAG_CHARS) this.#tag += source.slice(at, Math.min(end + 1, at + TAG_CHARS));
    if (found === -1) return { at: end, text: '' };
    const character = source.charAt(found);
    if (this.#quote !== '') this.#quote = '';
    else if (character === '>') {
      this.#tag = this.#tag.replace(/>$/, '');
      return { at: found + 1, text: this.#tidy(this.#endTag()) };
    }
    // A mark that begins no value: the apostrophe of a broken tag must not hide the rest.
    else if (/=\s*["']$/.test(this.#tag.slice(-20))) this.#quote = character;
    return { at: found + 1, text: '' };
  }

  #inHidden(source: string, at: number): Step {
    const name = this.#hidden;
    const close = source.indexOf('</', at);
    if (close === -1) return { at: Math.max(at, source.length - 1), text: '' };
    if (source.length - close < name.length + 2) return close === at ? undefined : { at: close, text: '' };
    if (source.slice(close + 2, close + 2 + name.length).toLowerCase() !== name)
      return { at: close + 2, text: '' };
    this.#state = 'tag';
    return { at: close + 1, text: '' };
  }

  /** What stands for the tag that has ended. */
  #endTag(): string {
    const tag = this.#tag;
    const name = /^\/?([a-z][a-z0-9:]{0,19})/i.exec(tag)?.[1]?.toLowerCase() ?? '';
    this.#tag = '';
    this.#state = 'text';
    if (!tag.startsWith('/')) {
      if (HIDDEN.test(name) && !tag.endsWith('/')) {
        this.#state = 'hidden';
        this.#hidden = name;
      }
      if (TELLING.test(name) && tag.length > name.length && this.#tags.length < TAGS_CHARS)
        this.#tags += `${withoutEntities(tag.slice(name.length))}\n`;
    }
    return INLINE.test(name) ? '' : ' ';
  }

  /** White space is one space, wherever pieces end. */
  #tidy(text: string): string {
    let told = text.replace(/[ \t\r\n\f]+/g, ' ');
    if (this.#spaced && told.startsWith(' ')) told = told.slice(1);
    if (told !== '') this.#spaced = told.endsWith(' ');
    return told;
  }
}
