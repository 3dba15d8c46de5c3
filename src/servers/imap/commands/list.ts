import type { Refusal } from '../../../base/errors.ts';
import type { Mailbox } from '../../../data/mailstore/types.ts';
import { formatRightsWithObsolete, hasRights, Right, TELLING } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { selectMatching } from '../list-match.ts';
import { listPattern } from '../list-pattern.ts';
import { statusItems, tellStatus } from '../mailbox-status.ts';
import { refuse } from '../replies.ts';
import { flushIfFull, loginOf, type Session, spend, untagged, usesUtf8 } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { mailbox as mailboxText } from '../wire/encoder.ts';
import { type Command, LOGGED_IN, type Outcome } from './command.ts';
import { type EntryName, entryNames, LIST_METADATA, mayAnnotate, tellAnnotations } from './metadata.ts';

/** LIST with its extensions (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 8440, RFC 9590). */
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
    const pattern = reference + d.listMailbox();
    d.end();
    if (!isAccepted(pattern)) return undefined;
    const { accountId } = loginOf(session);
    const known = await session.options.store.read.run('sharing.mailboxes', { accountId });
    const subscribed = known.map(({ mailbox }) => mailbox).filter((mailbox) => mailbox.subscribed);
    const shown = await selectMatching(subscribed, [listPattern(pattern)], session.turns);
    for (const mailbox of shown) {
      await spend(session, STEPS_PER_NAME + STEPS_PER_CHAR * mailbox.name.length);
      untagged(session, `LSUB () "/" ${mailboxText(mailbox.name, usesUtf8(session))}`);
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
  const work = { steps: 0 };
  for (const { name } of subscribed) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const parent = name.slice(0, at);
      await spend(session, STEPS_PER_NAME + STEPS_PER_CHAR * at + work.steps);
      work.steps = 0;
      if (told.has(parent) || !match(parent, work)) continue;
      told.add(parent);
      untagged(session, `LSUB (\\Noselect) "/" ${mailboxText(parent, usesUtf8(session))}`);
      await flushIfFull(session);
    }
  }
}

interface Request {
  readonly patterns: readonly string[];
  readonly select: ReadonlySet<string>;
  readonly returns: ReadonlySet<string>;
  readonly status: readonly string[];
  readonly metadata: readonly EntryName[];
  /** Whether any option of RFC 5258 was used. */
  readonly extended: boolean;
  /** Only the hierarchy delimiter is asked for. */
  readonly delimiter: boolean;
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
    let count = 0;
    patterns = d.list(() => {
      if (++count > SESSION_LIMITS.patterns) throw tooMuch(`${SESSION_LIMITS.patterns} patterns`);
      return d.listMailbox();
    });
  } else patterns = [d.listMailbox()];
  const returns = new Set<string>();
  let status: readonly string[] = [];
  let metadata: readonly EntryName[] = [];
  if (d.skip(' RETURN ')) {
    extended = true;
    d.list(
      () => {
        const name = option(d, returns, RETURNS);
        if (name !== 'STATUS' && name !== 'METADATA') return;
        d.sp();
        if (name === 'STATUS') status = statusItems(session, d);
        else metadata = entryNames(d);
      },
      { empty: true },
    );
  }
  // RFC 5258 section 3.1: RECURSIVEMATCH needs something to match.
  if (select.has('RECURSIVEMATCH') && !select.has('SUBSCRIBED')) d.fail('SUBSCRIBED with RECURSIVEMATCH');
  // RFC 9051 section 6.3.9: an empty pattern asks for the hierarchy delimiter; with options it means nothing.
  const delimiter = !extended && patterns.every((pattern) => pattern === '');
  const accepted = patterns
    .filter((pattern) => pattern !== '')
    .map((pattern) => reference + pattern)
    .filter(isAccepted);
  return { patterns: accepted, select, returns, status, metadata, extended, delimiter };
}

const RETURNS = new Set(['SUBSCRIBED', 'CHILDREN', 'SPECIAL-USE', 'STATUS', 'MYRIGHTS', 'METADATA']);

function option(d: Decoder, into: Set<string>, known: ReadonlySet<string>): string {
  const name = d.keyword('an option');
  if (!known.has(name)) d.fail('an option that is known before this');
  into.add(name);
  return name;
}

/**
 * Whether a pattern is not too long; only what comes after its first wildcard costs more than a comparison. RFC 9051
 * section 6.3.9: one that is not accepted matches nothing, and that is no failure.
 */
function isAccepted(pattern: string): boolean {
  const { patternBytes, wildcardBytes } = SESSION_LIMITS;
  if (Buffer.byteLength(pattern) > patternBytes) return false;
  const first = pattern.search(/[%*]/);
  return first === -1 || Buffer.byteLength(pattern.slice(first)) <= wildcardBytes;
}

function tooMuch(what: string): Refusal {
  return refuse('limit', 'LIMIT', `At most ${what} are taken`);
}

async function answer(session: Session, request: Request): Promise<Outcome> {
  const { patterns, select, delimiter } = request;
  if (delimiter) {
    untagged(session, 'LIST (\\Noselect) "/" ""');
    return undefined;
  }
  if (patterns.length === 0) return undefined;
  const { accountId } = loginOf(session);
  const known = await session.options.store.read.run('sharing.mailboxes', { accountId });
  const mailboxes = await withLevels(session, known, request);
  const byPattern = await selectMatching(mailboxes, patterns.map(listPattern), session.turns);
  const tree = await treeOf(session, mailboxes, select, new Set(byPattern));
  for (const mailbox of byPattern) {
    await spend(session, STEPS_PER_NAME + STEPS_PER_CHAR * mailbox.name.length);
    const hit = isSelected(mailbox, select);
    const child = select.has('RECURSIVEMATCH') ? tree.below.get(mailbox.name) : undefined;
    // RFC 9051 section 6.3.9.3: a parent is shown when something below it is meant and not shown itself.
    if (!hit && child !== 'hidden') continue;
    tellMailbox(session, request, mailbox, tree, child !== undefined);
    // RFC 9051 section 6.3.9.8: more is told only of what was meant itself.
    if (hit) await tellMore(session, request, mailbox);
    await flushIfFull(session);
  }
  return undefined;
}

/** Whether a mailbox is what the selection options mean. */
function isSelected(mailbox: Listed, select: ReadonlySet<string>): boolean {
  if (select.has('SUBSCRIBED') && !mailbox.subscribed) return false;
  if (select.has('SPECIAL-USE') && mailbox.specialUse === undefined) return false;
  return mailbox.id !== 0 || select.has('SUBSCRIBED') || (mailbox.level && !select.has('SPECIAL-USE'));
}

/** What a mailbox's LIST response is followed by. */
async function tellMore(session: Session, request: Request, mailbox: Listed): Promise<void> {
  if (mailbox.id === 0) return;
  // RFC 5819 section 2: no STATUS for what may not be read.
  if (request.status.length > 0 && hasRights(mailbox.rights, Right.Read))
    await tellStatus(session, mailbox, request.status);
  // RFC 8440.
  if (request.returns.has('MYRIGHTS') && (mailbox.rights & TELLING) !== 0) {
    const name = mailboxText(mailbox.name, usesUtf8(session));
    untagged(session, `MYRIGHTS ${name} "${formatRightsWithObsolete(mailbox.rights)}"`);
  }
  // RFC 9590.
  if (request.metadata.length > 0 && mayAnnotate(mailbox.rights))
    await tellAnnotations(session, mailbox, request.metadata, LIST_METADATA);
}

interface Listed extends Mailbox {
  readonly rights: number;
  /** A level above mailboxes of others that is no mailbox, or none that may be seen. */
  readonly level: boolean;
}

/**
 * The mailboxes, and for patterns that end in a level of the hierarchy the levels above those of others (RFC 9051
 * section 6.3.9), by name. With RECURSIVEMATCH the levels above subscriptions too, for a parent need not be there
 * (RFC 9051 section 6.3.9.6).
 */
async function withLevels(
  session: Session,
  known: readonly KnownMailbox[],
  { patterns, select }: Request,
): Promise<readonly Listed[]> {
  const listed = known.map(({ mailbox, rights }): Listed => ({ ...mailbox, rights, level: false }));
  const recursive = select.has('RECURSIVEMATCH');
  const byLevel = patterns.some((pattern) => !pattern.endsWith('*'));
  const names = new Set(listed.map(({ name }) => name));
  const before = names.size;
  for (const { mailbox, own } of known) {
    const above = recursive ? mailbox.subscribed : byLevel && !own && mailbox.id !== 0;
    if (!above) continue;
    const { name } = mailbox;
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const level = name.slice(0, at);
      if (names.has(level)) continue;
      names.add(level);
      listed.push({
        ...mailbox,
        id: 0,
        name: level,
        specialUse: undefined,
        subscribed: false,
        rights: 0,
        level: true,
      });
    }
    await spend(session, STEPS_PER_NAME + STEPS_PER_CHAR * name.length);
  }
  return names.size === before ? listed : listed.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

interface Tree {
  readonly parents: ReadonlySet<string>;
  /** What has something below it that the options mean: whether it is all shown for itself. */
  readonly below: ReadonlyMap<string, 'shown' | 'hidden'>;
}

/** Steps for a name that is taken apart or told, per character, and besides. */
const STEPS_PER_CHAR = 2;
const STEPS_PER_NAME = 200;

async function treeOf(
  session: Session,
  mailboxes: readonly Listed[],
  select: ReadonlySet<string>,
  shown: ReadonlySet<Listed>,
): Promise<Tree> {
  const parents = new Set<string>();
  const below = new Map<string, 'shown' | 'hidden'>();
  const recursive = select.has('RECURSIVEMATCH');
  for (const mailbox of mailboxes) {
    const { id, name } = mailbox;
    const meant = recursive && isSelected(mailbox, select);
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const parent = name.slice(0, at);
      if (id !== 0) parents.add(parent);
      if (meant && below.get(parent) !== 'hidden') below.set(parent, shown.has(mailbox) ? 'shown' : 'hidden');
      await spend(session, STEPS_PER_NAME + STEPS_PER_CHAR * at);
    }
  }
  return { parents, below };
}

function tellMailbox(
  session: Session,
  { select, returns, extended }: Request,
  mailbox: Listed,
  tree: Tree,
  below: boolean,
): void {
  const attributes: string[] = [];
  const parent = tree.parents.has(mailbox.name);
  if (mailbox.level) attributes.push(extended ? '\\NonExistent' : '\\Noselect');
  else if (mailbox.id === 0) attributes.push('\\NonExistent');
  // RFC 9051 section 6.3.9.5: one or the other where they are asked for.
  if (mailbox.id !== 0 || parent || returns.has('CHILDREN'))
    attributes.push(parent ? '\\HasChildren' : '\\HasNoChildren');
  if (mailbox.id !== 0 && !hasRights(mailbox.rights, Right.Read)) attributes.push('\\Noselect');
  // RFC 5258 section 3.1: selecting by SUBSCRIBED returns it too.
  if (mailbox.subscribed && (returns.has('SUBSCRIBED') || select.has('SUBSCRIBED')))
    attributes.push('\\Subscribed');
  // RFC 6154 section 2: special uses may be returned without being asked for.
  if (mailbox.specialUse !== undefined) attributes.push(mailbox.specialUse);
  const name = mailboxText(mailbox.name, usesUtf8(session));
  const childInfo = below ? ' ("CHILDINFO" ("SUBSCRIBED"))' : '';
  untagged(session, `LIST (${attributes.join(' ')}) "/" ${name}${childInfo}`);
}
