import { isObject, type Json, member } from './json.ts';
import { JMAP_LIMITS } from './limits.ts';

/** Levels that a pointer may go down. */
const MOST_TOKENS = 50;

/** Tokens of a JSON Pointer (RFC 6901); undefined when it is none, or longer than any that leads somewhere. */
export function pointerTokens(path: string): string[] | undefined {
  if (path === '') return [];
  if (!path.startsWith('/') || path.length > JMAP_LIMITS.pathLength) return undefined;
  const tokens = path.slice(1).split('/', MOST_TOKENS + 1);
  if (tokens.length > MOST_TOKENS || tokens.some((token) => /~(?![01])/.test(token))) return undefined;
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * What a pointer finds in the answer to an earlier call (RFC 8620 section 3.7): "*" means every item of an array, and lists
 * of lists become one. Undefined when there is nothing. Ends when more items are looked at than are left in `budget`, which is then below 0.
 */
export function resolvePointer(value: Json, path: string, budget: { left: number }): Json | undefined {
  const tokens = pointerTokens(path);
  return tokens === undefined ? undefined : follow(value, tokens, 0, budget);
}

function follow(
  value: Json | undefined,
  tokens: readonly string[],
  at: number,
  budget: { left: number },
): Json | undefined {
  const token = tokens[at];
  if (token === undefined || value === undefined) return value;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (token !== '*') {
      if (!/^(?:0|[1-9]\d{0,8})$/.test(token)) return undefined;
      return follow(items[Number(token)], tokens, at + 1, budget);
    }
    const found: Json[] = [];
    for (const item of items) {
      if (--budget.left < 0) return undefined;
      const each = follow(item, tokens, at + 1, budget);
      if (each === undefined) return undefined;
      if (Array.isArray(each)) for (const one of each as readonly Json[]) found.push(one);
      else found.push(each);
    }
    return found;
  }
  return isObject(value) ? follow(member(value, token), tokens, at + 1, budget) : undefined;
}
