import type { Since } from '../../../data/jmap/changes.ts';
import { asksForTexts, type EmailQuery } from '../../../data/jmap/query.ts';
import { flagArg, intArg, optionalText, textArg } from '../args.ts';
import { type Context, mailView, method, type Method, scopeOf } from '../context.ts';
import { readFilter, readSort } from '../email/filter.ts';
import { lookUp } from '../email/texts.ts';
import { MethodError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { formatState, parseState } from '../state.ts';
import { accountText, type View } from '../view.ts';

async function readQuery(context: Context, view: View, args: JsonObject): Promise<EmailQuery> {
  const asked = readFilter(args['filter']);
  const sort = readSort(args['sort']);
  return {
    ...scopeOf(context, view),
    sort,
    collapseThreads: flagArg(args, 'collapseThreads'),
    filter: await lookUp(context, view, asked),
  };
}

/**
 * The state of results: exactly theirs, so that no later answer says of an email in them that it came since. Where something
 * changed while texts were looked up, one that says so: all of it is new, and may have been among the results.
 */
function stateOf({ filter }: EmailQuery, before: number, found: { readonly seq: number }): Since {
  return asksForTexts(filter) && found.seq !== before ? { seq: before, id: 0 } : { seq: found.seq };
}

/** Email/query (RFC 8621 section 4.4). */
async function query(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const most = intArg(args, 'limit', 0);
  const limit = Math.min(most ?? JMAP_LIMITS.queryLimit, JMAP_LIMITS.queryLimit);
  const anchor = optionalText(args, 'anchor');
  const window = {
    position: intArg(args, 'position', Number.MIN_SAFE_INTEGER) ?? 0,
    anchorOffset: intArg(args, 'anchorOffset', Number.MIN_SAFE_INTEGER) ?? 0,
    limit,
    total: flagArg(args, 'calculateTotal'),
    ...(anchor !== undefined && { anchor: parseId('email', anchor) ?? -1 }),
  };
  const { read } = context.options.store;
  // Before the texts are looked up: what comes meanwhile must not be taken for seen.
  const { seq } = await read.run('jmap.state', { accountId: view.accountId });
  const asked = await readQuery(context, view, args);
  const found = await read.run('jmap.query', { query: asked, window });
  if (!found.anchorFound) throw new MethodError('anchorNotFound');
  return {
    accountId: accountText(view),
    queryState: formatState(view, stateOf(asked, seq, found)),
    canCalculateChanges: true,
    position: found.position,
    ids: [...found.ids].map((id) => formatId('email', id)),
    ...(flagArg(args, 'calculateTotal') && { total: found.total }),
    ...((most === undefined || most > limit) && { limit }),
  };
}

/** Email/queryChanges (RFC 8621 section 4.5). */
async function queryChanges(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const oldQueryState = textArg(args, 'sinceQueryState');
  const since = parseState(view, oldQueryState);
  const most = intArg(args, 'maxChanges', 0);
  const { read } = context.options.store;
  const { seq } = await read.run('jmap.state', { accountId: view.accountId });
  const asked = await readQuery(context, view, args);
  const last = optionalText(args, 'upToId');
  const upToId = last === undefined ? undefined : parseId('email', last);
  const changed = await read.run('jmap.queryChanges', { query: asked, since, upToId });
  if (changed === undefined) throw new MethodError('cannotCalculateChanges');
  const { removed, added, total } = changed;
  if (most !== undefined && removed.length + added.length > most) throw new MethodError('tooManyChanges');
  return {
    accountId: accountText(view),
    oldQueryState,
    newQueryState: formatState(view, stateOf(asked, seq, changed)),
    ...(flagArg(args, 'calculateTotal') && { total }),
    removed: removed.map((id) => formatId('email', id)),
    added: added.map(({ id, index }) => ({ id: formatId('email', id), index })),
  };
}

export const emailQueryMethods: readonly Method[] = [
  method('Email/query', CAPABILITY.mail, query),
  method('Email/queryChanges', CAPABILITY.mail, queryChanges),
];
