/** Text made ready for features: what names a person, a list or a day is taken out first. */
import { classifierLimits } from './limits.ts';

const YEAR = /\b(?:19|20)\d\d\b/g;
const LINK = /\b(?:https?|ftp):\/\/[^\s<>"]{1,2000}/gi;
const LOCAL = /[\w.+=-]{1,64}$/;
const DOMAIN = /[\w.-]{1,255}/y;
const LOCAL_CHARS = 64;
/** "[list-name] " in front of a subject, also behind "Re:". */
const LIST_TAG = /^((?:(?:re|fwd?|aw|sv)(?:\[\d{1,3}\])?: {0,3}){0,3})\[[^\]]{1,30}\] {0,3}/i;
const SIGNATURE = /\n-- ?\r?\n/g;
const LIST_RULE = /\n(?:_{30,}|-{30,})\r?\n/g;
/** Lines at the end of a text that are looked through for a list manager's. */
const FOOTER_CHARS = 700;
/** Page of a list at its manager's: never the author's own words or links. */
const LIST_PAGE = '/listinfo/';
/** What group services put above and under a message. */
const GROUP_LINES = ['\n------------------------ Yahoo! Groups', '\nTo unsubscribe from this group, '];
const FOOTER_WORDS = /mailing list|listinfo|unsubscribe|mailman|to post to|yahoo! groups/i;

/** Links and addresses have features of their own; here they are one word each. Years go: they tell the collection. */
export function neutral(text: string): string {
  // The pattern tries at every letter; most texts have no link, and a look for the sign it needs is cheap.
  const unlinked = text.includes('://') ? text.replace(LINK, ' HTTPLINK ') : text;
  return withoutAddresses(unlinked).replace(YEAR, ' ');
}

/** Mail addresses as one word. Looked for from each "@", not from each letter: a text without blanks would take the time of 64. */
export function withoutAddresses(text: string): string {
  let out = '';
  let done = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    const local = LOCAL.exec(text.slice(Math.max(done, at - LOCAL_CHARS), at))?.[0];
    DOMAIN.lastIndex = at + 1;
    if (local === undefined || !DOMAIN.test(text)) continue;
    out += `${text.slice(done, at - local.length)} MAILADDR `;
    done = DOMAIN.lastIndex;
  }
  return done === 0 ? text : out + text.slice(done);
}

/** Subject without the tag that a mailing list put in front. */
export function ownSubject(subject: string): string {
  return subject.replace(LIST_TAG, '$1');
}

/** Text without the footer that a mailing list put under it. */
export function withoutFooter(text: string): string {
  const from = Math.max(0, text.length - FOOTER_CHARS);
  const tail = text.slice(from).trimEnd();
  const begins = [ruledFooter(tail), signedFooter(tail), ...GROUP_LINES.map((line) => tail.indexOf(line))];
  const last = tail.lastIndexOf('\n');
  if (tail.includes(LIST_PAGE, Math.max(0, last))) begins.push(last);
  const first = Math.min(...begins.filter((at) => at >= 0));
  return first === Number.POSITIVE_INFINITY ? text : text.slice(0, from + first);
}

/** Under a rule across the page. */
function ruledFooter(tail: string): number {
  LIST_RULE.lastIndex = 0;
  const rule = LIST_RULE.exec(tail);
  return rule && FOOTER_WORDS.test(tail.slice(rule.index)) ? rule.index : -1;
}

/** Set off as a signature is, with the list's page in it. */
function signedFooter(tail: string): number {
  let at = -1;
  SIGNATURE.lastIndex = 0;
  for (let found = SIGNATURE.exec(tail); found !== null; found = SIGNATURE.exec(tail)) at = found.index;
  return at >= 0 && tail.includes(LIST_PAGE, at) ? at : -1;
}

/** Whether a link leads to a list's page at its manager's. */
export function isListPage(url: string): boolean {
  return url.includes(LIST_PAGE);
}

/** Has the "-- " line of a personal signature. */
export function hasSignature(text: string): boolean {
  SIGNATURE.lastIndex = 0;
  return SIGNATURE.test(text);
}

/** Lower case, digits alike, white space folded: for n-grams. */
export function folded(text: string): string {
  return text.toLowerCase().replace(/\d/g, '0').replace(/\s+/g, ' ');
}

const WORD = /[\p{L}\p{M}\d$€£%'!*@#-]+/gu;
const SCRIPTIO_CONTINUA = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]{2}/u;

/** Words of a text, digits alike; a very long one is told by its length. */
export function wordsOf(text: string, max: number): string[] {
  const out: string[] = [];
  WORD.lastIndex = 0;
  for (let found = WORD.exec(text); found !== null && out.length < max; found = WORD.exec(text)) {
    const word = found[0].replace(/\d/g, '0');
    if (word.length <= classifierLimits.wordLength) out.push(word);
    else if (SCRIPTIO_CONTINUA.test(word.slice(0, 8))) cutUnspaced(word, out, max);
    else out.push(`LONG${Math.min(9, Math.floor(word.length / 10))}`);
  }
  return out;
}

/** Scripts that put no blanks between words: pairs of letters stand for words. */
function cutUnspaced(run: string, out: string[], max: number): void {
  for (let i = 0; i + 2 <= run.length && out.length < max; i += 2) out.push(run.slice(i, i + 2));
}

/** Number on a coarse logarithmic scale, so that near numbers share a feature. */
export function magnitude(n: number): number {
  return n <= 0 ? 0 : Math.min(16, 1 + Math.floor(Math.log2(n)));
}
