import { type Answer, Bye, Connection } from './connection.ts';
import type { Random } from './random.ts';
import { type Remembered, View } from './view.ts';
import { must, Violation, type World } from './world.ts';

/** One of bob's mailboxes, as alice knows it. */
export const SHARED = '"Other Users/bob@example.test/Pool"';
/** In which others' keywords may be replaced. */
export const LOOSE = 'Loose';

export interface Person {
  readonly name: 'alice' | 'bob';
  readonly login: string;
  readonly boxes: readonly string[];
}

export interface Setting {
  readonly world: World;
  readonly port: number;
  /** Messages that a mailbox should not have more of. */
  readonly full: number;
}

/** Whether a mailbox, or the right to it, may go at any time. */
export function mayGo(name: string): boolean {
  return name.startsWith('Temp') || name === SHARED;
}

/** One client that does what chance says, and checks what it hears. */
export class Actor {
  readonly id: number;
  readonly person: Person;
  readonly random: Random;
  readonly setting: Setting;
  /** Only this one sets and removes it. */
  readonly keyword: string;
  connection!: Connection;
  remembered: Remembered | undefined;
  capabilities = '';
  rev2 = false;

  constructor(setting: Setting, person: Person, id: number, random: Random) {
    this.setting = setting;
    this.person = person;
    this.id = id;
    this.random = random;
    this.keyword = `own${id}`;
  }

  get world(): World {
    return this.setting.world;
  }

  get view(): View | undefined {
    return this.connection.view;
  }

  /** A new connection, logged in, with this or that extension. */
  async connect(): Promise<void> {
    const { world, port } = this.setting;
    const connection = await Connection.open(world, port);
    this.connection = connection;
    const login = await connection.send(`LOGIN ${this.person.login}`);
    must(login.status === 'OK', () => `LOGIN was answered ${login.status} ${login.code}`);
    if (this.capabilities === '') this.capabilities = login.code;
    if (this.capabilities.includes('COMPRESS=DEFLATE') && this.random.once(5))
      await this.#compress(connection);
    this.rev2 = this.random.once(5);
    if (this.rev2) await this.ok('ENABLE IMAP4rev2');
    const kind = this.random.below(3);
    if (kind === 0) return;
    await this.ok(kind === 1 ? 'ENABLE CONDSTORE' : 'ENABLE QRESYNC');
    connection.condstore = true;
    connection.qresync = kind === 2;
  }

  async #compress(connection: Connection): Promise<void> {
    await connection.send('COMPRESS DEFLATE', {
      done: ({ status }) => {
        if (status === 'OK') connection.compress();
      },
    });
  }

  async ok(text: string): Promise<Answer> {
    const answer = await this.connection.send(text);
    must(answer.status === 'OK', () => `${text}: ${answer.status} [${answer.code}]`);
    return answer;
  }

  /** A refusal must be one of these, by its code; BAD never is. */
  refused(text: string, answer: Answer, codes: readonly string[]): boolean {
    if (answer.status === 'OK') return false;
    const code = answer.code.split(' ')[0] ?? '';
    // The selected mailbox may just have been deleted by another session.
    if (answer.status === 'NO' && code === 'NONEXISTENT' && mayGo(this.view?.name ?? '')) return true;
    must(answer.status === 'NO' && codes.includes(code), () => `${text}: ${answer.status} [${answer.code}]`);
    return true;
  }

  boxId(name: string, uidvalidity: number): string {
    const owner = name === SHARED ? 'bob' : this.person.name;
    return `${owner}/${uidvalidity}`;
  }

  /** SELECT or EXAMINE, coming back with what is remembered where that can be. */
  async select(name: string): Promise<void> {
    const { connection } = this;
    const remembered = this.remembered?.name === name && connection.qresync ? this.remembered : undefined;
    const verb = this.random.once(6) ? 'EXAMINE' : 'SELECT';
    if (this.view !== undefined) this.world.blurred.add(this.view.box);
    const answer = await connection.selecting(`${verb} ${name}${this.#parameter(remembered)}`);
    if (this.refused(`SELECT ${name}`, answer, mayGo(name) ? ['NONEXISTENT', 'NOPERM'] : [])) return;
    this.#enter(name, answer, remembered);
  }

  #parameter(remembered: Remembered | undefined): string {
    if (remembered === undefined) return '';
    const { uidvalidity, modseq, entries } = remembered;
    let more = this.random.once(2) ? ' 1:4294967295' : '';
    if (entries.length > 0 && this.random.once(2)) {
      const numbers = this.random.some([...entries.keys()], 4);
      more += ` (${numbers.map((at) => at + 1).join(',')} ${numbers.map((at) => entries[at]?.uid).join(',')})`;
    }
    return ` (QRESYNC (${uidvalidity} ${modseq}${more}))`;
  }

  /** Make the view from what SELECT told, in its order. */
  #enter(name: string, answer: Answer, remembered: Remembered | undefined): void {
    const code = (word: string): number => {
      for (const response of answer.untagged)
        if (response.kind === 'state' && response.code.startsWith(`${word} `))
          return Number(response.code.slice(word.length + 1));
      throw new Violation(`SELECT tells no ${word}`);
    };
    const uidvalidity = code('UIDVALIDITY');
    const box = this.boxId(name, uidvalidity);
    const readOnly = answer.code === 'READ-ONLY';
    const same = remembered?.uidvalidity === uidvalidity ? remembered : undefined;
    const earlier = new Set<number>();
    const fetched: Extract<Answer['untagged'][number], { kind: 'fetch' }>[] = [];
    // What comes before CLOSED is about the mailbox that is left.
    const closed = answer.untagged.findIndex((each) => each.kind === 'state' && each.code === 'CLOSED');
    const told = answer.untagged.slice(closed + 1);
    // What came and went while it was being selected has no FETCH, but VANISHED at the end.
    const later = told.flatMap((each) => (each.kind === 'vanished' && !each.earlier ? each.uids : []));
    let settled = false;
    const settle = (): void => {
      const { view } = this.connection;
      if (settled || view === undefined) return;
      settled = true;
      if (same !== undefined) resume(view, same, earlier, fetched, later);
      for (const response of fetched) view.fetched(response, undefined);
      if (same !== undefined) view.synced = code('HIGHESTMODSEQ');
    };
    for (const response of told) {
      if (response.kind === 'exists' && this.view === undefined) {
        const made = {
          name,
          box,
          uidvalidity,
          readOnly,
          modseq: code('HIGHESTMODSEQ'),
          count: response.number,
        };
        this.connection.view = new View(this.world, made);
      } else if (response.kind === 'vanished' && response.earlier) {
        for (const uid of response.uids) earlier.add(uid);
      } else if (response.kind === 'fetch' && !settled) fetched.push(response);
      else if (
        response.kind === 'exists' ||
        response.kind === 'vanished' ||
        response.kind === 'expunge' ||
        response.kind === 'fetch'
      ) {
        settle();
        if (response.kind === 'exists') this.view?.exists(response.number);
        else if (response.kind === 'vanished') this.view?.vanished(response.uids);
        else if (response.kind === 'expunge') this.view?.expunge(response.number);
        else this.view?.fetched(response, undefined);
      }
    }
    settle();
    must(this.view !== undefined, () => 'SELECT tells no EXISTS');
    this.world.uidnext(box, code('UIDNEXT'), this.id);
    if (same !== undefined) this.world.count('QRESYNC resumed');
  }

  /** NOOP: everything must have been told by its end. */
  async noop(): Promise<void> {
    const answer = await this.connection.send('NOOP', {
      done: ({ status }) => {
        if (status === 'OK') this.view?.sync();
      },
    });
    must(answer.status === 'OK', () => `NOOP: ${answer.status} [${answer.code}]`);
    if (this.connection.condstore) this.remembered = this.view?.remember() ?? this.remembered;
  }

  /** Ask for what was not told yet. */
  async learn(): Promise<void> {
    const { view } = this;
    if (view === undefined || !view.unknown) return;
    const from = view.unknownFrom;
    const modseq = this.connection.condstore ? ' MODSEQ' : '';
    await this.ok(`UID FETCH ${from}:* (FLAGS${modseq} RFC822.SIZE INTERNALDATE)`);
  }

  /** Nothing of before is known for sure. */
  forget(): void {
    this.remembered = undefined;
    this.connection.view = undefined;
  }

  /** A lost connection is a fault unless there is a reason for it. */
  excused(error: unknown): boolean {
    if (!(error instanceof Bye)) return false;
    if (error.message === 'hung up') return true;
    const name = this.connection.view?.name;
    return /selected mailbox was deleted/i.test(error.message) && (name === undefined || mayGo(name));
  }
}

/** What was known, less what has gone, and what has come, must be all that is there (RFC 7162 section 3.2.5). */
function resume(
  view: View,
  { entries }: Remembered,
  earlier: ReadonlySet<number>,
  fetched: readonly Extract<Answer['untagged'][number], { kind: 'fetch' }>[],
  later: readonly number[],
): void {
  const known = new Map(entries.map((entry) => [entry.uid, entry]));
  const uids = new Set([...known.keys()].filter((uid) => !earlier.has(uid)));
  for (const { items } of fetched) uids.add(Number(items.get('UID')));
  for (const uid of later) uids.add(uid);
  const all = [...uids].toSorted((a, b) => a - b);
  must(
    all.length === view.entries.length,
    () =>
      `QRESYNC: ${view.entries.length} messages, but by what was told they are ${all.length}: ${all.join(',')}`,
  );
  for (const [at, uid] of all.entries()) {
    const entry = view.entries[at];
    const before = known.get(uid);
    if (entry === undefined) continue;
    entry.uid = uid;
    if (before === undefined) continue;
    entry.flags = before.flags;
    entry.modseq = before.modseq;
  }
}
