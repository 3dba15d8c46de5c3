import type { LookupTable } from './types.ts';

/** Users that one result may name. */
export const RESULT_USERS = 100;

/**
 * What is asked for one mail address, in this order, as Postfix does for smtpd_sender_login_maps and virtual_alias_maps
 * (postconf(5), virtual(5)): user+detail@domain, user@domain, for the domain of bare names user+detail and user, then
 * @domain. A table of patterns is asked for the whole address only.
 */
export function addressKeys(
  address: string,
  options: { readonly delimiter: string; readonly bareDomain: string },
): readonly string[] {
  const at = address.lastIndexOf('@');
  if (at < 1) return [address];
  const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
  const { delimiter, bareDomain } = options;
  const cut = delimiter === '' ? -1 : local.indexOf(delimiter, 1);
  const locals = cut < 1 ? [local] : [local, local.slice(0, cut)];
  const bare = bareDomain !== '' && domain.toLowerCase() === bareDomain.toLowerCase();
  return [...locals.map((each) => `${each}@${domain}`), ...(bare ? locals : []), `@${domain}`];
}

/** The first result of a table for an address; an empty one is none. */
export async function findAddress(
  table: LookupTable,
  address: string,
  options: { readonly delimiter: string; readonly bareDomain: string },
): Promise<string | undefined> {
  const keys = table.patterns ? [address] : addressKeys(address, options);
  for (const key of keys) {
    const result = await table.query(key);
    if (result !== undefined && result.trim() !== '') return result;
  }
  return undefined;
}

/** A result is a list: users and addresses apart by commas or white space; each counts once. */
export function usersOf(result: string): readonly string[] {
  const users = result.split(/[\s,]+/, RESULT_USERS * 4).filter((user) => user !== '');
  return [...new Set(users)].slice(0, RESULT_USERS);
}
