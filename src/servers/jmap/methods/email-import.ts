import { flagArg, idsArg, neededObjects, optionalText, orNull } from '../args.ts';
import { parseDate } from '../../../mail/message/dates.ts';
import { scanMessage } from '../../../mail/message/scanner.ts';
import { type Blob, blobOctets, findBlob } from '../blobs.ts';
import {
  type Answer,
  changingView,
  type Context,
  type Invocation,
  mailView,
  method,
  type Method,
  resolveCreated,
} from '../context.ts';
import { parsedProperties } from '../email/large.ts';
import { emailWish, PARSE_PROPERTIES } from '../email/properties.ts';
import { invalidArguments, invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { formatState } from '../state.ts';
import { accountText, type View, viewOf } from '../view.ts';
import { emailBlobId } from './email-get.ts';
import { createdAnswer, emailSet, placingOf, storeEmail } from './email-set.ts';
import { requireState } from './mailbox-set.ts';
import { SetResult, Steps } from './standard.ts';

/** Octets of a message in which its header is looked for. */
const HEADER_BYTES = 64 * 1024;

/** Milliseconds of the most recent Received field that can be read, which is the first such; undefined: there is none. */
async function receivedTime(blob: Blob): Promise<number | undefined> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of blob.read()) {
    pieces.push(piece);
    size += piece.length;
    if (size >= HEADER_BYTES) break;
  }
  const octets = Buffer.concat(pieces).subarray(0, HEADER_BYTES);
  const { fields } = scanMessage(octets);
  for (const field of fields.filter(({ name }) => name === 'received')) {
    const text = octets.toString('latin1', field.valueStart, field.end).replace(/\r?\n[ \t]/g, ' ');
    const ms = parseDate(text.slice(text.lastIndexOf(';') + 1).trim())?.ms;
    if (ms !== undefined) return ms;
  }
  return undefined;
}

function requireOnly(given: JsonObject, known: readonly string[]): void {
  const unknown = Object.keys(given).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw invalidProperties(unknown.slice(0, 20), 'These cannot be set here.');
}

/** Email/import (RFC 8621 section 4.8). */
async function importEmails(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await changingView(context, args);
  const { store } = context.options;
  const emails = neededObjects(args, 'emails');
  if (emails.length > JMAP_LIMITS.objectsInSet) throw new MethodError('requestTooLarge');
  const { seq } = await store.read.run('jmap.state', { accountId: view.accountId });
  const ifInState = optionalText(args, 'ifInState');
  requireState(view, ifInState, seq);
  const steps = new Steps(seq);
  const created: Record<string, Json> = {};
  const notCreated: Record<string, Json> = {};
  for (const [key, given] of emails) {
    try {
      requireOnly(given, ['blobId', 'mailboxIds', 'keywords', 'receivedAt']);
      const placing = placingOf(context, given);
      const blob = await findBlob(store, view, resolveCreated(context, given['blobId']) ?? '');
      if (blob === undefined)
        throw new SetError('invalidProperties', 'There is no such blob.', { properties: ['blobId'] });
      if (blob.size === 0) throw new SetError('invalidEmail', 'It is empty.');
      // RFC 8621 section 4.8: when it was received, as its header says.
      const receivedAt = given['receivedAt'] == null ? await receivedTime(blob) : undefined;
      const added = await storeEmail(
        context,
        view,
        blob.read(),
        { ...placing, receivedAt: receivedAt ?? placing.receivedAt },
        steps.ifSeq(ifInState),
      );
      steps.took(added.seq - 1, added.seq);
      context.createdIds.set(key, formatId('email', added.id));
      created[key] = createdAnswer(added);
    } catch (error) {
      notCreated[key] = setErrorFrom(error, Object.keys(created).length > 0);
    }
  }
  return {
    accountId: accountText(view),
    oldState: formatState(view, { seq }),
    newState: formatState(view, { seq: steps.after }),
    created: orNull(created),
    notCreated: orNull(notCreated),
  };
}

/** One email, over into another account. @throws SetError, Refusal */
async function copyOne(context: Context, from: View, view: View, given: JsonObject) {
  const { store } = context.options;
  // RFC 8621 section 4.7: the message itself is not changed on the way.
  requireOnly(given, ['id', 'mailboxIds', 'keywords', 'receivedAt']);
  const text = resolveCreated(context, given['id']) ?? '';
  const id = parseId('email', text) ?? -1;
  const { accountId, visible } = from;
  const [facts] = await store.read.run('jmap.emails', { accountId, visible, ids: [id] });
  const blob = facts && (await findBlob(store, from, emailBlobId(id)));
  if (facts === undefined || blob === undefined) throw new SetError('notFound');
  const keywords = given['keywords'] ?? Object.fromEntries(facts.keywords.map((each) => [each, true]));
  const placing = placingOf(context, { ...given, keywords });
  const receivedAt = given['receivedAt'] == null ? facts.receivedAt : placing.receivedAt;
  return { text, added: await storeEmail(context, view, blob.read(), { ...placing, receivedAt }) };
}

/** Email/copy (RFC 8621 section 4.7), from one account to another. */
async function copy(context: Context, args: JsonObject): Promise<Answer> {
  const { store } = context.options;
  const from = await viewOf(
    store.read,
    context.login.accountId,
    args['fromAccountId'],
    'fromAccountNotFound',
  );
  const view = await changingView(context, args);
  if (from.accountId === view.accountId) throw invalidArguments('the accounts must differ');
  const fromState = await store.read.run('jmap.state', { accountId: from.accountId });
  requireState(from, optionalText(args, 'ifFromInState'), fromState.seq);
  const { seq } = await store.read.run('jmap.state', { accountId: view.accountId });
  requireState(view, optionalText(args, 'ifInState'), seq);
  const create = neededObjects(args, 'create');
  if (create.length > JMAP_LIMITS.objectsInSet) throw new MethodError('requestTooLarge');
  const steps = new Steps(seq);
  const result = new SetResult();
  const copied: string[] = [];
  for (const [key, given] of create) {
    try {
      const { text, added } = await copyOne(context, from, view, given);
      steps.took(added.seq - 1, added.seq);
      context.createdIds.set(key, formatId('email', added.id));
      result.created[key] = createdAnswer(added);
      copied.push(text);
    } catch (error) {
      result.notCreated[key] = setErrorFrom(error, result.isBegun);
    }
  }
  const state = (at: number): string => formatState(view, { seq: at });
  const { created, notCreated } = result;
  const own: JsonObject = {
    fromAccountId: accountText(from),
    accountId: accountText(view),
    oldState: state(seq),
    newState: state(steps.after),
    created: orNull(created),
    notCreated: orNull(notCreated),
  };
  const answers: Invocation[] = [['Email/copy', own]];
  if (flagArg(args, 'onSuccessDestroyOriginal') && copied.length > 0) {
    const ifInState = optionalText(args, 'destroyFromIfInState');
    const destroy = {
      accountId: accountText(from),
      destroy: copied,
      ...(ifInState !== undefined && { ifInState }),
    };
    try {
      answers.push(['Email/set', await emailSet(context, destroy)]);
    } catch (error) {
      if (!(error instanceof MethodError)) throw error;
      answers.push(['error', error.toJson()]);
    }
  }
  return answers;
}

/** Email/parse (RFC 8621 section 4.9). */
async function parse(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const blobIds = idsArg(args, 'blobIds');
  if (blobIds === undefined) throw invalidArguments('blobIds must be a list');
  const wish = emailWish(args, PARSE_PROPERTIES);
  const parsed: Record<string, Json> = {};
  const notFound: string[] = [];
  const notParsable: string[] = [];
  for (const blobId of blobIds) {
    const blob = await findBlob(context.options.store, view, resolveCreated(context, blobId) ?? '');
    if (blob === undefined) {
      notFound.push(blobId);
      continue;
    }
    const octets = await blobOctets(blob, JMAP_LIMITS.parseBytes);
    if (octets === undefined || octets.length === 0) {
      notParsable.push(blobId);
      continue;
    }
    const size = octets.length;
    const properties = await parsedProperties(context.login.accountId, octets, blobId, wish);
    // What only a kept email has is null (RFC 8621 section 4.9).
    for (const name of wish.properties)
      properties[name] ??= name === 'blobId' ? blobId : name === 'size' ? size : null;
    parsed[blobId] = properties;
  }
  return {
    accountId: accountText(view),
    parsed: Object.keys(parsed).length === 0 ? null : parsed,
    notParsable: notParsable.length === 0 ? null : notParsable,
    notFound: notFound.length === 0 ? null : notFound,
  };
}

export const emailImportMethods: readonly Method[] = [
  method('Email/import', CAPABILITY.mail, importEmails),
  method('Email/copy', CAPABILITY.mail, copy),
  method('Email/parse', CAPABILITY.mail, parse),
];
