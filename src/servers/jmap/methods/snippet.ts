import { bodyLists, numberParts } from '../../../mail/jmap/body-parts.ts';
import { decodeTextBody } from '../../../mail/message/decode.ts';
import { parameter } from '../../../mail/message/params.ts';
import { htmlText } from '../../../mail/sieve/html-text.ts';
import { phrases, readFilter } from '../email/filter.ts';
import { headerValue, headerView } from '../email/headers.ts';
import { type MessageSource, storedSource } from '../email/source.ts';
import { idsArg } from '../args.ts';
import { type Context, mailView, method, type Method, scopeOf } from '../context.ts';
import { invalidArguments } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import { CAPABILITY } from '../limits.ts';
import { accountText } from '../view.ts';

/** SearchSnippet (RFC 8621 section 5). */

/** Octets of a text that is looked through, and texts of an email. */
const TEXT_BYTES = 128 * 1024;
const TEXTS = 3;
/** Characters before the first match, and in all; RFC 8621 has at most 255 octets. */
const LEAD = 30;
const PREVIEW_OCTETS = 250;
const MARKS = 10;

interface Wanted {
  readonly subject: string[];
  readonly body: string[];
}

/** Words that are marked; of more conditions than have so many the others are not. */
const MOST_WORDS = 50;

/** The words that conditions look for in what a snippet shows; what is under a NOT is not shown. */
function wordsOf(filter: Json | undefined, found: Wanted): void {
  if (!isObject(filter)) return;
  const { operator, conditions } = filter;
  if (operator !== undefined) {
    if (operator !== 'NOT' && Array.isArray(conditions))
      for (const each of conditions as readonly Json[]) wordsOf(each, found);
    return;
  }
  for (const name of ['text', 'subject', 'body']) {
    const value = filter[name];
    if (typeof value !== 'string') continue;
    const words = phrases(value).map((word) => word.toLowerCase());
    if (name !== 'body' && found.subject.length < MOST_WORDS) found.subject.push(...words);
    if (name !== 'subject' && found.body.length < MOST_WORDS) found.body.push(...words);
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Places of words in a text, in order, not overlapping. */
function places(text: string, words: readonly string[]): [start: number, end: number][] {
  const lower = text.toLowerCase();
  // Where lower case is longer, places would not fit.
  if (lower.length !== text.length) return [];
  const found: [number, number][] = [];
  for (const word of words) {
    for (
      let at = lower.indexOf(word);
      at >= 0 && found.length < 500;
      at = lower.indexOf(word, at + word.length)
    )
      found.push([at, at + word.length]);
  }
  found.sort(([a], [b]) => a - b);
  let end = 0;
  return found.filter(([from, to]) => {
    if (from < end) return false;
    end = to;
    return true;
  });
}

function marked(text: string, words: readonly string[], most: number): string | undefined {
  const found = places(text, words);
  const [first] = found;
  if (first === undefined) return undefined;
  const begin = most === 0 ? 0 : Math.max(0, first[0] - LEAD);
  let out = '';
  let at = begin;
  for (const [from, to] of found.slice(0, MARKS)) {
    const more = `${escapeHtml(text.slice(at, from))}<mark>${escapeHtml(text.slice(from, to))}</mark>`;
    if (most > 0 && out !== '' && Buffer.byteLength(out + more) > most) break;
    out += more;
    at = to;
  }
  if (most === 0) return out + escapeHtml(text.slice(at));
  const left = most - Buffer.byteLength(out);
  let tail = '';
  for (const character of text.slice(at, at + Math.max(0, left))) {
    if (Buffer.byteLength(tail) + 6 > left) break;
    tail += escapeHtml(character);
  }
  return out + tail;
}

async function previewOf(source: MessageSource, words: readonly string[]): Promise<string | null> {
  if (words.length === 0) return null;
  for (const { part } of bodyLists(numberParts(source.structure.root)).textBody.slice(0, TEXTS)) {
    if (part.type !== 'text') continue;
    const octets = await source.body(part, TEXT_BYTES);
    const decoded = decodeTextBody(octets, part.encoding, parameter(part.params, 'charset') ?? '');
    const text = (part.subtype === 'html' ? htmlText(decoded) : decoded).replace(/\s+/g, ' ');
    const found = marked(text, words, PREVIEW_OCTETS);
    if (found !== undefined) return found;
  }
  return null;
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const emailIds = idsArg(args, 'emailIds');
  if (emailIds === undefined) throw invalidArguments('emailIds must be a list');
  readFilter(args['filter']);
  const wanted: Wanted = { subject: [], body: [] };
  wordsOf(args['filter'], wanted);
  const { store } = context.options;
  const ids = emailIds.flatMap((text) => parseId('email', text) ?? []);
  const emails = await store.read.run('jmap.emails', { ...scopeOf(context, view), ids });
  const list: JsonObject[] = [];
  for (const { id, content } of emails) {
    const source = storedSource(store.blobs, content, '');
    const subject = headerValue(headerView(await source.header()), {
      field: 'subject',
      form: 'Text',
      all: false,
    });
    list.push({
      emailId: formatId('email', id),
      subject: typeof subject === 'string' ? (marked(subject, wanted.subject, 0) ?? null) : null,
      preview: await previewOf(source, wanted.body),
    });
  }
  const found = new Set(list.map(({ emailId }) => emailId));
  const notFound = emailIds.filter((id) => !found.has(id));
  return { accountId: accountText(view), list, notFound: notFound.length === 0 ? null : notFound };
}

export const snippetMethods: readonly Method[] = [method('SearchSnippet/get', CAPABILITY.mail, get)];
