export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Dotted names with their values; lists and empty objects are values. */
export function flatten(
  settings: Readonly<Record<string, Json>>,
  before = '',
): (readonly [name: string, value: Json])[] {
  return Object.entries(settings).flatMap(([name, value]): (readonly [string, Json])[] => {
    const full = before + name;
    const inner = isGroup(value) && Object.keys(value).length > 0 ? flatten(value, `${full}.`) : undefined;
    return inner ?? [[full, value]];
  });
}

function isGroup(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as it is shown and typed. */
export function toText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was typed, of the kind that the value before was; the server judges what does not fit. */
export function fromText(text: string, before: Json): Json {
  if (typeof before === 'string') return text;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
