import type { Mailbox } from '../../../data/mailstore/types.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { type ListPattern, listPattern } from '../list-pattern.ts';
import { statusItems, tellStatus } from '../mailbox-status.ts';
import { flushIfFull, isRev2, loginOf, type Session, untagged, yieldTurn } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { mailbox as mailboxText } from '../wire/encoder.ts';
import { type Command, LOGGED_IN, type Outcome } from './command.ts';

/** LIST with its extensions (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154). */
export const list: Command = {
  name: 'LIST',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const request = parse(session, d);
    d.end();
    return answer(session, request);
  },
};

/** LSUB (RFC 3501 section 6.3.9). */
export const lsub: Command = {
  name: 'LSUB',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const reference = d.mailbox();
    d.sp();
    const pattern = bounded(d, reference + d.listMailbox());
    d.end();
    const { accountId } = loginOf(session);
    const mailboxes = await session.options.store.read.run('mailstore.mailboxes', { accountId });
    const subscribed = mailboxes.filter((mailbox) => mailbox.subscribed);
    const shown = await matching(subscribed, [listPattern(pattern)]);
    for (const mailbox of shown) {
      untagged(session, `LSUB () "/" ${mailboxText(mailbox.name, isRev2(session))}`);
      await flushIfFull(session);
    }
    await tellParents(session, subscribed, shown, pattern);
    return undefined;
  },
};

/** RFC 3501 section 6.3.9: with "%" a name that is only above a subscribed one is shown with \Noselect. */
async function tellParents(
  session: Session,
  subscribed: readonly Mailbox[],
  shown: readonly Mailbox[],
  pattern: string,
): Promise<void> {
  if (!pattern.endsWith('%')) return;
  const told = new Set(shown.map((mailbox) => mailbox.name));
  const match = listPattern(pattern);
  for (const { name } of subscribed) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const parent = name.slice(0, at);
      if (told.has(parent) || !match(parent)) continue;
      told.add(parent);
      untagged(session, `LSUB (\\Noselect) "/" ${mailboxText(parent, isRev2(session))}`);
      await flushIfFull(session);
    }
  }
}

interface Request {
  readonly patterns: readonly string[];
  readonly select: ReadonlySet<string>;
  readonly returns: ReadonlySet<string>;
  readonly status: readonly string[];
  /** Whether any option of RFC 5258 was used. */
  readonly extended: boolean;
}

const SELECTION = new Set(['SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH', 'SPECIAL-USE']);

function parse(session: Session, d: Decoder): Request {
  const select = new Set<string>();
  let extended = false;
  if (d.atList) {
    extended = true;
    d.list(() => option(d, select, SELECTION), { empty: true });
    d.sp();
  }
  const reference = d.mailbox();
  d.sp();
  let patterns: string[];
  if (d.atList) {
    extended = true;
    patterns = d.list(() => bounded(d, reference + d.listMailbox()));
    if (patterns.length > SESSION_LIMITS.patterns) d.fail(`at most ${SESSION_LIMITS.patterns} patterns`);
  } else patterns = [bounded(d, reference + d.listMailbox())];
  const returns = new Set<string>();
  let status: readonly string[] = [];
  if (d.skip(' RETURN ')) {
    extended = true;
    d.list(
      () => {
        if (option(d, returns, RETURNS) !== 'STATUS') return;
        d.sp();
        status = statusItems(session, d);
      },
      { empty: true },
    );
  }
  // RFC 5258 section 3.1: RECURSIVEMATCH needs something to match.
  if (select.has('RECURSIVEMATCH') && !select.has('SUBSCRIBED')) d.fail('SUBSCRIBED with RECURSIVEMATCH');
  return { patterns, select, returns, status, extended };
}

const RETURNS = new Set(['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE', 'STATUS']);

function option(d: Decoder, into: Set<string>, known: ReadonlySet<string>): string {
  const name = d.keyword('an option');
  if (!known.has(name)) d.fail('an option that is known before this');
  into.add(name);
  return name;
}

function bounded(d: Decoder, pattern: string): string {
  if (pattern.length > SESSION_LIMITS.patternBytes)
    d.fail(`a pattern of at most ${SESSION_LIMITS.patternBytes} octets`);
  return pattern;
}

async function answer(session: Session, request: Request): Promise<Outcome> {
  const { patterns, select, extended } = request;
  // RFC 9051 section 6.3.9: an empty pattern asks for the hierarchy delimiter.
  if (!extended && patterns.length === 1 && patterns[0] === '') {
    untagged(session, 'LIST (\\Noselect) "/" ""');
    return undefined;
  }
  const { accountId } = loginOf(session);
  const mailboxes = await session.options.store.read.run('mailstore.mailboxes', { accountId });
  const tree = treeOf(mailboxes);
  const byPattern = await matching(mailboxes, patterns.map(listPattern));
  for (const mailbox of byPattern) {
    const hit =
      (!select.has('SUBSCRIBED') || mailbox.subscribed) &&
      (!select.has('SPECIAL-USE') || mailbox.specialUse !== undefined) &&
      (mailbox.id !== 0 || select.has('SUBSCRIBED'));
    // RFC 5258 section 3.5: a parent is shown when something below it is subscribed and not shown itself.
    const below = select.has('RECURSIVEMATCH') && mailbox.id !== 0 && tree.subscribedBelow.has(mailbox.name);
    if (!hit && !below) continue;
    tellMailbox(session, request, mailbox, tree, below);
    if (request.status.length > 0 && mailbox.id !== 0) tellStatus(session, mailbox, request.status);
    await flushIfFull(session);
  }
  return undefined;
}

interface Tree {
  readonly parents: ReadonlySet<string>;
  readonly subscribedBelow: ReadonlySet<string>;
}

function treeOf(mailboxes: readonly Mailbox[]): Tree {
  const parents = new Set<string>();
  const subscribedBelow = new Set<string>();
  for (const { id, name, subscribed } of mailboxes) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      if (id !== 0) parents.add(name.slice(0, at));
      if (subscribed) subscribedBelow.add(name.slice(0, at));
    }
  }
  return { parents, subscribedBelow };
}

function tellMailbox(
  session: Session,
  { select, returns }: Request,
  mailbox: Mailbox,
  tree: Tree,
  below: boolean,
): void {
  const attributes: string[] = [];
  if (mailbox.id === 0) attributes.push('\\NonExistent');
  else attributes.push(tree.parents.has(mailbox.name) ? '\\HasChildren' : '\\HasNoChildren');
  // RFC 5258 section 3.1: selecting by SUBSCRIBED returns it too.
  if (mailbox.subscribed && (returns.has('SUBSCRIBED') || select.has('SUBSCRIBED')))
    attributes.push('\\Subscribed');
  // RFC 6154 section 2: special uses may be returned without being asked for.
  if (mailbox.specialUse !== undefined) attributes.push(mailbox.specialUse);
  const name = mailboxText(mailbox.name, isRev2(session));
  const childInfo = below ? ' ("CHILDINFO" ("SUBSCRIBED"))' : '';
  untagged(session, `LIST (${attributes.join(' ')}) "/" ${name}${childInfo}`);
}

/** Matches between turns of other sessions: thousands of mailboxes by a pattern full of wildcards take a while. */
const PER_TURN = 50;

async function matching(mailboxes: readonly Mailbox[], patterns: readonly ListPattern[]): Promise<Mailbox[]> {
  const found: Mailbox[] = [];
  let count = 0;
  for (const mailbox of mailboxes) {
    for (const match of patterns) {
      if (++count % PER_TURN === 0) await yieldTurn();
      if (!match(mailbox.name)) continue;
      found.push(mailbox);
      break;
    }
  }
  return found;
}
