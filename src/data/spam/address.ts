import { ownAddress, parseAddress } from '../directory/address.ts';

/** UTF-16 units of an address that is none. */
const ODD_LENGTH = 320;

/**
 * The one spelling under which the address of somebody elsewhere is remembered and found: lower case, although their
 * host might tell letters apart. What is no address is taken as it stands.
 */
export function senderKey(address: string): string {
  const parsed = parseAddress(address);
  if (parsed !== undefined) return ownAddress(parsed.localPart, parsed.domain);
  return address.trim().slice(0, ODD_LENGTH).toLowerCase().replaceAll('\0', '').toWellFormed();
}

/** The domain of such a key, '' when it has none. */
export function domainOfKey(key: string): string {
  return key.slice(key.lastIndexOf('@') + 1 || key.length);
}
