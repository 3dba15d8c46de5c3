import { cacheBytes } from '../../../base/memory.ts';
import type {
  ReadArgs,
  Reader,
  ReadName,
  ReadResult,
  WriteArgs,
  WriteName,
  Writer,
  WriteResult,
} from '../../store.ts';
import type { Snapshot } from '../listing.ts';
import type {
  FetchRequest,
  MailboxChanges,
  MessageRow,
  StoreFlagsRequest,
  StoreFlagsResult,
} from '../types.ts';
import { EmailTextCache } from './email-texts.ts';
import { unpackedChanges } from './packed-changes.ts';
import { MailboxRows } from './mailbox-rows.ts';
import type { Columns } from './packed.ts';

/** Octets of rows of mailboxes (some 700,000 messages), and of envelopes and the like (some 12,000 of them). */
const ROWS_BYTES = cacheBytes(32 * 1024 * 1024);
const TEXT_BYTES = cacheBytes(24 * 1024 * 1024);
/** Rows that one advance reads; a mailbox that grew by more is read anew, in the reader thread. */
const ARRIVED_MAX = 1000;
/** Answers that hold until the next commit; more are forgotten all at once. */
const ANSWERS_MAX = 500;

interface Held {
  readonly rows: MailboxRows;
  /** Somebody brings it up to date: others wait for that. */
  advancing: Promise<void> | undefined;
  /** The state of the database (see `CachedReader`) in which they were found to be current. */
  asOf: number | undefined;
}

function has(keywords: readonly string[], name: string): boolean {
  return keywords.some((each) => each.toLowerCase() === name);
}

/**
 * A reader that keeps the rows of mailboxes somebody has selected, and envelopes that were read, in memory. Whether a
 * mailbox has changed is asked of the database every time (one row by its key, when anything was committed since), so
 * what it answers is what the database would; a mailbox nobody has selected is read there as ever.
 *
 * `state`: a number that is another one after each commit, whoever made it. While it stays, so does what was read: most
 * clients ask again and again for what nobody has changed.
 */
export class CachedReader implements Reader {
  readonly #read: Reader;
  readonly #mailboxes = new Map<number, Held>();
  readonly #loading = new Map<number, Promise<MailboxRows | undefined>>();
  readonly #changing = new Map<string, Promise<MailboxChanges>>();
  readonly #texts = new EmailTextCache(TEXT_BYTES);
  readonly #state: (() => number) | undefined;
  /** Answers of the database in the state `#answersOf`. */
  readonly #answers = new Map<string, Promise<unknown>>();
  #answersOf: number | undefined;

  constructor(read: Reader, state?: () => number) {
    this.#read = read;
    this.#state = state;
  }

  /** A writer through which this reader learns what it need not read again. */
  watching(write: Writer): Writer {
    return {
      run: <N extends WriteName>(name: N, args: WriteArgs<N>, given?: readonly ArrayBuffer[]) => {
        const result = write.run(name, args, given);
        if (name !== 'mailstore.storeFlags') return result;
        return result.then((done) => {
          this.#stored(args as StoreFlagsRequest, done as StoreFlagsResult);
          return done;
        }) as Promise<WriteResult<N>>;
      },
    };
  }

  #stored(request: StoreFlagsRequest, result: StoreFlagsResult): void {
    const held = this.#mailboxes.get(request.mailboxId);
    if (held === undefined || held.advancing !== undefined) return;
    if (held.rows.stored(request, result)) held.asOf = undefined;
  }

  run<N extends ReadName>(name: N, args: ReadArgs<N>): Promise<ReadResult<N>> {
    switch (name) {
      case 'mailstore.fetch':
        return this.#fetch(args as FetchRequest) as Promise<ReadResult<N>>;
      case 'mailstore.snapshot':
        return this.#snapshot(args as ReadArgs<'mailstore.snapshot'>) as Promise<ReadResult<N>>;
      case 'mailstore.changesSince':
        return this.#changes(args as ReadArgs<'mailstore.changesSince'>) as Promise<ReadResult<N>>;
      case 'mailstore.uidsByFlags':
        return this.#uidsByFlags(args as ReadArgs<'mailstore.uidsByFlags'>) as Promise<ReadResult<N>>;
      case 'mailstore.columns':
        return this.#columns(args as ReadArgs<'mailstore.columns'>) as Promise<ReadResult<N>>;
      case 'sharing.resolve': {
        const { accountId, name: mailbox } = args as ReadArgs<'sharing.resolve'>;
        return this.#answer(name, args, `name ${accountId} ${mailbox}`);
      }
      case 'sharing.rights': {
        const { accountId, mailboxId } = args as ReadArgs<'sharing.rights'>;
        return this.#answer(name, args, `rights ${accountId} ${mailboxId}`);
      }
      default:
        return this.#read.run(name, args);
    }
  }

  /** What the database says, asked once in each of its states. */
  #answer<N extends ReadName>(name: N, args: ReadArgs<N>, key: string): Promise<ReadResult<N>> {
    const state = this.#state?.();
    if (state === undefined) return this.#read.run(name, args);
    if (state !== this.#answersOf || this.#answers.size >= ANSWERS_MAX) this.#answers.clear();
    this.#answersOf = state;
    const known = this.#answers.get(key);
    if (known !== undefined) return known as Promise<ReadResult<N>>;
    const answer = this.#read.run(name, args);
    this.#answers.set(key, answer);
    answer.catch(() => this.#answers.delete(key));
    return answer;
  }

  async #columns(args: ReadArgs<'mailstore.columns'>): Promise<Columns> {
    const rows = await this.#current(args.mailboxId, false);
    const found =
      rows === undefined
        ? await this.#read.run('mailstore.columns', args)
        : rows.columns(args.from, args.to, args.limit);
    if (!args.texts) return found;
    return { ...found, texts: Array.from(found.emailIds, (id) => this.#texts.get(id)) };
  }

  async #fetch(request: FetchRequest): Promise<MessageRow[]> {
    const rows = request.want.includes('thread') ? undefined : await this.#current(request.mailboxId, false);
    if (rows === undefined) return this.#fetchAndKeep(request);
    const found = rows.find(request.ranges, request.changedSince ?? 0, request.limit);
    if (request.want.length === 0) return found.map((at) => rows.row(at));
    const full: MessageRow[] = [];
    for (const at of found) {
      const texts = this.#texts.get(rows.emailId(at));
      if (texts === undefined || request.want.some((part) => part !== 'thread' && texts[part] === undefined))
        return this.#fetchAndKeep(request);
      full.push({ ...rows.row(at), ...texts });
    }
    return full;
  }

  async #fetchAndKeep(request: FetchRequest): Promise<MessageRow[]> {
    const rows = await this.#read.run('mailstore.fetch', request);
    if (request.want.length > 0) for (const row of rows) this.#texts.put(row);
    return rows;
  }

  /**
   * What changed. Where that is much (somebody flagged all of a large mailbox), it is read in the reader thread, once
   * for all sessions that stood at the same change.
   */
  async #changes(since: ReadArgs<'mailstore.changesSince'>): Promise<MailboxChanges> {
    const rows = await this.#current(since.mailboxId, false);
    return rows?.changesSince(since.modseq) ?? this.#readChanges(since);
  }

  async #readChanges(since: ReadArgs<'mailstore.changesSince'>): Promise<MailboxChanges> {
    const few = await this.#read.run('mailstore.fewChangesSince', since);
    if (!('many' in few)) return few;
    for (;;) {
      const changes = await this.#manyChanges(since);
      // A read that was under way may have begun before what we have been woken for.
      if (!changes.exists || changes.modseq >= few.modseq) return changes;
    }
  }

  #manyChanges(since: ReadArgs<'mailstore.changesSince'>): Promise<MailboxChanges> {
    const key = `${since.mailboxId} ${since.modseq}`;
    const underWay = this.#changing.get(key);
    if (underWay !== undefined) return underWay;
    const changing = this.#read
      .run('mailstore.packedChangesSince', since)
      .then(unpackedChanges)
      .finally(() => this.#changing.delete(key));
    this.#changing.set(key, changing);
    return changing;
  }

  async #snapshot({ mailboxId }: { mailboxId: number }): Promise<Snapshot | undefined> {
    const rows = await this.#current(mailboxId, true);
    if (rows === undefined) return undefined;
    const { mailbox } = rows;
    return { mailbox, uids: rows.uids(), firstUnseen: rows.firstUnseen(), keywords: rows.keywordsInUse() };
  }

  async #uidsByFlags(args: ReadArgs<'mailstore.uidsByFlags'>): Promise<Uint32Array> {
    const rows = await this.#current(args.mailboxId, false);
    if (rows === undefined) return this.#read.run('mailstore.uidsByFlags', args);
    const keyword = args.keyword?.toLowerCase();
    const notKeyword = args.notKeyword?.toLowerCase();
    const passes =
      keyword === undefined && notKeyword === undefined
        ? undefined
        : (keywords: readonly string[]): boolean =>
            (keyword === undefined || has(keywords, keyword)) &&
            (notKeyword === undefined || !has(keywords, notKeyword));
    return rows.byFlags(args.all, args.none, passes);
  }

  /** The rows of a mailbox as they are now; undefined when there is none, or, without `load`, when it is not held. */
  async #current(mailboxId: number, load: boolean): Promise<MailboxRows | undefined> {
    for (;;) {
      const held = this.#mailboxes.get(mailboxId);
      if (held === undefined) {
        if (!load) return undefined;
        // A load that others began may have read the mailbox before what our caller knows of.
        const joined = this.#loading.has(mailboxId);
        const rows = await this.#load(mailboxId);
        if (rows === undefined || !joined) return rows;
        continue;
      }
      if (held.advancing !== undefined) {
        await held.advancing;
        continue;
      }
      const state = this.#state?.();
      if (state !== undefined && held.asOf === state) return held.rows;
      const mailbox = await this.#read.run('mailstore.mailboxById', { mailboxId });
      if (mailbox === undefined) {
        this.#mailboxes.delete(mailboxId);
        return undefined;
      }
      // Somebody may have gone ahead of us while we asked.
      if (held.advancing !== undefined || this.#mailboxes.get(mailboxId) !== held) continue;
      const { rows } = held;
      if (mailbox.modseq <= rows.mailbox.modseq) {
        // What SELECT takes over (\Recent), or a new name, changes no message.
        if (mailbox.modseq === rows.mailbox.modseq) {
          rows.mailbox = mailbox;
          held.asOf = state;
        }
        return rows;
      }
      held.advancing = this.#advance(held, mailbox.uidnext);
      try {
        await held.advancing;
      } finally {
        held.advancing = undefined;
      }
    }
  }

  /** Take in what changed since, or let go of it all where that is too much. */
  async #advance(held: Held, uidnext: number): Promise<void> {
    const { rows } = held;
    const mailboxId = rows.mailbox.id;
    const grown = uidnext - 1 - rows.lastUid > ARRIVED_MAX;
    const changes = grown ? undefined : await this.#readChanges({ mailboxId, modseq: rows.mailbox.modseq });
    if (changes === undefined || !changes.exists || !changes.complete) {
      this.#mailboxes.delete(mailboxId);
      return;
    }
    const arrived =
      changes.uidnext - 1 > rows.lastUid
        ? await this.#read.run('mailstore.fetch', {
            mailboxId,
            // What came after these changes is told by the next ones.
            ranges: [{ from: rows.lastUid + 1, to: changes.uidnext - 1 }],
            want: [],
            limit: changes.uidnext - rows.lastUid,
          })
        : [];
    rows.apply(changes, arrived);
  }

  #load(mailboxId: number): Promise<MailboxRows | undefined> {
    const underWay = this.#loading.get(mailboxId);
    if (underWay !== undefined) return underWay;
    const loading = this.#read
      .run('mailstore.packed', { mailboxId })
      .then((found) => {
        if (found === undefined) return undefined;
        const rows = new MailboxRows(found.mailbox, found.rows);
        this.#mailboxes.set(mailboxId, { rows, advancing: undefined, asOf: undefined });
        this.#makeRoom();
        return rows;
      })
      .finally(() => this.#loading.delete(mailboxId));
    this.#loading.set(mailboxId, loading);
    return loading;
  }

  /** The mailboxes that were loaded first go first; the last one stays, however large. */
  #makeRoom(): void {
    let bytes = 0;
    for (const { rows } of this.#mailboxes.values()) bytes += rows.bytes;
    for (const [id, { rows }] of this.#mailboxes) {
      if (bytes <= ROWS_BYTES || this.#mailboxes.size === 1) break;
      this.#mailboxes.delete(id);
      bytes -= rows.bytes;
    }
  }
}
