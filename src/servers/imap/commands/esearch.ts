import { hasRights, Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { savedOf, tellEsearch } from '../esearch.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { MailboxView } from '../mailbox-view.ts';
import { needAllowed, searchedRanges } from '../message-limit.ts';
import { needNumbers } from '../numbers.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { withFilters } from '../search/filters.ts';
import { runSearch, type SearchResult } from '../search/run.ts';
import { loginOf, type Session, untagged, yieldTurn } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { string } from '../wire/encoder.ts';
import { asksForResult, RETURN_ALL, returnOptions } from '../wire/return-options.ts';
import { hasNumbers, positionalCharset, searchCriteria, usesModseq, usesSaved } from '../wire/search-key.ts';
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

async function run(session: Session, d: Decoder): Promise<Outcome> {
  d.sp();
  const from = sources(d);
  const options = returnOptions(d) ?? RETURN_ALL;
  const charset = d.skip('CHARSET ') ? positionalCharset(d) : '';
  const criteria = await withFilters(session, searchCriteria(d, charset));
  const onlySelected = from.every(({ kind }) => kind === 'selected');
  if (onlySelected && session.view === undefined) d.fail('a selected mailbox, or IN');
  if (hasNumbers(criteria.key)) needNumbers(session);
  // RFC 7377 section 2.1: numbers, "$" and SAVE mean the selected mailbox.
  if (!onlySelected && (hasNumbers(criteria.key) || usesSaved(criteria.key) || options.save))
    d.fail('no message numbers, "$" or SAVE with other mailboxes than the selected one');
  if (usesModseq(criteria.key)) session.enabled.add('CONDSTORE');
  const { view: selected } = session;
  const ids = new Set<number>();
  if (selected !== undefined && from.some(({ kind }) => kind === 'selected')) ids.add(selected.mailboxId);
  const known = new Map<number, KnownMailbox>();
  if (!onlySelected) {
    for (const each of await chosen(session, from)) {
      known.set(each.mailbox.id, each);
      ids.add(each.mailbox.id);
    }
  }
  if (ids.size > SESSION_LIMITS.searchedMailboxes)
    return {
      status: 'NO',
      code: 'LIMIT',
      text: `At most ${SESSION_LIMITS.searchedMailboxes} mailboxes at once`,
    };
  let done = 0;
  for (const id of ids) {
    const found = await withProgress(session, async (progress) => {
      progress.total = ids.size;
      progress.done = done++;
      const view = selected?.mailboxId === id ? selected : await viewOfKnown(session, known.get(id));
      if (view === undefined) return undefined;
      needAllowed(session, view.countIn(searchedRanges(view, criteria.key, session.saved)));
      return { view, ...(await runSearch(session, criteria, view)) };
    });
    if (found === undefined) continue;
    await tellFound(session, found, options);
    if (options.save) session.saved = savedOf(found.uids, options);
    await yieldTurn();
  }
  // RFC 5267 section 4.3.1: searches of several mailboxes are not kept up to date.
  if (options.update)
    untagged(session, `NO [NOUPDATE ${string(session.tag)}] ESEARCH is not kept up to date`);
  await refresh(session);
  return undefined;
}

/** RFC 7377 section 2.1: a mailbox in which nothing was found need not be told of. */
async function tellFound(
  session: Session,
  found: SearchResult & { readonly view: MailboxView },
  options: typeof RETURN_ALL,
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
