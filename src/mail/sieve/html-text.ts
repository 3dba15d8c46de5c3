/** The text that a reader of an HTML page sees, roughly: enough to look for words in (RFC 5173 5.3). */

/** Elements whose content nobody reads. */
const HIDDEN = ['script', 'style', 'head', 'title'];
/** Elements that do not part words. */
const INLINE = /^\/?(?:a|abbr|b|big|code|em|font|i|s|small|span|strike|strong|sub|sup|tt|u|wbr)$/;

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '',
  euro: '\u20ac',
  copy: '\u00a9',
  reg: '\u00ae',
  auml: '\u00e4',
  ouml: '\u00f6',
  uuml: '\u00fc',
  Auml: '\u00c4',
  Ouml: '\u00d6',
  Uuml: '\u00dc',
  szlig: '\u00df',
  eacute: '\u00e9',
  egrave: '\u00e8',
  agrave: '\u00e0',
  ccedil: '\u00e7',
  ntilde: '\u00f1',
  ndash: '\u2013',
  mdash: '\u2014',
  hellip: '\u2026',
  lsquo: '\u2018',
  rsquo: '\u2019',
  ldquo: '\u201c',
  rdquo: '\u201d',
  bull: '\u2022',
};

function entity(whole: string, name: string): string {
  if (name.startsWith('#')) {
    const point = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    const valid = point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
    return valid ? String.fromCodePoint(point) : whole;
  }
  return Object.hasOwn(ENTITIES, name) ? (ENTITIES[name] ?? whole) : whole;
}

/** Elements that begin and end a line, and those with space around them. */
const LINE = /^\/?(?:div|li|tr|dt|dd|hr|article|section|header|footer|address|center|form)$/;
const PARAGRAPH = /^\/?(?:p|h[1-6]|ul|ol|dl|table|blockquote|pre)$/;
/** What stands for the ends of lines until the white space of the source is gone; HTML cannot have these characters. */
const [BREAK_MARK, LINE_MARK, PARAGRAPH_MARK] = ['\u0001', '\u0002', '\u0003'];

/** All of it in one line. */
export function htmlText(html: string): string {
  return finish(read(html, () => ' '));
}

/** In the lines and paragraphs that it has on a page. */
export function htmlLines(html: string): string {
  // oxlint-disable-next-line no-control-regex
  const text = finish(read(html.replace(/[\u0001-\u0003]/g, ''), markOf));
  const out: string[] = [];
  let ends = 0;
  // oxlint-disable-next-line no-control-regex
  for (const piece of text.split(/([\u0001-\u0003])/)) {
    if (piece === BREAK_MARK) ends += 1;
    else if (piece === LINE_MARK) ends = Math.max(ends, 1);
    else if (piece === PARAGRAPH_MARK) ends = Math.max(ends, 2);
    else if (piece.trim() !== '') {
      if (out.length > 0) out.push('\n'.repeat(Math.min(ends, 2)));
      out.push(piece.trim());
      ends = 0;
    }
  }
  return out.join('');
}

function markOf(name: string): string {
  if (name === 'br') return BREAK_MARK;
  if (LINE.test(name)) return LINE_MARK;
  return PARAGRAPH.test(name) ? PARAGRAPH_MARK : ' ';
}

/** One pass; each octet is looked at a bounded number of times. `gap`: what stands for a tag that parts words. */
function read(html: string, gap: (name: string) => string): string {
  const lower = html.toLowerCase();
  let out = '';
  let pos = 0;
  while (pos < html.length) {
    const open = html.indexOf('<', pos);
    if (open === -1) break;
    out += html.slice(pos, open);
    if (html.startsWith('<!--', open)) {
      const close = html.indexOf('-->', open + 4);
      if (close === -1) return out;
      pos = close + 3;
      continue;
    }
    // "a < b" is no tag.
    if (!/^[a-z/!?]/i.test(html.charAt(open + 1))) {
      out += '<';
      pos = open + 1;
      continue;
    }
    const close = html.indexOf('>', open);
    if (close === -1) return out;
    const name = /^\/?[a-z0-9]{0,20}/.exec(lower.slice(open + 1, open + 30))?.[0] ?? '';
    pos = close + 1;
    if (HIDDEN.includes(name)) {
      const end = lower.indexOf(`</${name}`, pos);
      if (end === -1) return out;
      pos = end;
    }
    if (!INLINE.test(name)) out += gap(name);
  }
  return out + html.slice(pos);
}

function finish(text: string): string {
  return text
    .replace(/&(#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8});/gi, entity)
    .replace(/[ \t\r\n\u00a0]+/g, ' ')
    .trim();
}
