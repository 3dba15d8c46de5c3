import type { Actor } from './actor.ts';
import type { Answer } from './connection.ts';
import { expandSet, toSet } from './parse.ts';
import { LOOSE, mayGo, SHARED } from './actor.ts';
import type { Entry, View } from './view.ts';
import { must } from './world.ts';

/** Commands about messages of the selected mailbox. Each sends before it waits, so that several may be sent at once. */

const STATIC_ITEMS = [
  'ENVELOPE',
  'BODYSTRUCTURE',
  'BODY',
  'INTERNALDATE',
  'RFC822.SIZE',
  'EMAILID',
  'THREADID',
  'SAVEDATE',
  'BODY.PEEK[]',
  'BODY.PEEK[HEADER]',
  'BODY.PEEK[TEXT]',
  'BODY.PEEK[TEXT]<3.20>',
  'BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)]',
  'BODY.PEEK[HEADER.FIELDS.NOT (RECEIVED)]',
  'BODY.PEEK[1]',
  'BODY.PEEK[1.MIME]',
  'BINARY.PEEK[1]',
  'BINARY.SIZE[1]',
  'BODY[]',
  'BODY[TEXT]',
];
const FLAGS = ['\\Flagged', '\\Seen', '\\Answered', '\\Deleted', '\\Draft', '$work', '$later'];

/** Items that a FETCH may have which nobody asked for. */
const TOLD_UNASKED: ReadonlySet<string> = new Set(['UID', 'FLAGS', 'MODSEQ']);

function viewOf(actor: Actor): View {
  must(actor.view !== undefined, () => 'no mailbox is selected');
  return actor.view;
}

/** Some messages, as what goes behind the command's name. */
export function choose(actor: Actor, byUid: boolean): { entries: Entry[]; set: string } {
  const { entries } = viewOf(actor);
  const at = actor.random.once(6)
    ? [...entries.keys()]
    : actor.random.some([...entries.keys()], actor.random.once(4) ? 20 : 3);
  const chosen = at.map((each) => entries[each]).filter((entry) => entry !== undefined);
  const named = byUid ? chosen.filter(({ uid }) => uid > 0) : chosen;
  const numbers = byUid ? named.map(({ uid }) => uid) : at.map((each) => each + 1);
  return { entries: named, set: toSet(numbers) };
}

/** Those of which nothing came have gone: if they were not told of, they will be. */
function missing(actor: Actor, entries: readonly Entry[], came: ReadonlySet<Entry | number>): number {
  const view = viewOf(actor);
  let count = 0;
  for (const entry of entries) {
    if (came.has(entry) || came.has(entry.uid)) continue;
    count++;
    if (entry.uid > 0 && view.byUid(entry.uid) !== undefined) view.mustGo.add(entry.uid);
  }
  return count;
}

/** UIDs, or entries by number, of which a FETCH came that has all of these. */
function answered(actor: Actor, answer: Answer, items: readonly string[]): Set<Entry | number> {
  const view = viewOf(actor);
  const came = new Set<Entry | number>();
  for (const response of answer.untagged) {
    if (response.kind !== 'fetch' || !items.every((item) => response.items.has(item))) continue;
    if (response.items.has('UID')) came.add(Number(response.items.get('UID')));
    else {
      const entry = view.entries[response.number - 1];
      if (entry !== undefined) came.add(entry);
    }
  }
  return came;
}

function responseName(item: string): string {
  return item.replace('.PEEK', '').replace(/<(\d+)\.\d+>$/, '<$1>');
}

export async function fetch(actor: Actor, byUid: boolean): Promise<void> {
  const view = viewOf(actor);
  const { random, connection } = actor;
  const { entries, set } = choose(actor, byUid);
  if (entries.length === 0) return;
  const named = new Map(random.some(STATIC_ITEMS, 3).map((item) => [responseName(item), item]));
  const items = [...named.values()].filter((item) => !item.startsWith('BODY[') || random.once(3));
  if (random.once(2) || items.length === 0) items.push('FLAGS');
  if (connection.condstore && random.once(2)) items.push('MODSEQ');
  const since = connection.condstore && random.once(5) ? random.below(view.modseq + 1) : undefined;
  if (!byUid) items.push('UID');
  const behind = since === undefined ? '' : ` (CHANGEDSINCE ${since})`;
  const text = `${byUid ? 'UID ' : ''}FETCH ${set} (${items.join(' ')})${behind}`;
  const answer = await connection.send(text, {
    holds: !byUid,
    done: (given) => {
      if (since !== undefined) return;
      const came = answered(actor, given, items.map(responseName));
      const gone = missing(actor, entries, came);
      if (byUid) return;
      const issued = given.status === 'NO';
      // What is told of flags by itself may look like an answer: then one of these has gone, nobody knows which.
      const mistaken = issued && gone === 0 && items.every((item) => TOLD_UNASKED.has(item));
      if (mistaken) view.someMustGo.push(entries);
      must(
        mistaken || gone > 0 === issued,
        () => `${text}: ${given.status} [${given.code}] with ${gone} missing`,
      );
    },
  });
  actor.refused(text, answer, byUid ? [] : ['EXPUNGEISSUED']);
}

/** STORE of flags that all change, told or .SILENT, guarded by UNCHANGEDSINCE or not. */
export async function store(actor: Actor, byUid: boolean): Promise<void> {
  const view = viewOf(actor);
  const { random, connection } = actor;
  const { entries, set } = choose(actor, byUid);
  if (entries.length === 0) return;
  const sign = view.name === LOOSE && random.once(3) ? '' : random.pick(['+', '-']);
  const flags = random.some(FLAGS, 2);
  await change(actor, { entries, set, byUid, sign, flags, guarded: connection.condstore && random.once(4) });
}

/** The keyword that nobody else changes: what we say of it is so for everybody until we say something else. */
export async function storeOwn(actor: Actor, byUid: boolean): Promise<void> {
  const view = viewOf(actor);
  const { world, keyword, random } = actor;
  if (view.name === LOOSE) return;
  const { entries, set } = choose(actor, byUid);
  if (entries.length === 0 || entries.some(({ uid }) => uid === 0)) return;
  const sign = random.pick(['+', '-']);
  const uids = entries.map(({ uid }) => uid);
  for (const uid of uids) world.open(view.box, uid, keyword);
  const settle = (present: boolean | undefined): void => {
    for (const uid of uids) world.settle(view.box, uid, keyword, present);
  };
  let done = false;
  try {
    done = await change(actor, { entries, set, byUid, sign, flags: [keyword], guarded: false });
  } finally {
    settle(done ? sign === '+' : undefined);
  }
}

interface Change {
  readonly entries: readonly Entry[];
  readonly set: string;
  readonly byUid: boolean;
  readonly sign: string;
  readonly flags: readonly string[];
  readonly guarded: boolean;
}

/** Whether it was done, as far as the messages still exist. */
async function change(actor: Actor, wish: Change): Promise<boolean> {
  const view = viewOf(actor);
  const { random, connection } = actor;
  const { entries, set, byUid, sign, flags } = wish;
  const silent = random.once(2);
  const guard = wish.guarded
    ? ` (UNCHANGEDSINCE ${random.once(2) ? view.modseq : random.below(view.modseq + 1)})`
    : '';
  const text = `${byUid ? 'UID ' : ''}STORE ${set}${guard} ${sign}FLAGS${silent ? '.SILENT' : ''} (${flags.join(' ')})`;
  const answer = await connection.send(text, {
    holds: !byUid,
    done: (given) => {
      const guarded = /^MODIFIED (\S+)/.exec(given.code)?.[1];
      if (given.status === 'NO' && given.code !== 'EXPUNGEISSUED' && guarded === undefined) return;
      const left = new Set(guarded === undefined ? [] : expandSet(guarded));
      const at = (entry: Entry): number => (byUid ? entry.uid : view.entries.indexOf(entry) + 1);
      const done = entries.filter((entry) => !left.has(at(entry)));
      if (silent) for (const entry of done) applySilently(actor, given, entry, sign, flags);
      else missing(actor, done, changed(actor, given, sign, flags));
    },
  });
  const mayLack = view.name === SHARED ? ['NOPERM'] : [];
  const allowed = view.readOnly
    ? ['READ-ONLY', ...mayLack]
    : [...(byUid ? [] : ['EXPUNGEISSUED']), 'MODIFIED', ...mayLack];
  const refused = actor.refused(text, answer, allowed);
  must(!view.readOnly || refused, () => `${text}: done in a mailbox that is selected read-only`);
  if (refused) return answer.code === 'EXPUNGEISSUED';
  return guard === '';
}

/** Messages of which flags were told that are as the change wants them. */
function changed(actor: Actor, answer: Answer, sign: string, flags: readonly string[]): Set<Entry | number> {
  const fitting = answer.untagged.filter((response) => {
    if (response.kind !== 'fetch' || !response.items.has('FLAGS')) return false;
    if (viewOf(actor).name === SHARED) return true;
    const now = new Set(response.items.get('FLAGS') as readonly string[]);
    return flags.every((flag) => now.has(flag) === (sign !== '-'));
  });
  return answered(actor, { ...answer, untagged: fitting }, []);
}

/** What .SILENT leaves to the client, unless the server told the flags all the same. */
function applySilently(
  actor: Actor,
  answer: Answer,
  entry: Entry,
  sign: string,
  flags: readonly string[],
): void {
  if (entry.flags === undefined) return;
  // Where a MODSEQ alone came after the flags, they were told before the change.
  if (answer.told.has(entry.uid) && entry.doubt !== true) {
    // With NOTIFY, and without MODSEQ, they may have been told before it or after it: they must be asked for.
    if (actor.connection.notified && !actor.connection.condstore) entry.flags = undefined;
    return;
  }
  const before = new Set(sign === '' ? [] : entry.flags.split(' ').filter((flag) => flag !== ''));
  for (const flag of flags)
    if (sign === '-') before.delete(flag);
    else before.add(flag);
  const now = [...before].toSorted().join(' ');
  const toldModseq = entry.doubt === true;
  if (now !== entry.flags && !toldModseq) entry.modseq = 0;
  entry.flags = now;
  entry.doubt = false;
}

/** Mark some as deleted and expunge them, or whatever was marked. */
export async function expunge(actor: Actor): Promise<void> {
  const view = viewOf(actor);
  const { random, connection, setting } = actor;
  const much = view.entries.length > setting.full;
  const half = view.entries.slice(0, Math.ceil(view.entries.length / 2)).filter(({ uid }) => uid > 0);
  const { entries, set } = much
    ? { entries: half, set: toSet(half.map(({ uid }) => uid)) }
    : choose(actor, true);
  if (entries.length === 0) return;
  const refusals = view.readOnly ? ['READ-ONLY', 'NOPERM'] : view.name === SHARED ? ['NOPERM'] : [];
  const marked = connection.send(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`, {
    done: (given) => {
      if (given.status === 'OK' && !view.readOnly)
        for (const entry of entries) applySilently(actor, given, entry, '+', ['\\Deleted']);
    },
  });
  const text = random.once(2) ? 'EXPUNGE' : `UID EXPUNGE ${set}`;
  const answer = await connection.send(text);
  if (actor.refused('UID STORE +FLAGS.SILENT (\\Deleted)', await marked, refusals)) return;
  if (actor.refused(text, answer, refusals)) return;
  must(!view.readOnly, () => `${text}: done in a mailbox that is selected read-only`);
}

/** COPY and MOVE to one of the mailboxes, by number or UID. */
export async function transfer(
  actor: Actor,
  verb: 'COPY' | 'MOVE',
  byUid: boolean,
  target: string,
): Promise<void> {
  const view = viewOf(actor);
  const { connection, world } = actor;
  const { entries, set } = choose(actor, byUid);
  if (entries.length === 0) return;
  // By number, and of unknown UID: nobody could tell which of them have gone meanwhile.
  if (entries.some(({ uid }) => uid === 0)) return;
  const text = `${byUid ? 'UID ' : ''}${verb} ${set} ${target}`;
  const asked = new Set(entries.map(({ uid }) => uid));
  const answer = await connection.send(text);
  const refusals = mayGo(target) ? ['TRYCREATE', 'NONEXISTENT', 'NOPERM'] : [];
  if (verb === 'MOVE' && view.readOnly) refusals.push('READ-ONLY');
  if (verb === 'MOVE' && view.name === SHARED) refusals.push('NOPERM');
  if (actor.refused(text, answer, refusals)) return;
  const codes = [answer.code, ...answer.untagged.map((each) => (each.kind === 'state' ? each.code : ''))];
  const code = codes.find((each) => each.startsWith('COPYUID '));
  const [, uidvalidity = 0, from = '', to = ''] = code?.split(' ') ?? [];
  const sources = code === undefined ? [] : expandSet(String(from));
  const copies = code === undefined ? [] : expandSet(String(to));
  must(sources.length === copies.length, () => `${text}: ${code}`);
  const box = actor.boxId(target, Number(uidvalidity));
  for (const [at, uid] of sources.entries()) {
    const copy = copies[at] ?? 0;
    must(asked.has(uid) || asked.has(0), () => `${text}: ${code}, which was not asked for`);
    world.given(box, copy);
    if (box.split('/')[0] === view.box.split('/')[0]) world.copied(view.box, uid, box, copy);
    must(
      verb === 'COPY' || view.byUid(uid) === undefined,
      () => `${text}: UID ${uid} was moved and is still there`,
    );
  }
  missing(actor, entries, new Set(sources));
}

export async function search(actor: Actor, byUid: boolean): Promise<void> {
  const view = viewOf(actor);
  const { random, world, connection, keyword } = actor;
  const sizeOf = (entry: Entry): number =>
    Number(JSON.parse(world.factOf(view.box, entry.uid, 'RFC822.SIZE') ?? '"0"'));
  const from = random.below(view.lastKnown + 2) + 1;
  const size = 150 + random.below(300);
  const [criteria, fits] = random.pick<readonly [string, ((entry: Entry) => boolean) | undefined]>([
    ['ALL', () => true],
    [`UID ${from}:${from + 10}`, ({ uid }) => uid >= from && uid <= from + 10],
    [`LARGER ${size}`, (entry) => sizeOf(entry) > size],
    [`KEYWORD ${keyword}`, ({ flags }) => flags?.split(' ').includes(keyword) === true],
    [
      `NOT KEYWORD ${keyword} SMALLER ${size}`,
      (entry) => entry.flags?.split(' ').includes(keyword) !== true && sizeOf(entry) < size,
    ],
    ['UNSEEN', undefined],
    ['OR FLAGGED NOT DELETED', undefined],
    ['TEXT lorem', undefined],
    ['SUBJECT stress', undefined],
  ]);
  if (view.unknown || (criteria.includes('KEYWORD') && view.name === LOOSE)) return;
  const sized = (entry: Entry): boolean => world.factOf(view.box, entry.uid, 'RFC822.SIZE') !== undefined;
  if (/LARGER|SMALLER/.test(criteria) && !view.entries.every(sized)) return;
  const entries = [...view.entries];
  const options = random.once(3) ? ' RETURN (ALL COUNT)' : '';
  const text = `${byUid ? 'UID ' : ''}SEARCH${options} ${criteria}`;
  const answer = await connection.send(text, {
    holds: !byUid,
    done: (given) => {
      if (given.status !== 'OK') return;
      const found = numbersOf(given, 'search');
      must(new Set(found).size === found.length, () => `${text}: one twice: ${found.join(' ')}`);
      const hits = uidsOf(view, entries, found, byUid);
      if (fits === undefined) return;
      // What a .SILENT that was sent just before has left unknown may fit or not.
      const known = entries.filter(({ flags }) => flags !== undefined);
      const unfit = new Set(known.filter((entry) => !fits(entry)).map(({ uid }) => uid));
      for (const uid of hits) must(!unfit.has(uid), () => `${text}: found UID ${uid}, which does not fit`);
      const wanted = known.filter(fits);
      missing(actor, wanted, new Set(hits));
    },
  });
  actor.refused(text, answer, []);
}

/** The messages that a search found, as far as they were there when it was sent; others have come since. */
function uidsOf(view: View, before: readonly Entry[], found: readonly number[], byUid: boolean): number[] {
  const last = before.at(-1)?.uid ?? 0;
  const uids: number[] = [];
  for (const number of found) {
    if (!byUid)
      must(
        number >= 1 && number <= view.entries.length,
        () => `message ${number} has been found, there is none`,
      );
    const uid = byUid ? number : (before[number - 1]?.uid ?? last + 1);
    if (uid > last) continue;
    must(
      before.some((entry) => entry.uid === uid),
      () => `UID ${uid} has been found, which is not in view`,
    );
    uids.push(uid);
  }
  return uids;
}

/** Numbers of a SEARCH, SORT or ESEARCH answer. */
function numbersOf(answer: Answer, kind: 'search' | 'sort'): readonly number[] {
  for (const response of answer.untagged) {
    if (response.kind === kind) return response.numbers;
    if (response.kind !== 'esearch') continue;
    const all = response.results.get('ALL');
    const numbers = all === undefined ? [] : expandSet(all);
    const count = response.results.get('COUNT');
    must(
      count === undefined || Number(count) === numbers.length,
      () => `COUNT ${count} of ${numbers.length}`,
    );
    return numbers;
  }
  return [];
}

/** SORT and THREAD: every message once, and SORT by size in order. */
export async function order(actor: Actor, byUid: boolean): Promise<void> {
  const view = viewOf(actor);
  const { random, world, connection } = actor;
  const entries = [...view.entries];
  if (view.unknown || entries.length === 0) return;
  const how = random.pick([
    'SORT (SIZE)',
    'SORT (REVERSE ARRIVAL)',
    'SORT (SUBJECT FROM)',
    'THREAD REFERENCES',
    'THREAD ORDEREDSUBJECT',
  ]);
  const text = `${byUid ? 'UID ' : ''}${how} UTF-8 ALL`;
  const answer = await connection.send(text, {
    holds: !byUid,
    done: (given) => {
      if (given.status !== 'OK') return;
      const told = given.untagged.find(({ kind }) => kind === 'sort' || kind === 'thread');
      const numbers = told?.kind === 'sort' || told?.kind === 'thread' ? told.numbers : [];
      must(new Set(numbers).size === numbers.length, () => `${text}: one twice: ${numbers.join(' ')}`);
      const uids = uidsOf(view, entries, numbers, byUid);
      missing(actor, entries, new Set(uids));
      if (how !== 'SORT (SIZE)') return;
      if (uids.some((uid) => world.factOf(view.box, uid, 'RFC822.SIZE') === undefined)) return;
      const sizes = uids.map((uid) =>
        Number(JSON.parse(world.factOf(view.box, uid, 'RFC822.SIZE') ?? '"0"')),
      );
      // A message that has gone may stand anywhere, so of two in the wrong order one has, whichever it is.
      for (let at = 1; at < sizes.length; at++) {
        if ((sizes[at - 1] ?? 0) <= (sizes[at] ?? 0)) continue;
        const pair = new Set([uids[at - 1], uids[at]]);
        view.someMustGo.push(entries.filter(({ uid }) => pair.has(uid)));
      }
    },
  });
  actor.refused(text, answer, []);
}
