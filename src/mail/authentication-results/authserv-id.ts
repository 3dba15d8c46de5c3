/** Who says a field of Authentication-Results (RFC 8601 section 2.2): the reader that all who ask share. */
import { normalizeDomain } from '../address/domain.ts';

/** Octets of a field in which its authserv-id must stand. */
const ID_OCTETS = 1024;

/** Behind white space, controls and comments from `at` on. */
function skipSpace(value: string, from: number): number {
  let at = from;
  for (;;) {
    while (at < value.length && (value.charCodeAt(at) <= 32 || value.charCodeAt(at) === 127)) at++;
    if (value.charAt(at) !== '(') return at;
    let depth = 0;
    do {
      const char = value.charAt(at++);
      if (char === '\\') at++;
      else if (char === '(') depth++;
      else if (char === ')') depth--;
    } while (depth > 0 && at < value.length);
  }
}

/** ASCII only: `text` is octets, and those over 127 must stay. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (char) => char.toLowerCase());
}

/**
 * The authserv-id of a field value (latin1, folded or not) in lower case, '' when there is none. Read loosely, as the
 * question is whether anyone could take the field for ours: comments and controls before it are passed over, quotes dropped.
 */
export function readAuthservId(value: string): string {
  const text = value.slice(0, ID_OCTETS);
  const at = skipSpace(text, 0);
  if (text.charAt(at) === '"') {
    const end = text.indexOf('"', at + 1);
    return lower(text.slice(at + 1, end < 0 ? text.length : end).replaceAll('\\', '')).trim();
  }
  let end = at;
  while (end < text.length && text.charCodeAt(end) > 32 && !';("'.includes(text.charAt(end))) end++;
  return lower(text.slice(at, end));
}

/**
 * Whether a value of Authentication-Results claims to come from `authservId`: the same text in any case, with a final dot, or as
 * U-labels of the same name (RFC 8616 section 5).
 */
export function claimsAuthservId(value: string, authservId: string): boolean {
  const said = readAuthservId(value).replace(/\.$/, '');
  const own = authservId.toLowerCase();
  if (said === own) return true;
  if (said === '') return false;
  const unicode = Buffer.from(said, 'latin1').toString('utf8');
  const normal = normalizeDomain(unicode);
  return normal !== undefined && normal === normalizeDomain(own);
}
