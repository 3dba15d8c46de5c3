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

/** How many values stand in a value, counted until there are more than `most`. */
export function weigh(value: Json | undefined, most: number): number {
  let count = 1;
  const inside = Array.isArray(value)
    ? (value as readonly Json[])
    : isObject(value)
      ? Object.values(value)
      : [];
  for (const each of inside) {
    if (count > most) break;
    count += weigh(each, most - count);
  }
  return count;
}

/** About how many octets a value is when it is written, counted until there are more than `most`. */
export function octetsOf(value: Json | undefined, most: number): number {
  if (typeof value === 'string') return value.length + 3;
  let octets = 6;
  if (Array.isArray(value))
    for (const each of value as readonly Json[]) {
      octets += octetsOf(each, most - octets);
      if (octets > most) break;
    }
  else if (isObject(value))
    for (const name of Object.keys(value)) {
      octets += name.length + octetsOf(value[name], most - octets);
      if (octets > most) break;
    }
  return octets;
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
