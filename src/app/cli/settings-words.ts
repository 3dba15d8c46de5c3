import { UsageError } from './command.ts';
import { plain } from './plain-text.ts';

/** Settings as people type and read them: "greylist.mode", "caps.recipients_per_day=1000". */

export type Json = string | number | boolean | null | object;
type Settings = Record<string, unknown>;

/** "greylist.mode" to its value, for every leaf. */
export function flat(value: unknown, prefix = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[prefix, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    flat(inner, prefix === '' ? name : `${prefix}.${name}`),
  );
}

/** What a person types for a value: JSON where it is some, else the text itself. */
export function valueOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** "caps.recipients_per_day=1000" and the like to settings; values are JSON where they look like some. */
export function settingsOf(pairs: readonly string[]): Settings {
  const settings: Settings = {};
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`"${plain(pair)}" is not NAME=VALUE`);
    put(settings, pair.slice(0, at).split('.'), pairValue(pair.slice(at + 1)));
  }
  return settings;
}

function put(settings: Settings, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (['__proto__', 'constructor', 'prototype', ''].includes(name))
    throw new UsageError(`"${plain(path.join('.'))}" is no name of a setting`);
  if (rest.length === 0) settings[name] = value;
  else {
    const inner = settings[name];
    const group: Settings = typeof inner === 'object' && inner !== null ? (inner as Settings) : {};
    settings[name] = group;
    put(group, rest, value);
  }
}

/** A list, an object, a text in quotes, a number or a truth value; else the text itself: "null" may be a name. */
function pairValue(text: string): Json {
  return /^(?:[[{"]|-?\d+(?:\.\d+)?$|true$|false$)/.test(text) ? valueOf(text) : text;
}
