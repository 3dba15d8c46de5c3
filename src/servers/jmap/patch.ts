import { SetError } from './errors.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { pointerTokens } from './pointer.ts';

/** A change to a property that is a set of names: `{"name": true}` (RFC 8620 section 5.3). */
export type NamesChange =
  | { readonly all: readonly string[] }
  | { readonly add: readonly string[]; readonly remove: readonly string[] };

/** Levels of an object that a path may go down: none of ours has so many. */
const MOST_TOKENS = 10;

function invalidPatch(description: string): SetError {
  return new SetError('invalidPatch', description);
}

function invalid(property: string): SetError {
  return new SetError('invalidProperties', `${property} must be an object whose values are true.`, {
    properties: [property],
  });
}

/** The names of a set in full. */
export function namesOf(value: Json | undefined, property: string): string[] {
  if (!isObject(value)) throw invalid(property);
  if (Object.values(value).some((each) => each !== true)) throw invalid(property);
  return Object.keys(value);
}

/**
 * The part of a PatchObject that is about one set: replaced as a whole, or by paths `property/name` with true or null.
 * Undefined when it is not touched. `usual`: what null sets it to.
 */
export function namesChange(
  patch: JsonObject,
  property: string,
  usual?: JsonObject,
): NamesChange | undefined {
  const whole = Object.hasOwn(patch, property);
  const add: string[] = [];
  const remove: string[] = [];
  let found = false;
  for (const [path, value] of Object.entries(patch)) {
    const tokens = pointerTokens(`/${path}`);
    if (tokens === undefined) throw invalidPatch(`"${path.slice(0, 200)}" is no path.`);
    if (tokens[0] !== property || tokens.length === 1) continue;
    const [, name] = tokens;
    // RFC 8620 section 5.3: no path may be a prefix of another, and nothing lies below what is no object.
    if (whole || tokens.length !== 2 || name === undefined)
      throw invalidPatch(`"${path.slice(0, 200)}" cannot be changed that way.`);
    found = true;
    if (value === true) add.push(name);
    else if (value === null) remove.push(name);
    else throw invalid(property);
  }
  if (whole) return { all: namesOf(patch[property] ?? usual, property) };
  return found ? { add, remove } : undefined;
}

/** Properties that a patch names, the first token of each path. */
export function patchedProperties(patch: JsonObject): string[] {
  const found = new Set<string>();
  for (const path of Object.keys(patch)) {
    const tokens = pointerTokens(`/${path}`);
    if (tokens?.[0] === undefined) throw invalidPatch(`"${path.slice(0, 200)}" is no path.`);
    found.add(tokens[0]);
  }
  return [...found];
}

/**
 * What a PatchObject makes of an object (RFC 8620 section 5.3); an object as a whole is one as well. Null sets a property to
 * what it has in `usual`, or to null. @throws SetError 'invalidPatch'
 */
export function patched(now: JsonObject, patch: JsonObject, usual: JsonObject = {}): JsonObject {
  const paths = Object.entries(patch).map(([path, value]) => {
    const tokens = pointerTokens(`/${path}`);
    if (tokens === undefined || tokens.length > MOST_TOKENS)
      throw invalidPatch(`"${path.slice(0, 200)}" is no path.`);
    return { path, tokens, value };
  });
  const all = new Set(paths.map(({ tokens }) => JSON.stringify(tokens)));
  const next: Record<string, Json | undefined> = { ...now };
  const ours = new Set<JsonObject>([next]);
  for (const { path, tokens, value } of paths) {
    const below = tokens.slice(0, -1);
    if (below.some((_, i) => all.has(JSON.stringify(tokens.slice(0, i + 1)))))
      throw invalidPatch(`"${path.slice(0, 200)}" lies below another path.`);
    put(next, tokens, value === null && below.length === 0 ? usual[path] : value, ours);
  }
  return next;
}

/** `ours`: objects that are copies already, and may be changed. */
function put(
  object: Record<string, Json | undefined>,
  tokens: readonly string[],
  value: Json | undefined,
  ours: Set<JsonObject>,
): void {
  const [name = '', ...rest] = tokens;
  if (rest.length === 0) {
    object[name] = value ?? null;
    return;
  }
  const inner = Object.hasOwn(object, name) ? object[name] : undefined;
  // Nothing is put into an array, nor into what is not there.
  if (!isObject(inner)) throw invalidPatch(`"${tokens.join('/').slice(0, 200)}" leads nowhere.`);
  const copy: Record<string, Json | undefined> = ours.has(inner) ? inner : { ...inner };
  ours.add(copy);
  const [last] = rest;
  if (rest.length === 1 && value === null && last !== undefined) delete copy[last];
  else put(copy, rest, value, ours);
  object[name] = copy;
}
