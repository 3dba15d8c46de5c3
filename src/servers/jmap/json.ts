/** JSON values as they come from and go to clients. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member of an object that is its own: "__proto__" and the like are names like any other. */
export function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** How many values stand in a value, counted up to `most`. */
export function weigh(value: Json | undefined, most: number): number {
  let count = 0;
  const open: (Json | undefined)[] = [value];
  while (open.length > 0 && count <= most) {
    const next = open.pop();
    count++;
    if (Array.isArray(next)) open.push(...next.slice(0, most - count + 1));
    else if (isObject(next)) open.push(...Object.values(next));
  }
  return count;
}

/** Whether two values say the same, whatever the order of their members. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each: Json, i) => sameJson(each, b[i] as Json));
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]))
  );
}
