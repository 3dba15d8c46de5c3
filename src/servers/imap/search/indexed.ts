import type { SearchAnswer, SearchQuery } from '../../../data/search/types.ts';
import { decodeCharset } from '../../../mail/charset.ts';
import { fold } from '../../../mail/search/fold.ts';
import type { MailboxView } from '../mailbox-view.ts';
import type { Session } from '../session.ts';
import type { SearchKey } from '../wire/search-key.ts';

/** What the index says of the messages in view: these match, and these it cannot tell about. */
export interface Told {
  /** UIDs, ascending. */
  readonly sure: readonly number[];
  readonly unsure: readonly number[];
}

/** The question a key is to the index; undefined when it asks of more than text. */
export function textQuery(key: SearchKey, charset: string): SearchQuery | undefined {
  switch (key.kind) {
    case 'all':
      return { kind: 'and', of: [] };
    case 'header':
      return { kind: 'has', field: { header: key.field }, text: folded(key.text, charset) };
    case 'body':
    case 'text':
      return { kind: 'has', field: key.kind, text: folded(key.text, charset) };
    case 'not': {
      const of = textQuery(key.key, charset);
      return of && { kind: 'not', of };
    }
    case 'or':
      return combined('or', [key.a, key.b], charset);
    case 'and':
      return combined('and', key.keys, charset);
    default:
      return undefined;
  }
}

function folded(text: Buffer, charset: string): string {
  return fold(decodeCharset(text, charset));
}

function combined(kind: 'and' | 'or', keys: readonly SearchKey[], charset: string): SearchQuery | undefined {
  const of = keys.map((key) => textQuery(key, charset));
  return of.every((each) => each !== undefined) ? { kind, of } : undefined;
}

/** Ask the index which messages of a view match; undefined when it cannot help. */
export async function askIndex(
  session: Session,
  view: MailboxView,
  query: SearchQuery,
): Promise<Told | undefined> {
  const { search } = session.options;
  if (search === undefined) return undefined;
  const answer = await search.index.find(view.accountId, query);
  if (answer === 'scan') return undefined;
  const { mailboxId, uidvalidity, lastUid } = view;
  const place = { mailboxId, uidvalidity, lastUid };
  const inView = (uids: readonly number[]): number[] => uids.filter((uid) => view.seqOf(uid) > 0);
  const sure = inView(await search.emails.uidsOf(place, answer.ids));
  const open = await search.emails.uidsOf(place, answer.open);
  const above = await search.emails.uidsAbove(place, answer.upTo);
  const unsure = open.length === 0 ? above : [...above, ...open].toSorted((a, b) => a - b);
  return { sure, unsure: inView(unsure) };
}

/** What the index says of each text key in a key that asks of other things as well. */
export type KnownTexts = ReadonlyMap<SearchKey, (emailId: number) => boolean | undefined>;

/** Ask for all text keys of a key, as large pieces of it as are nothing but text. */
export async function knownTexts(
  session: Session,
  view: MailboxView,
  key: SearchKey,
  charset: string,
): Promise<KnownTexts> {
  const known = new Map<SearchKey, (emailId: number) => boolean | undefined>();
  const { search } = session.options;
  if (search === undefined) return known;
  for (const [part, query] of textParts(key, charset)) {
    const answer = await search.index.find(view.accountId, query);
    if (answer !== 'scan') known.set(part, lookup(answer));
  }
  return known;
}

function* textParts(key: SearchKey, charset: string): Generator<readonly [SearchKey, SearchQuery], void> {
  if (key.kind === 'all') return;
  const query = textQuery(key, charset);
  if (query !== undefined) yield [key, query];
  else if (key.kind === 'not') yield* textParts(key.key, charset);
  else if (key.kind === 'or') {
    yield* textParts(key.a, charset);
    yield* textParts(key.b, charset);
  } else if (key.kind === 'and') for (const each of key.keys) yield* textParts(each, charset);
}

function lookup({ ids, upTo, open }: SearchAnswer): (emailId: number) => boolean | undefined {
  const matching = new Set(ids);
  const unknown = new Set(open);
  return (emailId) => (emailId > upTo || unknown.has(emailId) ? undefined : matching.has(emailId));
}

/** What is in both of two ascending lists. */
export function inBoth(a: readonly number[], b: readonly number[]): number[] {
  const out: number[] = [];
  let at = 0;
  for (const each of a) {
    while (at < b.length && (b[at] ?? 0) < each) at++;
    if (b[at] === each) out.push(each);
  }
  return out;
}
