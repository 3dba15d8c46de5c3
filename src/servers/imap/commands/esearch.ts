import { hasRights, Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { enableCondstore } from '../condstore.ts';
import { addContext, type ContextRequest, needNewTag, refuseUpdate } from '../contexts.ts';
import { emptiedByFailure, savedOf, tellEsearch } from '../esearch.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { MailboxView } from '../mailbox-view.ts';
import { needAllowed, searchedRanges } from '../message-limit.ts';
import { needNumbers } from '../numbers.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { withFilters } from '../search/filters.ts';
import { runSearch, type SearchResult } from '../search/run.ts';
import { loginOf, type Session, yieldTurn } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { asksForResult, RETURN_ALL, type ReturnOptions, returnOptions } from '../wire/return-options.ts';
import {
  hasNumbers,
  positionalCharset,
  type SearchCriteria,
  searchCriteria,
  usesModseq,
  usesSaved,
} from '../wire/search-key.ts';
import { type Command, LOGGED_IN, type Outcome } from './command.ts';

/** Mailboxes that a client means (RFC 5465 section 6, as far as RFC 7377 section 2.2 has them). */
type Source =
  | { readonly kind: 'selected' | 'inboxes' | 'personal' | 'subscribed' }
  | { readonly kind: 'subtree' | 'subtree-one' | 'mailboxes'; readonly names: readonly string[] };

/** ESEARCH: a search of several mailboxes (RFC 7377). */
export const esearch: Command = {
  name: 'ESEARCH',
  states: LOGGED_IN,
  capabilities: ['MULTISEARCH'],
  run,
};

function source(d: Decoder): Source {
  const word = d.keyword('which mailboxes');
  switch (word) {
    case 'SELECTED':
      return { kind: 'selected' };
    case 'INBOXES':
      return { kind: 'inboxes' };
    case 'PERSONAL':
      return { kind: 'personal' };
    case 'SUBSCRIBED':
      return { kind: 'subscribed' };
    case 'SUBTREE':
    case 'SUBTREE-ONE':
    case 'MAILBOXES': {
      d.sp();
      const names = d.atList ? d.list(() => d.mailbox()) : [d.mailbox()];
      const kind = word === 'SUBTREE' ? 'subtree' : word === 'MAILBOXES' ? 'mailboxes' : 'subtree-one';
      return { kind, names };
    }
    default:
      return d.fail('selected, inboxes, personal, subscribed, subtree, subtree-one or mailboxes before this');
  }
}

const SELECTED_ONLY: readonly Source[] = [{ kind: 'selected' }];

function sources(d: Decoder): readonly Source[] {
  if (!d.skip('IN ')) return SELECTED_ONLY;
  const found = d.list(() => source(d));
  d.sp();
  return found;
}

function run(session: Session, d: Decoder): Promise<Outcome> {
  d.sp();
  const from = sources(d);
  const options = returnOptions(d) ?? RETURN_ALL;
  // RFC 7377 section 2.2.
  if (session.view === undefined && from.some(({ kind }) => kind === 'selected'))
    d.fail('a selected mailbox, or IN without it,');
  if (session.view === undefined && options.update) d.fail('no UPDATE without a selected mailbox');
  needNewTag(session, options);
  return emptiedByFailure(session, options, () => answer(session, d, from, options));
}

async function answer(
  session: Session,
  d: Decoder,
  from: readonly Source[],
  options: ReturnOptions,
): Promise<Outcome> {
  const charset = d.skip('CHARSET ') ? positionalCharset(d) : '';
  const criteria = await withFilters(session, searchCriteria(d, charset));
  const onlySelected = from.every(({ kind }) => kind === 'selected');
  if (hasNumbers(criteria.key)) needNumbers(session);
  // RFC 7377 section 2.2: "$" and SAVE mean the selected mailbox.
  if (!onlySelected && (usesSaved(criteria.key) || options.save))
    d.fail('no "$" or SAVE with other mailboxes than the selected one');
  if (usesModseq(criteria.key)) enableCondstore(session);
  const { view: selected } = session;
  const places = await placesOf(session, from);
  if (places.size > SESSION_LIMITS.searchedMailboxes)
    return {
      status: 'NO',
      code: 'LIMIT',
      text: `At most ${SESSION_LIMITS.searchedMailboxes} mailboxes at once`,
    };
  let done = 0;
  let updated = false;
  for (const [id, known] of places) {
    const found = await withProgress(session, async (progress) => {
      progress.total = places.size;
      progress.done = done++;
      const view = selected?.mailboxId === id ? selected : await viewOfKnown(session, known);
      if (view === undefined) return undefined;
      needAllowed(session, view.countIn(searchedRanges(view, criteria.key, session.saved)));
      return { view, ...(await runSearch(session, criteria, view)) };
    });
    if (found === undefined) continue;
    await tellFound(session, found, options);
    if (options.update && found.view === selected) {
      addContext(session, contextOf(session, criteria, options), found.uids);
      updated = true;
    }
    if (options.save) session.saved = savedOf(found.uids, options);
    await yieldTurn();
  }
  // RFC 7377 section 2.2: UPDATE is for the selected mailbox only.
  if (options.update && !updated)
    refuseUpdate(session, session.tag, 'Only the selected mailbox is kept up to date');
  await refresh(session);
  return { holdsExpunges: hasNumbers(criteria.key) };
}

function contextOf(session: Session, criteria: SearchCriteria, { atts }: ReturnOptions): ContextRequest {
  return { ...criteria, tag: session.tag, byUid: true, keys: undefined, atts, withMailbox: true };
}

/** The mailboxes to search, each once; the selected one needs not be looked up. */
async function placesOf(
  session: Session,
  from: readonly Source[],
): Promise<ReadonlyMap<number, KnownMailbox | undefined>> {
  const places = new Map<number, KnownMailbox | undefined>();
  const { view } = session;
  if (view !== undefined && from.some(({ kind }) => kind === 'selected'))
    places.set(view.mailboxId, undefined);
  if (from.every(({ kind }) => kind === 'selected')) return places;
  for (const each of await chosen(session, from)) places.set(each.mailbox.id, each);
  return places;
}

/** RFC 7377 section 2.1: a mailbox in which nothing was found need not be told of. */
async function tellFound(
  session: Session,
  found: SearchResult & { readonly view: MailboxView },
  options: ReturnOptions,
): Promise<void> {
  if (found.uids.length > 0 && asksForResult(options)) await tellEsearch(session, found, true, options, true);
}

/** All that sources name and this account may read. Who may not see a mailbox gets no sign that it is there. */
async function chosen(session: Session, from: readonly Source[]): Promise<readonly KnownMailbox[]> {
  const { accountId } = loginOf(session);
  const all = await session.options.store.read.run('sharing.mailboxes', { accountId });
  const readable = all.filter(({ mailbox, rights }) => mailbox.id > 0 && hasRights(rights, Right.Read));
  const tests = from.map(testOf);
  return readable.filter((each) => tests.some((test) => test(each)));
}

function testOf(from: Source): (known: KnownMailbox) => boolean {
  switch (from.kind) {
    case 'selected':
      return () => false;
    case 'inboxes':
      return ({ own, path }) => own && path === 'INBOX';
    case 'personal':
      return ({ own }) => own;
    case 'subscribed':
      return ({ mailbox }) => mailbox.subscribed;
    case 'mailboxes': {
      const names = new Set(from.names.map((name) => name.normalize('NFC')));
      return ({ mailbox }) => names.has(mailbox.name);
    }
    default: {
      const names = new Set(from.names.map((name) => name.normalize('NFC')));
      return ({ mailbox }) => isUnder(mailbox.name, names, from.kind === 'subtree-one');
    }
  }
}

/** Whether a name is one of these, or below one: at any depth, or directly. */
function isUnder(name: string, names: ReadonlySet<string>, direct: boolean): boolean {
  if (names.has(name)) return true;
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    if (names.has(name.slice(0, at))) return true;
    if (direct) return false;
  }
  return false;
}

/** A mailbox as it is now, for one search. */
async function viewOfKnown(
  session: Session,
  known: KnownMailbox | undefined,
): Promise<MailboxView | undefined> {
  if (known === undefined) return undefined;
  const { mailbox, own, rights } = known;
  const snapshot = await session.options.store.read.run('mailstore.snapshot', { mailboxId: mailbox.id });
  if (snapshot === undefined) return undefined;
  return new MailboxView({
    mailbox: { ...snapshot.mailbox, name: mailbox.name },
    own,
    rights,
    uids: snapshot.uids,
    readOnly: true,
    recentUid: Number.POSITIVE_INFINITY,
    keywords: [],
    stop: () => undefined,
  });
}
