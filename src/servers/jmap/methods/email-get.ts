import type { EmailFacts } from '../../../data/jmap/reads.ts';
import { formatUtc, idsArg, pick, textArg } from '../args.ts';
import { type Context, mailView, method, type Method, scopeOf } from '../context.ts';
import { MethodError } from '../errors.ts';
import {
  DEFAULT_PROPERTIES,
  type EmailWish,
  emailWish,
  messageProperties,
  needsOctets,
} from '../email/properties.ts';
import { storedSource } from '../email/source.ts';
import { formatId, parseId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { formatState, parseState } from '../state.ts';
import { accountText, type View } from '../view.ts';
import { changesAnswer, maxChanges } from './standard.ts';

/** Emails read at once: others get their turn in between. */
const PAGE = 50;

/** What is known of an email without its octets. */
export function storedProperties(facts: EmailFacts): JsonObject {
  return {
    id: formatId('email', facts.id),
    blobId: emailBlobId(facts.id),
    threadId: formatId('thread', facts.threadId),
    mailboxIds: Object.fromEntries(facts.mailboxIds.map((id) => [formatId('mailbox', id), true])),
    keywords: Object.fromEntries(facts.keywords.map((keyword) => [keyword, true])),
    size: facts.size,
    receivedAt: formatUtc(facts.receivedAt),
  };
}

export function emailBlobId(emailId: number): string {
  return `B${emailId}`;
}

/** Email objects of some emails, in the order of `ids`; what may not be seen is left out. */
export async function emailObjects(
  context: Context,
  view: View,
  ids: readonly number[],
  wish: EmailWish,
): Promise<JsonObject[]> {
  const { store } = context.options;
  const list: JsonObject[] = [];
  for (let at = 0; at < ids.length; at += PAGE) {
    const some = ids.slice(at, at + PAGE);
    const found = await store.read.run('jmap.emails', { ...scopeOf(context, view), ids: some });
    const previews = wish.properties.includes('preview')
      ? await knownPreviews(context, found)
      : new Map<number, string>();
    const fresh: { emailId: number; preview: string }[] = [];
    for (const facts of found) {
      const own: Record<string, Json | undefined> = { ...storedProperties(facts) };
      if (needsOctets(wish)) {
        const source = storedSource(store.blobs, facts.content, emailBlobId(facts.id));
        const known = previews.get(facts.id);
        Object.assign(own, await messageProperties(source, wish, known));
        const { preview } = own;
        if (known === undefined && typeof preview === 'string') fresh.push({ emailId: facts.id, preview });
      }
      list.push(pick(own, wish.properties));
    }
    // Kept for the next to ask; whether that succeeds matters to nobody.
    if (fresh.length > 0)
      void store.write.run('mailstore.keepPreviews', { emails: fresh }).catch(() => undefined);
  }
  return list;
}

async function knownPreviews(context: Context, found: readonly EmailFacts[]): Promise<Map<number, string>> {
  const emailIds = found.map(({ id }) => id);
  const previews = await context.options.store.read.run('mailstore.previews', { emailIds });
  return new Map(previews.map(({ emailId, preview }) => [emailId, preview]));
}

/** RFC 8620 section 5.1: all of them, where they are no more than may be named. @throws MethodError 'requestTooLarge' */
async function allIds(context: Context, view: View): Promise<readonly string[]> {
  const { read } = context.options.store;
  const found = await read.run('jmap.emailIds', { ...scopeOf(context, view), above: 0 });
  if (found.length > JMAP_LIMITS.objectsInGet)
    throw new MethodError('requestTooLarge', 'Name the ids, by Email/query for example.');
  return [...found].map((id) => formatId('email', id));
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const given = idsArg(args);
  const wish = emailWish(args, DEFAULT_PROPERTIES);
  const { read } = context.options.store;
  const { seq } = await read.run('jmap.state', { accountId: view.accountId });
  const ids = given ?? (await allIds(context, view));
  const wanted = ids.flatMap((text) => parseId('email', text) ?? []);
  const list = await emailObjects(context, view, wanted, wish);
  const found = new Set(list.map(({ id }) => id));
  return {
    accountId: accountText(view),
    state: formatState(view, { seq }),
    list,
    notFound: ids.filter((id) => !found.has(id)),
  };
}

async function changes(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const since = parseState(view, textArg(args, 'sinceState'));
  const request = { ...scopeOf(context, view), since, max: maxChanges(args) };
  const changed = await context.options.store.read.run('jmap.emailChanges', request);
  return changesAnswer(view, args, 'email', changed);
}

export const emailGetMethods: readonly Method[] = [
  method('Email/get', CAPABILITY.mail, get),
  method('Email/changes', CAPABILITY.mail, changes),
];
