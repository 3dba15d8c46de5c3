import { Refusal } from '../../base/errors.ts';
import { mailboxName, SEPARATOR } from '../mailstore/names.ts';

/** First levels of the names of others' mailboxes (RFC 2342). */
export const OTHER_USERS = 'Other Users';
export const SHARED = 'Shared';

/** Stands for "/" of a local part: that one separates levels. */
const SLASH = '\u2215';

export interface ForeignName {
  /** Whether it is a mailbox of an account that nobody logs in to. */
  readonly shared: boolean;
  /** Addresses that the second level may mean, the likelier first. */
  readonly addresses: readonly string[];
  /** Name in the owner's account, '' for the account as a whole. */
  readonly path: string;
}

/** What account and path a name means in the namespaces of others; undefined for personal names. */
export function foreignName(name: string): ForeignName | undefined {
  const [first, second, ...rest] = name.normalize('NFC').split(SEPARATOR);
  if (first !== OTHER_USERS && first !== SHARED) return undefined;
  if (second === undefined || !second.includes('@')) return undefined;
  const addresses = second.includes(SLASH) ? [second, second.replaceAll(SLASH, SEPARATOR)] : [second];
  return { shared: first === SHARED, addresses, path: validName(rest.join(SEPARATOR)) ?? '' };
}

/** Whether the name belongs to the namespaces of others, or would look like that. */
export function isReserved(name: string): boolean {
  const [first] = name.normalize('NFC').split(SEPARATOR);
  return first === OTHER_USERS || first === SHARED;
}

/** The name of somebody's mailbox for others. */
export function foreignText(
  owner: { readonly address: string; readonly shared: boolean },
  path: string,
): string {
  const level = owner.address.replaceAll(SEPARATOR, SLASH);
  return [owner.shared ? SHARED : OTHER_USERS, level, path].join(SEPARATOR);
}

/** As `mailboxName`; undefined for what cannot be one. */
export function validName(name: string): string | undefined {
  try {
    return mailboxName(name);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}
