import { invalidArguments, MethodError } from './errors.ts';
import { isId } from './ids.ts';
import { isObject, type Json, type JsonObject, member } from './json.ts';
import { JMAP_LIMITS } from './limits.ts';

/** Arguments of methods, checked as they are read. All throw MethodError 'invalidArguments'. */

export function textArg(args: JsonObject, name: string): string {
  const value = member(args, name);
  if (typeof value !== 'string') throw invalidArguments(`${name} must be a string`);
  return value;
}

export function optionalText(args: JsonObject, name: string): string | undefined {
  const value = member(args, name) ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw invalidArguments(`${name} must be a string`);
  return value;
}

export function flagArg(args: JsonObject, name: string): boolean {
  const value = member(args, name) ?? false;
  if (typeof value !== 'boolean') throw invalidArguments(`${name} must be true or false`);
  return value;
}

export function intArg(args: JsonObject, name: string, least: number): number | undefined {
  const value = member(args, name) ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least)
    throw invalidArguments(`${name} must be a whole number, at least ${least}`);
  return value;
}

export function textsArg(args: JsonObject, name: string): readonly string[] | undefined {
  const value = member(args, name) ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || !value.every((each): each is string => typeof each === 'string'))
    throw invalidArguments(`${name} must be a list of strings`);
  return value;
}

/** `ids` of a /get: each once; null asks for all. */
export function idsArg(args: JsonObject, name = 'ids'): readonly string[] | undefined {
  const ids = textsArg(args, name);
  if (ids === undefined) return undefined;
  if (ids.length > JMAP_LIMITS.objectsInGet) throw new MethodError('requestTooLarge');
  return [...new Set(ids)];
}

/** A map from ids to objects. */
export function objectsArg(args: JsonObject, name: string): readonly (readonly [string, JsonObject])[] {
  const value = member(args, name) ?? {};
  if (!isObject(value)) throw invalidArguments(`${name} must be an object`);
  return Object.entries(value).map(([id, each]) => {
    if (!isObject(each))
      throw invalidArguments(`${name}: the value of ${id.slice(0, 100)} must be an object`);
    return [id, each] as const;
  });
}

/** The same where it must be there. */
export function neededObjects(args: JsonObject, name: string): readonly (readonly [string, JsonObject])[] {
  if (member(args, name) == null) throw invalidArguments(`${name} must be an object`);
  return objectsArg(args, name);
}

/** The parts of a /set; too many of them are refused at once. */
export function setArgs(args: JsonObject): {
  readonly ifInState: string | undefined;
  readonly create: readonly (readonly [string, JsonObject])[];
  readonly update: readonly (readonly [string, JsonObject])[];
  readonly destroy: readonly string[];
} {
  const create = objectsArg(args, 'create');
  const update = objectsArg(args, 'update');
  const destroy = [...new Set(textsArg(args, 'destroy') ?? [])];
  if (create.length + update.length + destroy.length > JMAP_LIMITS.objectsInSet)
    throw new MethodError('requestTooLarge');
  for (const [id] of create)
    if (!isId(id)) throw invalidArguments('create: ids have letters, digits, - and _');
  return { ifInState: optionalText(args, 'ifInState'), create, update, destroy };
}

/** `properties`: undefined for all. @throws MethodError for one that is unknown. */
export function propertiesArg(
  args: JsonObject,
  known: (name: string) => boolean,
  name = 'properties',
): readonly string[] | undefined {
  const wanted = textsArg(args, name);
  if ((wanted?.length ?? 0) > JMAP_LIMITS.properties)
    throw invalidArguments(`${name}: at most ${JMAP_LIMITS.properties} may be named`);
  const bad = wanted?.find((each) => !known(each));
  if (bad !== undefined) throw invalidArguments(`${name}: there is no property "${bad.slice(0, 100)}"`);
  return wanted;
}

/** Of an object only some properties, and always its id. */
export function pick(object: JsonObject, properties: readonly string[] | undefined): JsonObject {
  if (properties === undefined) return object;
  const wanted: Record<string, Json | undefined> = {};
  if (Object.hasOwn(object, 'id')) wanted['id'] = object['id'];
  for (const name of properties) wanted[name] = object[name];
  return wanted;
}

/** An object without what is not set. */
export function orNull<T extends object>(value: T): JsonObject | null {
  return Object.keys(value).length === 0 ? null : (value as JsonObject);
}

/** UTCDate and Date (RFC 8620 section 1.4) to milliseconds; undefined when it is none. */
export function parseUtc(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined;
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/.test(text))
    return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

export function formatUtc(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text;
}
