import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { Refusal } from '../../../base/errors.ts';
import { idsArg, intArg, neededObjects, orNull, propertiesArg, textsArg } from '../args.ts';
import { type Blob, findBlob, keepUpload } from '../blobs.ts';
import {
  changingView,
  type Context,
  mailView,
  method,
  type Method,
  resolveCreated,
  scopeOf,
} from '../context.ts';
import { invalidArguments, invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import { formatId } from '../ids.ts';
import { isObject, type Json, type JsonObject, member } from '../json.ts';
import { CAPABILITY, JMAP_LIMITS } from '../limits.ts';
import { accountText, type View, viewOf } from '../view.ts';

/** Blob/upload, Blob/get and Blob/lookup (RFC 9404). */
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['digest:sha', 'sha1'],
  ['digest:sha-256', 'sha256'],
  ['digest:sha-512', 'sha512'],
]);
const PLAIN: readonly string[] = ['data', 'data:asText', 'data:asBase64', 'size'];

interface Slice {
  readonly offset: number;
  readonly length: number | undefined;
}

interface Range {
  readonly octets: Buffer;
  readonly size: number;
  readonly digests: ReadonlyMap<string, string>;
}

/** Read a blob once: the range that is asked for, its size as a whole, digests of the range. */
async function readRange(
  blob: Blob,
  { offset, length }: Slice,
  digests: readonly string[],
  keep: boolean,
): Promise<Range> {
  const hashes = digests.map((name) => [name, createHash(DIGESTS.get(name) ?? 'sha256')] as const);
  const kept: Buffer[] = [];
  let at = 0;
  let keptBytes = 0;
  const end = length === undefined ? Number.POSITIVE_INFINITY : offset + length;
  for await (const piece of blob.read()) {
    const part = piece.subarray(
      Math.min(piece.length, Math.max(0, offset - at)),
      Math.max(0, Math.min(piece.length, end - at)),
    );
    at += piece.length;
    if (part.length === 0) continue;
    for (const [, hash] of hashes) hash.update(part);
    keptBytes += part.length;
    if (!keep) continue;
    if (keptBytes > JMAP_LIMITS.blobGetBytes)
      throw new MethodError('requestTooLarge', 'Ask for a part of it at a time.');
    kept.push(part);
  }
  return {
    octets: Buffer.concat(kept),
    size: at,
    digests: new Map(hashes.map(([name, hash]) => [name, hash.digest('base64')])),
  };
}

async function get(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const ids = idsArg(args);
  if (ids === undefined) throw invalidArguments('ids must be a list');
  const properties = propertiesArg(args, (name) => PLAIN.includes(name) || DIGESTS.has(name)) ?? [
    'data',
    'size',
  ];
  const slice = { offset: intArg(args, 'offset', 0) ?? 0, length: intArg(args, 'length', 0) };
  const digests = properties.filter((name) => DIGESTS.has(name));
  const keep = properties.some((name) => name.startsWith('data'));
  const list: JsonObject[] = [];
  const notFound: string[] = [];
  // One upload has many ids, each part of it and what is around that.
  let room: number = JMAP_LIMITS.answerBodyBytes;
  for (const text of ids) {
    const id = resolveCreated(context, text) ?? text;
    const blob = await findBlob(context.options.store, view, id);
    if (blob === undefined) {
      notFound.push(text);
      continue;
    }
    const range = await readRange(blob, slice, digests, keep);
    room -= range.octets.length * properties.filter((name) => name.startsWith('data')).length;
    if (room < 0) throw new MethodError('requestTooLarge', 'Ask for fewer at a time.');
    list.push(blobObject(id, properties, slice, range));
  }
  return { accountId: accountText(view), list, notFound };
}

function blobObject(id: string, properties: readonly string[], slice: Slice, range: Range): JsonObject {
  const { octets, size } = range;
  const text = isUtf8(octets);
  const made: Record<string, Json> = { id };
  for (const name of properties) {
    if (name === 'size') made[name] = size;
    else if (name === 'data:asBase64' || (name === 'data' && !text))
      made['data:asBase64'] = octets.toString('base64');
    else if (name === 'data' || name === 'data:asText')
      made['data:asText'] = text ? octets.toString('utf8') : null;
    else made[name] = range.digests.get(name) ?? null;
  }
  if (!text && properties.some((name) => name === 'data' || name === 'data:asText'))
    made['isEncodingProblem'] = true;
  if (slice.offset > size || slice.offset + (slice.length ?? 0) > size) made['isTruncated'] = true;
  return made;
}

type Source =
  | { readonly octets: Buffer }
  | { readonly blobId: Json; readonly offset: number; readonly length: number | undefined };

/** RFC 9404 section 4.1: exactly one of the three, and what somebody means by more is not guessed. @throws SetError */
function readSource(value: Json): Source {
  const bad = new SetError('invalidProperties', 'A data source is none.', { properties: ['data'] });
  if (!isObject(value)) throw bad;
  const { 'data:asText': text = null, 'data:asBase64': base64 = null, blobId = null, ...rest } = value;
  const { offset = null, length = null, ...unknown } = rest;
  const given = [text, base64, blobId].filter((each) => each !== null);
  if (given.length !== 1 || Object.keys(unknown).length > 0) throw bad;
  if (blobId === null) {
    if (offset !== null || length !== null) throw bad;
    if (typeof text === 'string') {
      // JSON has text that is none in UTF-8: halves of characters.
      if (!text.isWellFormed()) throw bad;
      return { octets: Buffer.from(text) };
    }
    if (typeof base64 !== 'string' || base64.length % 4 === 1 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
      throw bad;
    return { octets: Buffer.from(base64, 'base64') };
  }
  for (const number of [offset, length])
    if (number !== null && !(typeof number === 'number' && Number.isSafeInteger(number) && number >= 0))
      throw bad;
  return { blobId, offset: Number(offset ?? 0), length: length === null ? undefined : Number(length) };
}

async function* sourceOctets(context: Context, view: View, source: Source): AsyncGenerator<Buffer> {
  if ('octets' in source) {
    yield source.octets;
    return;
  }
  const { blobId, offset, length } = source;
  const id = resolveCreated(context, blobId);
  const blob = id === undefined ? undefined : await findBlob(context.options.store, view, id);
  if (blob === undefined) throw new SetError('blobNotFound', undefined, { notFound: [String(blobId)] });
  const end = length === undefined ? Number.POSITIVE_INFINITY : offset + length;
  let at = 0;
  for await (const piece of blob.read()) {
    yield piece.subarray(
      Math.min(piece.length, Math.max(0, offset - at)),
      Math.max(0, Math.min(piece.length, end - at)),
    );
    at += piece.length;
  }
  if (offset > at || (length !== undefined && end > at))
    throw new SetError('invalidProperties', 'The range goes beyond the blob.', { properties: ['data'] });
}

async function upload(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await changingView(context, args);
  const create = neededObjects(args, 'create');
  if (create.length > JMAP_LIMITS.objectsInSet) throw new MethodError('requestTooLarge');
  if (context.options.full()) throw fullDisk();
  const created: Record<string, Json> = {};
  const notCreated: Record<string, Json> = {};
  for (const [key, given] of create) {
    try {
      const { data, type = null, ...unknown } = given;
      if (Object.keys(unknown).length > 0)
        throw invalidProperties(Object.keys(unknown).slice(0, 20), 'There are no such properties.');
      if (type !== null && typeof type !== 'string')
        throw invalidProperties(['type'], 'type must be a string.');
      if (!Array.isArray(data) || data.length > JMAP_LIMITS.blobUploadSources)
        throw new SetError('invalidProperties', 'data must be a short list of sources.', {
          properties: ['data'],
        });
      const sources = (data as readonly Json[]).map(readSource);
      const octets = (async function* () {
        for (const each of sources) yield* sourceOctets(context, view, each);
      })();
      const kept = await keepUpload(context.options.store, view.viewer, octets, JMAP_LIMITS.sizeUpload);
      if (kept === undefined) throw new SetError('tooLarge');
      context.createdIds.set(key, kept.blobId);
      created[key] = {
        id: kept.blobId,
        type: type ?? 'application/octet-stream',
        size: kept.size,
      };
    } catch (error) {
      notCreated[key] = setErrorFrom(error, Object.keys(created).length > 0);
    }
  }
  return {
    accountId: accountText(view),
    created: Object.keys(created).length === 0 ? null : created,
    notCreated: Object.keys(notCreated).length === 0 ? null : notCreated,
  };
}

/** A blob of an email leads back to that email by its id; uploads are in none, whatever was made of them. */
async function lookup(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await mailView(context, args);
  const typeNames = textsArg(args, 'typeNames');
  if (typeNames === undefined) throw invalidArguments('typeNames must be a list');
  const ids = idsArg(args);
  if (ids === undefined) throw invalidArguments('ids must be a list');
  // RFC 9404 section 4.3: nor are those known whose capability the request does not name.
  const known = context.using.has(CAPABILITY.mail) ? ['Email', 'Thread', 'Mailbox'] : [];
  if (typeNames.some((name) => !known.includes(name))) throw new MethodError('unknownDataType');
  const list: JsonObject[] = [];
  const notFound: string[] = [];
  for (const id of ids) {
    const emailId = Number(/^B([1-9]\d{0,15})(?:-|$)/.exec(id)?.[1] ?? 0);
    if ((await findBlob(context.options.store, view, id)) === undefined) {
      notFound.push(id);
      continue;
    }
    const [facts] = await context.options.store.read.run('jmap.emails', {
      ...scopeOf(context, view),
      ids: [emailId],
    });
    const found: Record<string, string[]> = {
      Email: facts === undefined ? [] : [formatId('email', facts.id)],
      Thread: facts === undefined ? [] : [formatId('thread', facts.threadId)],
      Mailbox: (facts?.mailboxIds ?? []).map((each) => formatId('mailbox', each)),
    };
    list.push({ id, matchedIds: Object.fromEntries(typeNames.map((name) => [name, found[name] ?? []])) });
  }
  return { accountId: accountText(view), list, notFound };
}

function fullDisk(): Refusal {
  return new Refusal('storage-full', 'The disk of the server is nearly full; try again later.');
}

/** Blob/copy (RFC 8620 section 6.3): what somebody may read in one account, to be used in another. */
async function copy(context: Context, args: JsonObject): Promise<JsonObject> {
  const { store, full } = context.options;
  const viewer = context.login.accountId;
  const from = await viewOf(store.read, viewer, member(args, 'fromAccountId'), 'fromAccountNotFound');
  const view = await changingView(context, args);
  const blobIds = idsArg(args, 'blobIds');
  if (blobIds === undefined) throw invalidArguments('blobIds must be a list');
  if (full()) throw fullDisk();
  const copied: Record<string, Json> = {};
  const notCopied: Record<string, Json> = {};
  for (const id of blobIds) {
    const blob = await findBlob(store, from, id);
    // What was uploaded is its owner's in every account.
    if (blob !== undefined && id.startsWith('U')) copied[id] = id;
    else if (blob !== undefined) {
      const kept = await keepUpload(store, view.viewer, blob.read(), JMAP_LIMITS.sizeUpload);
      if (kept === undefined) notCopied[id] = { type: 'tooLarge' };
      else copied[id] = kept.blobId;
    } else notCopied[id] = { type: 'notFound' };
  }
  return {
    fromAccountId: accountText(from),
    accountId: accountText(view),
    copied: orNull(copied),
    notCopied: orNull(notCopied),
  };
}

export const blobMethods: readonly Method[] = [
  method('Blob/get', CAPABILITY.blob, get),
  method('Blob/upload', CAPABILITY.blob, upload),
  method('Blob/lookup', CAPABILITY.blob, lookup),
  method('Blob/copy', CAPABILITY.core, copy),
];
