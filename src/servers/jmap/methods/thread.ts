import { idsArg, pick, propertiesArg, textArg } from '../args.ts';
import { type Context, mailView, method, type Method, scopeOf } from '../context.ts';
import { MethodError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { formatState, parseState } from '../state.ts';
import { accountText } from '../view.ts';
import { changesAnswer, maxChanges } from './standard.ts';

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const ids = idsArg(args);
  const properties = propertiesArg(args, (name) => name === 'id' || name === 'emailIds');
  const wanted = ids?.map((text) => parseId('thread', text) ?? -1) ?? null;
  const { seq, threads } = await context.options.store.read.run('jmap.threads', {
    ...scopeOf(context, view),
    ids: wanted,
  });
  if (ids === undefined && threads.length > JMAP_LIMITS.objectsInGet)
    throw new MethodError('requestTooLarge');
  const list = threads.map(({ id, emailIds }) =>
    pick(
      { id: formatId('thread', id), emailIds: emailIds.map((each) => formatId('email', each)) },
      properties,
    ),
  );
  const found = new Set(list.map(({ id }) => id));
  const notFound = (ids ?? []).filter((id) => !found.has(id));
  return { accountId: accountText(view), state: formatState(view, { seq }), list, notFound };
}

async function changes(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const since = parseState(view, textArg(args, 'sinceState'));
  const request = { ...scopeOf(context, view), since, max: maxChanges(args) };
  const changed = await context.options.store.read.run('jmap.threadChanges', request);
  return changesAnswer(view, args, 'thread', changed);
}

export const threadMethods: readonly Method[] = [
  method('Thread/get', CAPABILITY.mail, get),
  method('Thread/changes', CAPABILITY.mail, changes),
];
