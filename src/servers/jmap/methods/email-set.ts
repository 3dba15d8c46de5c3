import type { AddedEmail, EmailUpdate, SetChange } from '../../../data/jmap/set-emails.ts';
import { givenAway } from '../../../data/blobs/given.ts';
import { Intake } from '../../../flow/intake.ts';
import { Refusal } from '../../../base/errors.ts';
import { parseUtc, setArgs } from '../args.ts';
import { changingView, type Context, method, type Method, resolveCreated } from '../context.ts';
import { compose, COMPOSED } from '../email/compose.ts';
import { headerProperty } from '../email/headers.ts';
import { otherwise } from '../email/unchanged.ts';
import {
  invalidProperties,
  MethodError,
  setErrorFrom,
  SetError,
  setErrorOf,
  stateMismatch,
} from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { CAPABILITY } from '../limits.ts';
import { namesChange, namesOf, type NamesChange, patchedProperties } from '../patch.ts';
import { formatState } from '../state.ts';
import type { View } from '../view.ts';
import { emailBlobId } from './email-get.ts';
import { requireState } from './mailbox-set.ts';
import { SetResult, Steps } from './standard.ts';

/** Where a new email goes, and how it is marked. */
export interface Placing {
  readonly mailboxIds: readonly number[];
  readonly keywords: readonly string[];
  readonly receivedAt: number;
}

function mailboxNumber(context: Context, text: string): number {
  const id = parseId('mailbox', resolveCreated(context, text));
  if (id === undefined) throw invalidProperties(['mailboxIds'], 'There is no such mailbox.');
  return id;
}

/** RFC 8621 section 4.1.1: what a keyword may be. */
function keywordText(text: string): string {
  if (!/^[\x21\x23-\x24\x26-\x27\x2b-\x5b\x5e-\x7a\x7c-\x7e]{1,255}$/.test(text))
    throw invalidProperties(['keywords'], `"${text.slice(0, 100)}" is no keyword.`);
  return text.toLowerCase();
}

export function placingOf(context: Context, given: JsonObject): Placing {
  const mailboxIds = namesOf(given['mailboxIds'], 'mailboxIds').map((text) => mailboxNumber(context, text));
  if (mailboxIds.length === 0)
    throw invalidProperties(['mailboxIds'], 'An email lies in at least one mailbox.');
  const keywords = given['keywords'] == null ? [] : namesOf(given['keywords'], 'keywords').map(keywordText);
  const { receivedAt = null } = given;
  const ms = receivedAt === null ? context.options.clock.now() : parseUtc(receivedAt);
  if (ms === undefined) throw invalidProperties(['receivedAt'], 'receivedAt must be a UTC date.');
  return { mailboxIds: [...new Set(mailboxIds)], keywords: [...new Set(keywords)], receivedAt: ms };
}

/** Store the octets of a new email. @throws SetError, Refusal, MethodError 'stateMismatch' */
export async function storeEmail(
  context: Context,
  view: View,
  octets: AsyncIterable<Buffer>,
  placing: Placing,
  /** The state that the account must be at. */
  ifSeq?: number,
): Promise<Exclude<AddedEmail, { readonly failure: unknown }>> {
  const { store, settings, full } = context.options;
  if (full()) throw new Refusal('storage-full', 'The disk of the server is nearly full; try again later.');
  const intake = new Intake({ bodies: store.bodies, maxBytes: settings().maxMessageBytes });
  let taken: Awaited<ReturnType<Intake['finish']>>;
  try {
    for await (const piece of octets) await intake.write(piece);
    taken = await intake.finish();
  } catch (error) {
    intake.abort();
    throw error;
  }
  const { blob, content } = taken;
  const { accountId, viewer } = view;
  const request = { accountId, viewer, blob, content, ...placing, trace: context.trace, ifSeq };
  try {
    const added = await store.write.run('jmap.addEmail', request, givenAway(blob));
    if (!('failure' in added)) return added;
    intake.drop();
    throw new SetError(added.failure.type, added.failure.description, setErrorOf(added.failure));
  } catch (error) {
    if (error instanceof Refusal && error.kind !== 'unavailable') intake.drop();
    return stateMismatch(error);
  }
}

/** What is told of a new email. */
export function createdAnswer(added: { id: number; threadId: number; size: number }): JsonObject {
  return {
    id: formatId('email', added.id),
    blobId: emailBlobId(added.id),
    threadId: formatId('thread', added.threadId),
    size: added.size,
  };
}

const CREATED: ReadonlySet<string> = new Set(['mailboxIds', 'keywords', 'receivedAt']);

async function create(context: Context, view: View, given: JsonObject, ifSeq: number | undefined) {
  const { store, settings, clock } = context.options;
  const unknown = Object.keys(given).filter(
    (name) => !CREATED.has(name) && !COMPOSED.has(name) && headerProperty(name) === undefined,
  );
  if (unknown.length > 0) throw invalidProperties(unknown.slice(0, 20), 'These cannot be set.');
  const placing = placingOf(context, given);
  const resolve = (id: string): string | undefined => resolveCreated(context, id);
  const { hostname, maxMessageBytes: maxBytes } = settings();
  const parts = { store, view, hostname, nowMs: clock.now(), maxBytes, resolve };
  return storeEmail(context, view, await compose(parts, given), placing, ifSeq);
}

function changeOf<T>(change: NamesChange | undefined, of: (text: string) => T): SetChange<T> | undefined {
  if (change === undefined) return undefined;
  return 'all' in change
    ? { all: change.all.map(of) }
    : { add: change.add.map(of), remove: change.remove.map(of) };
}

async function updateOf(context: Context, view: View, text: string, patch: JsonObject): Promise<EmailUpdate> {
  const id = parseId('email', resolveCreated(context, text));
  if (id === undefined) throw new SetError('notFound');
  const fixed = patchedProperties(patch).filter((name) => name !== 'keywords' && name !== 'mailboxIds');
  // RFC 8621 section 4.6: nothing else of an email ever changes.
  if (fixed.length > 0) {
    const wrong = await otherwise(
      context,
      view,
      id,
      Object.fromEntries(fixed.map((name) => [name, patch[name]])),
    );
    if (wrong.length > 0) throw invalidProperties(wrong.slice(0, 20), 'These cannot be changed.');
  }
  const mailboxIds = namesChange(patch, 'mailboxIds');
  return {
    id,
    keywords: changeOf(namesChange(patch, 'keywords', {}), keywordText),
    // To take away what is not there is done already (RFC 8620 section 5.3).
    mailboxIds: changeOf(
      mailboxIds === undefined || 'all' in mailboxIds
        ? mailboxIds
        : { ...mailboxIds, remove: mailboxIds.remove.filter((name) => isMailboxId(context, name)) },
      (name) => mailboxNumber(context, name),
    ),
  };
}

function isMailboxId(context: Context, text: string): boolean {
  return parseId('mailbox', resolveCreated(context, text)) !== undefined;
}

/** Email/set (RFC 8621 section 4.6). */
export async function emailSet(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await changingView(context, args);
  const given = setArgs(args);
  const { read, write } = context.options.store;
  const { seq } = await read.run('jmap.state', { accountId: view.accountId });
  requireState(view, given.ifInState, seq);
  const steps = new Steps(seq);
  const result = new SetResult();
  const state = (at: number): string => formatState(view, { seq: at });
  for (const [key, fields] of given.create) {
    try {
      const added = await create(context, view, fields, steps.ifSeq(given.ifInState));
      steps.took(added.seq - 1, added.seq);
      context.createdIds.set(key, formatId('email', added.id));
      result.created[key] = createdAnswer(added);
    } catch (error) {
      result.notCreated[key] = setErrorFrom(error, result.isBegun);
    }
  }
  const updates: { text: string; update: EmailUpdate }[] = [];
  for (const [text, patch] of given.update) {
    try {
      if (given.destroy.includes(text)) throw new SetError('willDestroy');
      updates.push({ text, update: await updateOf(context, view, text, patch) });
    } catch (error) {
      result.notUpdated[text] = setErrorFrom(error, result.isBegun);
    }
  }
  const destroys = given.destroy.map((text) => ({
    text,
    id: parseId('email', resolveCreated(context, text)) ?? 0,
  }));
  if (updates.length + destroys.length > 0) {
    const request = {
      accountId: view.accountId,
      viewer: view.viewer,
      updates: updates.map(({ update }) => update),
      destroys: destroys.map(({ id }) => id),
      ifSeq: steps.ifSeq(given.ifInState),
    };
    const outcome = await write.run('jmap.setEmails', request).catch((error: unknown) => {
      // Nothing of it is done, but what was to be created is.
      const told = setErrorFrom(error, result.isBegun);
      for (const { text } of updates) result.notUpdated[text] = told;
      for (const { text } of destroys) result.notDestroyed[text] = told;
      return undefined;
    });
    if (outcome === undefined) return result.answer(view, state(seq), state(steps.after));
    if (outcome === 'state-mismatch') throw new MethodError('stateMismatch');
    steps.took(outcome.oldSeq, outcome.newSeq);
    updates.forEach(({ text }, i) => settle(result.updated, result.notUpdated, text, outcome.updates[i]));
    destroys.forEach(({ text }, i) => {
      const failure = outcome.destroys[i];
      if (failure === undefined) result.destroyed.push(text);
      else result.notDestroyed[text] = setErrorOf(failure);
    });
  }
  return result.answer(view, state(seq), state(steps.after));
}

function settle(
  done: Record<string, Json>,
  failed: Record<string, Json>,
  text: string,
  failure: Parameters<typeof setErrorOf>[0] | undefined,
): void {
  if (failure === undefined) done[text] = null;
  else failed[text] = setErrorOf(failure);
}

export const emailSetMethods: readonly Method[] = [method('Email/set', CAPABILITY.mail, emailSet)];
