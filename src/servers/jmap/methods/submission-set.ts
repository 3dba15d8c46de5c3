import { objectsArg, setArgs, textsArg } from '../args.ts';
import { findBlob } from '../blobs.ts';
import { type Answer, type Context, type Invocation, ownView, resolveCreated } from '../context.ts';
import { emailsIn, ENVELOPE_PROPERTIES, envelopeJson, envelopeOf, givenEnvelope } from '../email/envelope.ts';
import { send } from '../email/send.ts';
import {
  invalidProperties,
  MethodError,
  requireUntouched,
  SetError,
  setErrorFrom,
  stateMismatch,
} from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import { isObject, type Json, type JsonObject, sameJson } from '../json.ts';
import { JMAP_LIMITS } from '../limits.ts';
import { patched, patchedProperties } from '../patch.ts';
import { formatState } from '../state.ts';
import { accountText, type View } from '../view.ts';
import { emailBlobId, emailObjects } from './email-get.ts';
import { emailSet } from './email-set.ts';
import { identities } from './identity.ts';
import { SetResult } from './standard.ts';
import { type KeptSubmission, type Submission, submissionObject, submissions } from './submission-object.ts';

/** Recipients of one submission. */
const MAX_RECIPIENTS = 1000;

async function requireIdentity(
  context: Context,
  view: View,
  given: JsonObject,
): Promise<{ readonly identityId: string; readonly address: string }> {
  const identityId = resolveCreated(context, given['identityId']);
  const { identities: known } = await identities(context.options.store.read, view);
  const identity = known.get(parseId('identity', identityId) ?? -1);
  if (identityId === undefined || identity === undefined)
    throw invalidProperties(['identityId'], 'There is no such identity.');
  return { identityId, address: identity.email };
}

async function create(
  context: Context,
  view: View,
  given: JsonObject,
  ifSeq: number | undefined,
): Promise<JsonObject> {
  const { store, clock } = context.options;
  // undoStatus is ours to say; meli says "final" all the same, and there is nothing to misunderstand.
  const settable = [
    'identityId',
    'emailId',
    'envelope',
    ...(given['undoStatus'] === 'final' ? ['undoStatus'] : []),
  ];
  const unknown = Object.keys(given).filter((name) => !settable.includes(name));
  if (unknown.length > 0) throw invalidProperties(unknown.slice(0, 20), 'These cannot be set.');
  const { identityId, address } = await requireIdentity(context, view, given);
  const emailId = parseId('email', resolveCreated(context, given['emailId'])) ?? -1;
  const wish = {
    properties: ['threadId', 'from', 'messageId', ...ENVELOPE_PROPERTIES],
    bodyProperties: [],
    values: { text: false, html: false, all: false, max: 0 },
    left: JMAP_LIMITS.answerBodyBytes,
  };
  const [email] = await emailObjects(context, view, [emailId], wish);
  const message = email && (await findBlob(store, view, emailBlobId(emailId)));
  if (email === undefined || message === undefined)
    throw invalidProperties(['emailId'], 'There is no such email.');
  if (emailsIn(email['from']).length === 0)
    throw new SetError('invalidEmail', 'It has no From.', { properties: ['from'] });
  const now = clock.now();
  const { envelope: asked = null } = given;
  if (asked !== null && !isObject(asked))
    throw invalidProperties(['envelope'], 'envelope must be an object.');
  const envelope = asked === null ? envelopeOf(email, address) : givenEnvelope(asked, now);
  if (envelope.rcptTo.length === 0) throw new SetError('noRecipients');
  if (envelope.rcptTo.length > MAX_RECIPIENTS)
    throw new SetError('tooManyRecipients', undefined, { maxRecipients: MAX_RECIPIENTS });
  const [messageId] = Array.isArray(email['messageId']) ? (email['messageId'] as readonly Json[]) : [];
  const submission: Submission = {
    identityId,
    emailId: formatId('email', emailId),
    threadId: String(email['threadId']),
    envelope: envelopeJson(envelope),
    sendAt: envelope.releaseAt ?? now,
    ...(typeof messageId === 'string' && { messageId }),
  };
  const id = await send(context, envelope, message, { data: JSON.stringify(submission), ifSeq });
  const { all } = await submissions(store.read, view.accountId, [id]);
  const kept = all.get(id);
  if (kept === undefined) throw new Error(`submission ${id} was not kept`);
  return submissionObject(kept);
}

/** A submission is changed in one way only: what waits for its time is taken back. False: there was nothing to change. */
async function update(
  context: Context,
  view: View,
  kept: KeptSubmission | undefined,
  patch: JsonObject,
  ifSeq: number | undefined,
): Promise<boolean> {
  if (kept === undefined) throw new SetError('notFound');
  const now = submissionObject(kept);
  const wanted = patched(now, patch);
  const wrong = patchedProperties(patch).filter(
    (name) => name !== 'undoStatus' && !(Object.hasOwn(now, name) && sameJson(now[name], wanted[name])),
  );
  if (wrong.length > 0) throw invalidProperties(wrong.slice(0, 20), 'These cannot be changed.');
  const { undoStatus } = wanted;
  if (undoStatus === kept.undoStatus) return false;
  if (undoStatus !== 'canceled') throw invalidProperties(['undoStatus'], 'It can become "canceled" only.');
  const { accountId } = view;
  const request = { accountId, submissionId: kept.id, by: context.login.address, ifSeq };
  const outcome = await context.options.store.write.run('queue.cancel', request).catch(stateMismatch);
  if (outcome !== 'canceled') throw new SetError('cannotUnsend', 'It is on its way already.');
  return true;
}

/** What a /set has to do with, by the ids that it names. */
async function named(
  context: Context,
  view: View,
  texts: readonly string[],
): Promise<Map<string, KeptSubmission>> {
  const ids = new Map(
    texts.map((text) => [text, parseId('submission', resolveCreated(context, text)) ?? -1]),
  );
  const { all } = await submissions(context.options.store.read, view.accountId, [...ids.values()]);
  const found = new Map<string, KeptSubmission>();
  for (const [text, id] of ids) {
    const kept = all.get(id);
    if (kept !== undefined) found.set(text, kept);
  }
  return found;
}

/** EmailSubmission/set (RFC 8621 section 7.5). */
export async function submissionSet(context: Context, args: JsonObject): Promise<Answer> {
  const view = await ownView(context, args);
  const { read, write } = context.options.store;
  const given = setArgs(args);
  const onUpdate = objectsArg(args, 'onSuccessUpdateEmail');
  const onDestroy = textsArg(args, 'onSuccessDestroyEmail') ?? [];
  const { accountId } = view;
  const { seq } = await read.run('jmap.objectState', { accountId, kind: 'submission' });
  const oldState = formatState(view, { seq });
  if (given.ifInState !== undefined && given.ifInState !== oldState) throw new MethodError('stateMismatch');
  let writes = 0;
  // With the first change, so that nobody else's comes in between (RFC 8620 section 5.3).
  const ifSeq = (): number | undefined => (given.ifInState !== undefined && writes === 0 ? seq : undefined);
  const result = new SetResult();
  /** The email of each that succeeded, by the id that the client has for it. */
  const done = new Map<string, string>();
  for (const [key, fields] of given.create) {
    try {
      const { emailId, identityId: _identityId, ...made } = await create(context, view, fields, ifSeq());
      writes++;
      context.createdIds.set(key, String(made['id']));
      result.created[key] = made;
      done.set(`#${key}`, String(emailId));
    } catch (error) {
      result.notCreated[key] = setErrorFrom(error, result.isBegun);
    }
  }
  const known = await named(context, view, [...given.update.map(([id]) => id), ...given.destroy]);
  for (const [id, patch] of given.update) {
    try {
      if (given.destroy.includes(id)) throw new SetError('willDestroy');
      const kept = known.get(id);
      if (await update(context, view, kept, patch, ifSeq())) writes++;
      result.updated[id] = null;
      done.set(id, kept?.submission.emailId ?? '');
    } catch (error) {
      result.notUpdated[id] = setErrorFrom(error, result.isBegun);
    }
  }
  for (const id of given.destroy) {
    const kept = known.get(id);
    if (kept === undefined) {
      result.notDestroyed[id] = { type: 'notFound' };
      continue;
    }
    // What waits is sent all the same (RFC 8621 section 7.5): only the record of it goes.
    await write
      .run('jmap.putObject', { accountId, kind: 'submission', id: kept.id, data: null, ifSeq: ifSeq() })
      .catch(stateMismatch);
    writes++;
    result.destroyed.push(id);
    done.set(id, kept.submission.emailId);
  }
  // The queue changes submissions, too: a state that has more in it than this answer is not told.
  const { seq: last } = await read.run('jmap.objectState', { accountId, kind: 'submission' });
  requireUntouched(given.ifInState, writes, last !== seq);
  const newState = last === seq + writes ? formatState(view, { seq: last }) : oldState;
  const own = result.answer(view, oldState, newState);
  return [['EmailSubmission/set', own], ...(await afterwards(context, view, done, onUpdate, onDestroy))];
}

/** RFC 8621 section 7.5: what is to become of the emails, as one implicit Email/set, answered after the submissions. */
async function afterwards(
  context: Context,
  view: View,
  done: ReadonlyMap<string, string>,
  onUpdate: readonly (readonly [string, JsonObject])[],
  onDestroy: readonly string[],
): Promise<Invocation[]> {
  const update: Record<string, Json> = {};
  for (const [id, patch] of onUpdate) {
    const email = done.get(id);
    if (email !== undefined) update[email] = patch;
  }
  const destroy = onDestroy.flatMap((id) => done.get(id) ?? []);
  if (Object.keys(update).length + destroy.length === 0) return [];
  const accountId = accountText(view);
  return [['Email/set', await emailSet(context, { accountId, update, destroy })]];
}
