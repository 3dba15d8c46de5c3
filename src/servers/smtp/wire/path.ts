import { parsePathAndRest } from '../../../mail/address/path.ts';

/**
 * Split the argument of MAIL or RCPT behind its `FROM:` or `TO:`. Spaces between colon and path are no part of the
 * grammar (RFC 5321 section 4.1.1.2) but common, and nothing hangs on them.
 */
export function splitPath(
  argument: string,
  keyword: 'FROM:' | 'TO:',
): { path: string; rest: string } | { error: string } {
  if (argument.slice(0, keyword.length).toUpperCase() !== keyword) return { error: `${keyword} is missing` };
  return parsePathAndRest(argument.slice(keyword.length).trimStart());
}
