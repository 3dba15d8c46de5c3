import { Refusal } from '../../../base/errors.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { AccountScript } from '../../../data/sieve/types.ts';
import { flagArg, optionalText, setArgs } from '../args.ts';
import { findBlob } from '../blobs.ts';
import { type Context, ownView, resolveCreated } from '../context.ts';
import { invalidProperties, MethodError, setErrorFrom, SetError } from '../errors.ts';
import { formatId, parseId } from '../ids.ts';
import type { Json, JsonObject } from '../json.ts';
import { patched, patchedProperties } from '../patch.ts';
import type { View } from '../view.ts';
import { scriptBlobId, scriptObject, scriptsOf } from './sieve.ts';
import { requireValid, scriptText } from './sieve-content.ts';
import { SetResult } from './standard.ts';

interface Work {
  readonly context: Context;
  readonly view: View;
  readonly result: SetResult;
}

function change({ context, view }: Work, name: string) {
  const actor: Actor = { name: context.login.address, role: 'user', domainId: undefined };
  return { actor, place: { kind: 'account', accountId: view.accountId } as const, name };
}

async function known({ context, view }: Work): Promise<ReadonlyMap<number, AccountScript>> {
  return (await scriptsOf(context.options.store.read, view)).all;
}

/** A text that compiles. */
async function newText({ context, view }: Work, blobId: Json | undefined): Promise<string> {
  const id = resolveCreated(context, blobId);
  if (id === undefined) throw invalidProperties(['blobId'], 'blobId must be the id of a blob.');
  const text = await scriptText(await findBlob(context.options.store, view, id), id);
  await requireValid(context, view, text);
  return text;
}

function nameOf(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value === '')
    throw invalidProperties(['name'], 'name must be a string that is not empty.');
  return value;
}

/** RFC 9661 section 2.4: the one that has the name is told. */
async function requireFree(work: Work, name: string, except?: number): Promise<void> {
  const same = name.normalize('NFC');
  for (const [id, script] of await known(work)) {
    if (script.name === same && id !== except)
      throw new SetError('alreadyExists', 'Another script has this name.', {
        existingId: formatId('script', id),
      });
  }
}

function requireKnownProperties(given: JsonObject): void {
  const unknown = Object.keys(given).filter((name) => name !== 'name' && name !== 'blobId');
  if (unknown.length > 0) throw invalidProperties(unknown.slice(0, 20), 'These cannot be set.');
}

async function create(work: Work, key: string, given: JsonObject): Promise<void> {
  requireKnownProperties(given);
  const text = await newText(work, given['blobId']);
  const taken = new Set([...(await known(work)).values()].map(({ name }) => name));
  let name = nameOf(given['name']);
  for (let i = 1; name === undefined; i++) if (!taken.has(`script ${i}`)) name = `script ${i}`;
  await requireFree(work, name);
  const made = await work.context.options.store.write.run('sieve.put', { ...change(work, name), text });
  const [id] = [...(await known(work))].find(([, script]) => script.name === made.name) ?? [];
  if (id === undefined) throw new SetError('notFound', 'It was removed at the same moment.');
  work.context.createdIds.set(key, formatId('script', id));
  work.result.created[key] = {
    id: formatId('script', id),
    name: made.name,
    blobId: scriptBlobId({ id, digest: made.digest }),
    isActive: made.active,
  };
}

async function update(work: Work, text: string, patch: JsonObject): Promise<void> {
  const id = parseId('script', resolveCreated(work.context, text)) ?? -1;
  const script = (await known(work)).get(id);
  if (script === undefined) throw new SetError('notFound');
  const now = scriptObject(script);
  const wanted = patched(now, patch);
  const fixed = patchedProperties(patch).filter(
    (name) =>
      name !== 'name' && name !== 'blobId' && !(Object.hasOwn(now, name) && now[name] === wanted[name]),
  );
  if (fixed.length > 0)
    throw invalidProperties(
      fixed.slice(0, 20),
      'These cannot be set; isActive is switched by onSuccessActivateScript.',
    );
  const { write } = work.context.options.store;
  const given = wanted['blobId'];
  const content = given === scriptBlobId(script) ? undefined : await newText(work, given);
  const to = nameOf(wanted['name']);
  if (to !== undefined && to !== script.name) {
    await requireFree(work, to, id);
    await write.run('sieve.rename', { ...change(work, script.name), to });
  }
  if (content === undefined) {
    work.result.updated[text] = null;
    return;
  }
  const put = await write.run('sieve.put', { ...change(work, to ?? script.name), text: content });
  work.result.updated[text] = { blobId: scriptBlobId({ id, digest: put.digest }) };
}

async function destroy(work: Work, text: string): Promise<void> {
  const id = parseId('script', resolveCreated(work.context, text)) ?? -1;
  const script = (await known(work)).get(id);
  if (script === undefined) throw new SetError('notFound');
  if (script.active) throw new SetError('sieveIsActive', 'Switch it off first.');
  await work.context.options.store.write.run('sieve.remove', change(work, script.name));
  work.result.destroyed.push(text);
}

/** What a refusal of the store is in the words of /set. */
function failure(error: unknown): Json {
  if (error instanceof Refusal && error.kind === 'limit')
    return { type: 'overQuota', description: error.message };
  if (error instanceof Refusal && error.kind === 'conflict')
    return { type: 'sieveIsActive', description: error.message };
  return setErrorFrom(error);
}

/** RFC 9661 section 2.4: once everything else has succeeded. `off`: what is active is switched off first. */
async function switchOn(work: Work, wanted: string | undefined, off: boolean): Promise<void> {
  const { context, result } = work;
  const all = await known(work);
  const before = [...all.values()].find(({ active }) => active);
  const target =
    wanted === undefined ? undefined : all.get(parseId('script', resolveCreated(context, wanted)) ?? -1);
  // One that is not there is passed over, and what is active stays so.
  if ((target === undefined && !off) || before?.id === target?.id) return;
  await context.options.store.write.run('sieve.activate', change(work, target?.name ?? ''));
  const tell = (script: AccountScript, isActive: boolean): void => {
    const id = formatId('script', script.id);
    const made = Object.keys(result.created).find((key) => context.createdIds.get(key) === id);
    const told = made === undefined ? result.updated : result.created;
    const key = made ?? id;
    told[key] = { ...(told[key] as JsonObject | null | undefined), isActive };
  };
  if (before !== undefined) tell(before, false);
  if (target !== undefined) tell(target, true);
}

/** SieveScript/set (RFC 9661 section 2.4). */
export async function sieveSet(context: Context, args: JsonObject): Promise<JsonObject> {
  const view = await ownView(context, args);
  const { read } = context.options.store;
  const given = setArgs(args);
  const activate = optionalText(args, 'onSuccessActivateScript');
  const deactivate = flagArg(args, 'onSuccessDeactivateScript');
  const { state: oldState } = await scriptsOf(read, view);
  if (given.ifInState !== undefined && given.ifInState !== oldState) throw new MethodError('stateMismatch');
  const result = new SetResult();
  const work: Work = { context, view, result };
  for (const [key, fields] of given.create)
    await create(work, key, fields).catch((error: unknown) => (result.notCreated[key] = failure(error)));
  for (const [id, patch] of given.update) {
    if (given.destroy.includes(id)) result.notUpdated[id] = { type: 'willDestroy' };
    else await update(work, id, patch).catch((error: unknown) => (result.notUpdated[id] = failure(error)));
  }
  for (const id of given.destroy)
    await destroy(work, id).catch((error: unknown) => (result.notDestroyed[id] = failure(error)));
  const failed = [result.notCreated, result.notUpdated, result.notDestroyed].some(
    (each) => Object.keys(each).length > 0,
  );
  if (!failed && (activate !== undefined || deactivate)) await switchOn(work, activate, deactivate);
  return result.answer(view, oldState, (await scriptsOf(read, view)).state);
}
