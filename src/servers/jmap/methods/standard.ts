import type { Changed } from '../../../data/jmap/changes.ts';
import { flagArg, intArg, optionalText, orNull, textArg } from '../args.ts';
import { MethodError } from '../errors.ts';
import { formatId, type IdKind } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { formatState } from '../state.ts';
import { accountText, type View } from '../view.ts';

/** `maxChanges` (RFC 8620 section 5.2). */
export function maxChanges(args: JsonObject): number | undefined {
  return intArg(args, 'maxChanges', 1);
}

/** The answer of a /changes. @throws MethodError 'cannotCalculateChanges' when `changed` is undefined */
export function changesAnswer(
  view: View,
  args: JsonObject,
  kind: IdKind,
  changed: Changed | undefined,
): JsonObject {
  if (changed === undefined) throw new MethodError('cannotCalculateChanges');
  const ids = (list: readonly number[]): string[] => list.map((id) => formatId(kind, id));
  return {
    accountId: accountText(view),
    oldState: textArg(args, 'sinceState'),
    newState: formatState(view, changed.until),
    hasMoreChanges: changed.more,
    created: ids(changed.created),
    updated: ids(changed.updated),
    destroyed: ids(changed.destroyed),
  };
}

/**
 * The answer of a /queryChanges (RFC 8620 section 5.6): all that was touched is taken out of the results and put in where it
 * stands now. `ids`: the results as of `newState` or later. `fresh`: what came since, which nobody can take out; none where the
 * results before may have been newer than their state, and had it already. @throws MethodError 'tooManyChanges'
 */
export function resultsChanged(
  view: View,
  args: JsonObject,
  kind: IdKind,
  now: {
    readonly newState: string;
    readonly ids: readonly number[];
    readonly touched: ReadonlySet<number>;
    readonly fresh: readonly number[];
  },
): JsonObject {
  const added: JsonObject[] = [];
  now.ids.forEach((id, index) => {
    if (now.touched.has(id)) added.push({ id: formatId(kind, id), index });
  });
  const most = intArg(args, 'maxChanges', 0);
  // What is behind it is told as well: all of these may change (section 5.6).
  optionalText(args, 'upToId');
  const removed = now.touched.difference(new Set(now.fresh));
  if (most !== undefined && removed.size + added.length > most) throw new MethodError('tooManyChanges');
  return {
    accountId: accountText(view),
    oldQueryState: textArg(args, 'sinceQueryState'),
    newQueryState: now.newState,
    ...(flagArg(args, 'calculateTotal') && { total: now.ids.length }),
    removed: [...removed].map((id) => formatId(kind, id)),
    added,
  };
}

/** What a /set has done so far. */
export class SetResult {
  readonly created: Record<string, Json> = {};
  readonly updated: Record<string, Json> = {};
  readonly destroyed: string[] = [];
  readonly notCreated: Record<string, Json> = {};
  readonly notUpdated: Record<string, Json> = {};
  readonly notDestroyed: Record<string, Json> = {};

  /** Whether anything has been done. */
  get isBegun(): boolean {
    const done = [this.created, this.updated].some((each) => Object.keys(each).length > 0);
    return done || this.destroyed.length > 0;
  }

  answer(view: View, oldState: string, newState: string): JsonObject {
    return {
      accountId: accountText(view),
      oldState,
      newState,
      created: orNull(this.created),
      updated: orNull(this.updated),
      destroyed: this.destroyed.length === 0 ? null : this.destroyed,
      notCreated: orNull(this.notCreated),
      notUpdated: orNull(this.notUpdated),
      notDestroyed: orNull(this.notDestroyed),
    };
  }
}

/**
 * Follows the account's modseq over the writes of one /set: `newState` may be told only when nobody else wrote in between,
 * else a client would think it had seen what it has not.
 */
export class Steps {
  readonly before: number;
  #last: number;
  #apart = false;
  #begun = false;

  constructor(before: number) {
    this.before = before;
    this.#last = before;
  }

  /** RFC 8620 section 5.3: the first write must find the account in the state that was asked for, if one was. */
  ifSeq(wanted: string | undefined): number | undefined {
    return wanted === undefined || this.#begun ? undefined : this.before;
  }

  /** A write of ours went from one modseq to another. */
  took(from: number, to: number): void {
    this.#begun = true;
    if (from !== this.#last) this.#apart = true;
    this.#last = to;
  }

  /** A state such that nothing of anybody's is passed over. */
  get after(): number {
    return this.#apart ? this.before : this.#last;
  }
}
