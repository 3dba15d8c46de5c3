import { isObject, type Json, member } from './json.ts';

/** Tokens of a JSON Pointer (RFC 6901); undefined when it is none. */
export function pointerTokens(path: string): string[] | undefined {
  if (path === '') return [];
  if (!path.startsWith('/')) return undefined;
  const tokens = path.slice(1).split('/');
  if (tokens.some((token) => /~(?![01])/.test(token))) return undefined;
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * What a pointer finds in the answer to an earlier call (RFC 8620 section 3.7): "*" means every item of an array, and lists
 * of lists become one. Undefined when there is nothing.
 */
export function resolvePointer(value: Json, path: string): Json | undefined {
  const tokens = pointerTokens(path);
  return tokens === undefined ? undefined : follow(value, tokens, 0);
}

function follow(value: Json | undefined, tokens: readonly string[], at: number): Json | undefined {
  const token = tokens[at];
  if (token === undefined || value === undefined) return value;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (token !== '*') {
      if (!/^(?:0|[1-9]\d{0,8})$/.test(token)) return undefined;
      return follow(items[Number(token)], tokens, at + 1);
    }
    const found: Json[] = [];
    for (const item of items) {
      const each = follow(item, tokens, at + 1);
      if (each === undefined) return undefined;
      if (Array.isArray(each)) for (const one of each as readonly Json[]) found.push(one);
      else found.push(each);
    }
    return found;
  }
  return isObject(value) ? follow(member(value, token), tokens, at + 1) : undefined;
}
